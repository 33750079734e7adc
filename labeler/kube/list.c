/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/list.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

void kube_list_clear(struct kube_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		free(list->items[i].name);
		kube_object_clear(&list->items[i].object);
	}
	free(list->items);
	free(list->next);
	*list = (struct kube_list){0};
}

/* It becomes part of a URL: nothing else may come with it. */
static bool fits_url(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-._~=")] == '\0';
}

static int take_text(char **ret, const char *text, struct err *err)
{
	if (!fits_url(text))
		return err_set(err, -EBADMSG, "the list has a name that is none: \"%.100s\"", text);
	*ret = strdup(text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int take_items(struct json_object *items, enum kube_labels_at at, struct kube_list *list,
		      struct err *err)
{
	const size_t n = items ? json_object_array_length(items) : 0;

	list->items = calloc(n + 1, sizeof(*list->items));
	if (!list->items)
		return err_set(err, -ENOMEM, "out of memory");
	while (list->n_items < n) {
		struct json_object *json = json_object_array_get_idx(items, list->n_items);
		struct kube_list_item *item = &list->items[list->n_items++];
		const char *name = kube_json_text(json, KUBE_PATH("metadata", "name"));
		int r;

		if (!*name)
			return err_set(err, -EBADMSG, "the list has an object without a name");
		r = take_text(&item->name, name, err);
		if (r == 0)
			r = kube_object_take(json, at, &item->object, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The server writes the items of an empty list of metadata as null. */
static bool is_list(struct json_object *json, struct json_object *items)
{
	const char *kind = kube_json_text(json, KUBE_PATH("kind"));
	const size_t len = strlen(kind);

	if (items)
		return json_object_is_type(items, json_type_array);
	return len >= strlen("List") && strcmp(kind + len - strlen("List"), "List") == 0;
}

int kube_list_parse(const char *text, size_t len, enum kube_labels_at at, struct kube_list *ret,
		    struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *json = kube_json_parse(text, len);
	CLEANUP(kube_list_clear) struct kube_list list = {0};
	struct json_object *items = kube_json_at(json, KUBE_PATH("items"));
	const char *next = kube_json_text(json, KUBE_PATH("metadata", "continue"));
	int r = 0;

	if (!is_list(json, items))
		return err_set(err, -EBADMSG, "the answer is no list");
	if (*next)
		r = take_text(&list.next, next, err);
	if (r == 0)
		r = take_items(items, at, &list, err);
	if (r < 0)
		return r;
	SWAP(*ret, list);
	return 0;
}
