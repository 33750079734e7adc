/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What amdgpu shows of the GPUs that it drives: names, partitions, memory, firmware. Only
 * attributes that say something are read: some act when they are.
 */
struct host;
struct inventory;
struct scan_options;

/* Adds a card for each AMD GPU bound to amdgpu, with what can be read. Returns 0 or -ENOMEM. */
int scan_cards(const struct host *host, const struct scan_options *options,
	       struct inventory *inventory);
