/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any one allocation: the rules say so, leave no half verdict and no leak.
 * The linker puts the wrappers below in the place of the allocators (see CMakeLists.txt).
 */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/what_if.h"
#include "kube/access.h"
#include "kube/apply.h"
#include "kube/kubeconfig.h"
#include "kube/list.h"
#include "kube/object.h"
#include "kube/status.h"
#include "output/difference.h"
#include "rules/explain.h"
#include "rules/owned.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdio.h>

static size_t left = SIZE_MAX; /* allocations that still work */
static bool once;              /* one fails, those after it work again */

static bool may(void)
{
	if (left == SIZE_MAX)
		return true;
	if (left == 0) {
		left = once ? SIZE_MAX : 0;
		return false;
	}
	left--;
	return true;
}

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
int __real_vasprintf(char **ret, const char *format, va_list args);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_vasprintf(char **ret, const char *format, va_list args);
int __wrap_asprintf(char **ret, const char *format, ...);

void *__wrap_calloc(size_t n, size_t size)
{
	return may() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return may() ? __real_realloc(ptr, size) : NULL;
}

void *__wrap_reallocarray(void *ptr, size_t n, size_t size)
{
	return may() ? __real_reallocarray(ptr, n, size) : NULL;
}

char *__wrap_strdup(const char *text)
{
	return may() ? __real_strdup(text) : NULL;
}

char *__wrap_strndup(const char *text, size_t len)
{
	return may() ? __real_strndup(text, len) : NULL;
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	return may() ? __real_vasprintf(ret, format, args) : -1;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = may() ? __real_vasprintf(ret, format, args) : -1;
	va_end(args);
	return len;
}

/* A node with something of everything: modes, groups, ids, notes of each kind. */
static void fill(struct inventory *inventory)
{
	static const struct gpu_row gpus[] = {
		{"0000:05:00.0", 0x1002, 0x74a1, 0x1200, "gim", 7,
		 .vfs = {"0000:05:02.0", "0000:05:02.1"}},
		{"0000:05:02.0", 0x1002, 0x74b5, 0x1200, "vfio-pci", 8, "0000:05:00.0"},
		{"0000:06:00.0", 0x1002, 0x74a1, 0x1200, "vfio-pci", 9},
		{"0000:07:00.0", 0x1002, 0x7448, 0x0300, NULL, 9},
		{"0000:08:00.0", 0x8086, 0x56c0, 0x0380, "vfio-pci", 10},
		{"0000:09:00.0", 0x8086, 0xe20b, 0x0300, "!driver: is no link", -1},
	};
	static const struct gpu_row others[] = {
		{"0000:07:00.1", 0x1002, 0xab30, 0x0403, "snd_hda_intel", 9},
		{"0000:0a:00.0", 0x1002, 0xab30, 0x0403, "gim", 11},
	};

	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		make_gpu(inventory, &gpus[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		make_other(inventory, &others[i]);
	make_module(inventory, "gim", "8.1.0.K+1", NULL);
	if (inventory_add_problem(inventory, NULL, "x: no PCI address"))
		abort();
	inventory_sort(inventory);
}

/* A node of container mode, with Intel GPUs of which Intel's rules say something. */
static void fill_container(struct inventory *inventory)
{
	static const struct gpu_row gpus[] = {
		{"0000:05:00.0", 0x1002, 0x74a1, 0x1200, "amdgpu", 7},
		{"0000:06:00.0", 0x1002, 0x74a1, 0x1200, "amdgpu", 8},
		{"0000:08:00.0", 0x8086, 0x56c0, 0x0380, "i915", 10},
	};
	struct card card = {.addr = make_addr(gpus[0].addr),
			    .product_name = make_text("AMD Instinct"),
			    .compute_partition = make_text("SPX"),
			    .memory_partition = make_text("NPS1"),
			    .render_minor = make_number("128")};
	struct kfd_node node = {.id = make_number("1"),
				.simd_count = make_number("1216"),
				.simd_per_cu = make_number("4"),
				.gfx_target_version = make_number("90402"),
				.render_minor = make_number("128")};

	card.firmware[0] = make_number("1");
	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		make_gpu(inventory, &gpus[i]);
	if (inventory_add_card(inventory, &card) || inventory_add_kfd(inventory, &node))
		abort();
	make_module(inventory, "amdgpu", "6.12", NULL);
	inventory_sort(inventory);
}

static void fail_at_each_allocation(void (*fill_it)(struct inventory *inventory))
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(rule_options_clear) struct rule_options options = {.intel_rule_labels = true};
	struct err err;
	size_t allowed = 0;
	int r;

	fill_it(&inventory);
	do {
		CLEANUP(verdict_clear) struct verdict verdict = {0};

		left = allowed++;
		r = rules_apply(&inventory, &options, &verdict, &err);
		left = SIZE_MAX;
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_null(verdict.parts);
			assert_null(verdict.labels.items);
		}
	} while (r < 0);
	assert_true(allowed > 100);
}

static void the_rules_fail_whole_or_not_at_all(void **state)
{
	(void)state;
	fail_at_each_allocation(fill);
	fail_at_each_allocation(fill_container);
	once = true;
	fail_at_each_allocation(fill);
	fail_at_each_allocation(fill_container);
	once = false;
}

/* Both a label that is there, and one of each kind of reason why not. */
static const char *const asked[] = {
	"amd.com/gpu.mode",
	"amd.com/gpu.mode=container",
	"amd.com/gpu.vfio.iommu-groups-viable",
	"amd.com/gpu.device-id",
	"amd.com/gpu.device-id.dead",
	"amd.com/gpu.driver-version",
	"amd.com/gpu.driver-src-version",
	"amd.com/gpu.vram",
	"amd.com/gpu.family",
	"gpu.intel.com/vfio.present",
	"example.com/none",
};

static void explain_at_each_allocation(const struct inventory *inventory, const char *label)
{
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	const struct rule_options options = {0};
	struct err err;
	size_t allowed = 0;
	int r;

	assert_int_equal(rules_apply(inventory, &options, &verdict, &err), 0);
	do {
		CLEANUP(explanation_clear) struct explanation got = {0};
		CLEANUP(strbuf_clear) struct strbuf keys = {0};

		left = allowed++;
		r = explain_label(inventory, &options, &verdict, label, &got);
		explain_keys(&options, &verdict, &keys);
		left = SIZE_MAX;
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(r == 0 || once || keys.failed);
	} while (r < 0);
	assert_true(allowed > 10);
}

static void an_explanation_is_whole_or_none(void **state)
{
	CLEANUP(inventory_clear) struct inventory passthrough = {0};
	CLEANUP(inventory_clear) struct inventory container = {0};

	(void)state;
	fill(&passthrough);
	fill_container(&container);
	for (int again = 0; again < 2; again++) {
		once = again;
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			explain_at_each_allocation(&passthrough, asked[i]);
			explain_at_each_allocation(&container, asked[i]);
		}
	}
	once = false;
}

static void a_change_that_cannot_be_thought_through_is_none(void **state)
{
	static const char steps[] = "unbind 0000:06:00.0; bind 0000:06:00.0 gim; "
				    "numvfs 0000:05:00.0 0; numvfs 0000:05:00.0 2; "
				    "bind 0000:05:00.0 amdgpu";
	size_t allowed = 0;
	int r;

	(void)state;
	do {
		CLEANUP(inventory_clear) struct inventory inventory = {0};
		CLEANUP(strbuf_clear) struct strbuf assumed = {0};
		struct err err;

		fill(&inventory);
		inventory.gpus[0].totalvfs = make_number("8");
		left = allowed++;
		r = what_if_apply(steps, &inventory, &assumed, &err);
		left = SIZE_MAX;
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(r < 0 || assumed.failed || inventory.n_gpus == 5);
	} while (r < 0);
	assert_true(allowed > 10);
}

static void a_filter_fails_whole(void **state)
{
	struct filter_list list = {0};
	struct err err;

	(void)state;
	left = 0;
	assert_int_equal(filter_parse("0x74b5", &list, &err), -ENOMEM);
	left = SIZE_MAX;
	assert_null(list.ids);
}

static void an_inventory_refuses_what_it_cannot_hold(void **state)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(module_clear) struct module module = {.name = strdup("gim")};
	struct function function = {.vendor = 0x1002};
	struct card card = {0};
	struct kfd_node node = {0};
	const struct addr addr = {0};

	(void)state;
	left = 0;
	assert_int_equal(inventory_add_card(&inventory, &card), -ENOMEM);
	assert_int_equal(inventory_add_kfd(&inventory, &node), -ENOMEM);
	assert_int_equal(inventory_add_gpu(&inventory, &function), -ENOMEM);
	assert_int_equal(inventory_add_other(&inventory, &function), -ENOMEM);
	assert_int_equal(inventory_add_module(&inventory, &module), -ENOMEM);
	assert_int_equal(inventory_add_problem(&inventory, &addr, "x"), -ENOMEM);
	left = 1;
	assert_int_equal(inventory_add_problem(&inventory, &addr, "x"), -ENOMEM);
	left = SIZE_MAX;
	assert_int_equal(function.vendor, 0x1002);
	assert_string_equal(module.name, "gim");
	assert_int_equal(inventory.n_gpus + inventory.n_others + inventory.n_problems, 0);
}

static void a_text_that_cannot_grow_stays_failed(void **state)
{
	struct strbuf buf = {0};

	(void)state;
	left = 0;
	strbuf_add(&buf, "x");
	left = SIZE_MAX;
	strbuf_addf(&buf, "%s", "y");
	assert_true(buf.failed);
	assert_null(strbuf_take(&buf));
	assert_false(buf.failed);
}

static const char a_node[] =
	"{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"labels\":{"
	"\"amd.com/gpu.mode\":\"x\",\"beta.amd.com/gpu.vram.64G\":\"8\"},\"managedFields\":[{"
	"\"manager\":\"them\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{"
	"\"f:amd.com/gpu.mode\":{},\"f:beta.amd.com/gpu.vram.64G\":{}}}}}]}}";
static const char a_status[] =
	"{\"message\":\"m\",\"details\":{\"causes\":[{\"field\":\"f\",\"message\":\"c\"}]}}";
static const char a_config[] =
	"current-context: c\n"
	"contexts: [{name: c, context: {cluster: c, user: u, namespace: n}}]\n"
	"clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n"
	"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: "
	"./p,\n"
	"  args: [a], env: [{name: A, value: b}]}}}]\n";
static const struct kube_pair wanted[] = {{"amd.com/gpu.mode", "container"}};
static char config_path[] = "/tmp/gpu-labeler-oom-XXXXXX";

static int read_object(void)
{
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	CLEANUP(difference_clear) struct difference difference = {0};
	struct err err;
	int r = kube_object_parse(a_node, strlen(a_node), KUBE_LABELS_IN_METADATA, &object, &err);

	if (r == 0)
		r = difference_find(&object, wanted, 1, label_key_is_ours, &difference);
	return r;
}

static int read_list(void)
{
	static const char text[] = "{\"metadata\":{\"continue\":\"c\"},\"items\":[{\"metadata\":{"
				   "\"name\":\"n\",\"labels\":{\"a\":\"1\"}}}]}";
	CLEANUP(kube_list_clear) struct kube_list list = {0};
	struct err err;

	return kube_list_parse(text, strlen(text), KUBE_LABELS_IN_METADATA, &list, &err);
}

static int read_status(void)
{
	CLEANUP(kube_status_clear) struct kube_status status = {0};

	return kube_status_read(a_status, strlen(a_status), &status);
}

static int read_config(void)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err;

	return kubeconfig_load(config_path, NULL, &access, &err);
}

static int write_body(void)
{
	auto_free char *body = kube_apply_node("n", "u", wanted, 1);

	return body ? 0 : -ENOMEM;
}

/* Each says -ENOMEM until it has all that it needs, and leaks nothing. */
static void what_the_server_and_the_user_say_fails_whole(void **state)
{
	static int (*const readers[])(void) = {read_object, read_list, read_status, read_config,
					       write_body};
	const int fd = mkstemp(config_path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, a_config, strlen(a_config)), strlen(a_config));
	(void)close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		size_t allowed = 0;
		int r;

		do {
			left = allowed++;
			r = readers[i]();
			left = SIZE_MAX;
			assert_true(r == 0 || r == -ENOMEM);
		} while (r < 0);
		assert_true(allowed > 1);
	}
	(void)unlink(config_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_server_and_the_user_say_fails_whole),
		cmocka_unit_test(the_rules_fail_whole_or_not_at_all),
		cmocka_unit_test(an_explanation_is_whole_or_none),
		cmocka_unit_test(a_change_that_cannot_be_thought_through_is_none),
		cmocka_unit_test(a_filter_fails_whole),
		cmocka_unit_test(an_inventory_refuses_what_it_cannot_hold),
		cmocka_unit_test(a_text_that_cannot_grow_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
