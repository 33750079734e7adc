/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_MOST = 4 << 20, /* etcd takes no object above 1.5 MiB */
};

void kube_watch_clear(struct kube_watch *watch)
{
	strbuf_clear(&watch->line);
}

static void event_clear(struct kube_event *event)
{
	kube_object_clear(&event->object);
}

static int type_of(const char *word, enum kube_event_type *ret)
{
	static const struct {
		const char *word;
		enum kube_event_type type;
	} types[] = {
		{"ADDED", KUBE_EVENT_OBJECT},    {"MODIFIED", KUBE_EVENT_OBJECT},
		{"DELETED", KUBE_EVENT_DELETED}, {"BOOKMARK", KUBE_EVENT_BOOKMARK},
		{"ERROR", KUBE_EVENT_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].word, word) == 0) {
			*ret = types[i].type;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_line(struct kube_watch *watch, struct err *err)
{
	CLEANUP(kube_json_put)
	struct json_object *json = kube_json_parse(watch->line.text, watch->line.len);
	CLEANUP(event_clear) struct kube_event event = {0};
	struct json_object *object = kube_json_at(json, KUBE_PATH("object"));
	int r;

	if (type_of(kube_json_text(json, KUBE_PATH("type")), &event.type) < 0 || !object)
		return err_set(err, -EBADMSG, "the watch sends what is no event");
	if (event.type == KUBE_EVENT_ERROR) {
		event.code = json_object_get_int(kube_json_at(object, KUBE_PATH("code")));
		(void)snprintf(event.message, sizeof(event.message), "%s",
			       kube_json_text(object, KUBE_PATH("message")));
	} else {
		r = kube_object_take(object, watch->at, &event.object, err);
		if (r < 0)
			return err_prefix(err, r, "the watch");
	}
	watch->event(watch, &event);
	return 0;
}

int kube_watch_feed(struct kube_watch *watch, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		const size_t part = end ? (size_t)(end - bytes) + 1 : len;
		int r = 0;

		strbuf_add_bytes(&watch->line, bytes, part);
		bytes += part;
		len -= part;
		if (watch->line.failed)
			return err_set(err, -ENOMEM, "out of memory");
		if (watch->line.len > LINE_MOST)
			return err_set(err, -EMSGSIZE, "the watch sends an event of over %d MiB",
				       LINE_MOST >> 20);
		if (!end)
			break;
		if (watch->line.len > 1)
			r = take_line(watch, err);
		strbuf_clear(&watch->line);
		if (r < 0)
			return r;
	}
	return 0;
}
