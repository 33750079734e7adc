/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The little of the tar format that a capture needs: files, directories and symbolic links, written
 * as every tar reads them. Source: POSIX ustar; names and targets of more than 100 bytes as GNU
 * tar writes them (a block of type L or K before the entry). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct strbuf;

enum {
	TAR_BLOCK = 512,
	TAR_NAME = 1024, /* of a path or target, its end included */
};
enum tar_type {
	TAR_FILE = '0',
	TAR_LINK = '2',
	TAR_DIR = '5',
	TAR_LONG_TARGET = 'K', /* in an archive only: not handed out */
	TAR_LONG_NAME = 'L',
};
struct tar_entry {
	enum tar_type type;
	bool locked; /* a file that nobody could read: mode 0 */
	size_t size; /* of a file's content, which follows in whole blocks */
	char name[TAR_NAME];
	char target[TAR_NAME]; /* of a link */
};

/* Appends an entry, its content and what fills the last block. The size is that of the content. */
void tar_add(struct strbuf *out, const struct tar_entry *entry, const char *content);

/* Appends the two empty blocks that end an archive. */
void tar_end(struct strbuf *out);

/* A walk through an archive in memory. */
struct tar_walk {
	const char *at;
	size_t left;
};
enum {
	TAR_END = 1, /* the archive is over, as it should be */
};

/*
 * The next entry, and where its content is. Returns 0, TAR_END, or -EINVAL with what is wrong in
 * err: no tar, cut short, or a kind of entry that no capture has.
 */
int tar_next(struct tar_walk *walk, struct tar_entry *ret, const char **ret_content,
	     struct err *err);
