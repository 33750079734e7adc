/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What passes the door to the host's files, kept: each file with what was read of it, each link and
 * directory on the way to it. Paths are those below the root of the system, links resolved.
 */
#include "scan/host.h"

#include <stdbool.h>

struct err;
struct strbuf;

enum record_kind {
	RECORD_FILE,
	RECORD_LOCKED, /* a file that is there, and could not be read */
	RECORD_LINK,
	RECORD_DIR,
};
struct record_entry {
	char *path; /* owned; sys/bus/pci/devices */
	enum record_kind kind;
	char *bytes; /* owned; of a file its content, of a link its target; NULL: nothing */
	size_t len;
};
struct record {
	struct host_watch watch; /* first: what the door knows of a record */
	const struct host *host;
	struct record_entry *items; /* owned; sorted and each path once after record_tidy() */
	size_t n_items, size;
	char *last_start; /* owned; the directory whose parents were added last */
	bool failed;      /* out of memory: something is missing */
};

/* Records what is read of host from now on, until record_stop(). */
void record_start(struct record *record, const struct host *host);
void record_stop(struct record *record);

/* Sorts, drops what is there twice, and takes out of the contents what is nobody's business. */
void record_tidy(struct record *record);

/* The same as one tar archive, always the same for the same record. Returns 0 or a negative errno.
 */
int record_to_tar(const struct record *record, struct strbuf *out, struct err *err);
void record_clear(struct record *record);
