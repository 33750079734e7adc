/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/checkup.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/host_facts.h"
#include "scan/host.h"
#include "scan/kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
	CMDLINE_MAX = 8 * 1024,
	MODPROBE_MAX = 64 * 1024, /* of one file */
	RESOURCE_MAX = 4096,
	NAMES_MAX = 256, /* of a directory, that are looked at */
};

static int set_text(struct fact *fact, enum fact_state state, char *text)
{
	fact->state = text ? state : FACT_ABSENT;
	fact->text = text;
	return text ? 0 : -ENOMEM;
}

static int set_failed(struct fact *fact, const char *path, int r)
{
	char *text = NULL;

	if (asprintf(&text, "%s: %s", path, host_reason(r)) < 0)
		text = NULL;
	return set_text(fact, FACT_FAILED, text);
}

/* strcmp() for qsort() of an array of strings. */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char *items[NAMES_MAX]; /* owned */
	size_t n_items;
};

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->items[i]);
	names->n_items = 0;
}

/* What a directory has, sorted; hidden names left out. Returns 0, HOST_ABSENT or a negative errno.
 */
static int list_names(int dir, const char *path, struct names *ret)
{
	auto_closedir DIR *list = host_list(dir, path);
	const struct dirent *entry;

	if (!list)
		return errno == ENOENT ? HOST_ABSENT : -errno;
	while (ret->n_items < NAMES_MAX && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		ret->items[ret->n_items] = strdup(entry->d_name);
		if (!ret->items[ret->n_items])
			return -ENOMEM;
		ret->n_items++;
	}
	qsort(ret->items, ret->n_items, sizeof(*ret->items), compare_names);
	return 0;
}

/* The kernel makes the directory in any case: where it isn't, this is no sysfs that could tell. */
static int read_iommus(const struct host *host, struct host_facts *facts)
{
	static const char path[] = "class/iommu";
	CLEANUP(names_clear) struct names names = {0};
	CLEANUP(strbuf_clear) struct strbuf text = {0};
	const int r = list_names(host->sys_fd, path, &names);

	if (r == -ENOMEM)
		return r;
	if (r != 0)
		return set_failed(&facts->iommus, path, r == HOST_ABSENT ? -ENOENT : r);
	for (size_t i = 0; i < names.n_items; i++) {
		char link[128];

		/* Looked at, so that a capture has it as well. */
		(void)snprintf(link, sizeof(link), "%s/%.80s", path, names.items[i]);
		(void)host_find(host->sys_fd, link);
		strbuf_addf(&text, "%s%s", i > 0 ? " " : "", names.items[i]);
	}
	return names.n_items > 0 ? set_text(&facts->iommus, FACT_KNOWN, strbuf_take(&text)) : 0;
}

static int read_boot_words(const struct host *host, struct host_facts *facts)
{
	static const char path[] = "proc/cmdline";
	auto_free char *text = NULL;
	size_t len = 0;
	const int r = host_read_whole(host->root_fd, path, CMDLINE_MAX, &text, &len);

	if (r == -ENOMEM)
		return r;
	if (r != 0)
		return set_failed(&facts->boot_words, path, r == HOST_ABSENT ? -ENOENT : r);
	return set_text(&facts->boot_words, FACT_KNOWN, host_facts_boot_words(text));
}

/* The first line of a file that bans a module, into its fact. */
static int read_bans_of_file(const char *path, const char *text, struct host_facts *facts)
{
	for (; *text; text += text[strcspn(text, "\n")] == '\n') {
		auto_free char *line = strndup(text, strcspn(text, "\n"));

		if (!line)
			return -ENOMEM;
		for (enum host_module i = 0; i < HOST_MODULES; i++) {
			struct fact *fact = &facts->modules[i].banned;
			char *what = NULL;

			if (fact_known(fact) || !host_facts_bans(line, host_module_name(i)))
				continue;
			fact_clear(fact);
			if (asprintf(&what, "/%s: %s", path, line) < 0)
				return -ENOMEM;
			(void)set_text(fact, FACT_KNOWN, what);
		}
		text += strcspn(text, "\n");
	}
	return 0;
}

/* modprobe reads no other. */
static bool is_conf(const char *name)
{
	const size_t len = strlen(name);

	return len > strlen(".conf") && strcmp(name + len - strlen(".conf"), ".conf") == 0;
}

/* Returns 0, HOST_ABSENT where there is no such directory, or -ENOMEM. */
static int read_bans_of_dir(const struct host *host, const char *dir, struct host_facts *facts)
{
	CLEANUP(names_clear) struct names names = {0};
	int r = list_names(host->root_fd, dir, &names);

	for (size_t i = 0; r == 0 && i < names.n_items; i++) {
		auto_free char *path = NULL;
		auto_free char *text = NULL;
		size_t len = 0;

		if (!is_conf(names.items[i]))
			continue;
		if (asprintf(&path, "%s/%s", dir, names.items[i]) < 0)
			return -ENOMEM;
		/* Another file may say more: one that cannot be read is passed over. */
		if (host_read_whole(host->root_fd, path, MODPROBE_MAX, &text, &len) == 0)
			r = read_bans_of_file(path, text, facts);
	}
	return r < 0 && r != -ENOMEM ? HOST_ABSENT : r;
}

static int read_bans(const struct host *host, struct host_facts *facts)
{
	static const char *const dirs[] = {"etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d",
					   "lib/modprobe.d"};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		const int r = read_bans_of_dir(host, dirs[i], facts);

		if (r < 0)
			return r;
		any |= r == 0;
	}
	for (size_t i = 0; !any && i < HOST_MODULES; i++) {
		if (set_failed(&facts->modules[i].banned, "/etc/modprobe.d", -ENOENT))
			return -ENOMEM;
	}
	return 0;
}

static int read_file_state(const struct host *host, const struct fact *kernel, const char *name,
			   struct fact *ret)
{
	static const char *const words[] = {[KMOD_FILE] = "file", [KMOD_BUILTIN] = "builtin"};
	enum kmod_state state;
	struct err why;
	int r;

	if (!fact_known(kernel))
		return set_text(ret, FACT_FAILED, strdup("the release of the kernel is not known"));
	r = scan_kmod_state(host->root, kernel->text, name, &state, &why);
	if (r < 0)
		return set_text(ret, FACT_FAILED, strdup(why.text));
	return state == KMOD_NONE ? 0 : set_text(ret, FACT_KNOWN, strdup(words[state]));
}

static int read_module(const struct host *host, const struct inventory *inventory,
		       enum host_module module, struct host_module_facts *ret)
{
	const char *name = host_module_name(module);
	char path[96];
	int r;

	(void)snprintf(path, sizeof(path), "module/%s", name);
	r = host_find(host->sys_fd, path);
	if (r == 0)
		ret->loaded = (struct fact){.state = FACT_KNOWN, .number = 1};
	else if (r < 0 && set_failed(&ret->loaded, path, r))
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "module/%s/version", name);
	r = host_text(host->sys_fd, path, &ret->version);
	if (r < 0)
		return r;
	return read_file_state(host, &inventory->kernel, name, &ret->file);
}

/* BARs stand on several lines, which is more than host_text() takes. */
static int read_resource(int dir, struct fact *ret)
{
	char *text = NULL;
	size_t len = 0;
	const int r = host_read_whole(dir, "resource", RESOURCE_MAX, &text, &len);

	if (r == HOST_ABSENT || r == -ENOMEM)
		return r < 0 ? r : 0;
	if (r < 0 || len == 0) {
		free(text);
		return set_failed(ret, "resource", r < 0 ? r : -ENODATA);
	}
	return set_text(ret, FACT_KNOWN, text);
}

static int read_config_id(int dir, struct fact *ret)
{
	unsigned char id[4];
	const int r = host_read_head(dir, "config", id, sizeof(id));

	if (r == HOST_ABSENT)
		return 0;
	if (r < 0)
		return set_failed(ret, "config", r);
	ret->state = FACT_KNOWN;
	ret->number = id[0] | id[1] << 8 | id[2] << 16 | (int64_t)id[3] << 24;
	return 0;
}

static int read_function(const struct host *host, const struct function *gpu,
			 struct function_facts *ret)
{
	const struct host_range flag = {10, 0, 1};
	char path[96];
	int r;

	(void)snprintf(path, sizeof(path), "bus/pci/devices/%s", addr_text(gpu->addr).text);
	auto_close int dir = openat(host->sys_fd, path, O_PATH | O_CLOEXEC);
	if (dir < 0) /* it went away meanwhile: nothing is there */
		return 0;
	r = host_text(dir, "power_state", &ret->power_state);
	if (r == 0)
		r = host_text(dir, "reset_method", &ret->reset_method);
	if (r == 0)
		r = host_text(dir, "driver_override", &ret->driver_override);
	if (r == 0)
		r = host_number(dir, "ari_enabled", flag, &ret->ari_enabled);
	if (r == 0)
		r = read_config_id(dir, &ret->config_id);
	if (r == 0)
		r = read_resource(dir, &ret->resource);
	return r;
}

static int read_all(const struct host *host, const struct inventory *inventory,
		    struct host_facts *facts)
{
	int r = read_iommus(host, facts);

	if (r == 0)
		r = read_boot_words(host, facts);
	if (r == 0)
		r = host_text(host->sys_fd,
			      "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
			      &facts->unsafe_interrupts);
	for (enum host_module i = 0; r == 0 && i < HOST_MODULES; i++)
		r = read_module(host, inventory, i, &facts->modules[i]);
	if (r == 0)
		r = read_bans(host, facts);
	facts->functions = calloc(inventory->n_gpus + 1, sizeof(*facts->functions));
	if (!facts->functions)
		return -ENOMEM;
	facts->n_functions = inventory->n_gpus;
	for (size_t i = 0; r == 0 && i < inventory->n_gpus; i++)
		r = read_function(host, &inventory->gpus[i], &facts->functions[i]);
	return r;
}

int scan_checkup(const struct host *host, const struct inventory *inventory, struct host_facts *ret,
		 struct err *err)
{
	CLEANUP(host_facts_clear) struct host_facts facts = {0};

	if (read_all(host, inventory, &facts) < 0)
		return err_set(err, -ENOMEM, "out of memory for the state of the host");
	SWAP(*ret, facts);
	return 0;
}
