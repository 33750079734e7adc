/* SPDX-License-Identifier: Apache-2.0 */
#include "output/keeper_call.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/random.h"
#include "kube/apply.h"
#include "kube/retry.h"
#include "kube/status.h"
#include "output/difference.h"
#include "rules/labels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AS_MANAGER "?fieldManager=" KUBE_MANAGER

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

bool keeper_refuses(const struct keeper *keeper, const char *key)
{
	for (size_t i = 0; i < keeper->output.n_refused; i++) {
		if (strcmp(keeper->refused[i], key) == 0)
			return true;
	}
	return false;
}

/* ---- asking ---- */

/* path, body: owned by the keeper afterwards; NULL where memory ran out on the way to here. */
static int ask(struct keeper *keeper, enum keeper_step step, char *path, char *body,
	       struct err *err)
{
	static const struct {
		const char *method, *content_type;
	} how[] = {
		[KEEPER_LOOK] = {"GET", NULL},
		[KEEPER_LOOK_NODE] = {"GET", NULL},
		[KEEPER_APPLY] = {"PATCH", "application/apply-patch+yaml"},
		[KEEPER_MERGE] = {"PATCH", "application/merge-patch+json"},
		[KEEPER_DELETE] = {"DELETE", NULL},
	};

	free(keeper->request_path);
	free(keeper->request_body);
	keeper->request_path = path;
	keeper->request_body = body;
	if (!path || (how[step].content_type && !body))
		return no_memory(err);
	keeper->step = step;
	keeper->request = (struct kube_request){
		.method = how[step].method,
		.path = path,
		.accept = step == KEEPER_LOOK_NODE ? KUBE_AS_METADATA : keeper->kind->accept,
		.content_type = how[step].content_type,
		.body = body,
		.timeout_ms = KUBE_CALL_MS,
		.alone = keeper->watch.call.state == KUBE_CALL_RUNNING,
	};
	kube_call_start(keeper->client, &keeper->call, &keeper->request);
	return OUTPUT_WAITING;
}

/* A path with a query behind it, or NULL. */
static char *with_query(const char *path, const char *query)
{
	char *whole = NULL;

	return asprintf(&whole, "%s%s", path, query) < 0 ? NULL : whole;
}

int keeper_look(struct keeper *keeper, struct err *err)
{
	/* A poll takes what the server has in its cache; a first look does not. */
	const char *query = keeper->watch.refused && keeper->settled ? "?resourceVersion=0" : "";

	keeper->looked_ms = output_now_ms();
	return ask(keeper, KEEPER_LOOK, with_query(keeper->path, query), NULL, err);
}

int keeper_apply(struct keeper *keeper, const struct keeper_want *want, struct err *err)
{
	if (keeper->kind->makes && !keeper->identity.node_uid)
		return ask(keeper, KEEPER_LOOK_NODE,
			   with_query("/api/v1/nodes/", keeper->identity.node), NULL, err);
	free(keeper->request_labels);
	keeper->request_labels = strdup(want->text);
	if (!keeper->request_labels)
		return no_memory(err);
	return ask(keeper, KEEPER_APPLY, with_query(keeper->path, AS_MANAGER "&force=true"),
		   keeper->kind->apply(keeper, want->pairs, want->n), err);
}

static bool has_line(const char *text, const char *key)
{
	const size_t len = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n') + 1) {
		if (strncmp(at, key, len) == 0 && at[len] == '=')
			return true;
	}
	return false;
}

int keeper_delete(struct keeper *keeper, struct err *err)
{
	return ask(keeper, KEEPER_DELETE, with_query(keeper->path, ""), NULL, err);
}

int keeper_merge(struct keeper *keeper, const struct keeper_want *want,
		 const struct difference *difference, struct err *err)
{
	const struct kube_object *seen = &keeper->seen;
	auto_free struct kube_pair *pairs =
		calloc(want->n + difference->n_extra + seen->n_labels + 1, sizeof(*pairs));
	size_t n = 0;

	if (!pairs)
		return no_memory(err);
	for (size_t i = 0; i < difference->n_extra; i++)
		pairs[n++] = difference->extra[i];
	for (size_t i = 0; keeper->no_apply && i < seen->n_labels; i++) {
		if (has_line(keeper->settled, seen->labels[i].key) &&
		    !has_line(want->text, seen->labels[i].key))
			pairs[n++].key = seen->labels[i].key;
	}
	for (size_t i = 0; keeper->no_apply && i < want->n; i++)
		pairs[n++] = want->pairs[i];
	return ask(keeper, KEEPER_MERGE, with_query(keeper->path, AS_MANAGER),
		   kube_merge_labels(seen->uid, pairs, n), err);
}

/* ---- what comes back ---- */

int keeper_keep_text(char **at, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

static void forget_object(struct keeper *keeper)
{
	kube_object_clear(&keeper->seen);
	keeper->has_seen = false;
}

/*
 * Is this an older state than the one that we have? The versions of one object are numbers that
 * grow; where one is none, or missing as in an ERROR event, what comes later is newer.
 */
static bool is_older(const struct keeper *keeper, const char *version)
{
	const char *than = keeper->seen.version;
	char *end;
	char *than_end;
	unsigned long long a;
	unsigned long long b;

	if (!keeper->has_seen || !version || !than)
		return false;
	a = strtoull(version, &end, 10);
	b = strtoull(than, &than_end, 10);
	return end != version && than_end != than && !*end && !*than_end && a < b;
}

/* Takes the object as the newest that is known. */
static void see(struct keeper *keeper, struct kube_object *object)
{
	SWAP(keeper->seen, *object);
	keeper->has_seen = true;
	keeper->absent = false;
}

/* An answer may be late, and an event old: neither takes the place of what is newer. */
void keeper_on_event(struct kube_watch *parser, struct kube_event *event)
{
	struct object_watch *watch =
		(struct object_watch *)(void *)((char *)parser -
						offsetof(struct object_watch, parser));
	struct keeper *keeper =
		(struct keeper *)(void *)((char *)watch - offsetof(struct keeper, watch));
	const bool old = is_older(keeper, event->object.version);

	switch (event->type) {
	case KUBE_EVENT_OBJECT:
		if (!old)
			see(keeper, &event->object);
		break;
	case KUBE_EVENT_BOOKMARK:
		if (!old && keeper->has_seen)
			SWAP(keeper->seen.version, event->object.version);
		break;
	case KUBE_EVENT_DELETED:
		if (old)
			break;
		forget_object(keeper);
		keeper->absent = keeper->kind->makes;
		break;
	case KUBE_EVENT_ERROR:
		watch->broken = true;
		watch->lost |= event->code == 410;
		break;
	}
}

static int take_object(struct keeper *keeper, struct err *err)
{
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	const struct strbuf *body = &keeper->call.body;
	const int r = kube_object_parse(body->text ? body->text : "", body->len,
					keeper->step == KEEPER_LOOK_NODE ? KUBE_LABELS_IN_METADATA
									 : keeper->kind->at,
					&object, err);

	if (r < 0)
		return r;
	if (keeper->step == KEEPER_LOOK_NODE)
		return keeper_keep_text(&keeper->identity.node_uid, object.uid);
	if (keeper->step != KEEPER_LOOK) {
		keeper->wrote |=
			!keeper->has_seen || strcmp(object.version, keeper->seen.version) != 0;
		if (is_older(keeper, object.version))
			return 0;
	}
	see(keeper, &object);
	keeper->watch.lost = false;
	return 0;
}

static int succeeded(struct keeper *keeper, struct err *err)
{
	int r = 0;

	if (keeper->step == KEEPER_DELETE) {
		forget_object(keeper);
		keeper->absent = true;
		keeper->wrote = true;
	} else {
		r = take_object(keeper, err);
	}
	if (r == 0 && keeper->step == KEEPER_APPLY)
		SWAP(keeper->applied, keeper->request_labels);
	return r;
}

/* Drops the labels that the server names; false where it names none. */
static bool refuse_named(struct keeper *keeper, const struct labels *labels, const struct err *why)
{
	CLEANUP(kube_status_clear) struct kube_status status = {0};
	const size_t before = keeper->output.n_refused;

	if (kube_status_read(keeper->call.body.text, keeper->call.body.len, &status) < 0)
		return false;
	for (size_t i = 0; i < labels->n_items; i++) {
		const struct label *label = &labels->items[i];
		char **grown;

		if (keeper_refuses(keeper, label->key) ||
		    !kube_status_blames(&status, label->key, label->value))
			continue;
		grown = reallocarray(keeper->refused, keeper->output.n_refused + 1, sizeof(*grown));
		if (!grown)
			return false;
		keeper->refused = grown;
		grown[keeper->output.n_refused] = strdup(label->key);
		if (!grown[keeper->output.n_refused])
			return false;
		keeper->output.n_refused++;
		notes_add(&keeper->output.notes, NOTE_WARNING, "%s: %s is left out", why->text,
			  label->key);
	}
	return keeper->output.n_refused > before;
}

/* A Node that is to come is waited for; an object of our own is made. */
static int not_there(struct keeper *keeper, bool first)
{
	const bool is_news = keeper->has_seen || first;

	forget_object(keeper);
	keeper->absent = true;
	if (keeper->kind->makes)
		keeper->wait_until_ms = 0;
	else if (is_news && !keeper->leaving)
		notes_add(&keeper->output.notes, NOTE_INFO,
			  "%s: not registered yet: waiting for it", keeper->output.describe);
	return 0;
}

/* 0: there is a way on; else the failure, which is tried again at wait_until_ms. */
static int failed(struct keeper *keeper, const struct labels *labels, struct err *err)
{
	const struct http_exchange *answer = &keeper->call.exchange;
	const bool writes = keeper->step == KEEPER_APPLY || keeper->step == KEEPER_MERGE;
	const struct kube_failure failure = {answer->status, answer->retry_after_s,
					     keeper->attempt++};

	kube_call_tell(&keeper->call, err);
	(void)err_prefix(err, 0, "%s", keeper->output.describe);
	if (answer->status == 404 && keeper->step == KEEPER_DELETE)
		return succeeded(keeper, err);
	if (answer->status == 415 && keeper->step == KEEPER_APPLY && !keeper->kind->makes) {
		keeper->no_apply = true;
		notes_add(&keeper->output.notes, NOTE_INFO, "%s: going on with merge patches",
			  err->text);
		return 0;
	}
	if (answer->status == 422 && writes && refuse_named(keeper, labels, err))
		return 0;
	keeper->wait_until_ms = output_now_ms() + kube_retry_ms(&failure, random_number());
	if (answer->status == 404 && keeper->step == KEEPER_LOOK)
		return not_there(keeper, failure.attempt == 0);
	if (answer->status == 404 || answer->status == 409) /* it is not what it was */
		forget_object(keeper);
	return -EIO;
}

int keeper_take_answer(struct keeper *keeper, const struct labels *labels, struct err *err)
{
	const int status = keeper->call.exchange.status;
	int r;

	if (keeper->call.state != KUBE_CALL_DONE)
		return 0;
	if (status >= 200 && status < 300) {
		r = succeeded(keeper, err);
		if (r < 0) {
			const struct kube_failure failure = {KUBE_NO_ANSWER, -1, keeper->attempt++};

			keeper->wait_until_ms =
				output_now_ms() + kube_retry_ms(&failure, random_number());
			(void)err_prefix(err, r, "%s", keeper->output.describe);
		}
	} else {
		r = failed(keeper, labels, err);
	}
	kube_call_stop(&keeper->call);
	return r;
}
