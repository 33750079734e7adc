/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static const char *const names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};
static struct {
	enum log_level level;
	bool json;
} setup = {LEVEL_INFO, false};

bool log_level_parse(const char *word, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_setup(enum log_level level, bool json)
{
	setup.level = level;
	setup.json = json;
}

static void add_json_text(struct strbuf *line, const char *text)
{
	strbuf_add(line, "\"");
	for (; *text; text++) {
		const bool plain = *text >= ' ' && *text <= '~';

		if (*text == '"' || *text == '\\')
			strbuf_add(line, "\\");
		strbuf_addf(line, "%c", plain ? *text : '?');
	}
	strbuf_add(line, "\"");
}

static void add_json(struct strbuf *line, enum log_level level, const struct log_field *fields,
		     const char *message)
{
	const time_t now = time(NULL);
	struct tm parts;
	char text[32] = "";

	if (gmtime_r(&now, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	strbuf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", text, names[level]);
	add_json_text(line, message);
	for (; fields && fields->key; fields++) {
		strbuf_addf(line, ",\"%s\":", fields->key);
		add_json_text(line, fields->value);
	}
	strbuf_add(line, "}\n");
}

static void add_text(struct strbuf *line, enum log_level level, const struct log_field *fields,
		     const char *message)
{
	strbuf_addf(line, "gpu-labeler: %s: %s", names[level], message);
	for (; fields && fields->key; fields++)
		strbuf_addf(line, "; %s: %s", fields->key, fields->value);
	for (size_t i = 0; i < line->len && !line->failed; i++) {
		if (line->text[i] < ' ' || line->text[i] > '~')
			line->text[i] = '?';
	}
	strbuf_add(line, "\n");
}

void log_line(enum log_level level, const struct log_field *fields, const char *format, ...)
{
	CLEANUP(strbuf_clear) struct strbuf line = {0};
	auto_free char *message = NULL;
	va_list args;
	int len;

	if (level > setup.level)
		return;
	va_start(args, format);
	len = vasprintf(&message, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (setup.json)
		add_json(&line, level, fields, message);
	else
		add_text(&line, level, fields, message);
	/* One write, so that lines of several processes do not mix. */
	if (!line.failed)
		(void)!write(STDERR_FILENO, line.text, line.len);
}
