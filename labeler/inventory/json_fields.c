/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/json_fields.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"

#define FUNCTION(field) offsetof(struct function, field)
#define MODULE(field) offsetof(struct module, field)
const struct field json_function_fields[] = {
	/* clang-format off */
	{"address",     TYPE_PLACE,  FUNCTION(addr),        0,  0, NULL},
	{"vendor",      TYPE_ID,     FUNCTION(vendor),      0,  0, NULL},
	{"device",      TYPE_HEX,     FUNCTION(device),      0,  0, NULL},
	{"class",       TYPE_ID,     FUNCTION(pci_class),   0,  0, NULL},
	{"driver",      TYPE_TEXT,   FUNCTION(driver),      0,  0, NULL},
	{"iommu_group", TYPE_NUMBER, FUNCTION(iommu_group), 0,  INT32_MAX, NULL},
	{"physfn",      TYPE_ADDR,   FUNCTION(physfn),      0,  0, NULL},
	{"totalvfs",    TYPE_NUMBER, FUNCTION(totalvfs),    0,  UINT16_MAX, "sriov_totalvfs"},
	{"numvfs",      TYPE_NUMBER, FUNCTION(numvfs),      0,  UINT16_MAX, "sriov_numvfs"},
	{"vf_device",   TYPE_HEX,    FUNCTION(vf_device),   0,  0, "sriov_vf_device"},
	{"numa_node",   TYPE_NUMBER, FUNCTION(numa_node),   -1, INT32_MAX, NULL},
	{"vf_links",    TYPE_TEXT,   FUNCTION(vf_links),    0,  0, "virtfn*"},
	{"vfs",         TYPE_VFS,    0,                     0,  0, "virtfn*"},
	/* clang-format on */
};
#define CARD(field) offsetof(struct card, field)
#define FIRMWARE(i) offsetof(struct card, firmware) + (i) * sizeof(struct fact), 0, UINT32_MAX
#define FEATURE(i) offsetof(struct card, features) + (i) * sizeof(struct fact), 0, UINT32_MAX
const struct field json_card_fields[] = {
	/* clang-format off */
	{"address",            TYPE_PLACE,  CARD(addr),               0, 0, NULL},
	{"revision",           TYPE_NUMBER, CARD(revision),           0, UINT8_MAX, NULL},
	{"product_name",       TYPE_TEXT,   CARD(product_name),       0, 0, NULL},
	{"marketing_name",     TYPE_TEXT,   CARD(marketing_name),     0, 0, "/usr/share/libdrm/amdgpu.ids"},
	{"render_minor",       TYPE_NUMBER, CARD(render_minor),       0, INT32_MAX, "drm/renderD*"},
	{"vram",               TYPE_NUMBER, CARD(vram),               0, INT64_MAX, "mem_info_vram_total"},
	{"compute_partition",  TYPE_TEXT,   CARD(compute_partition),  0, 0, "current_compute_partition"},
	{"memory_partition",   TYPE_TEXT,   CARD(memory_partition),   0, 0, "current_memory_partition"},
	{"compute_partitions", TYPE_TEXT,   CARD(compute_partitions), 0, 0, "available_compute_partition"},
	{"memory_partitions",  TYPE_TEXT,   CARD(memory_partitions),  0, 0, "available_memory_partition"},
	{"firmware_vce",       TYPE_NUMBER, FIRMWARE(0), "fw_version/vce_fw_version"},
	{"firmware_uvd",       TYPE_NUMBER, FIRMWARE(1), "fw_version/uvd_fw_version"},
	{"firmware_mc",        TYPE_NUMBER, FIRMWARE(2), "fw_version/mc_fw_version"},
	{"firmware_me",        TYPE_NUMBER, FIRMWARE(3), "fw_version/me_fw_version"},
	{"firmware_pfp",       TYPE_NUMBER, FIRMWARE(4), "fw_version/pfp_fw_version"},
	{"firmware_ce",        TYPE_NUMBER, FIRMWARE(5), "fw_version/ce_fw_version"},
	{"firmware_rlc",       TYPE_NUMBER, FIRMWARE(6), "fw_version/rlc_fw_version"},
	{"firmware_mec",       TYPE_NUMBER, FIRMWARE(7), "fw_version/mec_fw_version"},
	{"firmware_smc",       TYPE_NUMBER, FIRMWARE(8), "fw_version/smc_fw_version"},
	{"firmware_sdma0",     TYPE_NUMBER, FIRMWARE(9), "fw_version/sdma_fw_version"},
	{"feature_vce",        TYPE_NUMBER, FEATURE(0), "/dev/dri/renderD*"},
	{"feature_uvd",        TYPE_NUMBER, FEATURE(1), "/dev/dri/renderD*"},
	{"feature_mc",         TYPE_NUMBER, FEATURE(2), "/dev/dri/renderD*"},
	{"feature_me",         TYPE_NUMBER, FEATURE(3), "/dev/dri/renderD*"},
	{"feature_pfp",        TYPE_NUMBER, FEATURE(4), "/dev/dri/renderD*"},
	{"feature_ce",         TYPE_NUMBER, FEATURE(5), "/dev/dri/renderD*"},
	{"feature_rlc",        TYPE_NUMBER, FEATURE(6), "/dev/dri/renderD*"},
	{"feature_mec",        TYPE_NUMBER, FEATURE(7), "/dev/dri/renderD*"},
	{"feature_smc",        TYPE_NUMBER, FEATURE(8), "/dev/dri/renderD*"},
	{"feature_sdma0",      TYPE_NUMBER, FEATURE(9), "/dev/dri/renderD*"},
	/* clang-format on */
};
#define KFD(field) offsetof(struct kfd_node, field)
const struct field json_kfd_fields[] = {
	/* clang-format off */
	{"id",                 TYPE_NUMBER, KFD(id),                 0, INT32_MAX, NULL},
	{"properties",         TYPE_TEXT,   KFD(properties),         0, 0, NULL},
	{"simd_count",         TYPE_NUMBER, KFD(simd_count),         0, UINT32_MAX, "properties simd_count"},
	{"simd_per_cu",        TYPE_NUMBER, KFD(simd_per_cu),        0, UINT32_MAX, "properties simd_per_cu"},
	{"gfx_target_version", TYPE_NUMBER, KFD(gfx_target_version), 0, UINT32_MAX, "properties gfx_target_version"},
	{"location_id",        TYPE_NUMBER, KFD(location_id),        0, UINT32_MAX, "properties location_id"},
	{"domain",             TYPE_NUMBER, KFD(domain),             0, UINT32_MAX, "properties domain"},
	{"render_minor",       TYPE_NUMBER, KFD(render_minor),       0, INT32_MAX, "properties drm_render_minor"},
	{"vram",               TYPE_NUMBER, KFD(vram),               0, INT64_MAX, "mem_banks/0/properties size_in_bytes"},
	/* clang-format on */
};
const struct field json_module_fields[] = {
	/* clang-format off */
	{"name",            TYPE_NAME, MODULE(name),            0, 0, NULL},
	{"version",         TYPE_TEXT, MODULE(version),         0, 0, NULL},
	{"srcversion",      TYPE_TEXT, MODULE(srcversion),      0, 0, NULL},
	{"version_of_file", TYPE_BOOL, MODULE(version_of_file), 0, 0, NULL},
	/* clang-format on */
};

const size_t json_n_function_fields = ARRAY_SIZE(json_function_fields);
const size_t json_n_card_fields = ARRAY_SIZE(json_card_fields);
const size_t json_n_kfd_fields = ARRAY_SIZE(json_kfd_fields);
const size_t json_n_module_fields = ARRAY_SIZE(json_module_fields);
