/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which label keys are ours by their name: what an older agent, or AMD's labeller, left behind. */
#include <stdbool.h>

/*
 * A kind of the label contract under one of its prefixes, with or without a suffix. Not the keys of
 * rule-labels: on most clusters those belong to NFD.
 */
bool label_key_is_ours(const char *key);
