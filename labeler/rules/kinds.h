/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of kinds share: amd.c and vfio.c, one vendor or theme a file. */
#include "rules/labels.h"
#include "rules/validity.h"

struct function;
struct inventory;
struct possibles;
struct rule_options;
struct verdict;

#define UNDER_AMD "amd.com/gpu."
#define UNDER_BETA "beta.amd.com/gpu."

struct count_text {
	char text[24];
};

/* A count as a label's value: a plain integer, so that node affinity's Gt and Lt work. */
struct count_text count_text(size_t count);

/* An AMD device id as a label writes it: 74b5, or 0x74b5; empty where it is not known. */
struct label_value kinds_device_id(const struct function *gpu, bool with_0x);

/* Why the user's lists of ids leave the function out; NULL where they don't. */
const char *filter_why(const struct rule_options *options, const struct function *gpu);

/* As Intel's own NFD rules write an id: class and device, 0380-56c0; empty where it is not known.
 */
struct label_value kinds_intel_id(const struct function *gpu);

/* labels_put() with a key that is formatted. */
void kinds_put(struct verdict *verdict, struct origin origin, const char *value,
	       const char *key_format, ...) __attribute__((format(printf, 4, 5)));

/* Each lists the keys that its tables could make. */
void amd_possible(const struct rule_options *options, struct possibles *out);
void vfio_possible(const struct rule_options *options, struct possibles *out);
void intel_possible(const struct rule_options *options, struct possibles *out);

/*
 * Each puts its labels and notes into a verdict whose parts and mode are set.
 */
void amd_labels(const struct inventory *inventory, const struct rule_options *options,
		struct verdict *verdict);
void vfio_labels(const struct inventory *inventory, const struct rule_options *options,
		 struct verdict *verdict);
void intel_labels(const struct inventory *inventory, const struct rule_options *options,
		  struct verdict *verdict);
