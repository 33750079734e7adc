/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The bytes of a watch to its events: one JSON object a line, in pieces of any size. Pure. */
#include "base/strbuf.h"
#include "kube/object.h"

struct kube_event {
	enum kube_event_type {
		KUBE_EVENT_OBJECT,   /* ADDED, MODIFIED: object is how it is now */
		KUBE_EVENT_DELETED,  /* object is how it was last */
		KUBE_EVENT_BOOKMARK, /* object has a version alone */
		KUBE_EVENT_ERROR,    /* code and message; the watch is at its end */
	} type;
	struct kube_object object; /* owned */
	int code;                  /* 410: the version is too old to go on from */
	char message[256];
};
struct kube_watch {
	enum kube_labels_at at;
	struct strbuf line; /* what has come of the next event */
	/* Called for each event; it may take what the event owns. */
	void (*event)(struct kube_watch *watch, struct kube_event *event);
};

/* Returns 0, or a negative errno where the bytes are none of a watch: it has to be opened anew. */
int kube_watch_feed(struct kube_watch *watch, const char *bytes, size_t len, struct err *err);
void kube_watch_clear(struct kube_watch *watch);
