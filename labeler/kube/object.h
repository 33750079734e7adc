/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An object of the API server as far as it concerns us: who it is, its labels, and who set each.
 * Read from JSON, of the whole object or of its PartialObjectMetadata. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct json_object;

/* Where the labels stand that are kept. */
enum kube_labels_at {
	KUBE_LABELS_IN_METADATA, /* of a Node */
	KUBE_LABELS_IN_SPEC,     /* of a NodeFeature: those that NFD gives to the node */
};
struct kube_label {
	char *key, *value; /* owned */
	char *owner;       /* owned: "kubectl-label (Update)"; NULL: nobody but us, or not said */
	bool applied;      /* we set it, by an apply */
};
struct kube_object {
	char *uid, *version;       /* owned */
	char *last_writer;         /* owned: who else changed it last; NULL: not said */
	struct kube_label *labels; /* owned, in the server's order */
	size_t n_labels;
};

#define KUBE_MANAGER "gpu-labeler" /* the name by which the server knows what is ours */

/* Fill an empty *ret, which stays empty after a failure: -EBADMSG with the reason, or -ENOMEM. */
int kube_object_parse(const char *text, size_t len, enum kube_labels_at at, struct kube_object *ret,
		      struct err *err);
int kube_object_take(struct json_object *json, enum kube_labels_at at, struct kube_object *ret,
		     struct err *err);
void kube_object_clear(struct kube_object *object);

/* The label of that key, or NULL. */
const struct kube_label *kube_object_label(const struct kube_object *object, const char *key);
