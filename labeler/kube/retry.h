/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How long to wait after an answer that was not the hoped-for one. Pure. */
#include <stdint.h>

enum {
	KUBE_NO_ANSWER = 0, /* in the place of a status: the request failed on its way */
};
struct kube_failure {
	int status;            /* of HTTP, or KUBE_NO_ANSWER */
	int64_t retry_after_s; /* what the server asks for; -1: it did not say */
	unsigned int attempt;  /* how many failed before this one, in a row */
};

/*
 * The wait in ms. random: any number; spreads the nodes of a cluster.
 * - Retry-After, where the server says it: as long as that, up to twice;
 * - 401 and 409 at first: none, since the token is read again, and the object looked at again;
 * - 403: a minute, since only a person can help;
 * - 400, 422 and the rest of 4xx: five minutes, since the same request will fail again;
 * - everything else: full jitter below 1 s, 2 s, 4 s ... 5 minutes.
 */
int64_t kube_retry_ms(const struct kube_failure *failure, uint32_t random);
