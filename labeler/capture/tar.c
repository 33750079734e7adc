/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tar.h"

#include "base/err.h"
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char target[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is a block");

static const char empty[TAR_BLOCK];
static const char long_link[] = "././@LongLink";

/* The sum of all bytes, those of the sum itself taken as blanks. */
static unsigned int sum_of(const struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	const size_t from = offsetof(struct header, checksum);
	unsigned int sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i - from < sizeof(header->checksum) ? ' ' : bytes[i];
	return sum;
}

static size_t padding(size_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* Cut where it does not fit: the whole stands in a block of its own then. */
static void put_text(char *field, size_t size, const char *text)
{
	memcpy(field, text, strnlen(text, size));
}

/* No owner, no time: the same machine gives the same archive. */
static void add_block(struct strbuf *out, enum tar_type type, unsigned int mode, const char *name,
		      const char *target, const char *content, size_t size)
{
	struct header header = {.type = (char)type, .magic = "ustar", .version = {'0', '0'}};

	put_text(header.name, sizeof(header.name), name);
	put_text(header.target, sizeof(header.target), target);
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", mode);
	(void)snprintf(header.uid, sizeof(header.uid), "%07o", 0U);
	(void)snprintf(header.gid, sizeof(header.gid), "%07o", 0U);
	(void)snprintf(header.size, sizeof(header.size), "%011zo", size);
	(void)snprintf(header.mtime, sizeof(header.mtime), "%011o", 0U);
	(void)snprintf(header.checksum, sizeof(header.checksum), "%06o", sum_of(&header));
	header.checksum[7] = ' ';
	strbuf_add_bytes(out, (const char *)&header, sizeof(header));
	strbuf_add_bytes(out, content, size);
	strbuf_add_bytes(out, empty, padding(size));
}

static void add_long(struct strbuf *out, enum tar_type type, const char *text, size_t fits)
{
	if (strlen(text) > fits)
		add_block(out, type, 0, long_link, "", text, strlen(text) + 1);
}

void tar_add(struct strbuf *out, const struct tar_entry *entry, const char *content)
{
	const unsigned int mode = entry->type == TAR_FILE ? 0644 : 0755;
	const size_t size = entry->type == TAR_FILE ? entry->size : 0;

	add_long(out, TAR_LONG_TARGET, entry->target, sizeof(((struct header *)NULL)->target));
	add_long(out, TAR_LONG_NAME, entry->name, sizeof(((struct header *)NULL)->name));
	add_block(out, entry->type, entry->locked ? 0 : mode, entry->name, entry->target, content,
		  size);
}

void tar_end(struct strbuf *out)
{
	strbuf_add_bytes(out, empty, sizeof(empty));
	strbuf_add_bytes(out, empty, sizeof(empty));
}

/* Octal digits up to a blank or NUL; false for anything else, such as the base 256 of huge files.
 */
static bool parse_octal(const char *field, size_t size, size_t *ret)
{
	size_t number = 0;
	size_t i = 0;

	while (i < size && field[i] == ' ')
		i++;
	if (i == size)
		return false;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		number = number * 8 + (size_t)(field[i] - '0');
	for (; i < size; i++) {
		if (field[i] != ' ' && field[i] != '\0')
			return false;
	}
	*ret = number;
	return true;
}

static int bad(struct err *err, const char *why)
{
	return err_set(err, -EINVAL, "%s", why);
}

static int read_header(struct tar_walk *walk, struct header *ret, size_t *ret_size, struct err *err)
{
	size_t sum = 0;

	if (walk->left < TAR_BLOCK)
		return bad(err, "ends in the middle: was it copied whole?");
	memcpy(ret, walk->at, TAR_BLOCK);
	if (memcmp(walk->at, empty, TAR_BLOCK) == 0)
		return TAR_END;
	if (!parse_octal(ret->checksum, sizeof(ret->checksum), &sum) || sum != sum_of(ret))
		return bad(err, "is no tar archive, or a damaged one; a compressed one is to be "
				"unpacked first");
	if (!parse_octal(ret->size, sizeof(ret->size), ret_size))
		return bad(err, "holds an entry of a size that no capture has");
	walk->at += TAR_BLOCK;
	walk->left -= TAR_BLOCK;
	if (*ret_size > walk->left || padding(*ret_size) > walk->left - *ret_size)
		return bad(err, "ends in the middle: was it copied whole?");
	return 0;
}

/* A field that is not ended where it is full. */
static void take_field(char ret[static TAR_NAME], const char *field, size_t size)
{
	const size_t len = strnlen(field, size);

	memcpy(ret, field, len);
	ret[len] = '\0';
}

static int take_long(char ret[static TAR_NAME], const char *content, size_t size, struct err *err)
{
	if (size == 0 || size > TAR_NAME || content[size - 1] != '\0')
		return bad(err, "holds a name that no capture has");
	memcpy(ret, content, size);
	return 0;
}

static void skip(struct tar_walk *walk, size_t size)
{
	walk->at += size + padding(size);
	walk->left -= size + padding(size);
}

static int take_entry(const struct header *header, size_t size, struct tar_entry *entry,
		      struct err *err)
{
	size_t mode = 0;
	char prefix[TAR_NAME];
	char name[TAR_NAME];

	if (!strchr("052", header->type) && header->type != '\0')
		return bad(err, "holds what no capture has: neither a file, a directory nor a "
				"symbolic link");
	entry->type = header->type ? (enum tar_type)header->type : TAR_FILE;
	if (!parse_octal(header->mode, sizeof(header->mode), &mode))
		return bad(err, "holds an entry without a mode");
	entry->locked = entry->type == TAR_FILE && (mode & 0444) == 0;
	entry->size = size;
	if (size > 0 && entry->type != TAR_FILE)
		return bad(err, "holds a directory or link with content");
	take_field(prefix, header->prefix, sizeof(header->prefix));
	take_field(name, header->name, sizeof(header->name));
	if (!*entry->name && memcmp(header->magic, "ustar", sizeof(header->magic)) == 0 && *prefix)
		(void)snprintf(entry->name, TAR_NAME, "%.155s/%.100s", prefix, name);
	else if (!*entry->name)
		take_field(entry->name, header->name, sizeof(header->name));
	if (!*entry->target)
		take_field(entry->target, header->target, sizeof(header->target));
	return 0;
}

int tar_next(struct tar_walk *walk, struct tar_entry *ret, const char **ret_content,
	     struct err *err)
{
	struct header header = {0};
	size_t size = 0;
	int r;

	*ret = (struct tar_entry){0};
	for (;;) {
		r = read_header(walk, &header, &size, err);
		if (r != 0)
			break;
		*ret_content = walk->at;
		skip(walk, size);
		if (header.type == TAR_LONG_NAME)
			r = take_long(ret->name, *ret_content, size, err);
		else if (header.type == TAR_LONG_TARGET)
			r = take_long(ret->target, *ret_content, size, err);
		else
			return take_entry(&header, size, ret, err);
		if (r < 0)
			break;
	}
	return r;
}
