/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/json.h"

#include "base/cleanup.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static void free_tokener(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

void kube_json_put(struct json_object **json)
{
	json_object_put(*json);
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	}
	return true;
}

struct json_object *kube_json_parse(const char *text, size_t len)
{
	CLEANUP(free_tokener) struct json_tokener *tokener = json_tokener_new_ex(KUBE_JSON_DEPTH);
	CLEANUP(kube_json_put) struct json_object *json = NULL;
	size_t end;

	if (!tokener || len > INT_MAX)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	json = json_tokener_parse_ex(tokener, text, (int)len);
	end = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !is_blank(text + end, len - end))
		return NULL;
	return TAKE_PTR(json);
}

struct json_object *kube_json_at(struct json_object *json, const char *const *path)
{
	for (; *path && json; path++) {
		if (!json_object_is_type(json, json_type_object))
			return NULL;
		json = json_object_object_get(json, *path);
	}
	return json;
}

const char *kube_json_text(struct json_object *json, const char *const *path)
{
	struct json_object *at = kube_json_at(json, path);

	return json_object_is_type(at, json_type_string) ? json_object_get_string(at) : "";
}
