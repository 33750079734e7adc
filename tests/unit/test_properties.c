/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds on every tree, tried on random ones: labels are legal, the order of the bus changes
 * nothing, neither does a function that is no GPU, and an inventory survives JSON.
 */
#include "rows.h"
#include "tree.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/devices.h"
#include "inventory/inventory_json.h"
#include "rules/rules.h"
#include "rules/validity.h"
#include "scan/host.h"
#include "scan/scan.h"

enum {
	N_TREES = 150,
	N_FUNCTIONS = 12,
};

/* A generator of our own, so that a tree's number is all that a failure needs to be repeated. */
static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static const char *pick(const char *const *words, uint32_t n)
{
	return words[random_below(n)];
}

struct random_row {
	struct gpu_row row;
	struct addr_text addr, physfn, vfs[4];
};

static void randomise(struct random_row *made, size_t i)
{
	static const char *const drivers[] = {
		NULL,
		NULL,
		"gim",
		"gim",
		"amdgpu",
		"vfio-pci",
		"vfio-pci",
		"xe-vfio-pci",
		"i915",
		"pci-stub",
		"my (own) vfio-pci",
		"x+y",
		"!broken",
		"snd_hda_intel",
		"a-driver-name-that-is-much-longer-than-any-label-value-may-ever-be-vfio-pci"};
	static const uint16_t ids[] = {0x74a1, 0x74b5, 0x7448, 0x56c0, 0x674c, 0x0001, 0xffff};
	static const uint16_t classes[] = {0x0300, 0x0302, 0x0380, 0x1200, 0x0403, 0x0604, 0x0200};
	static const uint16_t vendors[] = {0x1002, 0x1002, 0x1002, 0x8086, 0x8086, 0x10de};
	struct gpu_row *row = &made->row;

	*made = (struct random_row){0};
	made->addr = addr_text((struct addr){random_below(4) ? 0 : 0x10000, (uint8_t)i,
					     (uint8_t)random_below(32), (uint8_t)random_below(8)});
	row->addr = made->addr.text;
	row->vendor = vendors[random_below(ARRAY_SIZE(vendors))];
	row->device = ids[random_below(ARRAY_SIZE(ids))];
	row->pci_class = classes[random_below(ARRAY_SIZE(classes))];
	row->driver = pick(drivers, ARRAY_SIZE(drivers));
	row->group = (int)random_below(8) - 1;
	if (random_below(8) == 0)
		row->numvfs = random_below(2) ? "3\n" : "junk\n";
}

/* Some functions become VFs of others, with links on one side, the other, or both. */
static void relate(struct random_row *made)
{
	for (size_t i = 1; i < N_FUNCTIONS; i++) {
		struct random_row *pf = &made[random_below((uint32_t)i)];
		const size_t n = random_below(4);

		if (random_below(2))
			continue;
		made[i].physfn = pf->addr;
		if (random_below(8))
			made[i].row.physfn = made[i].physfn.text;
		pf->vfs[n] = random_below(8) ? made[i].addr : addr_text((struct addr){.bus = 0xfe});
	}
	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		size_t n = 0;

		for (size_t j = 0; j < ARRAY_SIZE(made[i].vfs); j++) {
			if (made[i].vfs[j].text[0])
				made[i].row.vfs[n++] = made[i].vfs[j].text;
		}
	}
}

static void scan_tree(const struct tree *tree, struct inventory *inventory)
{
	const struct scan_options options = {.devices = &devices_builtin};
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	struct err err;

	assert_int_equal(host_open(&host, tree->root, NULL, &err), 0);
	assert_int_equal(scan(&host, &options, inventory, &err), 0);
}

static char *labels_of(const struct inventory *inventory)
{
	const struct rule_options options = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	struct strbuf text = {0};
	struct err err;

	assert_int_equal(rules_apply(inventory, &options, &verdict, &err), 0);
	for (size_t i = 0; i < verdict.labels.n_items; i++) {
		const struct label *label = &verdict.labels.items[i];

		assert_true(validity_key(label->key));
		assert_true(validity_value(label->value));
		if (i > 0)
			assert_true(strcmp(verdict.labels.items[i - 1].key, label->key) < 0);
		strbuf_addf(&text, "%s=%s\n", label->key, label->value);
	}
	return strbuf_take(&text);
}

static void write_tree(struct tree *tree, const struct random_row *made, bool backwards)
{
	tree_open(tree);
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		tree_function(tree, &made[backwards ? N_FUNCTIONS - 1 - i : i].row);
	tree_file(tree, "8.1.0.K+x\n", "sys/module/gim/version");
}

static void shuffle(struct inventory *inventory)
{
	for (size_t i = inventory->n_gpus; i > 1; i--) {
		const size_t other = random_below((uint32_t)i);

		SWAP(inventory->gpus[i - 1], inventory->gpus[other]);
	}
	for (size_t i = inventory->n_others; i > 1; i--) {
		const size_t other = random_below((uint32_t)i);

		SWAP(inventory->others[i - 1], inventory->others[other]);
	}
}

static char *through_json(const struct inventory *inventory)
{
	CLEANUP(inventory_clear) struct inventory again = {0};
	auto_free char *json = inventory_to_json(inventory);
	struct err err;

	if (inventory_from_json(json, strlen(json), &again, &err))
		fail_msg("%s", err.text);
	return labels_of(&again);
}

static void check_tree(uint32_t number)
{
	static const struct gpu_row nic = {"ffff:ff:1f.7", 0x15b3, 0x1021, 0x0200, "mlx5_core", 99};
	struct random_row made[N_FUNCTIONS];
	CLEANUP(tree_close) struct tree tree, other_way;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(inventory_clear) struct inventory backwards = {0};
	CLEANUP(inventory_clear) struct inventory with_nic = {0};
	auto_free char *labels = NULL;
	char *same[4];

	random_state = number;
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		randomise(&made[i], i);
	relate(made);
	write_tree(&tree, made, false);
	write_tree(&other_way, made, true);
	scan_tree(&tree, &inventory);
	scan_tree(&other_way, &backwards);
	tree_function(&tree, &nic);
	scan_tree(&tree, &with_nic);
	labels = labels_of(&inventory);
	same[0] = labels_of(&backwards);
	same[1] = labels_of(&with_nic);
	same[2] = through_json(&inventory);
	shuffle(&inventory);
	inventory_sort(&inventory);
	same[3] = labels_of(&inventory);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		if (strcmp(labels, same[i]) != 0)
			fail_msg("tree %u, way %zu:\n%s\n%s", number, i, labels, same[i]);
		free(same[i]);
	}
}

static void random_trees_keep_the_properties(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= N_TREES; i++)
		check_tree(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_trees_keep_the_properties)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
