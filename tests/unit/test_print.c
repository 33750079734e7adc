/* SPDX-License-Identifier: Apache-2.0 */
/* The table: aligned whatever the names, coloured only where it is asked for. */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "output/print.h"
#include "rules/rules.h"

static const struct gpu_row gpus[] = {
	{"0000:05:00.0", 0x1002, 0x74a1, 0x1200, "amdgpu", 7},
	{"10000:e1:00.0", 0x1002, 0x7448, 0x0300, "vfio-pci", 8},
	{"0000:06:00.0", 0x1002, 0x74a1, 0x1200, NULL, 0},
	{"0000:07:00.0", 0x1002, 0, 0x1200, "!driver: is no link", -1},
};
/* In the order of the addresses. */
static const char *const names[] = {
	"AMD Instinct MI300X",
	"C\xc3\xa9sar",
	"-",
	"a name that is a good deal longer than any name of a card that was ever sold to anybody",
};

static char *table(bool colour)
{
	const struct rule_options options = {0};
	const struct print_table how = {colour, names};
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	struct err err;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ARRAY_SIZE(gpus); i++)
		make_gpu(&inventory, &gpus[i]);
	inventory_sort(&inventory);
	assert_int_equal(rules_apply(&inventory, &options, &verdict, &err), 0);
	print_table(out, &how, &inventory, &verdict);
	(void)fclose(out);
	return text;
}

/* Characters before at in its line. */
static size_t column_of(const char *text, const char *at)
{
	size_t n = 0;

	for (; at > text && at[-1] != '\n'; at--)
		n += ((unsigned char)at[-1] & 0xc0) != 0x80;
	return n;
}

static void columns_stand_in_line(void **state)
{
	static const char *const last[] = {"container\n", "vfio; serves pf-passthrough",
					   "nothing: no driver",
					   "nothing: its driver cannot be read"};
	auto_free char *text = table(false);
	const size_t column = column_of(text, strstr(text, "COUNTS AS"));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		const char *at = strstr(text, last[i]);

		if (!at)
			fail_msg("%s is not in\n%s", last[i], text);
		assert_int_equal(column_of(text, at), column);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(strstr(text, names[i]));
	assert_non_null(strstr(text, "1002:?"));
	assert_non_null(strstr(text, " labels\n"));
	assert_non_null(strstr(text, "several modes"));
}

static void colour_is_all_that_colour_adds(void **state)
{
	auto_free char *plain = table(false);
	auto_free char *colour = table(true);
	char *to = colour;

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_non_null(strchr(colour, '\033'));
	for (const char *from = colour; *from;) {
		if (*from == '\033')
			from += strcspn(from, "m") + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
	assert_string_equal(plain, colour);
}

static void a_node_without_gpu_is_told_in_words(void **state)
{
	const struct print_table how = {false, NULL};
	const struct inventory inventory = {0};
	const struct verdict verdict = {0};
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	print_table(out, &how, &inventory, &verdict);
	(void)fclose(out);
	assert_string_equal(text, "No GPU function of AMD or Intel on this node.\n\nNo label\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_stand_in_line),
		cmocka_unit_test(colour_is_all_that_colour_adds),
		cmocka_unit_test(a_node_without_gpu_is_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
