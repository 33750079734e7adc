/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The agent: looks when the kernel says that something happened, on a timer in case it did not say
 * so, and publishes what follows. It keeps the last good answer: a scan that failed changes nothing
 * that is published.
 */
#include "config.h"

struct err;

/* How the agent gets its settings again, on SIGHUP and when the file changed. */
struct agent_setup {
	const char *config_file; /* watched; it need not exist */
	/* Fills an empty config. Returns 0 or a negative errno with the reason. */
	int (*load)(void *data, struct config *ret, struct err *err);
	void *data;
};

/*
 * Runs until SIGTERM or SIGINT. config is taken over and empty afterwards. Returns 0, or a negative
 * errno where it cannot even start: -EBUSY where another process holds an output, -EINVAL where the
 * settings can never work.
 */
int agent_run(const struct agent_setup *setup, struct config *config, struct err *err);

/* Looks once, publishes once, and comes back. */
int agent_once(const struct config *config, struct err *err);

/* Withdraws from every output what was ever published there. */
int agent_clean(const struct config *config, struct err *err);

/*
 * The same for all nodes of the cluster, where no agent runs any more. -EINVAL where the config
 * names an output that is not reached through the API server.
 */
int agent_clean_every_node(const struct config *config, struct err *err);
