/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/kmod.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/library.h"

#include <errno.h>
#include <libkmod.h>
#include <string.h>

/*
 * libkmod comes into memory for the one question and leaves again: it brings OpenSSL, zstd and
 * lzma, more than the rest of an agent that may never ask. Its header still checks our use of it.
 */
struct libkmod {
	struct library library;
	__typeof__(kmod_new) *new;
	__typeof__(kmod_unref) *unref;
	__typeof__(kmod_set_log_fn) *set_log_fn;
	__typeof__(kmod_module_new_from_name) *module_new_from_name;
	__typeof__(kmod_module_unref) *module_unref;
	__typeof__(kmod_module_get_info) *module_get_info;
	__typeof__(kmod_module_info_get_key) *info_get_key;
	__typeof__(kmod_module_info_get_value) *info_get_value;
	__typeof__(kmod_module_info_free_list) *info_free_list;
	__typeof__(kmod_list_next) *list_next;
};

static void libkmod_close(struct libkmod *lib)
{
	library_close(&lib->library);
}

/* Finds every function, or says which is missing. */
static int libkmod_open(struct libkmod *lib, struct err *err)
{
	const struct library_function functions[] = {
		LIBRARY_FUNCTION(kmod_new, &lib->new),
		LIBRARY_FUNCTION(kmod_unref, &lib->unref),
		LIBRARY_FUNCTION(kmod_set_log_fn, &lib->set_log_fn),
		LIBRARY_FUNCTION(kmod_module_new_from_name, &lib->module_new_from_name),
		LIBRARY_FUNCTION(kmod_module_unref, &lib->module_unref),
		LIBRARY_FUNCTION(kmod_module_get_info, &lib->module_get_info),
		LIBRARY_FUNCTION(kmod_module_info_get_key, &lib->info_get_key),
		LIBRARY_FUNCTION(kmod_module_info_get_value, &lib->info_get_value),
		LIBRARY_FUNCTION(kmod_module_info_free_list, &lib->info_free_list),
		LIBRARY_FUNCTION(kmod_list_next, &lib->list_next),
	};
	static const char *const names[] = {"libkmod.so.2", NULL};

	return library_open(&lib->library, "libkmod", names, functions, ARRAY_SIZE(functions), err);
}

/* libkmod writes to stderr by default: what matters comes back as an error. */
static void say_nothing(void *data, int priority, const char *file, int line, const char *function,
			const char *format, va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)function, (void)format;
	(void)args;
}

/* NOLINTBEGIN(clang-analyzer-core.CallAndMessage): libkmod_open() sets every pointer or fails */
static int copy_version(const struct libkmod *lib, const struct kmod_list *info, char **ret)
{
	for (const struct kmod_list *entry = info; entry; entry = lib->list_next(info, entry)) {
		if (strcmp(lib->info_get_key(entry), "version") == 0) {
			*ret = strdup(lib->info_get_value(entry));
			return *ret ? 0 : -ENOMEM;
		}
	}
	*ret = NULL;
	return 0;
}

static int read_version(const struct libkmod *lib, struct kmod_ctx *context, const char *module,
			char **ret)
{
	struct kmod_module *file = NULL;
	struct kmod_list *info = NULL;
	int r;

	lib->set_log_fn(context, say_nothing, NULL);
	r = lib->module_new_from_name(context, module, &file);
	if (r == 0)
		r = lib->module_get_info(file, &info);
	if (r >= 0)
		r = copy_version(lib, info, ret);
	lib->info_free_list(info);
	lib->module_unref(file);
	return r;
}

int scan_kmod_version(const char *root, const char *release, const char *module, char **ret,
		      struct err *err)
{
	const char *no_config = NULL;
	CLEANUP(libkmod_close) struct libkmod lib = {0};
	struct kmod_ctx *context;
	auto_free char *tree = NULL;
	int r = libkmod_open(&lib, err);

	if (r < 0)
		return r;
	if (asprintf(&tree, "%s/lib/modules/%s", root, release) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	context = lib.new(tree, &no_config);
	if (!context)
		return err_set(err, -ENOMEM, "out of memory");
	r = read_version(&lib, context, module, ret);
	lib.unref(context);
	return r < 0 ? err_set(err, r, "%s: module %s: %s", tree, module, strerror(-r)) : 0;
}
/* NOLINTEND(clang-analyzer-core.CallAndMessage) */
