/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"
#include "tree.h"

#include "base/err.h"
#include "config.h"
#include "device_file.h"

static const char *const no_flags[CONFIG_KEYS];

static int load(const char *text, const char *const *flags, struct config *config, struct err *err)
{
	CLEANUP(tree_close) struct tree tree;
	auto_free char *path = NULL;

	tree_open(&tree);
	tree_file(&tree, text, "conf");
	if (asprintf(&path, "%s/conf", tree.root) < 0)
		abort();
	return config_load(path, flags, config, err);
}

static void the_shipped_file_says_the_built_in_defaults(void **state)
{
	CLEANUP(config_clear) struct config shipped = {0};
	CLEANUP(config_clear) struct config built_in = {0};
	struct err err;
	auto_fclose FILE *file = fopen(SOURCE_DIR "/conf/gpu-labeler.conf", "re");
	char line[256];
	size_t n_keys = 0;

	(void)state;
	if (config_load(SOURCE_DIR "/conf/gpu-labeler.conf", no_flags, &shipped, &err))
		fail_msg("%s", err.text);
	assert_int_equal(load("", no_flags, &built_in, &err), 0);
	assert_memory_equal(&shipped, &built_in, sizeof(shipped));
	/* Every key stands there, once: the loader refuses the second and the unknown. */
	while (fgets(line, sizeof(line), file))
		n_keys += line[0] >= 'a' && line[0] <= 'z';
	assert_int_equal(n_keys, CONFIG_KEYS);
}

static void every_key_is_read(void **state)
{
	CLEANUP(config_clear) struct config config = {0};
	struct err err;
	const char text[] =
		"# all of them\n"
		"[host]\nroot = /host\nsysfs = /host-sys\n"
		"[devices]\ntable = " SOURCE_DIR "/conf/devices.ini\n"
		"allow-ids = 0x74b5,\n\t1002:74a1 ; two lines\n"
		"[amd]\ndriver-type = vf-passthrough\ndevice-id-format = 0x\n"
		"[agent]\noutput = stdout, file\ninterval = 2m\nwithdraw-on-exit = yes\n"
		"log-level = debug\nlog-format = json\nlisten = [::1]:8080\nsandbox = no\n"
		"[file]\ndir = /features\nexpiry = 1h\n"
		"[kube]\nkubeconfig = /k\ncontext = c\nnode-name = n\nnamespace = ns\n"
		"startup-spread = 1m\n";

	(void)state;
	if (load(text, no_flags, &config, &err))
		fail_msg("%s", err.text);
	assert_string_equal(config.root, "/host");
	assert_string_equal(config.sysfs, "/host-sys");
	assert_int_equal(config.rules.allow_ids.n_ids, 2);
	assert_int_equal(config.rules.driver_type, MODE_VF_PASSTHROUGH);
	assert_true(config.rules.device_id_0x);
	assert_int_equal(config.devices.n_rows, devices_builtin.n_rows);
	assert_int_equal(config.outputs, 1U << CONFIG_OUTPUT_FILE | 1U << CONFIG_OUTPUT_STDOUT);
	assert_int_equal(config.interval_ms, 120000);
	assert_true(config.withdraw_on_exit);
	assert_int_equal(config.log_level, LEVEL_DEBUG);
	assert_true(config.log_json);
	assert_string_equal(config.listen, "[::1]:8080");
	assert_true(config.no_sandbox);
	assert_string_equal(config.features_dir, "/features");
	assert_int_equal(config.expiry_s, 3600);
	assert_string_equal(config.kubeconfig, "/k");
	assert_string_equal(config.context, "c");
	assert_string_equal(config.node_name, "n");
	assert_string_equal(config.namespace, "ns");
	assert_int_equal(config.startup_spread_ms, 60000);
}

static void the_environment_stands_between_file_and_flags(void **state)
{
	CLEANUP(config_clear) struct config config = {0};
	const char *flags[CONFIG_KEYS] = {0};
	struct err err;

	(void)state;
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (strcmp(config_keys[i].flag, "kubeconfig") == 0)
			flags[i] = "/of-flag";
	}
	(void)setenv("NODE_NAME", "of-environment", 1);
	(void)setenv("KUBECONFIG", "/of-environment", 1);
	assert_int_equal(load("[kube]\nnode-name = of-file\n", flags, &config, &err), 0);
	assert_string_equal(config.node_name, "of-environment");
	assert_string_equal(config.kubeconfig, "/of-flag");
	(void)unsetenv("NODE_NAME");
	(void)unsetenv("KUBECONFIG");
}

static void flags_win_over_the_file(void **state)
{
	CLEANUP(config_clear) struct config config = {0};
	const char *flags[CONFIG_KEYS] = {0};
	struct err err;

	(void)state;
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (strcmp(config_keys[i].flag, "driver-type") == 0)
			flags[i] = "container";
		if (strcmp(config_keys[i].flag, "deny-ids") == 0)
			flags[i] = "";
	}
	assert_int_equal(load("[amd]\ndriver-type = pf-passthrough\n[devices]\ndeny-ids = 0x74a1\n"
			      "allow-ids = 0x74b5\n",
			      flags, &config, &err),
			 0);
	assert_int_equal(config.rules.driver_type, MODE_CONTAINER);
	assert_int_equal(config.rules.deny_ids.n_ids, 0);
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
static struct bad_row {
	const char *name, *text, *says;
} bad_rows[] = {
	{"an unknown section", "\n[amdd]\ndriver-type = auto\n",
	 "conf:3: [amdd]: there is no such section"},
	{"an unknown key", "[amd]\ndriver-typ = auto\n",
	 "conf:2: driver-typ: there is no such key in [amd]"},
	{"a key of another section", "[host]\ndriver-type = auto\n",
	 "conf:2: driver-type: there is no such key in [host]"},
	{"a key before any section", "root = /\n", "conf:1: root: stands before"},
	{"a key twice", "[amd]\ndriver-type = auto\n\ndriver-type = auto\n",
	 "conf:4: driver-type: stands in line 2 already"},
	{"a key twice in a section that comes twice",
	 "[amd]\ndriver-type = auto\n[host]\nroot =\n[amd]\ndriver-type = auto\n",
	 "conf:6: driver-type: stands in line 2"},
	{"a bad word", "[amd]\ndriver-type = vf\n", "conf:2: driver-type: \"vf\" is neither"},
	{"an empty word", "[amd]\ndriver-type =\n", "conf:2: driver-type: \"\" is neither"},
	{"a bad format", "[amd]\ndevice-id-format = 0X\n", "conf:2: device-id-format: \"0X\""},
	{"a bad id", "[devices]\nallow-ids = 0x74b5,abcd\n",
	 "conf:2: allow-ids: \"abcd\" is no device id"},
	{"a bad id on the second line", "[devices]\nallow-ids = 0x74b5,\n  abcd\n",
	 "conf:2: allow-ids: \"abcd\""},
	{"both lists", "[devices]\nallow-ids = 0x74b5\ndeny-ids = 0x74a1\n",
	 "allow-ids and deny-ids are both set"},
	{"an unknown output", "[agent]\noutput = file,node9\n", "conf:2: output: \"node9\""},
	{"no output", "[agent]\noutput =\n", "conf:2: output: \"\""},
	{"a port alone", "[agent]\nlisten = 8080\n", "conf:2: listen: \"8080\" is no ADDRESS:PORT"},
	{"an address without a port", "[agent]\nlisten = 127.0.0.1:\n", "is no ADDRESS:PORT"},
	{"a port beyond numbers", "[agent]\nlisten = :65536\n", "is no ADDRESS:PORT"},
	{"a port of words", "[agent]\nlisten = :80x\n", "is no ADDRESS:PORT"},
	{"an IPv6 address without brackets", "[agent]\nlisten = ::1:8080\n", "is no ADDRESS:PORT"},
	{"a sandbox of a kind", "[agent]\nsandbox = maybe\n", "\"maybe\" is neither yes nor no"},
	{"a time without unit", "[agent]\ninterval = 60\n", "conf:2: interval: \"60\" is no time"},
	{"a time of another unit", "[agent]\ninterval = 1d\n",
	 "conf:2: interval: \"1d\" is no time"},
	{"a negative time", "[agent]\ninterval = -5s\n", "is no time"},
	{"a time beyond numbers", "[agent]\ninterval = 99999999999s\n", "is no time"},
	{"an interval too short", "[agent]\ninterval = 10ms\n", "is not from 1s to 24h"},
	{"an interval of 0", "[agent]\ninterval = 0\n", "is not from 1s to 24h"},
	{"an interval too long", "[agent]\ninterval = 25h\n", "is not from 1s to 24h"},
	{"an expiry too long", "[file]\nexpiry = 241h\n", "is more than 240h"},
	{"an expiry that is shorter than the timer needs", "[file]\nexpiry = 2m\n",
	 "three times interval"},
	{"a kind of label that is none", "[amd]\nlabels = vram,nix\n",
	 "\"nix\" is no kind of label"},
	{"an output that is none", "[agent]\noutput = file,nix\n", "\"nix\" is neither file, node"},
	{"a bad yes", "[agent]\nwithdraw-on-exit = true\n", "\"true\" is neither no nor yes"},
	{"a bad level", "[agent]\nlog-level = loud\n", "\"loud\" is neither"},
	{"a bad log format", "[agent]\nlog-format = xml\n", "\"xml\" is neither"},
	{"a line that is nothing", "[amd]\ndriver-type = auto\nnonsense\n",
	 "conf:3: is neither [section] nor key = value"},
	{"a section that does not close", "[amd\ndriver-type = auto\n", "conf:1: is neither"},
	{"the first of two faults", "[amd]\nnonsense\ndriver-type = vf\n", "conf:2: is neither"},
	{"a line that is too long", "[devices]\nallow-ids = 0x74b5," X50 X50 X50 X50 "\n",
	 "conf:2: the line is longer"},
	{"a device table that is not there", "[devices]\ntable = /nonexistent\n",
	 "conf:2: table: /nonexistent: cannot be read"},
	{"an entry that a continuation makes wrong", "[amd]\ndriver-type = auto\n matic\n",
	 "conf:2: driver-type: \"automatic\""},
};

static void check_bad(void **state)
{
	const struct bad_row *row = *state;
	struct config config = {0};
	const struct config none = {0};
	struct err err = {""};

	assert_true(load(row->text, no_flags, &config, &err) < 0);
	if (!strstr(err.text, row->says))
		fail_msg("%s", err.text);
	assert_memory_equal(&config, &none, sizeof(config));
}

static struct file_row {
	const char *name, *path, *says;
} file_rows[] = {
	{"a file that is not there", "/nonexistent", "/nonexistent: cannot be read"},
	{"a directory", "/tmp", "is no regular file"},
	{"a device", "/dev/zero", "/dev/zero: is no regular file"},
};

static void check_path(void **state)
{
	const struct file_row *row = *state;
	struct config config = {0};
	struct err err;

	assert_true(config_load(row->path, no_flags, &config, &err) < 0);
	if (!strstr(err.text, row->says))
		fail_msg("%s", err.text);
}

static struct table_row {
	const char *name, *text, *says; /* says NULL: good */
	uint16_t vendor, id;
	const char *device; /* its name then */
} table_rows[] = {
	{"a new one", "[amd]\nffff = PF | New Card\n", NULL, 0x1002, 0xffff, "New Card"},
	{"a built-in one renamed", "[amd]\n74a1 = PF | My Card\n", NULL, 0x1002, 0x74a1, "My Card"},
	{"all columns", "[intel]\nfff0 = GPU | New | Product | Family\n", NULL, 0x8086, 0xfff0,
	 "New"},
	{"an empty file changes nothing", "", NULL, 0x1002, 0x74a1, "AMD Instinct MI300X"},
	{"an unknown section", "[nvidia]\n2330 = PF | H100\n", ":2: [nvidia]"},
	{"a bad id", "[amd]\n0x74a1 = PF | X\n", ":2: 0x74a1: is no device id"},
	{"a bad kind", "[amd]\n74a1 = XF | X\n", ":2: 74a1: \"XF\""},
	{"no name", "[amd]\n74a1 = PF\n", ":2: 74a1: write"},
	{"an empty name", "[amd]\n74a1 = PF | \n", ":2: 74a1: write"},
	{"too many columns", "[amd]\n74a1 = PF | a | b | c | d\n", ":2: 74a1: write"},
	{"an id twice", "[amd]\n74a1 = PF | a\n74a1 = PF | b\n", ":3: 74a1: this id"},
};

static void check_table(void **state)
{
	const struct table_row *row = *state;
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(device_file_clear) struct device_file file = {0};
	auto_free char *path = NULL;
	struct err err;
	int r;

	tree_open(&tree);
	tree_file(&tree, row->text, "devices.ini");
	if (asprintf(&path, "%s/devices.ini", tree.root) < 0)
		abort();
	r = device_file_load(path, &file, &err);
	assert_int_equal(r < 0, row->says != NULL);
	if (row->says && !strstr(err.text, row->says))
		fail_msg("%s", err.text);
	if (!row->says) {
		const struct device_table table = device_file_table(&file);
		const struct device *device = devices_find(&table, row->vendor, row->id);

		assert_non_null(device);
		assert_string_equal(device->name, row->device);
		for (size_t i = 1; i < table.n_rows; i++)
			assert_true(devices_compare(&table.rows[i - 1], &table.rows[i]) < 0);
	}
}

/* The build and the run time read the same file by different code: they must agree. */
static void the_shipped_table_is_the_built_in_one(void **state)
{
	CLEANUP(device_file_clear) struct device_file file = {0};
	struct err err;

	(void)state;
	if (device_file_load(SOURCE_DIR "/conf/devices.ini", &file, &err))
		fail_msg("%s", err.text);
	assert_int_equal(file.n_rows, devices_builtin.n_rows);
	for (size_t i = 0; i < file.n_rows; i++) {
		const struct device *a = &file.rows[i];
		const struct device *b = &devices_builtin.rows[i];

		assert_int_equal(devices_compare(a, b), 0);
		assert_int_equal(a->kind, b->kind);
		assert_string_equal(a->name, b->name);
		assert_string_equal(a->product ? a->product : "", b->product ? b->product : "");
		assert_string_equal(a->family ? a->family : "", b->family ? b->family : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_file_says_the_built_in_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(the_environment_stands_between_file_and_flags),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(the_shipped_table_is_the_built_in_one),
	};

	/* what the tests' own surroundings say is not the agent's */
	unsetenv("KUBECONFIG");
	unsetenv("NODE_NAME");
	return RUN_ROWS(bad_rows, check_bad) + RUN_ROWS(file_rows, check_path) +
	       RUN_ROWS(table_rows, check_table) + cmocka_run_group_tests(tests, NULL, NULL);
}
