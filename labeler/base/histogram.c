/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <stddef.h>
#include <time.h>

const double histogram_bounds[HISTOGRAM_BOUNDS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
						   0.1,   0.25,   0.5,   2.5,  10};

void histogram_add(struct histogram *histogram, double seconds)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && seconds > histogram_bounds[i])
		i++;
	histogram->counts[i]++;
	histogram->sum_s += seconds;
}

double histogram_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
