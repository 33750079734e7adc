/* SPDX-License-Identifier: Apache-2.0 */
#include "output/every_node.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/random.h"
#include "kube/apply.h"
#include "kube/client.h"
#include "kube/list.h"
#include "kube/retry.h"
#include "output/identity.h"
#include "output/node_feature.h"
#include "rules/owned.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
	TRIES = 6,
	WAIT_MOST_MS = 5000,
	GONE = 1, /* somebody else deleted the object meanwhile */
};
#define PAGE "?limit=100" /* 10 KB each: below KUBE_BODY_MOST */

struct sweep {
	struct kube_client *client;
	const char *path; /* of the list */
	/* What takes one object's part away: 0, GONE, or a negative errno. */
	int (*clean)(struct sweep *sweep, const struct kube_list_item *item, struct err *err);
	struct kube_call call;
	struct every_node_count count;
};

/* One request, again where that may help. 0: the answer is in the call. */
static int ask(struct sweep *sweep, const struct kube_request *request, struct err *err)
{
	const struct http_exchange *answer = &sweep->call.exchange;

	for (unsigned int attempt = 0; attempt < TRIES; attempt++) {
		struct kube_failure failure = {.attempt = attempt};
		int64_t wait_ms;

		kube_call_stop(&sweep->call);
		kube_call_start(sweep->client, &sweep->call, request);
		kube_call_wait(&sweep->call);
		if (answer->status >= 200 && answer->status < 300)
			return 0;
		if (answer->status == 404)
			return GONE;
		failure.status = answer->status;
		failure.retry_after_s = answer->retry_after_s;
		wait_ms = kube_retry_ms(&failure, random_number());
		if (attempt + 1 < TRIES)
			(void)poll(NULL, 0, (int)(wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS));
	}
	kube_call_tell(&sweep->call, err);
	return err_prefix(err, -EIO, "%s", request->path);
}

static bool must_go(const struct kube_label *label)
{
	return label_key_is_ours(label->key) || (label->applied && !label->owner);
}

static int unlabel(struct sweep *sweep, const struct kube_list_item *item, struct err *err)
{
	const struct kube_object *node = &item->object;
	struct kube_request request = {.method = "PATCH",
				       .accept = KUBE_AS_METADATA,
				       .content_type = "application/merge-patch+json",
				       .timeout_ms = KUBE_CALL_MS};
	auto_free struct kube_pair *pairs = calloc(node->n_labels + 1, sizeof(*pairs));
	auto_free char *path = NULL;
	auto_free char *body = NULL;
	size_t n = 0;

	for (size_t i = 0; pairs && i < node->n_labels; i++) {
		if (must_go(&node->labels[i]))
			pairs[n++].key = node->labels[i].key;
	}
	if (pairs && n == 0)
		return GONE;
	if (pairs)
		body = kube_merge_labels(node->uid, pairs, n);
	if (!body ||
	    asprintf(&path, "%s/%s?fieldManager=" KUBE_MANAGER, sweep->path, item->name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	request.path = path;
	request.body = body;
	return ask(sweep, &request, err);
}

static int delete_feature(struct sweep *sweep, const struct kube_list_item *item, struct err *err)
{
	struct kube_request request = {
		.method = "DELETE", .accept = KUBE_AS_METADATA, .timeout_ms = KUBE_CALL_MS};
	auto_free char *path = NULL;

	if (strncmp(item->name, NODE_FEATURE_NAME_START, strlen(NODE_FEATURE_NAME_START)) != 0)
		return GONE;
	if (asprintf(&path, "%s/%s", sweep->path, item->name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	request.path = path;
	return ask(sweep, &request, err);
}

static int take_page(struct sweep *sweep, const char *after, struct kube_list *ret, struct err *err)
{
	struct kube_request request = {
		.method = "GET", .accept = KUBE_LIST_AS_METADATA, .timeout_ms = KUBE_CALL_MS};
	auto_free char *path = NULL;
	int r;

	if (asprintf(&path, "%s" PAGE "%s%s", sweep->path, after ? "&continue=" : "",
		     after ? after : "") < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	request.path = path;
	r = ask(sweep, &request, err);
	if (r != 0) /* GONE: no such kind of object, so there is none */
		return r == GONE ? 0 : r;
	r = kube_list_parse(sweep->call.body.text ? sweep->call.body.text : "",
			    sweep->call.body.len, KUBE_LABELS_IN_METADATA, ret, err);
	return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

static int sweep_all(struct sweep *sweep, struct err *err)
{
	auto_free char *after = NULL;
	int first = 0;

	do {
		CLEANUP(kube_list_clear) struct kube_list page = {0};
		struct err why;
		int r = take_page(sweep, after, &page, err);

		if (r < 0)
			return r;
		for (size_t i = 0; i < page.n_items; i++) {
			r = sweep->clean(sweep, &page.items[i], &why);
			sweep->count.seen++;
			sweep->count.cleaned += r == 0;
			if (r < 0 && first == 0)
				first = err_set(err, r, "%s", why.text);
		}
		SWAP(after, page.next);
	} while (after);
	return first;
}

static int open_and_sweep(struct sweep *sweep, struct identity *identity,
			  struct every_node_count *ret, struct err *err)
{
	int r = kube_client_open(&identity->access, &sweep->client, err);

	if (r < 0)
		return r;
	r = sweep_all(sweep, err);
	*ret = sweep->count;
	kube_call_stop(&sweep->call);
	kube_client_close(&sweep->client);
	return r;
}

int every_node_unlabel(const struct identity_wish *wish, struct every_node_count *ret,
		       struct err *err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	struct sweep sweep = {.path = "/api/v1/nodes", .clean = unlabel};
	const int r = identity_of_cluster(wish, &identity, err);

	*ret = (struct every_node_count){0};
	return r < 0 ? r : open_and_sweep(&sweep, &identity, ret, err);
}

int every_node_delete_features(const struct identity_wish *wish, struct every_node_count *ret,
			       struct err *err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	auto_free char *path = NULL;
	struct sweep sweep = {.clean = delete_feature};
	const int r = identity_of_cluster(wish, &identity, err);

	*ret = (struct every_node_count){0};
	if (r < 0)
		return r;
	if (asprintf(&path, NODE_FEATURE_PATH, identity.namespace) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	sweep.path = path;
	return open_and_sweep(&sweep, &identity, ret, err);
}
