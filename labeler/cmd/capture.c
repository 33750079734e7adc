/* SPDX-License-Identifier: Apache-2.0 */
/* capture: all that the program reads of this node, as one file. */
#include "agent/look.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "capture/record.h"
#include "cmd/cmd.h"
#include "inventory/host_facts.h"
#include "inventory/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* What detect, explain, doctor and kubevirt would read, once. */
static int read_node(const struct config *config, struct record *record, struct err *err)
{
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(host_facts_clear) struct host_facts facts = {0};
	int r = host_open(&host, config->root, config->sysfs, err);

	if (r < 0)
		return r;
	record_start(record, &host);
	r = look_checkup(config, &host, &inventory, &facts, err);
	record_stop(record);
	return r;
}

/* A file of its own beside it first: whoever finds the name finds the whole. - is stdout. */
static int write_file(const char *path, const struct strbuf *text, struct err *err)
{
	const bool is_stdout = strcmp(path, "-") == 0;
	auto_free char *aside = NULL;
	FILE *file = stdout;
	bool good;

	if (!is_stdout && asprintf(&aside, "%s.new", path) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (!is_stdout)
		file = fopen(aside, "we");
	if (!file)
		return err_set(err, -errno, "%s: cannot be written: %s", aside, strerror(errno));
	good = fwrite(text->text, 1, text->len, file) == text->len && fflush(file) == 0;
	if (!is_stdout && fclose(file) != 0)
		good = false;
	if (good && !is_stdout)
		good = rename(aside, path) == 0;
	if (good)
		return 0;
	err_set(err, -EIO, "%s: cannot be written: %s", path, strerror(errno));
	if (!is_stdout)
		(void)unlink(aside);
	return -EIO;
}

static int capture(const struct config *config, const char *path, struct err *err)
{
	CLEANUP(record_clear) struct record record = {0};
	CLEANUP(strbuf_clear) struct strbuf archive = {0};
	int r = read_node(config, &record, err);

	if (r < 0)
		return r;
	record_tidy(&record);
	r = record_to_tar(&record, &archive, err);
	return r < 0 ? r : write_file(path, &archive, err);
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *path = NULL;
	const struct cmd_option options[] = {{NULL, "FILE", NULL, &path}};
	const struct cmd_usage usage = {
		.command = &cmd_capture,
		.about = "Writes all that this program reads of the node into one tar archive, "
			 "and nothing\nelse: no serial numbers, no MAC addresses, unique ids "
			 "hashed. detect, explain,\ndoctor and kubevirt read it with --capture "
			 "FILE; unpacked, it is a --root.\nFILE may be - for standard output.",
		.scope = CONFIG_OF_SCAN,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	struct err err;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	if (capture(&line.config, path, &err) == 0)
		return CMD_DONE;
	cmd_error(&err);
	return CMD_FAILED;
}

const struct command cmd_capture = {"capture", "write what this node shows into one file", run};
