/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A test is a row whose name is a sentence; cmocka runs one function over all rows of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* rows: an array of structs whose first member is the sentence. */
#define RUN_ROWS(rows, check) run_rows((rows), ARRAY_SIZE(rows), sizeof((rows)[0]), (check))

static inline int run_rows(void *rows, size_t n, size_t size, CMUnitTestFunction check)
{
	struct CMUnitTest *tests = calloc(n, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < n; i++) {
		char *row = (char *)rows + i * size;

		tests[i] = (struct CMUnitTest){
			.name = *(char **)row, .test_func = check, .initial_state = row};
	}
	failed = _cmocka_run_group_tests("rows", tests, n, NULL, NULL);
	free(tests);
	return failed;
}
