/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The bodies of what is asked of the API server. A slash is never written as \/: the server reads
 * an apply as YAML, which has no such escape, and refuses it. Pure.
 */
#include <stddef.h>

struct kube_pair {
	const char *key, *value; /* value NULL: the key goes, in a merge patch */
};

/*
 * Server-side apply of the labels of a Node: these and no others of ours. uid: of the Node that was
 * seen, so that one of the same name that comes later is not labelled by mistake.
 * Each returns the JSON, the caller's, or NULL where memory ran out.
 */
char *kube_apply_node(const char *name, const char *uid, const struct kube_pair *labels, size_t n);

/* Server-side apply of a NodeFeature, which belongs to the Node of that name and uid. */
struct kube_node_feature {
	const char *name, *namespace, *node, *node_uid;
};
char *kube_apply_node_feature(const struct kube_node_feature *about, const struct kube_pair *labels,
			      size_t n);

/* Merge patch of the labels of a Node. */
char *kube_merge_labels(const char *uid, const struct kube_pair *labels, size_t n);
