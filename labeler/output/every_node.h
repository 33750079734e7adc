/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Takes away what agents have published through the API server, on every Node: for when there is
 * no agent any more that would do it on its own, or put it back.
 */
#include <stddef.h>

struct err;
struct identity_wish;

struct every_node_count {
	size_t seen, cleaned;
};

/*
 * The labels of all Nodes that are ours, by name or because an agent applied them; the NodeFeature
 * objects of all agents in the namespace. What fails for a moment is tried again. *ret says how far
 * it came, also after a failure. Returns 0 or a negative errno with the reason.
 */
int every_node_unlabel(const struct identity_wish *wish, struct every_node_count *ret,
		       struct err *err);
int every_node_delete_features(const struct identity_wish *wish, struct every_node_count *ret,
			       struct err *err);
