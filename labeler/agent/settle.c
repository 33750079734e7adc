/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/settle.h"

void settle_event(struct settle *settle, int64_t now_ms)
{
	if (!settle->pending)
		settle->first_ms = now_ms;
	settle->pending = true;
	settle->last_ms = now_ms;
}

int64_t settle_due(const struct settle *settle)
{
	const int64_t quiet = settle->last_ms + SETTLE_QUIET_MS;
	const int64_t at_most = settle->first_ms + SETTLE_AT_MOST_MS;

	if (!settle->pending)
		return INT64_MAX;
	return quiet < at_most ? quiet : at_most;
}

void settle_done(struct settle *settle)
{
	settle->pending = false;
}
