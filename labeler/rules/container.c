/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/container.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"
#include "rules/count.h"
#include "rules/family.h"
#include "rules/kinds.h"
#include "rules/possible.h"
#include "rules/rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct label_value number_value(int64_t number, const char *unit)
{
	struct label_value value;

	(void)snprintf(value.text, sizeof(value.text), "%" PRId64 "%s", number, unit);
	return value;
}

static const struct label_value unknown;

/* ---- which node of KFD is which function ---- */

static bool has_minor(const struct card *card, const struct kfd_node *node)
{
	return fact_known(&card->render_minor) && fact_known(&node->render_minor) &&
	       card->render_minor.number == node->render_minor.number;
}

/* Where the node says that its function is. The last 3 bits are the function, or the partition. */
static bool is_at(struct addr addr, const struct kfd_node *node, bool exactly)
{
	const uint32_t location = (uint32_t)node->location_id.number;
	const struct addr at = {
		.domain = fact_known(&node->domain) ? (uint32_t)node->domain.number : 0,
		.bus = (uint8_t)(location >> 8),
		.slot = (uint8_t)(location >> 3 & 0x1f),
		.function = exactly ? (uint8_t)(location & 7) : addr.function,
	};

	return fact_known(&node->location_id) && addr_compare(addr, at) == 0;
}

static size_t index_of(const struct inventory *inventory, const struct card *card)
{
	const struct function *gpu = inventory_gpu(inventory, card->addr);

	return gpu ? (size_t)(gpu - inventory->gpus) : SIZE_MAX;
}

size_t container_gpu_of(const struct inventory *inventory, const struct kfd_node *node)
{
	for (size_t i = 0; i < inventory->n_cards; i++) {
		if (has_minor(&inventory->cards[i], node))
			return index_of(inventory, &inventory->cards[i]);
	}
	/* A partition but the first has a render node of its own, which is no PCI function's. */
	for (int exactly = 1; exactly >= 0; exactly--) {
		for (size_t i = 0; i < inventory->n_cards; i++) {
			if (is_at(inventory->cards[i].addr, node, exactly))
				return index_of(inventory, &inventory->cards[i]);
		}
	}
	return SIZE_MAX;
}

/* ---- of a card ---- */

struct label_value container_product_name(const struct view *view, const struct function *gpu)
{
	const struct card *card = inventory_card(view->inventory, gpu->addr);
	const struct fact *name = card && fact_known(&card->product_name) ? &card->product_name
				  : card                                  ? &card->marketing_name
									  : NULL;
	char text[4096];
	size_t len = 0;

	if (!name || !fact_known(name))
		return unknown;
	for (const char *c = name->text; *c && len < sizeof(text) - 1; c++) {
		if (*c != '(' && *c != ')')
			text[len++] = *c;
		if (*c == ' ')
			text[len - 1] = '_';
	}
	text[len] = '\0';
	return validity_clean(text);
}

struct label_value container_family(const struct view *view, const struct function *gpu)
{
	const struct inventory *inventory = view->inventory;

	for (size_t i = 0; i < inventory->n_kfd; i++) {
		const struct kfd_node *node = &inventory->kfd[i];
		const size_t owner = container_gpu_of(inventory, node);
		const char *name = fact_known(&node->gfx_target_version)
					   ? family_name(node->gfx_target_version.number)
					   : NULL;

		if (owner < inventory->n_gpus && &inventory->gpus[owner] == gpu && name)
			return validity_clean(name);
	}
	return unknown;
}

/* ---- of a node of KFD ---- */

/* To MiB, then to GiB, rounded half up: as the reference does. */
static struct label_value gibibytes(int64_t bytes)
{
	const int64_t mebibytes = bytes >> 20;

	return number_value((mebibytes + 512) / 1024, "G");
}

/* One partition is all of the card: its memory is, too. */
static bool is_whole(const struct card *card)
{
	return card->compute_partition.state == FACT_ABSENT ||
	       fact_is(&card->compute_partition, "SPX");
}

struct label_value container_vram(const struct card *card, const struct kfd_node *node)
{
	if (node && fact_known(&node->vram))
		return gibibytes(node->vram.number);
	if (card && fact_known(&card->vram) && is_whole(card))
		return gibibytes(card->vram.number);
	return unknown;
}

struct label_value container_simd_count(const struct card *card, const struct kfd_node *node)
{
	(void)card;
	return node && fact_known(&node->simd_count) ? number_value(node->simd_count.number, "")
						     : unknown;
}

struct label_value container_cu_count(const struct card *card, const struct kfd_node *node)
{
	(void)card;
	if (!node || !fact_known(&node->simd_count) || !fact_known(&node->simd_per_cu) ||
	    node->simd_per_cu.number == 0)
		return unknown;
	return number_value(node->simd_count.number / node->simd_per_cu.number, "");
}

/* ---- of the machine ---- */

static const struct card *card_of(const struct view *view, size_t i)
{
	return inventory_card(view->inventory, view->inventory->gpus[view->gpus->items[i]].addr);
}

/* What a card has at that place; NULL where the function has no card. */
static const struct fact *fact_of(const struct view *view, size_t i, size_t field)
{
	const struct card *card = card_of(view, i);

	return card ? (const struct fact *)(const void *)((const char *)card + field) : NULL;
}

/* "SPX" and "NPS1" to spx_nps1. Some kernels say UNKNOWN of what they won't tell. */
static struct label_value partition_of(const struct card *card)
{
	char text[128];

	if (!card || !fact_known(&card->compute_partition) ||
	    !fact_known(&card->memory_partition) || fact_is(&card->compute_partition, "UNKNOWN") ||
	    fact_is(&card->memory_partition, "UNKNOWN"))
		return unknown;
	(void)snprintf(text, sizeof(text), "%.60s_%.60s", card->compute_partition.text,
		       card->memory_partition.text);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return validity_clean(text);
}

struct label_value container_partition(const struct view *view, struct notes *notes)
{
	const struct label_value first = partition_of(card_of(view, 0));

	for (size_t i = 1; i < view->gpus->n_items; i++) {
		if (strcmp(partition_of(card_of(view, i)).text, first.text) == 0)
			continue;
		notes_add(notes, NOTE_INFO,
			  "the GPUs are not all partitioned alike: no compute-memory-partition");
		return unknown;
	}
	return first;
}

/* Whether the attribute is there; field is its place in a card. */
static struct label_value supported(const struct view *view, size_t field, const char *kind,
				    struct notes *notes)
{
	size_t have = 0;

	for (size_t i = 0; i < view->gpus->n_items; i++) {
		const struct fact *fact = fact_of(view, i, field);

		if (!fact)
			return unknown;
		have += fact->state != FACT_ABSENT;
	}
	if (have != 0 && have != view->gpus->n_items) {
		notes_add(notes, NOTE_INFO,
			  "some of the GPUs can be partitioned, some can't: no %s", kind);
		return unknown;
	}
	return validity_clean(have ? "true" : "false");
}

struct label_value container_compute_partitioning(const struct view *view, struct notes *notes)
{
	return supported(view, offsetof(struct card, compute_partitions),
			 "compute-partitioning-supported", notes);
}

struct label_value container_memory_partitioning(const struct view *view, struct notes *notes)
{
	return supported(view, offsetof(struct card, memory_partitions),
			 "memory-partitioning-supported", notes);
}

/* A block of the firmware, and where the cards have it. */
#define FIRMWARE(i) offsetof(struct card, firmware) + (i) * sizeof(struct fact)
#define FEATURES(i) offsetof(struct card, features) + (i) * sizeof(struct fact)
#define FW_RULE(name)                                                                              \
	{                                                                                          \
		"version of the card's firmware", "driver card/firmware_" name,                    \
			"amdgpu must show fw_version/" name "_fw_version other than 0"             \
	}
#define FEAT_RULE(name)                                                                            \
	{                                                                                          \
		"feature version of the card's firmware, by libdrm",                               \
			"driver card/render_minor card/feature_" name,                             \
			"the program must be able to open the card's render node in /dev/dri"      \
	}
#define BLOCK(i, name)                                                                             \
	{i, "fw", FIRMWARE(i), FW_RULE(name)},                                                     \
	{                                                                                          \
		i, "feat", FEATURES(i), FEAT_RULE(name)                                            \
	}

static const struct firmware_kind {
	size_t block; /* in inventory_firmware_names */
	const char *what;
	size_t field; /* in struct card */
	struct rule rule;
} firmware_kinds[] = {
	BLOCK(0, "vce"), BLOCK(1, "uvd"), BLOCK(2, "mc"),  BLOCK(3, "me"),  BLOCK(4, "pfp"),
	BLOCK(5, "ce"),  BLOCK(6, "rlc"), BLOCK(7, "mec"), BLOCK(8, "smc"), BLOCK(9, "sdma0"),
};
_Static_assert(ARRAY_SIZE(firmware_kinds) == (size_t)2 * N_FIRMWARE, "each block twice");

static void put_firmware(const struct view *view, const struct firmware_kind *kind,
			 struct verdict *verdict)
{
	CLEANUP(tally_clear) struct tally tally = {0};

	for (size_t i = 0; i < view->gpus->n_items; i++) {
		const struct fact *version = fact_of(view, i, kind->field);

		if (version && fact_known(version))
			tally_add(&tally, number_value(version->number, ""), view->gpus->items[i]);
	}
	verdict->labels.failed |= tally.failed;
	for (size_t i = 0; i < tally.n_rows; i++) {
		const struct origin origin = {&kind->rule, &tally.rows[i].gpus};

		kinds_put(verdict, origin, count_text(tally.rows[i].count).text,
			  UNDER_BETA "firmware.%s.%s.%s", inventory_firmware_names[kind->block],
			  kind->what, tally.rows[i].value.text);
	}
}

void container_firmware(const struct view *view, struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(firmware_kinds); i++)
		put_firmware(view, &firmware_kinds[i], verdict);
}

void container_firmware_possible(struct possible row, struct possibles *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(firmware_kinds); i++) {
		const struct firmware_kind *kind = &firmware_kinds[i];

		row.rule = &kind->rule;
		possibles_add(out, row, UNDER_BETA "firmware.%s.%s.*",
			      inventory_firmware_names[kind->block], kind->what);
	}
}
