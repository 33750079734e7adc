/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/look.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "rules/rules.h"
#include "scan/checkup.h"
#include "scan/drm.h"
#include "scan/host.h"
#include "scan/kmod.h"
#include "scan/scan.h"

static struct scan_options options_of(const struct config *config,
				      const struct device_table *devices)
{
	return (struct scan_options){
		.devices = devices,
		.module_file_version = scan_kmod_version,
		.firmware_features =
			rules_want(&config->rules, "firmware") ? scan_drm_features : NULL,
		.pci_ids_names = config->pci_ids_names,
	};
}

int look_scan(const struct config *config, struct inventory *ret, struct err *err)
{
	const struct device_table devices = config_devices(config);
	const struct scan_options options = options_of(config, &devices);
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	const int r = host_open(&host, config->root, config->sysfs, err);

	return r < 0 ? r : scan(&host, &options, ret, err);
}

int look_checkup(const struct config *config, const struct host *host, struct inventory *inventory,
		 struct host_facts *facts, struct err *err)
{
	const struct device_table devices = config_devices(config);
	const struct scan_options options = options_of(config, &devices);
	const int r = scan(host, &options, inventory, err);

	return r < 0 ? r : scan_checkup(host, inventory, facts, err);
}

int look_take(const struct config *config, struct look *ret, struct err *err)
{
	CLEANUP(look_clear) struct look look = {0};
	int r;

	r = look_scan(config, &look.inventory, err);
	if (r == 0)
		r = rules_apply(&look.inventory, &config->rules, &look.verdict, err);
	if (r == 0)
		SWAP(*ret, look);
	return r;
}

void look_clear(struct look *look)
{
	inventory_clear(&look->inventory);
	verdict_clear(&look->verdict);
}

/* Is there a fact of the new one that failed, and did not before? */
static bool got_worse(const struct function *before, const struct function *now)
{
	const struct fact *old[] = {&before->driver, &before->iommu_group, &before->physfn,
				    &before->numvfs, &before->vf_links};
	const struct fact *new[] = {&now->driver, &now->iommu_group, &now->physfn, &now->numvfs,
				    &now->vf_links};

	for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
		if (new[i]->state == FACT_FAILED && old[i]->state != FACT_FAILED)
			return true;
	}
	return false;
}

bool look_is_doubtful(const struct look *before, const struct look *now)
{
	for (size_t i = 0; i < now->inventory.n_problems; i++) {
		const struct problem *problem = &now->inventory.problems[i];

		if (problem->has_addr && inventory_gpu(&before->inventory, problem->addr))
			return true;
	}
	for (size_t i = 0; i < now->inventory.n_gpus; i++) {
		const struct function *gpu = &now->inventory.gpus[i];
		const struct function *old = inventory_gpu(&before->inventory, gpu->addr);

		if (old && got_worse(old, gpu))
			return true;
	}
	return false;
}

bool look_same_labels(const struct look *a, const struct look *b)
{
	CLEANUP(strbuf_clear) struct strbuf changes = {0};

	labels_diff(&a->verdict.labels, &b->verdict.labels, &changes);
	return changes.len == 0 && !changes.failed;
}
