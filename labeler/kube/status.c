/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/status.h"

#include "base/cleanup.h"
#include "kube/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum {
	MESSAGE_MOST = 400, /* a line of the log */
	CAUSES_MOST = 64,
};

void kube_status_clear(struct kube_status *status)
{
	for (size_t i = 0; i < status->n_causes; i++)
		free(status->causes[i]);
	free(status->causes);
	free(status->message);
	*status = (struct kube_status){0};
}

/* The text up to its end of line, without what a terminal would act on. */
static char *one_line(const char *text, size_t len)
{
	char *line = strndup(text, len < MESSAGE_MOST ? len : MESSAGE_MOST);

	if (!line)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return line;
}

static int take_causes(struct json_object *causes, struct kube_status *status)
{
	size_t n;

	if (!json_object_is_type(causes, json_type_array))
		return 0;
	n = json_object_array_length(causes);
	n = n < CAUSES_MOST ? n : CAUSES_MOST;
	status->causes = calloc(n + 1, sizeof(*status->causes));
	if (!status->causes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct json_object *cause = json_object_array_get_idx(causes, i);

		if (asprintf(&status->causes[i], "%s: %s",
			     kube_json_text(cause, KUBE_PATH("field")),
			     kube_json_text(cause, KUBE_PATH("message"))) < 0) {
			status->causes[i] = NULL;
			return -ENOMEM;
		}
		status->n_causes++;
	}
	return 0;
}

int kube_status_read(const char *text, size_t len, struct kube_status *ret)
{
	CLEANUP(kube_json_put) struct json_object *json = text ? kube_json_parse(text, len) : NULL;
	CLEANUP(kube_status_clear) struct kube_status status = {0};
	const char *message = kube_json_text(json, KUBE_PATH("message"));

	if (json)
		status.message = one_line(message, strlen(message));
	else
		status.message = one_line(text ? text : "", len);
	if (!status.message ||
	    take_causes(kube_json_at(json, KUBE_PATH("details", "causes")), &status) < 0)
		return -ENOMEM;
	SWAP(*ret, status);
	return 0;
}

/* Does the text stand there between the quotes or brackets that the server puts round a name? */
static bool names(const char *cause, const char *text)
{
	const size_t len = strlen(text);

	if (len == 0)
		return false;
	for (const char *at = cause; (at = strstr(at, text)); at++) {
		if (at > cause && strchr("\"[.", at[-1]) && strchr("\"]:", at[len]))
			return true;
	}
	return false;
}

bool kube_status_blames(const struct kube_status *status, const char *key, const char *value)
{
	for (size_t i = 0; i < status->n_causes; i++) {
		if (names(status->causes[i], key) || names(status->causes[i], value))
			return true;
	}
	return false;
}
