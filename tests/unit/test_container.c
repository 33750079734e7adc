/* SPDX-License-Identifier: Apache-2.0 */
/* Container mode's hardware kinds and Intel's rule labels, on inventories of a few words. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "rules/family.h"
#include "rules/rules.h"

#define CARD0 "0000:05:00.0"
#define CARD1 "0000:06:00.0"
#define CARD2 "0001:05:00.1"

/* A card, as a test writes it; what is not named is absent, "!why" is not readable. */
struct card_row {
	const char *addr, *minor;
	const char *product, *marketing;
	const char *vram;
	const char *compute, *memory; /* the partition, and so that there is a choice of them */
	const char *rlc;              /* firmware */
};
struct kfd_row {
	const char *id, *simd, *per_cu, *gfx, *location, *domain, *minor, *vram;
	const char *properties; /* "!why" */
};
/* Longer than an attribute can be, as a line of a file may: x and no end, for a while. */
static char long_name[5000];

static struct row {
	const char *name;
	struct card_row cards[3];
	struct kfd_row kfd[3];
	const char *driverless; /* a GPU of the mode that has no card */
	const char *has[8], *lacks[6], *says[3];
	unsigned int left_out;
} rows[] = {
	{"all that there is, of two that are alike",
	 {{CARD0, "128", "AMD Instinct (MI300X) OAM", NULL, NULL, "SPX", "NPS1", "111"},
	  {CARD1, "129", "AMD Instinct (MI300X) OAM", NULL, NULL, "SPX", "NPS1", "111"}},
	 {{"1", "1216", "4", "90402", "1280", "0", "128", "206141652992"},
	  {"2", "1216", "4", "90402", "1536", "0", "129", "206141652992"}},
	 .has = {"amd.com/gpu.product-name=AMD_Instinct_MI300X_OAM", "amd.com/gpu.family=AI",
		 "beta.amd.com/gpu.vram.192G=2", "beta.amd.com/gpu.cu-count.304=2",
		 "beta.amd.com/gpu.simd-count.1216=2",
		 "amd.com/gpu.compute-memory-partition=spx_nps1",
		 "amd.com/gpu.compute-partitioning-supported=true",
		 "beta.amd.com/gpu.firmware.RLC.feat.111=2"}},
	{"what was not asked for",
	 {{CARD0, "128", "MI300X", NULL, NULL, "SPX", "NPS1", "111"}},
	 {{"1", "1216", "4", "90402", "1280", "0", "128", "206141652992"}},
	 .left_out = ~1U,
	 .has = {"amd.com/gpu.mode=container", "amd.com/gpu.device-id=74a1"},
	 .lacks = {"amd.com/gpu.vram", "amd.com/gpu.compute-memory-partition",
		   "beta.amd.com/gpu.firmware.RLC.fw.111"}},
	{"partitions count by their place, in their domain",
	 {{CARD0, "128", NULL, "Radeon (X)", NULL, "CPX", "NPS4"}, {CARD2, "136"}},
	 {{"1", "152", "4", "90402", "1280", "0", "128", "25767706624"},
	  {"2", "152", "4", "90402", "1281", "0", "129", "25767706624"},
	  {"3", "304", "4", "90402", "1281", "1", "140", "51539607552"}},
	 .has = {"amd.com/gpu.simd-count.152=2", "amd.com/gpu.simd-count.304=1",
		 "amd.com/gpu.vram.24G=2", "amd.com/gpu.vram.48G=1",
		 "amd.com/gpu.product-name.Radeon_X=1"},
	 .lacks = {"amd.com/gpu.compute-memory-partition",
		   "amd.com/gpu.compute-partitioning-supported"},
	 .says = {"not all partitioned alike", "no compute-partitioning-supported"}},
	{"a node without a place, and one of nobody",
	 {{CARD0, NULL}, {CARD1, "129"}},
	 {{"1", "8", "0", "80003", "1280", NULL, "5", NULL},
	  {"2", "16", "0", "60000", NULL, NULL, NULL, NULL},
	  {"3", "16", "4", "130000", "9999", NULL, "129", "1"}},
	 .has = {"amd.com/gpu.family.VI=1", "amd.com/gpu.simd-count.8=1", "amd.com/gpu.vram.0G=1"},
	 .says = {"family, vram", "product-name: not known"}},
	{"no KFD: the memory of a whole card is known, that of a part is not",
	 {{CARD0, "128", "!locked", NULL, "206141652992", NULL, NULL},
	  {CARD1, "129", NULL, "!none", "206141652992", "DPX", "!locked", "!locked"}},
	 .has = {"amd.com/gpu.vram.192G=1"},
	 .lacks = {"amd.com/gpu.vram", "amd.com/gpu.family", "amd.com/gpu.simd-count"},
	 .says = {"there is no KFD topology"}},
	{"a kernel that tells no partition",
	 {{CARD0, "128", NULL, NULL, "1", "UNKNOWN", "NPS1"}},
	 .lacks = {"amd.com/gpu.compute-memory-partition", "amd.com/gpu.vram"}},
	{"a kernel that tells one of the two",
	 {{CARD0, "128", NULL, NULL, NULL, "SPX", "UNKNOWN"}},
	 .lacks = {"amd.com/gpu.compute-memory-partition"}},
	{"KFD that may not be read",
	 {{CARD0, "128"}},
	 {{.id = "1", .properties = "!1/properties: locked"}},
	 .says = {"1/properties: locked"}},
	{"a bank that may not be read",
	 {{CARD0, "128"}},
	 {{"1", "8", "4", "90000", "1280", "0", "128", "!1/mem_banks: locked"}},
	 .has = {"amd.com/gpu.family=AI"},
	 .says = {"1/mem_banks: locked"}},
	{"a card that went away while it was read",
	 {{CARD0, "128", "X"}},
	 .driverless = CARD1,
	 .has = {"amd.com/gpu.product-name.X=1"},
	 .lacks = {"amd.com/gpu.compute-partitioning-supported"}},
	{"numbers that are none",
	 {{CARD0, "128", NULL, long_name, "51539607552", "SPX", "NPS1"}},
	 {{"1", "!lots", "4", "90000", "1280", "0", NULL, NULL},
	  {"2", "8", NULL, "90000", "1280", "0", NULL, "1"},
	  {"3", "8", "!none", "90000", "1288", "0", NULL, "1"}},
	 .has = {"amd.com/gpu.vram.48G=1", "amd.com/gpu.vram.0G=1", "amd.com/gpu.simd-count.8=1"},
	 .lacks = {"amd.com/gpu.cu-count"}},
	{"a card of no function",
	 {{CARD0, "128", "X"}, {"000f:01:00.0", "200"}},
	 {{"1", "8", "4", "90000", "1280", "0", "200", "1"}},
	 .says = {"KFD does not tell it"}},
};

static void add_card(struct inventory *inventory, const struct card_row *row)
{
	struct card card = {
		.addr = make_addr(row->addr),
		.render_minor = make_number(row->minor),
		.product_name = make_text(row->product),
		.marketing_name = make_text(row->marketing),
		.vram = make_number(row->vram),
		.compute_partition = make_text(row->compute),
		.memory_partition = make_text(row->memory),
		.compute_partitions = make_text(row->compute ? "SPX, CPX" : NULL),
		.memory_partitions = make_text(row->memory ? "NPS1" : NULL),
	};

	card.firmware[6] = make_number(row->rlc);
	card.features[6] = make_number(row->rlc);
	assert_int_equal(inventory_add_card(inventory, &card), 0);
}

static void add_kfd(struct inventory *inventory, const struct kfd_row *row)
{
	struct kfd_node node = {
		.id = make_number(row->id),
		.properties = make_text(row->properties),
		.simd_count = make_number(row->simd),
		.simd_per_cu = make_number(row->per_cu),
		.gfx_target_version = make_number(row->gfx),
		.location_id = make_number(row->location),
		.domain = make_number(row->domain),
		.render_minor = make_number(row->minor),
		.vram = make_number(row->vram),
	};

	assert_int_equal(inventory_add_kfd(inventory, &node), 0);
}

static void build(const struct row *row, struct inventory *inventory)
{
	for (size_t i = 0; i < 3 && row->cards[i].addr; i++) {
		const struct gpu_row gpu = {row->cards[i].addr, 0x1002, 0x74a1, 0x1200, "amdgpu"};

		if (strncmp(gpu.addr, "000f", 4) != 0)
			make_gpu(inventory, &gpu);
		add_card(inventory, &row->cards[i]);
	}
	if (row->driverless) {
		const struct gpu_row gpu = {row->driverless, 0x1002, 0x74a1, 0x1200, "amdgpu"};

		make_gpu(inventory, &gpu);
	}
	for (size_t i = 3; i-- > 0;) {
		if (row->kfd[i].id)
			add_kfd(inventory, &row->kfd[i]);
	}
	inventory_sort(inventory);
}

static bool says(const struct notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->n_items; i++) {
		if (strstr(notes->items[i].text, text))
			return true;
	}
	return false;
}

static void check_labels(const struct labels *labels, const char *const *has, size_t n)
{
	for (size_t i = 0; i < n && has[i]; i++) {
		auto_free char *key = strndup(has[i], strcspn(has[i], "="));
		const struct label *label = labels_find(labels, key);

		if (!label || strcmp(label->value, has[i] + strlen(key) + 1) != 0)
			fail_msg("%s, but %s", has[i], label ? label->value : "there is none");
	}
}

static void check(void **state)
{
	const struct row *row = *state;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct rule_options options = {.left_out = row->left_out};
	struct err err;

	build(row, &inventory);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	check_labels(&verdict.labels, row->has, ARRAY_SIZE(row->has));
	for (size_t i = 0; i < ARRAY_SIZE(row->lacks) && row->lacks[i]; i++)
		assert_null(labels_find(&verdict.labels, row->lacks[i]));
	for (size_t i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++) {
		if (!says(&verdict.notes, row->says[i]))
			fail_msg("no note says: %s", row->says[i]);
	}
}

static struct family_row {
	const char *name;
	int64_t version;
	const char *family;
} family_rows[] = {
	{"nothing", 0, NULL},
	{"Tahiti", 60000, "SI"},
	{"Kaveri", 70000, "KV"},
	{"Hawaii", 70001, "CI"},
	{"Kabini", 70003, "KV"},
	{"Bonaire", 70004, "CI"},
	{"Carrizo", 80001, "CZ"},
	{"Polaris", 80003, "VI"},
	{"Stoney", 81000, "CZ"},
	{"Vega 10", 90000, "AI"},
	{"Raven", 90002, "RV"},
	{"Vega 20", 90006, "AI"},
	{"MI100", 90008, "AI"},
	{"MI200", 90010, "AI"},
	{"Renoir", 90012, "RV"},
	{"MI300", 90402, "AI"},
	{"MI350", 90500, "AI"},
	{"Navi 10", 100100, "NV"},
	{"Navi 21", 100300, "NV"},
	{"Van Gogh", 100303, "VGH"},
	{"Navi 24", 100304, "NV"},
	{"Yellow Carp", 100305, "YC"},
	{"Raphael", 100306, "GC_10_3_6"},
	{"Mendocino", 100307, "GC_10_3_7"},
	{"Navi 31", 110000, "GC_11_0_0"},
	{"Phoenix", 110003, "GC_11_0_1"},
	{"Strix", 110500, "GC_11_5_0"},
	{"Navi 48", 120001, "GC_12_0_0"},
	{"what comes next", 130000, NULL},
};

static void check_family(void **state)
{
	const struct family_row *row = *state;
	const char *name = family_name(row->version);

	if (row->family)
		assert_string_equal(name, row->family);
	else
		assert_null(name);
}

static struct intel_row {
	const char *name;
	struct gpu_row gpus[3];
	const char *has[6], *lacks[4], *deny;
} intel_rows[] = {
	{"two alike",
	 {{CARD0, 0x8086, 0x56c0, 0x0380, "i915"}, {CARD1, 0x8086, 0x56c0, 0x0380, "xe"}},
	 .has = {"intel.feature.node.kubernetes.io/gpu=true",
		 "gpu.intel.com/device-id.0380-56c0.count=2", "gpu.intel.com/product=Flex_170",
		 "gpu.intel.com/family=Flex_Series", "gpu.intel.com/device.count=2"}},
	{"most of them are what the node is",
	 {{CARD0, 0x8086, 0x56c0, 0x0380},
	  {CARD1, 0x8086, 0x56c1, 0x0380},
	  {CARD2, 0x8086, 0x56c1, 0x0380}},
	 .has = {"gpu.intel.com/device-id.0380-56c0.count=1",
		 "gpu.intel.com/device-id.0380-56c1.count=2", "gpu.intel.com/product=Flex_140",
		 "gpu.intel.com/device.count=2"},
	 .lacks = {"intel.feature.node.kubernetes.io/gpu"}},
	{"none that Intel names, one whose id is not known, one of another vendor",
	 {{CARD0, 0x8086, 0xfff0, 0x0300, "xe"},
	  {CARD1, 0x8086, 0, 0x0300},
	  {CARD2, 0x1002, 0x74a1, 0x1200}},
	 .has = {"gpu.intel.com/device-id.0300-fff0.present=true"},
	 .lacks = {"gpu.intel.com/product", "gpu.intel.com/family", "gpu.intel.com/device.count"}},
	{"the first of two kinds, and one that has a family and no product",
	 {{CARD0, 0x8086, 0x56c1, 0x0380},
	  {CARD1, 0x8086, 0x56c0, 0x0380},
	  {CARD2, 0x8086, 0x0bd0, 0x0380}},
	 .has = {"gpu.intel.com/product=Flex_140", "gpu.intel.com/family=Flex_Series"}},
	{"one that is left out",
	 {{CARD0, 0x8086, 0x56c0, 0x0380, "i915"}},
	 .deny = "0x56c0",
	 .lacks = {"gpu.intel.com/product", "intel.feature.node.kubernetes.io/gpu"}},
};

static void check_intel(void **state)
{
	const struct intel_row *row = *state;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(rule_options_clear) struct rule_options options = {.intel_rule_labels = true};
	struct err err;

	for (size_t i = 0; i < 3 && row->gpus[i].addr; i++)
		make_gpu(&inventory, &row->gpus[i]);
	inventory_sort(&inventory);
	if (row->deny)
		assert_int_equal(filter_parse(row->deny, &options.deny_ids, &err), 0);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	check_labels(&verdict.labels, row->has, ARRAY_SIZE(row->has));
	for (size_t i = 0; i < ARRAY_SIZE(row->lacks) && row->lacks[i]; i++)
		assert_null(labels_find(&verdict.labels, row->lacks[i]));
}

static void a_table_laid_over_names_them(void **state)
{
	static const struct device rows_[] = {
		{VENDOR_INTEL, 0x56c0, DEVICE_PF, "Mine", "My_Product", NULL}};
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct rule_options options = {.intel_rule_labels = true, .devices = {rows_, 1}};
	const struct gpu_row gpu = {CARD0, 0x8086, 0x56c0, 0x0380};
	struct err err;

	(void)state;
	make_gpu(&inventory, &gpu);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	assert_string_equal(labels_find(&verdict.labels, "gpu.intel.com/product")->value,
			    "My_Product");
	assert_null(labels_find(&verdict.labels, "gpu.intel.com/family"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_laid_over_names_them),
	};

	memset(long_name, 'x', sizeof(long_name) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL) + RUN_ROWS(rows, check) +
	       RUN_ROWS(family_rows, check_family) + RUN_ROWS(intel_rows, check_intel);
}
