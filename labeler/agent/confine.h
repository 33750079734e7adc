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

/* Directories, each with all below it. */
struct confine_paths {
	char **reads, **writes; /* owned */
	size_t n_reads, n_writes;
	bool failed; /* out of memory */
};

/* Everything but files. exec: other programs are run. Returns one bit a part that is in force. */
unsigned int confine_rights(bool exec);

/*
 * Files: reads that are not there are left out. False where the kernel has no Landlock that lets
 * files be renamed (5.19 and later have), and where a directory to write to is not there yet: what
 * cannot be named cannot be left open.
 */
bool confine_files(const struct confine_paths *paths);
