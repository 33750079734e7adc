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

static void put_owner(FILE *out, const struct on_node *on_node)
{
	if (on_node->applied)
		(void)fputs(", applied by gpu-labeler", out);
	if (on_node->owner)
		(void)fprintf(out, "%s by %s", on_node->applied ? " and" : ", set", on_node->owner);
}

static void put_on_node(FILE *out, const char *node, const struct on_node *on_node)
{
	static const char *const words[ON_NODE_STATES] = {
		[ON_NODE_SAME] = "the same",
		[ON_NODE_MISSING] = "not there",
		[ON_NODE_NEITHER] = "not there either",
	};
	const char *word = words[on_node->state];

	(void)fprintf(out, "on node %s: %s", node, word ? word : on_node->value);
	if (on_node->state == ON_NODE_STALE)
		(void)fputs(", although it should not be there", out);
	put_owner(out, on_node);
}

void print_explanation(FILE *out, const char *node, const struct print_explained *explained)
{
	const struct explanation *explanation = &explained->label;
	const char *fix = on_node_fix(explained->on_node.state);

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
	if (node) {
		(void)fputs("  ", out);
		put_on_node(out, node, &explained->on_node);
		(void)fputc('\n', out);
	}
	if (node && fix)
		(void)fprintf(out, "    next: %s\n", fix);
	put_list(out, "from", &explanation->from, NULL);
	put_list(out, "module", &explanation->modules, NULL);
	put_list(out, "in the same IOMMU groups", &explanation->members, NULL);
	put_list(out, "not from", &explanation->not_from, explanation->fix);
}

void print_explanation_line(FILE *out, const char *node, const struct print_explained *explained)
{
	const struct explanation *explanation = &explained->label;

	if (explanation->value)
		(void)fprintf(out, "%s=%s: %s (%zu of %zu GPU functions)", explanation->key,
			      explanation->value, explanation->rule->text,
			      explanation->from.n_items,
			      explanation->from.n_items + explanation->not_from.n_items);
	else
		(void)fprintf(out, "%s: absent: %s", explanation->key, explanation->because);
	if (node) {
		(void)fputs("; ", out);
		put_on_node(out, node, &explained->on_node);
	}
	(void)fputc('\n', out);
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

static struct json_object *on_node_json(const struct on_node *on_node)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "state", text_json(on_node_name(on_node->state)));
	json_object_object_add(object, "value", text_json(on_node->value));
	json_object_object_add(object, "owner", text_json(on_node->owner));
	json_object_object_add(object, "applied", json_object_new_boolean(on_node->applied));
	json_object_object_add(object, "next", text_json(on_node_fix(on_node->state)));
	return object;
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

char *explanations_to_json(const char *node, const struct print_explained *explained, size_t n)
{
	CLEANUP(put_object) struct json_object *root = json_object_new_object();
	struct json_object *labels = json_object_new_array();
	const char *text;

	for (size_t i = 0; i < n; i++) {
		struct json_object *label = explanation_json(&explained[i].label);

		json_object_object_add(label, "on_node",
				       node ? on_node_json(&explained[i].on_node) : NULL);
		json_object_array_add(labels, label);
	}
	json_object_object_add(root, "node", text_json(node));
	json_object_object_add(root, "labels", labels);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}
