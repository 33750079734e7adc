/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The watch of one object, kept open: it goes on from the last version after each end, and is
 * opened anew when it falls silent. Where watches are refused, the object has to be looked at now
 * and then.
 */
#include "kube/client.h"
#include "kube/watch.h"
#include "rules/notes.h"

enum {
	OBJECT_WATCH_SILENT_MS = 150 * 1000, /* a bookmark comes every minute */
};
struct object_watch {
	struct kube_watch parser; /* at and event are set by the owner */
	struct kube_call call;
	struct kube_request request;
	const char *base;     /* the path up to its query; the owner's */
	const char *selector; /* the object's name; the owner's */
	char *path;           /* owned; of the request */
	unsigned int attempt; /* failures in a row */
	int64_t from_ms;      /* not opened before */
	int64_t opened_ms, heard_ms;
	bool refused; /* the server, or who stands before it, lets nobody watch */
	bool away;    /* the server did not answer, or failed, and has not been heard since */
	bool lost;    /* the version is too old: look at the object, then clear this */
	bool broken;  /* the server said that this one is over, whether or not it ends it */
};

/* Does what is due. version: where to go on from. notes: what there is to say. */
void object_watch_turn(struct object_watch *watch, struct kube_client *client, const char *version,
		       struct notes *notes);

/* When to turn next without an event; INT64_MAX: never. */
int64_t object_watch_due(const struct object_watch *watch);
void object_watch_stop(struct object_watch *watch);
