/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A sysfs in a temporary directory, written file by file. */
#include "make.h"

#include "base/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/stat.h>

struct tree {
	char root[64];
};

static inline void tree_open(struct tree *tree)
{
	(void)snprintf(tree->root, sizeof(tree->root), "/tmp/gpu-labeler-test-XXXXXX");
	if (!mkdtemp(tree->root))
		abort();
}

static inline int tree_remove_one(const char *path, const struct stat *about, int type,
				  struct FTW *at)
{
	(void)about, (void)type, (void)at;
	return remove(path);
}

static inline void tree_close(struct tree *tree)
{
	(void)nftw(tree->root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path below the root, its directories made. */
static inline char *__attribute__((format(printf, 2, 0)))
tree_path(const struct tree *tree, const char *format, va_list args)
{
	auto_free char *below = NULL;
	char *path = NULL;

	if (vasprintf(&below, format, args) < 0 || asprintf(&path, "%s/%s", tree->root, below) < 0)
		abort();
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
	return path;
}

static inline void __attribute__((format(printf, 3, 4)))
tree_file(const struct tree *tree, const char *text, const char *format, ...)
{
	auto_free char *path = NULL;
	va_list args;

	va_start(args, format);
	path = tree_path(tree, format, args);
	va_end(args);
	auto_fclose FILE *file = fopen(path, "we");
	if (!file || fputs(text, file) < 0)
		abort();
}

static inline void __attribute__((format(printf, 3, 4)))
tree_link(const struct tree *tree, const char *target, const char *format, ...)
{
	auto_free char *path = NULL;
	va_list args;

	va_start(args, format);
	path = tree_path(tree, format, args);
	va_end(args);
	if (symlink(target, path) < 0)
		abort();
}

static inline void __attribute__((format(printf, 2, 3)))
tree_dir(const struct tree *tree, const char *format, ...)
{
	auto_free char *path = NULL;
	va_list args;

	va_start(args, format);
	path = tree_path(tree, format, args);
	va_end(args);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		abort();
}

#define TREE_DEVICES "sys/bus/pci/devices"

/* A function with the links and files that the row names; "!" texts become broken ones. */
static inline void tree_function(const struct tree *tree, const struct gpu_row *row)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "0x%04x\n", row->vendor);
	tree_file(tree, text, TREE_DEVICES "/%s/vendor", row->addr);
	(void)snprintf(text, sizeof(text), "0x%04x\n", row->device);
	tree_file(tree, text, TREE_DEVICES "/%s/device", row->addr);
	(void)snprintf(text, sizeof(text), "0x%04x00\n", row->pci_class);
	tree_file(tree, text, TREE_DEVICES "/%s/class", row->addr);
	tree_file(tree, "-1\n", TREE_DEVICES "/%s/numa_node", row->addr);
	if (row->driver && row->driver[0] == '!')
		tree_file(tree, "no link", TREE_DEVICES "/%s/driver", row->addr);
	else if (row->driver) {
		(void)snprintf(text, sizeof(text), "../../drivers/%s", row->driver);
		tree_link(tree, text, TREE_DEVICES "/%s/driver", row->addr);
	}
	if (row->group < 0)
		tree_link(tree, "iommu_group", TREE_DEVICES "/%s/iommu_group", row->addr);
	else if (row->group > 0) {
		(void)snprintf(text, sizeof(text), "../../../../kernel/iommu_groups/%d",
			       row->group);
		tree_link(tree, text, TREE_DEVICES "/%s/iommu_group", row->addr);
	}
	if (row->physfn) {
		(void)snprintf(text, sizeof(text), "../%s", row->physfn);
		tree_link(tree, text, TREE_DEVICES "/%s/physfn", row->addr);
	}
	for (size_t i = 0; i < 4 && row->vfs[i]; i++) {
		(void)snprintf(text, sizeof(text), "../%s", row->vfs[i]);
		tree_link(tree, text, TREE_DEVICES "/%s/virtfn%zu", row->addr, i);
	}
	if (row->numvfs)
		tree_file(tree, row->numvfs, TREE_DEVICES "/%s/sriov_numvfs", row->addr);
}
