/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Chance, so that the nodes of a cluster do not march in step. Not for secrets. */
#include <stdint.h>
#include <sys/random.h>

/* Any number; 0 where the kernel has none yet. */
static inline uint32_t random_number(void)
{
	uint32_t number = 0;

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return number;
}

/* Below a bound that is above 0. */
static inline int64_t random_below(int64_t bound)
{
	return (int64_t)(random_number() % (uint64_t)bound);
}
