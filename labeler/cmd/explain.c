/* SPDX-License-Identifier: Apache-2.0 */
/* explain: why a label is there, or what would have to be true. */
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "cmd/source.h"
#include "inventory/inventory.h"
#include "kube/object.h"
#include "output/identity.h"
#include "output/on_node.h"
#include "output/print_explain.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct request {
	struct source source;
	const char *label;  /* NULL: all of them, a line each */
	const char *format; /* text, json */
	const char *node;   /* --node was given; NULL: it was not */
};

/* What there is to answer from. */
struct known {
	const struct config *config;
	struct inventory inventory;
	struct verdict verdict;
	char *node_name; /* owned; NULL: no Node was asked */
	struct kube_object node;
};
struct answers {
	struct print_explained *items; /* owned */
	size_t n_items;
};

static void known_clear(struct known *known)
{
	inventory_clear(&known->inventory);
	verdict_clear(&known->verdict);
	free(known->node_name);
	kube_object_clear(&known->node);
}

static void answers_clear(struct answers *answers)
{
	for (size_t i = 0; i < answers->n_items; i++)
		explanation_clear(&answers->items[i].label);
	free(answers->items);
}

static int answer(const struct known *known, const char *label, struct answers *answers)
{
	struct print_explained *grown =
		reallocarray(answers->items, answers->n_items + 1, sizeof(*grown));
	struct print_explained *item;
	int r;

	if (!grown)
		return -ENOMEM;
	answers->items = grown;
	item = &grown[answers->n_items++];
	*item = (struct print_explained){0};
	r = explain_label(&known->inventory, &known->config->rules, &known->verdict, label,
			  &item->label);
	if (r == 0 && known->node_name)
		item->on_node = on_node_find(&known->node, item->label.key, item->label.value);
	return r;
}

/* A key of the Node may be one that the tables list, too. */
static bool is_answered(const struct answers *answers, const char *key)
{
	for (size_t i = 0; i < answers->n_items; i++) {
		if (strcmp(answers->items[i].label.key, key) == 0)
			return true;
	}
	return false;
}

static int answer_all(const struct known *known, struct answers *answers)
{
	CLEANUP(strbuf_clear) struct strbuf keys = {0};
	char *rest;
	int r = 0;

	explain_keys(&known->config->rules, &known->verdict, &keys);
	if (known->node_name)
		on_node_stale(&known->node, &known->verdict.labels, &keys);
	rest = keys.failed ? NULL : keys.text;
	for (char *key; r == 0 && (key = strsep(&rest, "\n")) && *key;) {
		if (!is_answered(answers, key))
			r = answer(known, key, answers);
	}
	return keys.failed ? -ENOMEM : r;
}

static int show(const struct request *request, const char *node, const struct answers *answers,
		struct err *err)
{
	const bool is_json = strcmp(request->format, "json") == 0;
	auto_free char *json = NULL;

	if (is_json) {
		json = explanations_to_json(node, answers->items, answers->n_items);
		if (!json)
			return err_set(err, -ENOMEM, "out of memory for the JSON text");
		(void)puts(json);
	}
	for (size_t i = 0; !is_json && i < answers->n_items; i++) {
		if (request->label)
			print_explanation(stdout, node, &answers->items[i]);
		else
			print_explanation_line(stdout, node, &answers->items[i]);
	}
	return cmd_flush(err);
}

static int learn(const struct request *request, struct known *known, struct err *err)
{
	const struct config *config = known->config;
	const struct identity_wish wish = {config->kubeconfig, config->context, config->node_name,
					   config->namespace};
	int r = source_read(&request->source, config, &known->inventory, err);

	if (r == 0)
		r = rules_apply(&known->inventory, &config->rules, &known->verdict, err);
	if (r == 0 && request->node)
		r = on_node_read(&wish, &known->node, &known->node_name, err);
	return r;
}

static int explain(const struct config *config, const struct request *request, struct err *err)
{
	CLEANUP(known_clear) struct known known = {.config = config};
	CLEANUP(answers_clear) struct answers answers = {0};
	int r = learn(request, &known, err);

	if (r < 0)
		return r;
	if (request->label)
		r = answer(&known, request->label, &answers);
	else
		r = answer_all(&known, &answers);
	if (r < 0)
		return err_set(err, r, "out of memory for the explanation");
	return show(request, known.node_name, &answers, err);
}

static enum cmd_exit run(int argc, char **argv)
{
	struct request request = {.format = "text"};
	const struct cmd_option options[] = {
		{NULL, "[LABEL]", NULL, &request.label},
		{"format", "FORMAT", "text or json", &request.format},
		{"node", NULL, "beside what the Node carries now, and who set it", &request.node},
		SOURCE_INVENTORY(&request.source),
		SOURCE_CAPTURE(&request.source),
	};
	const struct cmd_usage usage = {
		.command = &cmd_explain,
		.about = "Says of a label which functions and files it comes from, by which "
			 "rule, and why\nthe other GPU functions do not count; of an absent one, "
			 "the first condition that\nfails and what would make it true. Without a "
			 "label: all, a line each.",
		.scope = CONFIG_OF_SCAN | CONFIG_OF_AGENT,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	struct err err;
	int r;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	if (strcmp(request.format, "text") != 0 && strcmp(request.format, "json") != 0)
		return cmd_bad_usage(&cmd_explain, "--format: is neither text nor json");
	if (!source_check(&request.source, &line.config, &err))
		return cmd_bad_usage(&cmd_explain, err.text);
	r = source_open(&request.source, &line.config, &err);
	if (r == 0)
		r = explain(&line.config, &request, &err);
	source_close(&request.source);
	return cmd_end(r, &err);
}

const struct command cmd_explain = {"explain", "say why a label is there, or is not", run};
