/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "inventory/addr.h"

#include <stdbool.h>

static struct parse_row {
	const char *name, *text;
	bool good;
} parse_rows[] = {
	{"a usual address", "0000:c1:00.0", true},
	{"all hex digits", "ffff:ff:1f.7", true},
	{"a domain of five digits", "10000:e1:00.0", true},
	{"a domain of eight digits", "ffffffff:00:00.0", true},
	{"a domain of nine digits is none", "fffffffff:00:00.0", false},
	{"a padded domain is none", "00000:e1:00.0", false},
	{"a short domain is none", "000:c1:00.0", false},
	{"upper case is none", "0000:C1:00.0", false},
	{"slot 20 is none", "0000:c1:20.0", false},
	{"function 8 is none", "0000:c1:00.8", false},
	{"no function is none", "0000:c1:00", false},
	{"more behind it is none", "0000:c1:00.0x", false},
	{"a blank before it is none", " 0000:c1:00.0", false},
	{"a bus of one digit is none", "0000:1:00.0", false},
	{"the empty text is none", "", false},
	{"a word is none", "power", false},
	{"a sign is none", "-000:c1:00.0", false},
};

static void check_parse(void **state)
{
	const struct parse_row *row = *state;
	struct addr addr = {.domain = 0xdead};

	assert_int_equal(addr_parse(row->text, &addr), row->good);
	if (row->good)
		assert_string_equal(addr_text(addr).text, row->text);
	else
		assert_int_equal(addr.domain, 0xdead);
}

static struct order_row {
	const char *name, *a, *b;
	int order;
} order_rows[] = {
	{"equal", "0000:c1:00.0", "0000:c1:00.0", 0},
	{"by function", "0000:c1:00.0", "0000:c1:00.1", -1},
	{"by slot before function", "0000:c1:01.0", "0000:c1:00.7", 1},
	{"by bus before slot", "0000:02:00.0", "0000:01:1f.7", 1},
	{"by domain before bus", "10000:00:00.0", "ffff:ff:1f.7", 1},
};

static void check_order(void **state)
{
	const struct order_row *row = *state;
	struct addr a, b;

	assert_true(addr_parse(row->a, &a));
	assert_true(addr_parse(row->b, &b));
	assert_int_equal(addr_compare(a, b), row->order);
	assert_int_equal(addr_compare(b, a), -row->order);
}

int main(void)
{
	return RUN_ROWS(parse_rows, check_parse) + RUN_ROWS(order_rows, check_order);
}
