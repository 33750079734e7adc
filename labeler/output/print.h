/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Labels and the table of GPUs, as text for a stream. A failed write shows in ferror() alone. */
#include <stdbool.h>
#include <stdio.h>

struct inventory;
struct labels;
struct verdict;

/* key=value lines in byte order: NFD's feature file and hook format. */
void print_labels(FILE *out, const struct labels *labels);

struct print_table {
	bool colour;
	const char *const *names; /* of each of the inventory's gpus, never NULL */
};

/* For a person: every GPU function and what it counts as, the labels, what to know about them. */
void print_table(FILE *out, const struct print_table *how, const struct inventory *inventory,
		 const struct verdict *verdict);
