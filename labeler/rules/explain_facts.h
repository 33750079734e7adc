/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From names of facts (struct rule) to the files that they were read from, and what those said. */
#include "rules/explain.h"

struct notes;
struct picks;

/* What the facts name of one of the inventory's gpus: of the function, its card, its KFD nodes. */
void explain_gpu(const struct inventory *inventory, size_t gpu, const char *facts,
		 struct explained_item *ret, bool *failed);

/* The modules that the facts name, loaded or not. */
void explain_modules(const struct inventory *inventory, const char *facts, struct explanation *ret);

/*
 * Where the rule's facts name members: every function that is no GPU in the groups of these
 * functions, with what the rules noted of it.
 */
void explain_members(const struct inventory *inventory, const struct picks *gpus,
		     const struct notes *notes, struct explanation *ret);

/* The item belongs to the list afterwards, and is empty. */
void explain_add(struct explained_list *list, struct explained_item *item, bool *failed);
void explain_item_clear(struct explained_item *item);
