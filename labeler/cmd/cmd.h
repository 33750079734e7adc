/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The subcommands: one a file, listed in main.c. */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

#define PROGRAM "gpu-labeler"

enum cmd_exit {
	CMD_DONE = 0,
	CMD_FAILED = 1,   /* at run time */
	CMD_USAGE = 2,    /* bad usage or configuration */
	CMD_FINDINGS = 3, /* doctor: something is amiss */
};
struct command {
	const char *name, *summary;
	enum cmd_exit (*run)(int argc, char **argv);
};

extern const struct command cmd_detect, cmd_explain, cmd_doctor, cmd_capture, cmd_kubevirt, cmd_run,
	cmd_clean;

/*
 * An option of one subcommand's own, beside those that every key of the configuration gives. One
 * without a flag is what stands alone on the line, such as FILE; it must be there unless its value
 * is in brackets.
 */
struct cmd_option {
	const char *flag, *value, *help; /* value NULL: an option that stands alone */
	const char **ret;                /* set to the text that was given; untouched otherwise */
};
struct cmd_usage {
	const struct command *command;
	const char *about;       /* a paragraph for --help */
	enum config_scope scope; /* which keys of the configuration are flags here */
	const struct cmd_option *options;
	size_t n_options;
	bool own_words; /* the flags of AMD's labeller mean nothing here: it has none like this */
};

/* What the command line says of the configuration, kept so that it can be read again. */
struct cmd_settings {
	const char *file;               /* --config; NULL: the default */
	const char *flags[CONFIG_KEYS]; /* of argv or of joined */
	char *joined[CONFIG_KEYS];      /* owned; of a flag that was given several times */
};

/* A command line that was read. */
struct cmd_line {
	struct cmd_settings settings; /* owned */
	struct config config;         /* owned */
	enum cmd_exit end;            /* what to leave with, where there is no going on */
};
void cmd_line_clear(struct cmd_line *line);

/* Returns 0 or a negative errno, as config_load(). */
int cmd_load(const struct cmd_settings *settings, struct config *ret, struct err *err);

/*
 * Reads the command line of a subcommand: its own options, --config, --help and a flag for each
 * configuration key of its scope. The values stay where argv has them. Fills an empty *ret. False
 * where there is no going on: help was shown, or the reason is on stderr.
 */
bool cmd_parse(int argc, char **argv, const struct cmd_usage *usage, struct cmd_line *ret);

/* "gpu-labeler: " and the line, to stderr. */
void cmd_error(const struct err *err);

/* "gpu-labeler: explain: " and the line, to stderr; CMD_USAGE. */
enum cmd_exit cmd_bad_usage(const struct command *command, const char *line);

/* Has all of standard output been written? Returns 0 or -EIO. */
int cmd_flush(struct err *err);

/* What to leave with after 0 or a negative errno, which is said: -EINVAL is the settings' fault. */
enum cmd_exit cmd_end(int r, const struct err *err);
