/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "doctor/doctor.h"
#include "doctor/report.h"

#include <json-c/json.h>
#include <string.h>

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

static struct json_object *evidence_json(const struct finding *finding)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < finding->n_items; i++) {
		struct json_object *item = json_object_new_object();

		add_text(item, "state", health_name(finding->items[i].health));
		add_text(item, "path", finding->items[i].path);
		add_text(item, "value", finding->items[i].value);
		json_object_array_add(list, item);
	}
	return list;
}

static struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "id", finding->id);
	add_text(object, "state", health_name(finding->health));
	add_text(object, "text", finding->says);
	json_object_object_add(object, "evidence", evidence_json(finding));
	add_text(object, "next", finding->next);
	add_text(object, "follows", finding->follows);
	return object;
}

char *report_json(const struct diagnosis *diagnosis)
{
	CLEANUP(put_object) struct json_object *root = json_object_new_object();
	struct json_object *counts = json_object_new_object();
	struct json_object *checks = json_object_new_array();
	const char *text;

	for (size_t i = 0; i < N_HEALTHS; i++)
		json_object_object_add(counts, health_name((enum health)i),
				       json_object_new_int64((int64_t)diagnosis->count[i]));
	for (size_t i = 0; i < diagnosis->n_items; i++)
		json_object_array_add(checks, finding_json(&diagnosis->items[i]));
	add_text(root, "mode", mode_name(diagnosis->meant));
	add_text(root, "mode_from", diagnosis->because);
	json_object_object_add(root, "count", counts);
	json_object_object_add(root, "checks", checks);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}
