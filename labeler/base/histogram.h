/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How long things took, counted in classes. Plain data: an empty one is all zero. */
#include <stdint.h>

enum {
	HISTOGRAM_BOUNDS = 11,
};
/* Upper bounds in seconds, ascending: from one millisecond to ten seconds. */
extern const double histogram_bounds[HISTOGRAM_BOUNDS];

struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* of each class alone; the last: above all bounds */
	double sum_s;
};

void histogram_add(struct histogram *histogram, double seconds);

/* Seconds since some moment in the past, for two of them to be subtracted. */
double histogram_clock(void);
