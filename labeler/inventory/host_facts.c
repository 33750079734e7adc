/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/host_facts.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <string.h>

static const char blanks[] = " \t\n";

static const char *const module_names[HOST_MODULES] = {
	[HOST_VFIO] = "vfio",
	[HOST_VFIO_PCI] = "vfio_pci",
	[HOST_VFIO_IOMMU_TYPE1] = "vfio_iommu_type1",
	[HOST_AMDGPU] = "amdgpu",
	[HOST_GIM] = "gim",
};

const char *host_module_name(enum host_module module)
{
	return module_names[module];
}

static void function_facts_clear(struct function_facts *facts)
{
	fact_clear(&facts->config_id);
	fact_clear(&facts->power_state);
	fact_clear(&facts->reset_method);
	fact_clear(&facts->driver_override);
	fact_clear(&facts->ari_enabled);
	fact_clear(&facts->resource);
}

void host_facts_clear(struct host_facts *facts)
{
	fact_clear(&facts->iommus);
	fact_clear(&facts->boot_words);
	fact_clear(&facts->unsafe_interrupts);
	for (size_t i = 0; i < HOST_MODULES; i++) {
		fact_clear(&facts->modules[i].loaded);
		fact_clear(&facts->modules[i].version);
		fact_clear(&facts->modules[i].file);
		fact_clear(&facts->modules[i].banned);
	}
	for (size_t i = 0; i < facts->n_functions; i++)
		function_facts_clear(&facts->functions[i]);
	free(facts->functions);
	*facts = (struct host_facts){0};
}

/* A module's name of len characters at text; - and _ are the same in it. */
static bool is_module(const char *text, size_t len, const char *module)
{
	if (strlen(module) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((text[i] == '-' ? '_' : text[i]) != module[i])
			return false;
	}
	return true;
}

/* The next word of text, *len characters of it; what is behind it comes back in *text. */
static const char *next_word(const char **text, size_t *len)
{
	const char *word = *text + strspn(*text, blanks);

	*len = strcspn(word, blanks);
	*text = word + *len;
	return word;
}

static bool word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && strncmp(word, text, len) == 0;
}

bool host_facts_bans(const char *line, const char *module)
{
	size_t verb_len;
	size_t name_len;
	size_t len;
	const char *verb = next_word(&line, &verb_len);
	const char *name = next_word(&line, &name_len);
	const char *program = next_word(&line, &len);

	if (!is_module(name, name_len, module))
		return false;
	if (word_is(verb, verb_len, "blacklist"))
		return true;
	return word_is(verb, verb_len, "install") &&
	       (word_is(program, len, "/bin/false") || word_is(program, len, "/bin/true") ||
		word_is(program, len, "/usr/bin/false") || word_is(program, len, "/usr/bin/true"));
}

/* name=a,b,c: is module one of a, b, c? */
static bool lists(const char *word, size_t len, const char *name, const char *module)
{
	const size_t skip = strlen(name);

	if (len < skip || strncmp(word, name, skip) != 0)
		return false;
	word += skip;
	len -= skip;
	while (len > 0) {
		const size_t item = strcspn(word, ", \t\n") < len ? strcspn(word, ", \t\n") : len;

		if (is_module(word, item, module))
			return true;
		word += item < len ? item + 1 : item;
		len -= item < len ? item + 1 : item;
	}
	return false;
}

const char *host_facts_boot_ban(const char *words, const char *module, size_t *ret_len)
{
	/* rd.driver.blacklist= holds in the initramfs alone: udev loads the module after it */
	static const char *const names[] = {"modprobe.blacklist=", "module_blacklist="};
	size_t len;

	for (const char *word; word = next_word(&words, &len), len > 0;) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			if (!lists(word, len, names[i], module))
				continue;
			*ret_len = len;
			return word;
		}
	}
	return NULL;
}

/* Whole words, those that end in = or . as beginnings. */
static bool concerns_gpus(const char *word, size_t len)
{
	static const char *const known[] = {
		"iommu=",  "intel_iommu=", "amd_iommu=",          "iommu.",
		"vfio.",   "vfio-pci.",    "vfio_pci.",           "vfio_iommu_type1.",
		"pci=",    "pci.",         "pcie_acs_override=",  "module_blacklist=",
		"amdgpu.", "gim.",         "modprobe.blacklist=", "rd.driver.blacklist=",
		"i915.",   "xe.",          "rd.driver.pre=",      "nomodeset",
		"noapic",  "nox2apic",     "intremap=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const size_t part = strlen(known[i]);
		const bool whole = !strchr("=.", known[i][part - 1]);

		if (len >= part && (!whole || len == part) && strncmp(word, known[i], part) == 0)
			return true;
	}
	return false;
}

char *host_facts_boot_words(const char *cmdline)
{
	struct strbuf words = {0};
	size_t len;

	for (const char *word; word = next_word(&cmdline, &len), len > 0;) {
		if (!concerns_gpus(word, len))
			continue;
		if (words.len > 0)
			strbuf_add(&words, " ");
		strbuf_add_bytes(&words, word, len);
	}
	return strbuf_take(&words);
}
