/* SPDX-License-Identifier: Apache-2.0 */
/* clean: takes away what the agent published, at the outputs that the configuration names. */
#include "agent/agent.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"

static enum cmd_exit run(int argc, char **argv)
{
	const char *every_node = NULL;
	const struct cmd_option options[] = {
		{"every-node", NULL, "of all nodes of the cluster, not of this one", &every_node},
	};
	const struct cmd_usage usage = {
		.command = &cmd_clean,
		.about = "Withdraws every label that gpu-labeler published. Stop the agent first.",
		.scope = CONFIG_OF_AGENT,
		.options = options,
		.n_options = ARRAY_SIZE(options),
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	struct err err;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	return cmd_end(every_node ? agent_clean_every_node(&line.config, &err)
				  : agent_clean(&line.config, &err),
		       &err);
}

const struct command cmd_clean = {"clean", "withdraw every label that was published", run};
