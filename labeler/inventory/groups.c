/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/groups.h"

#include "base/cleanup.h"

void groups_add(struct groups *groups, int64_t group)
{
	int64_t *grown = reallocarray(groups->items, groups->n_items + 1, sizeof(*grown));

	if (!grown) {
		groups->failed = true;
		return;
	}
	grown[groups->n_items++] = group;
	groups->items = grown;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void groups_tidy(struct groups *groups)
{
	size_t kept = 0;

	if (groups->n_items == 0)
		return;
	qsort(groups->items, groups->n_items, sizeof(*groups->items), compare);
	for (size_t i = 1; i < groups->n_items; i++) {
		if (groups->items[i] != groups->items[kept])
			groups->items[++kept] = groups->items[i];
	}
	groups->n_items = kept + 1;
}

bool groups_have(const struct groups *groups, int64_t group)
{
	return groups->n_items > 0 &&
	       bsearch(&group, groups->items, groups->n_items, sizeof(*groups->items), compare);
}

void groups_clear(struct groups *groups)
{
	free(groups->items);
	*groups = (struct groups){0};
}
