/* SPDX-License-Identifier: Apache-2.0 */
#include "ini_file.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

#include <errno.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FILE_MAX = 1024 * 1024,
};

/*
 * inih calls back once a line and tells no line number, so the lines are counted where it reads
 * them; the entry is handed on when the next one begins, since an indented line continues it.
 */
struct reading {
	FILE *file;
	int line;
	bool indented;       /* the line that was read last */
	char *section, *key; /* owned: of the entry that is being put together */
	struct strbuf value;
	int entry_line;
	int (*take)(const struct ini_entry *entry, void *data, struct err *err);
	void *data;
	int r;        /* the first error, 0 so far */
	int err_line; /* where it is */
	struct err *err;
};

static void reading_clear(struct reading *reading)
{
	free(reading->section);
	free(reading->key);
	strbuf_clear(&reading->value);
}

static int stop(struct reading *reading, int line, int r)
{
	if (reading->r == 0) {
		reading->r = r;
		reading->err_line = line;
	}
	return 0; /* inih's word for "no" */
}

/* fgets() for inih, which would take a line that is too long for two. */
static char *read_line(char *buf, int size, void *data)
{
	struct reading *reading = data;
	size_t len;

	if (reading->r || !fgets(buf, size, reading->file))
		return NULL;
	reading->line++;
	len = strlen(buf);
	reading->indented = buf[0] == ' ' || buf[0] == '\t';
	if (len > 0 && buf[len - 1] != '\n' && !feof(reading->file)) {
		err_set(reading->err, 0,
			"the line is longer than %d characters, or holds a NUL: go on with the "
			"value "
			"on an indented line",
			size - 2);
		(void)stop(reading, reading->line, -EFBIG);
		return NULL;
	}
	return buf;
}

/* Hands on the entry that is complete now. */
static void flush(struct reading *reading)
{
	auto_free char *section = TAKE_PTR(reading->section);
	auto_free char *key = TAKE_PTR(reading->key);
	auto_free char *value = strbuf_take(&reading->value);
	const struct ini_entry entry = {section, key, value, reading->entry_line};
	int r;

	if (!key || reading->r)
		return;
	r = value ? reading->take(&entry, reading->data, reading->err)
		  : err_set(reading->err, -ENOMEM, "out of memory");
	if (r < 0)
		(void)stop(reading, reading->entry_line, r);
}

/* Where the comment of a line begins, or its end. inih cuts it from an entry's first line only. */
static size_t comment_at(const char *value)
{
	size_t i = 0;

	while (value[i] && !(value[i] == ';' && i > 0 && strchr(" \t", value[i - 1])))
		i++;
	return i;
}

static int take_line(void *data, const char *section, const char *key, const char *value)
{
	struct reading *reading = data;

	if (reading->r)
		return 0;
	if (reading->indented && reading->key && strcmp(reading->key, key) == 0) {
		strbuf_add_bytes(&reading->value, value, comment_at(value));
		return 1;
	}
	flush(reading);
	if (reading->r)
		return 0;
	reading->section = strdup(section);
	reading->key = reading->section ? strdup(key) : NULL;
	if (!reading->key) {
		err_set(reading->err, 0, "out of memory");
		return stop(reading, reading->line, -ENOMEM);
	}
	reading->entry_line = reading->line;
	strbuf_add(&reading->value, value);
	return 1;
}

static int check_file(FILE *file, struct err *err)
{
	struct stat about;

	if (fstat(fileno(file), &about) < 0)
		return err_set(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(about.st_mode))
		return err_set(err, -EINVAL, "is no regular file");
	if (about.st_size > FILE_MAX)
		return err_set(err, -EFBIG, "is larger than 1 MiB: no such file of ours is");
	return 0;
}

int ini_file_read(const char *path,
		  int (*take)(const struct ini_entry *entry, void *data, struct err *err),
		  void *data, struct err *err)
{
	auto_fclose FILE *file = fopen(path, "re");
	CLEANUP(reading_clear)
	struct reading reading = {.file = file, .take = take, .data = data, .err = err};
	int bad_line;
	int r;

	if (!file)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	r = check_file(file, err);
	if (r < 0)
		return err_prefix(err, r, "%s", path);
	bad_line = ini_parse_stream(read_line, &reading, take_line, &reading);
	flush(&reading);
	if (bad_line > 0 && (reading.r == 0 || bad_line < reading.err_line)) {
		err_set(err, 0, "is neither [section] nor key = value");
		reading.r = -EINVAL;
		reading.err_line = bad_line;
	}
	if (reading.r == 0)
		return 0;
	return err_prefix(err, reading.r, "%s:%d", path, reading.err_line);
}
