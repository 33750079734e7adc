/* SPDX-License-Identifier: Apache-2.0 */
/* What the node has, and whether it serves what it is meant for. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "inventory/devices.h"
#include "rules/rules.h"

#include <string.h>

static void look_gpus(const struct patient *patient, struct finding *finding)
{
	const struct inventory *inventory = patient->inventory;

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];
		char id[24];

		(void)snprintf(id, sizeof(id), "%04x:%04x %s", gpu->vendor, fact_id(&gpu->device),
			       patient->verdict->parts[i].is_vf ? "VF" : "PF");
		finding_of(finding, HEALTH_PASS, gpu, "", id);
	}
	for (size_t i = 0; i < inventory->n_problems; i++)
		finding_add(finding, HEALTH_UNKNOWN, inventory->problems[i].text,
			    "/sys/bus/pci/devices%s%s", inventory->problems[i].has_addr ? "/" : "",
			    inventory->problems[i].has_addr
				    ? addr_text(inventory->problems[i].addr).text
				    : "");
	if (finding->n_items == 0)
		finding_add(finding, HEALTH_FAIL, "no function of it is a GPU of AMD or Intel",
			    "/sys/bus/pci/devices");
}

/* Intel's functions have no mode of the node's, but they serve VMs or the host. */
static bool serves(const struct patient *patient, size_t i)
{
	const struct part *part = &patient->verdict->parts[i];
	const struct fact *driver = &patient->inventory->gpus[i].driver;

	if (patient->inventory->gpus[i].vendor == VENDOR_AMD)
		return part->mode == patient->meant;
	if (patient->meant == MODE_CONTAINER)
		return fact_known(driver) && !inventory_is_vfio(driver->text);
	return part->vfio && patient_wants(patient, i);
}

/* What it serves cannot be told. */
static bool is_unread(const struct function *gpu)
{
	return gpu->driver.state == FACT_FAILED || gpu->iommu_group.state == FACT_FAILED ||
	       gpu->numvfs.state == FACT_FAILED || gpu->vf_links.state == FACT_FAILED;
}

/* A GPU that serves nothing is a fault where none serves, and worth a word where others do. */
static void look_at_idle(const struct patient *patient, bool any, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct part *part = &patient->verdict->parts[i];
		const struct function *gpu = &patient->inventory->gpus[i];

		if (serves(patient, i))
			finding_of(finding, HEALTH_PASS, gpu, "", mode_name(patient->meant));
		else if (any && part->say && part->why)
			finding_of(finding, HEALTH_WARN, gpu, "", part->why);
		else if (!any)
			finding_of(finding, is_unread(gpu) ? HEALTH_UNKNOWN : HEALTH_FAIL, gpu, "",
				   part->mode != MODE_NONE ? mode_name(part->mode)
				   : part->why             ? part->why
				   : part->vfio ? "bound to a vfio driver, but not as meant"
						: "it serves none");
	}
}

static void look_mode(const struct patient *patient, struct finding *finding)
{
	const enum mode mode = patient->verdict->mode;
	bool any = false;

	for (size_t i = 0; i < patient->inventory->n_gpus; i++)
		any |= serves(patient, i);
	look_at_idle(patient, any, finding);
	if (any && mode != MODE_NONE && mode != patient->meant)
		finding_add(finding, HEALTH_FAIL, mode_name(mode), "amd.com/gpu.mode");
}

static void look_heterogeneous(const struct patient *patient, struct finding *finding)
{
	const struct verdict *verdict = patient->verdict;
	size_t n_modes = 0;
	size_t counts[N_MODES] = {0};

	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const enum mode mode = verdict->parts[i].mode;

		if (mode != MODE_NONE && counts[mode]++ == 0)
			n_modes++;
	}
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		if (verdict->parts[i].mode != MODE_NONE)
			finding_of(finding, n_modes > 1 ? HEALTH_WARN : HEALTH_PASS,
				   &patient->inventory->gpus[i], "",
				   mode_name(verdict->parts[i].mode));
	}
}

static const struct check rows[] = {
	{
		"gpus",
		FOR_ALL,
		look_gpus,
		{[HEALTH_PASS] = "the node has GPUs",
		 [HEALTH_UNKNOWN] = "a function of the node could not be read",
		 [HEALTH_FAIL] = "the node has no GPU that could be told by its class or id"},
		{[HEALTH_UNKNOWN] = "read the reason; what a pod may not read is told on the host",
		 [HEALTH_FAIL] =
			 "look at lspci -nn: is the card seated, powered, switched on in "
			 "the firmware? A new id goes into a device table (--device-table)"},
	},
	{
		"mode",
		FOR_ALL,
		look_mode,
		{[HEALTH_PASS] = "the GPUs serve what the node is meant for",
		 [HEALTH_UNKNOWN] = "what the GPUs serve cannot be read",
		 [HEALTH_WARN] = "not all of the GPUs serve what the node is meant for",
		 [HEALTH_FAIL] = "the GPUs do not serve what the node is meant for"},
		{[HEALTH_UNKNOWN] = "read the reason; what a pod may not read is told on the host",
		 [HEALTH_WARN] = "read why at each; gpu-labeler detect shows what every one counts "
				 "as",
		 [HEALTH_FAIL] = "read why at each, mend what fails below, or say with --mode what "
				 "the node is for; where GPUs of several modes are wanted, set "
				 "driver-type"},
	},
	{
		"heterogeneous",
		FOR_ALL,
		look_heterogeneous,
		{[HEALTH_PASS] = "all GPUs that serve anything serve the same",
		 [HEALTH_WARN] = "the GPUs serve several modes, and the labels tell one"},
		{[HEALTH_WARN] = "set driver-type to the mode that the labels shall tell, or bind "
				 "all GPUs alike"},
	},
};
const struct check_list node_checks = {rows, ARRAY_SIZE(rows)};
