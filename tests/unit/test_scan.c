/* SPDX-License-Identifier: Apache-2.0 */
/* The scan on small trees: each way in which a file of the host can be wrong. */
#include "rows.h"
#include "tree.h"

#include "base/err.h"
#include "inventory/devices.h"
#include "scan/host.h"
#include "scan/kmod.h"
#include "scan/scan.h"

#include <unistd.h>

#define GPU "0000:05:00.0"
#define NEXT "0000:06:00.0"

static int scan_tree(const struct tree *tree, struct inventory *inventory, struct err *err)
{
	const struct scan_options options = {.devices = &devices_builtin,
					     .module_file_version = scan_kmod_version};
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	const int r = host_open(&host, tree->root, NULL, err);

	return r < 0 ? r : scan(&host, &options, inventory, err);
}

static bool tells(const struct inventory *inventory, const char *text)
{
	for (size_t i = 0; i < inventory->n_problems; i++) {
		if (strstr(inventory->problems[i].text, text))
			return true;
	}
	return false;
}

/* One file of a healthy GPU replaced: the GPU is left out, its neighbour is not. */
static struct file_row {
	const char *name, *file, *text;
	const char *says; /* NULL: nothing is wrong */
	bool stays;       /* the function is left, without its device id */
} file_rows[] = {
	{"healthy", "vendor", "0x1002\n", NULL},
	{"no newline", "vendor", "0x1002", NULL},
	{"upper case", "device", "0x74A1\n", NULL},
	{"vendor empty", "vendor", "", "vendor: is empty"},
	{"vendor cut to 0x", "vendor", "0x\n", "vendor holds \"0x\""},
	{"vendor cut to a digit", "vendor", "0x1\n", "vendor holds \"0x1\""},
	{"vendor binary", "vendor",
	 "\x7f"
	 "ELF\x02\x01",
	 "vendor: holds bytes"},
	{"vendor a word", "vendor", "amd\n", "vendor holds \"amd\""},
	{"device empty", "device", "", "device: is empty", true},
	{"device cut to 0x", "device", "0x\n", "device holds \"0x\"", true},
	{"device cut to two digits", "device", "0x74\n", "device holds \"0x74\"", true},
	{"device cut to three digits", "device", "0x74a\n", "device holds \"0x74a\"", true},
	{"class empty", "class", "", "class: is empty"},
	{"class cut to 0x", "class", "0x\n", "class holds \"0x\""},
	{"class cut to four digits", "class", "0x1200\n", "class holds \"0x1200\""},
	{"class a word", "class", "gpu\n", "class holds \"gpu\""},
};

static void check_file(void **state)
{
	const struct file_row *row = *state;
	static const struct gpu_row gpu = {GPU, 0x1002, 0x74a1, 0x1200, "vfio-pci", 7};
	static const struct gpu_row next = {NEXT, 0x1002, 0x74a1, 0x1200, "vfio-pci", 8};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	tree_open(&tree);
	tree_function(&tree, &gpu);
	tree_function(&tree, &next);
	tree_file(&tree, row->text, TREE_DEVICES "/" GPU "/%s", row->file);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, row->says && !row->stays ? 1 : 2);
	assert_int_equal(inventory.n_problems, row->says && !row->stays ? 1 : 0);
	if (row->stays) {
		assert_int_equal(inventory.gpus[0].device.state, FACT_FAILED);
		if (!strstr(inventory.gpus[0].device.text, row->says))
			fail_msg("%s", inventory.gpus[0].device.text);
	} else if (row->says) {
		assert_true(inventory.problems[0].has_addr);
		assert_true(tells(&inventory, GPU));
		if (!tells(&inventory, row->says))
			fail_msg("%s", inventory.problems[0].text);
	}
}

/* A fact that cannot be read is failed, with the reason, and the function stays. */
static struct fact_row {
	const char *name;
	const char *file, *text;   /* a file in the place of what belongs there */
	const char *link, *target; /* or a link */
	size_t fact;
	enum fact_state state;
	const char *says; /* of a failed fact, or the text of a known driver */
} fact_rows[] = {
	{"no driver", NULL, NULL, NULL, NULL, offsetof(struct function, driver), FACT_ABSENT, NULL},
	{"a driver whose directory is not there", NULL, NULL, "driver",
	 "../../../bus/pci/drivers/gim", offsetof(struct function, driver), FACT_KNOWN, "gim"},
	{"a driver link that loops", NULL, NULL, "driver", "driver",
	 offsetof(struct function, driver), FACT_FAILED, "driver: points to a place"},
	{"a driver link to another place", NULL, NULL, "driver", "../../mydrivers/gim",
	 offsetof(struct function, driver), FACT_FAILED, "points to a place"},
	{"a driver link to the directory of drivers", NULL, NULL, "driver", "../../drivers/",
	 offsetof(struct function, driver), FACT_FAILED, "is empty"},
	{"a driver that is a file", "driver", "gim", NULL, NULL, offsetof(struct function, driver),
	 FACT_FAILED, "driver: is no link"},
	{"a driver with an escape in its name", NULL, NULL, "driver", "../../drivers/g\033[2Jm",
	 offsetof(struct function, driver), FACT_FAILED, "holds bytes"},
	{"a relative driver link of one step", NULL, NULL, "driver", "drivers/gim",
	 offsetof(struct function, driver), FACT_KNOWN, "gim"},
	{"a group that loops", NULL, NULL, "iommu_group", "iommu_group",
	 offsetof(struct function, iommu_group), FACT_FAILED, "points to a place"},
	{"a group that is no number", NULL, NULL, "iommu_group", "../../kernel/iommu_groups/seven",
	 offsetof(struct function, iommu_group), FACT_FAILED, "\"seven\""},
	{"a group that is no number to its end", NULL, NULL, "iommu_group",
	 "../../kernel/iommu_groups/7x", offsetof(struct function, iommu_group), FACT_FAILED,
	 "\"7x\""},
	{"a negative group", NULL, NULL, "iommu_group", "../../kernel/iommu_groups/-7",
	 offsetof(struct function, iommu_group), FACT_FAILED, "\"-7\""},
	{"a group that is too large", NULL, NULL, "iommu_group",
	 "../../kernel/iommu_groups/99999999999", offsetof(struct function, iommu_group),
	 FACT_FAILED, "is no such number"},
	{"a physfn that loops", NULL, NULL, "physfn", "physfn", offsetof(struct function, physfn),
	 FACT_FAILED, "names no PCI address"},
	{"a physfn that is a directory of no address", NULL, NULL, "physfn", "../power",
	 offsetof(struct function, physfn), FACT_FAILED, "\"power\""},
	{"numvfs that is no number", "sriov_numvfs", "many\n", NULL, NULL,
	 offsetof(struct function, numvfs), FACT_FAILED, "\"many\""},
	{"numvfs empty", "sriov_numvfs", "", NULL, NULL, offsetof(struct function, numvfs),
	 FACT_FAILED, "is empty"},
	{"numvfs with a sign", "sriov_numvfs", "+8\n", NULL, NULL,
	 offsetof(struct function, numvfs), FACT_FAILED, "is no such number"},
	{"numvfs of 0 is a number", "sriov_numvfs", "0\n", NULL, NULL,
	 offsetof(struct function, numvfs), FACT_KNOWN, NULL},
	{"a vf_device without 0x", "sriov_vf_device", "74b5\n", NULL, NULL,
	 offsetof(struct function, vf_device), FACT_KNOWN, NULL},
	{"a vf_device beyond 16 bits", "sriov_vf_device", "174b5\n", NULL, NULL,
	 offsetof(struct function, vf_device), FACT_FAILED, "is no such number"},
	{"a virtfn that loops", NULL, NULL, "virtfn0", "virtfn0",
	 offsetof(struct function, vf_links), FACT_FAILED, "virtfn0: names no PCI address"},
	{"a virtfn that is a file", "virtfn3", "x", NULL, NULL, offsetof(struct function, vf_links),
	 FACT_FAILED, "virtfn3: is no link"},
};

static void check_fact(void **state)
{
	const struct fact_row *row = *state;
	static const struct gpu_row amd = {GPU, 0x1002, 0x74a1, 0x1200};
	static const struct gpu_row intel = {GPU, 0x8086, 0x56c0, 0x0380, "vfio-pci", 7};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	const struct fact *fact;
	struct err err;

	tree_open(&tree);
	/* sriov_numvfs is read of an Intel PF on vfio alone. */
	tree_function(&tree, row->fact == offsetof(struct function, numvfs) ? &intel : &amd);
	if (row->file)
		tree_file(&tree, row->text, TREE_DEVICES "/" GPU "/%s", row->file);
	if (row->link)
		tree_link(&tree, row->target, TREE_DEVICES "/" GPU "/%s", row->link);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 1);
	fact = (const struct fact *)((const char *)&inventory.gpus[0] + row->fact);
	assert_int_equal(fact->state, row->state);
	if (row->says && !strstr(fact->text, row->says))
		fail_msg("%s", fact->text);
	assert_int_equal(inventory.gpus[0].numa_node.number, -1);
}

static void a_long_attribute_is_told_and_not_read_on(void **state)
{
	static const struct gpu_row gpu = {GPU, 0x1002, 0x74a1, 0x1200};
	static const struct gpu_row next = {NEXT, 0x1002, 0x74a1, 0x1200};
	auto_free char *long_text = malloc(10000001);
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	memset(long_text, '7', 10000000);
	long_text[10000000] = '\0';
	tree_open(&tree);
	tree_function(&tree, &gpu);
	tree_function(&tree, &next);
	tree_file(&tree, long_text, TREE_DEVICES "/" GPU "/vendor");
	tree_file(&tree, long_text, TREE_DEVICES "/" NEXT "/sriov_totalvfs");
	tree_file(&tree, long_text, "sys/module/amdgpu/version");
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 1);
	assert_true(tells(&inventory, GPU ": "));
	assert_non_null(strstr(inventory.gpus[0].totalvfs.text, "is longer than a page"));
}

/* The kernel holds a reader of it for a second while VFs go: an AMD PF's is never read. */
static void sriov_numvfs_is_read_only_where_it_must_be(void **state)
{
	static const struct gpu_row rows[] = {
		{GPU, 0x1002, 0x74a1, 0x1200, "gim", 7, .numvfs = "8\n"},
		{"0000:06:00.0", 0x8086, 0x56c0, 0x0380, "i915", 8, .numvfs = "8\n"},
		{"0000:07:00.0", 0x8086, 0x56c0, 0x0380, "vfio-pci", 9, .numvfs = "8\n"},
		{"0000:08:00.0", 0x8086, 0x56c0, 0x0380, "vfio-pci", 10, .numvfs = "8\n",
		 .vfs = {"0000:08:00.1"}},
	};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	tree_open(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tree_function(&tree, &rows[i]);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(inventory.gpus[i].numvfs.state, i == 2 ? FACT_KNOWN : FACT_ABSENT);
}

static void junk_on_the_bus_costs_nothing_else(void **state)
{
	static const struct gpu_row gpu = {"10000:e1:00.0", 0x1002, 0x74a1, 0x1200, "vfio-pci", 7};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	tree_open(&tree);
	tree_function(&tree, &gpu);
	tree_dir(&tree, TREE_DEVICES "/0000:05:00");
	tree_dir(&tree, TREE_DEVICES "/junk \033[2J");
	tree_link(&tree, "../../nowhere", TREE_DEVICES "/0000:07:00.0");
	tree_link(&tree, "0000:08:00.0", TREE_DEVICES "/0000:08:00.0");
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 1);
	assert_int_equal(inventory.gpus[0].addr.domain, 0x10000);
	assert_int_equal(inventory.n_problems, 4);
	assert_true(tells(&inventory, "0000:05:00: no PCI address"));
	assert_true(tells(&inventory, "0000:07:00.0: "));
	assert_true(tells(&inventory, "0000:08:00.0: "));
	for (size_t i = 0; i < inventory.n_problems; i++)
		assert_null(strchr(inventory.problems[i].text, '\033'));
}

static void a_fifo_does_not_hold_the_scan(void **state)
{
	static const struct gpu_row gpu = {GPU, 0x1002, 0x74a1, 0x1200};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	auto_free char *path = NULL;
	struct err err;

	(void)state;
	tree_open(&tree);
	tree_function(&tree, &gpu);
	if (asprintf(&path, "%s/" TREE_DEVICES "/" GPU "/sriov_totalvfs", tree.root) < 0 ||
	    mkfifo(path, 0644) < 0)
		abort();
	alarm(60);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	alarm(0);
	assert_non_null(strstr(inventory.gpus[0].totalvfs.text, "is empty"));
}

static void neighbours_in_a_group_are_kept_and_no_others(void **state)
{
	static const struct gpu_row rows[] = {
		{GPU, 0x1002, 0x7448, 0x0300, "vfio-pci", 7},
		{"0000:05:00.1", 0x1002, 0xab30, 0x0403, "snd_hda_intel", 7},
		{"0000:05:00.2", 0x10de, 0x1234, 0x0c03, "xhci_hcd", 7},
		{"0000:01:00.0", 0x8086, 0x1234, 0x0200, "e1000e", 9},
		{"0000:02:00.0", 0x1002, 0xab30, 0x0403, "gim", 0},
		{"0000:03:00.0", 0x144d, 0xa80a, 0x0108, "nvme", 0},
	};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	tree_open(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tree_function(&tree, &rows[i]);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 1);
	assert_int_equal(inventory.n_others, 3);
	assert_string_equal(addr_text(inventory.others[0].addr).text, "0000:02:00.0");
	assert_string_equal(inventory.others[1].driver.text, "snd_hda_intel");
	assert_int_equal(inventory.others[2].pci_class, 0x0c03);
}

static void no_bus_is_an_error_that_says_where(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	tree_open(&tree);
	assert_true(scan_tree(&tree, &inventory, &err) < 0);
	assert_non_null(strstr(err.text, tree.root));
	tree_dir(&tree, "sys/bus");
	assert_true(scan_tree(&tree, &inventory, &err) < 0);
	assert_non_null(strstr(err.text, "sys/bus/pci/devices"));
	tree_dir(&tree, TREE_DEVICES);
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 0);
}

static int count_fds(void)
{
	DIR *list = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(list))
		n++;
	(void)closedir(list);
	return n;
}

static void a_hundred_bad_scans_leak_no_descriptor(void **state)
{
	static const struct gpu_row gpu = {GPU, 0x1002, 0x74a1, 0x1200};
	CLEANUP(tree_close) struct tree tree;
	const int before = count_fds();
	struct err err;

	(void)state;
	tree_open(&tree);
	tree_function(&tree, &gpu);
	tree_dir(&tree, TREE_DEVICES "/0000:07:00.0");
	tree_dir(&tree, TREE_DEVICES "/junk");
	for (int i = 0; i < 100; i++) {
		CLEANUP(inventory_clear) struct inventory inventory = {0};

		assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
		assert_int_equal(inventory.n_problems, 2);
	}
	assert_int_equal(count_fds(), before);
}

static void ten_thousand_functions_are_no_matter(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	struct err err;

	(void)state;
	tree_open(&tree);
	for (unsigned int i = 0; i < 10000; i++) {
		const struct addr addr = {i >> 13, (uint8_t)(i >> 5), (uint8_t)(i & 0x1f), 0};
		const struct addr_text text = addr_text(addr);
		const struct gpu_row row = {text.text, i % 100 ? 0x8086 : 0x1002, 0x74a1,
					    i % 100 ? 0x0604 : 0x1200};

		tree_function(&tree, &row);
	}
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	assert_int_equal(inventory.n_gpus, 100);
	assert_int_equal(inventory.n_problems, 0);
}

static void versions_come_from_the_modules_that_drive_gpus(void **state)
{
	static const struct gpu_row gpus[] = {
		{GPU, 0x1002, 0x74a1, 0x1200, "gim"},
		{NEXT, 0x1002, 0x74a1, 0x1200, "amdgpu"},
		{"0000:07:00.0", 0x1002, 0x74a1, 0x1200, "vfio-pci"},
	};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	const struct module *gim, *amdgpu;
	struct err err;

	(void)state;
	tree_open(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		tree_function(&tree, &gpus[i]);
	tree_file(&tree, "8.1.0.K\n", "sys/module/gim/version");
	tree_file(&tree, "", "sys/module/gim/srcversion");
	tree_file(&tree, "6.1.0-test\n", "proc/sys/kernel/osrelease");
	assert_int_equal(scan_tree(&tree, &inventory, &err), 0);
	gim = inventory_module(&inventory, "gim");
	amdgpu = inventory_module(&inventory, "amdgpu");
	assert_int_equal(inventory.n_modules, 2);
	assert_string_equal(gim->version.text, "8.1.0.K");
	assert_int_equal(gim->srcversion.state, FACT_FAILED);
	assert_int_equal(amdgpu->version.state, FACT_ABSENT);
	assert_string_equal(inventory.kernel.text, "6.1.0-test");
}

static int asked; /* how often the file of a module was asked for */

static int file_version(const char *root, const char *release, const char *module, char **ret,
			struct err *err)
{
	(void)root, (void)err;
	asked++;
	assert_string_equal(release, "6.1.0-test");
	assert_string_equal(module, "gim");
	*ret = strdup("9.2.0.K");
	return 0;
}

static void the_file_of_gim_is_asked_where_the_loaded_one_says_nothing(void **state)
{
	static const struct gpu_row gpus[] = {
		{GPU, 0x1002, 0x74a1, 0x1200, "gim"},
		{NEXT, 0x1002, 0x74a1, 0x1200, "amdgpu"},
	};
	const struct scan_options options = {.devices = &devices_builtin,
					     .module_file_version = file_version};
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	const struct module *gim;
	struct err err;

	(void)state;
	tree_open(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		tree_function(&tree, &gpus[i]);
	tree_file(&tree, "", "sys/module/gim/version");
	tree_file(&tree, "6.1.0-test\n", "proc/sys/kernel/osrelease");
	assert_int_equal(host_open(&host, tree.root, NULL, &err), 0);
	assert_int_equal(scan(&host, &options, &inventory, &err), 0);
	gim = inventory_module(&inventory, "gim");
	assert_string_equal(gim->version.text, "9.2.0.K");
	assert_true(gim->version_of_file);
	assert_int_equal(asked, 1);
}

static void a_module_tree_that_is_not_there_is_no_harm(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	char *version = NULL;
	struct err err;

	(void)state;
	tree_open(&tree);
	assert_true(scan_kmod_version(tree.root, "6.1.0-test", "gim", &version, &err) < 0);
	assert_null(version);
	assert_non_null(strstr(err.text, "lib/modules/6.1.0-test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_attribute_is_told_and_not_read_on),
		cmocka_unit_test(sriov_numvfs_is_read_only_where_it_must_be),
		cmocka_unit_test(junk_on_the_bus_costs_nothing_else),
		cmocka_unit_test(a_fifo_does_not_hold_the_scan),
		cmocka_unit_test(neighbours_in_a_group_are_kept_and_no_others),
		cmocka_unit_test(no_bus_is_an_error_that_says_where),
		cmocka_unit_test(a_hundred_bad_scans_leak_no_descriptor),
		cmocka_unit_test(ten_thousand_functions_are_no_matter),
		cmocka_unit_test(versions_come_from_the_modules_that_drive_gpus),
		cmocka_unit_test(the_file_of_gim_is_asked_where_the_loaded_one_says_nothing),
		cmocka_unit_test(a_module_tree_that_is_not_there_is_no_harm),
	};

	return RUN_ROWS(file_rows, check_file) + RUN_ROWS(fact_rows, check_fact) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
