/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/card.h"

#include "base/cleanup.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "scan/amdgpu_ids.h"
#include "scan/host.h"
#include "scan/pci.h"
#include "scan/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const struct {
	const char *name;
	size_t field;
} texts[] = {
	/* clang-format off */
	{"product_name",                offsetof(struct card, product_name)},
	{"current_compute_partition",   offsetof(struct card, compute_partition)},
	{"current_memory_partition",    offsetof(struct card, memory_partition)},
	{"available_compute_partition", offsetof(struct card, compute_partitions)},
	{"available_memory_partition",  offsetof(struct card, memory_partitions)},
	/* clang-format on */
};
static const struct {
	const char *name;
	size_t field;
	struct host_range range;
} numbers[] = {
	/* clang-format off */
	{"revision",            offsetof(struct card, revision), {16, 0, UINT8_MAX}},
	{"mem_info_vram_total", offsetof(struct card, vram),     {10, 0, INT64_MAX}},
	/* clang-format on */
};
/* In the order of inventory_firmware_names. */
static const char *const firmware[N_FIRMWARE] = {
	"vce", "uvd", "mc", "me", "pfp", "ce", "rlc", "mec", "smc", "sdma",
};

static struct fact *fact_at(struct card *card, size_t field)
{
	return (struct fact *)(void *)((char *)card + field);
}

static int read_firmware(int dir, struct card *card)
{
	const struct host_range versions = {16, 0, UINT32_MAX};

	for (size_t i = 0; i < N_FIRMWARE; i++) {
		char path[64];
		int r;

		(void)snprintf(path, sizeof(path), "fw_version/%s_fw_version", firmware[i]);
		r = host_number(dir, path, versions, &card->firmware[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The card's render node is what KFD knows it by. */
static int read_minor(int dir, struct card *card)
{
	const struct host_range minors = {10, 0, INT32_MAX};
	auto_closedir DIR *list = host_list(dir, "drm");
	const struct dirent *entry;

	while (list && (entry = readdir(list))) {
		const size_t len = strlen("renderD");

		if (strncmp(entry->d_name, "renderD", len) != 0)
			continue;
		host_note(dirfd(list), entry->d_name);
		return host_parse_number("drm", entry->d_name + len, minors, &card->render_minor);
	}
	return 0;
}

static int read_card(int dir, struct card *card)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = host_text(dir, texts[i].name, fact_at(card, texts[i].field));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		r = host_number(dir, numbers[i].name, numbers[i].range,
				fact_at(card, numbers[i].field));
	if (r == 0)
		r = read_firmware(dir, card);
	return r < 0 ? r : read_minor(dir, card);
}

static int ask_node(const struct host *host, const struct scan_options *options, struct card *card)
{
	auto_free char *node = NULL;

	if (!options->firmware_features || !fact_known(&card->render_minor))
		return 0;
	if (asprintf(&node, "%s/dev/dri/renderD%d", host->root, (int)card->render_minor.number) <
	    0) {
		node = NULL;
		return -ENOMEM;
	}
	options->firmware_features(node, card->features);
	return 0;
}

static int add_card(const struct host *host, const struct scan_options *options,
		    const struct function *gpu, struct inventory *inventory)
{
	CLEANUP(card_clear) struct card card = {.addr = gpu->addr};
	char path[64];
	auto_close int dir = -1;
	int r;

	(void)snprintf(path, sizeof(path), "bus/pci/devices/%s", addr_text(gpu->addr).text);
	dir = openat(host->sys_fd, path, O_PATH | O_CLOEXEC);
	if (dir < 0) /* it went away meanwhile: the next event brings the next look */
		return 0;
	r = read_card(dir, &card);
	if (r == 0)
		r = ask_node(host, options, &card);
	return r < 0 ? r : inventory_add_card(inventory, &card);
}

/* What pci.ids has is the chip's name, not the product's: only where the user wants it. */
static int name_by_pci_ids(struct inventory *inventory)
{
	CLEANUP(scan_pci_close) struct pci_access *names = NULL;

	for (size_t i = 0; i < inventory->n_cards; i++) {
		struct card *card = &inventory->cards[i];
		const struct function *gpu = inventory_gpu(inventory, card->addr);
		char name[256];

		if (!gpu || fact_known(&card->product_name) || fact_known(&card->marketing_name))
			continue;
		if (!names)
			names = scan_pci_names();
		if (!scan_pci_name(names, gpu->vendor, fact_id(&gpu->device), name, sizeof(name)))
			continue;
		card->marketing_name.text = strdup(name);
		if (!card->marketing_name.text)
			return -ENOMEM;
		card->marketing_name.state = FACT_KNOWN;
	}
	return 0;
}

int scan_cards(const struct host *host, const struct scan_options *options,
	       struct inventory *inventory)
{
	int r = 0;

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];

		if (gpu->vendor != VENDOR_AMD || !fact_is(&gpu->driver, "amdgpu"))
			continue;
		r = add_card(host, options, gpu, inventory);
		if (r < 0)
			return r;
	}
	r = scan_amdgpu_ids(host, inventory);
	return r == 0 && options->pci_ids_names ? name_by_pci_ids(inventory) : r;
}
