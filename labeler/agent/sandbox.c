/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sandbox.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "config.h"
#include "kube/access.h"
#include "output/feature_file.h"

#include <string.h>

/* What libraries read by themselves: names of hosts and devices, certificates, modules. Not among
 * them: homes, /var/lib with the secrets of other pods, temporary files. */
static const char *const system_reads[] = {"/etc", "/usr", "/lib", "/lib64", "/sys",    "/proc",
					   "/run", "/opt", "/bin", "/sbin",  "/srv/pki"};
/* What is read below the host's root. */
static const char *const host_reads[] = {"sys", "proc", "lib", "usr", "etc"};

static void paths_clear(struct confine_paths *paths)
{
	for (size_t i = 0; i < paths->n_items; i++)
		free(paths->items[i].dir);
	free(paths->items);
	*paths = (struct confine_paths){0};
}

/* Takes over the directory; NULL: memory ran out. */
static void add(struct confine_paths *paths, char *dir, enum confine_how how, bool needed)
{
	struct confine_path *grown =
		dir ? reallocarray(paths->items, paths->n_items + 1, sizeof(*grown)) : NULL;

	if (!grown) {
		free(dir);
		paths->failed = true;
		return;
	}
	paths->items = grown;
	grown[paths->n_items++] = (struct confine_path){dir, how, needed};
}

static void add_read(struct confine_paths *paths, char *dir)
{
	add(paths, dir, CONFINE_READ, false);
}

/* Is the directory, or one above it, open for that? */
static bool is_open(const struct confine_paths *paths, const struct confine_path *wanted)
{
	for (size_t i = 0; i < paths->n_items; i++) {
		const struct confine_path *path = &paths->items[i];
		const size_t len = strlen(path->dir);

		if (path->how >= wanted->how && strncmp(path->dir, wanted->dir, len) == 0 &&
		    (!wanted->dir[len] || wanted->dir[len] == '/'))
			return true;
	}
	return false;
}

static bool are_open(const struct confine_paths *paths, const struct confine_paths *wanted)
{
	for (size_t i = 0; i < wanted->n_items; i++) {
		if (!is_open(paths, &wanted->items[i]))
			return false;
	}
	return true;
}

/* The directory that a path is in; NULL where memory ran out. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Where a file is, and where it is in truth: it is replaced there when it is renewed. */
static void add_file(struct confine_paths *paths, const char *file, bool needed)
{
	auto_free char *real = file ? realpath(file, NULL) : NULL;

	if (file)
		add(paths, dir_of(file), CONFINE_READ, needed);
	if (real)
		add_read(paths, dir_of(real));
}

static void add_devices(struct confine_paths *paths, const char *root)
{
	char *path = NULL;

	if (asprintf(&path, "%s/dev", root) < 0)
		path = NULL;
	add(paths, path, CONFINE_USE, false);
}

static void add_host(struct confine_paths *paths, const char *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_reads); i++) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s", root, host_reads[i]) < 0)
			path = NULL;
		add_read(paths, path);
	}
	add_devices(paths, root);
}

/* Of a list with colons between. */
static void add_kubeconfigs(struct confine_paths *paths, const char *list)
{
	auto_free char *copy = strdup(list);
	char *rest = copy;

	paths->failed |= !copy;
	for (char *file; rest && (file = strsep(&rest, ":"));)
		add_file(paths, *file ? file : NULL, false);
}

static bool asks_server(const struct config *config)
{
	return config->outputs & (1U << CONFIG_OUTPUT_NODE | 1U << CONFIG_OUTPUT_NODE_FEATURE);
}

/* True where a credential plugin has to be run. */
static bool add_access(struct confine_paths *paths, const struct config *config)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	const char *home = getenv("HOME");
	struct err err;

	if (config->kubeconfig)
		add_kubeconfigs(paths, config->kubeconfig);
	if (kube_access_find(config->kubeconfig, config->context, &access, &err) < 0)
		return false; /* the output has said why */
	add_file(paths, access.ca.file, true);
	add_file(paths, access.cert.file, true);
	add_file(paths, access.key.file, true);
	add_file(paths, access.token_file, true);
	if (!config->kubeconfig && home) {
		char *path = NULL;

		add_read(paths, asprintf(&path, "%s/.kube", home) < 0 ? NULL : path);
	}
	return access.exec.command;
}

/*
 * The parent of the directory of feature files: that directory may be removed and made anew while
 * we run. Not where the parent is the root itself.
 */
static char *dir_to_write(const char *features_dir)
{
	auto_free char *copy = strdup(features_dir);
	auto_free char *parent = NULL;

	for (size_t len = copy ? strlen(copy) : 0; len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	parent = copy ? dir_of(copy) : NULL;
	return parent && strcmp(parent, "/") != 0 ? TAKE_PTR(parent) : TAKE_PTR(copy);
}

/* A link to it may be what is removed and made anew, or what it leads to. */
static void add_features(struct confine_paths *paths, const char *dir)
{
	auto_free char *real = realpath(dir, NULL);

	add(paths, dir_to_write(dir), CONFINE_WRITE, true);
	if (real)
		add(paths, dir_to_write(real), CONFINE_WRITE, false);
}

/* Fills *ret. True where the config makes the agent run other programs. */
static bool paths_of(const struct config *config, const char *config_file,
		     struct confine_paths *ret)
{
	bool exec = false;

	for (size_t i = 0; i < ARRAY_SIZE(system_reads); i++)
		add_read(ret, strdup(system_reads[i]));
	if (config->root)
		add_host(ret, config->root);
	if (config->sysfs)
		add_read(ret, strdup(config->sysfs));
	add_file(ret, config_file, false);
	add_file(ret, config->device_table, false);
	if (asks_server(config))
		exec = add_access(ret, config);
	add_devices(ret, "");
	if (config->outputs & 1U << CONFIG_OUTPUT_FILE)
		add_features(ret, config->features_dir ? config->features_dir : FEATURE_FILE_DIR);
	return exec;
}

static void say(const struct sandbox *sandbox, bool exec)
{
	CLEANUP(strbuf_clear) struct strbuf text = {0};

	for (unsigned int i = 0; i < CONFINE_PARTS; i++)
		strbuf_addf(&text, "%s%s %s", i ? ", " : "", confine_part_names[i],
			    sandbox->in_force >> i & 1 ? "yes" : "no");
	log_line(LEVEL_INFO, NULL, "sandbox: %s%s", text.text ? text.text : "",
		 exec ? ": the credential plugin of the kubeconfig needs files and programs" : "");
}

void sandbox_enter(struct sandbox *sandbox, const struct config *config, const char *config_file)
{
	bool exec;

	if (config->no_sandbox) {
		log_line(LEVEL_INFO, NULL, "sandbox: off");
		return;
	}
	exec = paths_of(config, config_file, &sandbox->paths);
	sandbox->is_on = true;
	sandbox->in_force = confine_rights(exec);
	if (!exec && confine_files(&sandbox->paths))
		sandbox->in_force |= 1U << CONFINE_LANDLOCK;
	sandbox->may_close_files = !exec;
	say(sandbox, exec);
}

void sandbox_check(struct sandbox *sandbox)
{
	if (!sandbox->may_close_files || sandbox->in_force & 1U << CONFINE_LANDLOCK ||
	    !confine_files(&sandbox->paths))
		return;
	sandbox->in_force |= 1U << CONFINE_LANDLOCK;
	log_line(LEVEL_INFO, NULL, "sandbox: landlock yes");
}

void sandbox_compare(struct sandbox *sandbox, const struct config *config, const char *config_file)
{
	CLEANUP(paths_clear) struct confine_paths wanted = {0};

	if (!sandbox->is_on)
		return;
	(void)paths_of(config, config_file, &wanted);
	if (!(sandbox->in_force & 1U << CONFINE_LANDLOCK))
		SWAP(sandbox->paths, wanted); /* files are not closed yet: it will be these */
	else if (!are_open(&sandbox->paths, &wanted) || config->no_sandbox)
		log_line(LEVEL_WARNING, NULL,
			 "the sandbox stays as it was closed at the start: restart the agent where "
			 "the new settings name other places");
}

void sandbox_clear(struct sandbox *sandbox)
{
	paths_clear(&sandbox->paths);
}
