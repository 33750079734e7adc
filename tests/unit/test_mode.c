/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"
#include "rows.h"

#include "rules/mode.h"
#include "rules/rules.h"

#define PF "0000:05:00.0"
#define VF "0000:05:02.0"
#define AMD_PF 0x1002, 0x74a1, 0x1200
#define AMD_VF 0x1002, 0x74b5, 0x1200
#define INTEL 0x8086, 0x56c0, 0x0380

/* The part of the last function, beside the others of the row. */
static struct part_row {
	const char *name;
	struct gpu_row gpus[2];
	enum mode mode;
	bool is_vf, vfio, say;
	const char *why; /* part of it; NULL: none */
} part_rows[] = {
	{"amdgpu serves containers",
	 {{PF, AMD_PF, "amdgpu", 7}},
	 MODE_CONTAINER,
	 false,
	 false,
	 false,
	 NULL},
	{"amdgpu needs no IOMMU group",
	 {{PF, AMD_PF, "amdgpu"}},
	 MODE_CONTAINER,
	 false,
	 false,
	 false,
	 NULL},
	{"a VF on amdgpu is a container's, on the host too",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}, {VF, AMD_VF, "amdgpu", 8, PF}},
	 MODE_CONTAINER,
	 true,
	 false,
	 false,
	 NULL},
	{"a VF of gim on vfio-pci",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}, {VF, AMD_VF, "vfio-pci", 8, PF}},
	 MODE_VF_PASSTHROUGH,
	 true,
	 true,
	 false,
	 NULL},
	{"a VF of gim without driver",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}, {VF, AMD_VF, NULL, 8, PF}},
	 MODE_VF_PASSTHROUGH,
	 true,
	 false,
	 false,
	 NULL},
	{"a VF that has no physfn link yet",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}, {VF, AMD_VF, "vfio-pci", 8}},
	 MODE_VF_PASSTHROUGH,
	 true,
	 true,
	 false,
	 NULL},
	{"a VF in no group, on vfio-pci",
	 {{PF, AMD_PF, "gim", .vfs = {VF}}, {VF, AMD_VF, "vfio-pci", 0, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "no IOMMU group"},
	{"a VF in no group, without driver",
	 {{PF, AMD_PF, "gim", .vfs = {VF}}, {VF, AMD_VF, NULL, 0, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "no IOMMU group"},
	{"a VF whose group cannot be read",
	 {{PF, AMD_PF, "gim", .vfs = {VF}}, {VF, AMD_VF, NULL, -1, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "group cannot be read"},
	{"a VF on a driver of another kind",
	 {{PF, AMD_PF, "gim", .vfs = {VF}}, {VF, AMD_VF, "pci-stub", 8, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "keeps it from VMs"},
	{"a VF of a PF on vfio-pci is usable, but of no mode",
	 {{PF, AMD_PF, "vfio-pci", 7, .vfs = {VF}}, {VF, AMD_VF, "vfio-pci", 8, PF}},
	 MODE_NONE,
	 true,
	 true,
	 true,
	 "not bound to gim"},
	{"a VF of a PF without driver",
	 {{PF, AMD_PF, NULL, 7, .vfs = {VF}}, {VF, AMD_VF, NULL, 8, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "not bound to gim"},
	{"a VF that its PF does not name",
	 {{PF, AMD_PF, "gim", 7}, {VF, AMD_VF, NULL, 8, PF}},
	 MODE_NONE,
	 true,
	 false,
	 true,
	 "no PF's virtfn link"},
	{"a VF that no PF names is usable all the same",
	 {{VF, AMD_VF, "vfio-pci", 8, PF}},
	 MODE_NONE,
	 true,
	 true,
	 true,
	 "no PF's virtfn link"},
	{"a PF on vfio-pci",
	 {{PF, AMD_PF, "vfio-pci", 7}},
	 MODE_PF_PASSTHROUGH,
	 false,
	 true,
	 false,
	 NULL},
	{"a PF on a variant driver",
	 {{PF, AMD_PF, "xe-vfio-pci", 7}},
	 MODE_PF_PASSTHROUGH,
	 false,
	 true,
	 false,
	 NULL},
	{"a PF on a variant driver with an underscore",
	 {{PF, AMD_PF, "x_vfio_pci", 7}},
	 MODE_PF_PASSTHROUGH,
	 false,
	 true,
	 false,
	 NULL},
	{"a name that only holds vfio-pci is another driver",
	 {{PF, AMD_PF, "vfio-pci-x", 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "serves no mode"},
	{"a VF id in a guest is a PF",
	 {{PF, AMD_VF, "vfio-pci", 7}},
	 MODE_PF_PASSTHROUGH,
	 false,
	 true,
	 false,
	 NULL},
	{"a PF in no group",
	 {{PF, AMD_PF, "vfio-pci", 0}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "no IOMMU group"},
	{"a PF whose group cannot be read",
	 {{PF, AMD_PF, "vfio-pci", -1}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "group cannot be read"},
	{"a PF without driver",
	 {{PF, AMD_PF, NULL, 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "no driver"},
	{"a PF on gim with VFs",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}},
	 MODE_NONE,
	 false,
	 false,
	 false,
	 "its VFs count"},
	{"a PF on gim without VF",
	 {{PF, AMD_PF, "gim", 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "has no VF"},
	{"a PF on gim whose VFs cannot be listed",
	 {{PF, AMD_PF, "gim", 7, .vf_links = "!virtfn0: is no link"}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "has no VF"},
	{"a PF on gim with a count but no links",
	 {{PF, AMD_PF, "gim", 7, .numvfs = "2"}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "sriov_numvfs"},
	{"a PF on gim with a count of 0",
	 {{PF, AMD_PF, "gim", 7, .numvfs = "0"}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "has no VF"},
	{"a PF on radeon",
	 {{PF, AMD_PF, "radeon", 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "serves no mode"},
	{"an unreadable driver is not 'no driver'",
	 {{PF, AMD_PF, "!driver: is no link", 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "driver cannot be read"},
	{"a physfn that leads nowhere still makes a VF",
	 {{PF, AMD_PF, "vfio-pci", 7, "!physfn: names no PCI address"}},
	 MODE_NONE,
	 true,
	 true,
	 true,
	 "no PF's virtfn link"},
	{"an unreadable physfn matters not where a PF names the VF",
	 {{PF, AMD_PF, "gim", 7, .vfs = {VF}}, {VF, AMD_VF, NULL, 8, "!physfn: is no link"}},
	 MODE_VF_PASSTHROUGH,
	 true,
	 false,
	 false,
	 NULL},
	{"an Intel PF on vfio-pci",
	 {{PF, INTEL, "vfio-pci", 7, .numvfs = "0"}},
	 MODE_NONE,
	 false,
	 true,
	 false,
	 NULL},
	{"an Intel VF on xe-vfio-pci",
	 {{PF, INTEL, "xe", 7, .vfs = {VF}}, {VF, INTEL, "xe-vfio-pci", 8, PF}},
	 MODE_NONE,
	 true,
	 true,
	 false,
	 NULL},
	{"an Intel VF that no PF names",
	 {{VF, INTEL, "vfio-pci", 8, PF}},
	 MODE_NONE,
	 true,
	 true,
	 false,
	 NULL},
	{"an Intel PF with VFs is never usable itself",
	 {{PF, INTEL, "vfio-pci", 7, .numvfs = "1", .vfs = {VF}}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "only its VFs"},
	{"an Intel PF with a count of VFs neither",
	 {{PF, INTEL, "vfio-pci", 7, .numvfs = "1"}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "only its VFs"},
	{"an Intel PF whose count cannot be read",
	 {{PF, INTEL, "vfio-pci", 7, .numvfs = "!sriov_numvfs: is empty"}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "whether the PF has VFs"},
	{"an Intel VF whose physfn leads nowhere",
	 {{PF, INTEL, "vfio-pci", 7, "!physfn: names no PCI address"}},
	 MODE_NONE,
	 true,
	 true,
	 false,
	 NULL},
	{"an Intel PF in no group",
	 {{PF, INTEL, "vfio-pci", 0}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "no IOMMU group"},
	{"an Intel PF whose group cannot be read",
	 {{PF, INTEL, "vfio-pci", -1}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "group cannot be read"},
	{"an Intel PF on i915",
	 {{PF, INTEL, "i915", 7}},
	 MODE_NONE,
	 false,
	 false,
	 false,
	 "on the host"},
	{"an Intel PF on amdgpu is no container GPU of AMD",
	 {{PF, INTEL, "amdgpu", 7}},
	 MODE_NONE,
	 false,
	 false,
	 false,
	 "on the host"},
	{"an Intel PF without driver",
	 {{PF, INTEL, NULL, 7}},
	 MODE_NONE,
	 false,
	 false,
	 false,
	 "no driver"},
	{"an Intel PF whose driver cannot be read",
	 {{PF, INTEL, "!driver: is no link", 7}},
	 MODE_NONE,
	 false,
	 false,
	 true,
	 "driver cannot be read"},
};

static void check_part(void **state)
{
	const struct part_row *row = *state;
	const size_t n = row->gpus[1].addr ? 2 : 1;
	const struct rule_options options = {0};
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct part parts[2];
	const struct part *part = &parts[n - 1];

	for (size_t i = 0; i < n; i++)
		make_gpu(&inventory, &row->gpus[i]);
	inventory_sort(&inventory);
	assert_int_equal(mode_parts(&inventory, &options, parts), 0);
	assert_int_equal(part->mode, row->mode);
	assert_int_equal(part->is_vf, row->is_vf);
	assert_int_equal(part->vfio, row->vfio);
	assert_int_equal(part->say, row->say);
	assert_int_equal(part->why != NULL, row->why != NULL);
	if (row->why)
		assert_non_null(strstr(part->why, row->why));
}

#define C MODE_CONTAINER
#define V MODE_VF_PASSTHROUGH
#define P MODE_PF_PASSTHROUGH
#define N MODE_NONE
static struct node_row {
	const char *name;
	enum mode parts[3], wanted, mode;
} node_rows[] = {
	{"nothing serves", {N, N, N}, N, N},
	{"one container GPU wins over all", {P, V, C}, N, C},
	{"a VF wins over PFs", {P, P, V}, N, V},
	{"PFs alone", {N, P, P}, N, P},
	{"the wanted mode is looked at alone", {P, V, C}, P, P},
	{"the wanted mode may have none", {P, P, N}, V, N},
};

static void check_node(void **state)
{
	const struct node_row *row = *state;
	struct part parts[3] = {0};
	size_t counts[N_MODES];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i].mode = row->parts[i];
	assert_int_equal(mode_of_node(parts, ARRAY_SIZE(parts), row->wanted, counts), row->mode);
	for (size_t i = 0; i < N_MODES; i++)
		n += counts[i];
	assert_int_equal(n, ARRAY_SIZE(parts));
}

static struct word_row {
	const char *name, *word;
	bool good;
	enum mode mode;
} word_rows[] = {
	{"auto", "auto", true, N},
	{"container", "container", true, C},
	{"vf-passthrough", "vf-passthrough", true, V},
	{"pf-passthrough", "pf-passthrough", true, P},
	{"another word", "bogus", false, N},
	{"no word", "", false, N},
	{"upper case", "Container", false, N},
};

static void check_word(void **state)
{
	const struct word_row *row = *state;
	enum mode mode = N;

	assert_int_equal(mode_parse(row->word, &mode), row->good);
	assert_int_equal(mode, row->mode);
	if (row->good)
		assert_string_equal(mode_name(mode), row->word);
}

int main(void)
{
	return RUN_ROWS(part_rows, check_part) + RUN_ROWS(node_rows, check_node) +
	       RUN_ROWS(word_rows, check_word);
}
