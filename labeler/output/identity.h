/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which API server, and which node we are on. The host's name is never taken for the node's. */
#include "kube/access.h"

/* What the settings say; NULL or "": find out. */
struct identity_wish {
	const char *kubeconfig, *context, *node, *namespace;
};
struct identity {
	struct kube_access access; /* owned */
	char *node;                /* owned */
	char *node_uid;            /* owned; NULL: the token does not say */
	char *namespace;           /* owned; for objects of ours */
};

/*
 * Fills an empty *ret. Returns 0, -EINVAL where these settings can never work: no server, no node,
 * a node that is not the token's; or another negative errno.
 */
int identity_find(const struct identity_wish *wish, struct identity *ret, struct err *err);

/* The same for one who acts on the whole cluster: no node is looked for. */
int identity_of_cluster(const struct identity_wish *wish, struct identity *ret, struct err *err);
void identity_clear(struct identity *identity);
