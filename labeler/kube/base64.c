/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/base64.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	BITS = 6, /* of a character */
	SPACE = -1,
	PADDING = -2,
	BAD = -3,
};

static int value_of(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	if (at)
		return (int)(at - alphabet);
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	if (c == '=')
		return PADDING;
	return c && strchr(" \t\r\n", c) ? SPACE : BAD;
}

char *base64_decode(const char *text, size_t len, size_t *ret_len)
{
	auto_free char *bytes = malloc(len / 4 * 3 + 4);
	uint32_t bits = 0;
	unsigned int n_bits = 0;
	size_t n = 0;
	bool ended = false;

	if (!bytes)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		const int value = value_of(text[i]);

		if (value == SPACE)
			continue;
		if (value == BAD || (ended && value != PADDING))
			return NULL;
		ended = value == PADDING;
		if (ended)
			continue;
		bits = bits << BITS | (uint32_t)value;
		n_bits += BITS;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		bytes[n++] = (char)(bits >> n_bits & 0xff);
	}
	if (n_bits == BITS) /* a character that is half a byte */
		return NULL;
	bytes[n] = '\0';
	*ret_len = n;
	return TAKE_PTR(bytes);
}
