/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The bus, function by function: which of them are GPUs, how those are bound, grouped and virtual,
 * and who else sits in their IOMMU groups.
 */
struct device_table;
struct err;
struct host;
struct inventory;
struct pci_access;

/*
 * Adds to the inventory's gpus, others and problems. A function that cannot be read becomes a
 * problem and costs no other one. Returns 0, or a negative errno where the bus itself cannot be
 * listed.
 */
int scan_functions(const struct host *host, struct pci_access *access,
		   const struct device_table *devices, struct inventory *inventory,
		   struct err *err);
