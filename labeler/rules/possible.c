/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/possible.h"

#include "base/cleanup.h"
#include "rules/kinds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void possibles_add(struct possibles *list, struct possible possible, const char *pattern_format,
		   ...)
{
	struct possible *grown = reallocarray(list->items, list->n_items + 1, sizeof(*grown));
	va_list args;

	if (!grown) {
		list->failed = true;
		return;
	}
	list->items = grown;
	va_start(args, pattern_format);
	(void)vsnprintf(possible.pattern, sizeof(possible.pattern), pattern_format, args);
	va_end(args);
	grown[list->n_items++] = possible;
}

void possibles_clear(struct possibles *list)
{
	free(list->items);
	*list = (struct possibles){0};
}

void possibles_list(const struct rule_options *options, struct possibles *ret)
{
	static void (*const tables[])(const struct rule_options *options, struct possibles *out) = {
		amd_possible, vfio_possible, intel_possible};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		tables[i](options, ret);
}

/* Does the key fit, the * standing for any value? */
static bool fits(const char *pattern, const char *key)
{
	const size_t head = strcspn(pattern, "*");
	const char *tail = pattern[head] ? pattern + head + 1 : NULL;
	const size_t len = strlen(key);

	if (!tail)
		return strcmp(pattern, key) == 0;
	return len > head + strlen(tail) && strncmp(pattern, key, head) == 0 &&
	       strcmp(key + len - strlen(tail), tail) == 0;
}

const struct possible *possibles_find(const struct possibles *list, const char *key)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (fits(list->items[i].pattern, key))
			return &list->items[i];
	}
	return NULL;
}
