/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One value or many: which keys a counted kind gives. Source: the reference labeller's rule, of
 * which every consumer of these labels knows some part.
 */
#include "rules/labels.h"
#include "rules/validity.h"

struct verdict;

/* How many devices have which value. */
struct tally_row {
	struct label_value value;
	struct picks gpus; /* owned; each function once */
	size_t count;      /* of devices: functions, or the partitions of functions */
};
struct tally {
	struct tally_row *rows; /* owned, in the order of first sight */
	size_t n_rows;
	bool unknown; /* a device has a value that could not be read: not known to be all alike */
	bool failed;  /* out of memory: a device is missing */
};

/* One device more. An empty value is an unknown one. */
void tally_add(struct tally *tally, struct label_value value, size_t gpu);
void tally_clear(struct tally *tally);

/*
 * Puts the labels of a kind. All alike: amd.com/gpu.<kind>=X, beta.amd.com/gpu.<kind>=X and
 * beta.amd.com/gpu.<kind>.X=n. Several values, or one not known: amd.com/gpu.<kind>.X=n and
 * beta.amd.com/gpu.<kind>.X=n for each that is known.
 */
void count_put(struct verdict *verdict, const char *kind, const struct rule *rule,
	       const struct tally *tally);
