/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/json_fields.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"

#define FUNCTION(field) offsetof(struct function, field)
#define MODULE(field) offsetof(struct module, field)
const struct field json_function_fields[] = {
	/* clang-format off */
	{"address",     TYPE_PLACE,  FUNCTION(addr),        0,  0},
	{"vendor",      TYPE_ID,     FUNCTION(vendor),      0,  0},
	{"device",      TYPE_HEX,     FUNCTION(device),      0,  0},
	{"class",       TYPE_ID,     FUNCTION(pci_class),   0,  0},
	{"driver",      TYPE_TEXT,   FUNCTION(driver),      0,  0},
	{"iommu_group", TYPE_NUMBER, FUNCTION(iommu_group), 0,  INT32_MAX},
	{"physfn",      TYPE_ADDR,   FUNCTION(physfn),      0,  0},
	{"totalvfs",    TYPE_NUMBER, FUNCTION(totalvfs),    0,  UINT16_MAX},
	{"numvfs",      TYPE_NUMBER, FUNCTION(numvfs),      0,  UINT16_MAX},
	{"vf_device",   TYPE_HEX,    FUNCTION(vf_device),   0,  0},
	{"numa_node",   TYPE_NUMBER, FUNCTION(numa_node),   -1, INT32_MAX},
	{"vf_links",    TYPE_TEXT,   FUNCTION(vf_links),    0,  0},
	{"vfs",         TYPE_VFS,    0,                     0,  0},
	/* clang-format on */
};
#define CARD(field) offsetof(struct card, field)
#define FIRMWARE(i) offsetof(struct card, firmware) + (i) * sizeof(struct fact), 0, UINT32_MAX
#define FEATURE(i) offsetof(struct card, features) + (i) * sizeof(struct fact), 0, UINT32_MAX
const struct field json_card_fields[] = {
	/* clang-format off */
	{"address",            TYPE_PLACE,  CARD(addr),               0, 0},
	{"revision",           TYPE_NUMBER, CARD(revision),           0, UINT8_MAX},
	{"product_name",       TYPE_TEXT,   CARD(product_name),       0, 0},
	{"marketing_name",     TYPE_TEXT,   CARD(marketing_name),     0, 0},
	{"render_minor",       TYPE_NUMBER, CARD(render_minor),       0, INT32_MAX},
	{"vram",               TYPE_NUMBER, CARD(vram),               0, INT64_MAX},
	{"compute_partition",  TYPE_TEXT,   CARD(compute_partition),  0, 0},
	{"memory_partition",   TYPE_TEXT,   CARD(memory_partition),   0, 0},
	{"compute_partitions", TYPE_TEXT,   CARD(compute_partitions), 0, 0},
	{"memory_partitions",  TYPE_TEXT,   CARD(memory_partitions),  0, 0},
	{"firmware_vce",       TYPE_NUMBER, FIRMWARE(0)},
	{"firmware_uvd",       TYPE_NUMBER, FIRMWARE(1)},
	{"firmware_mc",        TYPE_NUMBER, FIRMWARE(2)},
	{"firmware_me",        TYPE_NUMBER, FIRMWARE(3)},
	{"firmware_pfp",       TYPE_NUMBER, FIRMWARE(4)},
	{"firmware_ce",        TYPE_NUMBER, FIRMWARE(5)},
	{"firmware_rlc",       TYPE_NUMBER, FIRMWARE(6)},
	{"firmware_mec",       TYPE_NUMBER, FIRMWARE(7)},
	{"firmware_smc",       TYPE_NUMBER, FIRMWARE(8)},
	{"firmware_sdma0",     TYPE_NUMBER, FIRMWARE(9)},
	{"feature_vce",        TYPE_NUMBER, FEATURE(0)},
	{"feature_uvd",        TYPE_NUMBER, FEATURE(1)},
	{"feature_mc",         TYPE_NUMBER, FEATURE(2)},
	{"feature_me",         TYPE_NUMBER, FEATURE(3)},
	{"feature_pfp",        TYPE_NUMBER, FEATURE(4)},
	{"feature_ce",         TYPE_NUMBER, FEATURE(5)},
	{"feature_rlc",        TYPE_NUMBER, FEATURE(6)},
	{"feature_mec",        TYPE_NUMBER, FEATURE(7)},
	{"feature_smc",        TYPE_NUMBER, FEATURE(8)},
	{"feature_sdma0",      TYPE_NUMBER, FEATURE(9)},
	/* clang-format on */
};
#define KFD(field) offsetof(struct kfd_node, field)
const struct field json_kfd_fields[] = {
	/* clang-format off */
	{"id",                 TYPE_NUMBER, KFD(id),                 0, INT32_MAX},
	{"properties",         TYPE_TEXT,   KFD(properties),         0, 0},
	{"simd_count",         TYPE_NUMBER, KFD(simd_count),         0, UINT32_MAX},
	{"simd_per_cu",        TYPE_NUMBER, KFD(simd_per_cu),        0, UINT32_MAX},
	{"gfx_target_version", TYPE_NUMBER, KFD(gfx_target_version), 0, UINT32_MAX},
	{"location_id",        TYPE_NUMBER, KFD(location_id),        0, UINT32_MAX},
	{"domain",             TYPE_NUMBER, KFD(domain),             0, UINT32_MAX},
	{"render_minor",       TYPE_NUMBER, KFD(render_minor),       0, INT32_MAX},
	{"vram",               TYPE_NUMBER, KFD(vram),               0, INT64_MAX},
	/* clang-format on */
};
const struct field json_module_fields[] = {
	/* clang-format off */
	{"name",            TYPE_NAME, MODULE(name),            0, 0},
	{"version",         TYPE_TEXT, MODULE(version),         0, 0},
	{"srcversion",      TYPE_TEXT, MODULE(srcversion),      0, 0},
	{"version_of_file", TYPE_BOOL, MODULE(version_of_file), 0, 0},
	/* clang-format on */
};

const size_t json_n_function_fields = ARRAY_SIZE(json_function_fields);
const size_t json_n_card_fields = ARRAY_SIZE(json_card_fields);
const size_t json_n_kfd_fields = ARRAY_SIZE(json_kfd_fields);
const size_t json_n_module_fields = ARRAY_SIZE(json_module_fields);
