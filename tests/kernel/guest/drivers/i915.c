// SPDX-License-Identifier: GPL-2.0
/*
 * Stub of Intel's GPU driver, in the out-of-tree form that makes VFs. An Intel VF has its PF's id,
 * so the driver takes the new VFs as well.
 */
#include "stub.h"

static int i915_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return 0;
}

static const struct pci_device_id i915_ids[] = {
	{PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x56c0)}, /* Flex 170 */
	{},
};

static struct pci_driver i915_driver = {
	.name = "i915",
	.id_table = i915_ids,
	.probe = i915_probe,
	.remove = stub_remove,
	.sriov_configure = stub_sriov_configure,
};
module_pci_driver(i915_driver);

MODULE_DESCRIPTION("Stub of i915, for tests");
MODULE_VERSION("1.23.10.72");
MODULE_LICENSE("GPL");
