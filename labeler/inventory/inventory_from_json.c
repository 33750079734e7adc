/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/inventory_json.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/inventory.h"
#include "inventory/json_fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

enum {
	DEPTH = 8,
	TEXT_MAX = 4096, /* of a text: what an attribute can hold */
};

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static void free_tokener(struct json_tokener **tokener)
{
	json_tokener_free(*tokener);
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory for the inventory");
}

/* Text of the file goes to terminals and into labels: printable ASCII, as the scan's own. */
static int take_text(struct json_object *json, const char *name, char **ret, struct err *err)
{
	const char *text = json_object_get_string(json);
	const size_t len = json_object_is_type(json, json_type_string)
				   ? (size_t)json_object_get_string_len(json)
				   : 0;

	if (len == 0 || len >= TEXT_MAX || strlen(text) != len)
		return err_set(err, -EINVAL, "%s: is no text of 1 to %d characters", name,
			       TEXT_MAX - 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return err_set(err, -EINVAL, "%s: holds what is not printable ASCII", name);
	}
	*ret = strdup(text);
	return *ret ? 0 : out_of_memory(err);
}

static int take_hex(struct json_object *json, const char *name, uint16_t *ret, struct err *err)
{
	const char *text =
		json_object_is_type(json, json_type_string) ? json_object_get_string(json) : "";

	if (strlen(text) != JSON_HEX_DIGITS || strspn(text, "0123456789abcdef") != JSON_HEX_DIGITS)
		return err_set(err, -EINVAL, "%s: is no text of four hex digits", name);
	*ret = (uint16_t)strtoul(text, NULL, 16);
	return 0;
}

static int take_addr(struct json_object *json, const char *name, struct addr *ret, struct err *err)
{
	if (!json_object_is_type(json, json_type_string) ||
	    !addr_parse(json_object_get_string(json), ret))
		return err_set(err, -EINVAL, "%s: is no PCI address such as \"0000:05:00.0\"",
			       name);
	return 0;
}

static int take_number(struct json_object *json, const struct field *field, int64_t *ret,
		       struct err *err)
{
	const int64_t number = json_object_get_int64(json);

	if (!json_object_is_type(json, json_type_int) || number < field->min || number > field->max)
		return err_set(err, -EINVAL, "%s: is no number from %lld to %lld", field->name,
			       (long long)field->min, (long long)field->max);
	*ret = number;
	return 0;
}

/* Refuses what the caller does not know, so that a mistyped name is not read as "absent". */
static int check_names(struct json_object *object, const struct field *fields, size_t n,
		       struct err *err)
{
	json_object_object_foreach(object, key, value)
	{
		size_t i = 0;

		(void)value;
		while (i < n && strcmp(fields[i].name, key) != 0)
			i++;
		if (i == n)
			return err_set(err, -EINVAL, "%.60s: is no field known here", key);
	}
	return 0;
}

static int take_unknown(struct json_object *json, const char *name, struct fact *fact,
			struct err *err)
{
	static const struct field only[] = {{.name = "unknown"}};
	int r = check_names(json, only, ARRAY_SIZE(only), err);

	if (r == 0)
		r = take_text(json_object_object_get(json, "unknown"), name, &fact->text, err);
	if (r == 0)
		fact->state = FACT_FAILED;
	return r;
}

static int take_fact(struct json_object *json, const struct field *field, struct fact *fact,
		     struct err *err)
{
	uint16_t id = 0;
	int r;

	if (!json)
		return 0;
	if (json_object_is_type(json, json_type_object))
		return take_unknown(json, field->name, fact, err);
	if (field->type == TYPE_TEXT) {
		r = take_text(json, field->name, &fact->text, err);
	} else if (field->type == TYPE_ADDR) {
		r = take_addr(json, field->name, &fact->addr, err);
	} else if (field->type == TYPE_HEX) {
		r = take_hex(json, field->name, &id, err);
		fact->number = id;
	} else {
		r = take_number(json, field, &fact->number, err);
	}
	if (r == 0)
		fact->state = FACT_KNOWN;
	return r;
}

static int take_vfs(struct json_object *json, struct function *function, struct err *err)
{
	size_t n;

	if (!json_object_is_type(json, json_type_array))
		return err_set(err, -EINVAL, "vfs: is no list of addresses");
	n = json_object_array_length(json);
	if (n > INVENTORY_JSON_ITEMS)
		return err_set(err, -EINVAL, "vfs: has more than %d items", INVENTORY_JSON_ITEMS);
	function->vfs = reallocarray(NULL, n + 1, sizeof(*function->vfs));
	if (!function->vfs)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++) {
		const int r = take_addr(json_object_array_get_idx(json, i), "vfs",
					&function->vfs[i], err);

		if (r < 0)
			return r;
	}
	function->n_vfs = n;
	qsort(function->vfs, n, sizeof(*function->vfs), addr_order);
	return 0;
}

static int take_field(struct json_object *json, const struct field *field, void *item,
		      struct err *err)
{
	void *at = (char *)item + field->offset;

	switch (field->type) {
	case TYPE_ID:
		return take_hex(json, field->name, at, err);
	case TYPE_PLACE:
		return take_addr(json, field->name, at, err);
	case TYPE_NAME:
		return take_text(json, field->name, at, err);
	case TYPE_VFS:
		return take_vfs(json, item, err);
	case TYPE_BOOL:
		if (!json_object_is_type(json, json_type_boolean))
			return err_set(err, -EINVAL, "%s: is neither true nor false", field->name);
		*(bool *)at = json_object_get_boolean(json);
		return 0;
	case TYPE_TEXT:
	case TYPE_NUMBER:
	case TYPE_HEX:
	case TYPE_ADDR:
		break;
	}
	return take_fact(json, field, at, err);
}

static int take_item(struct json_object *json, const struct field *fields, size_t n, void *item,
		     struct err *err)
{
	int r;

	if (!json_object_is_type(json, json_type_object))
		return err_set(err, -EINVAL, "is no object");
	r = check_names(json, fields, n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_field(json_object_object_get(json, fields[i].name), &fields[i], item, err);
	return r;
}

static int take_gpu(struct json_object *json, struct inventory *inventory, struct err *err)
{
	CLEANUP(function_clear) struct function item = {0};
	const int r = take_item(json, json_function_fields, json_n_function_fields, &item, err);

	if (r < 0)
		return r;
	return inventory_add_gpu(inventory, &item) ? out_of_memory(err) : 0;
}

static int take_other(struct json_object *json, struct inventory *inventory, struct err *err)
{
	CLEANUP(function_clear) struct function item = {0};
	const int r = take_item(json, json_function_fields, json_n_function_fields, &item, err);

	if (r < 0)
		return r;
	return inventory_add_other(inventory, &item) ? out_of_memory(err) : 0;
}

static int take_card(struct json_object *json, struct inventory *inventory, struct err *err)
{
	CLEANUP(card_clear) struct card item = {0};
	const int r = take_item(json, json_card_fields, json_n_card_fields, &item, err);

	if (r < 0)
		return r;
	return inventory_add_card(inventory, &item) ? out_of_memory(err) : 0;
}

static int take_kfd(struct json_object *json, struct inventory *inventory, struct err *err)
{
	CLEANUP(kfd_node_clear) struct kfd_node item = {0};
	const int r = take_item(json, json_kfd_fields, json_n_kfd_fields, &item, err);

	if (r < 0)
		return r;
	return inventory_add_kfd(inventory, &item) ? out_of_memory(err) : 0;
}

static int take_module(struct json_object *json, struct inventory *inventory, struct err *err)
{
	CLEANUP(module_clear) struct module item = {0};
	const int r = take_item(json, json_module_fields, json_n_module_fields, &item, err);

	if (r < 0)
		return r;
	return inventory_add_module(inventory, &item) ? out_of_memory(err) : 0;
}

static int take_problem(struct json_object *json, struct inventory *inventory, struct err *err)
{
	static const struct field fields[] = {{.name = "address"}, {.name = "text"}};
	auto_free char *text = NULL;
	struct json_object *place;
	struct addr addr;
	int r;

	if (!json_object_is_type(json, json_type_object))
		return err_set(err, -EINVAL, "is no object");
	place = json_object_object_get(json, "address");
	r = check_names(json, fields, ARRAY_SIZE(fields), err);
	if (r == 0)
		r = take_text(json_object_object_get(json, "text"), "text", &text, err);
	if (r == 0 && place)
		r = take_addr(place, "address", &addr, err);
	if (r < 0)
		return r;
	return inventory_add_problem(inventory, place ? &addr : NULL, text) ? out_of_memory(err)
									    : 0;
}

static const struct list {
	const char *name;
	int (*take)(struct json_object *json, struct inventory *inventory, struct err *err);
	bool optional; /* an inventory of an older program has none */
} lists[] = {
	{"gpus", take_gpu, false},       {"others", take_other, false},
	{"cards", take_card, true},      {"kfd", take_kfd, true},
	{"modules", take_module, false}, {"problems", take_problem, false},
};

static int take_list(struct json_object *root, const struct list *list, struct inventory *inventory,
		     struct err *err)
{
	struct json_object *json = json_object_object_get(root, list->name);
	size_t n;

	if (!json && list->optional)
		return 0;
	if (!json_object_is_type(json, json_type_array))
		return err_set(err, -EINVAL, "%s: is no list", list->name);
	n = json_object_array_length(json);
	if (n > INVENTORY_JSON_ITEMS)
		return err_set(err, -EINVAL, "%s: has more than %d items", list->name,
			       INVENTORY_JSON_ITEMS);
	for (size_t i = 0; i < n; i++) {
		const int r = list->take(json_object_array_get_idx(json, i), inventory, err);

		if (r < 0)
			return err_prefix(err, r, "%s[%zu]", list->name, i);
	}
	return 0;
}

static int take_root(struct json_object *root, struct inventory *inventory, struct err *err)
{
	static const struct field fields[] = {
		{.name = "format"}, {.name = "kernel"}, {.name = "gpus"},    {.name = "others"},
		{.name = "cards"},  {.name = "kfd"},    {.name = "modules"}, {.name = "problems"}};
	static const struct field kernel = {.name = "kernel", .type = TYPE_TEXT};
	struct json_object *format;
	int r;

	if (!json_object_is_type(root, json_type_object))
		return err_set(err, -EINVAL, "is no inventory: not a JSON object");
	format = json_object_object_get(root, "format");
	if (!json_object_is_type(format, json_type_int) ||
	    json_object_get_int64(format) != JSON_FORMAT)
		return err_set(err, -EINVAL, "format: is not %d, the one known here", JSON_FORMAT);
	r = check_names(root, fields, ARRAY_SIZE(fields), err);
	if (r == 0)
		r = take_fact(json_object_object_get(root, "kernel"), &kernel, &inventory->kernel,
			      err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = take_list(root, &lists[i], inventory, err);
	return r;
}

static int check_twice(const struct function *functions, size_t n, struct err *err)
{
	for (size_t i = 1; i < n; i++) {
		if (addr_compare(functions[i - 1].addr, functions[i].addr) == 0)
			return err_set(err, -EINVAL, "address %s stands there twice",
				       addr_text(functions[i].addr).text);
	}
	return 0;
}

static size_t line_at(const char *text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static int parse(const char *text, size_t len, struct json_object **ret, struct err *err)
{
	CLEANUP(free_tokener) struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	CLEANUP(put_object) struct json_object *root = NULL;
	enum json_tokener_error why;
	size_t end;

	if (!tokener)
		return out_of_memory(err);
	if (len > INVENTORY_JSON_MAX)
		return err_set(err, -EFBIG, "is larger than %d MiB: no inventory is",
			       INVENTORY_JSON_MAX / (1024 * 1024));
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)len);
	why = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	if (why == json_tokener_continue)
		return err_set(err, -EINVAL, "is no whole JSON: it ends in the middle");
	if (why != json_tokener_success)
		return err_set(err, -EINVAL, "is no JSON: line %zu: %s", line_at(text, end),
			       json_tokener_error_desc(why));
	*ret = TAKE_PTR(root);
	return 0;
}

int inventory_from_json(const char *text, size_t len, struct inventory *ret, struct err *err)
{
	CLEANUP(put_object) struct json_object *root = NULL;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	int r;

	r = parse(text, len, &root, err);
	if (r == 0)
		r = take_root(root, &inventory, err);
	if (r < 0)
		return r;
	inventory_sort(&inventory);
	r = check_twice(inventory.gpus, inventory.n_gpus, err);
	if (r == 0)
		r = check_twice(inventory.others, inventory.n_others, err);
	if (r == 0)
		SWAP(*ret, inventory);
	return r;
}
