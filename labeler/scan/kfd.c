/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/kfd.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/inventory.h"
#include "scan/host.h"

#include <errno.h>
#include <string.h>

#define NODES "class/kfd/kfd/topology/nodes"

enum {
	PROPERTIES_MOST = 64 * 1024,
};

/* A line of a properties file: "name number". */
struct property {
	const char *name;
	size_t field;
};
static const struct property of_node[] = {
	/* clang-format off */
	{"simd_count",         offsetof(struct kfd_node, simd_count)},
	{"simd_per_cu",        offsetof(struct kfd_node, simd_per_cu)},
	{"gfx_target_version", offsetof(struct kfd_node, gfx_target_version)},
	{"location_id",        offsetof(struct kfd_node, location_id)},
	{"domain",             offsetof(struct kfd_node, domain)},
	{"drm_render_minor",   offsetof(struct kfd_node, render_minor)},
	/* clang-format on */
};
static const struct property of_bank[] = {
	{"size_in_bytes", offsetof(struct kfd_node, vram)},
};

static int take_line(const char *path, char *line, const struct property *known, size_t n,
		     struct kfd_node *node)
{
	const struct host_range range = {10, 0, known == of_bank ? INT64_MAX : UINT32_MAX};
	char *value = strchr(line, ' ');

	if (!value)
		return 0;
	*value++ = '\0';
	for (size_t i = 0; i < n; i++) {
		struct fact *fact = (struct fact *)(void *)((char *)node + known[i].field);

		if (strcmp(known[i].name, line) == 0 && fact->state == FACT_ABSENT)
			return host_parse_number(path, value, range, fact);
	}
	return 0;
}

static int fail(struct fact *fact, const char *path, int r)
{
	struct err why;

	err_set(&why, 0, "%s: %s", path, host_reason(r));
	fact->text = strdup(why.text);
	fact->state = FACT_FAILED;
	return fact->text ? 0 : -ENOMEM;
}

/* failed: which fact says that the file could not be read. */
static int read_properties(int nodes, const char *path, const struct property *known, size_t n,
			   struct kfd_node *node, struct fact *failed)
{
	auto_free char *text = NULL;
	char *rest;
	int r = host_read_lines(nodes, path, PROPERTIES_MOST, &text);

	if (r == -ENOMEM)
		return r;
	if (r != 0)
		return r == HOST_ABSENT ? 0 : fail(failed, path, r);
	rest = text;
	for (char *line; r == 0 && (line = strsep(&rest, "\n"));)
		r = take_line(path, line, known, n, node);
	return r;
}

static int read_node(int nodes, const char *name, struct kfd_node *node)
{
	const struct host_range ids = {10, 0, INT32_MAX};
	char path[NAME_MAX + 64];
	int r = host_parse_number(NODES, name, ids, &node->id);

	if (r < 0 || !fact_known(&node->id))
		return r;
	(void)snprintf(path, sizeof(path), "%s/properties", name);
	r = read_properties(nodes, path, of_node, ARRAY_SIZE(of_node), node, &node->properties);
	if (r < 0 || !fact_known(&node->simd_count) || node->simd_count.number == 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/mem_banks/0/properties", name);
	return read_properties(nodes, path, of_bank, ARRAY_SIZE(of_bank), node, &node->vram);
}

/* A node of a CPU says so by having no SIMD. */
static bool is_gpu(const struct kfd_node *node)
{
	if (!fact_known(&node->id))
		return false;
	return node->properties.state == FACT_FAILED || node->simd_count.state == FACT_FAILED ||
	       (fact_known(&node->simd_count) && node->simd_count.number > 0);
}

int scan_kfd(const struct host *host, struct inventory *inventory)
{
	auto_closedir DIR *list = NULL;
	const struct dirent *entry;

	if (inventory->n_cards == 0) /* nobody asks */
		return 0;
	list = host_list(host->sys_fd, NODES);
	while (list && (entry = readdir(list))) {
		CLEANUP(kfd_node_clear) struct kfd_node node = {0};
		int r;

		if (entry->d_name[0] == '.')
			continue;
		r = read_node(dirfd(list), entry->d_name, &node);
		if (r == 0 && is_gpu(&node))
			r = inventory_add_kfd(inventory, &node);
		if (r < 0)
			return r;
	}
	return 0;
}
