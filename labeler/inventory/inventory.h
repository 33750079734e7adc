/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a node has: plain data, no opinion. The scan fills it from the kernel's files,
 * inventory_json.h writes and reads it, the rules turn it into labels.
 */
#include "inventory/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base class and subclass of functions that a GPU shares its IOMMU group with. */
enum {
	CLASS_AUDIO = 0x0403,
	CLASS_PCI_BRIDGE = 0x0604,
};

/* Absent is an answer of the host; failed means that it gave none. Neither is zero. */
enum fact_state {
	FACT_ABSENT, /* there is no such attribute: no driver bound, no IOMMU group, no VF */
	FACT_KNOWN,
	FACT_FAILED, /* it could not be read or made sense of; text says why */
};
struct fact {
	enum fact_state state;
	char *text; /* owned; the value of a text fact, or the reason of a failed one */
	union {     /* the value of a known fact that is no text */
		int64_t number;
		struct addr addr;
	};
};

/* A PCI function. Source of each field: its directory below /sys/bus/pci/devices. */
struct function {
	struct addr addr;
	uint16_t vendor;         /* vendor */
	uint16_t pci_class;      /* class: base class and subclass, 0x0300 */
	struct fact device;      /* number: device, the PCI device id */
	struct fact driver;      /* text: last part of the driver link */
	struct fact iommu_group; /* number: last part of the iommu_group link */
	struct fact physfn;      /* address: of the PF, on a VF alone */
	struct fact totalvfs;    /* number: sriov_totalvfs, VFs that the PF can have */
	/*
	 * number: sriov_numvfs, of an Intel PF on a vfio driver without virtfn links. Of any other
	 * the links tell, and are asked alone: to read this waits for whoever makes or removes VFs.
	 */
	struct fact numvfs;
	struct fact vf_device; /* number: sriov_vf_device, PCI device id of its VFs */
	struct fact numa_node; /* number: numa_node, -1 where the firmware says nothing */
	struct fact vf_links;  /* failed: the virtfn* links could not be listed or read */
	struct addr *vfs;      /* owned, ascending: what the virtfn* links name */
	size_t n_vfs;
};

/* A loaded kernel module that drives a GPU. Source: /sys/module/<name>. */
struct module {
	char *name;             /* owned */
	struct fact version;    /* text: version; as the kernel gives it */
	struct fact srcversion; /* text: srcversion */
	bool version_of_file;   /* version is the one of the module's file below /lib/modules */
};

enum {
	N_FIRMWARE = 10,
};

/* What amdgpu tells of a GPU that it drives. Source: the function's directory, unless said. */
struct card {
	struct addr addr;
	struct fact revision;           /* number: revision */
	struct fact product_name;       /* text: product_name; VFs and APUs have none */
	struct fact marketing_name;     /* text: of the id and revision in libdrm's amdgpu.ids */
	struct fact render_minor;       /* number: N of drm/renderDN */
	struct fact vram;               /* number: mem_info_vram_total, bytes */
	struct fact compute_partition;  /* text: current_compute_partition, SPX */
	struct fact memory_partition;   /* text: current_memory_partition, NPS1 */
	struct fact compute_partitions; /* text: available_compute_partition */
	struct fact memory_partitions;  /* text: available_memory_partition */
	/* number: fw_version/<block>_fw_version, in the order of inventory_firmware_names */
	struct fact firmware[N_FIRMWARE];
	struct fact features[N_FIRMWARE]; /* number: likewise, of the render node by libdrm */
};
extern const char *const inventory_firmware_names[N_FIRMWARE]; /* VCE, UVD, ... */

/* A GPU as the compute driver shows it, one for each partition. Source: KFD's topology/nodes/<id>.
 */
struct kfd_node {
	struct fact id;         /* number: the name of its directory */
	struct fact properties; /* failed: properties could not be read, all below is absent */
	struct fact simd_count; /* numbers, of properties */
	struct fact simd_per_cu;
	struct fact gfx_target_version;
	struct fact location_id; /* bus << 8 | device << 3 | function, or partition */
	struct fact domain;
	struct fact render_minor; /* drm_render_minor */
	struct fact vram;         /* number: size_in_bytes of mem_banks/0/properties */
};

/* Something that could not be read, and so is not in the lists below as it should be. */
struct problem {
	bool has_addr;
	struct addr addr; /* the function that is left out */
	char *text;       /* owned: what, where */
};

struct inventory {
	struct function *gpus; /* owned, ascending by address once inventory_sort() has run */
	size_t n_gpus;
	/* No GPUs, but they share an IOMMU group with one, or are bound to gim. Ascending too. */
	struct function *others;
	size_t n_others;
	struct card *cards; /* owned, ascending by address; of the AMD GPUs bound to amdgpu */
	size_t n_cards;
	struct kfd_node *kfd; /* owned, ascending by id; without the nodes of CPUs */
	size_t n_kfd;
	struct module *modules; /* owned; of the drivers bound to a GPU, where loaded */
	size_t n_modules;
	struct problem *problems; /* owned */
	size_t n_problems;
	struct fact kernel; /* text: release of the running kernel, /proc/sys/kernel/osrelease */
};

void fact_clear(struct fact *fact);
void function_clear(struct function *function);
void card_clear(struct card *card);
void kfd_node_clear(struct kfd_node *node);
void module_clear(struct module *module);
void inventory_clear(struct inventory *inventory);

static inline bool fact_known(const struct fact *fact)
{
	return fact->state == FACT_KNOWN;
}

/* The number of a known fact, 0 otherwise: no PCI device has the id 0. */
static inline uint16_t fact_id(const struct fact *fact)
{
	return fact_known(fact) ? (uint16_t)fact->number : 0;
}

/* True where the fact is known and says text. */
bool fact_is(const struct fact *fact, const char *text);

/* vfio-pci or a variant of it: any driver whose name ends in vfio-pci or vfio_pci. */
bool inventory_is_vfio(const char *driver);

/*
 * Does the kernel refuse to open an IOMMU group to a VM because of this function in it? Bridges,
 * functions without a driver and those that a vfio driver or pci-stub holds are no obstacle.
 */
bool inventory_blocks_group(const struct function *function);

/*
 * Appends a copy of the struct; what it owns then belongs to the inventory and *item is empty.
 * Returns 0 or -ENOMEM, item untouched.
 */
int inventory_add_gpu(struct inventory *inventory, struct function *item);
int inventory_add_other(struct inventory *inventory, struct function *item);
int inventory_add_card(struct inventory *inventory, struct card *item);
int inventory_add_kfd(struct inventory *inventory, struct kfd_node *item);
int inventory_add_module(struct inventory *inventory, struct module *item);

/*
 * addr: the function that is left out, or NULL. What is not printable in text becomes ?.
 * Returns 0 or -ENOMEM.
 */
int inventory_add_problem(struct inventory *inventory, const struct addr *addr, const char *text);

/* Brings functions, modules and problems into their order, whatever the order of the scan. */
void inventory_sort(struct inventory *inventory);

/* The GPU function at that address, or NULL; the inventory is sorted. */
const struct function *inventory_gpu(const struct inventory *inventory, struct addr addr);

/* The card at that address, or NULL; the inventory is sorted. */
const struct card *inventory_card(const struct inventory *inventory, struct addr addr);

/* The module of that name, or NULL. */
const struct module *inventory_module(const struct inventory *inventory, const char *name);
