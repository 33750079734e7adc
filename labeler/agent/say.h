/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Notes to the log. */
#include "base/log.h"
#include "rules/notes.h"

static inline void say_note(const struct note *note)
{
	log_line(note->level == NOTE_WARNING ? LEVEL_WARNING : LEVEL_INFO, NULL, "%s", note->text);
}

static inline void say_notes(const struct notes *notes)
{
	for (size_t i = 0; i < notes->n_items; i++)
		say_note(&notes->items[i]);
}
