/* SPDX-License-Identifier: Apache-2.0 */
/* Why a label is there or is not: the first condition that fails, and what every function did. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "rules/explain.h"
#include "rules/possible.h"
#include "rules/rules.h"

#define PF0 "0000:05:00.0"
#define PF1 "0000:06:00.0"
#define VF0 "0000:05:02.0"
#define NIC "0000:07:00.0"
#define AMD_PF 0x1002, 0x74a1, 0x1200
#define AMD_VF 0x1002, 0x74b5, 0x1200
#define W7900 0x1002, 0x7448, 0x0300
#define FLEX 0x8086, 0x56c0, 0x0380
#define UNNAMED 0x8086, 0x0001, 0x0300
#define AUDIO 0x1002, 0xab30, 0x0403
#define BRIDGE 0x8086, 0x1234, 0x0604
#define SYS "/sys/bus/pci/devices/"

struct card_row {
	const char *addr, *minor, *product, *vram, *compute, *memory;
};
struct kfd_row {
	const char *id, *simd, *per_cu, *gfx, *minor, *vram;
	const char *properties; /* "!why" */
};
struct module_row {
	const char *name, *version, *srcversion;
	bool of_file;
};
static struct explain_row {
	const char *name, *label;
	struct gpu_row gpus[4], others[4];
	struct card_row cards[2];
	struct kfd_row kfd[2];
	struct module_row module;
	const char *allow;
	enum mode driver_type;
	unsigned int left_out;
	bool intel_rules;
	const char *value;   /* NULL: absent */
	const char *because; /* part of it; NULL: there is none */
	const char *next;    /* likewise */
	size_t n_from;
	/* Lines that stand somewhere below: "item", "item: why", "path: value", "item > next" */
	const char *shows[5];
	const char *lacks; /* stands nowhere below */
} rows[] = {
	{"a label that is there names what it was counted from, and why not from the others",
	 "amd.com/gpu.mode",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}},
	  {VF0, AMD_VF, "vfio-pci", 8, PF0},
	  {PF1, FLEX, "i915", 9}},
	 .value = "vf-passthrough",
	 .n_from = 1,
	 .shows = {SYS VF0 "/driver: vfio-pci", SYS VF0 "/physfn: " PF0,
		   PF0 ": its VFs count in its place", SYS PF0 "/virtfn*: " VF0,
		   PF1 ": an Intel GPU: this label is of AMD's"}},
	{"what could not be read is shown with the reason",
	 "gpu.intel.com/vfio.present",
	 {{PF0, FLEX, "!driver: is no link", -1}},
	 .because = "0 of 1 Intel GPU functions can be handed to a VM now: " PF0
		    ": its driver cannot be read",
	 .next = "see what the file says",
	 .shows = {SYS PF0 "/driver: unknown: driver: is no link"}},
	{"a key that no rule makes", "example.com/x", .because = "no rule",
	 .next = "lists the keys"},
	{"a key that is shorter than the pattern", "amd.com/gpu.vfio.device-id..count",
	 .because = "no rule"},
	{"a kind that was not asked for",
	 "amd.com/gpu.vram",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .left_out = ~0U,
	 .because = "[amd] labels leaves this kind out",
	 .next = "name the kind in [amd] labels",
	 .shows = {PF0 ": what it shows gives no value"}},
	{"Intel's rules are off",
	 "gpu.intel.com/product",
	 {{PF0, FLEX, "i915", 7}},
	 .because = "rule-labels is off",
	 .next = "set rule-labels"},
	{"no GPU at all", "amd.com/gpu.mode", .because = "no AMD GPU function is on the bus",
	 .next = "lspci"},
	{"only the other vendor's",
	 "gpu.intel.com/vfio.count",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .because = "no Intel GPU function",
	 .shows = {PF0 ": an AMD GPU: this label is of Intel's"}},
	{"the first function that the user misses stands for all",
	 "amd.com/gpu.mode",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 0, PF0}},
	 .because = "0 of 2 AMD GPU functions serve a mode: " VF0 ": it is in no IOMMU group",
	 .next = "switch the IOMMU on"},
	{"gim without a VF",
	 "beta.amd.com/gpu.mode",
	 {{PF0, AMD_PF, "gim", 7}},
	 .because = "bound to gim, but it has no VF",
	 .next = "vf_num=1"},
	{"a mode that was asked for and is not there",
	 "amd.com/gpu.mode",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .driver_type = MODE_CONTAINER,
	 .because = "no GPU function serves container, which driver-type asks for: " PF0
		    ": serves pf-passthrough, but driver-type asks for container",
	 .next = "driver-type asks for one mode alone"},
	{"a label of another mode",
	 "amd.com/gpu.driver-version",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .because = "the node is labelled as pf-passthrough, and this label comes with container, "
		    "vf-passthrough alone",
	 .next = "ask for it with driver-type"},
	{"another value than expected, which one function could give",
	 "amd.com/gpu.mode=pf-passthrough",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, AMD_PF, NULL, 8}, {NIC, AMD_PF, "vfio-pci", 9}},
	 .value = "container",
	 .because = "its value is container, not pf-passthrough: " NIC
		    ": serves pf-passthrough, but the node is labelled as container",
	 .next = "driver-type asks for one mode alone",
	 .n_from = 1,
	 .shows = {PF1 ": no driver is bound to it"}},
	{"a mode that none of them serves",
	 "amd.com/gpu.mode=vf-passthrough",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .value = "container",
	 .because = "its value is container, not vf-passthrough",
	 .next = "gpu-labeler doctor --mode vf-passthrough says what keeps the GPUs from it",
	 .n_from = 1},
	{"a mode that there is not",
	 "beta.amd.com/gpu.mode=gpu",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .value = "container",
	 .because = "its value is container, not gpu",
	 .n_from = 1},
	{"another value than expected, and nobody could give it",
	 "amd.com/gpu.vfio.count=2",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .value = "1",
	 .because = "its value is 1, not 2",
	 .n_from = 1},
	{"the expected value",
	 "amd.com/gpu.vfio.count=1",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .value = "1",
	 .n_from = 1},
	{"an unlabelled value is asked for",
	 "amd.com/gpu.vfio.count=1",
	 {{PF0, AMD_PF, NULL, 7}},
	 .because = "0 of 1 AMD GPU functions can be handed to a VM now: " PF0
		    ": no driver is bound to it"},
	{"a function with a mode, but not for a VM",
	 "amd.com/gpu.vfio.count",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .because = PF0 ": no vfio driver is bound to it, but amdgpu",
	 .next = "bind it to vfio-pci"},
	{"a VF that waits for a driver",
	 "amd.com/gpu.vfio.count",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .because = "can be handed to a VM now: " PF0,
	 .shows = {VF0 ": no vfio driver is bound to it", VF0 " > bind it to vfio-pci to hand it"}},
	{"a list of ids that leaves all out",
	 "gpu.intel.com/product",
	 {{PF0, FLEX, "i915", 7}},
	 .allow = "0x1234",
	 .intel_rules = true,
	 .because =
		 "allow-ids or deny-ids leave out all Intel GPUs: " PF0 ": allow-ids leaves it out",
	 .next = "change allow-ids"},
	{"a filtered function serves no mode",
	 "amd.com/gpu.mode",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .allow = "0x1234",
	 .because = "serve a mode: " PF0 ": allow-ids leaves it out",
	 .next = "change allow-ids"},
	{"an id that the device table has not",
	 "gpu.intel.com/product",
	 {{PF0, UNNAMED, "i915", 7}},
	 .intel_rules = true,
	 .because = "what was read gives no value",
	 .next = "a line for the id in the device table",
	 .shows = {SYS PF0 "/device: 0x0001"}},
	{"an Intel GPU on no driver of Intel's",
	 "intel.feature.node.kubernetes.io/gpu",
	 {{PF0, FLEX, "vfio-pci", 7}},
	 .intel_rules = true,
	 .because = "what was read gives no value",
	 .next = "bind a GPU to i915 or xe"},
	{"a value that no function has",
	 "amd.com/gpu.vfio.device-id.dead.count",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .because = "no function that counts has this value; there is "
		    "amd.com/gpu.vfio.device-id.74a1.count=1",
	 .next = "select on what there is",
	 .shows = {PF0 ": it counts in amd.com/gpu.vfio.device-id.74a1.count=1"}},
	{"several values",
	 "amd.com/gpu.device-id",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, W7900, "vfio-pci", 8}},
	 .because = "not all alike; there is amd.com/gpu.device-id.7448=1, "
		    "amd.com/gpu.device-id.74a1=1",
	 .next = "select on one of these"},
	{"a value that could not be read, beside others",
	 "amd.com/gpu.device-id",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, 0x1002, 0, 0x0300, "vfio-pci", 8}},
	 .because = "not of all functions that count the value is known: " SYS PF1
		    "/device: unknown: device is empty; there is amd.com/gpu.device-id.74a1=1",
	 .shows = {PF1 ": what it shows gives no value"}},
	{"a member of the group that is in the way",
	 "amd.com/gpu.vfio.iommu-groups-viable",
	 {{PF0, W7900, "vfio-pci", 7}},
	 .others = {{NIC, AUDIO, "snd_hda_intel", 7},
		    {"0000:07:00.1", BRIDGE, "pcieport", 7},
		    {"0000:07:00.2", AUDIO, "snd_hda_intel", 8},
		    {"0000:07:00.3", AUDIO, "gim", 0}},
	 .value = "0",
	 .n_from = 1,
	 .shows = {NIC ": its driver is snd_hda_intel: IOMMU group 7",
		   NIC " > bind it to vfio-pci as well", SYS NIC "/class: 0x0403",
		   SYS "0000:07:00.1/driver: pcieport"}},
	{"of groups alone the members are not shown",
	 "amd.com/gpu.vfio.iommu-groups",
	 {{PF0, W7900, "vfio-pci", 7}},
	 .value = "1",
	 .n_from = 1},
	{"a virtfn list that failed and a number of VFs",
	 "gpu.intel.com/vfio.present",
	 {{PF0, FLEX, "vfio-pci", 7, .numvfs = "2", .vf_links = "!virtfn0: gone"}},
	 .because = "whether the PF has VFs cannot be read",
	 .next = "see what the file says",
	 .shows = {SYS PF0 "/sriov_numvfs: 2", SYS PF0 "/virtfn*: unknown: virtfn0: gone"}},
	{"a module that shows no version",
	 "amd.com/gpu.driver-version",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .module = {"amdgpu", NULL, "ABC"},
	 .because = "/sys/module/amdgpu/version: there is none",
	 .next = "DKMS"},
	{"what another function lacks is no reason",
	 "amd.com/gpu.driver-version",
	 {{"0000:04:00.0", AMD_PF, "!driver: is no link", 7}, {PF0, AMD_PF, "amdgpu", 7}},
	 .module = {"amdgpu", NULL, "ABC"},
	 .because = "/sys/module/amdgpu/version: there is none"},
	{"a module that is not loaded",
	 "amd.com/gpu.driver-src-version",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .module = {"i915", "1", "ABC"},
	 .because = "/sys/module: the driver's module is not loaded",
	 .shows = {"module"}},
	{"a version that is the file's",
	 "amd.com/gpu.driver-version",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "8.1.0.K", NULL, true},
	 .value = "8.1.0.K",
	 .n_from = 1,
	 .shows = {"gim: the loaded module shows no version", "/sys/module/gim/version: 8.1.0.K"}},
	{"a card without KFD",
	 "amd.com/gpu.simd-count",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128"}},
	 .because = "/sys/class/kfd/kfd/topology/nodes: there is no node of a GPU",
	 .next = "KFD must show the GPU"},
	{"KFD shows another card alone",
	 "amd.com/gpu.simd-count",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, AMD_PF, "amdgpu", 8}},
	 .cards = {{PF0, "128"}, {PF1, "129"}},
	 .kfd = {{"1", "1216", "4", "90402", "129", "1"}},
	 .because = "not of all functions that count the value is known: "
		    "/sys/class/kfd/kfd/topology/nodes: none of its nodes is this GPU",
	 .next = "KFD must show the GPU"},
	{"KFD is locked, the card is not",
	 "amd.com/gpu.cu-count",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128"}},
	 .kfd = {{"1", .properties = "!1/properties: Operation not permitted"}},
	 .because = "/sys/class/kfd/kfd/topology/nodes/1/properties: unknown: 1/properties: "
		    "Operation not permitted"},
	{"a value out of two files",
	 "amd.com/gpu.vram",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128", NULL, "206141652992", "SPX"}},
	 .kfd = {{"1", "1216", "4", "90402", "128", "206141652992"}},
	 .value = "192G",
	 .n_from = 1,
	 .shows = {SYS PF0 "/mem_info_vram_total: 206141652992",
		   SYS PF0 "/current_compute_partition: SPX",
		   "/sys/class/kfd/kfd/topology/nodes/1/mem_banks/0/properties: "
		   "size_in_bytes 206141652992"}},
	{"a name out of a file elsewhere",
	 "amd.com/gpu.product-name",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128"}},
	 .because = SYS PF0 "/revision: there is none",
	 .next = "amdgpu.ids",
	 .shows = {"/usr/share/libdrm/amdgpu.ids: there is none"}},
	{"firmware that the card does not show",
	 "beta.amd.com/gpu.firmware.SDMA0.fw.7",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128"}},
	 .because = SYS PF0 "/fw_version/sdma_fw_version: there is none",
	 .next = "amdgpu must show fw_version"},
	{"partitions that differ",
	 "amd.com/gpu.compute-memory-partition",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, AMD_PF, "amdgpu", 8}},
	 .cards = {{PF0, "128", .compute = "SPX", .memory = "NPS1"},
		   {PF1, "129", .compute = "CPX", .memory = "NPS1"}},
	 .because = "what was read gives no value",
	 .next = "must show the same"},
	{"the start of a value that Kubernetes would not take",
	 "beta.amd.com/gpu.product-name.A",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128", "A_name_of_a_card_that_is_too_long_for_a_key_of_counts"}},
	 .because = "no function that counts has this value"},
	{"one field, and not the other whose name begins alike",
	 "amd.com/gpu.compute-partitioning-supported",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128", .compute = "SPX"}},
	 .value = "false",
	 .n_from = 1,
	 .shows = {SYS PF0 "/available_compute_partition: there is none"},
	 .lacks = "current_compute_partition"},
	{"a value that Kubernetes would not take",
	 "beta.amd.com/gpu.product-name."
	 "A_name_of_a_card_that_is_too_long_for_a_key_of_counts",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .cards = {{PF0, "128", "A_name_of_a_card_that_is_too_long_for_a_key_of_counts"}},
	 .because = "it alone is dropped",
	 .next = "shorter"},
};

static void build(const struct explain_row *row, struct inventory *inventory)
{
	for (size_t i = 0; i < ARRAY_SIZE(row->gpus) && row->gpus[i].addr; i++)
		make_gpu(inventory, &row->gpus[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->others) && row->others[i].addr; i++)
		make_other(inventory, &row->others[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->cards) && row->cards[i].addr; i++) {
		const struct card_row *from = &row->cards[i];
		struct card card = {.addr = make_addr(from->addr),
				    .render_minor = make_number(from->minor),
				    .product_name = make_text(from->product),
				    .vram = make_number(from->vram),
				    .compute_partition = make_text(from->compute),
				    .memory_partition = make_text(from->memory)};

		assert_int_equal(inventory_add_card(inventory, &card), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(row->kfd) && row->kfd[i].id; i++) {
		const struct kfd_row *from = &row->kfd[i];
		struct kfd_node node = {.id = make_number(from->id),
					.simd_count = make_number(from->simd),
					.simd_per_cu = make_number(from->per_cu),
					.gfx_target_version = make_number(from->gfx),
					.render_minor = make_number(from->minor),
					.vram = make_number(from->vram),
					.properties = make_text(from->properties)};

		assert_int_equal(inventory_add_kfd(inventory, &node), 0);
	}
	if (row->module.name) {
		make_module(inventory, row->module.name, row->module.version,
			    row->module.srcversion);
		inventory->modules[0].version_of_file = row->module.of_file;
	}
	inventory_sort(inventory);
}

static void put_item(struct strbuf *out, const struct explained_item *item)
{
	strbuf_addf(out, "%s%s%s\n", item->name, item->why ? ": " : "", item->why ? item->why : "");
	for (size_t i = 0; i < item->n_facts; i++)
		strbuf_addf(out, "%s: %s\n", item->facts[i].path, item->facts[i].value);
	if (item->fix)
		strbuf_addf(out, "%s > %s\n", item->name, item->fix);
}

static void put_list(struct strbuf *out, const struct explained_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		put_item(out, &list->items[i]);
}

static void check_part(const char *what, const char *got, const char *part)
{
	if (!part && got)
		fail_msg("%s: %s", what, got);
	if (part && (!got || !strstr(got, part)))
		fail_msg("%s: \"%s\" is not in \"%s\"", what, part, got ? got : "");
}

static void check_explanation(const struct explain_row *row, const struct explanation *got)
{
	CLEANUP(strbuf_clear) struct strbuf shown = {0};

	if (row->value)
		assert_string_equal(got->value, row->value);
	else
		assert_null(got->value);
	check_part("because", got->because, row->because);
	if (row->next || !row->because)
		check_part("next", got->fix, row->next);
	assert_int_equal(got->from.n_items, row->n_from);
	put_list(&shown, &got->from);
	put_list(&shown, &got->modules);
	put_list(&shown, &got->members);
	put_list(&shown, &got->not_from);
	for (size_t i = 0; i < ARRAY_SIZE(row->shows) && row->shows[i]; i++)
		check_part("below", shown.text, row->shows[i]);
	if (row->lacks && shown.text && strstr(shown.text, row->lacks))
		fail_msg("%s is shown", row->lacks);
}

static void check_row(void **state)
{
	const struct explain_row *row = *state;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(rule_options_clear)
	struct rule_options options = {.driver_type = row->driver_type,
				       .left_out = row->left_out,
				       .intel_rule_labels = row->intel_rules};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(explanation_clear) struct explanation got = {0};
	struct err err;

	build(row, &inventory);
	assert_int_equal(filter_parse(row->allow ? row->allow : "", &options.allow_ids, &err), 0);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	assert_int_equal(explain_label(&inventory, &options, &verdict, row->label, &got), 0);
	check_explanation(row, &got);
}

/* Every label that any row's node has is one that the tables list, with the rule that made it. */
static void the_tables_list_every_label_that_they_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(inventory_clear) struct inventory inventory = {0};
		CLEANUP(verdict_clear) struct verdict verdict = {0};
		CLEANUP(possibles_clear) struct possibles possibles = {0};
		const struct rule_options options = {.intel_rule_labels = true};
		struct err err;

		build(&rows[i], &inventory);
		assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
		possibles_list(&options, &possibles);
		for (size_t j = 0; j < verdict.labels.n_items; j++) {
			const struct label *label = &verdict.labels.items[j];
			const struct possible *possible = possibles_find(&possibles, label->key);

			if (!possible)
				fail_msg("%s: in no table", label->key);
			else if (possible->rule != label->rule)
				fail_msg("%s: by another rule", label->key);
		}
	}
}

static void the_keys_are_those_that_are_there_then_those_that_could_be(void **state)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(strbuf_clear) struct strbuf keys = {0};
	const struct rule_options options = {0};
	struct err err;

	(void)state;
	build(&rows[0], &inventory);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	explain_keys(&options, &verdict, &keys);
	assert_false(keys.failed);
	assert_int_equal(strncmp(keys.text, verdict.labels.items[0].key,
				 strlen(verdict.labels.items[0].key)),
			 0);
	assert_non_null(strstr(keys.text, "\namd.com/gpu.vram\n"));
	assert_null(strchr(keys.text, '*'));
	assert_null(strstr(strstr(keys.text, "\namd.com/gpu.mode\n") + 1, "\namd.com/gpu.mode\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_list_every_label_that_they_make),
		cmocka_unit_test(the_keys_are_those_that_are_there_then_those_that_could_be),
	};

	return RUN_ROWS(rows, check_row) + cmocka_run_group_tests(tests, NULL, NULL);
}
