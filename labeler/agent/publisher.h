/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The outputs, each with what it is waiting for: the time that its readers need between two writes,
 * a retry, a directory that is yet to be made. What is published is always the newest set.
 */
#include "agent/dir_watch.h"
#include "agent/loop.h"
#include "output/output.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct err;
struct labels;

/* How it went so far. */
struct publish_counts {
	uint64_t written, unchanged, failed;
	int64_t success_s; /* when the output was last known to hold the labels, Unix time; 0: never
			    */
};
struct publisher {
	const char *name;      /* as in [agent] output */
	struct output *output; /* owned */
	struct loop *loop;
	struct dir_watch dir;
	struct source source;  /* of dir */
	struct source answers; /* of the output's own fd */
	bool offered;          /* there is a set to publish */
	int64_t due;           /* when to publish or to check; INT64_MAX: nothing to do */
	int64_t backoff_ms;    /* before the next try; 0 after a success */
	char *changes;         /* owned; since the last publication, NULL: none */
	char *cause;           /* owned; of the first of them */
	int64_t cause_ms;
	char *trouble;      /* owned; the error that was said last, NULL: none */
	int64_t trouble_ms; /* when that was */
	struct publish_counts counts;
};
struct publishers {
	struct publisher *items; /* owned; does not move once it is in a loop */
	size_t n_items;
};

/*
 * Opens what the config names and takes hold of it. Returns 0; -EBUSY where another process has one
 * of them; -ENOMEM. An output that cannot be written yet is tried again later.
 */
int publishers_open(struct publishers *ret, const struct config *config, struct loop *loop,
		    struct err *err);
void publishers_clear(struct publishers *publishers);

/* There is a new set. changes: what it changes, "" where first is set or nothing does. */
void publishers_offer(struct publishers *publishers, const char *changes, const char *cause,
		      int64_t cause_ms, bool first);

/* Looks whether what was published is still there. */
void publishers_check(struct publishers *publishers);

/* Does what is due. labels: the newest set. */
void publishers_work(struct publishers *publishers, const struct labels *labels);
int64_t publishers_due(const struct publishers *publishers);

/* Publishes to all, waiting where readers need time. Returns 0 or the first error. */
int publishers_once(struct publishers *publishers, const struct labels *labels, struct err *err);

/* Withdraws from all; 0 or the first error. */
int publishers_withdraw(struct publishers *publishers, struct err *err);

/*
 * Withdraws from those that stay has not: nobody would do it any more. Nothing is done where stay
 * cannot work: a negative errno with the reason.
 */
int publishers_leave(struct publishers *publishers, const struct config *stay, struct err *err);
void publishers_dump(const struct publishers *publishers);
