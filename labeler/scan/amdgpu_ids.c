/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/amdgpu_ids.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"
#include "scan/host.h"

#include <errno.h>
#include <string.h>

enum {
	FILE_MOST = 1024 * 1024, /* libdrm's is 20 KiB */
};

/* The name of a line for that id and revision, or NULL; cut out of the line. */
static char *name_of(char *line, int64_t device, int64_t revision)
{
	char *end;

	if (strtoll(line, &end, 16) != device || end == line || *end != ',')
		return NULL;
	line = end + 1;
	if (strtoll(line, &end, 16) != revision || end == line || *end != ',')
		return NULL;
	end++;
	end += strspn(end, " \t");
	return *end ? end : NULL;
}

static bool is_printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return !*text;
}

static int name_card(const char *names, int64_t device, struct card *card)
{
	auto_free char *copy = strdup(names);
	char *rest = copy;

	if (!copy)
		return -ENOMEM;
	for (char *line; (line = strsep(&rest, "\n"));) {
		const char *name = name_of(line, device, card->revision.number);

		if (!name || !is_printable(name))
			continue;
		card->marketing_name.text = strdup(name);
		if (!card->marketing_name.text)
			return -ENOMEM;
		card->marketing_name.state = FACT_KNOWN;
		break;
	}
	return 0;
}

static bool wants_name(const struct card *card)
{
	return !fact_known(&card->product_name) && fact_known(&card->revision);
}

int scan_amdgpu_ids(const struct host *host, struct inventory *inventory)
{
	auto_free char *names = NULL;
	bool is_read = false;

	for (size_t i = 0; i < inventory->n_cards; i++) {
		struct card *card = &inventory->cards[i];
		const struct function *gpu = inventory_gpu(inventory, card->addr);
		int r;

		if (!gpu || !fact_known(&gpu->device) || !wants_name(card))
			continue;
		if (!is_read &&
		    host_read_lines(host->root_fd, AMDGPU_IDS, FILE_MOST, &names) == -ENOMEM)
			return -ENOMEM;
		is_read = true;
		r = names ? name_card(names, gpu->device.number, card) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
