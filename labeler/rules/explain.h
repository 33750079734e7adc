/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Why a label is there, or why it is not: from the verdict's own origins and the tables that made
 * it. Pure; decides nothing anew.
 */
#include <stdbool.h>
#include <stddef.h>

struct inventory;
struct rule;
struct rule_options;
struct strbuf;
struct verdict;

/* What one file of the host said. */
struct explained_fact {
	char *path;  /* owned; /sys/bus/pci/devices/0000:05:00.0/driver */
	char *value; /* owned; for a person */
	bool known;  /* the host has it, and it could be read */
};
/* A PCI function, or a module, and what was read of it. */
struct explained_item {
	char *name;                   /* owned; its address or the module's name */
	struct explained_fact *facts; /* owned */
	size_t n_facts;
	char *why;       /* owned; why it isn't counted, NULL where it is */
	const char *fix; /* static; what would change that; NULL */
};
struct explained_list {
	struct explained_item *items; /* owned */
	size_t n_items;
};
struct explanation {
	char *key;                      /* owned */
	char *wanted;                   /* owned; the value that was asked about; NULL: none */
	const char *value;              /* the verdict's; NULL: the label is absent */
	const struct rule *rule;        /* static; NULL: no rule makes such a key */
	char *because;                  /* owned; the first condition that failed, NULL: none */
	char *fix;                      /* owned; what would make it true, NULL: nothing to say */
	struct explained_list from;     /* what was counted */
	struct explained_list modules;  /* loaded ones that a value is of */
	struct explained_list members;  /* other functions of the same IOMMU groups */
	struct explained_list not_from; /* every other GPU function, and why */
	bool failed;                    /* out of memory: something is missing */
};

/*
 * Explains one label, be it there or not: "key", or "key=value" where that value was expected. The
 * inventory, options and verdict outlive *ret, which is empty. Returns 0 or -ENOMEM.
 */
int explain_label(const struct inventory *inventory, const struct rule_options *options,
		  const struct verdict *verdict, const char *label, struct explanation *ret);
void explanation_clear(struct explanation *explanation);

/*
 * The keys worth a word: each label of the verdict, then each key without a value in it that some
 * node could have and this one has not. A line each.
 */
void explain_keys(const struct rule_options *options, const struct verdict *verdict,
		  struct strbuf *out);
