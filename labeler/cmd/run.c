/* SPDX-License-Identifier: Apache-2.0 */
/* run: the agent. */
#include "agent/agent.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"

static int load(void *data, struct config *ret, struct err *err)
{
	return cmd_load(data, ret, err);
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *once = NULL;
	const struct cmd_option options[] = {
		{"once", NULL, "publish once and leave", &once},
	};
	const struct cmd_usage usage = {
		.command = &cmd_run,
		.about = "Publishes the labels of this node and keeps them true, on the kernel's "
			 "events.\nSIGHUP reads the configuration again, SIGUSR1 writes the state "
			 "to the log.",
		.scope = CONFIG_OF_SCAN | CONFIG_OF_AGENT,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	struct agent_setup setup = {.load = load, .data = &line.settings};
	struct err err;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	setup.config_file = line.settings.file ? line.settings.file : CONFIG_FILE;
	return cmd_end(once ? agent_once(&line.config, &err)
			    : agent_run(&setup, &line.config, &err),
		       &err);
}

const struct command cmd_run = {"run", "publish the labels and keep them true", run};
