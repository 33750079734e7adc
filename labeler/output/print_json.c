/* SPDX-License-Identifier: Apache-2.0 */
#include "output/print_json.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"
#include "rules/rules.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static struct json_object *text_json(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *mode_json(enum mode mode)
{
	return mode == MODE_NONE ? NULL : json_object_new_string(mode_name(mode));
}

static struct json_object *number_json(const struct fact *fact)
{
	return fact_known(fact) ? json_object_new_int64(fact->number) : NULL;
}

static struct json_object *labels_json(const struct labels *labels)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < labels->n_items; i++)
		json_object_object_add(object, labels->items[i].key,
				       text_json(labels->items[i].value));
	return object;
}

static struct json_object *source_json(const struct inventory *inventory, const struct label *label)
{
	struct json_object *source = json_object_new_object();
	struct json_object *functions = json_object_new_array();

	for (size_t i = 0; i < label->gpus.n_items; i++) {
		const struct function *gpu = &inventory->gpus[label->gpus.items[i]];

		json_object_array_add(functions, text_json(addr_text(gpu->addr).text));
	}
	json_object_object_add(source, "rule", text_json(label->rule->text));
	json_object_object_add(source, "functions", functions);
	return source;
}

static struct json_object *sources_json(const struct inventory *inventory,
					const struct labels *labels)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < labels->n_items; i++)
		json_object_object_add(object, labels->items[i].key,
				       source_json(inventory, &labels->items[i]));
	return object;
}

static struct json_object *function_json(const struct function *gpu, const struct part *part,
					 const char *name, bool counted)
{
	struct json_object *object = json_object_new_object();
	char id[16];

	(void)snprintf(id, sizeof(id), "%04x:%04x", gpu->vendor, fact_id(&gpu->device));
	json_object_object_add(object, "address", text_json(addr_text(gpu->addr).text));
	json_object_object_add(object, "id", text_json(fact_known(&gpu->device) ? id : NULL));
	json_object_object_add(object, "name", text_json(name));
	json_object_object_add(object, "kind", text_json(part->is_vf ? "VF" : "PF"));
	json_object_object_add(object, "driver",
			       text_json(fact_known(&gpu->driver) ? gpu->driver.text : NULL));
	json_object_object_add(object, "iommu_group", number_json(&gpu->iommu_group));
	json_object_object_add(object, "numa_node", number_json(&gpu->numa_node));
	json_object_object_add(object, "mode", mode_json(part->mode));
	json_object_object_add(object, "counted", json_object_new_boolean(counted));
	json_object_object_add(object, "vfio", json_object_new_boolean(part->vfio));
	json_object_object_add(object, "why", text_json(part->why));
	return object;
}

static struct json_object *functions_json(const struct inventory *inventory,
					  const struct verdict *verdict, const char *const *names)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < inventory->n_gpus; i++)
		json_object_array_add(list, function_json(&inventory->gpus[i], &verdict->parts[i],
							  names[i], verdict_counts(verdict, i)));
	return list;
}

static struct json_object *notes_json(const struct notes *notes)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < notes->n_items; i++) {
		struct json_object *note = json_object_new_object();

		json_object_object_add(note, "level",
				       text_json(note_level_name(notes->items[i].level)));
		json_object_object_add(note, "text", text_json(notes->items[i].text));
		json_object_array_add(list, note);
	}
	return list;
}

char *verdict_to_json(const struct inventory *inventory, const struct verdict *verdict,
		      const char *const *names)
{
	CLEANUP(put_object) struct json_object *root = json_object_new_object();
	const char *text;

	json_object_object_add(root, "mode", mode_json(verdict->mode));
	json_object_object_add(root, "labels", labels_json(&verdict->labels));
	json_object_object_add(root, "sources", sources_json(inventory, &verdict->labels));
	json_object_object_add(root, "functions", functions_json(inventory, verdict, names));
	json_object_object_add(root, "notes", notes_json(&verdict->notes));
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}
