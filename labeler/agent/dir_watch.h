/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Notices that a file of a directory changed, also where the directory is yet to be made. */
#include <stdbool.h>

struct err;

struct dir_watch {
	int fd;     /* owned, inotify; -1 where there is none */
	int wd;     /* of the directory, or of the nearest above it that is there */
	char *path; /* owned */
};
#define DIR_WATCH_NONE ((struct dir_watch){.fd = -1, .wd = -1})

/* Returns 0 or a negative errno; *ret is DIR_WATCH_NONE before and after a failure. */
int dir_watch_open(struct dir_watch *ret, const char *path, struct err *err);

/*
 * Takes what has happened and watches on, at another place where the directory came or went.
 * True where name, or the directory itself, may have changed.
 */
bool dir_watch_read(struct dir_watch *watch, const char *name);
void dir_watch_close(struct dir_watch *watch);
