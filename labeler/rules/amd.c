/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/container.h"
#include "rules/count.h"
#include "rules/kinds.h"
#include "rules/mode.h"
#include "rules/possible.h"
#include "rules/rules.h"
#include "rules/validity.h"

#include <string.h>

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

/* What decides the part that a function plays. */
#define PART "driver iommu_group physfn"
/* The modules above. */
#define MODULES "driver module/amdgpu module/gim "

/* What to do where the host shows no value. */
static const char show_kfd[] = "KFD must show the GPU: its amdgpu needs KFD, and in a pod the "
			       "device cgroup must allow the GPU's render node in /dev/dri";
static const char show_name[] = "a newer libdrm may have a line for its id and revision in "
				"amdgpu.ids; or set pci-ids-names";
static const char show_version[] = "the in-tree amdgpu has none, AMD's DKMS driver has; GIM's "
				   "stands in /sys/module/gim once it is loaded";
static const char agree[] = "all GPUs that serve the mode must show the same: see each below";

/* A new kind is a row and, at most, a value function. */
static const struct counted_kind {
	const char *name;
	struct rule rule;
	unsigned int modes;
	struct label_value (*of_gpu)(const struct view *view, const struct function *gpu);
	/* Instead: of each node of KFD, so of each partition. */
	struct label_value (*of_node)(const struct card *card, const struct kfd_node *node);
} counted_kinds[] = {
	/* clang-format off */
	{"device-id", {"PCI device ids of the functions that serve the mode", "device " PART, NULL},
		ALL, device_id, NULL},
	{"family", {"family of KFD's gfx_target_version", "driver kfd/gfx_target_version", show_kfd},
		CONTAINER, container_family, NULL},
	{"product-name", {"product_name, else the name in libdrm's amdgpu.ids",
		"device driver card/revision card/product_name card/marketing_name", show_name},
		CONTAINER, container_product_name, NULL},
	{"vram", {"KFD's mem_banks/0 of each partition, else the card's mem_info_vram_total",
		"driver kfd/vram card/vram card/compute_partition", show_kfd},
		CONTAINER, NULL, container_vram},
	{"simd-count", {"KFD's simd_count of each partition", "driver kfd/simd_count", show_kfd},
		CONTAINER, NULL, container_simd_count},
	{"cu-count", {"KFD's simd_count / simd_per_cu of each partition",
		"driver kfd/simd_count kfd/simd_per_cu", show_kfd},
		CONTAINER, NULL, container_cu_count},
	/* clang-format on */
};
static const struct node_kind {
	const char *name;
	struct rule rule;
	unsigned int modes;
	bool beta; /* under beta.amd.com/ too */
	struct label_value (*of_node)(const struct view *view, struct notes *notes);
} node_kinds[] = {
	/* clang-format off */
	{"mode", {"the first mode that a GPU function serves: container, VF, PF", PART " vfs", NULL},
		ALL, true, mode},
	{"driver-version", {"version of the driver's module", MODULES "version", show_version},
		CONTAINER | VF, false, driver_version},
	{"driver-src-version", {"srcversion of the driver's module", MODULES "srcversion", show_version},
		CONTAINER | VF, false, driver_src_version},
	{"compute-memory-partition", {"current_compute_partition and current_memory_partition",
		"driver card/compute_partition card/memory_partition", agree},
		CONTAINER, false, container_partition},
	{"compute-partitioning-supported", {"is there an available_compute_partition?",
		"driver card/compute_partitions", agree},
		CONTAINER, false, container_compute_partitioning},
	{"memory-partitioning-supported", {"is there an available_memory_partition?",
		"driver card/memory_partitions", agree},
		CONTAINER, false, container_memory_partitioning},
	/* clang-format on */
};

static bool is_wanted(const struct view *view, const char *name, unsigned int modes)
{
	return (modes & 1U << view->mode) && rules_want(view->options, name);
}

/* A partition each; a GPU that KFD does not show counts as one of which nothing is known. */
static void tally_nodes(const struct view *view, const struct counted_kind *kind, size_t gpu,
			struct tally *tally)
{
	const struct inventory *inventory = view->inventory;
	const struct card *card = inventory_card(inventory, inventory->gpus[gpu].addr);
	bool is_shown = false;

	for (size_t i = 0; i < inventory->n_kfd; i++) {
		if (container_gpu_of(inventory, &inventory->kfd[i]) != gpu)
			continue;
		is_shown = true;
		tally_add(tally, kind->of_node(card, &inventory->kfd[i]), gpu);
	}
	if (!is_shown)
		tally_add(tally, kind->of_node(card, NULL), gpu);
}

/* Why a value is missing, as far as the host said so. */
static const char *kfd_failure(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_kfd; i++) {
		const struct kfd_node *node = &inventory->kfd[i];

		if (node->properties.state == FACT_FAILED)
			return node->properties.text;
		if (node->vram.state == FACT_FAILED)
			return node->vram.text;
	}
	return inventory->n_kfd > 0 ? "KFD does not tell it of all of them"
				    : "there is no KFD topology";
}

/* One line for all that KFD alone knows. */
static void note_unknown(const struct view *view, const struct strbuf *kinds, struct notes *notes)
{
	notes->failed |= kinds->failed;
	if (!kinds->failed && kinds->len > 0)
		notes_add(notes, NOTE_INFO, "%s: not known of every GPU: %s", kinds->text,
			  kfd_failure(view->inventory));
}

/* Adds the kind to those that KFD left open, or says where else it was looked for. */
static void miss(const struct counted_kind *kind, struct strbuf *by_kfd, struct notes *notes)
{
	if (kind->of_node || kind->of_gpu == container_family)
		strbuf_addf(by_kfd, "%s%s", by_kfd->len > 0 ? ", " : "", kind->name);
	else if (kind->of_gpu == container_product_name)
		notes_add(notes, NOTE_INFO,
			  "%s: not known of every GPU: neither product_name nor libdrm's "
			  "amdgpu.ids has it",
			  kind->name);
}

static void put_counted(const struct view *view, const struct counted_kind *kind,
			struct strbuf *by_kfd, struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally tally = {0};

	for (size_t i = 0; i < view->gpus->n_items; i++) {
		const size_t gpu = view->gpus->items[i];

		if (kind->of_gpu)
			tally_add(&tally, kind->of_gpu(view, &view->inventory->gpus[gpu]), gpu);
		else
			tally_nodes(view, kind, gpu, &tally);
	}
	count_put(verdict, kind->name, &kind->rule, &tally);
	if (tally.unknown)
		miss(kind, by_kfd, &verdict->notes);
}

static void put_of_node(const struct view *view, const struct node_kind *kind,
			struct verdict *verdict)
{
	const struct label_value value = kind->of_node(view, &verdict->notes);
	const struct origin origin = {&kind->rule, view->gpus};

	if (!*value.text)
		return;
	kinds_put(verdict, origin, value.text, UNDER_AMD "%s", kind->name);
	if (kind->beta)
		kinds_put(verdict, origin, value.text, UNDER_BETA "%s", kind->name);
}

void amd_labels(const struct inventory *inventory, const struct rule_options *options,
		struct verdict *verdict)
{
	CLEANUP(picks_clear) struct picks gpus = {0};
	CLEANUP(strbuf_clear) struct strbuf by_kfd = {0};
	const struct view view = {inventory, options, verdict->mode, &gpus};

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (verdict_counts(verdict, i))
			picks_add(&gpus, i);
	}
	verdict->labels.failed |= gpus.failed;
	if (gpus.n_items == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(node_kinds); i++) {
		if (is_wanted(&view, node_kinds[i].name, node_kinds[i].modes))
			put_of_node(&view, &node_kinds[i], verdict);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted_kinds); i++) {
		if (is_wanted(&view, counted_kinds[i].name, counted_kinds[i].modes))
			put_counted(&view, &counted_kinds[i], &by_kfd, verdict);
	}
	note_unknown(&view, &by_kfd, &verdict->notes);
	if (is_wanted(&view, "firmware", CONTAINER))
		container_firmware(&view, verdict);
}

/* A row of these tables without its key. */
static struct possible row_of(const struct rule_options *options, const char *name,
			      const struct rule *rule, unsigned int modes)
{
	struct possible row = {
		.rule = rule, .vendor = VENDOR_AMD, .basis = BASIS_MODE, .modes = modes};

	if (!rules_want(options, name)) {
		row.off = "[amd] labels leaves this kind out";
		row.on = "name the kind in [amd] labels, or in --labels";
	}
	return row;
}

void amd_possible(const struct rule_options *options, struct possibles *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(node_kinds); i++) {
		const struct node_kind *kind = &node_kinds[i];
		const struct possible row = row_of(options, kind->name, &kind->rule, kind->modes);

		possibles_add(out, row, UNDER_AMD "%s", kind->name);
		if (kind->beta)
			possibles_add(out, row, UNDER_BETA "%s", kind->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted_kinds); i++) {
		const struct counted_kind *kind = &counted_kinds[i];
		const struct possible row = row_of(options, kind->name, &kind->rule, kind->modes);

		possibles_add(out, row, UNDER_AMD "%s", kind->name);
		possibles_add(out, row, UNDER_BETA "%s", kind->name);
		possibles_add(out, row, UNDER_AMD "%s.*", kind->name);
		possibles_add(out, row, UNDER_BETA "%s.*", kind->name);
	}
	container_firmware_possible(row_of(options, "firmware", NULL, CONTAINER), out);
}
