/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Once it has started, the agent gives up what it does not need: new privileges, capabilities,
 * files beyond those that it reads and the directory that it writes, other programs, and the system
 * calls that change the machine. For good: other settings may ask for a place that is closed.
 */
#include "agent/confine.h"

struct config;

struct sandbox {
	bool is_on, may_close_files;
	unsigned int in_force;      /* one bit a confine_part */
	struct confine_paths paths; /* owned; what was left open, or will be */
};

/* config_file: watched, or absent. What is in force is logged. */
void sandbox_enter(struct sandbox *sandbox, const struct config *config, const char *config_file);

/* Tries again what could not be closed yet: a directory to write to was missing. */
void sandbox_check(struct sandbox *sandbox);

/* There are other settings: says so where they ask for what is closed. */
void sandbox_compare(struct sandbox *sandbox, const struct config *config, const char *config_file);
void sandbox_clear(struct sandbox *sandbox);
