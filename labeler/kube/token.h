/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a ServiceAccount's token says of itself. Since Kubernetes 1.30 the token of a pod carries
 * the node that the pod runs on. It is read, not verified: the server does that. Pure.
 */
struct kube_claims {
	char *node, *node_uid; /* owned; NULL where the token does not say */
	char *namespace;       /* owned; likewise */
};

/* Fills an empty *ret; it stays empty where the token is of another kind. 0 or -ENOMEM. */
int kube_claims_read(const char *token, struct kube_claims *ret);
void kube_claims_clear(struct kube_claims *claims);
