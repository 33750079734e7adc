/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/publisher.h"

#include "agent/say.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "config.h"
#include "output/feature_file.h"
#include "output/identity.h"
#include "output/node.h"
#include "output/node_feature.h"
#include "output/stream.h"
#include "rules/labels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_MOST_MS = 60000,
	SAY_APART_MS = 60000, /* between two lines of trouble, however it changes */
	ONCE_LIMIT_MS = 40000,
};

static void publisher_clear(struct publisher *publisher)
{
	output_free(&publisher->output);
	dir_watch_close(&publisher->dir);
	free(publisher->changes);
	free(publisher->cause);
	free(publisher->trouble);
}

void publishers_clear(struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->n_items; i++)
		publisher_clear(&publishers->items[i]);
	free(publishers->items);
	*publishers = (struct publishers){0};
}

static int open_output(const struct config *config, enum config_output kind, struct output **ret,
		       struct err *err)
{
	const struct identity_wish wish = {config->kubeconfig, config->context, config->node_name,
					   config->namespace};

	switch (kind) {
	case CONFIG_OUTPUT_NODE:
		return node_open(&wish, config->startup_spread_ms, ret, err);
	case CONFIG_OUTPUT_NODE_FEATURE:
		return node_feature_open(&wish, config->startup_spread_ms, ret, err);
	case CONFIG_OUTPUT_STDOUT:
		return stream_open(ret, err);
	case CONFIG_OUTPUT_FILE:
	case CONFIG_OUTPUTS:
		break;
	}
	return feature_file_open(config->features_dir ? config->features_dir : FEATURE_FILE_DIR,
				 config->expiry_s, ret, err);
}

static int make(struct publishers *ret, const struct config *config, struct err *err)
{
	CLEANUP(publishers_clear) struct publishers new = {0};

	new.items = calloc(CONFIG_OUTPUTS, sizeof(*new.items));
	if (!new.items)
		return err_set(err, -ENOMEM, "out of memory");
	for (unsigned int kind = 0; kind < CONFIG_OUTPUTS; kind++) {
		struct publisher *item = &new.items[new.n_items];
		int r;

		if (!(config->outputs & 1U << kind))
			continue;
		item->name = config_output_names[kind];
		item->dir = DIR_WATCH_NONE;
		item->due = INT64_MAX;
		new.n_items++;
		r = open_output(config, (enum config_output)kind, &item->output, err);
		if (r < 0)
			return r;
	}
	SWAP(*ret, new);
	return 0;
}

/* Somebody did something to the place; our own renames end up here, too. */
static void on_dir(struct source *source)
{
	struct publisher *publisher = (void *)((char *)source - offsetof(struct publisher, source));

	if (dir_watch_read(&publisher->dir, publisher->output->file) && publisher->offered)
		publisher->due = 0;
}

/* An answer came, or somebody changed what we keep. */
static void on_answer(struct source *source)
{
	struct publisher *publisher =
		(void *)((char *)source - offsetof(struct publisher, answers));

	publisher->due = 0;
}

static int listen_to(struct publisher *publisher, struct loop *loop, struct err *err)
{
	if (publisher->output->fd < 0)
		return 0;
	publisher->answers = (struct source){publisher->output->fd, on_answer};
	return loop_add(loop, &publisher->answers, err);
}

static void watch(struct publisher *publisher, struct loop *loop)
{
	struct err err;

	publisher->loop = loop;
	if (!publisher->output->watched)
		return;
	if (dir_watch_open(&publisher->dir, publisher->output->watched, &err) == 0) {
		publisher->source = (struct source){publisher->dir.fd, on_dir};
		if (loop_add(loop, &publisher->source, &err) == 0)
			return;
	}
	log_line(LEVEL_WARNING, NULL, "%s: changes by others are seen by the timer alone",
		 err.text);
}

int publishers_open(struct publishers *ret, const struct config *config, struct loop *loop,
		    struct err *err)
{
	CLEANUP(publishers_clear) struct publishers new = {0};
	int r = make(&new, config, err);

	for (size_t i = 0; r == 0 && i < new.n_items; i++) {
		struct output *output = new.items[i].output;

		/* Another holder ends it; what else is wrong may come right. */
		if (output->ops->hold && output->ops->hold(output, err) == -EBUSY)
			r = -EBUSY;
		else
			r = listen_to(&new.items[i], loop, err);
		if (r == 0)
			watch(&new.items[i], loop);
	}
	if (r == 0)
		SWAP(*ret, new);
	return r;
}

static void keep(char **text, const char *new)
{
	char *copy = strdup(new);

	free(*text);
	*text = copy;
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

/* Changes that were not published yet and these. */
static void add_changes(struct publisher *publisher, const char *changes)
{
	auto_free char *both = NULL;

	if (asprintf(&both, "%s%s", publisher->changes ? publisher->changes : "", changes) >= 0)
		SWAP(publisher->changes, both);
}

void publishers_offer(struct publishers *publishers, const char *changes, const char *cause,
		      int64_t cause_ms, bool first)
{
	for (size_t i = 0; i < publishers->n_items; i++) {
		struct publisher *publisher = &publishers->items[i];

		if (!first && !*changes)
			continue;
		publisher->offered = true;
		publisher->due = 0;
		add_changes(publisher, changes);
		if (publisher->cause)
			continue;
		keep(&publisher->cause, cause);
		publisher->cause_ms = cause_ms;
	}
}

void publishers_check(struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->n_items; i++) {
		if (publishers->items[i].offered && publishers->items[i].backoff_ms == 0)
			publishers->items[i].due = 0;
	}
}

/* What is new is said, but not more than once a minute: a server may be away for a day. */
static void say_trouble(struct publisher *publisher, const struct err *err)
{
	const int64_t now = output_now_ms();

	if (publisher->trouble && (strcmp(publisher->trouble, err->text) == 0 ||
				   now - publisher->trouble_ms < SAY_APART_MS))
		return;
	log_line(LEVEL_ERROR, NULL, "%s: tried again", err->text);
	keep(&publisher->trouble, err->text);
	publisher->trouble_ms = now;
}

static void failed(struct publisher *publisher, const struct err *err)
{
	say_trouble(publisher, err);
	publisher->counts.failed++;
	publisher->due = INT64_MAX;
	if (publisher->output->due_ms)
		return;
	publisher->backoff_ms =
		publisher->backoff_ms ? publisher->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (publisher->backoff_ms > BACKOFF_MOST_MS)
		publisher->backoff_ms = BACKOFF_MOST_MS;
	publisher->due = output_now_ms() + publisher->backoff_ms;
}

static void tell_notes(struct output *output)
{
	say_notes(&output->notes);
	notes_clear(&output->notes);
}

/* One line a publication: where, why, how long it took, what changed. */
static void say(const struct publisher *publisher, const struct labels *labels, int r)
{
	const int64_t took_ms = output_now_ms() - publisher->cause_ms;
	const char *changes = publisher->changes ? publisher->changes : "";
	char took[32];
	const struct log_field fields[] = {
		{"cause", publisher->cause ? publisher->cause : "changed by somebody else"},
		{"ms", took},
		{"changes", *changes == ' ' ? changes + 1 : "none"},
		{0},
	};

	(void)snprintf(took, sizeof(took), "%lld", publisher->cause ? (long long)took_ms : 0LL);
	if (r == 0)
		log_line(publisher->cause ? LEVEL_INFO : LEVEL_WARNING, fields,
			 "published %zu labels to %s", labels->n_items,
			 publisher->output->describe);
	else if (publisher->cause)
		log_line(LEVEL_INFO, fields, "%zu labels stand in %s already", labels->n_items,
			 publisher->output->describe);
}

/* When the output wants to be called: by us, or by itself. */
static int64_t due_of(const struct publisher *publisher)
{
	const int64_t own = publisher->output->due_ms;

	return own && own < publisher->due ? own : publisher->due;
}

static void work(struct publisher *publisher, const struct labels *labels)
{
	struct output *output = publisher->output;
	struct err err;
	int r;

	if (due_of(publisher) > output_now_ms())
		return;
	r = output->ops->publish(output, labels, &err);
	tell_notes(output);
	if (r < 0) {
		failed(publisher, &err);
		return;
	}
	publisher->due = r == OUTPUT_TOO_SOON ? output_free_at_ms(output) : INT64_MAX;
	if (r == OUTPUT_TOO_SOON || r == OUTPUT_WAITING)
		return;
	say(publisher, labels, r);
	publisher->counts.written += r == 0;
	publisher->counts.unchanged += r == OUTPUT_SAME;
	publisher->counts.success_s = time(NULL);
	publisher->backoff_ms = 0;
	forget(&publisher->changes);
	forget(&publisher->cause);
	forget(&publisher->trouble);
}

void publishers_work(struct publishers *publishers, const struct labels *labels)
{
	for (size_t i = 0; i < publishers->n_items; i++) {
		if (publishers->items[i].offered)
			work(&publishers->items[i], labels);
	}
}

int64_t publishers_due(const struct publishers *publishers)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < publishers->n_items; i++) {
		if (publishers->items[i].offered && due_of(&publishers->items[i]) < due)
			due = due_of(&publishers->items[i]);
	}
	return due;
}

int publishers_once(struct publishers *publishers, const struct labels *labels, struct err *err)
{
	for (size_t i = 0; i < publishers->n_items; i++) {
		struct output *output = publishers->items[i].output;
		const int r = output_finish(output, labels, ONCE_LIMIT_MS, err);

		tell_notes(output);
		if (r < 0)
			return r;
	}
	return 0;
}

int publishers_withdraw(struct publishers *publishers, struct err *err)
{
	int first = 0;

	for (size_t i = 0; i < publishers->n_items; i++) {
		struct output *output = publishers->items[i].output;
		struct err why;
		const int r = output->ops->withdraw(output, &why);

		tell_notes(output);
		if (r < 0 && first == 0)
			first = err_set(err, r, "%s", why.text);
		if (r == 0)
			log_line(LEVEL_INFO, NULL, "withdrew from %s", output->describe);
	}
	return first;
}

int publishers_leave(struct publishers *publishers, const struct config *stay, struct err *err)
{
	CLEANUP(publishers_clear) struct publishers others = {0};
	struct err why;
	int r = make(&others, stay, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < publishers->n_items; i++) {
		struct output *output = publishers->items[i].output;
		bool stays = false;

		for (size_t j = 0; j < others.n_items; j++)
			stays |= strcmp(others.items[j].output->describe, output->describe) == 0;
		if (!stays && output->ops->withdraw(output, &why) < 0)
			log_line(LEVEL_ERROR, NULL, "%s", why.text);
	}
	return 0;
}

void publishers_dump(const struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->n_items; i++) {
		const struct publisher *publisher = &publishers->items[i];

		log_line(LEVEL_INFO, NULL, "state: %s: %s", publisher->output->describe,
			 publisher->trouble   ? publisher->trouble
			 : publisher->changes ? "about to be written"
					      : "holds these labels");
		if (publisher->output->n_repairs > 0)
			log_line(LEVEL_INFO, NULL, "state: %s: put right %llu times; the last: %s",
				 publisher->output->describe,
				 (unsigned long long)publisher->output->n_repairs,
				 publisher->output->repaired);
	}
}
