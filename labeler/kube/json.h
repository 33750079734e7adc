/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an outsider sends, read with limits; and the way down into it. */
#include <stddef.h>
#include <stdint.h>

struct json_object;

enum {
	KUBE_JSON_DEPTH = 32, /* a Node's managedFields need 9 */
};

/* One JSON text and nothing after it; NULL where it is none, or too deep. kube_json_put() it. */
struct json_object *kube_json_parse(const char *text, size_t len);
void kube_json_put(struct json_object **json);

/* What stands at "metadata", "labels", ...: borrowed; NULL where a step is missing or no object. */
struct json_object *kube_json_at(struct json_object *json, const char *const *path);
#define KUBE_PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The text there, borrowed; "" where there is none. */
const char *kube_json_text(struct json_object *json, const char *const *path);
