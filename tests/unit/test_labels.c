/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "rules/count.h"
#include "rules/labels.h"
#include "rules/notes.h"
#include "rules/rules.h"

static const struct picks none;
static const struct rule a_rule = {"a rule", "", NULL};
static const struct origin origin = {&a_rule, &none};

static void labels_are_sorted_and_unique(void **state)
{
	CLEANUP(labels_clear) struct labels labels = {0};
	CLEANUP(notes_clear) struct notes notes = {0};

	(void)state;
	labels_put(&labels, &notes, "b", "1", origin);
	labels_put(&labels, &notes, "a.b", "2", origin);
	labels_put(&labels, &notes, "a", "3", origin);
	labels_put(&labels, &notes, "a-b", "4", origin);
	labels_put(&labels, &notes, "b", "5", origin);
	assert_int_equal(labels.n_items, 4);
	assert_string_equal(labels.items[0].key, "a");
	assert_string_equal(labels.items[1].key, "a-b");
	assert_string_equal(labels.items[2].key, "a.b");
	assert_string_equal(labels.items[3].key, "b");
	assert_string_equal(labels.items[3].value, "5");
	assert_null(labels_find(&labels, "c"));
	assert_int_equal(notes.n_items, 0);
}

static struct diff_row {
	const char *name;
	const char *from[4], *to[4]; /* keys and values, by turns */
	const char *changes;
} diff_rows[] = {
	{"nothing to nothing", {0}, {0}, ""},
	{"the same", {"a", "1", "b", "2"}, {"a", "1", "b", "2"}, ""},
	{"one comes", {0}, {"a", "1"}, " +a=1"},
	{"one goes", {"a", "1"}, {0}, " -a=1"},
	{"one changes", {"a", "1"}, {"a", "2"}, " -a=1 +a=2"},
	{"one goes before one that stays", {"a", "1", "b", "2"}, {"b", "2"}, " -a=1"},
	{"one comes before one that stays", {"b", "2"}, {"a", "1", "b", "2"}, " +a=1"},
};

static void check_diff(void **state)
{
	const struct diff_row *row = *state;
	CLEANUP(labels_clear) struct labels from = {0};
	CLEANUP(labels_clear) struct labels to = {0};
	CLEANUP(notes_clear) struct notes notes = {0};
	CLEANUP(strbuf_clear) struct strbuf changes = {0};

	for (size_t i = 0; i < ARRAY_SIZE(row->from) && row->from[i]; i += 2)
		labels_put(&from, &notes, row->from[i], row->from[i + 1], origin);
	for (size_t i = 0; i < ARRAY_SIZE(row->to) && row->to[i]; i += 2)
		labels_put(&to, &notes, row->to[i], row->to[i + 1], origin);
	labels_diff(&from, &to, &changes);
	assert_string_equal(changes.text ? changes.text : "", row->changes);
}

static void a_bad_label_costs_no_other(void **state)
{
	CLEANUP(labels_clear) struct labels labels = {0};
	CLEANUP(notes_clear) struct notes notes = {0};

	(void)state;
	labels_put(&labels, &notes, "good", "1", origin);
	labels_put(&labels, &notes, "bad key", "1", origin);
	labels_put(&labels, &notes, "key", "bad value", origin);
	assert_int_equal(labels.n_items, 1);
	assert_int_equal(notes.n_items, 2);
	assert_non_null(strstr(notes.items[0].text, "bad key"));
	assert_non_null(strstr(notes.items[1].text, "key=bad value"));
}

static void a_value_too_long_for_a_counter_key_costs_that_key_alone(void **state)
{
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(tally_clear) struct tally tally = {0};
	const struct label_value value = {
		"x123456789x123456789x123456789x123456789x123456789x12345678"};

	(void)state;
	tally_add(&tally, value, 0);
	count_put(&verdict, "product-name", &a_rule, &tally);
	assert_int_equal(verdict.labels.n_items, 2);
	assert_non_null(labels_find(&verdict.labels, "amd.com/gpu.product-name"));
	assert_non_null(labels_find(&verdict.labels, "beta.amd.com/gpu.product-name"));
	assert_int_equal(verdict.notes.n_items, 1);
}

static struct count_row {
	const char *name;
	const char *values[4]; /* of devices; "": not known */
	const char *lines[6];  /* what comes out, whole */
} count_rows[] = {
	{"no device gives nothing", {0}, {0}},
	{"all alike",
	 {"X", "X"},
	 {"amd.com/gpu.k=X", "beta.amd.com/gpu.k=X", "beta.amd.com/gpu.k.X=2"}},
	{"two values",
	 {"X", "Y", "X"},
	 {"amd.com/gpu.k.X=2", "amd.com/gpu.k.Y=1", "beta.amd.com/gpu.k.X=2",
	  "beta.amd.com/gpu.k.Y=1"}},
	{"one not known: no plain key",
	 {"X", "", "X"},
	 {"amd.com/gpu.k.X=2", "beta.amd.com/gpu.k.X=2"}},
	{"none known", {"", ""}, {0}},
};

static void check_count(void **state)
{
	const struct count_row *row = *state;
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(tally_clear) struct tally tally = {0};
	CLEANUP(strbuf_clear) struct strbuf line = {0};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(row->values) && row->values[i]; i++) {
		struct label_value value;

		(void)snprintf(value.text, sizeof(value.text), "%s", row->values[i]);
		tally_add(&tally, value, i);
	}
	count_put(&verdict, "k", &a_rule, &tally);
	while (n < ARRAY_SIZE(row->lines) && row->lines[n])
		n++;
	assert_int_equal(verdict.labels.n_items, n);
	for (size_t i = 0; i < n; i++) {
		line.len = 0;
		strbuf_addf(&line, "%s=%s", verdict.labels.items[i].key,
			    verdict.labels.items[i].value);
		assert_string_equal(line.text, row->lines[i]);
	}
}

static void an_error_is_one_line_and_is_cut(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -5, "%s", "no"), -5);
	assert_int_equal(err_prefix(&err, -6, "%s:%d", "file", 3), -6);
	assert_string_equal(err.text, "file:3: no");
	for (int i = 0; i < 2000; i++)
		(void)err_prefix(&err, 0, "x");
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
}

static void text_grows_and_is_handed_over(void **state)
{
	CLEANUP(strbuf_clear) struct strbuf buf = {0};
	auto_free char *text = NULL;
	auto_free char *empty = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&buf, "%d,", i % 10);
	strbuf_add_bytes(&buf, "end.", 3);
	assert_int_equal(buf.len, 2003);
	text = strbuf_take(&buf);
	assert_string_equal(text + 2000, "end");
	empty = strbuf_take(&buf);
	assert_string_equal(empty, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_sorted_and_unique),
		cmocka_unit_test(a_bad_label_costs_no_other),
		cmocka_unit_test(a_value_too_long_for_a_counter_key_costs_that_key_alone),
		cmocka_unit_test(an_error_is_one_line_and_is_cut),
		cmocka_unit_test(text_grows_and_is_handed_over),
	};

	return RUN_ROWS(count_rows, check_count) + RUN_ROWS(diff_rows, check_diff) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
