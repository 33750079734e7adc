/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/kmod.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/library.h"
#include "scan/host.h"

#include <errno.h>
#include <fcntl.h>
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
	__typeof__(kmod_module_new_from_lookup) *module_new_from_lookup;
	__typeof__(kmod_module_get_module) *module_get_module;
	__typeof__(kmod_module_get_path) *module_get_path;
	__typeof__(kmod_module_get_initstate) *module_get_initstate;
	__typeof__(kmod_module_unref_list) *module_unref_list;
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
		LIBRARY_FUNCTION(kmod_module_new_from_lookup, &lib->module_new_from_lookup),
		LIBRARY_FUNCTION(kmod_module_get_module, &lib->module_get_module),
		LIBRARY_FUNCTION(kmod_module_get_path, &lib->module_get_path),
		LIBRARY_FUNCTION(kmod_module_get_initstate, &lib->module_get_initstate),
		LIBRARY_FUNCTION(kmod_module_unref_list, &lib->module_unref_list),
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

/* The first module of that name: a name is no alias of several. */
static enum kmod_state state_of(const struct libkmod *lib, const struct kmod_list *list)
{
	struct kmod_module *module = list ? lib->module_get_module(list) : NULL;
	enum kmod_state state = KMOD_NONE;

	if (module && lib->module_get_initstate(module) == KMOD_MODULE_BUILTIN)
		state = KMOD_BUILTIN;
	else if (module && lib->module_get_path(module))
		state = KMOD_FILE;
	lib->module_unref(module);
	return state;
}

static int read_state(const struct libkmod *lib, struct kmod_ctx *context, const char *module,
		      enum kmod_state *ret)
{
	struct kmod_list *list = NULL;
	int r;

	lib->set_log_fn(context, say_nothing, NULL);
	r = lib->module_new_from_lookup(context, module, &list);
	if (r >= 0)
		*ret = state_of(lib, list);
	lib->module_unref_list(list);
	return r;
}
/* NOLINTEND(clang-analyzer-core.CallAndMessage) */

/* The rest of the line in modules.captured that starts so, owned by the caller; NULL: there is
 * none.
 */
static char *find_line(const char *text, const char *start)
{
	const size_t len = strlen(start);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (strncmp(text, start, len) == 0)
			return strndup(text + len, strcspn(text + len, "\n"));
	}
	return NULL;
}

/*
 * Asks a captured machine. Returns 0 with *ret the answer or NULL where it has none, HOST_ABSENT
 * where this is no captured machine, or a negative errno.
 */
static int ask_capture(const char *tree, const char *what, const char *module, char **ret)
{
	auto_close int dir = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free char *text = NULL;
	auto_free char *start = NULL;
	size_t len = 0;
	int r;

	if (dir < 0)
		return -errno;
	r = host_read_whole(dir, "modules.captured", KMOD_CAPTURED_MAX, &text, &len);
	if (r != 0)
		return r;
	if (asprintf(&start, "%s %s ", what, module) < 0)
		return -ENOMEM;
	*ret = find_line(text, start);
	return 0;
}

static void tell(const char *release, const char *what, const char *module, const char *answer)
{
	struct host_watch *watch = host_get_watch();
	auto_free char *line = NULL;

	if (!watch || asprintf(&line, "%s %s %s", what, module, answer) < 0)
		return;
	watch->told(watch, release, line);
}

/* A question to libkmod about one module of a tree. */
struct question {
	const struct libkmod *lib;
	struct kmod_ctx *context;
};

static int open_question(const struct libkmod *lib, const char *tree, struct question *ret)
{
	const char *no_config = NULL;

	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): as above */
	*ret = (struct question){lib, lib->new (tree, &no_config)};
	return ret->context ? 0 : -ENOMEM;
}

static void question_close(struct question *question)
{
	if (question->context)
		question->lib->unref(question->context);
}

static char *tree_of(const char *root, const char *release)
{
	char *tree = NULL;

	return asprintf(&tree, "%s/lib/modules/%s", root, release) < 0 ? NULL : tree;
}

static int failed(struct err *err, int r, const char *tree, const char *module)
{
	return err_set(err, r, "%s: module %s: %s", tree, module, strerror(-r));
}

int scan_kmod_version(const char *root, const char *release, const char *module, char **ret,
		      struct err *err)
{
	auto_free char *tree = tree_of(root, release);
	CLEANUP(libkmod_close) struct libkmod lib = {0};
	CLEANUP(question_close) struct question question = {0};
	int r = tree ? ask_capture(tree, "version", module, ret) : -ENOMEM;

	if (r == 0)
		return 0;
	if (r != HOST_ABSENT)
		return failed(err, r, tree, module);
	r = libkmod_open(&lib, err);
	if (r < 0)
		return r;
	r = open_question(&lib, tree, &question);
	if (r == 0)
		r = read_version(&lib, question.context, module, ret);
	if (r < 0)
		return failed(err, r, tree, module);
	if (*ret)
		tell(release, "version", module, *ret);
	return 0;
}

static const char *const state_names[KMOD_STATES] = {
	[KMOD_NONE] = "none",
	[KMOD_FILE] = "file",
	[KMOD_BUILTIN] = "builtin",
};

static int parse_state(const char *word, enum kmod_state *ret)
{
	for (size_t i = 0; word && i < KMOD_STATES; i++) {
		if (strcmp(word, state_names[i]) == 0) {
			*ret = (enum kmod_state)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* Without its indices a tree says of every module that there is none. */
static int check_tree(const char *tree)
{
	auto_close int dir = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	return faccessat(dir, "modules.dep.bin", R_OK, 0) < 0 ? -errno : 0;
}

int scan_kmod_state(const char *root, const char *release, const char *module, enum kmod_state *ret,
		    struct err *err)
{
	auto_free char *tree = tree_of(root, release);
	auto_free char *word = NULL;
	CLEANUP(libkmod_close) struct libkmod lib = {0};
	CLEANUP(question_close) struct question question = {0};
	int r = tree ? ask_capture(tree, "state", module, &word) : -ENOMEM;

	if (r == 0)
		r = parse_state(word, ret);
	else if (r == HOST_ABSENT)
		r = check_tree(tree);
	if (r < 0)
		return failed(err, r, tree, module);
	if (word)
		return 0;
	r = libkmod_open(&lib, err);
	if (r < 0)
		return r;
	r = open_question(&lib, tree, &question);
	if (r == 0)
		r = read_state(&lib, question.context, module, ret);
	if (r < 0)
		return failed(err, r, tree, module);
	tell(release, "state", module, state_names[*ret]);
	return 0;
}
