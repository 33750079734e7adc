/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTIONS_MAX = 32,
};

/* What getopt_long() is told, and where the value of each option goes. */
struct line {
	struct option options[OPTIONS_MAX];
	const char **values[OPTIONS_MAX];
	size_t n_options;
};

void cmd_error(const struct err *err)
{
	(void)fprintf(stderr, PROGRAM ": %s\n", err->text);
}

static void add(struct line *line, const char *flag, bool has_value, const char **value)
{
	line->options[line->n_options] =
		(struct option){flag, has_value ? required_argument : no_argument, NULL, 0};
	line->values[line->n_options++] = value;
}

static void help_row(const char *flag, const char *value, const char *help)
{
	const int pad = 26 - (int)(strlen(flag) + strlen(value));

	printf("  --%s %s%*s %s\n", flag, value, pad > 0 ? pad : 0, "", help);
}

static void show_help(const struct cmd_usage *usage)
{
	printf("Usage: " PROGRAM " %s [OPTION]...\n\n%s\n\n", usage->command->name, usage->about);
	for (size_t i = 0; i < usage->n_options; i++)
		help_row(usage->options[i].flag, usage->options[i].value, usage->options[i].help);
	help_row("config", "FILE", "read this file instead of " CONFIG_FILE);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		help_row(config_keys[i].flag, config_keys[i].value, config_keys[i].help);
	help_row("help", "", "show this");
	printf("\nExit status: 0 done, 1 failed, 2 bad usage or configuration.\n");
}

static enum cmd_next bad_line(const struct cmd_usage *usage, const char *what, const char *where)
{
	(void)fprintf(stderr, PROGRAM ": %s: %s: %s: see " PROGRAM " %s --help\n",
		      usage->command->name, where, what, usage->command->name);
	return CMD_BAD_LINE;
}

static enum cmd_next read_line(int argc, char **argv, const struct cmd_usage *usage,
			       const struct line *line, const size_t help)
{
	opterr = 0;
	optind = 1;
	for (;;) {
		int index = 0;
		const int c = getopt_long(argc, argv, ":", line->options, &index);

		if (c == -1)
			break;
		if (c == ':')
			return bad_line(usage, "the option lacks its value", argv[optind - 1]);
		if (c == '?')
			return bad_line(usage, "no such option", argv[optind - 1]);
		if ((size_t)index == help) {
			show_help(usage);
			return CMD_HELP_SHOWN;
		}
		*line->values[index] = optarg;
	}
	if (optind < argc)
		return bad_line(usage, "there is nothing to do with this argument", argv[optind]);
	return CMD_GO_ON;
}

enum cmd_next cmd_parse(int argc, char **argv, const struct cmd_usage *usage, struct config *config)
{
	const char *flags[CONFIG_KEYS] = {0};
	const char *file = NULL;
	struct line line = {0};
	struct err err;
	enum cmd_next next;

	for (size_t i = 0; i < usage->n_options; i++)
		add(&line, usage->options[i].flag, true, usage->options[i].ret);
	add(&line, "config", true, &file);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		add(&line, config_keys[i].flag, true, &flags[i]);
	add(&line, "help", false, NULL);
	next = read_line(argc, argv, usage, &line, line.n_options - 1);
	if (next != CMD_GO_ON)
		return next;
	if (config_load(file, flags, config, &err) == 0)
		return CMD_GO_ON;
	cmd_error(&err);
	return CMD_BAD_LINE;
}
