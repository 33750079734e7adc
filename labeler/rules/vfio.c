/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vfio markers of both vendors: what can be handed to a VM now. What is handed over is the
 * IOMMU group, not the function, hence the two counts of groups.
 */
#include "base/cleanup.h"
#include "inventory/devices.h"
#include "inventory/groups.h"
#include "inventory/inventory.h"
#include "rules/count.h"
#include "rules/kinds.h"
#include "rules/mode.h"
#include "rules/rules.h"

#include <string.h>

enum {
	CLASS_PCI_BRIDGE = 0x0604,
};

static struct label_value amd_id(const struct function *gpu, const struct rule_options *options)
{
	return kinds_device_id(gpu, options->device_id_0x);
}

static struct label_value intel_id(const struct function *gpu, const struct rule_options *options)
{
	(void)options;
	return kinds_intel_id(gpu);
}

static const struct vendor {
	uint16_t id;
	const char *base;
	struct label_value (*device_id)(const struct function *gpu,
					const struct rule_options *options);
} vendors[] = {
	/* clang-format off */
	{VENDOR_AMD,   "amd.com/gpu.vfio",    amd_id},
	{VENDOR_INTEL, "gpu.intel.com/vfio",  intel_id},
	/* clang-format on */
};

/* Does the kernel refuse to open the group to a VM because of this function in it? */
static bool blocks(const struct function *function)
{
	const struct fact *driver = &function->driver;

	if (function->pci_class == CLASS_PCI_BRIDGE || driver->state == FACT_ABSENT)
		return false;
	return !fact_known(driver) ||
	       (!inventory_is_vfio(driver->text) && !fact_is(driver, "pci-stub"));
}

/* Adds the groups that these functions block to blocked, where a VM could want them. */
static void find_blocked(const struct function *functions, size_t n, const struct groups *wanted,
			 struct groups *blocked, struct notes *notes)
{
	for (size_t i = 0; i < n; i++) {
		const struct fact *group = &functions[i].iommu_group;
		const struct fact *driver = &functions[i].driver;

		if (!fact_known(group) || !groups_have(wanted, group->number) ||
		    !blocks(&functions[i]))
			continue;
		groups_add(blocked, group->number);
		notes_add(notes, NOTE_WARNING,
			  "%s: %s%s: IOMMU group %lld cannot be given to a VM while it is so",
			  addr_text(functions[i].addr).text,
			  fact_known(driver) ? "its driver is " : "its driver cannot be read",
			  fact_known(driver) ? driver->text : "", (long long)group->number);
	}
}

static size_t count_viable(const struct inventory *inventory, const struct groups *groups,
			   struct verdict *verdict)
{
	CLEANUP(groups_clear) struct groups blocked = {0};

	find_blocked(inventory->gpus, inventory->n_gpus, groups, &blocked, &verdict->notes);
	find_blocked(inventory->others, inventory->n_others, groups, &blocked, &verdict->notes);
	groups_tidy(&blocked);
	verdict->labels.failed |= blocked.failed;
	return groups->n_items - blocked.n_items;
}

static void put_groups(const struct inventory *inventory, const struct vendor *vendor,
		       const struct picks *gpus, struct verdict *verdict)
{
	CLEANUP(groups_clear) struct groups groups = {0};
	const struct origin distinct = {"IOMMU groups of the usable functions", gpus};
	const struct origin viable = {"of these, the groups with no function in other hands", gpus};

	for (size_t i = 0; i < gpus->n_items; i++)
		groups_add(&groups, inventory->gpus[gpus->items[i]].iommu_group.number);
	groups_tidy(&groups);
	verdict->labels.failed |= groups.failed;
	kinds_put(verdict, distinct, count_text(groups.n_items).text, "%s.iommu-groups",
		  vendor->base);
	kinds_put(verdict, viable, count_text(count_viable(inventory, &groups, verdict)).text,
		  "%s.iommu-groups-viable", vendor->base);
}

static const char *type_of(const struct picks *gpus, const struct part *parts)
{
	size_t vfs = 0;

	for (size_t i = 0; i < gpus->n_items; i++)
		vfs += parts[gpus->items[i]].is_vf;
	if (vfs == 0)
		return "pf";
	return vfs == gpus->n_items ? "vf" : "mixed";
}

static struct label_value driver_of(const struct inventory *inventory, const struct picks *gpus)
{
	const char *first = inventory->gpus[gpus->items[0]].driver.text;

	for (size_t i = 1; i < gpus->n_items; i++) {
		if (strcmp(inventory->gpus[gpus->items[i]].driver.text, first) != 0)
			return validity_clean("mixed");
	}
	return validity_clean(first);
}

static void put_ids(const struct inventory *inventory, const struct rule_options *options,
		    const struct vendor *vendor, const struct picks *gpus, struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally tally = {0};

	for (size_t i = 0; i < gpus->n_items; i++) {
		const size_t gpu = gpus->items[i];

		tally_add(&tally, vendor->device_id(&inventory->gpus[gpu], options), gpu);
	}
	verdict->labels.failed |= tally.failed;
	for (size_t i = 0; i < tally.n_rows; i++) {
		const struct tally_row *row = &tally.rows[i];
		const struct origin origin = {"usable functions with this id", &row->gpus};

		kinds_put(verdict, origin, "true", "%s.device-id.%s.present", vendor->base,
			  row->value.text);
		kinds_put(verdict, origin, count_text(row->count).text, "%s.device-id.%s.count",
			  vendor->base, row->value.text);
	}
}

static void put_vendor(const struct inventory *inventory, const struct rule_options *options,
		       const struct vendor *vendor, struct verdict *verdict)
{
	CLEANUP(picks_clear) struct picks gpus = {0};
	const struct origin origin = {"functions bound to a vfio driver, in an IOMMU group", &gpus};

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (inventory->gpus[i].vendor == vendor->id && verdict->parts[i].vfio)
			picks_add(&gpus, i);
	}
	verdict->labels.failed |= gpus.failed;
	if (gpus.n_items == 0)
		return;
	kinds_put(verdict, origin, "true", "%s.present", vendor->base);
	kinds_put(verdict, origin, count_text(gpus.n_items).text, "%s.count", vendor->base);
	kinds_put(verdict, origin, type_of(&gpus, verdict->parts), "%s.type", vendor->base);
	kinds_put(verdict, origin, driver_of(inventory, &gpus).text, "%s.driver", vendor->base);
	put_groups(inventory, vendor, &gpus, verdict);
	put_ids(inventory, options, vendor, &gpus, verdict);
}

void vfio_labels(const struct inventory *inventory, const struct rule_options *options,
		 struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		put_vendor(inventory, options, &vendors[i], verdict);
}
