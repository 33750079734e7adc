/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One page of a list of objects, whole or as their PartialObjectMetadata. Pure. */
#include "kube/object.h"

#define KUBE_LIST_AS_METADATA "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

struct kube_list_item {
	char *name; /* owned; fit to stand in a path */
	struct kube_object object;
};
struct kube_list {
	struct kube_list_item *items; /* owned */
	size_t n_items;
	char *next; /* owned; asks for the next page; NULL: this was the last */
};

/* Fills an empty *ret, which stays empty after a failure: -EBADMSG with the reason, or -ENOMEM. */
int kube_list_parse(const char *text, size_t len, enum kube_labels_at at, struct kube_list *ret,
		    struct err *err);
void kube_list_clear(struct kube_list *list);
