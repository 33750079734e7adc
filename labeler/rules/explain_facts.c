/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain_facts.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "inventory/groups.h"
#include "inventory/inventory.h"
#include "inventory/json_fields.h"
#include "rules/container.h"
#include "rules/labels.h"
#include "rules/notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KFD_NODES "/sys/class/kfd/kfd/topology/nodes"

void explain_item_clear(struct explained_item *item)
{
	for (size_t i = 0; i < item->n_facts; i++) {
		free(item->facts[i].path);
		free(item->facts[i].value);
	}
	free(item->facts);
	free(item->name);
	free(item->why);
	*item = (struct explained_item){0};
}

void explain_add(struct explained_list *list, struct explained_item *item, bool *failed)
{
	struct explained_item *grown = reallocarray(list->items, list->n_items + 1, sizeof(*grown));

	if (!grown) {
		*failed = true;
		explain_item_clear(item);
		return;
	}
	list->items = grown;
	grown[list->n_items++] = *item;
	*item = (struct explained_item){0};
}

/* Is "prefix" and "name" together one of the words? With a ? behind it: where there is such. */
enum asked {
	ASKED_NOT,
	ASKED_IF_THERE,
	ASKED,
};

static enum asked asked_for(const char *words, const char *prefix, const char *name)
{
	char word[80];
	size_t len;

	(void)snprintf(word, sizeof(word), "%s%s", prefix, name);
	len = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += len) {
		if (at != words && at[-1] != ' ')
			continue;
		if (!at[len] || at[len] == ' ')
			return ASKED;
		if (at[len] == '?')
			return ASKED_IF_THERE;
	}
	return ASKED_NOT;
}

/* Is there a word that starts so? The prefix ends in a slash. */
static bool has_any(const char *words, const char *prefix)
{
	return strstr(words, prefix) != NULL;
}

static void put_known(struct strbuf *out, const struct fact *fact, enum type type)
{
	if (type == TYPE_TEXT)
		strbuf_add(out, fact->text);
	else if (type == TYPE_ADDR)
		strbuf_add(out, addr_text(fact->addr).text);
	else if (type == TYPE_HEX)
		strbuf_addf(out, "0x%04x", (unsigned int)fact->number);
	else
		strbuf_addf(out, "%" PRId64, fact->number);
}

static void put_vfs(struct strbuf *out, const struct function *function)
{
	for (size_t i = 0; i < function->n_vfs; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", addr_text(function->vfs[i]).text);
}

/* A struct, its fields, where they were read and how the facts call them. */
struct described {
	const void *data;
	const struct field *fields;
	size_t n_fields;
	const char *dir, *prefix;
	bool absent_says; /* that there is none of it answers the question: no driver is bound */
};

/* The value for a person; nothing is added for what says nothing. Returns whether it is known. */
static bool put_value(struct strbuf *out, const struct described *what, const struct field *field)
{
	const void *at = (const char *)what->data + field->offset;
	const struct fact *fact = at;

	if (field->type == TYPE_ID) {
		strbuf_addf(out, "0x%04x", *(const uint16_t *)at);
		return true;
	}
	if (field->type == TYPE_VFS) {
		put_vfs(out, what->data);
		return true;
	}
	/* No rule stands on a name or an address: all others are facts. */
	if (fact->state == FACT_FAILED)
		strbuf_addf(out, "unknown: %s", fact->text);
	else if (fact->state == FACT_ABSENT)
		strbuf_add(out, "there is none");
	else
		put_known(out, fact, field->type);
	return fact_known(fact) || (what->absent_says && fact->state == FACT_ABSENT);
}

/* Both texts belong to the item afterwards. */
static void add_fact(struct explained_item *item, struct strbuf *path, struct strbuf *value,
		     bool known, bool *failed)
{
	struct explained_fact *grown = reallocarray(item->facts, item->n_facts + 1, sizeof(*grown));

	*failed |= !grown || value->failed || path->failed;
	if (!grown)
		return;
	item->facts = grown;
	grown[item->n_facts++] =
		(struct explained_fact){strbuf_take(path), strbuf_take(value), known};
}

static void add_field(struct explained_item *item, const struct described *what,
		      const struct field *field, bool *failed)
{
	CLEANUP(strbuf_clear) struct strbuf value = {0};
	CLEANUP(strbuf_clear) struct strbuf path = {0};
	const char *file = field->file ? field->file : field->name;
	const size_t len = strcspn(file, " ");
	bool known;

	if (file[len])
		strbuf_addf(&value, "%s ", file + len + 1);
	known = put_value(&value, what, field);
	if (value.len == 0 && !value.failed)
		return;
	strbuf_addf(&path, "%s%s%.*s", file[0] == '/' ? "" : what->dir, file[0] == '/' ? "" : "/",
		    (int)len, file);
	add_fact(item, &path, &value, known, failed);
}

/* Of a field that is a fact. */
static bool is_there(const struct described *what, const struct field *field)
{
	const struct fact *fact =
		(const struct fact *)(const void *)((const char *)what->data + field->offset);

	return fact->state != FACT_ABSENT;
}

static void add_fields(struct explained_item *item, const struct described *what, const char *facts,
		       bool *failed)
{
	for (size_t i = 0; i < what->n_fields; i++) {
		const struct field *field = &what->fields[i];
		const enum asked asked = asked_for(facts, what->prefix, field->name);

		if (asked == ASKED || (asked == ASKED_IF_THERE && is_there(what, field)))
			add_field(item, what, field, failed);
	}
}

static void explain_function(const struct function *function, const char *facts,
			     struct explained_item *ret, bool *failed)
{
	char dir[64];
	const struct described what = {
		function, json_function_fields, json_n_function_fields, dir, "", true};

	(void)snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s", addr_text(function->addr).text);
	ret->name = strdup(addr_text(function->addr).text);
	*failed |= !ret->name;
	add_fields(ret, &what, facts, failed);
}

static void explain_card(const struct card *card, const char *facts, struct explained_item *ret,
			 bool *failed)
{
	char dir[64];
	const struct described what = {card, json_card_fields, json_n_card_fields,
				       dir,  "card/",          false};

	(void)snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s", addr_text(card->addr).text);
	add_fields(ret, &what, facts, failed);
}

/* Where properties could not be read, nothing else of the node is known. */
static void explain_kfd_node(const struct kfd_node *node, const char *facts,
			     struct explained_item *ret, bool *failed)
{
	char dir[96];
	const struct described what = {node, json_kfd_fields, json_n_kfd_fields,
				       dir,  "kfd/",          false};

	(void)snprintf(dir, sizeof(dir), KFD_NODES "/%" PRId64, node->id.number);
	add_fields(ret, &what, node->properties.state == FACT_FAILED ? "kfd/properties" : facts,
		   failed);
}

/* A node whose properties are locked does not say whose it is: it may be anybody's. */
static void explain_kfd(const struct inventory *inventory, size_t gpu, const char *facts,
			struct explained_item *ret, bool *failed)
{
	CLEANUP(strbuf_clear) struct strbuf value = {0};
	CLEANUP(strbuf_clear) struct strbuf path = {0};
	const size_t before = ret->n_facts;

	for (size_t i = 0; i < inventory->n_kfd; i++) {
		const struct kfd_node *node = &inventory->kfd[i];

		if (node->properties.state == FACT_FAILED ||
		    container_gpu_of(inventory, node) == gpu)
			explain_kfd_node(node, facts, ret, failed);
	}
	if (ret->n_facts > before)
		return;
	strbuf_add(&path, KFD_NODES);
	strbuf_add(&value, inventory->n_kfd > 0 ? "none of its nodes is this GPU"
						: "there is no node of a GPU");
	add_fact(ret, &path, &value, false, failed);
}

void explain_gpu(const struct inventory *inventory, size_t gpu, const char *facts,
		 struct explained_item *ret, bool *failed)
{
	const struct function *function = &inventory->gpus[gpu];
	const struct card *card = inventory_card(inventory, function->addr);

	explain_function(function, facts, ret, failed);
	if (card)
		explain_card(card, facts, ret, failed);
	if (card && has_any(facts, "kfd/"))
		explain_kfd(inventory, gpu, facts, ret, failed);
}

static void explain_module(const struct module *module, const char *facts, struct explanation *ret)
{
	struct explained_item item = {.name = strdup(module->name)};
	char dir[96];
	const struct described what = {module, json_module_fields, json_n_module_fields, dir, "",
				       false};

	(void)snprintf(dir, sizeof(dir), "/sys/module/%.60s", module->name);
	ret->failed |= !item.name;
	add_fields(&item, &what, facts, &ret->failed);
	if (module->version_of_file)
		item.why = strdup("the loaded module shows no version: this one is its file's, "
				  "below /lib/modules");
	explain_add(&ret->modules, &item, &ret->failed);
}

static void explain_no_module(struct explanation *ret)
{
	CLEANUP(strbuf_clear) struct strbuf value = {0};
	CLEANUP(strbuf_clear) struct strbuf path = {0};
	struct explained_item item = {.name = strdup("module")};

	ret->failed |= !item.name;
	strbuf_add(&path, "/sys/module");
	strbuf_add(&value, "the driver's module is not loaded");
	add_fact(&item, &path, &value, false, &ret->failed);
	explain_add(&ret->modules, &item, &ret->failed);
}

void explain_modules(const struct inventory *inventory, const char *facts, struct explanation *ret)
{
	for (size_t i = 0; i < inventory->n_modules; i++) {
		if (asked_for(facts, "module/", inventory->modules[i].name))
			explain_module(&inventory->modules[i], facts, ret);
	}
	if (ret->modules.n_items == 0 && has_any(facts, "module/"))
		explain_no_module(ret);
}

/* What the rules noted of a function: a note starts with what it is about. */
static const char *note_of(const struct notes *notes, const char *name)
{
	char start[64];
	const int len = snprintf(start, sizeof(start), "%s: ", name);

	for (size_t i = 0; i < notes->n_items; i++) {
		if (strncmp(notes->items[i].text, start, (size_t)len) == 0)
			return notes->items[i].text + len;
	}
	return NULL;
}

static void add_members(const struct inventory *inventory, const struct groups *groups,
			const struct notes *notes, struct explanation *ret)
{
	for (size_t i = 0; i < inventory->n_others; i++) {
		const struct function *other = &inventory->others[i];
		const char *note = note_of(notes, addr_text(other->addr).text);
		struct explained_item item = {0};

		if (!fact_known(&other->iommu_group) ||
		    !groups_have(groups, other->iommu_group.number))
			continue;
		explain_function(other, "class driver iommu_group", &item, &ret->failed);
		if (note) {
			item.why = strdup(note);
			item.fix = ret->rule->missing;
			ret->failed |= !item.why;
		}
		explain_add(&ret->members, &item, &ret->failed);
	}
}

void explain_members(const struct inventory *inventory, const struct picks *gpus,
		     const struct notes *notes, struct explanation *ret)
{
	CLEANUP(groups_clear) struct groups groups = {0};

	if (!asked_for(ret->rule->facts, "", "members"))
		return;
	for (size_t i = 0; i < gpus->n_items; i++)
		groups_add(&groups, inventory->gpus[gpus->items[i]].iommu_group.number);
	groups_tidy(&groups);
	ret->failed |= groups.failed;
	add_members(inventory, &groups, notes, ret);
}
