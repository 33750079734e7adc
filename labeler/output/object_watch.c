/* SPDX-License-Identifier: Apache-2.0 */
#include "output/object_watch.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/random.h"
#include "kube/retry.h"
#include "output/output.h"

#include <errno.h>
#include <stdio.h>

enum {
	LEAST_S = 1800, /* the server closes after that, up to twice */
	REOPEN_MS = 1000,
	SHORT_MS = 10 * 1000, /* one that ended sooner counts as a failure */
	REFUSED_MS = 30 * 60 * 1000,
};

static struct object_watch *watch_of(struct kube_call *call)
{
	return (struct object_watch *)(void *)((char *)call - offsetof(struct object_watch, call));
}

static int on_piece(struct kube_call *call, const char *bytes, size_t len, struct err *err)
{
	struct object_watch *watch = watch_of(call);

	watch->heard_ms = output_now_ms();
	watch->away = false;
	return kube_watch_feed(&watch->parser, bytes, len, err);
}

static void start(struct object_watch *watch, struct kube_client *client, const char *version)
{
	char *path = NULL;

	if (asprintf(&path,
		     "%s?watch=true&fieldSelector=metadata.name%%3D%s&resourceVersion=%s"
		     "&allowWatchBookmarks=true&timeoutSeconds=%ld",
		     watch->base, watch->selector, version,
		     (long)LEAST_S + (long)random_below(LEAST_S)) < 0) {
		watch->from_ms = output_now_ms() + REOPEN_MS;
		return;
	}
	free(watch->path);
	watch->path = path;
	watch->request.method = "GET";
	watch->request.path = path;
	kube_watch_clear(&watch->parser);
	watch->call.piece = on_piece;
	watch->broken = false;
	watch->opened_ms = watch->heard_ms = output_now_ms();
	kube_call_start(client, &watch->call, &watch->request);
}

/* No one to ask again soon: a right that is missing, a proxy that takes no watch. */
static bool is_refusal(int status)
{
	return status >= 400 && status < 500 && status != 401 && status != 408 && status != 410 &&
	       status != 425 && status != 429;
}

static void refused(struct object_watch *watch, struct notes *notes)
{
	struct err why;

	kube_call_tell(&watch->call, &why);
	if (!watch->refused)
		notes_add(notes, NOTE_WARNING,
			  "%s: no watch: changes by others are seen within 5 minutes", why.text);
	watch->refused = true;
	watch->from_ms = output_now_ms() + REFUSED_MS;
}

/* The stream is at its end: at its time, too early, or it never came. */
static void ended(struct object_watch *watch, struct notes *notes)
{
	const struct http_exchange *answer = &watch->call.exchange;
	const int64_t now = output_now_ms();
	const bool lasted = now - watch->opened_ms >= SHORT_MS;

	watch->call.state = KUBE_CALL_IDLE;
	watch->away = answer->status == 0 || answer->status >= 500;
	watch->lost |= answer->status == 410;
	if (is_refusal(answer->status)) {
		refused(watch, notes);
		return;
	}
	if (answer->status == 200 || lasted)
		watch->refused = false;
	if (lasted) {
		watch->attempt = 0;
		watch->from_ms = now + random_below(REOPEN_MS);
	} else {
		const struct kube_failure failure = {answer->status, answer->retry_after_s,
						     watch->attempt++};

		watch->from_ms = now + kube_retry_ms(&failure, random_number());
	}
}

void object_watch_turn(struct object_watch *watch, struct kube_client *client, const char *version,
		       struct notes *notes)
{
	const int64_t now = output_now_ms();

	if (watch->call.state == KUBE_CALL_DONE)
		ended(watch, notes);
	if (watch->call.state == KUBE_CALL_RUNNING && watch->broken) {
		const struct kube_failure failure = {KUBE_NO_ANSWER, -1, watch->attempt++};

		object_watch_stop(watch);
		watch->from_ms = now + kube_retry_ms(&failure, random_number());
	}
	if (watch->call.state == KUBE_CALL_RUNNING &&
	    now - watch->heard_ms >= OBJECT_WATCH_SILENT_MS) {
		object_watch_stop(watch);
		watch->from_ms = now + random_below(REOPEN_MS);
	}
	if (watch->call.state == KUBE_CALL_IDLE && !watch->lost && now >= watch->from_ms)
		start(watch, client, version);
}

int64_t object_watch_due(const struct object_watch *watch)
{
	if (watch->call.state == KUBE_CALL_RUNNING)
		return watch->heard_ms + OBJECT_WATCH_SILENT_MS;
	return watch->from_ms;
}

void object_watch_stop(struct object_watch *watch)
{
	kube_call_stop(&watch->call);
	kube_watch_clear(&watch->parser);
	free(TAKE_PTR(watch->path));
}
