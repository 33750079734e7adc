/* SPDX-License-Identifier: Apache-2.0 */
/* What a change would bring: the inventory as the kernel would leave it, and the labels of that. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/what_if.h"
#include "rules/rules.h"

#define PF0 "0000:05:00.0"
#define PF1 "0000:06:00.0"
#define VF0 "0000:05:02.0"
#define AUDIO0 "0000:05:00.1"
#define AMD_PF 0x1002, 0x74a1, 0x1200
#define AMD_VF 0x1002, 0x74b5, 0x1200
#define FLEX 0x8086, 0x56c0, 0x0380
#define AUDIO 0x1002, 0xab30, 0x0403

static struct what_if_row {
	const char *name, *steps;
	struct gpu_row gpus[3], others[1];
	const char *totalvfs, *vf_device; /* of the first */
	const char *refused;              /* part of the reason; NULL: it works */
	const char *assumed;              /* part; NULL: nothing is */
	const char *has[4], *lacks[3];
	size_t n_gpus; /* afterwards; 0: as before */
} rows[] = {
	{"a PF without a driver, for VMs",
	 "bind " PF0 " vfio-pci",
	 {{PF0, AMD_PF, NULL, 7}},
	 .has = {"amd.com/gpu.mode=pf-passthrough", "amd.com/gpu.vfio.count=1"}},
	{"for containers, of which amdgpu would tell more",
	 "bind " PF0 " amdgpu",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .assumed = "labels of these are not known before",
	 .has = {"amd.com/gpu.mode=container"},
	 .lacks = {"amd.com/gpu.vfio.count", "amd.com/gpu.vram"}},
	{"gim, whose version is not known yet",
	 "bind " PF0 " gim",
	 {{PF0, AMD_PF, NULL, 7}},
	 .assumed = "gim: its version is not known",
	 .lacks = {"amd.com/gpu.mode"}},
	{"the driver that it has",
	 "bind " PF0 " vfio-pci",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .has = {"amd.com/gpu.mode=pf-passthrough"}},
	{"no driver",
	 " unbind\t" PF0 " ",
	 {{PF0, AMD_PF, "amdgpu", 7}},
	 .lacks = {"amd.com/gpu.mode"}},
	{"no driver where there is none",
	 "unbind " PF0,
	 {{PF0, AMD_PF, NULL, 7}},
	 .lacks = {"amd.com/gpu.mode"}},
	{"several steps, and a ; at the end",
	 "unbind " PF0 "; bind " PF0 " vfio-pci; bind " PF1 " xe-vfio-pci;",
	 {{PF0, AMD_PF, "amdgpu", 7}, {PF1, AMD_PF, "amdgpu", 8}},
	 .has = {"amd.com/gpu.vfio.count=2", "amd.com/gpu.vfio.driver=mixed"}},
	{"the audio function of the group",
	 "bind " AUDIO0 " vfio-pci",
	 {{PF0, AMD_PF, "vfio-pci", 7}},
	 .others = {{AUDIO0, AUDIO, "snd_hda_intel", 7}},
	 .has = {"amd.com/gpu.vfio.iommu-groups-viable=1"}},
	{"VFs of gim, which wait for their driver",
	 "numvfs " PF0 " 4",
	 {{PF0, AMD_PF, "gim", 7}},
	 .totalvfs = "8",
	 .vf_device = "29877", /* 74b5 */
	 .assumed = "addresses of its 4 VFs are made up",
	 .has = {"amd.com/gpu.mode=vf-passthrough", "beta.amd.com/gpu.device-id.74b5=4"},
	 .lacks = {"amd.com/gpu.vfio.present"},
	 .n_gpus = 5},
	{"VFs of which the PF does not say the id",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF, "gim", 7}},
	 .totalvfs = "8",
	 .assumed = "made up",
	 .has = {"amd.com/gpu.mode=vf-passthrough"},
	 .lacks = {"amd.com/gpu.device-id"},
	 .n_gpus = 2},
	{"VFs beside the functions that are there",
	 "numvfs " PF0 " 3",
	 {{PF0, FLEX, "vfio-pci", 7, .numvfs = "0"}, {"0000:05:00.2", FLEX, "i915", 9}},
	 .others = {{AUDIO0, AUDIO, NULL, 12}},
	 .totalvfs = "31",
	 .assumed = "made up",
	 .has = {"gpu.intel.com/vfio.count=3", "gpu.intel.com/vfio.type=vf",
		 "gpu.intel.com/vfio.iommu-groups=3",
		 "gpu.intel.com/vfio.device-id.0380-56c0.count=3"},
	 .n_gpus = 5},
	{"a PF without a group gives VFs without",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .assumed = "made up",
	 .lacks = {"amd.com/gpu.mode"},
	 .n_gpus = 2},
	{"no VF any more",
	 "numvfs " PF0 " 0",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .totalvfs = "8",
	 .assumed = "that it takes a number is assumed",
	 .lacks = {"amd.com/gpu.mode", "amd.com/gpu.vfio.present"},
	 .n_gpus = 1},
	{"the number that is there already",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .totalvfs = "8",
	 .has = {"amd.com/gpu.mode=vf-passthrough"},
	 .n_gpus = 2},
	{"VFs go with the driver",
	 "bind " PF0 " vfio-pci",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0, "0000:05:02.1"}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .assumed = "its 2 VFs go with the driver",
	 .has = {"amd.com/gpu.mode=pf-passthrough", "amd.com/gpu.vfio.count=1"},
	 .n_gpus = 1},
	{"no verb",
	 "drop " PF0,
	 {{PF0, AMD_PF}},
	 .refused = "step 1: \"drop\" is neither bind, unbind nor numvfs"},
	{"nothing", "", {{PF0, AMD_PF}}, .refused = "step 1: \"\" is neither"},
	{"nothing between",
	 "unbind " PF0 ";;unbind " PF0,
	 {{PF0, AMD_PF}},
	 .refused = "step 2: \"\" is neither"},
	{"no address", "unbind 05:00", {{PF0, AMD_PF}}, .refused = "\"05:00\" is no PCI address"},
	{"no place", "unbind", {{PF0, AMD_PF}}, .refused = "write: unbind ADDRESS"},
	{"no value", "bind " PF0, {{PF0, AMD_PF}}, .refused = "write: bind ADDRESS DRIVER"},
	{"too much", "unbind " PF0 " now", {{PF0, AMD_PF}}, .refused = "write: unbind ADDRESS"},
	{"a function that is not there",
	 "unbind 0000:07:00.0",
	 {{PF0, AMD_PF}},
	 .refused = "0000:07:00.0 is no GPU function of this node"},
	{"a driver that is none",
	 "bind " PF0 " a/b",
	 {{PF0, AMD_PF}},
	 .refused = "\"a/b\" is no driver's name"},
	{"a driver too long for one",
	 "bind " PF0 " 1234567890123456789012345678901234567890123456789012345678901234",
	 {{PF0, AMD_PF}},
	 .refused = "is no driver's name"},
	{"vfio without an IOMMU",
	 "bind " PF0 " vfio-pci",
	 {{PF0, AMD_PF}},
	 .refused = "is in no IOMMU group"},
	{"a number that is none",
	 "numvfs " PF0 " four",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .refused = "\"four\" is no number from 0 to 256"},
	{"a number with a sign",
	 "numvfs " PF0 " +4",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .refused = "is no number"},
	{"less than none",
	 "numvfs " PF0 " -1",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .refused = "is no number"},
	{"more than anybody has",
	 "numvfs " PF0 " 257",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .refused = "is no number"},
	{"more than the PF can have",
	 "numvfs " PF0 " 9",
	 {{PF0, AMD_PF, "gim"}},
	 .totalvfs = "8",
	 .refused = "the PF can have 8 VFs at most"},
	{"no SR-IOV",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF, "gim"}},
	 .refused = "shows no sriov_totalvfs"},
	{"no driver that makes them",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF}},
	 .totalvfs = "8",
	 .refused = "no driver is bound to the PF"},
	{"amdgpu makes none",
	 "numvfs " PF0 " 1",
	 {{PF0, AMD_PF, "amdgpu"}},
	 .totalvfs = "8",
	 .refused = "amdgpu makes no VFs"},
	{"nobody to take them away",
	 "numvfs " PF0 " 0",
	 {{PF0, AMD_PF, NULL, 7, .vfs = {VF0}}, {VF0, AMD_VF, "vfio-pci", 8, PF0}},
	 .totalvfs = "8",
	 .refused = "no driver is bound to the PF"},
	{"VFs are there already",
	 "numvfs " PF0 " 2",
	 {{PF0, AMD_PF, "gim", 7, .vfs = {VF0}}, {VF0, AMD_VF, NULL, 8, PF0}},
	 .totalvfs = "8",
	 .refused = "the PF has 1 VFs, say numvfs 0 first"},
};

static void build(const struct what_if_row *row, struct inventory *inventory)
{
	for (size_t i = 0; i < ARRAY_SIZE(row->gpus) && row->gpus[i].addr; i++)
		make_gpu(inventory, &row->gpus[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->others) && row->others[i].addr; i++)
		make_other(inventory, &row->others[i]);
	inventory_sort(inventory);
	inventory->gpus[0].totalvfs = make_number(row->totalvfs);
	inventory->gpus[0].vf_device = make_number(row->vf_device);
}

static void check_label(const struct labels *labels, const char *line)
{
	const size_t len = strcspn(line, "=");
	auto_free char *key = strndup(line, len);
	const struct label *label = labels_find(labels, key);

	if (!label)
		fail_msg("no label %s", key);
	assert_string_equal(label->value, line + len + 1);
}

static void check_after(const struct what_if_row *row, const struct inventory *inventory)
{
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct rule_options options = {0};
	struct err err;

	assert_int_equal(rules_apply(inventory, &options, &verdict, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row->has) && row->has[i]; i++)
		check_label(&verdict.labels, row->has[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->lacks) && row->lacks[i]; i++)
		assert_null(labels_find(&verdict.labels, row->lacks[i]));
	if (row->n_gpus)
		assert_int_equal(inventory->n_gpus, row->n_gpus);
}

static void check_row(void **state)
{
	const struct what_if_row *row = *state;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(strbuf_clear) struct strbuf assumed = {0};
	struct err err;
	int r;

	build(row, &inventory);
	r = what_if_apply(row->steps, &inventory, &assumed, &err);
	if (r != (row->refused ? WHAT_IF_REFUSED : 0))
		fail_msg("%d: %s", r, r ? err.text : "it was not refused");
	if (row->refused && !strstr(err.text, row->refused))
		fail_msg("%s", err.text);
	if (row->refused)
		return;
	if (!row->assumed)
		assert_int_equal(assumed.len, 0);
	else if (!assumed.text || !strstr(assumed.text, row->assumed))
		fail_msg("assumed: %s", assumed.text ? assumed.text : "nothing");
	check_after(row, &inventory);
}

int main(void)
{
	return RUN_ROWS(rows, check_row);
}
