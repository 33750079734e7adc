/* SPDX-License-Identifier: Apache-2.0 */
/* detect: scan once, or read a saved inventory, and print. Needs no cluster. */
#include "agent/look.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "inventory/inventory.h"
#include "inventory/inventory_json.h"
#include "output/print.h"
#include "output/print_json.h"
#include "rules/rules.h"
#include "scan/pci.h"

#include <errno.h>
#include <string.h>

/* The whole stream, at most what an inventory may have. */
static int read_stream(FILE *file, char **ret, size_t *ret_len, struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	size_t size = 0;

	do {
		char *grown;

		size = size ? size * 2 : BUFSIZ;
		grown = realloc(text, size);
		if (!grown)
			return err_set(err, -ENOMEM, "out of memory");
		text = grown;
		len += fread(text + len, 1, size - len, file);
	} while (len == size && len <= INVENTORY_JSON_MAX);
	if (ferror(file))
		return err_set(err, -EIO, "cannot be read: %s", strerror(errno));
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static int read_inventory(const char *path, struct inventory *inventory, struct err *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	auto_fclose FILE *file = is_stdin ? fdopen(dup(STDIN_FILENO), "re") : fopen(path, "re");
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (!file)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	r = read_stream(file, &text, &len, err);
	if (r == 0)
		r = inventory_from_json(text, len, inventory, err);
	return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

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

/* The notes go where labels must not: to stderr. */
static int show_labels(const struct answer *answer, struct err *err)
{
	const struct notes *notes = &answer->verdict->notes;

	(void)err;
	print_labels(stdout, &answer->verdict->labels);
	for (size_t i = 0; i < notes->n_items; i++)
		(void)fprintf(stderr, PROGRAM ": %s: %s\n", note_level_name(notes->items[i].level),
			      notes->items[i].text);
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

static int detect(const struct config *config, const char *file, const struct format *format,
		  struct err *err)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct answer answer = {config, &inventory, &verdict};
	int r;

	r = file ? read_inventory(file, &inventory, err) : look_scan(config, &inventory, err);
	if (r == 0)
		r = rules_apply(&inventory, &config->rules, &verdict, err);
	if (r == 0)
		r = format->show(&answer, err);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(err, -EIO, "cannot write to standard output: %s", strerror(errno));
	return r;
}

static enum cmd_exit bad_usage(const char *line)
{
	(void)fprintf(stderr, PROGRAM ": detect: %s\n", line);
	return CMD_USAGE;
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *format_name = isatty(STDOUT_FILENO) ? "table" : "labels";
	const char *file = NULL;
	const struct cmd_option options[] = {
		{"format", "FORMAT", "table (on a terminal), labels (otherwise), json, inventory",
		 &format_name},
		{"inventory", "FILE", "read a saved inventory (- for stdin) instead of scanning",
		 &file},
	};
	const struct cmd_usage usage = {
		&cmd_detect,
		"Shows which GPUs this node has, what they count as, and the labels that follow.\n"
		"Reads sysfs once; changes nothing.",
		CONFIG_OF_SCAN, options, ARRAY_SIZE(options)};
	CLEANUP(cmd_settings_clear) struct cmd_settings settings = {0};
	CLEANUP(config_clear) struct config config = {0};
	const enum cmd_next next = cmd_parse(argc, argv, &usage, &settings, &config);
	const struct format *format = find_format(format_name);
	struct err err;

	if (next != CMD_GO_ON)
		return next == CMD_HELP_SHOWN ? CMD_DONE : CMD_USAGE;
	if (!format)
		return bad_usage("--format: is neither table, labels, json nor inventory");
	if (file && (config.root || config.sysfs))
		return bad_usage("--inventory: reads no host: leave --root and --sysfs away");
	if (detect(&config, file, format, &err) == 0)
		return CMD_DONE;
	cmd_error(&err);
	return CMD_FAILED;
}

const struct command cmd_detect = {"detect", "scan once and print what this node has", run};
