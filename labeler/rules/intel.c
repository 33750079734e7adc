/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Intel's own NFD rules publish of the GPUs of a node, where the user asks for it: as theirs
 * on a node whose GPUs are alike, and with the right count for each id on every other.
 */
#include "base/cleanup.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/count.h"
#include "rules/filter.h"
#include "rules/kinds.h"
#include "rules/rules.h"

#include <stdio.h>
#include <string.h>

#define BASE "gpu.intel.com/"

static const struct device *row_of(const struct function *gpu)
{
	return devices_find(&devices_builtin, gpu->vendor, fact_id(&gpu->device));
}

static struct label_value id_of(const struct function *gpu)
{
	struct label_value value = {0};

	if (fact_known(&gpu->device))
		(void)snprintf(value.text, sizeof(value.text), "%04x-%04x", gpu->pci_class,
			       fact_id(&gpu->device));
	return value;
}

static struct label_value product_of(const struct function *gpu)
{
	const struct device *row = row_of(gpu);

	return validity_clean(row && row->product ? row->product : "");
}

static struct label_value family_of(const struct function *gpu)
{
	const struct device *row = row_of(gpu);

	return validity_clean(row && row->family ? row->family : "");
}

/* The value that most functions have; the first of several. */
static const struct tally_row *most(const struct tally *tally)
{
	const struct tally_row *best = NULL;

	for (size_t i = 0; i < tally->n_rows; i++) {
		if (!best || tally->rows[i].count > best->count)
			best = &tally->rows[i];
	}
	return best;
}

static void tally_all(const struct inventory *inventory, const struct picks *gpus,
		      struct label_value (*of)(const struct function *gpu), struct tally *tally)
{
	for (size_t i = 0; i < gpus->n_items; i++)
		tally_add(tally, of(&inventory->gpus[gpus->items[i]]), gpus->items[i]);
}

static void put_ids(const struct inventory *inventory, const struct picks *gpus,
		    struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally ids = {0};

	tally_all(inventory, gpus, id_of, &ids);
	verdict->labels.failed |= ids.failed;
	for (size_t i = 0; i < ids.n_rows; i++) {
		const struct tally_row *row = &ids.rows[i];
		const struct origin origin = {"Intel's rule: functions with this id", &row->gpus};

		kinds_put(verdict, origin, "true", BASE "device-id.%s.present", row->value.text);
		kinds_put(verdict, origin, count_text(row->count).text, BASE "device-id.%s.count",
			  row->value.text);
	}
}

static void put_names(const struct inventory *inventory, const struct picks *gpus,
		      struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally products = {0};
	CLEANUP(tally_clear) struct tally families = {0};
	const struct tally_row *product;
	const struct tally_row *family;

	tally_all(inventory, gpus, product_of, &products);
	tally_all(inventory, gpus, family_of, &families);
	verdict->labels.failed |= products.failed || families.failed;
	product = most(&products);
	family = most(&families);
	if (product) {
		const struct origin origin = {"Intel's rule: the device table's product",
					      &product->gpus};

		kinds_put(verdict, origin, product->value.text, BASE "product");
		kinds_put(verdict, origin, count_text(product->count).text, BASE "device.count");
	}
	if (family) {
		const struct origin origin = {"Intel's rule: the device table's family",
					      &family->gpus};

		kinds_put(verdict, origin, family->value.text, BASE "family");
	}
}

void intel_labels(const struct inventory *inventory, const struct rule_options *options,
		  struct verdict *verdict)
{
	CLEANUP(picks_clear) struct picks gpus = {0};
	bool is_driven = false;

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];

		if (gpu->vendor != VENDOR_INTEL || filter_why(options, gpu))
			continue;
		picks_add(&gpus, i);
		is_driven |= fact_is(&gpu->driver, "i915") || fact_is(&gpu->driver, "xe");
	}
	verdict->labels.failed |= gpus.failed;
	if (gpus.n_items == 0)
		return;
	if (is_driven) {
		const struct origin origin = {"Intel's rule: a GPU, with i915 or xe", &gpus};

		kinds_put(verdict, origin, "true", "intel.feature.node.kubernetes.io/gpu");
	}
	put_ids(inventory, &gpus, verdict);
	put_names(inventory, &gpus, verdict);
}
