/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"
#include "rows.h"

#include "inventory/devices.h"

static const struct device rows[] = {
	{0x1002, 0x7448, DEVICE_PF, "AMD Radeon PRO W7900", NULL, NULL},
	{0x1002, 0x74a1, DEVICE_PF, "AMD Instinct MI300X", NULL, NULL},
	{0x8086, 0x56c0, DEVICE_PF, "Intel Flex 170", "Flex_170", "Flex_Series"},
	{0x8086, 0x674c, DEVICE_GPU, "Intel Crescent Island", NULL, NULL},
};
static const struct device_table table = {rows, ARRAY_SIZE(rows)};
static const struct device_table empty = {0};

static struct gpu_case {
	const char *name;
	uint16_t vendor, id, pci_class;
	bool is_gpu;
} gpu_cases[] = {
	{"an AMD VGA controller", 0x1002, 0x7448, 0x0300, true},
	{"an AMD 3D controller", 0x1002, 0x1234, 0x0302, true},
	{"an AMD display controller", 0x1002, 0x1234, 0x0380, true},
	{"an AMD accelerator", 0x1002, 0x74a1, 0x1200, true},
	{"AMD's HDMI audio is none", 0x1002, 0xab30, 0x0403, false},
	{"AMD's bridge is none", 0x1002, 0x1478, 0x0604, false},
	{"AMD's USB is none", 0x1002, 0x7446, 0x0c03, false},
	{"an Intel VGA controller", 0x8086, 0xe20b, 0x0300, true},
	{"an Intel display controller", 0x8086, 0x56c0, 0x0380, true},
	{"an Intel NPU is none", 0x8086, 0x7d1d, 0x1200, false},
	{"an Intel id of the table, whatever its class", 0x8086, 0x674c, 0x1200, true},
	{"an Intel id of the table that is a GPU by class alone", 0x8086, 0x56c0, 0x1200, false},
	{"another vendor's GPU is none of ours", 0x10de, 0x2330, 0x0302, false},
	{"an unassigned class is none", 0x8086, 0x1234, 0xff00, false},
};

static void check_gpu(void **state)
{
	const struct gpu_case *row = *state;

	assert_int_equal(devices_is_gpu(&table, row->vendor, row->id, row->pci_class), row->is_gpu);
}

static void devices_are_found_by_vendor_and_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_ptr_equal(devices_find(&table, rows[i].vendor, rows[i].id), &rows[i]);
	assert_null(devices_find(&table, 0x8086, 0x74a1));
	assert_null(devices_find(&empty, 0x8086, 0x56c0));
	assert_true(devices_vendor_has_gpus(0x1002));
	assert_false(devices_vendor_has_gpus(0x10de));
}

static void the_built_in_table_is_sorted_and_has_the_cards(void **state)
{
	const struct device *mi300x = devices_find(&devices_builtin, 0x1002, 0x74a1);

	(void)state;
	for (size_t i = 1; i < devices_builtin.n_rows; i++)
		assert_true(devices_compare(&devices_builtin.rows[i - 1],
					    &devices_builtin.rows[i]) < 0);
	assert_non_null(mi300x);
	assert_string_equal(mi300x->name, "AMD Instinct MI300X");
	assert_true(devices_is_gpu(&devices_builtin, 0x8086, 0x674c, 0x1200));
}

static void functions_are_sorted_and_found(void **state)
{
	static const struct gpu_row gpus[] = {
		{"10000:e1:00.0", 0x1002, 0x74a1, 0x1200, "vfio-pci", 3},
		{"0000:c1:00.0", 0x1002, 0x74a1, 0x1200, NULL, 1},
		{"0000:05:00.0", 0x1002, 0x74a1, 0x1200, "!why", -1, .vfs = {"0000:05:02.0"}},
	};
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	const struct addr addr = make_addr("0000:c1:00.0");

	(void)state;
	assert_null(inventory_gpu(&inventory, addr));
	assert_null(inventory_module(&inventory, "gim"));
	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		make_gpu(&inventory, &gpus[i]);
	make_other(&inventory, &gpus[1]);
	make_other(&inventory, &gpus[2]);
	make_module(&inventory, "gim", "8", NULL);
	make_module(&inventory, "amdgpu", NULL, NULL);
	assert_int_equal(inventory_add_problem(&inventory, &addr, "b\033\x7f"), 0);
	assert_int_equal(inventory_add_problem(&inventory, NULL, "a"), 0);
	inventory_sort(&inventory);
	assert_string_equal(addr_text(inventory.gpus[0].addr).text, "0000:05:00.0");
	assert_string_equal(addr_text(inventory.gpus[2].addr).text, "10000:e1:00.0");
	assert_string_equal(addr_text(inventory.others[0].addr).text, "0000:05:00.0");
	assert_string_equal(inventory.modules[0].name, "amdgpu");
	assert_string_equal(inventory.problems[0].text, "a");
	assert_string_equal(inventory.problems[1].text, "b??");
	assert_true(inventory.problems[1].has_addr);
	assert_ptr_equal(inventory_gpu(&inventory, addr), &inventory.gpus[1]);
	assert_null(inventory_gpu(&inventory, make_addr("0000:c1:00.1")));
	assert_string_equal(inventory_module(&inventory, "gim")->version.text, "8");
	assert_true(fact_is(&inventory.gpus[2].driver, "vfio-pci"));
	assert_false(fact_is(&inventory.gpus[2].driver, "gim"));
	assert_false(fact_is(&inventory.gpus[0].driver, "why"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_found_by_vendor_and_id),
		cmocka_unit_test(the_built_in_table_is_sorted_and_has_the_cards),
		cmocka_unit_test(functions_are_sorted_and_found),
	};

	return RUN_ROWS(gpu_cases, check_gpu) + cmocka_run_group_tests(tests, NULL, NULL);
}
