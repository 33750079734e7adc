/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The labels of our own Node, by server-side apply: these and no others of ours, also where an
 * older agent or AMD's labeller left some. Anybody else's are not touched.
 */
#include "output/output.h"

struct identity_wish;

/* Returns 0, -EINVAL where these settings can never work, or another negative errno. */
int node_open(const struct identity_wish *wish, int64_t spread_ms, struct output **ret,
	      struct err *err);
