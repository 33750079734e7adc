/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the Node carries now, beside what it should, and who set it. */
#include <stdbool.h>

struct err;
struct identity_wish;
struct kube_object;
struct labels;
struct strbuf;

enum on_node_state {
	ON_NODE_SAME,
	ON_NODE_OTHER,   /* another value */
	ON_NODE_MISSING, /* it should be there */
	ON_NODE_STALE,   /* it should not */
	ON_NODE_NEITHER, /* it should not, and isn't */
	ON_NODE_STATES,
};
struct on_node {
	enum on_node_state state;
	const char *value; /* borrowed; NULL: the Node has none */
	const char *owner; /* borrowed; of those who are not us: "nfd-master (Update)"; NULL */
	bool applied;      /* by us */
};

/* "same", "other", "missing", "stale", "neither". */
const char *on_node_name(enum on_node_state state);

/* What to do about it; NULL: nothing. */
const char *on_node_fix(enum on_node_state state);

/* wanted: the value that the key should have, NULL: none. Pure. */
struct on_node on_node_find(const struct kube_object *node, const char *key, const char *wanted);

/* The keys of the Node that are ours, by name or since we applied them, and not among the labels: a
 * line each. Pure. */
void on_node_stale(const struct kube_object *node, const struct labels *labels, struct strbuf *out);

/*
 * Asks for the own Node. *ret_name is owned by the caller. Fills an empty *ret. Returns 0, -EINVAL
 * where the settings can never work, or another negative errno.
 */
int on_node_read(const struct identity_wish *wish, struct kube_object *ret, char **ret_name,
		 struct err *err);
