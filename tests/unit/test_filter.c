/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "base/err.h"
#include "rules/filter.h"

#include <errno.h>

static struct good_row {
	const char *name, *text;
	size_t n_ids;
	bool has_amd_74b5, has_intel_56c0;
} good_rows[] = {
	{"the empty list is none", "", 0, false, false},
	{"blanks are no list either", " \t ", 0, false, false},
	{"one id of any vendor", "0x74b5", 1, true, false},
	{"one id of a vendor", "1002:74b5", 1, true, false},
	{"the id of another vendor", "8086:74b5", 1, false, false},
	{"upper case", "0X74B5,8086:56C0", 2, true, true},
	{"blanks round the elements", " 0x74b5 ,\t0x56c0 ", 2, true, true},
	{"an id that is not asked for", "0x74b6", 1, false, false},
};

static void check_good(void **state)
{
	const struct good_row *row = *state;
	CLEANUP(filter_clear) struct filter_list list = {0};
	struct err err;

	assert_int_equal(filter_parse(row->text, &list, &err), 0);
	assert_int_equal(list.n_ids, row->n_ids);
	assert_int_equal(filter_has(&list, 0x1002, 0x74b5), row->has_amd_74b5);
	assert_int_equal(filter_has(&list, 0x8086, 0x56c0), row->has_intel_56c0);
}

static struct bad_row {
	const char *name, *text, *says;
} bad_rows[] = {
	{"three digits", "0x123,0x5678", "\"0x123\""},
	{"five digits", "0x74b5f", "\"0x74b5f\""},
	{"no 0x", "0x1234,abcd", "\"abcd\""},
	{"no hex", "0x74g5", "\"0x74g5\""},
	{"a comma at the end", "0x74b5,", "empty"},
	{"a comma at the start", ",0x74b5", "empty"},
	{"two commas", "0x74b5,,0x74b6", "empty"},
	{"a blank element", "0x74b5, ,0x74b6", "empty"},
	{"a comma alone", ",", "empty"},
	{"a blank inside", "0x74 b5", "\"0x74 b5\""},
	{"a bad vendor", "10g2:74b5", "\"10g2:74b5\""},
	{"a bad device", "1002:74b", "\"1002:74b\""},
	{"a bad device of full length", "1002:74bz", "\"1002:74bz\""},
	{"a dash for the colon", "1002-74b5", "\"1002-74b5\""},
	{"another letter for the x", "0y74b5", "\"0y74b5\""},
	{"a star", "1002:*", "\"1002:*\""},
	{"a word is shown cut",
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "\"xxxx"},
};

static void check_bad(void **state)
{
	const struct bad_row *row = *state;
	struct filter_list list = {0};
	struct err err;

	assert_int_equal(filter_parse(row->text, &list, &err), -EINVAL);
	assert_non_null(strstr(err.text, row->says));
	assert_null(list.ids);
}

int main(void)
{
	return RUN_ROWS(good_rows, check_good) + RUN_ROWS(bad_rows, check_bad);
}
