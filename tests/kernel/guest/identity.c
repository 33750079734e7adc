// SPDX-License-Identifier: GPL-2.0
/*
 * gpuid: gives emulated PCI cards the identity of GPUs.
 *
 * No emulator has the GPUs that the labels are about, but all that counts of them is a few numbers
 * in config space. This module stands between the PCI core and the config space of one bus, answers
 * for those numbers, and lets everything else through to the emulated card: BARs, IOMMU groups,
 * SR-IOV, vfio and hotplug are the kernel's own and real.
 *
 *   insmod gpuid.ko map=<address>/<vendor>:<device>:<class>:<revision>:<subsystem vendor>:
 *                       <subsystem>:<VF device>[,...]
 *
 * all hex: 0000:01:00.0/1002:74a1:120000:00:1002:74a1:74b5. One card a bus, which is what a root
 * port has: every other function that turns up on that bus is a VF of the card. A VF device of 0 is
 * left as the carrier has it.
 *
 * What is laid over a bus stays there, so a card that is unplugged and plugged in again is the same
 * GPU again. There is no way back, hence no module_exit(): the machine lives for one test.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>

#define MAX_CARDS 8

static char *map[MAX_CARDS];
static int n_maps;
module_param_array(map, charp, &n_maps, 0444);
MODULE_PARM_DESC(map, "address/vendor:device:class:revision:subvendor:subsystem:vf-device");

/* A GPU that some card pretends to be. */
struct card {
	struct pci_bus *bus;
	struct pci_ops *below; /* what the bus had before */
	struct pci_ops ops;
	unsigned int devfn;
	unsigned int vendor, device, class, revision, subvendor, subsystem, vf_device;
	int sriov; /* offset of the SR-IOV capability, 0: none */
};

static struct card cards[MAX_CARDS];
static int n_cards;

/* A bus that the core adds below ours, for VFs with high numbers, inherits our operations. */
static const struct card *card_of(const struct pci_bus *bus)
{
	int i;

	for (; bus; bus = bus->parent) {
		for (i = 0; i < n_cards; i++) {
			if (cards[i].bus == bus)
				return &cards[i];
		}
	}
	return NULL;
}

/* Those bytes of an access of size bytes at where that belong to the field get the field's value.
 */
static void lay_over(u32 *val, int where, int size, int field, int field_size, u32 field_val)
{
	int i;

	for (i = 0; i < size; i++) {
		const int byte = where + i - field;

		if (byte < 0 || byte >= field_size)
			continue;
		*val &= ~(0xffU << (8 * i));
		*val |= ((field_val >> (8 * byte)) & 0xff) << (8 * i);
	}
}

static int gpuid_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	const struct card *card = card_of(bus);
	const bool is_pf = card->bus == bus && card->devfn == devfn;
	const int r = card->below->read(bus, devfn, where, size, val);
	u32 id = ~0;

	if (r)
		return r;
	/*
	 * An unplugged card answers all ones, and must go on doing so. So does a VF at its ids, as
	 * the specification has it: the core takes a VF's ids from its PF, and the class from the
	 * VF.
	 */
	if (card->below->read(bus, devfn, PCI_CLASS_REVISION, 4, &id) || id == ~0)
		return r;
	if (is_pf) {
		lay_over(val, where, size, PCI_VENDOR_ID, 2, card->vendor);
		lay_over(val, where, size, PCI_DEVICE_ID, 2, card->device);
		if (card->sriov && card->vf_device)
			lay_over(val, where, size, card->sriov + PCI_SRIOV_VF_DID, 2,
				 card->vf_device);
	}
	lay_over(val, where, size, PCI_REVISION_ID, 1, card->revision);
	lay_over(val, where, size, PCI_CLASS_PROG, 3, card->class);
	lay_over(val, where, size, PCI_SUBSYSTEM_VENDOR_ID, 2, card->subvendor);
	lay_over(val, where, size, PCI_SUBSYSTEM_ID, 2, card->subsystem);
	return r;
}

/* The core read the carrier's identity when it booted: make it look again. */
static void plug_in_again(struct pci_dev *dev)
{
	struct pci_bus *bus = dev->bus;

	pci_lock_rescan_remove();
	pci_stop_and_remove_bus_device(dev);
	pci_rescan_bus(bus);
	pci_unlock_rescan_remove();
}

static int __init give_identity(const char *text)
{
	struct card *card = &cards[n_cards];
	unsigned int domain, bus, slot, function;
	struct pci_dev *dev;

	if (sscanf(text, "%x:%x:%x.%x/%x:%x:%x:%x:%x:%x:%x", &domain, &bus, &slot, &function,
		   &card->vendor, &card->device, &card->class, &card->revision, &card->subvendor,
		   &card->subsystem, &card->vf_device) != 11) {
		pr_err("gpuid: %s: not an address and seven numbers\n", text);
		return -EINVAL;
	}
	dev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!dev) {
		pr_err("gpuid: %s: no such device\n", text);
		return -ENODEV;
	}
	card->bus = dev->bus;
	card->devfn = dev->devfn;
	card->sriov = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_SRIOV);
	card->below = dev->bus->ops;
	card->ops = *card->below;
	card->ops.read = gpuid_read;
	n_cards++; /* complete before the bus asks for it */
	pci_bus_set_ops(card->bus, &card->ops);
	plug_in_again(dev);
	pci_dev_put(dev);
	return 0;
}

static int __init gpuid_init(void)
{
	int i, r;

	for (i = 0; i < n_maps; i++) {
		r = give_identity(map[i]);
		/* Once a bus asks us, the module must stay, whatever became of the others. */
		if (r)
			return n_cards ? 0 : r;
	}
	return 0;
}
module_init(gpuid_init);

MODULE_DESCRIPTION("Lays the identity of GPUs over emulated PCI cards, for tests");
MODULE_LICENSE("GPL");
