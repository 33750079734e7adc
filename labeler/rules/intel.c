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
#include "rules/possible.h"
#include "rules/rules.h"

#include <string.h>

#define BASE "gpu.intel.com/"

static const char in_table[] = "a line for the id in the device table: conf/devices.ini shows its "
			       "form, --device-table names yours";
static const struct rule driven_rule = {"Intel's rule: a GPU, with i915 or xe", "driver",
					"bind a GPU to i915 or xe"};
static const struct rule id_rule = {"Intel's rule: functions with this id", "device class", NULL};
static const struct rule product_rule = {"Intel's rule: the device table's product", "device",
					 in_table};
static const struct rule family_rule = {"Intel's rule: the device table's family", "device",
					in_table};
/* Each key, as labels have it below. */
static const struct {
	const char *pattern;
	const struct rule *rule;
} keys[] = {
	/* clang-format off */
	{"intel.feature.node.kubernetes.io/gpu", &driven_rule},
	{BASE "device-id.*.present",             &id_rule},
	{BASE "device-id.*.count",               &id_rule},
	{BASE "product",                         &product_rule},
	{BASE "device.count",                    &product_rule},
	{BASE "family",                          &family_rule},
	/* clang-format on */
};

void intel_possible(const struct rule_options *options, struct possibles *out)
{
	struct possible possible = {.vendor = VENDOR_INTEL, .basis = BASIS_ALL};

	if (!options->intel_rule_labels) {
		possible.off = "[intel] rule-labels is off";
		possible.on = "set rule-labels = yes; where Intel's own NFD rules are installed, "
			      "NFD publishes this key";
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		possible.rule = keys[i].rule;
		possibles_add(out, possible, "%s", keys[i].pattern);
	}
}

static struct label_value id_of(const struct rule_options *options, const struct function *gpu)
{
	(void)options;
	return kinds_intel_id(gpu);
}

static const struct device *row_of(const struct rule_options *options, const struct function *gpu)
{
	const struct device_table *table =
		options->devices.n_rows > 0 ? &options->devices : &devices_builtin;

	return devices_find(table, gpu->vendor, fact_id(&gpu->device));
}

static struct label_value product_of(const struct rule_options *options, const struct function *gpu)
{
	const struct device *row = row_of(options, gpu);

	return validity_clean(row && row->product ? row->product : "");
}

static struct label_value family_of(const struct rule_options *options, const struct function *gpu)
{
	const struct device *row = row_of(options, gpu);

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

/* What the labels are made of. */
struct node {
	const struct inventory *inventory;
	const struct rule_options *options;
	const struct picks *gpus;
};

static void tally_all(const struct node *node,
		      struct label_value (*of)(const struct rule_options *options,
					       const struct function *gpu),
		      struct tally *tally)
{
	for (size_t i = 0; i < node->gpus->n_items; i++) {
		const size_t gpu = node->gpus->items[i];

		tally_add(tally, of(node->options, &node->inventory->gpus[gpu]), gpu);
	}
}

static void put_ids(const struct node *node, struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally ids = {0};

	tally_all(node, id_of, &ids);
	verdict->labels.failed |= ids.failed;
	for (size_t i = 0; i < ids.n_rows; i++) {
		const struct tally_row *row = &ids.rows[i];
		const struct origin origin = {&id_rule, &row->gpus};

		kinds_put(verdict, origin, "true", BASE "device-id.%s.present", row->value.text);
		kinds_put(verdict, origin, count_text(row->count).text, BASE "device-id.%s.count",
			  row->value.text);
	}
}

static void put_names(const struct node *node, struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally products = {0};
	CLEANUP(tally_clear) struct tally families = {0};
	const struct tally_row *product;
	const struct tally_row *family;

	tally_all(node, product_of, &products);
	tally_all(node, family_of, &families);
	verdict->labels.failed |= products.failed || families.failed;
	product = most(&products);
	family = most(&families);
	if (product) {
		const struct origin origin = {&product_rule, &product->gpus};

		kinds_put(verdict, origin, product->value.text, BASE "product");
		kinds_put(verdict, origin, count_text(product->count).text, BASE "device.count");
	}
	if (family) {
		const struct origin origin = {&family_rule, &family->gpus};

		kinds_put(verdict, origin, family->value.text, BASE "family");
	}
}

void intel_labels(const struct inventory *inventory, const struct rule_options *options,
		  struct verdict *verdict)
{
	CLEANUP(picks_clear) struct picks gpus = {0};
	const struct node node = {inventory, options, &gpus};
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
		const struct origin origin = {&driven_rule, &gpus};

		kinds_put(verdict, origin, "true", "intel.feature.node.kubernetes.io/gpu");
	}
	put_ids(&node, verdict);
	put_names(&node, verdict);
}
