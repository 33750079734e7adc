/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "kube/apply.h"

static const struct kube_pair labels[] = {
	{"amd.com/gpu.mode", "vf-passthrough"},
	{"amd.com/gpu.vfio.count", "8"},
};

/* json-c writes \/ unless it is told not to, and the server's YAML has no such escape. */
static void no_slash_is_escaped(void **state)
{
	const struct kube_node_feature about = {"f", "ns", "n", "u"};
	auto_free char *node = kube_apply_node("n", "u", labels, ARRAY_SIZE(labels));
	auto_free char *feature = kube_apply_node_feature(&about, labels, ARRAY_SIZE(labels));
	auto_free char *merge = kube_merge_labels("u", labels, ARRAY_SIZE(labels));

	(void)state;
	assert_null(strchr(node, '\\'));
	assert_null(strchr(feature, '\\'));
	assert_null(strchr(merge, '\\'));
}

static void a_node_is_applied_whole(void **state)
{
	auto_free char *text = kube_apply_node("n", "u-1", labels, ARRAY_SIZE(labels));

	(void)state;
	assert_string_equal(text,
			    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\","
			    "\"uid\":\"u-1\",\"labels\":{\"amd.com/gpu.mode\":\"vf-passthrough\","
			    "\"amd.com/gpu.vfio.count\":\"8\"}}}");
}

/* Which takes all of ours away. */
static void no_label_is_no_labels(void **state)
{
	auto_free char *text = kube_apply_node("n", "u-1", NULL, 0);

	(void)state;
	assert_string_equal(text, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				  "\"name\":\"n\",\"uid\":\"u-1\"}}");
}

static void a_feature_belongs_to_its_node(void **state)
{
	const struct kube_node_feature about = {"f", "ns", "gpu-7", "u-7"};
	auto_free char *text = kube_apply_node_feature(&about, labels, 1);

	(void)state;
	assert_string_equal(
		text,
		"{\"apiVersion\":\"nfd.k8s-sigs.io/v1alpha1\",\"kind\":\"NodeFeature\","
		"\"metadata\":{\"name\":\"f\",\"namespace\":\"ns\",\"labels\":{"
		"\"nfd.node.kubernetes.io/node-name\":\"gpu-7\"},\"ownerReferences\":[{"
		"\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"gpu-7\",\"uid\":\"u-7\"}]},"
		"\"spec\":{\"labels\":{\"amd.com/gpu.mode\":\"vf-passthrough\"}}}");
}

static void a_merge_takes_away_by_null(void **state)
{
	const struct kube_pair pairs[] = {{"a.b/c", NULL}, {"d", ""}};
	auto_free char *text = kube_merge_labels("u", pairs, ARRAY_SIZE(pairs));

	(void)state;
	assert_string_equal(
		text, "{\"metadata\":{\"uid\":\"u\",\"labels\":{\"a.b/c\":null,\"d\":\"\"}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_slash_is_escaped),
		cmocka_unit_test(a_node_is_applied_whole),
		cmocka_unit_test(no_label_is_no_labels),
		cmocka_unit_test(a_feature_belongs_to_its_node),
		cmocka_unit_test(a_merge_takes_away_by_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
