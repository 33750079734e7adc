/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Growing text. A failed allocation sticks: later additions do nothing, and the one who uses the
 * text asks once, at the end, whether it is whole.
 */
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *text; /* owned; NULL while empty, else NUL-terminated */
	size_t len, size;
	bool failed; /* out of memory: text is not whole */
};

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_add_bytes(struct strbuf *buf, const char *bytes, size_t len);
void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_clear(struct strbuf *buf);

/* Hands the text to the caller, never NULL unless memory ran out; buf is empty afterwards. */
char *strbuf_take(struct strbuf *buf);
