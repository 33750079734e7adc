/* SPDX-License-Identifier: Apache-2.0 */
#include "output/print_explain.h"

#include "base/cleanup.h"
#include "rules/explain.h"
#include "rules/labels.h"

#include <json-c/json.h>
#include <string.h>

/* Where the same helps all, it is said once, at the top: fix. */
static void put_item(FILE *out, const struct explained_item *item, const char *fix)
{
	(void)fprintf(out, "    %s%s%s\n", item->name, item->why ? ": " : "",
		      item->why ? item->why : "");
	for (size_t i = 0; i < item->n_facts; i++)
		(void)fprintf(out, "      %s: %s\n", item->facts[i].path, item->facts[i].value);
	if (item->fix && !(fix && strcmp(item->fix, fix) == 0))
		(void)fprintf(out, "      next: %s\n", item->fix);
}

static void put_list(FILE *out, const char *title, const struct explained_list *list,
		     const char *fix)
{
	if (list->n_items == 0)
		return;
	(void)fprintf(out, "  %s\n", title);
	for (size_t i = 0; i < list->n_items; i++)
		put_item(out, &list->items[i], fix);
}

void print_explanation(FILE *out, const struct explanation *explanation)
{
	if (explanation->value)
		(void)fprintf(out, "%s=%s\n", explanation->key, explanation->value);
	else
		(void)fprintf(out, "%s: absent\n", explanation->key);
	if (explanation->because)
		(void)fprintf(out, "  because: %s\n", explanation->because);
	if (explanation->fix)
		(void)fprintf(out, "  next: %s\n", explanation->fix);
	if (explanation->rule)
		(void)fprintf(out, "  rule: %s\n", explanation->rule->text);
	put_list(out, "from", &explanation->from, NULL);
	put_list(out, "module", &explanation->modules, NULL);
	put_list(out, "in the same IOMMU groups", &explanation->members, NULL);
	put_list(out, "not from", &explanation->not_from, explanation->fix);
}

void print_explanation_line(FILE *out, const struct explanation *explanation)
{
	if (explanation->value)
		(void)fprintf(out, "%s=%s: %s (%zu of %zu GPU functions)\n", explanation->key,
			      explanation->value, explanation->rule->text,
			      explanation->from.n_items,
			      explanation->from.n_items + explanation->not_from.n_items);
	else
		(void)fprintf(out, "%s: absent: %s\n", explanation->key, explanation->because);
}

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static struct json_object *text_json(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *item_json(const struct explained_item *item)
{
	struct json_object *object = json_object_new_object();
	struct json_object *facts = json_object_new_array();

	json_object_object_add(object, "name", text_json(item->name));
	json_object_object_add(object, "why", text_json(item->why));
	json_object_object_add(object, "next", text_json(item->fix));
	for (size_t i = 0; i < item->n_facts; i++) {
		struct json_object *fact = json_object_new_object();

		json_object_object_add(fact, "path", text_json(item->facts[i].path));
		json_object_object_add(fact, "value", text_json(item->facts[i].value));
		json_object_array_add(facts, fact);
	}
	json_object_object_add(object, "facts", facts);
	return object;
}

static struct json_object *list_json(const struct explained_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n_items; i++)
		json_object_array_add(array, item_json(&list->items[i]));
	return array;
}

static struct json_object *explanation_json(const struct explanation *explanation)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "key", text_json(explanation->key));
	json_object_object_add(object, "value", text_json(explanation->value));
	json_object_object_add(object, "wanted", text_json(explanation->wanted));
	json_object_object_add(object, "because", text_json(explanation->because));
	json_object_object_add(object, "next", text_json(explanation->fix));
	json_object_object_add(object, "rule",
			       text_json(explanation->rule ? explanation->rule->text : NULL));
	json_object_object_add(object, "from", list_json(&explanation->from));
	json_object_object_add(object, "modules", list_json(&explanation->modules));
	json_object_object_add(object, "members", list_json(&explanation->members));
	json_object_object_add(object, "not_from", list_json(&explanation->not_from));
	return object;
}

char *explanations_to_json(const struct explanation *explanations, size_t n)
{
	CLEANUP(put_object) struct json_object *root = json_object_new_object();
	struct json_object *labels = json_object_new_array();
	const char *text;

	for (size_t i = 0; i < n; i++)
		json_object_array_add(labels, explanation_json(&explanations[i]));
	json_object_object_add(root, "labels", labels);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}
