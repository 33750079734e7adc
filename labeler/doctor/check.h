/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How a check is written: a row of a table, and a function that gathers what it is about. */
#include "doctor/doctor.h"
#include "inventory/host_facts.h"
#include "inventory/inventory.h"

/* The modes that a check is for: one bit each. */
#define FOR(mode) (1U << (mode))
#define FOR_VMS (FOR(MODE_VF_PASSTHROUGH) | FOR(MODE_PF_PASSTHROUGH))
#define FOR_ALL (FOR_VMS | FOR(MODE_CONTAINER))

struct check {
	const char *id;
	unsigned int modes;
	/* Adds evidence. Where it adds none the check does not concern this node. */
	void (*look)(const struct patient *patient, struct finding *finding);
	const char *says[N_HEALTHS]; /* NULL: it never comes to that */
	const char *next[N_HEALTHS]; /* NULL: nothing to do */
};
struct check_list {
	const struct check *rows;
	size_t n_rows;
};
extern const struct check_list iommu_checks, module_checks, sriov_checks, function_checks,
	node_checks, cluster_checks;

/* path: printf's. value: what stands there; what is not printable in it becomes a question mark. */
void finding_add(struct finding *finding, enum health health, const char *value, const char *path,
		 ...) __attribute__((format(printf, 4, 5)));

/* The same of a file in the function's directory. */
void finding_of(struct finding *finding, enum health health, const struct function *function,
		const char *file, const char *value);

/* What a text fact has to show: its value, absent's words, or why it could not be read. */
const char *fact_shown(const struct fact *fact, const char *absent);

struct number_text {
	char text[24];
};
struct number_text number_text(int64_t number);

/* Is this one of the GPU functions that are to be handed to VMs: a VF, or a PF, as meant? */
bool patient_wants(const struct patient *patient, size_t gpu);
