/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the reader of the labels should know: why something counts for nothing, what looks wrong. */
#include <stdbool.h>
#include <stddef.h>

enum note_level {
	NOTE_REASON,  /* why one function counts for nothing: the table says it at the function */
	NOTE_INFO,    /* the labels are right, and this is why they are as they are */
	NOTE_WARNING, /* something that the administrator should mend */
};
struct note {
	enum note_level level;
	char *text; /* owned; one line, starts with what it is about */
};
struct notes {
	struct note *items; /* owned */
	size_t n_items;
	bool failed; /* out of memory: a note is missing */
};

void notes_add(struct notes *notes, enum note_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "reason", "info", "warning". */
const char *note_level_name(enum note_level level);
void notes_clear(struct notes *notes);
