/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "inventory/inventory_json.h"

#include <errno.h>

#define GPU_OPEN                                                                                   \
	"{\"address\": \"0000:05:00.0\", \"vendor\": \"1002\", \"device\": \"74a1\", "             \
	"\"class\": \"1200\", \"vfs\": []"
#define WITH(gpus)                                                                                 \
	"{\"format\": 1, \"kernel\": null, \"gpus\": [" gpus "], \"others\": [], "                 \
	"\"modules\": [], \"problems\": []}"

static void what_is_written_reads_back_the_same(void **state)
{
	static const struct gpu_row gpus[] = {
		{"0000:05:00.0", 0x1002, 0x74a1, 0x1200, "gim", 7, .numvfs = "2",
		 .vfs = {"0000:05:02.0", "0000:05:02.1"}},
		{"0000:05:02.0", 0x1002, 0x74b5, 0x1200, NULL, 8, "0000:05:00.0"},
		{"10000:e1:00.0", 0x1002, 0x74a1, 0x1200, "!driver: is no link", -1,
		 "!physfn: is no link", .numvfs = "!sriov_numvfs: is empty",
		 .vf_links = "!virtfn0: is no link"},
	};
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(inventory_clear) struct inventory again = {0};
	auto_free char *first = NULL;
	auto_free char *second = NULL;
	const struct addr addr = make_addr("0000:06:00.0");
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		make_gpu(&inventory, &gpus[i]);
	make_other(&inventory, &gpus[1]);
	make_module(&inventory, "gim", "8.1.0.K", "!srcversion: is empty");
	inventory.modules[0].version_of_file = true;
	inventory.kernel = make_text("6.1.0");
	inventory.gpus[0].vf_device = (struct fact){.state = FACT_KNOWN, .number = 0x74b5};
	inventory.gpus[0].numa_node = make_number("-1");
	inventory.gpus[0].totalvfs = make_number("0");
	assert_int_equal(inventory_add_problem(&inventory, &addr, "0000:06:00.0: gone"), 0);
	assert_int_equal(inventory_add_problem(&inventory, NULL, "junk"), 0);
	inventory_sort(&inventory);
	first = inventory_to_json(&inventory);
	if (inventory_from_json(first, strlen(first), &again, &err))
		fail_msg("%s", err.text);
	second = inventory_to_json(&again);
	assert_string_equal(first, second);
	assert_int_equal(again.gpus[0].totalvfs.state, FACT_KNOWN);
	assert_int_equal(again.gpus[1].totalvfs.state, FACT_ABSENT);
	assert_int_equal(again.gpus[2].numvfs.state, FACT_FAILED);
	assert_string_equal(again.gpus[2].numvfs.text, "sriov_numvfs: is empty");
	assert_int_equal(again.gpus[0].n_vfs, 2);
	assert_int_equal(addr_compare(again.gpus[1].physfn.addr, again.gpus[0].addr), 0);
}

static struct bad_row {
	const char *name, *text, *says;
} bad_rows[] = {
	{"nothing", "", "ends in the middle"},
	{"half a file", "{\"format\": 1, \"gpus\": [", "ends in the middle"},
	{"no JSON", "root:x:0:0\n", "line 1"},
	{"no JSON in line 3", "{\n\"format\":\n1x", "line 3"},
	{"more behind it", WITH("") "\n\n{}", "line 3"},
	{"a list", "[]", "not a JSON object"},
	{"null", "null ", "not a JSON object"},
	{"a number", "1", "is no"},
	{"no format", "{}", "format"},
	{"another format", "{\"format\": 2}", "format"},
	{"the format as text", "{\"format\": \"1\"}", "format"},
	{"an unknown field at the top", "{\"format\": 1, \"gpu\": []}", "gpu: is no field"},
	{"lists missing", "{\"format\": 1}", "gpus: is no list"},
	{"gpus no list", "{\"format\": 1, \"gpus\": {}}", "gpus: is no list"},
	{"a GPU that is no object", WITH("1"), "gpus[0]: is no object"},
	{"a GPU without address", WITH("{}"), "gpus[0]: address"},
	{"a bad address", WITH("{\"address\": \"05:00.0\"}"),
	 "gpus[0]: address: is no PCI address"},
	{"a vendor that is a number", WITH("{\"address\": \"0000:05:00.0\", \"vendor\": 4098}"),
	 "vendor: is no text of four"},
	{"a vendor with 0x", WITH("{\"address\": \"0000:05:00.0\", \"vendor\": \"0x10\"}"),
	 "vendor: is no text of four"},
	{"an unknown field of a GPU", WITH(GPU_OPEN ", \"iommu_grp\": 7}"),
	 "iommu_grp: is no field"},
	{"a driver that is a number", WITH(GPU_OPEN ", \"driver\": 7}"), "driver: is no text"},
	{"an empty driver", WITH(GPU_OPEN ", \"driver\": \"\"}"), "driver: is no text"},
	{"a driver with an escape", WITH(GPU_OPEN ", \"driver\": \"\\u001b[2J\"}"),
	 "driver: holds what"},
	{"a driver with a NUL", WITH(GPU_OPEN ", \"driver\": \"a\\u0000b\"}"),
	 "driver: is no text"},
	{"a group that is text", WITH(GPU_OPEN ", \"iommu_group\": \"7\"}"),
	 "iommu_group: is no number"},
	{"a group below 0", WITH(GPU_OPEN ", \"iommu_group\": -1}"), "iommu_group: is no number"},
	{"a group beyond all", WITH(GPU_OPEN ", \"iommu_group\": 99999999999999999999}"), "number"},
	{"a group that is a fraction", WITH(GPU_OPEN ", \"iommu_group\": 1.5}"),
	 "iommu_group: is no number"},
	{"an unknown of the wrong kind", WITH(GPU_OPEN ", \"numvfs\": {\"unknown\": 1}}"),
	 "numvfs: is no text"},
	{"an unknown without reason", WITH(GPU_OPEN ", \"numvfs\": {}}"), "numvfs: is no text"},
	{"an unknown of another name", WITH(GPU_OPEN ", \"numvfs\": {\"why\": \"x\"}}"),
	 "why: is no field"},
	{"vfs no list",
	 WITH("{\"address\": \"0000:05:00.0\", \"vendor\": \"1002\", \"device\": \"74a1\", "
	      "\"class\": \"1200\", \"vfs\": 1}"),
	 "vfs: is no list"},
	{"a VF of no address",
	 WITH("{\"address\": \"0000:05:00.0\", \"vendor\": \"1002\", \"device\": \"74a1\", "
	      "\"class\": \"1200\", \"vfs\": [1]}"),
	 "vfs: is no PCI address"},
	{"a GPU twice", WITH(GPU_OPEN "}, " GPU_OPEN "}"), "0000:05:00.0 stands there twice"},
	{"too deep", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "is no JSON"},
	{"a module without version_of_file",
	 "{\"format\": 1, \"gpus\": [], \"others\": [], \"modules\": [{\"name\": \"gim\"}], "
	 "\"problems\": []}",
	 "modules[0]: version_of_file"},
	{"a problem without text",
	 "{\"format\": 1, \"gpus\": [], \"others\": [], \"modules\": [], \"problems\": [{}]}",
	 "problems[0]: text"},
	{"a problem of no address",
	 "{\"format\": 1, \"gpus\": [], \"others\": [], \"modules\": [], \"problems\": [{\"text\": "
	 "\"x\", \"address\": 1}]}",
	 "problems[0]: address"},
	{"a problem that is text",
	 "{\"format\": 1, \"gpus\": [], \"others\": [], \"modules\": [], \"problems\": [\"x\"]}",
	 "problems[0]: is no object"},
	{"an other twice",
	 "{\"format\": 1, \"gpus\": [], \"modules\": [], \"problems\": [], \"others\": [" GPU_OPEN
	 "}, " GPU_OPEN "}]}",
	 "twice"},
};

static void check_bad(void **state)
{
	const struct bad_row *row = *state;
	struct inventory inventory = {0};
	struct err err;
	const int r = inventory_from_json(row->text, strlen(row->text), &inventory, &err);

	assert_int_equal(r, -EINVAL);
	if (!strstr(err.text, row->says))
		fail_msg("%s", err.text);
	assert_null(inventory.gpus);
}

static void sizes_beyond_reason_are_refused(void **state)
{
	const size_t len = INVENTORY_JSON_MAX + 1;
	auto_free char *blanks = malloc(len);
	size_t used;
	struct inventory inventory = {0};
	struct err err;

	(void)state;
	memset(blanks, ' ', len);
	assert_int_equal(inventory_from_json(blanks, len, &inventory, &err), -EFBIG);
	used = (size_t)snprintf(blanks, len, "{\"format\": 1, \"gpus\": [1");
	for (size_t i = 0; i < INVENTORY_JSON_ITEMS; i++, used += 2)
		memcpy(blanks + used, ",1", 3);
	memcpy(blanks + used, "]}", 3);
	assert_int_equal(inventory_from_json(blanks, used + 2, &inventory, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(sizes_beyond_reason_are_refused),
	};

	return RUN_ROWS(bad_rows, check_bad) + cmocka_run_group_tests(tests, NULL, NULL);
}
