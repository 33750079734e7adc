// SPDX-License-Identifier: GPL-2.0
/*
 * Stub of AMD's GPU driver, in the out-of-tree form that has a version. As the real one it takes
 * whatever AMD device has the class of a GPU, VFs too, and makes no VFs.
 */
#include <linux/module.h>
#include <linux/pci.h>

#define AMD_CLASS(class)                                                                           \
	PCI_VENDOR_ID_ATI, PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, (class) << 8, 0xffffff

static int amdgpu_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return 0;
}

static const struct pci_device_id amdgpu_ids[] = {
	{AMD_CLASS(PCI_CLASS_DISPLAY_VGA)},
	{AMD_CLASS(PCI_CLASS_DISPLAY_OTHER)},
	{AMD_CLASS(0x1200)}, /* processing accelerator */
	{},
};

static struct pci_driver amdgpu_driver = {
	.name = "amdgpu",
	.id_table = amdgpu_ids,
	.probe = amdgpu_probe,
};
module_pci_driver(amdgpu_driver);

MODULE_DESCRIPTION("Stub of amdgpu, for tests");
MODULE_VERSION("6.12.12");
MODULE_LICENSE("GPL");
