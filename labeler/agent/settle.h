/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * When to look again after events: once they have been quiet for a while, and in a storm after a
 * time at most. A bind is three events, 60 new VFs are 300: each group of them is one scan. Pure;
 * times are of one clock that only goes forward, in ms.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	SETTLE_QUIET_MS = 50,
	SETTLE_AT_MOST_MS = 500,
};
struct settle {
	bool pending;
	int64_t first_ms, last_ms; /* of the events that are waited for */
};

void settle_event(struct settle *settle, int64_t now_ms);

/* When to look; INT64_MAX where nothing is pending. */
int64_t settle_due(const struct settle *settle);

/* It has been looked: what comes now is new. */
void settle_done(struct settle *settle);
