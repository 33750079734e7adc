/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What KubeVirt must be told so that VMs get the functions that this node can hand over: the
 * fragment of its CR, and a VM that asks for one. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct inventory;
struct strbuf;
struct survey;
struct verdict;

struct kubevirt_wish {
	bool own_plugin; /* KubeVirt itself shall provide the resource, not the vendor's plugin */
	bool as_gpus;    /* under devices.gpus, which adds a display, instead of hostDevices */
	const struct survey *survey; /* the CR whose lists the patch keeps; NULL: an empty one */
};

/* One thing to hand over; those of one selector share everything. */
struct kubevirt_device {
	const struct verdict *verdict;
	unsigned int vendor, device, pci_class;
	bool pf, vf;     /* there are PFs, VFs with this id */
	bool on_variant; /* one is on another vfio driver than vfio-pci */
};
struct kubevirt_devices {
	struct kubevirt_device *items; /* owned; one for each id, in the order of the addresses */
	size_t n_items;
};

/* Finds what is usable for passthrough. Returns 0 or -ENOMEM. */
int kubevirt_find(const struct inventory *inventory, const struct verdict *verdict,
		  struct kubevirt_devices *ret, struct err *err);
void kubevirt_devices_clear(struct kubevirt_devices *devices);

/* Both are JSON text, the caller's; NULL where memory runs out. */
char *kubevirt_manifests(const struct kubevirt_devices *devices, const struct kubevirt_wish *wish);
char *kubevirt_patch(const struct kubevirt_devices *devices, const struct kubevirt_wish *wish);

/* The same text as YAML: the items of a List as documents. Returns 0, -EBADMSG or -ENOMEM. */
int kubevirt_to_yaml(const char *json, struct strbuf *out);
