/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the user wants: built-in defaults, then the configuration file, the environment, flags. One
 * table has every key; the file, the flags and the help come from it. conf/gpu-labeler.conf
 * documents each.
 */
#include "base/log.h"
#include "device_file.h"
#include "rules/rules.h"

#include <stddef.h>
#include <stdint.h>

struct err;

#define CONFIG_FILE "/etc/gpu-labeler/gpu-labeler.conf"

enum config_output {
	CONFIG_OUTPUT_FILE,         /* NFD's feature file */
	CONFIG_OUTPUT_NODE,         /* the labels of our own Node, through the API server */
	CONFIG_OUTPUT_NODE_FEATURE, /* an object for NFD's master, through the API server */
	CONFIG_OUTPUT_STDOUT,
	CONFIG_OUTPUTS,
};
extern const char *const config_output_names[CONFIG_OUTPUTS];
enum config_scope {
	CONFIG_OF_SCAN = 1 << 0,  /* what is read, and what it means */
	CONFIG_OF_AGENT = 1 << 1, /* when and where it is published */
};

struct config {
	char *root;  /* owned; NULL: / */
	char *sysfs; /* owned; NULL: sys below root */
	struct rule_options rules;
	struct device_file devices; /* empty: the built-in table */
	char *device_table;         /* owned; the file that devices came from */
	bool pci_ids_names;
	unsigned int outputs; /* one bit a config_output */
	int64_t interval_ms;  /* of the timer */
	bool withdraw_on_exit;
	char *listen; /* owned; ADDRESS:PORT, NULL: nowhere */
	bool no_sandbox;
	enum log_level log_level;
	bool log_json;
	char *features_dir;                                 /* owned; NULL: NFD's */
	unsigned int expiry_s;                              /* 0: none */
	char *kubeconfig, *context, *node_name, *namespace; /* owned; NULL: find out */
	int64_t startup_spread_ms;
};

/* One key: [section] key = value in the file, --flag VALUE on the command line. */
struct config_key {
	const char *section, *key, *flag, *env; /* env: NULL where no variable sets it */
	enum config_scope scope;
	bool adds_up; /* a list, whose flag may be given several times */
	const char *value,
		*help; /* for --help: what stands for the value (NULL: none), what it does */
	/* Returns 0, or a negative errno with the reason. */
	int (*set)(struct config *config, const struct config_key *key, const char *value,
		   struct err *err);
	size_t at;            /* the member that it sets, where set serves several keys */
	const char *no, *yes; /* of a bool: its words */
};
extern const struct config_key config_keys[];
enum {
	CONFIG_KEYS = 24,
};

/*
 * file: NULL for CONFIG_FILE, which need not exist. flags: the text of each key's flag, in the
 * order of config_keys, NULL where it was not given. Returns 0, or a negative errno with file:line
 * or flag or variable and what to do in err; *ret is empty before and after a failure.
 */
int config_load(const char *file, const char *const flags[static CONFIG_KEYS], struct config *ret,
		struct err *err);
void config_clear(struct config *config);

/* Would both write to the same places in the same way? */
bool config_same_outputs(const struct config *a, const struct config *b);

/* The table to scan with: the user's or the built-in one. Lives as long as the config. */
struct device_table config_devices(const struct config *config);
