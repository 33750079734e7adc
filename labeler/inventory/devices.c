/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/devices.h"

#include "base/cleanup.h"

enum {
	CLASS_DISPLAY = 0x03,
	CLASS_ACCELERATOR = 0x12,
};

/* Which base classes are GPUs, vendor by vendor. */
static const struct {
	uint16_t vendor;
	uint8_t base_class;
} gpu_classes[] = {
	/* clang-format off */
	{VENDOR_AMD,   CLASS_DISPLAY},
	{VENDOR_AMD,   CLASS_ACCELERATOR},
	{VENDOR_INTEL, CLASS_DISPLAY},
	/* clang-format on */
};

int devices_compare(const void *a, const void *b)
{
	const struct device *x = a;
	const struct device *y = b;
	const int by_vendor = (x->vendor > y->vendor) - (x->vendor < y->vendor);

	return by_vendor ? by_vendor : (x->id > y->id) - (x->id < y->id);
}

const struct device *devices_find(const struct device_table *table, uint16_t vendor, uint16_t id)
{
	const struct device wanted = {.vendor = vendor, .id = id};

	if (!table->n_rows)
		return NULL;
	return bsearch(&wanted, table->rows, table->n_rows, sizeof(*table->rows), devices_compare);
}

bool devices_vendor_has_gpus(uint16_t vendor)
{
	for (size_t i = 0; i < ARRAY_SIZE(gpu_classes); i++) {
		if (gpu_classes[i].vendor == vendor)
			return true;
	}
	return false;
}

bool devices_is_gpu(const struct device_table *table, uint16_t vendor, uint16_t id,
		    uint16_t pci_class)
{
	const struct device *row;

	for (size_t i = 0; i < ARRAY_SIZE(gpu_classes); i++) {
		if (gpu_classes[i].vendor == vendor && gpu_classes[i].base_class == pci_class >> 8)
			return true;
	}
	row = devices_find(table, vendor, id);
	return row && row->kind == DEVICE_GPU;
}
