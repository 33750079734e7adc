/* SPDX-License-Identifier: Apache-2.0 */
/* From PFs to VFs to functions that a VM can have. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "inventory/devices.h"
#include "rules/rules.h"

#include <string.h>

enum {
	VFS_WITHOUT_ARI = 7, /* more do not fit on one bus without it */
	MI210 = 0x740f,
	MI210_MOST = 8, /* all of two hives */
};

static bool is_pf(const struct patient *patient, size_t i)
{
	return !patient->verdict->parts[i].is_vf;
}

static bool can_have_vfs(const struct function *gpu)
{
	return fact_known(&gpu->totalvfs) && gpu->totalvfs.number > 0;
}

/* A PF that lacks what another has is worth a word: it may be another card. */
static enum health lack(bool another_has)
{
	return another_has ? HEALTH_WARN : HEALTH_FAIL;
}

static void look_sriov(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;
	bool any = false;

	for (size_t i = 0; i < inventory->n_gpus; i++)
		any |= is_pf(patient, i) && can_have_vfs(&inventory->gpus[i]);
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];
		const struct fact *total = &gpu->totalvfs;
		enum health health = lack(any);

		if (!is_pf(patient, i))
			continue;
		if (can_have_vfs(gpu))
			health = HEALTH_PASS;
		else if (total->state == FACT_FAILED)
			health = HEALTH_UNKNOWN;
		finding_of(finding, health, gpu, "sriov_totalvfs",
			   fact_known(total) ? number_text(total->number).text
					     : fact_shown(total, "there is none"));
	}
}

static void look_vfs(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;
	bool any = false;

	for (size_t i = 0; i < inventory->n_gpus; i++)
		any |= inventory->gpus[i].n_vfs > 0;
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];
		enum health health = gpu->n_vfs > 0 ? HEALTH_PASS : lack(any);
		char value[64];

		if (!is_pf(patient, i) || (!can_have_vfs(gpu) && gpu->n_vfs == 0))
			continue;
		if (gpu->vf_links.state == FACT_FAILED)
			health = HEALTH_UNKNOWN;
		(void)snprintf(value, sizeof(value), "%zu of %s VFs", gpu->n_vfs,
			       can_have_vfs(gpu) ? number_text(gpu->totalvfs.number).text : "?");
		finding_of(finding, health, gpu, "virtfn*",
			   health == HEALTH_UNKNOWN ? gpu->vf_links.text : value);
	}
}

/* Of the functions that are to be handed over. idle: what one without a driver is worth. */
static void look_bound(const struct patient *patient, struct finding *finding, enum health idle)
{
	const struct inventory *inventory = patient->inventory;
	bool any = false;

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct fact *driver = &inventory->gpus[i].driver;

		any |= patient_wants(patient, i) && fact_known(driver) &&
		       inventory_is_vfio(driver->text);
	}
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct fact *driver = &inventory->gpus[i].driver;
		enum health health = lack(any);

		if (!patient_wants(patient, i))
			continue;
		if (driver->state == FACT_FAILED)
			health = HEALTH_UNKNOWN;
		else if (fact_known(driver) && inventory_is_vfio(driver->text))
			health = HEALTH_PASS;
		else if (driver->state == FACT_ABSENT && !any)
			health = idle;
		finding_of(finding, health, &inventory->gpus[i], "driver",
			   fact_shown(driver, "no driver"));
	}
}

static void look_vfs_bound(const struct patient *patient, struct finding *finding)
{
	look_bound(patient, finding, HEALTH_WARN);
}

static void look_pfs_bound(const struct patient *patient, struct finding *finding)
{
	look_bound(patient, finding, HEALTH_FAIL);
}

static void look_ari(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct fact *ari = &patient->facts->functions[i].ari_enabled;
		enum health health = HEALTH_PASS;

		if (!is_pf(patient, i) || !can_have_vfs(gpu))
			continue;
		if (gpu->totalvfs.number > VFS_WITHOUT_ARI && !fact_known(ari))
			health = HEALTH_UNKNOWN;
		else if (gpu->totalvfs.number > VFS_WITHOUT_ARI && ari->number == 0)
			health = HEALTH_WARN;
		finding_of(finding, health, gpu, "ari_enabled",
			   fact_known(ari) ? number_text(ari->number).text
					   : fact_shown(ari, "there is no such file"));
	}
}

static bool fits_a_vm(size_t vfs)
{
	return vfs == 1 || vfs == 2 || vfs == 4 || vfs == MI210_MOST;
}

/* AMD's guide: a VM takes 1, 2 or 4 VFs of one hive, or all 8; gim makes one VF of each GPU. */
static void look_mi210(const struct patient *patient, struct finding *finding)
{
	size_t vfs = 0;

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];

		if (!is_pf(patient, i) || gpu->vendor != VENDOR_AMD ||
		    fact_id(&gpu->device) != MI210)
			continue;
		finding_of(finding, gpu->n_vfs > 1 ? HEALTH_FAIL : HEALTH_PASS, gpu, "virtfn*",
			   number_text((int64_t)gpu->n_vfs).text);
		vfs += gpu->n_vfs;
	}
	if (finding->n_items > 0)
		finding_add(finding, fits_a_vm(vfs) ? HEALTH_PASS : HEALTH_WARN,
			    number_text((int64_t)vfs).text, "VFs of the node's MI210");
}

static const struct check rows[] = {
	{
		"sriov",
		FOR(MODE_VF_PASSTHROUGH),
		look_sriov,
		{[HEALTH_PASS] = "the PFs can have VFs",
		 [HEALTH_UNKNOWN] = "whether a PF can have VFs cannot be read",
		 [HEALTH_WARN] = "not every PF can have VFs",
		 [HEALTH_FAIL] = "no PF can have VFs: the SR-IOV capability is missing"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] =
			 "right where the card has no SR-IOV; otherwise switch SR-IOV on in "
			 "the firmware",
		 [HEALTH_FAIL] = "switch SR-IOV on in the firmware; the card's own firmware may "
				 "hide it, too, and not every card has it"},
	},
	{
		"vfs",
		FOR(MODE_VF_PASSTHROUGH),
		look_vfs,
		{[HEALTH_PASS] = "VFs are made",
		 [HEALTH_UNKNOWN] = "whether VFs are made cannot be read",
		 [HEALTH_WARN] = "not every PF has VFs",
		 [HEALTH_FAIL] = "no VF is made"},
		{[HEALTH_UNKNOWN] = "look again: VFs may be being made",
		 [HEALTH_WARN] = "AMD: gim makes them when it loads (vf_num in /etc/gim_config); "
				 "dmesg | grep gim says why not. Intel: write the number to "
				 "sriov_numvfs",
		 [HEALTH_FAIL] = "AMD: gim makes them when it loads (vf_num in /etc/gim_config); "
				 "dmesg | grep gim says why not. Intel: write the number to "
				 "sriov_numvfs"},
	},
	{
		"vfs-bound",
		FOR(MODE_VF_PASSTHROUGH),
		look_vfs_bound,
		{[HEALTH_PASS] = "the VFs are on a vfio driver",
		 [HEALTH_UNKNOWN] = "the driver of a VF cannot be read",
		 [HEALTH_WARN] = "a VF is not on a vfio driver",
		 [HEALTH_FAIL] = "no VF is on a vfio driver, and another driver has them"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "echo vfio-pci > driver_override of the VF, unbind it from its "
				 "driver, echo its address > /sys/bus/pci/drivers_probe",
		 [HEALTH_FAIL] = "echo vfio-pci > driver_override of the VF, unbind it from its "
				 "driver, echo its address > /sys/bus/pci/drivers_probe"},
	},
	{
		"pfs-bound",
		FOR(MODE_PF_PASSTHROUGH),
		look_pfs_bound,
		{[HEALTH_PASS] = "the GPUs are on a vfio driver",
		 [HEALTH_UNKNOWN] = "the driver of a GPU cannot be read",
		 [HEALTH_WARN] = "a GPU is not on a vfio driver",
		 [HEALTH_FAIL] = "no GPU is on a vfio driver"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "right for the console's GPU; otherwise echo vfio-pci > "
				 "driver_override, unbind it from its driver, echo its address > "
				 "/sys/bus/pci/drivers_probe",
		 [HEALTH_FAIL] = "echo vfio-pci > driver_override of the GPU, unbind it from its "
				 "driver, echo its address > /sys/bus/pci/drivers_probe"},
	},
	{
		"ari",
		FOR(MODE_VF_PASSTHROUGH),
		look_ari,
		{[HEALTH_PASS] = "the VFs fit on the bus",
		 [HEALTH_UNKNOWN] = "whether ARI is on cannot be read",
		 [HEALTH_WARN] = "ARI is off: more than 7 VFs of a PF need a bus of their own"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "switch ARI (Alternative Routing-ID) on in the firmware"},
	},
	{
		"mi210-hive",
		FOR(MODE_VF_PASSTHROUGH),
		look_mi210,
		{[HEALTH_PASS] = "the VFs of the MI210 make VMs that AMD supports",
		 [HEALTH_WARN] =
			 "not all of the MI210's VFs can go to one VM: it takes 1, 2 or 4 of "
			 "a hive, or all 8",
		 [HEALTH_FAIL] = "an MI210 has more than one VF"},
		{[HEALTH_WARN] = "give VMs 1, 2 or 4 of them; which GPU is in which hive cannot be "
				 "seen under gim",
		 [HEALTH_FAIL] = "set vf_num to 1 in /etc/gim_config"},
	},
};
const struct check_list sriov_checks = {rows, ARRAY_SIZE(rows)};
