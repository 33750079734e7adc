/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A device table of the user's, of the form of conf/devices.ini, laid over the built-in one. */
#include "inventory/devices.h"

struct err;

/* A table that owns its rows and their texts. */
struct device_file {
	struct device *rows;
	size_t n_rows;
};

/*
 * The built-in rows with those of the file added or put in their place. Returns 0, or a negative
 * errno with file and line in err.
 */
int device_file_load(const char *path, struct device_file *ret, struct err *err);
void device_file_clear(struct device_file *file);

static inline struct device_table device_file_table(const struct device_file *file)
{
	return (struct device_table){file->rows, file->n_rows};
}
