/* SPDX-License-Identifier: Apache-2.0 */
/* The IOMMU and its groups: what is handed to a VM is the group, not the function. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "inventory/groups.h"
#include "rules/rules.h"

#include <string.h>

static const char groups_path[] = "/sys/kernel/iommu_groups";

static const struct function *first_in_group(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (fact_known(&inventory->gpus[i].iommu_group))
			return &inventory->gpus[i];
	}
	return NULL;
}

/* By what /sys/class/iommu says, and whether a GPU is in a group. */
static const enum health iommu_healths[][2] = {
	[FACT_ABSENT] = {HEALTH_FAIL, HEALTH_WARN},
	[FACT_KNOWN] = {HEALTH_PASS, HEALTH_PASS},
	[FACT_FAILED] = {HEALTH_UNKNOWN, HEALTH_PASS},
};

/*
 * The kernel's answer counts, never a word of the command line: amd_iommu=on is none that it knows.
 * The words are shown, since one of them may have switched the IOMMU off.
 */
static void look_iommu(const struct patient *patient, struct finding *finding)
{
	const struct fact *iommus = &patient->facts->iommus;
	const struct fact *words = &patient->facts->boot_words;
	const struct function *member = first_in_group(patient->inventory);
	const enum health health = iommu_healths[iommus->state][member != NULL];

	finding_add(finding, health, fact_shown(iommus, "empty"), "/sys/class/iommu");
	if (member)
		finding_of(finding, HEALTH_PASS, member, "iommu_group",
			   number_text(member->iommu_group.number).text);
	if (fact_known(words) && words->text[0])
		finding_add(finding, health, words->text, "/proc/cmdline");
}

/* Does a GPU go to VMs already? One that does not is then no failure of the node. */
static bool hands_over(const struct patient *patient)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		if (patient->verdict->parts[i].vfio && patient_wants(patient, i))
			return true;
	}
	return false;
}

static bool is_left_to_host(const struct function *gpu)
{
	return !fact_known(&gpu->driver) || !inventory_is_vfio(gpu->driver.text);
}

static void look_iommu_group(const struct patient *patient, struct finding *finding)
{
	const bool others_do = hands_over(patient);
	static const enum health healths[] = {[FACT_ABSENT] = HEALTH_FAIL,
					      [FACT_KNOWN] = HEALTH_PASS,
					      [FACT_FAILED] = HEALTH_UNKNOWN};

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct fact *group = &gpu->iommu_group;

		if (patient_wants(patient, i))
			finding_of(finding,
				   others_do && is_left_to_host(gpu) && group->state == FACT_ABSENT
					   ? HEALTH_WARN
					   : healths[group->state],
				   gpu, "iommu_group",
				   fact_known(group) ? number_text(group->number).text
						     : fact_shown(group, "there is none"));
	}
}

/* The groups of the GPUs that are to be handed over. */
static struct groups groups_wanted(const struct patient *patient)
{
	struct groups groups = {0};

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		if (patient_wants(patient, i) &&
		    fact_known(&patient->inventory->gpus[i].iommu_group))
			groups_add(&groups, patient->inventory->gpus[i].iommu_group.number);
	}
	groups_tidy(&groups);
	return groups;
}

static void add_member(struct finding *finding, enum health health, const struct function *function)
{
	const struct fact *driver = &function->driver;

	finding_add(finding, health, fact_shown(driver, "no driver"), "%s/%s/devices/%s/driver",
		    groups_path, number_text(function->iommu_group.number).text,
		    addr_text(function->addr).text);
}

static bool in_groups(const struct function *function, const struct groups *groups)
{
	return fact_known(&function->iommu_group) &&
	       groups_have(groups, function->iommu_group.number);
}

static enum health health_in_group(const struct function *function)
{
	if (!inventory_blocks_group(function))
		return HEALTH_PASS;
	return fact_known(&function->driver) ? HEALTH_FAIL : HEALTH_UNKNOWN;
}

/* A GPU's own driver is another check's; here it is foreign where a second GPU is on vfio. */
static bool has_vfio_gpu(const struct inventory *inventory, int64_t group)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];

		if (fact_known(&gpu->iommu_group) && gpu->iommu_group.number == group &&
		    fact_known(&gpu->driver) && inventory_is_vfio(gpu->driver.text))
			return true;
	}
	return false;
}

static void look_group_viable(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;
	CLEANUP(groups_clear) struct groups groups = groups_wanted(patient);

	finding->failed |= groups.failed;
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];

		if (in_groups(gpu, &groups))
			add_member(finding,
				   has_vfio_gpu(inventory, gpu->iommu_group.number)
					   ? health_in_group(gpu)
					   : HEALTH_PASS,
				   gpu);
	}
	for (size_t i = 0; i < inventory->n_others; i++) {
		if (in_groups(&inventory->others[i], &groups))
			add_member(finding, health_in_group(&inventory->others[i]),
				   &inventory->others[i]);
	}
}

/* The card's audio function is the one that is forgotten. */
static void look_audio(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;
	CLEANUP(groups_clear) struct groups groups = groups_wanted(patient);

	finding->failed |= groups.failed;
	for (size_t i = 0; i < inventory->n_others; i++) {
		const struct function *function = &inventory->others[i];
		const struct fact *driver = &function->driver;
		enum health health = health_in_group(function);

		if (function->pci_class != CLASS_AUDIO || !in_groups(function, &groups))
			continue;
		if (driver->state == FACT_ABSENT)
			health = HEALTH_WARN;
		add_member(finding, health, function);
	}
}

static bool same_card(const struct function *a, const struct function *b)
{
	return a->addr.domain == b->addr.domain && a->addr.bus == b->addr.bus &&
	       a->addr.slot == b->addr.slot;
}

static const struct function *neighbour(const struct patient *patient, const struct function *gpu)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *other = &patient->inventory->gpus[i];

		if (other != gpu && fact_known(&other->iommu_group) &&
		    other->iommu_group.number == gpu->iommu_group.number &&
		    (!same_card(other, gpu) || patient->meant == MODE_VF_PASSTHROUGH))
			return other;
	}
	return NULL;
}

/* What the PCI bridges isolate is in config space that we may not read; the groups come of it. */
static void look_isolation(const struct patient *patient, struct finding *finding)
{
	const struct fact *words = &patient->facts->boot_words;

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct function *other;

		if (!patient_wants(patient, i) || !fact_known(&gpu->iommu_group))
			continue;
		other = neighbour(patient, gpu);
		finding_of(finding, other ? HEALTH_WARN : HEALTH_PASS, gpu, "iommu_group",
			   number_text(gpu->iommu_group.number).text);
		if (other)
			finding_of(finding, HEALTH_WARN, other, "iommu_group",
				   number_text(other->iommu_group.number).text);
	}
	if (finding->n_items > 0 && fact_known(words) && strstr(words->text, "pcie_acs_override="))
		finding_add(finding, HEALTH_WARN, words->text, "/proc/cmdline");
}

static void look_interrupts(const struct patient *patient, struct finding *finding)
{
	const struct fact *unsafe = &patient->facts->unsafe_interrupts;
	enum health health = HEALTH_UNKNOWN;

	if (fact_known(unsafe))
		health = fact_is(unsafe, "Y") ? HEALTH_WARN : HEALTH_PASS;
	finding_add(finding, health, fact_shown(unsafe, "there is no such file"),
		    "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
}

static const struct check rows[] = {
	{
		"iommu",
		FOR_VMS,
		look_iommu,
		{[HEALTH_PASS] = "the IOMMU is on",
		 [HEALTH_UNKNOWN] = "whether the IOMMU is on cannot be seen from here",
		 [HEALTH_WARN] = "there are IOMMU groups, but the kernel shows no IOMMU",
		 [HEALTH_FAIL] = "the IOMMU is off: no function can be handed to a VM"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "is vfio's enable_unsafe_noiommu_mode on? It protects nothing and "
				 "KubeVirt does not take it; switch the IOMMU on in the firmware",
		 [HEALTH_FAIL] = "switch on IOMMU (AMD-Vi) or VT-d in the firmware; with an Intel "
				 "CPU boot with intel_iommu=on; with an AMD CPU no word is needed, "
				 "and amd_iommu=on is none that the kernel knows. Take away "
				 "iommu=off, intel_iommu=off, amd_iommu=off"},
	},
	{
		"iommu-group",
		FOR_VMS,
		look_iommu_group,
		{[HEALTH_PASS] = "each GPU function is in an IOMMU group",
		 [HEALTH_UNKNOWN] = "the IOMMU group of a GPU function cannot be read",
		 [HEALTH_WARN] = "a GPU function is in no IOMMU group; others go to VMs",
		 [HEALTH_FAIL] = "a GPU function is in no IOMMU group"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "leave it to the host, or update the firmware, whose tables leave "
				 "it out",
		 [HEALTH_FAIL] = "first mend the check iommu; where the IOMMU is on and this "
				 "function alone has no group, the firmware's tables leave it out: "
				 "update the firmware"},
	},
	{
		"group-viable",
		FOR_VMS,
		look_group_viable,
		{[HEALTH_PASS] = "nothing foreign is in the IOMMU groups of the GPUs",
		 [HEALTH_UNKNOWN] =
			 "the driver of a function in a GPU's IOMMU group cannot be read",
		 [HEALTH_FAIL] =
			 "a function in a GPU's IOMMU group is on a driver of the host: the "
			 "kernel refuses the group to a VM"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_FAIL] = "bind the function that fails to vfio-pci as well, or unbind it; "
				 "where the host needs it, put the card into another slot"},
	},
	{
		"audio-sibling",
		FOR_VMS,
		look_audio,
		{[HEALTH_PASS] = "the GPU's audio function is on a vfio driver",
		 [HEALTH_UNKNOWN] = "the driver of the GPU's audio function cannot be read",
		 [HEALTH_WARN] = "the GPU's audio function has no driver: the next one to load may "
				 "take it",
		 [HEALTH_FAIL] =
			 "the GPU's audio function is on a driver of the host and keeps the "
			 "group from VMs"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "bind it to vfio-pci by driver_override, as the GPU",
		 [HEALTH_FAIL] = "bind it to vfio-pci by driver_override, as the GPU"},
	},
	{
		"isolation",
		FOR_VMS,
		look_isolation,
		{[HEALTH_PASS] = "each GPU has an IOMMU group of its own",
		 [HEALTH_WARN] = "GPUs are not isolated from each other, as the groups tell"},
		{[HEALTH_WARN] = "GPUs in one group go to one VM together: switch on ACS (and ARI "
				 "for VFs) in the firmware, or use another slot. pcie_acs_override "
				 "splits the groups in name alone: take it away"},
	},
	{
		"unsafe-interrupts",
		FOR_VMS,
		look_interrupts,
		{[HEALTH_PASS] = "interrupts must be remapped",
		 [HEALTH_UNKNOWN] = "whether interrupts must be remapped cannot be seen",
		 [HEALTH_WARN] =
			 "allow_unsafe_interrupts=Y: a VM may forge interrupts of the host"},
		{[HEALTH_UNKNOWN] = "it is seen once vfio_iommu_type1 is loaded",
		 [HEALTH_WARN] = "take the option out of /etc/modprobe.d and the command line; it "
				 "is needed only where the platform remaps no interrupts"},
	},
};
const struct check_list iommu_checks = {rows, ARRAY_SIZE(rows)};
