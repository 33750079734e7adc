/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/notes.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>

void notes_add(struct notes *notes, enum note_level level, const char *format, ...)
{
	auto_free char *text = NULL;
	struct note *grown = reallocarray(notes->items, notes->n_items + 1, sizeof(*grown));
	va_list args;
	int len;

	if (grown)
		notes->items = grown;
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (!grown || len < 0) {
		notes->failed = true;
		return;
	}
	grown[notes->n_items++] = (struct note){level, TAKE_PTR(text)};
}

const char *note_level_name(enum note_level level)
{
	static const char *const names[] = {
		[NOTE_REASON] = "reason",
		[NOTE_INFO] = "info",
		[NOTE_WARNING] = "warning",
	};

	return names[level];
}

void notes_clear(struct notes *notes)
{
	for (size_t i = 0; i < notes->n_items; i++)
		free(notes->items[i].text);
	free(notes->items);
	*notes = (struct notes){0};
}
