/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/traffic.h"

#include <stddef.h>
#include <strings.h>

const char *const traffic_verbs[TRAFFIC_VERBS] = {"get", "watch", "patch", "delete", "post"};

static enum traffic_verb verb_of(const char *method, bool is_watch)
{
	if (is_watch)
		return TRAFFIC_WATCH;
	for (unsigned int i = 0; i < TRAFFIC_VERBS; i++) {
		if (strcasecmp(method, traffic_verbs[i]) == 0)
			return (enum traffic_verb)i;
	}
	return TRAFFIC_GET;
}

void traffic_add(struct kube_traffic *traffic, const char *method, bool is_watch, int code,
		 double seconds)
{
	const enum traffic_verb verb = verb_of(method, is_watch);
	struct traffic_verb_count *count = &traffic->verbs[verb];
	size_t i = 0;

	while (i < TRAFFIC_CODES - 1 && count->codes[i].n > 0 && count->codes[i].code != code)
		i++;
	count->codes[i].code = i < TRAFFIC_CODES - 1 ? code : TRAFFIC_OTHER;
	count->codes[i].n++;
	if (verb != TRAFFIC_WATCH)
		histogram_add(&count->seconds, seconds);
}
