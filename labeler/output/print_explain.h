/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Explanations for a person, and as JSON. */
#include "output/on_node.h"
#include "rules/explain.h"

#include <stdio.h>

/* One label, and what the Node carries in its place. */
struct print_explained {
	struct explanation label;
	struct on_node on_node; /* where a node was asked */
};

/* node: the name of the Node that was asked; NULL: none was. */

/* All that is known of one label. */
void print_explanation(FILE *out, const char *node, const struct print_explained *explained);

/* One line: key=value and what it stands on, or why it is absent. */
void print_explanation_line(FILE *out, const char *node, const struct print_explained *explained);

/*
 * {"node": "gpu-7",
 *  "labels": [{"key", "value", "wanted", "because", "next", "rule", "from", "modules", "members",
 *              "not_from", "on_node": {"state", "value", "owner", "applied", "next"}}]}
 *
 * null where there is nothing. Owned by the caller; NULL where memory runs out.
 */
char *explanations_to_json(const char *node, const struct print_explained *explained, size_t n);
