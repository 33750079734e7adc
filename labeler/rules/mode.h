/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The part that each GPU function plays, and the mode of the node that follows. Source: the label
 * contract's table of modes; nothing here reads a driver by its id list or a PF by its id.
 */
#include "rules/notes.h"

#include <stdbool.h>
#include <stddef.h>

struct function;
struct inventory;
struct rule_options;

enum mode {
	MODE_NONE, /* as an option: automatic */
	MODE_CONTAINER,
	MODE_VF_PASSTHROUGH,
	MODE_PF_PASSTHROUGH,
};
enum {
	N_MODES = MODE_PF_PASSTHROUGH + 1,
};

/* What a function counts for. Same order as the inventory's gpus. */
struct part {
	enum mode mode; /* the mode that it serves; MODE_NONE: none */
	bool is_vf;
	bool vfio;       /* usable for passthrough: bound to a vfio driver, in an IOMMU group */
	bool left_out;   /* by the user's lists of ids */
	bool say;        /* why belongs into the log, since the user misses a label */
	const char *why; /* static; why it serves no mode, NULL where it does or nothing is amiss */
	const char *fix; /* static; what would change that; NULL where there is nothing to do */
};

/* "container"; "auto" for MODE_NONE. */
const char *mode_name(enum mode mode);

/* False where the word is none of them. */
bool mode_parse(const char *word, enum mode *ret);

/*
 * Fills parts, one for each of the (sorted) inventory's gpus. Returns 0 or -ENOMEM.
 */
int mode_parts(const struct inventory *inventory, const struct rule_options *options,
	       struct part *parts);

/*
 * The first mode, in the order of the enum, that has a function; or the wanted one where it has.
 * counts: functions that serve each mode, to be shown where there are several.
 */
enum mode mode_of_node(const struct part *parts, size_t n_parts, enum mode wanted,
		       size_t counts[static N_MODES]);
