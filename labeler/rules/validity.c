/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/validity.h"

#include <stddef.h>
#include <string.h>

enum {
	DNS_LABEL = 63,
};

/* Not isalnum(): no locale may widen Kubernetes' alphabet. */
static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_inner(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static bool is_name(const char *text)
{
	const size_t len = strlen(text);

	if (len == 0 || len > VALIDITY_NAME || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_inner(text[i]))
			return false;
	}
	return true;
}

static bool is_dns_label(const char *text, size_t len)
{
	if (len == 0 || len > DNS_LABEL || !is_lower_alnum(text[0]) ||
	    !is_lower_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_lower_alnum(text[i]) && text[i] != '-')
			return false;
	}
	return true;
}

/* Dot-separated DNS labels, up to the slash at end. */
static bool is_prefix(const char *text, const char *end)
{
	if (end - text > VALIDITY_PREFIX)
		return false;
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		const char *stop = dot ? dot : end;

		if (!is_dns_label(text, (size_t)(stop - text)))
			return false;
		if (!dot)
			return true;
		text = dot + 1;
	}
}

bool validity_key(const char *key)
{
	const char *slash = strchr(key, '/');

	if (!slash)
		return is_name(key);
	return is_prefix(key, slash) && is_name(slash + 1);
}

bool validity_value(const char *value)
{
	return !*value || is_name(value);
}

/* Cuts what may not stand at the end of a value. */
static void trim_end(struct label_value *value, size_t len)
{
	while (len > 0 && !is_alnum(value->text[len - 1]))
		len--;
	value->text[len] = '\0';
}

struct label_value validity_clean(const char *text)
{
	struct label_value value = {0};
	size_t len = 0;
	bool in_run = false;

	while (*text && !is_alnum(*text))
		text++;
	for (; *text && len < VALIDITY_NAME; text++) {
		const bool legal = is_inner(*text);

		if (legal || !in_run)
			value.text[len++] = *(legal ? text : "_");
		in_run = !legal;
	}
	trim_end(&value, len);
	return value;
}
