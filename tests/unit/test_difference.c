/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "output/difference.h"
#include "output/repairs.h"
#include "rules/owned.h"

#define US NULL, true
#define THEM "them (Update)", false

/* A struct kube_label with texts that nobody owns. */
struct seen_label {
	const char *key, *value, *owner;
	bool applied;
};
_Static_assert(sizeof(struct seen_label) == sizeof(struct kube_label), "the same members");

static struct row {
	const char *name;
	struct seen_label seen[3];
	struct kube_pair want[3];
	bool missing, stale, unowned;
	size_t n_extra;
	const char *said;
} rows[] = {
	{"all is as it should be",
	 {{"amd.com/gpu.mode", "container", US}, {"foreign", "x", THEM}},
	 {{"amd.com/gpu.mode", "container"}},
	 .said = ""},
	{"a label is gone",
	 {{"foreign", "x", THEM}},
	 {{"amd.com/gpu.mode", "container"}},
	 .missing = true,
	 .said = "amd.com/gpu.mode is gone, and the server keeps no record of who did it; the last "
		 "to write something else was last (Update)"},
	{"a label was changed",
	 {{"amd.com/gpu.mode", "x", THEM}},
	 {{"amd.com/gpu.mode", "container"}},
	 .missing = true,
	 .said = "amd.com/gpu.mode was made \"x\" by them (Update)"},
	{"somebody else set the right value",
	 {{"amd.com/gpu.mode", "container", THEM}},
	 {{"amd.com/gpu.mode", "container"}},
	 .unowned = true,
	 .said = ""},
	{"we applied what should not be there any more",
	 {{"gpu.intel.com/product", "Flex_170", US}},
	 .stale = true,
	 .said = ""},
	{"an older agent left a label",
	 {{"beta.amd.com/gpu.vram.64G", "8", THEM}},
	 .n_extra = 1,
	 .said = "beta.amd.com/gpu.vram.64G=8 was put there by them (Update)"},
	{"nobody knows who left it",
	 {{"amd.com/gpu.family", "AI", NULL, false}},
	 .n_extra = 1,
	 .said = "amd.com/gpu.family=AI was put there by somebody who left no name"},
	{"foreign labels are nobody's business",
	 {{"amd.com/gpu", "8", THEM}, {"amd.com/cpu", "true", THEM}},
	 .said = ""},
};

static size_t n_labels(const struct seen_label *labels)
{
	size_t n = 0;

	while (n < 3 && labels[n].key)
		n++;
	return n;
}

static size_t n_pairs(const struct kube_pair *pairs)
{
	size_t n = 0;

	while (n < 3 && pairs[n].key)
		n++;
	return n;
}

static void check(void **state)
{
	const struct row *row = *state;
	char last[] = "last (Update)";
	struct kube_label labels[ARRAY_SIZE(row->seen)];
	const struct kube_object seen = {
		.labels = labels, .n_labels = n_labels(row->seen), .last_writer = last};
	CLEANUP(difference_clear) struct difference found = {0};

	memcpy(labels, row->seen, sizeof(labels));
	assert_int_equal(
		difference_find(&seen, row->want, n_pairs(row->want), label_key_is_ours, &found),
		0);
	assert_int_equal(found.missing, row->missing);
	assert_int_equal(found.stale, row->stale);
	assert_int_equal(found.unowned, row->unowned);
	assert_int_equal(found.n_extra, row->n_extra);
	assert_string_equal(found.said, row->said);
	assert_int_equal(difference_shows(&found), row->missing || row->stale || row->n_extra > 0);
}

static struct key_row {
	const char *name;
	bool ours;
} key_rows[] = {
	{"amd.com/gpu.mode", true},
	{"beta.amd.com/gpu.mode", true},
	{"beta.amd.com/gpu.device-id.74a1", true},
	{"beta.amd.com/gpu.device-id.0x74a1", true},
	{"beta.amd.com/gpu.firmware.VCE.fw.1", true},
	{"amd.com/gpu.compute-partitioning-supported", true},
	{"amd.com/gpu.vfio.iommu-groups-viable", true},
	{"gpu.intel.com/vfio.device-id.0380-56c0.count", true},
	{"amd.com/gpu", false},
	{"amd.com/gpu.", false},
	{"amd.com/gpu.models", false},
	{"amd.com/cpu", false},
	{"beta.amd.com/gpu.driver", false},
	{"gpu.intel.com/device-id.0380-56c0.present", false},
	{"gpu.intel.com/vfio", false},
	{"intel.feature.node.kubernetes.io/gpu", false},
	{"x.amd.com/gpu.mode", false},
};

static void check_key(void **state)
{
	const struct key_row *row = *state;

	assert_int_equal(label_key_is_ours(row->name), row->ours);
}

static void a_few_repairs_are_at_once_then_five_minutes_apart(void **state)
{
	struct repairs repairs = {0};
	int64_t now = 1000000;

	(void)state;
	for (int i = 0; i < REPAIRS_AN_HOUR; i++) {
		assert_int_equal(repairs_allowed_at(&repairs, now), now);
		repairs_add(&repairs, now);
		now += 1000;
	}
	assert_int_equal(repairs_allowed_at(&repairs, now), now - 1000 + REPAIRS_APART_MS);
	now += REPAIRS_APART_MS - 1000;
	assert_int_equal(repairs_allowed_at(&repairs, now), now);
	repairs_add(&repairs, now);
	assert_int_equal(repairs_allowed_at(&repairs, now), now + REPAIRS_APART_MS);
	now += REPAIRS_HOUR_MS; /* it is over */
	assert_int_equal(repairs_allowed_at(&repairs, now), now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_repairs_are_at_once_then_five_minutes_apart),
	};

	return RUN_ROWS(rows, check) + RUN_ROWS(key_rows, check_key) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
