/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Explanations for a person, and as JSON. */
#include <stdio.h>

struct explanation;

/* All that is known of one label. */
void print_explanation(FILE *out, const struct explanation *explanation);

/* One line: key=value and what it stands on, or why it is absent. */
void print_explanation_line(FILE *out, const struct explanation *explanation);

/*
 * {"labels": [{"key", "value", "wanted", "because", "next", "rule", "from", "modules", "members",
 * "not_from"}]}, null where there is nothing. Owned by the caller; NULL where memory runs out.
 */
char *explanations_to_json(const struct explanation *explanations, size_t n);
