/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a subcommand takes the node's facts from: this host, a saved inventory, or a capture. */
#include <stdbool.h>

struct config;
struct err;
struct inventory;

struct source {
	const char *inventory; /* --inventory; NULL: none */
	const char *capture;   /* --capture; NULL: none */
	char *unpacked; /* owned; the directory of the capture's tree, until source_close() */
};

/* Both as options of a subcommand; the first alone where a saved inventory says enough. */
#define SOURCE_CAPTURE(source)                                                                     \
	{                                                                                          \
		"capture", "FILE", "read what gpu-labeler capture wrote, as it is",                \
			&(source)->capture                                                         \
	}
#define SOURCE_INVENTORY(source)                                                                   \
	{                                                                                          \
		"inventory", "FILE", "read a saved inventory instead (- for stdin)",               \
			&(source)->inventory                                                       \
	}

/* Do the flags go together? False with the reason in err: bad usage. */
bool source_check(const struct source *source, const struct config *config, struct err *err);

/* Makes config read the capture, where one was asked for. Returns 0 or a negative errno. */
int source_open(struct source *source, struct config *config, struct err *err);

/* Fills an empty inventory. Returns 0 or a negative errno. */
int source_read(const struct source *source, const struct config *config, struct inventory *ret,
		struct err *err);

/* Removes what source_open() unpacked. */
void source_close(struct source *source);
