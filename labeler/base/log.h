/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One line an event on standard error, as text or as JSON. For cmd/ and agent/ alone. */
#include <stdbool.h>

enum log_level {
	LEVEL_ERROR,
	LEVEL_WARNING,
	LEVEL_INFO,
	LEVEL_DEBUG,
};
/* What a program may want to find in a line; an array of them ends with a NULL key. */
struct log_field {
	const char *key, *value;
};

/* "error", "warning", "info", "debug"; false where the word is none of them. */
bool log_level_parse(const char *word, enum log_level *ret);

/* Lines above the level are dropped. Text until then, up to LEVEL_INFO. */
void log_setup(enum log_level level, bool json);

/* fields may be NULL. What is not printable in a value is shown as ?. */
void log_line(enum log_level level, const struct log_field *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
