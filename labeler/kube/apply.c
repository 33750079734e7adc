/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/apply.h"

#include "base/cleanup.h"
#include "kube/json.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

/*
 * Adds value to object and gives it away, also where that fails: json-c then has no owner for it.
 * Building goes on after a failure; *ok tells at the end.
 */
static void put(struct json_object *object, const char *key, struct json_object *value, bool *ok)
{
	if (object && json_object_object_add(object, key, value) == 0)
		return;
	json_object_put(value);
	*ok = false;
}

static void put_text(struct json_object *object, const char *key, const char *text, bool *ok)
{
	struct json_object *value = text ? json_object_new_string(text) : NULL;

	if (text && !value)
		*ok = false;
	put(object, key, value, ok);
}

/* A new object inside another, borrowed. */
static struct json_object *put_object(struct json_object *object, const char *key, bool *ok)
{
	struct json_object *inner = json_object_new_object();

	if (!inner)
		*ok = false;
	put(object, key, inner, ok);
	return *ok ? inner : NULL;
}

static void put_labels(struct json_object *object, const struct kube_pair *labels, size_t n,
		       bool *ok)
{
	struct json_object *inner = n > 0 ? put_object(object, "labels", ok) : NULL;

	for (size_t i = 0; i < n; i++)
		put_text(inner, labels[i].key, labels[i].value, ok);
}

static char *text_of(struct json_object *json, bool ok)
{
	const char *text =
		ok ? json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
								  JSON_C_TO_STRING_NOSLASHESCAPE)
		   : NULL;

	return text ? strdup(text) : NULL;
}

char *kube_apply_node(const char *name, const char *uid, const struct kube_pair *labels, size_t n)
{
	CLEANUP(kube_json_put) struct json_object *json = json_object_new_object();
	bool ok = json;
	struct json_object *metadata;

	put_text(json, "apiVersion", "v1", &ok);
	put_text(json, "kind", "Node", &ok);
	metadata = put_object(json, "metadata", &ok);
	put_text(metadata, "name", name, &ok);
	put_text(metadata, "uid", uid, &ok);
	put_labels(metadata, labels, n, &ok);
	return text_of(json, ok);
}

static void put_owner(struct json_object *metadata, const struct kube_node_feature *about, bool *ok)
{
	struct json_object *owners = json_object_new_array();
	struct json_object *owner = json_object_new_object();

	put_text(owner, "apiVersion", "v1", ok);
	put_text(owner, "kind", "Node", ok);
	put_text(owner, "name", about->node, ok);
	put_text(owner, "uid", about->node_uid, ok);
	if (!owners || json_object_array_add(owners, owner) != 0) {
		json_object_put(owner);
		*ok = false;
	}
	put(metadata, "ownerReferences", owners, ok);
}

char *kube_apply_node_feature(const struct kube_node_feature *about, const struct kube_pair *labels,
			      size_t n)
{
	CLEANUP(kube_json_put) struct json_object *json = json_object_new_object();
	bool ok = json;
	struct json_object *metadata;

	put_text(json, "apiVersion", "nfd.k8s-sigs.io/v1alpha1", &ok);
	put_text(json, "kind", "NodeFeature", &ok);
	metadata = put_object(json, "metadata", &ok);
	put_text(metadata, "name", about->name, &ok);
	put_text(metadata, "namespace", about->namespace, &ok);
	put_text(put_object(metadata, "labels", &ok), "nfd.node.kubernetes.io/node-name",
		 about->node, &ok);
	put_owner(metadata, about, &ok);
	put_labels(put_object(json, "spec", &ok), labels, n, &ok);
	return text_of(json, ok);
}

char *kube_merge_labels(const char *uid, const struct kube_pair *labels, size_t n)
{
	CLEANUP(kube_json_put) struct json_object *json = json_object_new_object();
	bool ok = json;
	struct json_object *metadata = put_object(json, "metadata", &ok);

	put_text(metadata, "uid", uid, &ok);
	put_labels(metadata, labels, n, &ok);
	return text_of(json, ok);
}
