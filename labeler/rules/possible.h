/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which labels a node could have: the rows of the tables of kinds, each as the keys that it makes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule;
struct rule_options;

/* Which functions of the vendor a rule looks at. */
enum basis {
	BASIS_MODE, /* that serve the mode of the node */
	BASIS_VFIO, /* that can be handed to a VM now */
	BASIS_ALL,  /* that the lists of ids leave in */
};
struct possible {
	char pattern[96]; /* the key; a * where a value stands */
	const struct rule *rule;
	uint16_t vendor;
	enum basis basis;
	unsigned int modes; /* of BASIS_MODE: one bit a mode that it comes with */
	const char *off;    /* static; why the options leave it out, NULL where they don't */
	const char *on;     /* static; then: what would bring it */
};
struct possibles {
	struct possible *items; /* owned */
	size_t n_items;
	bool failed; /* out of memory: a row is missing */
};

void possibles_add(struct possibles *list, struct possible possible, const char *pattern_format,
		   ...) __attribute__((format(printf, 3, 4)));
void possibles_clear(struct possibles *list);

/* All that the tables have, under these options. */
void possibles_list(const struct rule_options *options, struct possibles *ret);

/* The row that makes such a key; NULL where none does. */
const struct possible *possibles_find(const struct possibles *list, const char *key);
