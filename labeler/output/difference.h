/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an object of the API server lacks, or has too much, of the labels that it should have. Pure.
 */
#include "kube/apply.h"
#include "kube/object.h"

struct difference {
	bool missing; /* a label that should be there is not, or has another value */
	bool stale;   /* one that we applied should not be there any more */
	bool unowned; /* one has the right value, but not from us */
	/* Owned, with borrowed keys and no values: ours by name, and neither wanted nor applied. */
	struct kube_pair *extra;
	size_t n_extra;
	char said[512]; /* the first of these for a person, and who did it; "" where there is none
			 */
};

/* is_ours: NULL where nobody else's labels are taken away. Fills an empty *ret. 0 or -ENOMEM. */
int difference_find(const struct kube_object *seen, const struct kube_pair *want, size_t n,
		    bool (*is_ours)(const char *key), struct difference *ret);
void difference_clear(struct difference *difference);

/* Is there anything that a reader of the labels would see? */
static inline bool difference_shows(const struct difference *difference)
{
	return difference->missing || difference->stale || difference->n_extra > 0;
}
