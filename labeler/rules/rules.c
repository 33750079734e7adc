/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/kinds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const amd_kind_names[N_AMD_KINDS] = {
	"device-id",
	"family",
	"product-name",
	"vram",
	"simd-count",
	"cu-count",
	"firmware",
	"driver-version",
	"driver-src-version",
	"compute-memory-partition",
	"compute-partitioning-supported",
	"memory-partitioning-supported",
};

bool rules_want(const struct rule_options *options, const char *kind)
{
	for (size_t i = 0; i < N_AMD_KINDS; i++) {
		if (strcmp(amd_kind_names[i], kind) == 0)
			return !(options->left_out & 1U << i);
	}
	return true;
}

struct count_text count_text(size_t count)
{
	struct count_text ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%zu", count);
	return ret;
}

struct label_value kinds_device_id(const struct function *gpu, bool with_0x)
{
	struct label_value value;

	if (!fact_known(&gpu->device))
		return (struct label_value){0};
	(void)snprintf(value.text, sizeof(value.text), with_0x ? "0x%04x" : "%04x",
		       fact_id(&gpu->device));
	return value;
}

struct label_value kinds_intel_id(const struct function *gpu)
{
	struct label_value value = {0};

	if (fact_known(&gpu->device))
		(void)snprintf(value.text, sizeof(value.text), "%04x-%04x", gpu->pci_class,
			       fact_id(&gpu->device));
	return value;
}

void kinds_put(struct verdict *verdict, struct origin origin, const char *value,
	       const char *key_format, ...)
{
	/* A base of ours, a kind of ours and a value of at most 63. */
	char key[256];
	va_list args;

	va_start(args, key_format);
	(void)vsnprintf(key, sizeof(key), key_format, args);
	va_end(args);
	labels_put(&verdict->labels, &verdict->notes, key, value, origin);
}

void verdict_clear(struct verdict *verdict)
{
	free(verdict->parts);
	labels_clear(&verdict->labels);
	notes_clear(&verdict->notes);
	*verdict = (struct verdict){0};
}

void rule_options_clear(struct rule_options *options)
{
	filter_clear(&options->allow_ids);
	filter_clear(&options->deny_ids);
	*options = (struct rule_options){0};
}

static void note_problems(const struct inventory *inventory, struct notes *notes)
{
	for (size_t i = 0; i < inventory->n_problems; i++)
		notes_add(notes, NOTE_WARNING, "%s", inventory->problems[i].text);
}

/* A failed fact carries the path and the reason that the row's words lack. */
static const char *failure_of(const struct function *gpu)
{
	const struct fact *facts[] = {&gpu->device,      &gpu->driver, &gpu->physfn,
				      &gpu->iommu_group, &gpu->numvfs, &gpu->vf_links};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		if (facts[i]->state == FACT_FAILED)
			return facts[i]->text;
	}
	return NULL;
}

static void note_parts(const struct inventory *inventory, struct verdict *verdict)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];
		const struct part *part = &verdict->parts[i];
		const char *failure = failure_of(gpu);

		if (part->say && failure)
			notes_add(&verdict->notes, NOTE_WARNING, "%s: %s (%s)",
				  addr_text(gpu->addr).text, part->why, failure);
		else if (part->say)
			notes_add(&verdict->notes, NOTE_REASON, "%s: %s", addr_text(gpu->addr).text,
				  part->why);
		else if (failure)
			notes_add(&verdict->notes, NOTE_WARNING, "%s: %s",
				  addr_text(gpu->addr).text, failure);
	}
}

/* A virtfn link that leads to no function of the bus: a VF on its way out, or a broken tree. */
static void note_lost_vfs(const struct inventory *inventory, struct notes *notes)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *pf = &inventory->gpus[i];

		for (size_t j = 0; j < pf->n_vfs; j++) {
			if (!inventory_gpu(inventory, pf->vfs[j]))
				notes_add(notes, NOTE_WARNING,
					  "%s: a virtfn link names %s, which is no GPU function of "
					  "this node",
					  addr_text(pf->addr).text, addr_text(pf->vfs[j]).text);
		}
	}
}

static void note_gim_on_others(const struct inventory *inventory, struct notes *notes)
{
	for (size_t i = 0; i < inventory->n_others; i++) {
		const struct function *other = &inventory->others[i];

		if (fact_is(&other->driver, "gim"))
			notes_add(notes, NOTE_INFO, "%s: bound to gim, but no GPU (class %04x)",
				  addr_text(other->addr).text, other->pci_class);
	}
}

/* Several modes on one node are labelled as one of them: the reader must know. */
static void note_modes(const struct rule_options *options, const size_t counts[static N_MODES],
		       struct verdict *verdict)
{
	struct strbuf line = {0};
	size_t n_modes = 0;

	for (size_t mode = MODE_CONTAINER; mode < N_MODES; mode++) {
		if (counts[mode])
			strbuf_addf(&line, "%s%zu for %s", n_modes++ ? ", " : "", counts[mode],
				    mode_name((enum mode)mode));
	}
	verdict->notes.failed |= line.failed;
	if (!line.failed && verdict->mode == MODE_NONE && options->driver_type != MODE_NONE)
		notes_add(&verdict->notes, NOTE_INFO,
			  "driver-type is %s, but no GPU function serves that mode%s%s",
			  mode_name(options->driver_type), n_modes ? ": " : "",
			  n_modes ? line.text : "");
	else if (!line.failed && n_modes > 1)
		notes_add(&verdict->notes, NOTE_WARNING,
			  "GPU functions of several modes (%s): the node is labelled as %s",
			  line.text, mode_name(verdict->mode));
	strbuf_clear(&line);
}

int rules_apply(const struct inventory *inventory, const struct rule_options *options,
		struct verdict *ret, struct err *err)
{
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	size_t counts[N_MODES];

	verdict.parts = reallocarray(NULL, inventory->n_gpus + 1, sizeof(*verdict.parts));
	if (!verdict.parts || mode_parts(inventory, options, verdict.parts))
		return err_set(err, -ENOMEM, "out of memory for the parts of the GPUs");
	verdict.mode = mode_of_node(verdict.parts, inventory->n_gpus, options->driver_type, counts);
	note_problems(inventory, &verdict.notes);
	note_modes(options, counts, &verdict);
	note_parts(inventory, &verdict);
	note_lost_vfs(inventory, &verdict.notes);
	note_gim_on_others(inventory, &verdict.notes);
	amd_labels(inventory, options, &verdict);
	vfio_labels(inventory, options, &verdict);
	if (options->intel_rule_labels)
		intel_labels(inventory, options, &verdict);
	if (verdict.labels.failed || verdict.notes.failed)
		return err_set(err, -ENOMEM, "out of memory for the labels");
	SWAP(*ret, verdict);
	return 0;
}
