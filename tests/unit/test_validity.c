/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "rules/validity.h"

#define X10 "xxxxxxxxxx"
#define X63 X10 X10 X10 X10 X10 X10 "xxx"
#define DNS61 X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 X10 "x"

static struct key_row {
	const char *name, *key;
	bool good;
} key_rows[] = {
	{"a key of ours", "amd.com/gpu.device-id.74a1", true},
	{"no prefix", "gpu", true},
	{"a name of 63", "amd.com/" X63, true},
	{"a name of 64 is refused", "amd.com/" X63 "x", false},
	{"an empty name is refused", "amd.com/", false},
	{"an empty key is refused", "", false},
	{"an empty prefix is refused", "/gpu", false},
	{"two slashes are refused", "amd.com/gpu/mode", false},
	{"a name that ends in a dot is refused", "amd.com/gpu.", false},
	{"a name that starts with a dash is refused", "amd.com/-gpu", false},
	{"a blank in a name is refused", "amd.com/gpu mode", false},
	{"a letter beyond ASCII is refused", "amd.com/gp\xc3\xbc", false},
	{"an upper case prefix is refused", "AMD.com/gpu", false},
	{"an underscore in a prefix is refused", "a_b.com/gpu", false},
	{"an empty part of a prefix is refused", "amd..com/gpu", false},
	{"a prefix that ends in a dot is refused", "amd.com./gpu", false},
	{"a part that ends in a dash is refused", "amd-.com/gpu", false},
	{"a part that starts with a dash is refused", "-amd.com/gpu", false},
	{"a part of 64 is refused", X63 "x.com/gpu", false},
	{"a prefix of 253", DNS61 "/gpu", true},
	{"a prefix of 254 is refused", DNS61 "x/gpu", false},
	{"digits and dashes inside", "1a-b2.c3/0", true},
};

static void check_key(void **state)
{
	const struct key_row *row = *state;

	assert_int_equal(validity_key(row->key), row->good);
}

static struct value_row {
	const char *name, *value;
	bool good;
} value_rows[] = {
	{"the empty value", "", true},
	{"one character", "8", true},
	{"all kinds inside", "a-B_c.9", true},
	{"63 characters", X63, true},
	{"64 characters are refused", X63 "x", false},
	{"a tilde is refused", "a~b", false},
	{"a plus is refused", "6.14.14+rocm6", false},
	{"a leading underscore is refused", "_a", false},
	{"a trailing dot is refused", "a.", false},
};

static void check_value(void **state)
{
	const struct value_row *row = *state;

	assert_int_equal(validity_value(row->value), row->good);
}

static struct clean_row {
	const char *name, *text, *value;
} clean_rows[] = {
	{"a good one stays", "8.1.0.K-3-g88374e0", "8.1.0.K-3-g88374e0"},
	{"a run of others becomes one underscore", "a ++ (b)", "a_b"},
	{"an underscore beside a run stays", "a_ b", "a__b"},
	{"the ends are trimmed", " .-_8.1.0_-. ", "8.1.0"},
	{"nothing legal is empty", "++ --", ""},
	{"the empty text is empty", "", ""},
	{"cut at 63", X63 "yy", X63},
	{"trimmed again after the cut", X10 X10 X10 X10 X10 X10 "x..yyy",
	 X10 X10 X10 X10 X10 X10 "x"},
	{"control characters and UTF-8", "a\033[1mb\xc3\xa9", "a_1mb"},
};

static void check_clean(void **state)
{
	const struct clean_row *row = *state;
	const struct label_value value = validity_clean(row->text);

	assert_string_equal(value.text, row->value);
	assert_true(validity_value(value.text));
}

int main(void)
{
	return RUN_ROWS(key_rows, check_key) + RUN_ROWS(value_rows, check_value) +
	       RUN_ROWS(clean_rows, check_clean);
}
