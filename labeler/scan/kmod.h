/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The version that a module's file carries, by libkmod. Source: <root>/lib/modules/<release>. */
struct err;

/*
 * Returns 0 with *ret the version (owned by the caller) or NULL where the file has none, -ENOENT
 * where there is no such module or module tree, or another negative errno.
 */
int scan_kmod_version(const char *root, const char *release, const char *module, char **ret,
		      struct err *err);
