/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What keeps GPUs from the VMs or containers that the node is meant for: each check looks at one
 * thing and says how it is, where that is written and what to do. Pure: it judges what was read.
 */
#include "inventory/inventory.h"
#include "rules/mode.h"

#include <stdbool.h>
#include <stddef.h>

struct host_facts;
struct survey;
struct verdict;

/* The worst of what a check sees is its answer. Unknown: what could not be seen is no fault. */
enum health {
	HEALTH_PASS,
	HEALTH_UNKNOWN,
	HEALTH_WARN,
	HEALTH_FAIL,
	N_HEALTHS,
};
const char *health_name(enum health health); /* "pass" */

/* One thing that was read. */
struct evidence {
	enum health health;
	char *path, *value; /* owned, printable */
};
struct finding {
	const char *id;      /* of the check, as the README has it */
	const char *says;    /* static; how it is */
	const char *next;    /* static; what to do, NULL where nothing is */
	const char *follows; /* id of the check whose failure explains this one; NULL: none does */
	enum health health;
	struct evidence *items; /* owned, never empty */
	size_t n_items;
	bool failed; /* out of memory: evidence is missing */
};
struct diagnosis {
	enum mode meant;
	const char *because;   /* static; why this mode is taken for what the node is meant for */
	struct finding *items; /* owned; of the checks that concern this node, in their order */
	size_t n_items;
	size_t count[N_HEALTHS];
	bool failed; /* out of memory: a finding is missing */
};

/* NFD's feature file, where the agent of this host is to write one. */
struct feature_file_facts {
	const char *path;
	bool has_dir;
	struct fact text; /* what stands in it */
};
struct patient {
	const struct inventory *inventory;
	const struct host_facts *facts;
	const struct verdict *verdict;
	const struct survey *survey; /* NULL: no cluster was asked, and nobody wanted to */
	const struct feature_file_facts *feature_file; /* NULL: not of this host, or not wanted */
	enum mode meant; /* MODE_NONE: find out from what the GPUs do now */
};

/* Fills an empty diagnosis. */
void doctor_examine(const struct patient *patient, struct diagnosis *ret);
void diagnosis_clear(struct diagnosis *diagnosis);
