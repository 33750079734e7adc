/* SPDX-License-Identifier: Apache-2.0 */
/* An inventory to JSON; the way back is in inventory_from_json.c. */
#include "inventory/inventory_json.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"
#include "inventory/json_fields.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static struct json_object *hex_json(uint16_t number)
{
	char text[JSON_HEX_DIGITS + 1];

	(void)snprintf(text, sizeof(text), "%04x", number);
	return json_object_new_string(text);
}

static struct json_object *fact_json(const struct fact *fact, enum type type)
{
	struct json_object *unknown;

	if (fact->state == FACT_ABSENT)
		return NULL;
	if (fact->state == FACT_FAILED) {
		unknown = json_object_new_object();
		json_object_object_add(unknown, "unknown", json_object_new_string(fact->text));
		return unknown;
	}
	if (type == TYPE_TEXT)
		return json_object_new_string(fact->text);
	if (type == TYPE_HEX)
		return hex_json((uint16_t)fact->number);
	if (type == TYPE_ADDR)
		return json_object_new_string(addr_text(fact->addr).text);
	return json_object_new_int64(fact->number);
}

static struct json_object *vfs_json(const struct function *function)
{
	struct json_object *vfs = json_object_new_array();

	for (size_t i = 0; i < function->n_vfs; i++)
		json_object_array_add(vfs,
				      json_object_new_string(addr_text(function->vfs[i]).text));
	return vfs;
}

static struct json_object *field_json(const void *item, const struct field *field)
{
	const void *at = (const char *)item + field->offset;

	switch (field->type) {
	case TYPE_ID:
		return hex_json(*(const uint16_t *)at);
	case TYPE_PLACE:
		return json_object_new_string(addr_text(*(const struct addr *)at).text);
	case TYPE_NAME:
		return json_object_new_string(*(char *const *)at);
	case TYPE_BOOL:
		return json_object_new_boolean(*(const bool *)at);
	case TYPE_VFS:
		return vfs_json(item);
	case TYPE_TEXT:
	case TYPE_NUMBER:
	case TYPE_HEX:
	case TYPE_ADDR:
		break;
	}
	return fact_json(at, field->type);
}

static struct json_object *item_json(const void *item, const struct field *fields, size_t n)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		json_object_object_add(object, fields[i].name, field_json(item, &fields[i]));
	return object;
}

/* A list of structs of that size; an empty one may be NULL. */
static struct json_object *list_json(const void *items, size_t n, size_t size,
				     const struct field *fields, size_t n_fields)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list,
				      item_json((const char *)items + i * size, fields, n_fields));
	return list;
}

static struct json_object *problems_json(const struct inventory *inventory)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < inventory->n_problems; i++) {
		const struct problem *problem = &inventory->problems[i];
		struct json_object *item = json_object_new_object();

		json_object_object_add(
			item, "address",
			problem->has_addr ? json_object_new_string(addr_text(problem->addr).text)
					  : NULL);
		json_object_object_add(item, "text", json_object_new_string(problem->text));
		json_object_array_add(list, item);
	}
	return list;
}

char *inventory_to_json(const struct inventory *inventory)
{
	CLEANUP(put_object) struct json_object *root = json_object_new_object();
	const char *text;

	json_object_object_add(root, "format", json_object_new_int(JSON_FORMAT));
	json_object_object_add(root, "kernel", fact_json(&inventory->kernel, TYPE_TEXT));
#define LIST(items, n, fields)                                                                     \
	list_json(inventory->items, inventory->n, sizeof(*inventory->items),                       \
		  json_##fields##_fields, json_n_##fields##_fields)
	json_object_object_add(root, "gpus", LIST(gpus, n_gpus, function));
	json_object_object_add(root, "others", LIST(others, n_others, function));
	json_object_object_add(root, "cards", LIST(cards, n_cards, card));
	json_object_object_add(root, "kfd", LIST(kfd, n_kfd, kfd));
	json_object_object_add(root, "modules", LIST(modules, n_modules, module));
	json_object_object_add(root, "problems", problems_json(inventory));
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}
