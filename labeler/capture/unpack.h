/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A capture, which a stranger may have made, into a directory of our own. Everything in it is a
 * file of at most UNPACK_FILE bytes, a directory, or a link that cannot lead out: any number of ../
 * that stays inside, then names. All else is refused, by name.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	UNPACK_FILE = 64 * 1024,
	UNPACK_ARCHIVE = 256 * 1024 * 1024,
	UNPACK_ENTRIES = 400 * 1000,
	UNPACK_DEPTH = 48,
};

/*
 * path: a file, or - for standard input. *ret: the directory (below $TMPDIR or /tmp), owned by the
 * caller, who gives it to unpack_remove(). Returns 0, or a negative errno with nothing left behind.
 */
int unpack_capture(const char *path, char **ret, struct err *err);
void unpack_remove(const char *dir);

/*
 * May a link in a directory of that depth say this? Only ../ that stay inside, and names then: all
 * else could lead out. Pure.
 */
bool unpack_takes_link(const char *target, size_t depth);
