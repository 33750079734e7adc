/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "kube/retry.h"

#include <stdbool.h>

static struct row {
	const char *name;
	struct kube_failure failure;
	int64_t least_ms, most_ms; /* for any random number */
} rows[] = {
	{"no answer, first: below a second", {KUBE_NO_ANSWER, -1, 0}, 100, 1000},
	{"no answer, third: below four", {KUBE_NO_ANSWER, -1, 2}, 100, 4000},
	{"no answer, for a day: below five minutes", {KUBE_NO_ANSWER, -1, 300}, 100, 300000},
	{"500 as no answer", {500, -1, 1}, 100, 2000},
	{"503 with Retry-After: that long, up to twice", {503, 5, 0}, 5000, 10000},
	{"429 with Retry-After, however often", {429, 32, 9}, 32000, 64000},
	{"429 without", {429, -1, 0}, 100, 1000},
	{"a Retry-After of a year is an hour", {503, 31536000, 0}, 3600000, 7200000},
	{"401: the token is read again at once", {401, -1, 0}, 0, 0},
	{"401 again: as no answer", {401, -1, 1}, 100, 2000},
	{"409: the object is looked at again at once", {409, -1, 0}, 0, 0},
	{"403: a minute, since a person has to act", {403, -1, 0}, 60000, 90000},
	{"404: as no answer", {404, -1, 1}, 100, 2000},
	{"400: five minutes, since it will fail again", {400, -1, 0}, 300000, 450000},
	{"422: likewise", {422, -1, 5}, 300000, 450000},
	{"a redirect: as no answer", {302, -1, 0}, 100, 1000},
	{"a status of our own: as no answer", {200, -1, 0}, 100, 1000},
};

static void check(void **state)
{
	const struct row *row = *state;
	bool spread = false;
	const int64_t first = kube_retry_ms(&row->failure, 0);

	for (uint64_t random = 0; random <= UINT32_MAX; random += 1234567) {
		const int64_t wait_ms = kube_retry_ms(&row->failure, (uint32_t)random);

		assert_in_range(wait_ms, row->least_ms, row->most_ms);
		spread |= wait_ms != first;
	}
	assert_int_equal(spread, row->least_ms < row->most_ms);
}

int main(void)
{
	return RUN_ROWS(rows, check);
}
