/* SPDX-License-Identifier: Apache-2.0 */
/* Which modules are loaded, could be, or must not be. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "inventory/devices.h"
#include "rules/rules.h"

#include <string.h>

static bool has_amd(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (inventory->gpus[i].vendor == VENDOR_AMD)
			return true;
	}
	return false;
}

/* One of AMD's that can have VFs, or is one, or whether it can is not known: gim is for these. */
static bool is_for_gim(const struct patient *patient, size_t i)
{
	const struct function *gpu = &patient->inventory->gpus[i];

	return gpu->vendor == VENDOR_AMD &&
	       (patient->verdict->parts[i].is_vf || fact_is(&gpu->driver, "gim") ||
		gpu->totalvfs.state == FACT_FAILED ||
		(fact_known(&gpu->totalvfs) && gpu->totalvfs.number > 0));
}

static bool any_for_gim(const struct patient *patient)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		if (is_for_gim(patient, i))
			return true;
	}
	return false;
}

/* A module that is not loaded: what is known of its file, and of who keeps it away. */
static void add_file(struct finding *finding, const struct host_module_facts *module,
		     const char *name, enum health available)
{
	static const char path[] = "/lib/modules";
	enum health health = HEALTH_UNKNOWN;

	if (fact_is(&module->file, "builtin"))
		health = HEALTH_PASS;
	else if (fact_known(&module->file))
		health = available;
	else if (module->file.state == FACT_ABSENT)
		health = HEALTH_FAIL;
	finding_add(finding, health, fact_shown(&module->file, "there is no such module"), "%s: %s",
		    path, name);
}

static void add_ban(struct finding *finding, const struct patient *patient, enum host_module module,
		    enum health health)
{
	const struct fact *banned = &patient->facts->modules[module].banned;
	const struct fact *words = &patient->facts->boot_words;
	const char *word;
	size_t len = 0;

	if (fact_known(banned))
		finding_add(finding, health, banned->text, "modprobe.d");
	word = fact_known(words) ? host_facts_boot_ban(words->text, host_module_name(module), &len)
				 : NULL;
	if (word) {
		auto_free char *copy = strndup(word, len);

		finding->failed |= !copy;
		finding_add(finding, health, copy ? copy : "", "/proc/cmdline");
	}
}

/* A vfio driver that has a GPU: then these are there, whatever a module shows of itself. */
static bool add_bound_to_vfio(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];

		if (!fact_known(&gpu->driver) || !inventory_is_vfio(gpu->driver.text))
			continue;
		finding_of(finding, HEALTH_PASS, gpu, "driver", gpu->driver.text);
		return true;
	}
	return false;
}

static void look_vfio_module(const struct patient *patient, struct finding *finding,
			     enum host_module module, enum health available)
{
	const struct host_module_facts *facts = &patient->facts->modules[module];
	const char *name = host_module_name(module);

	if (fact_known(&facts->loaded)) {
		finding_add(finding, HEALTH_PASS, "loaded", "/sys/module/%s", name);
		return;
	}
	finding_add(finding, facts->loaded.state == FACT_FAILED ? HEALTH_UNKNOWN : HEALTH_PASS,
		    fact_shown(&facts->loaded, "not loaded"), "/sys/module/%s", name);
	add_file(finding, facts, name, available);
	if (!fact_is(&facts->file, "builtin"))
		add_ban(finding, patient, module, HEALTH_WARN);
}

static void look_vfio(const struct patient *patient, struct finding *finding)
{
	if (!add_bound_to_vfio(patient, finding))
		look_vfio_module(patient, finding, HOST_VFIO, HEALTH_PASS);
}

/* Nobody needs its driver before a function is bound to it, but then modprobe must have run. */
static void look_vfio_pci(const struct patient *patient, struct finding *finding)
{
	if (!add_bound_to_vfio(patient, finding))
		look_vfio_module(patient, finding, HOST_VFIO_PCI, HEALTH_WARN);
}

static void look_vfio_iommu_type1(const struct patient *patient, struct finding *finding)
{
	look_vfio_module(patient, finding, HOST_VFIO_IOMMU_TYPE1, HEALTH_PASS);
}

static bool add_bound_to_amdgpu(const struct patient *patient, struct finding *finding)
{
	const bool serves = patient->verdict->mode == patient->meant;
	bool any = false;

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];

		if (!fact_is(&gpu->driver, "amdgpu"))
			continue;
		finding_of(finding,
			   serves || !(patient_wants(patient, i) || is_for_gim(patient, i))
				   ? HEALTH_WARN
				   : HEALTH_FAIL,
			   gpu, "driver", "amdgpu");
		any = true;
	}
	return any;
}

/* Not loaded: will it stay away at the next boot? */
static void look_at_next_boot(const struct patient *patient, struct finding *finding)
{
	const struct host_module_facts *amdgpu = &patient->facts->modules[HOST_AMDGPU];
	const size_t before = finding->n_items;

	if (amdgpu->file.state == FACT_ABSENT) {
		finding_add(finding, HEALTH_PASS, "there is no such module",
			    "/lib/modules: amdgpu");
		return;
	}
	add_ban(finding, patient, HOST_AMDGPU, HEALTH_PASS);
	if (finding->n_items == before)
		finding_add(finding,
			    amdgpu->banned.state == FACT_FAILED ? HEALTH_UNKNOWN : HEALTH_WARN,
			    fact_shown(&amdgpu->banned, "nothing keeps amdgpu away"), "modprobe.d");
}

static void look_amdgpu(const struct patient *patient, struct finding *finding)
{
	const struct fact *loaded = &patient->facts->modules[HOST_AMDGPU].loaded;

	if (!has_amd(patient->inventory))
		return;
	if (add_bound_to_amdgpu(patient, finding))
		return;
	if (fact_known(loaded)) {
		finding_add(finding, HEALTH_WARN, "loaded", "/sys/module/amdgpu");
		return;
	}
	finding_add(finding, loaded->state == FACT_FAILED ? HEALTH_UNKNOWN : HEALTH_PASS,
		    fact_shown(loaded, "not loaded"), "/sys/module/amdgpu");
	look_at_next_boot(patient, finding);
}

/* The version of the loaded one, or that of its file, as the label tells it. */
static void add_gim_version(const struct patient *patient, struct finding *finding)
{
	const struct module *module = inventory_module(patient->inventory, "gim");
	const struct fact *version =
		module ? &module->version : &patient->facts->modules[HOST_GIM].version;

	finding_add(finding, fact_known(version) ? HEALTH_PASS : HEALTH_WARN,
		    fact_shown(version, "it shows none"), "/sys/module/gim/version");
}

static void look_gim(const struct patient *patient, struct finding *finding)
{
	const struct host_module_facts *gim = &patient->facts->modules[HOST_GIM];

	if (!any_for_gim(patient))
		return;
	if (fact_known(&gim->loaded)) {
		finding_add(finding, HEALTH_PASS, "loaded", "/sys/module/gim");
		add_gim_version(patient, finding);
		return;
	}
	finding_add(finding, gim->loaded.state == FACT_FAILED ? HEALTH_UNKNOWN : HEALTH_FAIL,
		    fact_shown(&gim->loaded, "not loaded"), "/sys/module/gim");
	add_file(finding, gim, "gim", HEALTH_PASS);
	add_ban(finding, patient, HOST_GIM, HEALTH_WARN);
}

/* A newer gim takes whatever function of AMD's has no driver. */
static void look_gim_strangers(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;

	for (size_t i = 0; i < inventory->n_others; i++) {
		if (fact_is(&inventory->others[i].driver, "gim"))
			finding_of(finding, HEALTH_WARN, &inventory->others[i], "driver", "gim");
	}
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (fact_is(&inventory->gpus[i].driver, "gim"))
			finding_of(finding, HEALTH_PASS, &inventory->gpus[i], "driver", "gim");
	}
}

#define MODULE_SAYS(name)                                                                          \
	{                                                                                          \
		[HEALTH_PASS] = name " is there",                                                  \
		[HEALTH_UNKNOWN] = name " is not loaded; whether it could be is not known here",   \
		[HEALTH_WARN] = name " is not loaded, but could be",                               \
		[HEALTH_FAIL] = "the running kernel has no " name,                                 \
	}
#define MODULE_NEXT(name)                                                                          \
	{                                                                                          \
		[HEALTH_UNKNOWN] = "run it where the host's /sys and /lib/modules are mounted",    \
		[HEALTH_WARN] = "modprobe " name "; write " name                                   \
				" into a file of /etc/modules-load.d, and take away what "         \
				"bans it",                                                         \
		[HEALTH_FAIL] = "install the package with the modules of the running kernel "      \
				"(linux-modules-extra on Ubuntu), or reboot into the kernel "      \
				"that is installed",                                               \
	}

static const struct check rows[] = {
	{"vfio", FOR_VMS, look_vfio, MODULE_SAYS("vfio"), MODULE_NEXT("vfio")},
	{"vfio-pci", FOR_VMS, look_vfio_pci, MODULE_SAYS("vfio-pci"), MODULE_NEXT("vfio-pci")},
	{"vfio-iommu-type1", FOR_VMS, look_vfio_iommu_type1, MODULE_SAYS("vfio_iommu_type1"),
	 MODULE_NEXT("vfio_iommu_type1")},
	{
		"amdgpu-blacklist",
		FOR_VMS,
		look_amdgpu,
		{[HEALTH_PASS] = "amdgpu is not loaded, and stays away",
		 [HEALTH_UNKNOWN] = "whether amdgpu stays away at the next boot is not known here",
		 [HEALTH_WARN] = "amdgpu is loaded or may be at the next boot, and takes what has "
				 "no driver",
		 [HEALTH_FAIL] = "amdgpu has a GPU that is to go to a VM"},
		{[HEALTH_UNKNOWN] = "run it where the host's /etc/modprobe.d is mounted",
		 [HEALTH_WARN] =
			 "write 'blacklist amdgpu' into /etc/modprobe.d/blacklist-amdgpu.conf, "
			 "build the initramfs again, reboot",
		 [HEALTH_FAIL] =
			 "write 'blacklist amdgpu' into /etc/modprobe.d/blacklist-amdgpu.conf, "
			 "build the initramfs again, reboot"},
	},
	{
		"gim",
		FOR(MODE_VF_PASSTHROUGH),
		look_gim,
		{[HEALTH_PASS] = "gim is loaded",
		 [HEALTH_UNKNOWN] = "whether gim is loaded cannot be seen from here",
		 [HEALTH_WARN] = "gim is loaded but does not show its version",
		 [HEALTH_FAIL] = "gim is not loaded: nobody makes VFs of AMD's GPUs"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "install a release of gim: its version goes into the labels",
		 [HEALTH_FAIL] = "modprobe gim; where there is no such module, install AMD's "
				 "MxGPU driver (gim-dkms) for the running kernel"},
	},
	{
		"gim-strangers",
		FOR_ALL,
		look_gim_strangers,
		{[HEALTH_PASS] = "gim has GPUs and nothing else",
		 [HEALTH_WARN] = "gim is bound to a function that is no GPU"},
		{[HEALTH_WARN] = "it does no harm to the labels; unbind it where the function is "
				 "needed, or set its driver_override"},
	},
};
const struct check_list module_checks = {rows, ARRAY_SIZE(rows)};
