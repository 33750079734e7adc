/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The one door to the host's files. Every path goes through a directory that the caller holds: the
 * root of the system (--root), its sysfs (--sysfs), or a directory below them.
 */
#include "inventory/inventory.h"

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum {
	HOST_ABSENT = 1,  /* no such file: an answer, not an error */
	HOST_TEXT = 4096, /* what an attribute may hold: sysfs gives a page at most */
};
struct host {
	char *root;  /* owned; "/" or what --root says */
	char *sysfs; /* owned; <root>/sys or what --sysfs says */
	int root_fd; /* owned, O_PATH */
	int sys_fd;  /* owned, O_PATH */
};
/*
 * One who is told of all that passes this door: a capture. path is as it was asked for, from dir.
 * bytes: what a file held, len of them. bytes NULL: the place itself was looked at, a directory, a
 * link, or whether it is there; len is then 0, or the negative errno of a file that is there and
 * could not be read.
 */
struct host_watch {
	void (*seen)(struct host_watch *watch, int dir, const char *path, const char *bytes,
		     ssize_t len);
	/* What a library said that reads by itself: a line of modules.captured (scan/kmod.h). */
	void (*told)(struct host_watch *watch, const char *release, const char *line);
};

/* NULL: nobody. One at a time, one thread. */
void host_set_watch(struct host_watch *watch);
struct host_watch *host_get_watch(void);

/* Directories of nothing: what host_close() takes without harm. */
#define HOST_CLOSED ((struct host){.root_fd = -1, .sys_fd = -1})

/*
 * root NULL: "/". sysfs NULL: sys below root. Returns 0, or a negative errno where one of the two
 * is no directory that can be opened; host is HOST_CLOSED then.
 */
int host_open(struct host *host, const char *root, const char *sysfs, struct err *err);
void host_close(struct host *host);

/*
 * A directory below dir, to be read; -1 with errno set. A symlink is followed. The list of names is
 * read by readdir(); closedir() gives it back.
 */
DIR *host_list(int dir, const char *path);

/*
 * Reads a whole attribute: the text up to its newline, NUL-terminated. Returns 0, HOST_ABSENT,
 * -EMSGSIZE where it does not fit into size, -ENODATA where it is empty, -EILSEQ where it holds
 * anything but printable ASCII, or a negative errno of open() and read(). buf is untouched unless 0
 * is returned.
 */
int host_read(int dir, const char *path, char *buf, size_t size);

/*
 * The same for a file of many lines: all of its text, owned by the caller. -EMSGSIZE where it is
 * larger than most.
 */
int host_read_lines(int dir, const char *path, size_t most, char **ret);

/*
 * Reads a whole file of at most max bytes, whatever it holds; *ret is owned by the caller and ends
 * in a NUL besides. Returns 0, HOST_ABSENT, -EMSGSIZE, or a negative errno.
 */
int host_read_whole(int dir, const char *path, size_t max, char **ret, size_t *ret_len);

/* The first size bytes of a file. Returns 0, HOST_ABSENT, -ENODATA where it has less, or an errno.
 */
int host_read_head(int dir, const char *path, void *buf, size_t size);

/* Is there anything? Returns 0, HOST_ABSENT, or a negative errno. */
int host_find(int dir, const char *path);

/* An entry of a listed directory that says something by its name alone, to who watches. */
void host_note(int dir, const char *name);

/* What a negative result of host_read() means to a person: "is empty". */
const char *host_reason(int r);

/*
 * The same as facts. A file that is not there is FACT_ABSENT, one that cannot be read or understood
 * is FACT_FAILED. Return 0 or -ENOMEM; *ret is an empty fact before.
 */
int host_text(int dir, const char *path, struct fact *ret);

/* base: of strtoll(). Anything outside min to max is a failure. */
struct host_range {
	int base;
	int64_t min, max;
};
int host_number(int dir, const char *path, struct host_range range, struct fact *ret);

/* As host_number() sets a fact, out of a text that path held. */
int host_parse_number(const char *path, const char *text, struct host_range range,
		      struct fact *ret);

/*
 * The last part of what a symbolic link says; the target need not exist. parent: the part before it
 * must be this (a driver link ends in drivers/<name>), NULL: whatever it is.
 */
int host_link_text(int dir, const char *path, const char *parent, struct fact *ret);
int host_link_number(int dir, const char *path, const char *parent, struct fact *ret);
int host_link_addr(int dir, const char *path, struct fact *ret);
