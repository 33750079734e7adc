/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The device table: what an administrator calls a PCI id, and which ids are GPUs although their PCI
 * class does not say so. Source: conf/devices.ini, compiled in; a file of the same form can be laid
 * over it. Never asked whether a function is a PF or a VF: sysfs tells that, function by function.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VENDOR_AMD = 0x1002,
	VENDOR_INTEL = 0x8086,
};
enum device_kind {
	DEVICE_PF,
	DEVICE_VF,
	DEVICE_GPU, /* a GPU whatever its class */
};
struct device {
	uint16_t vendor, id;
	enum device_kind kind;
	const char *name;             /* never NULL */
	const char *product, *family; /* as Intel's NFD rules name them; NULL: not named there */
};
struct device_table {
	const struct device *rows; /* ascending by vendor and id, each once */
	size_t n_rows;
};

extern const struct device_table devices_builtin;

/* The row of that id, or NULL. */
const struct device *devices_find(const struct device_table *table, uint16_t vendor, uint16_t id);

/* For qsort and bsearch: rows in the order of a table. */
int devices_compare(const void *a, const void *b);

/*
 * Is this function a GPU? class is base class and subclass (0x0300). AMD: display (03xx) or
 * processing accelerator (12xx). Intel: display only, since Intel's 1200 are NPUs. Both: an id that
 * the table names as a GPU whatever its class.
 */
bool devices_is_gpu(const struct device_table *table, uint16_t vendor, uint16_t id,
		    uint16_t pci_class);

/* Could a function of this vendor be a GPU at all, so that its class is worth reading? */
bool devices_vendor_has_gpus(uint16_t vendor);
