/* SPDX-License-Identifier: GPL-2.0 */
#pragma once
/*
 * A PCI driver that takes its cards, does nothing with them, and gives them as many VFs as it is
 * asked for. What the label rules see of a GPU driver is its name, its version and its VFs, and
 * those are the kernel's own doing here.
 */
#include <linux/module.h>
#include <linux/pci.h>

static int stub_sriov_configure(struct pci_dev *dev, int n_vfs)
{
	int r;

	if (n_vfs == 0) {
		pci_disable_sriov(dev);
		return 0;
	}
	r = pci_enable_sriov(dev, n_vfs);
	return r ? r : n_vfs;
}

static void stub_remove(struct pci_dev *dev)
{
	if (!dev->is_virtfn)
		pci_disable_sriov(dev);
}
