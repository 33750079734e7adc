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
const struct field json_module_fields[] = {
	/* clang-format off */
	{"name",            TYPE_NAME, MODULE(name),            0, 0},
	{"version",         TYPE_TEXT, MODULE(version),         0, 0},
	{"srcversion",      TYPE_TEXT, MODULE(srcversion),      0, 0},
	{"version_of_file", TYPE_BOOL, MODULE(version_of_file), 0, 0},
	/* clang-format on */
};

const size_t json_n_function_fields = ARRAY_SIZE(json_function_fields);
const size_t json_n_module_fields = ARRAY_SIZE(json_module_fields);
