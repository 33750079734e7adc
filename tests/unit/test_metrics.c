/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent counts, and the text that Prometheus reads. */
#include "rows.h"

#include "base/histogram.h"
#include "base/strbuf.h"
#include "kube/traffic.h"
#include "metrics/prom.h"

static void label_values_are_escaped(void **state)
{
	CLEANUP(strbuf_clear) struct strbuf out = {0};
	const struct prom_label labels[] = {{"a", "say \"no\"\\\n"}, {"b", ""}, {0}};

	(void)state;
	prom_sample(&out, "n", labels, 3);
	assert_string_equal(out.text, "n{a=\"say \\\"no\\\"\\\\\\n\",b=\"\"} 3\n");
}

static void a_sample_without_labels_has_no_braces(void **state)
{
	CLEANUP(strbuf_clear) struct strbuf out = {0};
	const struct prom_label none = {0};

	(void)state;
	prom_family(&out, "n_total", "counter", "How many.");
	prom_sample(&out, "n_total", &none, 9007199254740991.0);
	assert_string_equal(out.text, "# HELP n_total How many.\n# TYPE n_total counter\n"
				      "n_total 9007199254740991\n");
}

static void classes_of_a_histogram_add_up(void **state)
{
	CLEANUP(strbuf_clear) struct strbuf out = {0};
	const struct prom_label labels[] = {{"verb", "get"}, {0}};
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, 0.001); /* a bound belongs to its class */
	histogram_add(&histogram, 0.0011);
	histogram_add(&histogram, 0.3);
	histogram_add(&histogram, 1000);
	prom_histogram(&out, "s", labels, &histogram);
	assert_non_null(strstr(out.text, "s_bucket{verb=\"get\",le=\"0.001\"} 1\n"
					 "s_bucket{verb=\"get\",le=\"0.0025\"} 2\n"));
	assert_non_null(strstr(out.text, "s_bucket{verb=\"get\",le=\"0.25\"} 2\n"
					 "s_bucket{verb=\"get\",le=\"0.5\"} 3\n"));
	assert_non_null(strstr(out.text, "s_bucket{verb=\"get\",le=\"10\"} 3\n"
					 "s_bucket{verb=\"get\",le=\"+Inf\"} 4\n"
					 "s_sum{verb=\"get\"} 1000.3021\n"
					 "s_count{verb=\"get\"} 4\n"));
}

static void traffic_is_counted_by_verb_and_status(void **state)
{
	struct kube_traffic traffic = {0};
	const struct traffic_verb_count *patch = &traffic.verbs[TRAFFIC_PATCH];

	(void)state;
	traffic_add(&traffic, "PATCH", false, 200, 0.02);
	traffic_add(&traffic, "PATCH", false, 409, 0.02);
	traffic_add(&traffic, "PATCH", false, 200, 0.02);
	traffic_add(&traffic, "GET", true, 200, 1800);
	assert_int_equal(patch->codes[0].code, 200);
	assert_int_equal(patch->codes[0].n, 2);
	assert_int_equal(patch->codes[1].code, 409);
	assert_int_equal(patch->codes[1].n, 1);
	assert_int_equal(patch->seconds.counts[4], 3);
	assert_int_equal(traffic.verbs[TRAFFIC_GET].codes[0].n, 0);
	assert_int_equal(traffic.verbs[TRAFFIC_WATCH].codes[0].n, 1);
	assert_true(traffic.verbs[TRAFFIC_WATCH].seconds.sum_s == 0);
}

static void a_server_with_many_statuses_is_bounded(void **state)
{
	struct kube_traffic traffic = {0};
	uint64_t n = 0;

	(void)state;
	for (int code = 100; code < 1000; code++)
		traffic_add(&traffic, "GET", false, code, 0);
	for (int i = 0; i < TRAFFIC_CODES; i++)
		n += traffic.verbs[TRAFFIC_GET].codes[i].n;
	assert_int_equal(n, 900);
	assert_int_equal(traffic.verbs[TRAFFIC_GET].codes[TRAFFIC_CODES - 1].code, TRAFFIC_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(a_sample_without_labels_has_no_braces),
		cmocka_unit_test(classes_of_a_histogram_add_up),
		cmocka_unit_test(traffic_is_counted_by_verb_and_status),
		cmocka_unit_test(a_server_with_many_statuses_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
