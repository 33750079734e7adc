/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a node has beside its inventory that decides whether a VM can start: plain data, no opinion.
 * scan/checkup.h fills it, doctor/ judges it. No label stands on any of it.
 */
#include "inventory/inventory.h"

enum host_module {
	HOST_VFIO,
	HOST_VFIO_PCI,
	HOST_VFIO_IOMMU_TYPE1,
	HOST_AMDGPU,
	HOST_GIM,
	HOST_MODULES,
};
struct host_module_facts {
	struct fact loaded;  /* number 1: there is /sys/module/<name>; absent: there is none */
	struct fact version; /* text: of the loaded one */
	struct fact file;    /* text: "builtin" or "file", for the running kernel; absent: no such
				module; failed: nobody could be asked */
	struct fact
		banned; /* text: "<path>: <line>" of modprobe's configuration, or the word of the
			   kernel's command line; absent: none; failed: no configuration seen */
};

/* Of one of the inventory's gpus. Source: files of these names in the function's directory. */
struct function_facts {
	struct fact config_id;       /* number: the first four bytes of config */
	struct fact power_state;     /* text */
	struct fact reset_method;    /* text; "" is FACT_FAILED "... is empty" */
	struct fact driver_override; /* text, "(null)" where there is none */
	struct fact ari_enabled;     /* number */
	struct fact resource;        /* text: lines of start, end, flags */
};
struct host_facts {
	struct fact iommus;            /* text: names in /sys/class/iommu; absent: it is empty */
	struct fact boot_words;        /* text: of /proc/cmdline, those that concern GPUs */
	struct fact unsafe_interrupts; /* text: Y or N, parameter of vfio_iommu_type1 */
	struct host_module_facts modules[HOST_MODULES];
	struct function_facts *functions; /* owned; one for each of the inventory's gpus */
	size_t n_functions;
};
void host_facts_clear(struct host_facts *facts);

/* vfio_pci; as /sys/module has it. */
const char *host_module_name(enum host_module module);

/* Does this line of a modprobe.d file keep the module away? "blacklist x", "install x /bin/false".
 */
bool host_facts_bans(const char *line, const char *module);

/* Does one of the words of the command line? *ret_len: of the word at the pointer that comes back.
 */
const char *host_facts_boot_ban(const char *words, const char *module, size_t *ret_len);

/* The words of a command line that concern GPUs and the IOMMU; NULL where memory runs out. */
char *host_facts_boot_words(const char *cmdline);
