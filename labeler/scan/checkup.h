/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the doctor wants to know beside the inventory; decides nothing, changes nothing. */
struct err;
struct host;
struct host_facts;
struct inventory;

/*
 * Fills empty facts, for the gpus of that inventory. What cannot be read is a failed fact. Config
 * space is touched here, and here alone: its first four bytes. Returns 0 or -ENOMEM.
 */
int scan_checkup(const struct host *host, const struct inventory *inventory, struct host_facts *ret,
		 struct err *err);
