/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/kmod.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <libkmod.h>
#include <string.h>

static void unref_context(struct kmod_ctx **context)
{
	kmod_unref(*context);
}

static void unref_module(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

static void free_info(struct kmod_list **info)
{
	kmod_module_info_free_list(*info);
}

/* libkmod writes to stderr by default: what matters comes back as an error. */
static void say_nothing(void *data, int priority, const char *file, int line, const char *function,
			const char *format, va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)function, (void)format;
	(void)args;
}

static int copy_version(const struct kmod_list *info, char **ret)
{
	const struct kmod_list *entry;

	kmod_list_foreach (entry, info) {
		if (strcmp(kmod_module_info_get_key(entry), "version") == 0) {
			*ret = strdup(kmod_module_info_get_value(entry));
			return *ret ? 0 : -ENOMEM;
		}
	}
	*ret = NULL;
	return 0;
}

int scan_kmod_version(const char *root, const char *release, const char *module, char **ret,
		      struct err *err)
{
	const char *no_config = NULL;
	CLEANUP(unref_context) struct kmod_ctx *context = NULL;
	CLEANUP(unref_module) struct kmod_module *file = NULL;
	CLEANUP(free_info) struct kmod_list *info = NULL;
	auto_free char *tree = NULL;
	int r;

	if (asprintf(&tree, "%s/lib/modules/%s", root, release) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	context = kmod_new(tree, &no_config);
	if (!context)
		return err_set(err, -ENOMEM, "out of memory");
	kmod_set_log_fn(context, say_nothing, NULL);
	r = kmod_module_new_from_name(context, module, &file);
	if (r == 0)
		r = kmod_module_get_info(file, &info);
	if (r < 0)
		return err_set(err, r, "%s: module %s: %s", tree, module, strerror(-r));
	return copy_version(info, ret);
}
