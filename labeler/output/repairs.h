/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How often labels are put right that somebody else changed: at once, but a few times an hour only.
 * Against another controller that means it, both would write for ever. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REPAIRS_AN_HOUR = 20,
	REPAIRS_APART_MS = 5 * 60 * 1000, /* beyond those */
	REPAIRS_HOUR_MS = 60 * 60 * 1000,
};
struct repairs {
	int64_t times[REPAIRS_AN_HOUR]; /* of the last ones, a ring */
	size_t n;                       /* all that there ever were */
};

/* From when on the next one may be: now_ms, or later where there were too many. */
int64_t repairs_allowed_at(const struct repairs *repairs, int64_t now_ms);
void repairs_add(struct repairs *repairs, int64_t now_ms);
