/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From what a node has to what its labels say. Pure: the same inventory and options give the same
 * verdict, whatever the machine and the time.
 */
#include "inventory/devices.h"
#include "rules/filter.h"
#include "rules/labels.h"
#include "rules/mode.h"
#include "rules/notes.h"

struct err;
struct inventory;

struct rule_options {
	enum mode driver_type;                  /* MODE_NONE: find out */
	struct filter_list allow_ids, deny_ids; /* owned; at most one of them has ids */
	bool device_id_0x;                      /* passthrough device ids as 0x74b5 */
	unsigned int left_out;                  /* one bit an amd_kind_names: not published */
	bool intel_rule_labels;                 /* what Intel's own NFD rules publish, too */
	struct device_table devices;            /* borrowed: Intel's names; empty: the built-in */
};
struct verdict {
	enum mode mode;     /* of the AMD GPUs of the node */
	struct part *parts; /* owned, one for each of the inventory's gpus */
	struct labels labels;
	struct notes notes;
};

/*
 * Fills an empty verdict. The inventory is sorted. Returns 0, or -ENOMEM with *ret empty.
 */
int rules_apply(const struct inventory *inventory, const struct rule_options *options,
		struct verdict *ret, struct err *err);
void verdict_clear(struct verdict *verdict);
void rule_options_clear(struct rule_options *options);

/* The kinds of AMD labels that can be chosen; mode and vfio are always there. */
enum {
	N_AMD_KINDS = 12,
};
extern const char *const amd_kind_names[N_AMD_KINDS];
bool rules_want(const struct rule_options *options, const char *kind);

/* Does the function's part go into the labels of the node's mode? */
static inline bool verdict_counts(const struct verdict *verdict, size_t gpu)
{
	return verdict->mode != MODE_NONE && verdict->parts[gpu].mode == verdict->mode;
}
