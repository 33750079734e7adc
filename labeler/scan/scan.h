/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The host's files into one inventory. Decides nothing, changes nothing, touches no config space.
 */
#include <stdbool.h>

struct device_table;
struct err;
struct fact;
struct host;
struct inventory;

struct scan_options {
	const struct device_table *devices; /* which ids are GPUs whatever their class */
	/*
	 * Asks for the version of a module's file: scan_kmod_version(), or NULL for nobody. A
	 * pointer, so that the hook does without libkmod.
	 */
	int (*module_file_version)(const char *root, const char *release, const char *module,
				   char **ret, struct err *err);
	/* Asks a render node for its firmware's features: scan_drm_features(), or NULL likewise. */
	void (*firmware_features)(const char *node, struct fact *features);
	bool pci_ids_names; /* a card that has no name otherwise gets that of pci.ids */
};

/*
 * Fills an empty inventory, sorted. One function that cannot be read is a problem in it, no error.
 * Returns 0, or a negative errno where the bus cannot be listed or memory runs out; *ret is empty
 * then.
 */
int scan(const struct host *host, const struct scan_options *options, struct inventory *ret,
	 struct err *err);
