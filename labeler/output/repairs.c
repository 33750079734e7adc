/* SPDX-License-Identifier: Apache-2.0 */
#include "output/repairs.h"

int64_t repairs_allowed_at(const struct repairs *repairs, int64_t now_ms)
{
	const int64_t oldest = repairs->times[repairs->n % REPAIRS_AN_HOUR];
	int64_t last;

	if (repairs->n < REPAIRS_AN_HOUR || now_ms - oldest >= REPAIRS_HOUR_MS)
		return now_ms;
	last = repairs->times[(repairs->n - 1) % REPAIRS_AN_HOUR];
	return last + REPAIRS_APART_MS > now_ms ? last + REPAIRS_APART_MS : now_ms;
}

void repairs_add(struct repairs *repairs, int64_t now_ms)
{
	repairs->times[repairs->n++ % REPAIRS_AN_HOUR] = now_ms;
}
