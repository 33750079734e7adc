/* SPDX-License-Identifier: Apache-2.0 */
/* detect: scan once, or read a saved inventory, and print. Needs no cluster. */
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "cmd/source.h"
#include "inventory/inventory.h"
#include "inventory/inventory_json.h"
#include "inventory/what_if.h"
#include "output/print.h"
#include "output/print_json.h"
#include "rules/rules.h"
#include "scan/pci.h"

#include <errno.h>
#include <string.h>

/* A name for each GPU: the device table's, else that of pci.ids. */
struct names {
	const char **items; /* owned */
	char **owned;       /* owned, NULL where the name is the table's */
	size_t n_items;
};

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->owned[i]);
	free(names->items);
	free(names->owned);
}

static const char *name_of(const struct function *gpu, const struct device_table *devices,
			   struct pci_access *access, char **ret_owned)
{
	const uint16_t id = fact_id(&gpu->device);
	const struct device *device = devices_find(devices, gpu->vendor, id);
	char text[160];

	if (device)
		return device->name;
	if (!id || !scan_pci_name(access, gpu->vendor, id, text, sizeof(text)))
		return "-";
	*ret_owned = strdup(text);
	return *ret_owned ? *ret_owned : "-";
}

static int names_find(const struct config *config, const struct inventory *inventory,
		      struct names *names, struct err *err)
{
	const struct device_table devices = config_devices(config);
	CLEANUP(scan_pci_close) struct pci_access *access = scan_pci_names();

	names->items = calloc(inventory->n_gpus + 1, sizeof(*names->items));
	names->owned = calloc(inventory->n_gpus + 1, sizeof(*names->owned));
	if (!names->items || !names->owned)
		return err_set(err, -ENOMEM, "out of memory for the names of the GPUs");
	names->n_items = inventory->n_gpus;
	for (size_t i = 0; i < names->n_items; i++)
		names->items[i] = name_of(&inventory->gpus[i], &devices, access, &names->owned[i]);
	return 0;
}

/* What a format is given: not each needs all. */
struct answer {
	const struct config *config;
	const struct inventory *inventory;
	const struct verdict *verdict;
};

static int show_table(const struct answer *answer, struct err *err)
{
	const char *no_color = getenv("NO_COLOR");
	CLEANUP(names_clear) struct names names = {0};
	struct print_table how = {.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color)};
	const int r = names_find(answer->config, answer->inventory, &names, err);

	if (r < 0)
		return r;
	how.names = names.items;
	print_table(stdout, &how, answer->inventory, answer->verdict);
	return 0;
}

static void show_notes(const struct notes *notes)
{
	for (size_t i = 0; i < notes->n_items; i++)
		(void)fprintf(stderr, PROGRAM ": %s: %s\n", note_level_name(notes->items[i].level),
			      notes->items[i].text);
}

/* The notes go where labels must not: to stderr. */
static int show_labels(const struct answer *answer, struct err *err)
{
	(void)err;
	print_labels(stdout, &answer->verdict->labels);
	show_notes(&answer->verdict->notes);
	return 0;
}

static int put_json(char *text, struct err *err)
{
	auto_free char *json = text;

	if (!json)
		return err_set(err, -ENOMEM, "out of memory for the JSON text");
	(void)puts(json);
	return 0;
}

static int show_json(const struct answer *answer, struct err *err)
{
	CLEANUP(names_clear) struct names names = {0};
	const int r = names_find(answer->config, answer->inventory, &names, err);

	if (r < 0)
		return r;
	return put_json(verdict_to_json(answer->inventory, answer->verdict, names.items), err);
}

static int show_inventory(const struct answer *answer, struct err *err)
{
	return put_json(inventory_to_json(answer->inventory), err);
}

static const struct format {
	const char *name;
	int (*show)(const struct answer *answer, struct err *err);
} formats[] = {
	{"table", show_table},
	{"labels", show_labels},
	{"json", show_json},
	{"inventory", show_inventory},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* How the labels would change, a line each; what had to be assumed goes to stderr. */
static int show_changes(const struct labels *before, const struct labels *after,
			const struct strbuf *assumed, struct err *err)
{
	CLEANUP(strbuf_clear) struct strbuf changes = {0};

	labels_diff(before, after, &changes);
	if (changes.failed || assumed->failed)
		return err_set(err, -ENOMEM, "out of memory for the changes");
	for (size_t i = 0; i < changes.len; i++) {
		if (changes.text[i] == ' ') /* before every change; none has one in it */
			changes.text[i] = '\n';
	}
	if (changes.len > 0)
		(void)printf("%s\n", changes.text + 1);
	if (assumed->len > 0)
		(void)fputs(assumed->text, stderr);
	return 0;
}

/* Edits the inventory, which is of no more use then. */
static enum cmd_exit what_if(const struct config *config, const char *steps,
			     struct inventory *inventory, const struct labels *before)
{
	CLEANUP(verdict_clear) struct verdict after = {0};
	CLEANUP(strbuf_clear) struct strbuf assumed = {0};
	struct err err;
	int r = what_if_apply(steps, inventory, &assumed, &err);

	if (r == WHAT_IF_REFUSED) {
		(void)fprintf(stderr, PROGRAM ": detect: --what-if: %s\n", err.text);
		return CMD_USAGE;
	}
	if (r == 0)
		r = rules_apply(inventory, &config->rules, &after, &err);
	if (r == 0) {
		show_notes(&after.notes);
		r = show_changes(before, &after.labels, &assumed, &err);
	}
	if (r == 0)
		r = cmd_flush(&err);
	return cmd_end(r, &err);
}

/* What the command line asks for beside the configuration. */
struct request {
	struct source source;
	const struct format *format;
	const char *what_if; /* NULL: show what is */
};

static enum cmd_exit detect(const struct config *config, const struct request *request)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct answer answer = {config, &inventory, &verdict};
	struct err err;
	int r;

	r = source_read(&request->source, config, &inventory, &err);
	if (r == 0)
		r = rules_apply(&inventory, &config->rules, &verdict, &err);
	if (r == 0 && request->what_if)
		return what_if(config, request->what_if, &inventory, &verdict.labels);
	if (r == 0)
		r = request->format->show(&answer, &err);
	if (r == 0)
		r = cmd_flush(&err);
	return cmd_end(r, &err);
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *format_name = NULL;
	struct request request = {0};
	const struct cmd_option options[] = {
		{"format", "FORMAT", "table, labels (where no terminal), json, inventory",
		 &format_name},
		SOURCE_INVENTORY(&request.source),
		SOURCE_CAPTURE(&request.source),
		{"what-if", "STEPS", "labels then: 'bind ADDR vfio-pci; numvfs ADDR 8'",
		 &request.what_if},
	};
	const struct cmd_usage usage = {
		.command = &cmd_detect,
		.about = "Shows which GPUs this node has, what they count as, and the labels that "
			 "follow.\nReads sysfs once; changes nothing.",
		.scope = CONFIG_OF_SCAN,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	enum cmd_exit end;
	struct err err;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	if (format_name && request.what_if)
		return cmd_bad_usage(&cmd_detect,
				     "--what-if: shows changes alone: leave --format away");
	if (!format_name)
		format_name = isatty(STDOUT_FILENO) ? "table" : "labels";
	request.format = find_format(format_name);
	if (!request.format)
		return cmd_bad_usage(&cmd_detect,
				     "--format: is neither table, labels, json nor inventory");
	if (!source_check(&request.source, &line.config, &err))
		return cmd_bad_usage(&cmd_detect, err.text);
	if (source_open(&request.source, &line.config, &err) < 0)
		return cmd_end(-1, &err);
	end = detect(&line.config, &request);
	source_close(&request.source);
	return end;
}

const struct command cmd_detect = {"detect", "scan once and print what this node has", run};
