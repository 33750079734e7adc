/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The loaded kernel modules that drive GPUs: version and srcversion. */
struct err;
struct host;
struct inventory;
struct scan_options;

/*
 * Adds a module for each driver of our interest that is bound to one of the inventory's GPUs, and
 * the release of the running kernel. What is not there is absent. Returns 0 or -ENOMEM.
 */
int scan_modules(const struct host *host, const struct scan_options *options,
		 struct inventory *inventory, struct err *err);
