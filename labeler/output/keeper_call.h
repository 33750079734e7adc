/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The calls of a keeper: what is asked, and what an answer changes of what is known. */
#include "output/keeper.h"

#include <stdbool.h>

struct difference;
struct labels;

/* What should be there, in two forms. */
struct keeper_want {
	struct kube_pair *pairs; /* owned; borrowed texts */
	size_t n;
	char *text; /* owned; key=value lines */
};

/* Each starts a call: OUTPUT_WAITING, or -ENOMEM. */
int keeper_look(struct keeper *keeper, struct err *err);
int keeper_apply(struct keeper *keeper, const struct keeper_want *want, struct err *err);
int keeper_delete(struct keeper *keeper, struct err *err);

/*
 * Takes the extra labels away; on a server without server-side apply it sets ours, too, and takes
 * those away that were ours before.
 */
int keeper_merge(struct keeper *keeper, const struct keeper_want *want,
		 const struct difference *difference, struct err *err);

/*
 * Takes the answer where the call is done. 0: nothing stands in the way; or a negative errno with
 * the reason, and wait_until_ms set.
 */
int keeper_take_answer(struct keeper *keeper, const struct labels *labels, struct err *err);

/* Takes an event of the watch. */
void keeper_on_event(struct kube_watch *parser, struct kube_event *event);

/* Does the server take no label of that key? */
bool keeper_refuses(const struct keeper *keeper, const char *key);

/* Keeps a copy in the place of what was there. 0 or -ENOMEM. */
int keeper_keep_text(char **at, const char *text);
