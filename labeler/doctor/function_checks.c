/* SPDX-License-Identifier: Apache-2.0 */
/* Each GPU function by itself: does it answer, can it be reset, where are its BARs. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "rules/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	RESOURCE_MEM = 0x200,
	RESOURCE_PREFETCH = 0x2000,
	RESOURCE_MEM_64 = 0x100000,
	N_BARS = 6,
	N_OWN_ROWS = N_BARS + 1,      /* and the ROM */
	N_ROWS = N_OWN_ROWS + N_BARS, /* and those of its VFs */
	RESOURCE_LINE = 160,
};
static const uint32_t all_ones = 0xffffffff;
static const uint64_t four_gib = 1ULL << 32;

/* --- BARs --- */

struct bar {
	uint64_t start, end, flags;
};

static bool parse_hex(const char **text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(*text, &end, 16);
	if (errno || end == *text)
		return false;
	*text = end;
	return true;
}

static bool parse_bar(const char *line, struct bar *ret)
{
	return parse_hex(&line, &ret->start) && parse_hex(&line, &ret->end) &&
	       parse_hex(&line, &ret->flags);
}

/* 64-bit and prefetchable: what a GPU shows of its memory. */
static bool is_large(const struct bar *bar)
{
	const uint64_t wanted = RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_MEM_64;

	return (bar->flags & wanted) == wanted && bar->end > 0;
}

static enum health health_of_bar(const struct bar *bar)
{
	if (bar->start == 0)
		return HEALTH_FAIL;
	return bar->start < four_gib ? HEALTH_WARN : HEALTH_PASS;
}

static void add_bars(struct finding *finding, const struct function *gpu, const char *text,
		     size_t n_rows)
{
	size_t row = 0;

	for (const char *line = text; *line && row < n_rows; row++) {
		const size_t len = strcspn(line, "\n");
		char shown[RESOURCE_LINE];
		char file[32];
		struct bar bar;

		(void)snprintf(shown, sizeof(shown), "%.*s",
			       (int)(len < RESOURCE_LINE ? len : RESOURCE_LINE - 1), line);
		(void)snprintf(file, sizeof(file), "resource:%zu", row + 1);
		if (!parse_bar(shown, &bar))
			finding_of(finding, HEALTH_UNKNOWN, gpu, file, shown);
		else if (is_large(&bar))
			finding_of(finding, health_of_bar(&bar), gpu, file, shown);
		line += len + (line[len] == '\n');
	}
}

static void look_bars(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct fact *resource = &patient->facts->functions[i].resource;

		if (fact_known(resource))
			add_bars(finding, gpu, resource->text,
				 patient->meant == MODE_VF_PASSTHROUGH ? N_ROWS : N_OWN_ROWS);
		else
			finding_of(finding, HEALTH_UNKNOWN, gpu, "resource",
				   fact_shown(resource, "there is no such file"));
	}
}

/* --- does it answer --- */

static void look_dead(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct function_facts *facts = &patient->facts->functions[i];
		enum health health = HEALTH_UNKNOWN;
		char value[64];

		if (patient->verdict->parts[i].is_vf) /* a VF's ids read so, by the standard */
			continue;
		if (!fact_known(&facts->config_id)) {
			finding_of(finding, health, gpu, "config",
				   fact_shown(&facts->config_id, "there is no such file"));
			continue;
		}
		if ((uint32_t)facts->config_id.number != all_ones)
			health = HEALTH_PASS;
		else if (!fact_is(&facts->power_state, "D3cold")) /* there nothing answers */
			health = HEALTH_FAIL;
		(void)snprintf(value, sizeof(value), "%08" PRIx32 ", power_state %.20s",
			       (uint32_t)facts->config_id.number,
			       fact_shown(&facts->power_state, "not told"));
		finding_of(finding, health, gpu, "config", value);
	}
}

static bool reads_empty(const struct fact *fact)
{
	return fact->state == FACT_FAILED && fact->text && strstr(fact->text, "is empty");
}

/* Kernels before 5.15 have no such file. */
static void look_reset(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct fact *reset = &patient->facts->functions[i].reset_method;
		enum health health = HEALTH_UNKNOWN;

		if (!patient_wants(patient, i))
			continue;
		if (fact_known(reset))
			health = HEALTH_PASS;
		else if (reads_empty(reset))
			health = HEALTH_WARN;
		finding_of(finding, health, &patient->inventory->gpus[i], "reset_method",
			   fact_shown(reset, "there is no such file"));
	}
}

static bool says_nothing(const struct fact *override)
{
	return override->state == FACT_ABSENT || reads_empty(override) ||
	       fact_is(override, "(null)");
}

/* One that names the driver which the function is meant to get is no leftover. */
static bool is_left_over(const struct patient *patient, size_t i)
{
	const struct fact *override = &patient->facts->functions[i].driver_override;

	if (!fact_known(override) || says_nothing(override) ||
	    fact_is(&patient->inventory->gpus[i].driver, override->text))
		return false;
	return patient->meant == MODE_CONTAINER || !patient_wants(patient, i) ||
	       !inventory_is_vfio(override->text);
}

static void look_override(const struct patient *patient, struct finding *finding)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct fact *override = &patient->facts->functions[i].driver_override;
		enum health health = HEALTH_PASS;
		char value[160];

		if (override->state == FACT_FAILED && !says_nothing(override))
			health = HEALTH_UNKNOWN;
		else if (is_left_over(patient, i))
			health = HEALTH_WARN;
		(void)snprintf(value, sizeof(value), "%.80s, driver %.60s",
			       says_nothing(override) ? "none" : override->text,
			       fact_shown(&gpu->driver, "none"));
		finding_of(finding, health, gpu, "driver_override", value);
	}
}

static const struct check rows[] = {
	{
		"bars",
		FOR_VMS,
		look_bars,
		{[HEALTH_PASS] = "the large BARs have their place above 4 GiB",
		 [HEALTH_UNKNOWN] = "where the BARs are cannot be read",
		 [HEALTH_WARN] = "a large BAR is below 4 GiB",
		 [HEALTH_FAIL] = "a large BAR has no address: the GPU or its VFs cannot be used"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "switch on Above 4G Decoding in the firmware",
		 [HEALTH_FAIL] = "switch on Above 4G Decoding (and a large MMIO window) in the "
				 "firmware; boot with pci=realloc where it has no such switch"},
	},
	{
		"dead-function",
		FOR_ALL,
		look_dead,
		{[HEALTH_PASS] = "the GPUs answer",
		 [HEALTH_UNKNOWN] = "whether a GPU answers cannot be told now",
		 [HEALTH_FAIL] = "a GPU does not answer: its config space reads all ones"},
		{[HEALTH_UNKNOWN] = "a GPU in D3cold is switched off and wakes when it is used; "
				    "otherwise run it where the host's /sys is mounted",
		 [HEALTH_FAIL] = "echo 1 > remove, then echo 1 > /sys/bus/pci/rescan; where it "
				 "stays dead, switch the machine off and on, not only reboot it"},
	},
	{
		"reset-method",
		FOR_VMS,
		look_reset,
		{[HEALTH_PASS] = "the kernel can reset the GPUs",
		 [HEALTH_UNKNOWN] = "whether the kernel can reset a GPU is not told",
		 [HEALTH_WARN] = "the kernel has no way to reset a GPU: it comes to the second VM "
				 "as the first left it"},
		{[HEALTH_UNKNOWN] = "kernels from 5.15 on tell it",
		 [HEALTH_WARN] = "look for a newer kernel or firmware with a reset of this card; "
				 "until then reboot the host between VMs"},
	},
	{
		"driver-override",
		FOR_ALL,
		look_override,
		{[HEALTH_PASS] = "no driver_override is in the way",
		 [HEALTH_UNKNOWN] = "a driver_override cannot be read",
		 [HEALTH_WARN] =
			 "a driver_override names another driver than the one that is bound"},
		{[HEALTH_UNKNOWN] = "run it where the host's /sys is mounted",
		 [HEALTH_WARN] = "echo > driver_override takes it away; then echo the address > "
				 "/sys/bus/pci/drivers_probe"},
	},
};
const struct check_list function_checks = {rows, ARRAY_SIZE(rows)};
