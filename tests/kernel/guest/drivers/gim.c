// SPDX-License-Identifier: GPL-2.0
/*
 * Stub of AMD's host driver for SR-IOV. As the real one it has no id table of its own but adds ids
 * at load, takes PFs alone and leaves the VFs to others, and can make the VFs by itself.
 */
#include "stub.h"

static int vf_num;
module_param(vf_num, int, 0444);
MODULE_PARM_DESC(vf_num, "VFs that every PF gets at once; 0: none until sriov_numvfs is written");

static int gim_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	if (dev->is_virtfn)
		return -ENODEV;
	/* The real one keeps a card whose VFs cannot be had, too. */
	if (vf_num > 0 && pci_enable_sriov(dev, vf_num))
		pci_warn(dev, "gim: no VFs\n");
	return 0;
}

static struct pci_driver gim_driver = {
	.name = "gim",
	.probe = gim_probe,
	.remove = stub_remove,
	.sriov_configure = stub_sriov_configure,
};

static int __init gim_init(void)
{
	int r = pci_register_driver(&gim_driver);

	if (r)
		return r;
	/* MI300X; binds the cards that have no driver yet */
	r = pci_add_dynid(&gim_driver, PCI_VENDOR_ID_ATI, 0x74a1, PCI_ANY_ID, PCI_ANY_ID, 0, 0, 0);
	if (r)
		pci_unregister_driver(&gim_driver);
	return r;
}
module_init(gim_init);

static void __exit gim_exit(void)
{
	pci_unregister_driver(&gim_driver);
}
module_exit(gim_exit);

MODULE_DESCRIPTION("Stub of gim, for tests");
MODULE_VERSION("8.1.0.K");
MODULE_LICENSE("GPL");
