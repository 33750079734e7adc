/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&cmd_detect, &cmd_explain, &cmd_doctor, &cmd_kubevirt, &cmd_capture, &cmd_run, &cmd_clean,
};

static void show_help(FILE *out)
{
	(void)fputs("Usage: " PROGRAM " COMMAND [OPTION]...\n\n"
		    "Tells Kubernetes which GPUs this node has and how they may be used.\n\n",
		    out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	(void)fputs("\n  --version  show the version\n  --help     show this; after a command: its "
		    "options\n\nExit status: 0 done, 1 failed, 2 bad usage or configuration, 3 a "
		    "check failed.\n",
		    out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		show_help(stdout);
		return CMD_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts(PROGRAM " " VERSION);
		return CMD_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return (int)commands[i]->run(argc - 1, argv + 1);
	}
	if (*name == '-') /* the arguments of AMD's labeller, which has no commands */
		return (int)cmd_run.run(argc, argv);
	if (*name)
		(void)fprintf(stderr,
			      PROGRAM ": %s: there is no such command: see " PROGRAM " --help\n",
			      name);
	else
		show_help(stderr);
	return CMD_USAGE;
}
