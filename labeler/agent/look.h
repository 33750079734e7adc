/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One look at the node, and whether to believe it. A device that can't be read any more may be
 * going, or coming, or broken: labels that change because of it wait for a second look that agrees.
 */
#include "config.h"
#include "inventory/inventory.h"
#include "rules/rules.h"

struct err;
struct host;
struct host_facts;

struct look {
	struct inventory inventory;
	struct verdict verdict;
};

/* The scan alone, of the host that the config names, with all that the agent can ask. */
int look_scan(const struct config *config, struct inventory *ret, struct err *err);

/*
 * The scan of a host that is open, and what the doctor asks beside it. Fills both, which are empty.
 */
int look_checkup(const struct config *config, const struct host *host, struct inventory *inventory,
		 struct host_facts *facts, struct err *err);

/* The scan and what follows from it. Both fill an empty *ret: 0, or a negative errno. */
int look_take(const struct config *config, struct look *ret, struct err *err);
void look_clear(struct look *look);

/*
 * Pure: has a GPU of before, in now, become unreadable, as a whole or in what its part depends on?
 */
bool look_is_doubtful(const struct look *before, const struct look *now);

/* Pure: do both come to the same labels? */
bool look_same_labels(const struct look *a, const struct look *b);
