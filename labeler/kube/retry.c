/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/retry.h"

#include "base/cleanup.h"

#include <stdbool.h>

enum {
	FIRST_MS = 1000,
	MOST_MS = 5 * 60 * 1000,
	LEAST_MS = 100,
	FORBIDDEN_MS = 60 * 1000,
	RETRY_AFTER_MOST_S = 3600, /* nobody may send us away for good */
};

enum way {
	WAY_JITTER,   /* below a doubling bound */
	WAY_AGAIN,    /* at once, then jitter */
	WAY_A_MINUTE, /* a person has to act */
	WAY_LONGEST,  /* the longest: the request itself is wrong */
};

static enum way way_of(int status)
{
	static const struct {
		int status;
		enum way way;
	} ways[] = {
		{401, WAY_AGAIN}, {403, WAY_A_MINUTE}, {404, WAY_JITTER}, {408, WAY_JITTER},
		{409, WAY_AGAIN}, {410, WAY_AGAIN},    {425, WAY_JITTER}, {429, WAY_JITTER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (ways[i].status == status)
			return ways[i].way;
	}
	return status >= 400 && status < 500 ? WAY_LONGEST : WAY_JITTER;
}

/* From low to high. */
static int64_t between(int64_t low, int64_t high, uint32_t random)
{
	return low + (int64_t)((uint64_t)random % (uint64_t)(high - low + 1));
}

static int64_t full_jitter(unsigned int attempt, uint32_t random)
{
	int64_t bound = FIRST_MS;

	for (unsigned int i = 0; i < attempt && bound < MOST_MS; i++)
		bound *= 2;
	return between(LEAST_MS, bound < MOST_MS ? bound : MOST_MS, random);
}

int64_t kube_retry_ms(const struct kube_failure *failure, uint32_t random)
{
	int64_t asked_s = failure->retry_after_s;

	if (asked_s > RETRY_AFTER_MOST_S)
		asked_s = RETRY_AFTER_MOST_S;
	if (asked_s > 0)
		return between(asked_s * 1000, asked_s * 2000, random);
	switch (way_of(failure->status)) {
	case WAY_AGAIN:
		return failure->attempt == 0 ? 0 : full_jitter(failure->attempt, random);
	case WAY_A_MINUTE:
		return between(FORBIDDEN_MS, FORBIDDEN_MS * 3 / 2, random);
	case WAY_LONGEST:
		return between(MOST_MS, MOST_MS * 3 / 2, random);
	case WAY_JITTER:
		break;
	}
	return full_jitter(failure->attempt, random);
}
