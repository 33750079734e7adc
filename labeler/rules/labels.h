/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The label set: sorted by key, each key once, every label legal and knowing where it comes from.
 */
#include <stdbool.h>
#include <stddef.h>

struct notes;
struct strbuf;

/* Which GPU functions something stands on: indices into the inventory's gpus. */
struct picks {
	size_t *items; /* owned */
	size_t n_items;
	bool failed; /* out of memory: an index is missing */
};

/* What makes a label, as far as it is said to a person: one a row of the tables of kinds. */
struct rule {
	const char *text;
	/*
	 * What of the host it stands on: names of fields with blanks between, as inventory/
	 * json_fields.c has them. Of a function: driver; of its card: card/vram; of its nodes of
	 * KFD: kfd/simd_count; of a loaded module: module/gim. members: the functions of the same
	 * IOMMU groups. A ? behind
	 * a name: where there is one. Of a module: version, srcversion.
	 */
	const char *facts;
	const char *missing; /* what to do where they give no value, or a member is in the way */
};
struct label {
	char *key, *value;       /* owned */
	const struct rule *rule; /* static */
	struct picks gpus;       /* owned: what was counted */
};
struct labels {
	struct label *items; /* owned, in byte order of the keys */
	size_t n_items;
	size_t n_rejected; /* labels that Kubernetes would refuse, and that were dropped */
	bool failed;       /* out of memory: a label is missing, the set must not be published */
};

void picks_add(struct picks *picks, size_t gpu);
void picks_clear(struct picks *picks);

/* Where a label comes from. */
struct origin {
	const struct rule *rule;  /* static */
	const struct picks *gpus; /* copied */
};

/*
 * Adds a label or replaces the one of that key. One that Kubernetes would refuse is dropped alone,
 * with a warning that names it.
 */
void labels_put(struct labels *labels, struct notes *notes, const char *key, const char *value,
		struct origin origin);
void labels_clear(struct labels *labels);

/*
 * What makes the second of the first: " -key=value +key=value" and so on, in the order of the keys;
 * nothing is added to out where they are equal. Sets that failed are nobody's to compare.
 */
void labels_diff(const struct labels *from, const struct labels *to, struct strbuf *out);

/* The label of that key, or NULL. */
const struct label *labels_find(const struct labels *labels, const char *key);
