/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Inventories for tests, in a few words. */
#include "inventory/addr.h"
#include "inventory/inventory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A GPU function as a test writes it; what is not named is absent. */
struct gpu_row {
	const char *addr;
	uint16_t vendor, device, pci_class;
	const char *driver;   /* NULL: none; "!why": not readable */
	int group;            /* 0: none, -1: not readable */
	const char *physfn;   /* NULL: none; "!why": not readable */
	const char *vfs[4];   /* what the virtfn links name */
	const char *numvfs;   /* NULL: no such file; "!why": not readable */
	const char *vf_links; /* "!why": not readable */
};

static inline struct fact make_text(const char *text)
{
	if (!text)
		return (struct fact){0};
	if (text[0] == '!')
		return (struct fact){.state = FACT_FAILED, .text = strdup(text + 1)};
	return (struct fact){.state = FACT_KNOWN, .text = strdup(text)};
}

static inline struct addr make_addr(const char *text)
{
	struct addr addr;

	if (!addr_parse(text, &addr))
		abort();
	return addr;
}

static inline struct fact make_addr_fact(const char *text)
{
	if (!text || text[0] == '!')
		return make_text(text);
	return (struct fact){.state = FACT_KNOWN, .addr = make_addr(text)};
}

static inline struct fact make_number(const char *text)
{
	if (!text || text[0] == '!')
		return make_text(text);
	return (struct fact){.state = FACT_KNOWN, .number = atoll(text)};
}

static inline struct fact make_group(int group)
{
	if (group == 0)
		return (struct fact){0};
	if (group < 0)
		return make_text("!iommu_group: is no link");
	return (struct fact){.state = FACT_KNOWN, .number = group};
}

static inline struct function make_function(const struct gpu_row *row)
{
	struct function function = {
		.addr = make_addr(row->addr),
		.vendor = row->vendor,
		.device = row->device ? (struct fact){.state = FACT_KNOWN, .number = row->device}
				      : make_text("!device is empty"),
		.pci_class = row->pci_class,
		.driver = make_text(row->driver),
		.iommu_group = make_group(row->group),
		.physfn = make_addr_fact(row->physfn),
		.numvfs = make_number(row->numvfs),
		.vf_links = make_text(row->vf_links),
	};

	while (function.n_vfs < 4 && row->vfs[function.n_vfs])
		function.n_vfs++;
	if (function.n_vfs > 0)
		function.vfs = calloc(function.n_vfs, sizeof(*function.vfs));
	for (size_t i = 0; i < function.n_vfs; i++)
		function.vfs[i] = make_addr(row->vfs[i]);
	return function;
}

static inline void make_gpu(struct inventory *inventory, const struct gpu_row *row)
{
	struct function function = make_function(row);

	if (inventory_add_gpu(inventory, &function))
		abort();
}

static inline void make_other(struct inventory *inventory, const struct gpu_row *row)
{
	struct function function = make_function(row);

	if (inventory_add_other(inventory, &function))
		abort();
}

static inline void make_module(struct inventory *inventory, const char *name, const char *version,
			       const char *srcversion)
{
	struct module module = {.name = strdup(name),
				.version = make_text(version),
				.srcversion = make_text(srcversion)};

	if (inventory_add_module(inventory, &module))
		abort();
}
