/* SPDX-License-Identifier: Apache-2.0 */
/* explain: why a label is there, or what would have to be true. */
#include "rules/explain.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "cmd/source.h"
#include "inventory/inventory.h"
#include "output/print_explain.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct request {
	struct source source;
	const char *key;    /* NULL: all of them, a line each */
	const char *format; /* text, json */
};
struct answers {
	struct explanation *items; /* owned */
	size_t n_items;
};

static void answers_clear(struct answers *answers)
{
	for (size_t i = 0; i < answers->n_items; i++)
		explanation_clear(&answers->items[i]);
	free(answers->items);
}

static int answer(const struct config *config, const struct inventory *inventory,
		  const struct verdict *verdict, const char *key, struct answers *answers)
{
	struct explanation *grown =
		reallocarray(answers->items, answers->n_items + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	answers->items = grown;
	grown[answers->n_items] = (struct explanation){0};
	return explain_label(inventory, &config->rules, verdict, key, &grown[answers->n_items++]);
}

static int answer_all(const struct config *config, const struct inventory *inventory,
		      const struct verdict *verdict, struct answers *answers)
{
	CLEANUP(strbuf_clear) struct strbuf keys = {0};
	char *rest;
	int r = 0;

	explain_keys(&config->rules, verdict, &keys);
	rest = keys.failed ? NULL : keys.text;
	for (char *key; r == 0 && (key = strsep(&rest, "\n")) && *key;)
		r = answer(config, inventory, verdict, key, answers);
	return keys.failed ? -ENOMEM : r;
}

static int show(const struct request *request, const struct answers *answers, struct err *err)
{
	const bool is_json = strcmp(request->format, "json") == 0;
	auto_free char *json = NULL;

	if (is_json) {
		json = explanations_to_json(answers->items, answers->n_items);
		if (!json)
			return err_set(err, -ENOMEM, "out of memory for the JSON text");
		(void)puts(json);
	}
	for (size_t i = 0; !is_json && i < answers->n_items; i++) {
		if (request->key)
			print_explanation(stdout, &answers->items[i]);
		else
			print_explanation_line(stdout, &answers->items[i]);
	}
	return cmd_flush(err);
}

static int explain(const struct config *config, const struct request *request, struct err *err)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(answers_clear) struct answers answers = {0};
	int r = source_read(&request->source, config, &inventory, err);

	if (r == 0)
		r = rules_apply(&inventory, &config->rules, &verdict, err);
	if (r < 0)
		return r;
	if (request->key)
		r = answer(config, &inventory, &verdict, request->key, &answers);
	else
		r = answer_all(config, &inventory, &verdict, &answers);
	if (r < 0)
		return err_set(err, r, "out of memory for the explanation");
	return show(request, &answers, err);
}

static enum cmd_exit run(int argc, char **argv)
{
	struct request request = {.format = "text"};
	const struct cmd_option options[] = {
		{NULL, "[LABEL]", NULL, &request.key},
		{"format", "FORMAT", "text or json", &request.format},
		SOURCE_INVENTORY(&request.source),
		SOURCE_CAPTURE(&request.source),
	};
	const struct cmd_usage usage = {
		.command = &cmd_explain,
		.about = "Says of a label which functions and files it comes from, by which "
			 "rule, and why\nthe other GPU functions do not count; of an absent one, "
			 "the first condition that\nfails and what would make it true. Without a "
			 "label: all, a line each.",
		.scope = CONFIG_OF_SCAN,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_settings_clear) struct cmd_settings settings = {0};
	CLEANUP(config_clear) struct config config = {0};
	const enum cmd_next next = cmd_parse(argc, argv, &usage, &settings, &config);
	struct err err;
	int r;

	if (next != CMD_GO_ON)
		return next == CMD_HELP_SHOWN ? CMD_DONE : CMD_USAGE;
	if (strcmp(request.format, "text") != 0 && strcmp(request.format, "json") != 0)
		return cmd_bad_usage(&cmd_explain, "--format: is neither text nor json");
	if (!source_check(&request.source, &config, &err))
		return cmd_bad_usage(&cmd_explain, err.text);
	r = source_open(&request.source, &config, &err);
	if (r == 0)
		r = explain(&config, &request, &err);
	source_close(&request.source);
	return cmd_end(r, &err);
}

const struct command cmd_explain = {"explain", "say why a label is there, or is not", run};
