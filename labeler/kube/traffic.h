/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What was asked of an API server and what it answered, counted: plain data, bounded. */
#include "base/histogram.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TRAFFIC_CODES = 12, /* a server that answers with more kinds is counted, not listed */
	TRAFFIC_OTHER = -1, /* the code of what is not listed */
};
enum traffic_verb {
	TRAFFIC_GET,
	TRAFFIC_WATCH,
	TRAFFIC_PATCH,
	TRAFFIC_DELETE,
	TRAFFIC_POST,
	TRAFFIC_VERBS,
};
extern const char *const traffic_verbs[TRAFFIC_VERBS]; /* "get" and so on */

struct traffic_verb_count {
	struct {
		int code; /* of HTTP; 0: no answer */
		uint64_t n;
	} codes[TRAFFIC_CODES]; /* in the order in which they came; n 0: not used */
	struct histogram seconds;
};
struct kube_traffic {
	struct traffic_verb_count verbs[TRAFFIC_VERBS];
	uint64_t n_watches; /* that were opened */
};

/* An exchange is over. method: of HTTP. A watch lasts as long as it lasts: it is timed by no one.
 */
void traffic_add(struct kube_traffic *traffic, const char *method, bool is_watch, int code,
		 double seconds);
