/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An ini file, entry by entry, by inih. Comments: lines that start with ; or #, and " ;" to the end
 * of a line. An indented line continues the value of the line before.
 */
struct err;

struct ini_entry {
	const char *section, *key; /* section is "" before the first one */
	const char *value;
	int line; /* where the entry starts */
};

/*
 * Hands each entry to take(), which returns 0 or a negative errno with the reason in err. The first
 * error ends the reading. Returns 0, or a negative errno with "path:line: " before the reason:
 * -ENOENT where there is no such file, -EINVAL for a line that is no ini, -EFBIG for one that is
 * too long for inih.
 */
int ini_file_read(const char *path,
		  int (*take)(const struct ini_entry *entry, void *data, struct err *err),
		  void *data, struct err *err);
