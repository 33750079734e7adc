/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the kernel offers to a process that gives up rights for good. Each part is for itself: a
 * kernel that lacks one has the others.
 */
#include <stdbool.h>
#include <stddef.h>

enum confine_part {
	CONFINE_NO_NEW_PRIVS,
	CONFINE_CAPABILITIES, /* there are none left */
	CONFINE_SECCOMP,      /* system calls, by libseccomp */
	CONFINE_LANDLOCK,     /* files */
	CONFINE_PARTS,
};
extern const char *const confine_part_names[CONFINE_PARTS];

/* What may be done below a directory; each includes the one before it. */
enum confine_how {
	CONFINE_READ,
	CONFINE_USE, /* devices: also opened for writing, as a GPU's render node is to be asked */
	CONFINE_WRITE,
};
struct confine_path {
	char *dir; /* owned */
	enum confine_how how;
	bool needed; /* wait for it, where it is not there yet */
};
struct confine_paths {
	struct confine_path *items; /* owned */
	size_t n_items;
	bool failed; /* out of memory */
};

/* Everything but files. exec: other programs are run. Returns one bit a part that is in force. */
unsigned int confine_rights(bool exec);

/*
 * Files, and signals to others where the kernel knows that (6.12). False where it has no Landlock
 * that lets files be renamed (5.19 and later have), and where a directory that is needed is not
 * there yet: what cannot be named cannot be left open.
 */
bool confine_files(const struct confine_paths *paths);
