/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a node would have after a change that nobody has made yet. Pure: an inventory is edited as
 * the kernel would change what the next scan reads.
 *
 *   bind ADDRESS DRIVER     the function is bound to that driver, whatever had it before
 *   unbind ADDRESS          no driver is bound to it
 *   numvfs ADDRESS NUMBER   the PF gets so many VFs; 0 takes them away
 *
 * with a ; between them. A PF that changes its driver loses its VFs, as GPU drivers take them
 * along.
 */
struct err;
struct inventory;
struct strbuf;

enum {
	WHAT_IF_REFUSED = 1, /* the step makes no sense, or the kernel would refuse it */
	WHAT_IF_VFS = 256,   /* that one change may make */
};

/*
 * Edits a sorted inventory; it is sorted afterwards. What had to be assumed is added to assumed, a
 * line each. Returns 0, WHAT_IF_REFUSED with the step and the reason in err and the inventory
 * changed up to that step, or -ENOMEM.
 */
int what_if_apply(const char *steps, struct inventory *inventory, struct strbuf *assumed,
		  struct err *err);
