/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What there is on disk of a kernel module, by libkmod. Source: <root>/lib/modules/<release>. A
 * captured machine has no module files, which are large, but modules.captured in that directory:
 *
 *   state NAME builtin|file|none
 *   version NAME VERSION
 */
struct err;

enum {
	KMOD_CAPTURED_MAX = 16 * 1024,
};

/*
 * Returns 0 with *ret the version (owned by the caller) or NULL where the file has none, -ENOENT
 * where there is no such module or module tree, or another negative errno.
 */
int scan_kmod_version(const char *root, const char *release, const char *module, char **ret,
		      struct err *err);

/* Where a module comes from. Returns 0, or a negative errno where nobody can be asked. */
enum kmod_state {
	KMOD_NONE,
	KMOD_FILE,
	KMOD_BUILTIN,
	KMOD_STATES,
};
int scan_kmod_state(const char *root, const char *release, const char *module, enum kmod_state *ret,
		    struct err *err);
