/* SPDX-License-Identifier: Apache-2.0 */
/* What the Node carries beside what it should, and who set it, as it is told. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "kube/object.h"
#include "output/print_explain.h"
#include "rules/labels.h"

static const char node_json[] =
	"{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"labels\":{"
	"\"kubernetes.io/hostname\":\"gpu-7\",\"amd.com/gpu.mode\":\"container\","
	"\"amd.com/gpu.vram\":\"64G\",\"amd.com/gpu.vfio.count\":\"8\","
	"\"amd.com/gpu.vfio.type\":\"vf\",\"gpu.intel.com/product\":\"Flex_170\"},"
	"\"managedFields\":["
	"{\"manager\":\"gpu-labeler\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:metadata\":{\"f:"
	"labels\":{"
	"\"f:amd.com/gpu.vfio.count\":{},\"f:amd.com/gpu.vfio.type\":{},"
	"\"f:gpu.intel.com/product\":{}}}}},"
	"{\"manager\":\"nfd-master\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{\"f:"
	"labels\":{"
	"\"f:amd.com/gpu.mode\":{},\"f:amd.com/gpu.vfio.type\":{}}}}}]}}";

static struct on_node_row {
	const char *name, *key, *wanted;
	enum on_node_state state;
	const char *line; /* end of the line that tells it */
	const char *next; /* part of what to do; NULL: nothing */
} rows[] = {
	{"the same, by us", "amd.com/gpu.vfio.count", "8", ON_NODE_SAME,
	 "; on node gpu-7: the same, applied by gpu-labeler\n"},
	{"the same, by two", "amd.com/gpu.vfio.type", "vf", ON_NODE_SAME,
	 ": the same, applied by gpu-labeler and by nfd-master (Update)\n"},
	{"another value, by another", "amd.com/gpu.mode", "vf-passthrough", ON_NODE_OTHER,
	 ": container, set by nfd-master (Update)\n", "the owner writes the same key"},
	{"not there", "amd.com/gpu.vfio.present", "true", ON_NODE_MISSING, ": not there\n",
	 "is the agent running"},
	{"one too many, of which nobody says that it is his", "amd.com/gpu.vram", NULL,
	 ON_NODE_STALE, ": 64G, although it should not be there\n", "gpu-labeler clean"},
	{"not wanted, not there", "amd.com/gpu.family", NULL, ON_NODE_NEITHER,
	 ": not there either\n"},
};

static void parse(struct kube_object *node)
{
	struct err err;

	if (kube_object_parse(node_json, strlen(node_json), KUBE_LABELS_IN_METADATA, node, &err))
		fail_msg("%s", err.text);
}

static char *told(void (*print)(FILE *out, const char *node, const struct print_explained *it),
		  const struct print_explained *it)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out, "gpu-7", it);
	(void)fclose(out);
	return text;
}

static void check_row(void **state)
{
	const struct on_node_row *row = *state;
	static const struct rule rule = {"a rule", "", NULL};
	CLEANUP(kube_object_clear) struct kube_object node = {0};
	struct print_explained it = {0};
	auto_free char *line = NULL;
	auto_free char *whole = NULL;
	auto_free char *json = NULL;

	parse(&node);
	it.on_node = on_node_find(&node, row->key, row->wanted);
	assert_int_equal(it.on_node.state, row->state);
	it.label = (struct explanation){.key = (char *)row->key,
					.value = row->wanted,
					.rule = &rule,
					.because = (char *)"it is not"};
	line = told(print_explanation_line, &it);
	if (!strstr(line, row->line))
		fail_msg("%s", line);
	whole = told(print_explanation, &it);
	assert_non_null(strstr(whole, strstr(row->line, ": ")));
	assert_int_equal(!row->next, !strstr(whole, "    next: "));
	if (row->next)
		assert_non_null(strstr(whole, row->next));
	json = explanations_to_json("gpu-7", &it, 1);
	assert_non_null(strstr(json, on_node_name(row->state)));
}

static void what_is_ours_and_should_go_is_found(void **state)
{
	CLEANUP(kube_object_clear) struct kube_object node = {0};
	CLEANUP(labels_clear) struct labels labels = {0};
	CLEANUP(strbuf_clear) struct strbuf keys = {0};
	static const struct rule rule = {"a rule", "", NULL};
	static const struct picks none;

	(void)state;
	parse(&node);
	labels_put(&labels, NULL, "amd.com/gpu.mode", "container", (struct origin){&rule, &none});
	labels_put(&labels, NULL, "amd.com/gpu.vfio.count", "8", (struct origin){&rule, &none});
	on_node_stale(&node, &labels, &keys);
	assert_string_equal(keys.text,
			    "amd.com/gpu.vram\namd.com/gpu.vfio.type\ngpu.intel.com/product\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_ours_and_should_go_is_found)};

	return RUN_ROWS(rows, check_row) + cmocka_run_group_tests(tests, NULL, NULL);
}
