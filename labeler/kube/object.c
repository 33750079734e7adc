/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/object.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum {
	LABELS_MOST = 10000, /* far beyond what an object can hold */
};

void kube_object_clear(struct kube_object *object)
{
	for (size_t i = 0; i < object->n_labels; i++) {
		free(object->labels[i].key);
		free(object->labels[i].value);
		free(object->labels[i].owner);
	}
	free(object->labels);
	free(object->uid);
	free(object->version);
	free(object->last_writer);
	*object = (struct kube_object){0};
}

static struct kube_label *find(const struct kube_object *object, const char *key)
{
	for (size_t i = 0; i < object->n_labels; i++) {
		const struct kube_label *label = &object->labels[i];

		if (label->key && strcmp(label->key, key) == 0)
			return &object->labels[i];
	}
	return NULL;
}

const struct kube_label *kube_object_label(const struct kube_object *object, const char *key)
{
	return find(object, key);
}

static int take_text(char **ret, const char *text, struct err *err)
{
	*ret = strdup(text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int take_labels(struct json_object *labels, struct kube_object *object, struct err *err)
{
	if (!labels)
		return 0;
	if (!json_object_is_type(labels, json_type_object) ||
	    json_object_object_length(labels) > LABELS_MOST)
		return err_set(err, -EBADMSG, "labels: no object of texts");
	object->labels =
		calloc((size_t)json_object_object_length(labels) + 1, sizeof(*object->labels));
	if (!object->labels)
		return err_set(err, -ENOMEM, "out of memory");
	json_object_object_foreach(labels, key, value)
	{
		struct kube_label *label = &object->labels[object->n_labels++];

		if (!json_object_is_type(value, json_type_string))
			return err_set(err, -EBADMSG, "labels: %.100s: no text", key);
		if (take_text(&label->key, key, err) < 0 ||
		    take_text(&label->value, json_object_get_string(value), err) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Who has the fields of one entry of managedFields: "name (Update)". */
static int name_owner(struct json_object *entry, char **ret)
{
	char *name = NULL;

	if (asprintf(&name, "%s (%s)", kube_json_text(entry, KUBE_PATH("manager")),
		     kube_json_text(entry, KUBE_PATH("operation"))) < 0)
		return -ENOMEM;
	free(*ret);
	*ret = name;
	return 0;
}

static int take_fields(struct json_object *entry, struct json_object *fields,
		       struct kube_object *object)
{
	const bool ours = strcmp(kube_json_text(entry, KUBE_PATH("manager")), KUBE_MANAGER) == 0;
	const bool applied =
		ours && strcmp(kube_json_text(entry, KUBE_PATH("operation")), "Apply") == 0;

	if (!json_object_is_type(fields, json_type_object))
		return 0;
	json_object_object_foreach(fields, field, unused)
	{
		struct kube_label *label =
			strncmp(field, "f:", 2) == 0 ? find(object, field + 2) : NULL;

		(void)unused;
		if (!label)
			continue;
		if (applied)
			label->applied = true;
		else if (!ours && name_owner(entry, &label->owner) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Who set which label, and who of the others wrote last: times are RFC 3339 in UTC, and sort. */
static int take_owners(struct json_object *json, enum kube_labels_at at, struct kube_object *object,
		       struct err *err)
{
	struct json_object *entries = kube_json_at(json, KUBE_PATH("metadata", "managedFields"));
	const char *latest = "";

	if (!json_object_is_type(entries, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		struct json_object *entry = json_object_array_get_idx(entries, i);
		struct json_object *fields =
			at == KUBE_LABELS_IN_SPEC
				? kube_json_at(entry, KUBE_PATH("fieldsV1", "f:spec", "f:labels"))
				: kube_json_at(entry,
					       KUBE_PATH("fieldsV1", "f:metadata", "f:labels"));
		const char *time = kube_json_text(entry, KUBE_PATH("time"));

		if (take_fields(entry, fields, object) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		/* A kubelet's heartbeat is no suspect: it writes the status alone. */
		if (strcmp(kube_json_text(entry, KUBE_PATH("manager")), KUBE_MANAGER) == 0 ||
		    strcmp(kube_json_text(entry, KUBE_PATH("subresource")), "status") == 0 ||
		    strcmp(time, latest) <= 0)
			continue;
		latest = time;
		if (name_owner(entry, &object->last_writer) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

int kube_object_take(struct json_object *json, enum kube_labels_at at, struct kube_object *ret,
		     struct err *err)
{
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	int r;

	if (!json_object_is_type(kube_json_at(json, KUBE_PATH("metadata")), json_type_object))
		return err_set(err, -EBADMSG, "no object with metadata");
	if (take_text(&object.uid, kube_json_text(json, KUBE_PATH("metadata", "uid")), err) < 0 ||
	    take_text(&object.version,
		      kube_json_text(json, KUBE_PATH("metadata", "resourceVersion")), err) < 0)
		return -ENOMEM;
	r = take_labels(at == KUBE_LABELS_IN_SPEC
				? kube_json_at(json, KUBE_PATH("spec", "labels"))
				: kube_json_at(json, KUBE_PATH("metadata", "labels")),
			&object, err);
	if (r == 0)
		r = take_owners(json, at, &object, err);
	if (r < 0)
		return r;
	SWAP(*ret, object);
	return 0;
}

int kube_object_parse(const char *text, size_t len, enum kube_labels_at at, struct kube_object *ret,
		      struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *json = kube_json_parse(text, len);

	if (!json)
		return err_set(err, -EBADMSG, "the answer is no JSON");
	return kube_object_take(json, at, ret, err);
}
