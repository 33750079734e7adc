/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/count.h"
#include "rules/kinds.h"
#include "rules/mode.h"
#include "rules/rules.h"
#include "rules/validity.h"

#include <string.h>

/* What a value function may look at. */
struct view {
	const struct inventory *inventory;
	const struct rule_options *options;
	enum mode mode;
};

enum {
	CONTAINER = 1 << MODE_CONTAINER,
	VF = 1 << MODE_VF_PASSTHROUGH,
	PF = 1 << MODE_PF_PASSTHROUGH,
	ALL = CONTAINER | VF | PF,
};

/* The kernel module whose version is the driver-version of a mode. */
static const char *const modules[N_MODES] = {
	[MODE_CONTAINER] = "amdgpu",
	[MODE_VF_PASSTHROUGH] = "gim",
};

static struct label_value device_id(const struct view *view, const struct function *gpu)
{
	return kinds_device_id(gpu, view->options->device_id_0x && view->mode != MODE_CONTAINER);
}

static struct label_value mode(const struct view *view, struct notes *notes)
{
	(void)notes;
	return validity_clean(mode_name(view->mode));
}

/*
 * A version that gim does not show is worth a warning, since GIM always has one; the in-tree amdgpu
 * has none.
 */
static struct label_value clean_version(const char *module, const char *what,
					const struct fact *version, struct notes *notes)
{
	const struct label_value value = validity_clean(fact_known(version) ? version->text : "");

	if (*value.text)
		return value;
	if (version->state == FACT_FAILED)
		notes_add(notes, NOTE_WARNING, "%s: %s: no label for it", module, version->text);
	else if (strcmp(module, "gim") == 0)
		notes_add(notes, NOTE_WARNING, "gim: the module shows no %s: no label for it",
			  what);
	return (struct label_value){0};
}

/* GIM's release is what stands before the first +. */
static struct label_value driver_version(const struct view *view, struct notes *notes)
{
	const char *name = modules[view->mode];
	const struct module *module = inventory_module(view->inventory, name);
	struct fact version = {0};
	auto_free char *cut = NULL;

	if (module)
		version = module->version; /* on loan: not cleared here */
	if (view->mode == MODE_VF_PASSTHROUGH && fact_known(&version)) {
		cut = strndup(version.text, strcspn(version.text, "+"));
		version.text = cut;
		notes->failed |= !cut;
	}
	if (notes->failed)
		return (struct label_value){0};
	return clean_version(name, "version", &version, notes);
}

static struct label_value driver_src_version(const struct view *view, struct notes *notes)
{
	const char *name = modules[view->mode];
	const struct module *module = inventory_module(view->inventory, name);
	const struct fact absent = {0};

	return clean_version(name, "srcversion", module ? &module->srcversion : &absent, notes);
}

/* A new kind is a row and, at most, a value function. */
static const struct counted_kind {
	const char *name, *rule;
	unsigned int modes;
	struct label_value (*of_gpu)(const struct view *view, const struct function *gpu);
} counted_kinds[] = {
	/* clang-format off */
	{"device-id", "PCI device ids of the functions that serve the mode", ALL, device_id},
	/* clang-format on */
};
static const struct node_kind {
	const char *name, *rule;
	unsigned int modes;
	bool beta; /* under beta.amd.com/ too */
	struct label_value (*of_node)(const struct view *view, struct notes *notes);
} node_kinds[] = {
	/* clang-format off */
	{"mode", "the first mode that a GPU function serves: container, VF, PF", ALL, true, mode},
	{"driver-version", "version of the driver's module", CONTAINER | VF, false, driver_version},
	{"driver-src-version", "srcversion of the driver's module", CONTAINER | VF, false,
		driver_src_version},
	/* clang-format on */
};

static void put_counted(const struct view *view, const struct counted_kind *kind,
			const struct picks *gpus, struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally tally = {0};

	for (size_t i = 0; i < gpus->n_items; i++) {
		const size_t gpu = gpus->items[i];

		tally_add(&tally, kind->of_gpu(view, &view->inventory->gpus[gpu]), gpu);
	}
	count_put(verdict, kind->name, kind->rule, &tally);
}

static void put_of_node(const struct view *view, const struct node_kind *kind,
			const struct picks *gpus, struct verdict *verdict)
{
	const struct label_value value = kind->of_node(view, &verdict->notes);
	const struct origin origin = {kind->rule, gpus};

	if (!*value.text)
		return;
	kinds_put(verdict, origin, value.text, UNDER_AMD "%s", kind->name);
	if (kind->beta)
		kinds_put(verdict, origin, value.text, UNDER_BETA "%s", kind->name);
}

void amd_labels(const struct inventory *inventory, const struct rule_options *options,
		struct verdict *verdict)
{
	const struct view view = {inventory, options, verdict->mode};
	CLEANUP(picks_clear) struct picks gpus = {0};

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (verdict_counts(verdict, i))
			picks_add(&gpus, i);
	}
	verdict->labels.failed |= gpus.failed;
	for (size_t i = 0; i < ARRAY_SIZE(node_kinds); i++) {
		if (node_kinds[i].modes & 1U << verdict->mode)
			put_of_node(&view, &node_kinds[i], &gpus, verdict);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted_kinds); i++) {
		if (counted_kinds[i].modes & 1U << verdict->mode)
			put_counted(&view, &counted_kinds[i], &gpus, verdict);
	}
}
