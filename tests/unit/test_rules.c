/* SPDX-License-Identifier: Apache-2.0 */
/* Whole verdicts: what the machines of tests/nodes cannot show, or not so closely. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "rules/rules.h"
#include "rules/validity.h"

#define PF0 "0000:05:00.0"
#define PF1 "0000:06:00.0"
#define VF0 "0000:05:02.0"
#define VF1 "0000:06:02.0"
#define NIC "0000:07:00.0"
#define AMD_PF 0x1002, 0x74a1, 0x1200
#define AMD_VF 0x1002, 0x74b5, 0x1200
#define W7900 0x1002, 0x7448, 0x0300
#define FLEX 0x8086, 0x56c0, 0x0380
#define ARC 0x8086, 0xe20b, 0x0300
#define AUDIO 0x1002, 0xab30, 0x0403
#define BRIDGE 0x8086, 0x1234, 0x0604

struct module_row {
	const char *name, *version, *srcversion;
};
static struct verdict_row {
	const char *name;
	struct gpu_row gpus[4], others[2];
	struct module_row module;
	const char *allow, *deny;
	enum mode driver_type;
	bool with_0x;
	const char *has[8];   /* labels, key=value */
	const char *lacks[4]; /* keys */
	const char *says[4];  /* parts of notes, each of another note */
	bool silent;          /* no note at all */
} rows[] = {
	{"no GPU, no label, no word", .silent = true, .lacks = {"amd.com/gpu.mode"}},
	{"PFs alike",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, AMD_PF, "vfio-pci", 8}},
	 .has = {"amd.com/gpu.mode=pf-passthrough", "beta.amd.com/gpu.mode=pf-passthrough",
		 "amd.com/gpu.device-id=74a1", "beta.amd.com/gpu.device-id=74a1",
		 "beta.amd.com/gpu.device-id.74a1=2", "amd.com/gpu.vfio.iommu-groups-viable=2"},
	 .lacks = {"amd.com/gpu.device-id.74a1", "amd.com/gpu.driver-version"},
	 .silent = true},
	{"PFs of two kinds",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, W7900, "vfio-pci", 8}},
	 .has = {"amd.com/gpu.device-id.74a1=1", "amd.com/gpu.device-id.7448=1",
		 "beta.amd.com/gpu.device-id.74a1=1", "beta.amd.com/gpu.device-id.7448=1"},
	 .lacks = {"amd.com/gpu.device-id", "beta.amd.com/gpu.device-id"}},
	{"GIM's version is cut at the plus",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "8.1.0.K+4.gab12cd3", "ABC"},
	 .has = {"amd.com/gpu.driver-version=8.1.0.K", "amd.com/gpu.driver-src-version=ABC"},
	 .lacks = {"beta.amd.com/gpu.driver-version", "amd.com/gpu.vfio.present"},
	 .silent = true},
	{"a git build's version is kept",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "8.1.0.K-3-g88374e0", "ABC"},
	 .has = {"amd.com/gpu.driver-version=8.1.0.K-3-g88374e0"}},
	{"GIM without versions costs those labels alone",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", NULL, NULL},
	 .has = {"amd.com/gpu.mode=vf-passthrough", "amd.com/gpu.device-id=74b5"},
	 .lacks = {"amd.com/gpu.driver-version", "amd.com/gpu.driver-src-version"},
	 .says = {"no version", "no srcversion"}},
	{"a version that is nothing but a plus is none",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "+", "!srcversion: is empty"},
	 .lacks = {"amd.com/gpu.driver-version", "amd.com/gpu.driver-src-version"},
	 .says = {"srcversion: is empty"}},
	{"GIM that is not listed as a module",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .has = {"amd.com/gpu.mode=vf-passthrough"},
	 .lacks = {"amd.com/gpu.driver-version"}},
	{"the in-tree amdgpu has no version, and nobody minds",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .module = {"amdgpu", NULL, NULL},
	 .has = {"amd.com/gpu.mode=container", "beta.amd.com/gpu.device-id.74a1=1"},
	 .lacks = {"amd.com/gpu.driver-version", "amd.com/gpu.vram"},
	 .says = {"family, vram, simd-count, cu-count: not known of every GPU: there is no KFD"}},
	{"amdgpu's version is not cut, but cleaned",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .module = {"amdgpu", "6.14.14+rocm6", "A B"},
	 .has = {"amd.com/gpu.driver-version=6.14.14_rocm6", "amd.com/gpu.driver-src-version=A_B"}},
	{"several modes are said, and the first labelled",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, AMD_PF, "vfio-pci", 8}},
	 .has = {"amd.com/gpu.mode=container", "beta.amd.com/gpu.device-id.74a1=1",
		 "amd.com/gpu.vfio.count=1"},
	 .says = {"1 for container, 1 for pf-passthrough"}},
	{"driver-type takes the other one",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, W7900, "vfio-pci", 8}},
	 .driver_type = MODE_PF_PASSTHROUGH,
	 .has = {"amd.com/gpu.mode=pf-passthrough", "amd.com/gpu.device-id=7448"},
	 .says = {"labelled as pf-passthrough"}},
	{"driver-type that nothing serves",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .driver_type = MODE_VF_PASSTHROUGH,
	 .lacks = {"amd.com/gpu.mode", "amd.com/gpu.device-id"},
	 .says = {"no GPU function serves that mode: 1 for container"}},
	{"driver-type on a node without GPU", .driver_type = MODE_VF_PASSTHROUGH,
	 .says = {"driver-type is vf-passthrough"}},
	{"0x in a passthrough mode and its markers",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .with_0x = true,
	 .has = {"amd.com/gpu.device-id=0x74a1", "beta.amd.com/gpu.device-id.0x74a1=1",
		 "amd.com/gpu.vfio.device-id.0x74a1.count=1"},
	 .lacks = {"amd.com/gpu.vfio.device-id.74a1.count"}},
	{"container mode stays bare",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .with_0x = true,
	 .has = {"amd.com/gpu.device-id=74a1"}},
	{"allow-ids leaves the PF out, its VFs keep their mode",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .module = {"gim", "8.1.0.K", "ABC"},
	 .allow = "0x74b5",
	 .has = {"amd.com/gpu.mode=vf-passthrough", "amd.com/gpu.vfio.count=1"},
	 .silent = true},
	{"deny-ids leaves nothing",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .deny = "1002:74a1",
	 .lacks = {"amd.com/gpu.mode", "amd.com/gpu.vfio.present"},
	 .silent = true},
	{"a denied GPU can still block its group",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, W7900, "amdgpu", 7}},
	 .deny = "0x7448",
	 .has = {"amd.com/gpu.vfio.iommu-groups=1", "amd.com/gpu.vfio.iommu-groups-viable=0"},
	 .says = {PF1 ": its driver is amdgpu: IOMMU group 7"}},
	{"two GPUs in one group are two functions and one group",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, AMD_PF, "vfio-pci", 7}},
	 .has = {"amd.com/gpu.vfio.count=2", "amd.com/gpu.vfio.iommu-groups=1",
		 "amd.com/gpu.vfio.iommu-groups-viable=1"}},
	{"audio left on its driver blocks the group",
	 {{PF0, W7900, "vfio-pci", 7}},
	 {{"0000:05:00.1", AUDIO, "snd_hda_intel", 7}},
	 .has = {"amd.com/gpu.vfio.iommu-groups=1", "amd.com/gpu.vfio.iommu-groups-viable=0"},
	 .says = {"0000:05:00.1: its driver is snd_hda_intel"}},
	{"an unreadable driver blocks the group",
	 {{PF0, W7900, "vfio-pci", 7}},
	 {{"0000:05:00.1", AUDIO, "!driver: is no link", 7}},
	 .has = {"amd.com/gpu.vfio.iommu-groups-viable=0"},
	 .says = {"0000:05:00.1: its driver cannot be read"}},
	{"audio on vfio-pci, on pci-stub, without driver, and bridges block nothing",
	 {{PF0, W7900, "vfio-pci", 7}, {PF1, W7900, "vfio-pci", 8}},
	 {{"0000:05:00.1", AUDIO, "pci-stub", 7}, {"0000:04:00.0", BRIDGE, "pcieport", 8}},
	 .has = {"amd.com/gpu.vfio.iommu-groups-viable=2"},
	 .silent = true},
	{"audio without driver blocks nothing, and another group is nobody's business",
	 {{PF0, W7900, "vfio-pci", 7}},
	 {{"0000:05:00.1", AUDIO, NULL, 7}, {NIC, AUDIO, "snd_hda_intel", 9}},
	 .has = {"amd.com/gpu.vfio.iommu-groups-viable=1"},
	 .silent = true},
	{"PF and VF are mixed, so are their drivers",
	 {{PF0, FLEX, "xe", 7, .numvfs = "1", .vfs = {VF0}},
	  {VF0, FLEX, "xe-vfio-pci", 8, PF0},
	  {PF1, ARC, "vfio-pci", 9}},
	 .has = {"gpu.intel.com/vfio.type=mixed", "gpu.intel.com/vfio.driver=mixed",
		 "gpu.intel.com/vfio.count=2", "gpu.intel.com/vfio.device-id.0380-56c0.count=1",
		 "gpu.intel.com/vfio.device-id.0300-e20b.present=true"},
	 .lacks = {"amd.com/gpu.vfio.present", "amd.com/gpu.mode"}},
	{"AMD and Intel on one node",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, FLEX, "vfio-pci", 8}},
	 .has = {"amd.com/gpu.vfio.count=1", "gpu.intel.com/vfio.count=1",
		 "amd.com/gpu.vfio.type=pf", "gpu.intel.com/vfio.type=pf"}},
	{"VFs alone",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .module = {"gim", "8.1.0.K", "ABC"},
	 .has = {"amd.com/gpu.vfio.type=vf", "amd.com/gpu.vfio.driver=vfio-pci"}},
	{"a driver whose name is no label value is cleaned",
	 {{PF0, AMD_PF, "my (own) vfio-pci", 7}},
	 .has = {"amd.com/gpu.vfio.driver=my_own_vfio-pci"}},
	{"a driver whose name is too long is cut",
	 {{PF0, AMD_PF,
	   "a123456789b123456789c123456789d123456789e123456789f123456789g123456789vfio-pci", 7}},
	 .has = {"amd.com/"
		 "gpu.vfio.driver="
		 "a123456789b123456789c123456789d123456789e123456789f123456789g12"}},
	{"a virtfn link to nowhere is told",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0, VF1}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "8.1.0.K", "ABC"},
	 .has = {"beta.amd.com/gpu.device-id.74b5=1"},
	 .says = {PF0 ": a virtfn link names " VF1}},
	{"gim on a function that is no GPU is told",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 {{NIC, AUDIO, "gim", 9}},
	 .says = {NIC ": bound to gim, but no GPU (class 0403)"}},
	{"why nothing counts is told, with what could not be read",
	 {{PF0, AMD_PF, NULL, 7}, {PF1, AMD_PF, "!driver: is no link", 8}},
	 .says = {PF0 ": no driver", PF1 ": its driver cannot be read (driver: is no link)"}},
	{"what could not be read is told where the function counts, too",
	 {{PF0, AMD_PF, "amdgpu", -1}},
	 .has = {"amd.com/gpu.mode=container"},
	 .says = {PF0 ": iommu_group: is no link"}},
	{"a device id that cannot be read: no plain key, and the rest",
	 {{PF0, AMD_PF, "vfio-pci", 7}, {PF1, 0x1002, 0, 0x1200, "vfio-pci", 8}},
	 .has = {"amd.com/gpu.mode=pf-passthrough", "amd.com/gpu.device-id.74a1=1",
		 "beta.amd.com/gpu.device-id.74a1=1", "amd.com/gpu.vfio.count=2",
		 "amd.com/gpu.vfio.device-id.74a1.count=1"},
	 .lacks = {"amd.com/gpu.device-id", "beta.amd.com/gpu.device-id"},
	 .says = {PF1 ": device is empty"}},
	{"an Intel device id that cannot be read",
	 {{PF0, 0x8086, 0, 0x0380, "vfio-pci", 7}},
	 .has = {"gpu.intel.com/vfio.count=1"},
	 .lacks = {"gpu.intel.com/vfio.device-id.0380-0000.count"},
	 .says = {PF0 ": device is empty"}},
	{"a device id that cannot be read, and a list of ids",
	 {{PF0, 0x1002, 0, 0x1200, "vfio-pci", 7}},
	 .deny = "0x74b5",
	 .lacks = {"amd.com/gpu.mode", "amd.com/gpu.vfio.present"},
	 .says = {PF0 ": device is empty"}},
	{"a version that says nothing before its plus is told",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .module = {"gim", "+g1234567", "ABC"},
	 .lacks = {"amd.com/gpu.driver-version"},
	 .says = {"gim: the module shows no version"}},
	{"a function of a third vendor is no one's",
	 {{PF0, 0x10de, 0x2330, 0x0302, "vfio-pci", 7}},
	 .lacks = {"amd.com/gpu.mode", "amd.com/gpu.vfio.present", "gpu.intel.com/vfio.present"}},
};

static void build(const struct verdict_row *row, struct inventory *inventory,
		  struct rule_options *options)
{
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(row->gpus) && row->gpus[i].addr; i++)
		make_gpu(inventory, &row->gpus[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->others) && row->others[i].addr; i++)
		make_other(inventory, &row->others[i]);
	if (row->module.name)
		make_module(inventory, row->module.name, row->module.version,
			    row->module.srcversion);
	inventory_sort(inventory);
	assert_int_equal(filter_parse(row->allow ? row->allow : "", &options->allow_ids, &err), 0);
	assert_int_equal(filter_parse(row->deny ? row->deny : "", &options->deny_ids, &err), 0);
	options->driver_type = row->driver_type;
	options->device_id_0x = row->with_0x;
}

static bool says(const struct notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->n_items; i++) {
		if (strstr(notes->items[i].text, text))
			return true;
	}
	return false;
}

static void check_label(const struct labels *labels, const char *line)
{
	const size_t len = strcspn(line, "=");
	auto_free char *key = strndup(line, len);
	const struct label *label = labels_find(labels, key);

	if (!label)
		fail_msg("no label %s", key);
	assert_string_equal(label->value, line + len + 1);
	assert_non_null(label->rule);
	assert_true(label->gpus.n_items > 0);
}

static void check_verdict(void **state)
{
	const struct verdict_row *row = *state;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(rule_options_clear) struct rule_options options = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	struct err err;

	build(row, &inventory, &options);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row->has) && row->has[i]; i++)
		check_label(&verdict.labels, row->has[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->lacks) && row->lacks[i]; i++)
		assert_null(labels_find(&verdict.labels, row->lacks[i]));
	for (size_t i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++) {
		if (!says(&verdict.notes, row->says[i]))
			fail_msg("no note says: %s", row->says[i]);
	}
	if (row->silent)
		assert_int_equal(verdict.notes.n_items, 0);
	for (size_t i = 0; i < verdict.labels.n_items; i++) {
		assert_true(validity_key(verdict.labels.items[i].key));
		assert_true(validity_value(verdict.labels.items[i].value));
	}
}

static void problems_of_the_scan_are_told(void **state)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct rule_options options = {0};
	struct err err;

	(void)state;
	assert_int_equal(inventory_add_problem(&inventory, NULL, "x: no PCI address"), 0);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	assert_true(says(&verdict.notes, "x: no PCI address"));
	assert_int_equal(verdict.notes.items[0].level, NOTE_WARNING);
	assert_string_equal(note_level_name(NOTE_WARNING), "warning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(problems_of_the_scan_are_told)};

	return RUN_ROWS(rows, check_verdict) + cmocka_run_group_tests(tests, NULL, NULL);
}
