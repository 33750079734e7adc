/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/reference.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTIONS_MAX = 32,
};

/* How to go on after the command line. */
enum next {
	GO_ON,
	HELP_SHOWN,
	BAD_LINE, /* the reason is on stderr */
};

/* What getopt_long() is told, and where the value of each option goes. */
struct line {
	struct option options[OPTIONS_MAX];
	const char **values[OPTIONS_MAX];
	char **joined[OPTIONS_MAX]; /* of one that adds up where it comes again; NULL: the last wins
				     */
	size_t n_options;
	size_t help; /* which of them is --help */
};

void cmd_error(const struct err *err)
{
	(void)fprintf(stderr, PROGRAM ": %s\n", err->text);
}

enum cmd_exit cmd_bad_usage(const struct command *command, const char *line)
{
	(void)fprintf(stderr, PROGRAM ": %s: %s\n", command->name, line);
	return CMD_USAGE;
}

int cmd_flush(struct err *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_set(err, -EIO, "cannot write to standard output: %s", strerror(errno));
}

enum cmd_exit cmd_end(int r, const struct err *err)
{
	if (r >= 0)
		return CMD_DONE;
	cmd_error(err);
	return r == -EINVAL ? CMD_USAGE : CMD_FAILED;
}

void cmd_line_clear(struct cmd_line *line)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		free(line->settings.joined[i]);
	config_clear(&line->config);
	*line = (struct cmd_line){0};
}

int cmd_load(const struct cmd_settings *settings, struct config *ret, struct err *err)
{
	return config_load(settings->file, settings->flags, ret, err);
}

static void add(struct line *line, const char *flag, bool has_value, const char **value)
{
	line->options[line->n_options] =
		(struct option){flag, has_value ? required_argument : no_argument, NULL, 0};
	line->values[line->n_options++] = value;
}

static void help_row(const char *flag, const char *value, const char *help)
{
	const char *shown = value ? value : "";
	const int pad = 22 - (int)(strlen(flag) + strlen(shown));

	printf("  --%s %s%*s %s\n", flag, shown, pad > 0 ? pad : 0, "", help);
}

/* What stands alone on the line, NULL where nothing may. */
static const struct cmd_option *argument_of(const struct cmd_usage *usage)
{
	for (size_t i = 0; i < usage->n_options; i++) {
		if (!usage->options[i].flag)
			return &usage->options[i];
	}
	return NULL;
}

static void show_help(const struct cmd_usage *usage)
{
	const struct cmd_option *argument = argument_of(usage);

	printf("Usage: " PROGRAM " %s [OPTION]...%s%s\n\n%s\n\n", usage->command->name,
	       argument ? " " : "", argument ? argument->value : "", usage->about);
	for (size_t i = 0; i < usage->n_options; i++) {
		if (usage->options[i].flag)
			help_row(usage->options[i].flag, usage->options[i].value,
				 usage->options[i].help);
	}
	help_row("config", "FILE", "instead of " CONFIG_FILE);
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (config_keys[i].scope & usage->scope)
			help_row(config_keys[i].flag, config_keys[i].value, config_keys[i].help);
	}
	help_row("help", NULL, "show this");
	printf("\nExit status: 0 done, 1 failed, 2 bad usage or configuration.\n");
}

static enum next bad_line(const struct cmd_usage *usage, const char *what, const char *where)
{
	(void)fprintf(stderr, PROGRAM ": %s: %s: %s: see " PROGRAM " %s --help\n",
		      usage->command->name, where, what, usage->command->name);
	return BAD_LINE;
}

static bool join(char **owned, const char **value, const char *more)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s,%s", *value, more) < 0)
		return false;
	free(*owned);
	*owned = joined;
	*value = joined;
	return true;
}

/* What is left behind the options. */
static enum next read_argument(int argc, char **argv, const struct cmd_usage *usage)
{
	const struct cmd_option *argument = argument_of(usage);

	if (argument && optind < argc)
		*argument->ret = argv[optind++];
	else if (argument && argument->value[0] != '[')
		return bad_line(usage, "it is missing", argument->value);
	if (optind < argc)
		return bad_line(usage, "there is nothing to do with this argument", argv[optind]);
	return GO_ON;
}

static enum next read_line(int argc, char **argv, const struct cmd_usage *usage,
			   const struct line *line)
{
	opterr = 0;
	optind = 1;
	for (;;) {
		int index = 0;
		const int c = getopt_long(argc, argv, ":", line->options, &index);
		const char **value = line->values[index];

		if (c == -1)
			break;
		if (c == ':')
			return bad_line(usage, "the option lacks its value", argv[optind - 1]);
		if (c == '?') {
			/* in the middle of a word with one dash optind has not moved yet */
			const char letter[] = {'-', (char)optopt, '\0'};

			return bad_line(usage, "no such option",
					optopt ? letter : argv[optind - 1]);
		}
		if ((size_t)index == line->help) {
			show_help(usage);
			return HELP_SHOWN;
		}
		if (!line->joined[index] || !*value)
			*value = optarg ? optarg : "yes";
		else if (!join(line->joined[index], value, optarg))
			return bad_line(usage, "out of memory", argv[optind - 1]);
	}
	return read_argument(argc, argv, usage);
}

/* The options of a subcommand, and where their values go. */
static void gather(const struct cmd_usage *usage, struct cmd_settings *settings, struct line *line)
{
	for (size_t i = 0; i < usage->n_options; i++) {
		if (usage->options[i].flag)
			add(line, usage->options[i].flag, usage->options[i].value,
			    usage->options[i].ret);
	}
	add(line, "config", true, &settings->file);
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (!(config_keys[i].scope & usage->scope))
			continue;
		if (config_keys[i].adds_up)
			line->joined[line->n_options] = &settings->joined[i];
		add(line, config_keys[i].flag, config_keys[i].value, &settings->flags[i]);
	}
	line->help = line->n_options;
	add(line, "help", false, NULL);
}

bool cmd_parse(int argc, char **argv, const struct cmd_usage *usage, struct cmd_line *ret)
{
	struct line line = {0};
	struct err err;
	enum next next;

	gather(usage, &ret->settings, &line);
	if (usage->scope & CONFIG_OF_SCAN && !usage->own_words)
		reference_flags(argc, argv);
	next = read_line(argc, argv, usage, &line);
	if (next == GO_ON && cmd_load(&ret->settings, &ret->config, &err) < 0) {
		cmd_error(&err);
		next = BAD_LINE;
	}
	ret->end = next == BAD_LINE ? CMD_USAGE : CMD_DONE;
	return next == GO_ON;
}
