/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/privacy.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "inventory/host_facts.h"

#include <sha2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH_SHOWN = 16, /* hex digits: as long as the id itself */
};

struct hash {
	char hex[SHA256_DIGEST_STRING_LENGTH]; /* cut to HASH_SHOWN */
};

static struct hash hash_of(const char *text, size_t len)
{
	struct hash hash;

	(void)SHA256Data((const uint8_t *)text, len, hash.hex);
	hash.hex[HASH_SHOWN] = '\0';
	return hash;
}

static void only_words(struct strbuf *out, const char *text)
{
	auto_free char *words = host_facts_boot_words(text);

	strbuf_add(out, words ? words : "");
	strbuf_add(out, "\n");
	out->failed |= !words;
}

static void only_bans(struct strbuf *out, const char *text)
{
	for (; *text; text += text[strcspn(text, "\n")] == '\n' ? 1 : 0) {
		const size_t len = strcspn(text, "\n");
		auto_free char *line = strndup(text, len);

		out->failed |= !line;
		for (enum host_module i = 0; line && i < HOST_MODULES; i++) {
			if (host_facts_bans(line, host_module_name(i))) {
				strbuf_addf(out, "%s\n", line);
				break;
			}
		}
		text += len;
	}
}

static void hashed(struct strbuf *out, const char *text)
{
	const size_t len = strcspn(text, "\n");

	strbuf_add(out, len > 0 ? hash_of(text, len).hex : "");
	strbuf_add(out, text + len);
}

/* "name value" lines: what stands behind unique_id is hashed. The hash as a number, as the id is.
 */
static void hashed_lines(struct strbuf *out, const char *text)
{
	static const char id[] = "unique_id ";

	while (*text) {
		const size_t len = strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');

		if (strncmp(text, id, strlen(id)) == 0) {
			const size_t skip = strlen(id);
			const size_t digits = strspn(text + skip, "0123456789");
			const struct hash hash = hash_of(text + skip, digits);

			if (digits == 1 && text[skip] == '0')
				strbuf_addf(out, "%s0\n", id); /* no id at all */
			else
				strbuf_addf(out, "%s%llu\n", id, strtoull(hash.hex, NULL, 16));
		} else {
			strbuf_add_bytes(out, text, len);
		}
		text += len;
	}
}

static void nothing(struct strbuf *out, const char *text)
{
	(void)text;
	strbuf_add(out, "");
}

/* The first row whose text is in the path says what becomes of the file. */
static const struct {
	const char *part;
	bool at_end; /* of the path */
	void (*clean)(struct strbuf *out, const char *text);
} rows[] = {
	/* clang-format off */
	{"proc/cmdline",     true,  only_words},
	{"/modprobe.d/",     false, only_bans},
	{"/unique_id",       true,  hashed},
	{"/serial_number",   true,  nothing},
	{"/properties",      true,  hashed_lines},
	/* clang-format on */
};

static bool fits(const char *path, const char *part, bool at_end)
{
	const size_t len = strlen(path);

	if (!at_end)
		return strstr(path, part) != NULL;
	return len >= strlen(part) && strcmp(path + len - strlen(part), part) == 0;
}

char *privacy_clean(const char *path, const char *bytes, size_t len, size_t *ret_len)
{
	CLEANUP(strbuf_clear) struct strbuf out = {0};
	auto_free char *text = strndup(bytes, len); /* ends at a NUL: none of these is binary */
	size_t i = 0;

	if (!text)
		return NULL;
	while (i < ARRAY_SIZE(rows) && !fits(path, rows[i].part, rows[i].at_end))
		i++;
	if (i < ARRAY_SIZE(rows))
		rows[i].clean(&out, text);
	else
		strbuf_add_bytes(&out, bytes, len);
	*ret_len = out.len;
	return strbuf_take(&out);
}
