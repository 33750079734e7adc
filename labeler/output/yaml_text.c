/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as YAML for people: block style, and quotes only where a plain word would be another type.
 */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "output/kubevirt.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

/* A word that YAML takes for nothing but a text. */
static bool is_plain(const char *text)
{
	static const char *const others[] = {"true", "false", "null", "yes", "no", "on",
					     "off",  "y",     "n",    "nan", "inf"};

	if (!isalpha((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcasecmp(text, others[i]) == 0)
			return false;
	}
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_./")] == '\0';
}

/* Anything else as JSON writes it, which YAML reads. */
static void add_scalar(struct strbuf *out, struct json_object *value)
{
	const char *text = json_object_get_string(value);

	if (json_object_is_type(value, json_type_string) && is_plain(text))
		strbuf_add(out, text);
	else
		strbuf_add(out,
			   json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static bool is_block(struct json_object *value)
{
	return (json_object_is_type(value, json_type_object) &&
		json_object_object_length(value) > 0) ||
	       (json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0);
}

static void add_key(struct strbuf *out, const char *key)
{
	CLEANUP(put_object) struct json_object *text = json_object_new_string(key);

	add_scalar(out, text);
	strbuf_add(out, ":");
}

static void add_value(struct strbuf *out, struct json_object *value, int indent, bool inlined);

/* NOLINTNEXTLINE(misc-no-recursion): our own JSON, of a fixed depth */
static void add_mapping(struct strbuf *out, struct json_object *object, int indent, bool inlined)
{
	bool first = inlined;

	json_object_object_foreach(object, key, value)
	{
		const bool list = json_object_is_type(value, json_type_array);

		strbuf_addf(out, "%*s", first ? 0 : indent, "");
		first = false;
		add_key(out, key);
		if (is_block(value)) {
			strbuf_add(out, "\n");
			add_value(out, value, list ? indent : indent + 2, false);
		} else {
			strbuf_add(out, " ");
			add_scalar(out, value);
			strbuf_add(out, "\n");
		}
	}
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void add_value(struct strbuf *out, struct json_object *value, int indent, bool inlined)
{
	if (json_object_is_type(value, json_type_object)) {
		add_mapping(out, value, indent, inlined);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		strbuf_addf(out, "%*s- ", indent, "");
		if (is_block(item)) {
			add_value(out, item, indent + 2, true);
		} else {
			add_scalar(out, item);
			strbuf_add(out, "\n");
		}
	}
}

int kubevirt_to_yaml(const char *json, struct strbuf *out)
{
	CLEANUP(put_object) struct json_object *root = json_tokener_parse(json);
	struct json_object *items = NULL;

	if (!json_object_is_type(root, json_type_object))
		return -EBADMSG;
	if (!json_object_object_get_ex(root, "items", &items)) {
		add_value(out, root, 0, false);
		return out->failed ? -ENOMEM : 0;
	}
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		strbuf_add(out, i > 0 ? "---\n" : "");
		add_value(out, json_object_array_get_idx(items, i), 0, false);
	}
	return out->failed ? -ENOMEM : 0;
}
