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
#include "rules/possible.h"
#include "rules/rules.h"

#include <string.h>

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

/* Adds the groups that these functions block to blocked, where a VM could want them. */
static void find_blocked(const struct function *functions, size_t n, const struct groups *wanted,
			 struct groups *blocked, struct notes *notes)
{
	for (size_t i = 0; i < n; i++) {
		const struct fact *group = &functions[i].iommu_group;
		const struct fact *driver = &functions[i].driver;

		if (!fact_known(group) || !groups_have(wanted, group->number) ||
		    !inventory_blocks_group(&functions[i]))
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

/* What a value function may look at. */
struct view {
	const struct inventory *inventory;
	const struct vendor *vendor;
	const struct picks *gpus; /* the vendor's usable functions, at least one */
	struct verdict *verdict;
};

static void find_groups(const struct view *view, struct groups *groups)
{
	for (size_t i = 0; i < view->gpus->n_items; i++)
		groups_add(groups, view->inventory->gpus[view->gpus->items[i]].iommu_group.number);
	groups_tidy(groups);
	view->verdict->labels.failed |= groups->failed;
}

static struct label_value number(size_t n)
{
	return validity_clean(count_text(n).text);
}

static struct label_value present(const struct view *view)
{
	(void)view;
	return validity_clean("true");
}

static struct label_value count(const struct view *view)
{
	return number(view->gpus->n_items);
}

static struct label_value groups_distinct(const struct view *view)
{
	CLEANUP(groups_clear) struct groups groups = {0};

	find_groups(view, &groups);
	return number(groups.n_items);
}

static struct label_value groups_viable(const struct view *view)
{
	CLEANUP(groups_clear) struct groups groups = {0};

	find_groups(view, &groups);
	return number(count_viable(view->inventory, &groups, view->verdict));
}

static struct label_value type(const struct view *view)
{
	size_t vfs = 0;

	for (size_t i = 0; i < view->gpus->n_items; i++)
		vfs += view->verdict->parts[view->gpus->items[i]].is_vf;
	if (vfs == 0)
		return validity_clean("pf");
	return validity_clean(vfs == view->gpus->n_items ? "vf" : "mixed");
}

static struct label_value driver(const struct view *view)
{
	const struct function *gpus = view->inventory->gpus;
	const char *first = gpus[view->gpus->items[0]].driver.text;

	for (size_t i = 1; i < view->gpus->n_items; i++) {
		if (strcmp(gpus[view->gpus->items[i]].driver.text, first) != 0)
			return validity_clean("mixed");
	}
	return validity_clean(first);
}

static const char free_group[] = "bind it to vfio-pci as well, or take its driver off it";

/* A new marker is a row and a value function. */
static const char usable[] = "functions bound to a vfio driver, in an IOMMU group";
static const struct marker {
	const char *name;
	struct rule rule;
	struct label_value (*value)(const struct view *view);
} markers[] = {
	/* clang-format off */
	{"present", {usable, "driver iommu_group", NULL}, present},
	{"count", {usable, "driver iommu_group", NULL}, count},
	{"type", {"PF or VF: which the usable functions are", "driver physfn", NULL}, type},
	{"driver", {"the driver of the usable functions", "driver", NULL}, driver},
	{"iommu-groups", {"IOMMU groups of the usable functions", "iommu_group", NULL},
		groups_distinct},
	{"iommu-groups-viable", {"IOMMU groups of the usable functions, with no function in other hands",
		"driver iommu_group members", free_group}, groups_viable},
	/* clang-format on */
};

/* Of each device id: the suffix of its key. */
static const struct rule id_rule = {"usable functions with this id", "device driver iommu_group",
				    NULL};
static const char *const id_suffixes[] = {"present", "count"};

static void put_ids(const struct view *view, const struct rule_options *options)
{
	CLEANUP(tally_clear) struct tally tally = {0};
	struct verdict *verdict = view->verdict;

	for (size_t i = 0; i < view->gpus->n_items; i++) {
		const size_t gpu = view->gpus->items[i];

		tally_add(&tally, view->vendor->device_id(&view->inventory->gpus[gpu], options),
			  gpu);
	}
	verdict->labels.failed |= tally.failed;
	for (size_t i = 0; i < tally.n_rows; i++) {
		const struct tally_row *row = &tally.rows[i];
		const struct origin origin = {&id_rule, &row->gpus};
		const struct count_text n = count_text(row->gpus.n_items);
		const char *const values[] = {"true", n.text};

		for (size_t j = 0; j < ARRAY_SIZE(id_suffixes); j++)
			kinds_put(verdict, origin, values[j], "%s.device-id.%s.%s",
				  view->vendor->base, row->value.text, id_suffixes[j]);
	}
}

static void put_vendor(const struct inventory *inventory, const struct rule_options *options,
		       const struct vendor *vendor, struct verdict *verdict)
{
	CLEANUP(picks_clear) struct picks gpus = {0};
	const struct view view = {inventory, vendor, &gpus, verdict};

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (inventory->gpus[i].vendor == vendor->id && verdict->parts[i].vfio)
			picks_add(&gpus, i);
	}
	verdict->labels.failed |= gpus.failed;
	if (gpus.n_items == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
		const struct origin origin = {&markers[i].rule, &gpus};

		kinds_put(verdict, origin, markers[i].value(&view).text, "%s.%s", vendor->base,
			  markers[i].name);
	}
	put_ids(&view, options);
}

void vfio_labels(const struct inventory *inventory, const struct rule_options *options,
		 struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		put_vendor(inventory, options, &vendors[i], verdict);
}

static void list_of_vendor(const struct vendor *vendor, struct possibles *out)
{
	struct possible possible = {.vendor = vendor->id, .basis = BASIS_VFIO};

	for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
		possible.rule = &markers[i].rule;
		possibles_add(out, possible, "%s.%s", vendor->base, markers[i].name);
	}
	possible.rule = &id_rule;
	for (size_t i = 0; i < ARRAY_SIZE(id_suffixes); i++)
		possibles_add(out, possible, "%s.device-id.*.%s", vendor->base, id_suffixes[i]);
}

void vfio_possible(const struct rule_options *options, struct possibles *out)
{
	(void)options;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		list_of_vendor(&vendors[i], out);
}
