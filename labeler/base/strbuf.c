/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	FIRST_SIZE = 64,
};

static bool make_room(struct strbuf *buf, size_t more)
{
	const size_t need = buf->len + more + 1;
	size_t size = buf->size ? buf->size : FIRST_SIZE;
	char *text;

	if (buf->failed)
		return false;
	if (need <= buf->size)
		return true;
	while (size < need)
		size *= 2;
	text = realloc(buf->text, size);
	if (!text) {
		buf->failed = true;
		return false;
	}
	buf->text = text;
	buf->size = size;
	return true;
}

void strbuf_add_bytes(struct strbuf *buf, const char *bytes, size_t len)
{
	if (!make_room(buf, len))
		return;
	memcpy(buf->text + buf->len, bytes, len);
	buf->len += len;
	buf->text[buf->len] = '\0';
}

void strbuf_add(struct strbuf *buf, const char *text)
{
	strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	va_list again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (make_room(buf, (size_t)len)) {
		(void)vsnprintf(buf->text + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

char *strbuf_take(struct strbuf *buf)
{
	char *text;

	strbuf_add(buf, "");
	text = buf->failed ? NULL : TAKE_PTR(buf->text);
	strbuf_clear(buf);
	return text;
}

void strbuf_clear(struct strbuf *buf)
{
	free(buf->text);
	*buf = (struct strbuf){0};
}
