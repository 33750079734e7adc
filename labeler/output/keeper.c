/* SPDX-License-Identifier: Apache-2.0 */
#include "output/keeper.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/random.h"
#include "kube/apply.h"
#include "kube/retry.h"
#include "output/difference.h"
#include "output/keeper_call.h"
#include "rules/labels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	LOOK_AGAIN_MS = 12 * 3600 * 1000, /* however well the watch does */
	POLL_MS = 5 * 60 * 1000,          /* where there is no watch */
	WITHDRAW_LIMIT_MS = 20 * 1000,
	WRITES_AT_ONCE = 3, /* an apply, a merge patch, and one more for a race */
};
static struct keeper *of(struct output *output)
{
	return (struct keeper *)output;
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static void want_clear(struct keeper_want *want)
{
	free(want->pairs);
	free(want->text);
}

static int want_of(const struct keeper *keeper, const struct labels *labels,
		   struct keeper_want *ret, struct err *err)
{
	CLEANUP(strbuf_clear) struct strbuf text = {0};

	ret->pairs = calloc(labels->n_items + 1, sizeof(*ret->pairs));
	if (!ret->pairs)
		return no_memory(err);
	for (size_t i = 0; i < labels->n_items; i++) {
		const struct label *label = &labels->items[i];

		if (keeper_refuses(keeper, label->key))
			continue;
		ret->pairs[ret->n++] = (struct kube_pair){label->key, label->value};
		strbuf_addf(&text, "%s=%s\n", label->key, label->value);
	}
	ret->text = strbuf_take(&text);
	return ret->text ? 0 : no_memory(err);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* ---- what to do next ---- */

static bool must_look(const struct keeper *keeper)
{
	const int64_t age_ms = output_now_ms() - keeper->looked_ms;

	if (!keeper->has_seen)
		return !(keeper->absent && (keeper->kind->makes || keeper->leaving));
	return keeper->watch.lost || age_ms >= LOOK_AGAIN_MS ||
	       (keeper->watch.refused && age_ms >= keeper->poll_ms);
}

static int all_is_well(struct keeper *keeper, const struct keeper_want *want, struct err *err)
{
	const bool wrote = keeper->wrote;

	if (keeper_keep_text(&keeper->settled, want->text) < 0)
		return no_memory(err);
	keeper->wrote = false;
	keeper->drifting = false;
	keeper->attempt = 0;
	keeper->writes = 0;
	keeper->repair_at_ms = 0;
	/* What nobody can see is not known to be there. */
	return wrote ? 0 : keeper->watch.away ? OUTPUT_WAITING : OUTPUT_SAME;
}

/* Somebody else did it: at once, unless it happens all the time. */
static bool may_repair(struct keeper *keeper, const struct difference *difference)
{
	const int64_t now = output_now_ms();

	keeper->repair_at_ms = repairs_allowed_at(&keeper->repairs, now);
	if (!keeper->drifting)
		notes_add(
			&keeper->output.notes, NOTE_WARNING, "%s: %s: %s", keeper->output.describe,
			difference->said,
			keeper->repair_at_ms > now
				? "this happens too often, and is put right every 5 minutes only: "
				  "find out who writes our labels"
				: "put right");
	keeper->drifting = true;
	if (keeper->repair_at_ms > now)
		return false;
	repairs_add(&keeper->repairs, now);
	keeper->output.n_repairs++;
	(void)snprintf(keeper->output.repaired, sizeof(keeper->output.repaired), "%s",
		       difference->said);
	return true;
}

/* The writes go well, and the object is not what it should be: something stands between us. */
static int does_not_stay(struct keeper *keeper, const struct difference *difference,
			 struct err *err)
{
	const struct kube_failure failure = {KUBE_NO_ANSWER, -1, keeper->writes};

	keeper->wait_until_ms = output_now_ms() + kube_retry_ms(&failure, random_number());
	return err_set(err, -EIO, "%s: the server takes the labels, but does not keep them: %s",
		       keeper->output.describe, difference->said);
}

static int write_it(struct keeper *keeper, const struct keeper_want *want,
		    const struct difference *difference, struct err *err)
{
	if (keeper->writes++ > WRITES_AT_ONCE && keeper->writes % 2 == 0)
		return does_not_stay(keeper, difference, err);
	if (keeper->kind->makes && want->n == 0)
		return keeper_delete(keeper, err);
	if (keeper->no_apply || !(difference->missing || difference->stale || difference->unowned))
		return keeper_merge(keeper, want, difference, err);
	return keeper_apply(keeper, want, err);
}

/* What of the labels is not as it should be? */
static int compare(const struct keeper *keeper, const struct keeper_want *want,
		   struct difference *ret)
{
	if (keeper->has_seen &&
	    difference_find(&keeper->seen, want->pairs, want->n, keeper->kind->is_ours, ret) < 0)
		return -ENOMEM;
	if (keeper->has_seen && keeper->kind->makes && want->n == 0)
		ret->stale = true;
	if (!keeper->has_seen && !keeper->leaving && want->n > 0) {
		ret->missing = true;
		(void)snprintf(ret->said, sizeof(ret->said), "it is gone");
	}
	if (keeper->no_apply || same(keeper->applied, want->text))
		ret->unowned = false; /* it will not become ours by being applied again */
	return 0;
}

static int go_on(struct keeper *keeper, const struct keeper_want *want, struct err *err)
{
	CLEANUP(difference_clear) struct difference difference = {0};
	const bool is_drift = same(keeper->settled, want->text);

	if (keeper->call.state == KUBE_CALL_RUNNING || output_now_ms() < keeper->wait_until_ms)
		return OUTPUT_WAITING;
	if (must_look(keeper))
		return keeper_look(keeper, err);
	if (keeper->has_seen && keeper->settled && !keeper->leaving)
		object_watch_turn(&keeper->watch, keeper->client, keeper->seen.version,
				  &keeper->output.notes);
	if (compare(keeper, want, &difference) < 0)
		return no_memory(err);
	if (!difference_shows(&difference) && !difference.unowned)
		return all_is_well(keeper, want, err);
	if (is_drift && difference_shows(&difference) && keeper->writes == 0 &&
	    !may_repair(keeper, &difference))
		return OUTPUT_WAITING;
	return write_it(keeper, want, &difference, err);
}

static void sooner(int64_t *due, int64_t time)
{
	const int64_t some = time > 0 ? time : 1; /* 0 means never */

	if (*due == 0 || some < *due)
		*due = some;
}

static int64_t next_due(const struct keeper *keeper)
{
	const int64_t now = output_now_ms();
	int64_t due = 0;

	if (keeper->call.state == KUBE_CALL_RUNNING)
		return 0; /* its fd says when */
	if (keeper->wait_until_ms > now)
		return keeper->wait_until_ms;
	if (keeper->repair_at_ms > now)
		sooner(&due, keeper->repair_at_ms);
	if (!keeper->has_seen)
		return due;
	sooner(&due, keeper->looked_ms + LOOK_AGAIN_MS);
	if (keeper->watch.refused)
		sooner(&due, keeper->looked_ms + keeper->poll_ms);
	if (!keeper->watch.lost)
		sooner(&due, object_watch_due(&keeper->watch));
	return due;
}

/* ---- the output ---- */

static int publish(struct output *output, const struct labels *labels, struct err *err)
{
	CLEANUP(want_clear) struct keeper_want want = {0};
	struct keeper *keeper = of(output);
	int r;

	kube_client_work(keeper->client);
	r = keeper_take_answer(keeper, labels, err);
	if (r == 0)
		r = want_of(keeper, labels, &want, err);
	if (r == 0)
		r = go_on(keeper, &want, err);
	output->due_ms = next_due(keeper);
	return r;
}

static int withdraw(struct output *output, struct err *err)
{
	const struct labels none = {0};
	struct keeper *keeper = of(output);
	int r;

	object_watch_stop(&keeper->watch);
	keeper->leaving = true;
	keeper->wait_until_ms = 0;
	r = output_finish(output, &none, WITHDRAW_LIMIT_MS, err);
	return r < 0 ? r : 0;
}

static void free_keeper(struct output *output)
{
	struct keeper *keeper = of(output);

	kube_call_stop(&keeper->call);
	object_watch_stop(&keeper->watch);
	kube_client_close(&keeper->client);
	kube_object_clear(&keeper->seen);
	identity_clear(&keeper->identity);
	for (size_t i = 0; i < keeper->output.n_refused; i++)
		free(keeper->refused[i]);
	free(keeper->refused);
	free(keeper->name);
	free(keeper->list_path);
	free(keeper->path);
	free(keeper->applied);
	free(keeper->settled);
	free(keeper->request_path);
	free(keeper->request_body);
	free(keeper->request_labels);
	notes_clear(&output->notes);
	free(output->describe);
	free(keeper);
}

static const struct output_ops ops = {NULL, publish, withdraw, free_keeper};

/* The names and paths that stay the same. */
static int set_up(struct keeper *keeper, const char *what, struct err *err)
{
	if (!keeper->name || !keeper->list_path ||
	    asprintf(&keeper->path, "%s/%s", keeper->list_path, keeper->name) < 0) {
		keeper->path = NULL;
		return no_memory(err);
	}
	if (asprintf(&keeper->output.describe, "%s %s at %s", what, keeper->name,
		     keeper->identity.access.server) < 0) {
		keeper->output.describe = NULL;
		return no_memory(err);
	}
	keeper->watch.base = keeper->list_path;
	keeper->watch.selector = keeper->name;
	keeper->watch.request = (struct kube_request){.accept = keeper->kind->accept};
	keeper->watch.parser =
		(struct kube_watch){.at = keeper->kind->at, .event = keeper_on_event};
	if (keeper->identity.access.insecure)
		notes_add(&keeper->output.notes, NOTE_WARNING,
			  "%s: insecure-skip-tls-verify: whoever stands in between can read the "
			  "token and write the labels",
			  keeper->output.describe);
	return 0;
}

int keeper_open(const struct keeper_kind *kind, struct identity *identity, char *name,
		char *list_path, int64_t spread_ms, struct output **ret, struct err *err)
{
	CLEANUP(output_free) struct output *output = NULL;
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper) {
		free(name);
		free(list_path);
		return no_memory(err);
	}
	output = &keeper->output;
	output->ops = &ops;
	output->fd = -1;
	keeper->kind = kind;
	keeper->name = name;
	keeper->list_path = list_path;
	SWAP(keeper->identity, *identity);
	r = set_up(keeper, kind->what, err);
	if (r == 0)
		r = kube_client_open(&keeper->identity.access, &keeper->client, err);
	if (r < 0)
		return r;
	output->fd = kube_client_fd(keeper->client);
	output->traffic = kube_client_traffic(keeper->client);
	keeper->poll_ms = POLL_MS * 4 / 5 + random_below(POLL_MS * 2 / 5);
	if (spread_ms > 0)
		keeper->wait_until_ms = output_now_ms() + random_below(spread_ms);
	*ret = TAKE_PTR(output);
	return 0;
}
