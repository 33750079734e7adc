/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A set of IOMMU groups, by number. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct groups {
	int64_t *items; /* owned; ascending, each once, after groups_tidy() */
	size_t n_items;
	bool failed; /* out of memory: a group is missing */
};

void groups_add(struct groups *groups, int64_t group);

/* Sorts what was added and drops what is there twice. */
void groups_tidy(struct groups *groups);

/* Is it in the set? The set is tidy. */
bool groups_have(const struct groups *groups, int64_t group);
void groups_clear(struct groups *groups);
