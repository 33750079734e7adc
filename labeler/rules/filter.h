/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* allow-ids and deny-ids: which functions may be counted, for every vendor, before anything is. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct filter_id {
	bool any_vendor; /* 0x74b5 rather than 1002:74b5 */
	uint16_t vendor, device;
};
struct filter_list {
	struct filter_id *ids; /* owned */
	size_t n_ids;          /* 0: no list */
};

/*
 * A comma list; each element is 0x and four hex digits, or vvvv:dddd, in either case, blanks round
 * it allowed. The empty text is no list. Returns 0 or -EINVAL with the element named, -ENOMEM;
 * *ret is then untouched.
 */
int filter_parse(const char *text, struct filter_list *ret, struct err *err);
void filter_clear(struct filter_list *list);

bool filter_has(const struct filter_list *list, uint16_t vendor, uint16_t device);
