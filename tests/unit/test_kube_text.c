/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server and the tokens say, from text to plain data: each parser of outside bytes. */
#include "rows.h"

#include "base/err.h"
#include "kube/base64.h"
#include "kube/list.h"
#include "kube/object.h"
#include "kube/status.h"
#include "kube/token.h"
#include "kube/watch.h"

#include <errno.h>

static struct base64_row {
	const char *name, *text, *want; /* want NULL: none */
} base64_rows[] = {
	{"nothing", "", ""},
	{"padded once", "Z3B1cw==", "gpus"},
	{"padded twice", "Z3B1LW4=", "gpu-n"},
	{"not padded, as in a token", "Z3B1cw", "gpus"},
	{"the alphabet of kubeconfigs", "Pz8/Pz8+", "?\?\?\?\?>"},
	{"the alphabet of tokens", "Pz8_Pz8-", "?\?\?\?\?>"},
	{"in lines", "Z3B1\n cw==\n", "gpus"},
	{"a character of no alphabet", "Z3B1!w==", NULL},
	{"more after the padding", "Z3B1cw==Z3B1", NULL},
	{"a character too many", "Z3B1c", NULL},
};

static void check_base64(void **state)
{
	const struct base64_row *row = *state;
	size_t len = 999;
	auto_free char *bytes = base64_decode(row->text, strlen(row->text), &len);

	if (!row->want) {
		assert_null(bytes);
		return;
	}
	assert_non_null(bytes);
	assert_string_equal(bytes, row->want);
	assert_int_equal(len, strlen(row->want));
}

/* {"kubernetes.io":{"namespace":"gpu","node":{"name":"gpu-7","uid":"u-7"}}} */
#define POD_TOKEN                                                                                  \
	"x.eyJrdWJlcm5ldGVzLmlvIjp7Im5hbWVzcGFjZSI6ImdwdSIsIm5vZGUiOnsibmFtZSI6ImdwdS03IiwidWlkI"  \
	"joidS03In19fQ.y"

static struct claims_row {
	const char *name, *token, *node, *uid, *namespace;
} claims_rows[] = {
	{"a pod's token names its node", POD_TOKEN, "gpu-7", "u-7", "gpu"},
	{"an older one does not", "x.e30.y", NULL, NULL, NULL},
	{"a number for a name is none", "x.eyJrdWJlcm5ldGVzLmlvIjp7Im5vZGUiOnsibmFtZSI6N319fQ.y",
	 NULL, NULL, NULL},
	{"a token that is no JWT", "abcdef.012", NULL, NULL, NULL},
	{"a JWT that is no JSON", "x.Z3B1cw.y", NULL, NULL, NULL},
	{"no base64", "x.!!!!.y", NULL, NULL, NULL},
	{"the empty token", "", NULL, NULL, NULL},
};

static void assert_same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void check_claims(void **state)
{
	const struct claims_row *row = *state;
	CLEANUP(kube_claims_clear) struct kube_claims claims = {0};

	assert_int_equal(kube_claims_read(row->token, &claims), 0);
	assert_same_text(claims.node, row->node);
	assert_same_text(claims.node_uid, row->uid);
	assert_same_text(claims.namespace, row->namespace);
}

static struct status_row {
	const char *name, *text, *message;
	const char *key, *value; /* a label; is it blamed? */
	bool blamed;
} status_rows[] = {
	{"a Status", "{\"kind\":\"Status\",\"message\":\"nodes \\\"a\\\" is forbidden\"}",
	 "nodes \"a\" is forbidden", "a", "b", false},
	{"the plain text of a limit", "Too many requests, please try again later.\n<html>",
	 "Too many requests, please try again later.", "a", "b", false},
	{"nothing", "", "", "a", "b", false},
	{"what a terminal would act on", "\x1b[31mred\x7f", "?[31mred?", "a", "b", false},
	{"JSON of another shape", "[1]", "", "a", "b", false},
	{"a cause that names the key",
	 "{\"message\":\"m\",\"details\":{\"causes\":[{\"field\":\"metadata.labels\",\"message\":"
	 "\"Invalid value: \\\"a.b/c\\\": name part must\"}]}}",
	 "m", "a.b/c", "v", true},
	{"a cause that names the value",
	 "{\"message\":\"m\",\"details\":{\"causes\":[{\"field\":\"metadata.labels\",\"message\":"
	 "\"Invalid value: \\\"a value\\\": a valid label\"}]}}",
	 "m", "a.b/c", "a value", true},
	{"a cause that names a longer key",
	 "{\"message\":\"m\",\"details\":{\"causes\":[{\"field\":\"metadata.labels\",\"message\":"
	 "\"Invalid value: \\\"a.b/c.d\\\": name part must\"}]}}",
	 "m", "a.b/c", "v", false},
	{"a cause that has the key in its field",
	 "{\"message\":\"m\",\"details\":{\"causes\":[{\"field\":\".metadata.labels.a.b/c\","
	 "\"message\":\"no\"}]}}",
	 "m", "a.b/c", "v", true},
	{"causes that are no list", "{\"message\":\"m\",\"details\":{\"causes\":7}}", "m", "a", "",
	 false},
};

static void check_status(void **state)
{
	const struct status_row *row = *state;
	CLEANUP(kube_status_clear) struct kube_status status = {0};

	assert_int_equal(kube_status_read(row->text, strlen(row->text), &status), 0);
	assert_string_equal(status.message, row->message);
	assert_int_equal(kube_status_blames(&status, row->key, row->value), row->blamed);
}

static struct object_row {
	const char *name, *text, *says; /* says NULL: it is good */
} object_rows[] = {
	{"the least that is an object", "{\"metadata\":{}}", NULL},
	{"no JSON", "<html>", "no JSON"},
	{"half of it", "{\"metadata\":{\"uid\":\"a", "no JSON"},
	{"two of them", "{\"metadata\":{}}{\"metadata\":{}}", "no JSON"},
	{"nothing", "", "no JSON"},
	{"a list", "[]", "no object"},
	{"no metadata", "{\"kind\":\"Status\"}", "no object"},
	{"labels that are a list", "{\"metadata\":{\"labels\":[]}}", "no object of texts"},
	{"a label that is a number", "{\"metadata\":{\"labels\":{\"a\":1}}}", "a: no text"},
	{"managedFields of another shape",
	 "{\"metadata\":{\"managedFields\":[1,{\"fieldsV1\":[]},{\"fieldsV1\":{\"f:metadata\":{"
	 "\"f:labels\":7}}}]}}",
	 NULL},
};

static void check_object(void **state)
{
	const struct object_row *row = *state;
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	struct err err = {0};
	const int r = kube_object_parse(row->text, strlen(row->text), KUBE_LABELS_IN_METADATA,
					&object, &err);

	assert_int_equal(r, row->says ? -EBADMSG : 0);
	if (row->says)
		assert_non_null(strstr(err.text, row->says));
	assert_int_equal(object.n_labels, 0);
}

#define NODE(version, labels)                                                                      \
	"{\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"uid\":\"u-1\",\"resourceVersion\":"     \
	"\"" version "\",\"labels\":{" labels "},\"managedFields\":["                              \
	"{\"manager\":\"gpu-labeler\",\"operation\":\"Apply\",\"time\":\"2026-01-03T00:00:00Z\","  \
	"\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\"f:a/ours\":{},\"f:a/gone\":{}}}}},"         \
	"{\"manager\":\"kubectl\",\"operation\":\"Update\",\"time\":\"2026-01-02T00:00:00Z\","     \
	"\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a/theirs\":{}}}}},"              \
	"{\"manager\":\"kubelet\",\"operation\":\"Update\",\"subresource\":\"status\","            \
	"\"time\":\"2026-01-04T00:00:00Z\",\"fieldsV1\":{}}]}}"

static void an_object_tells_who_set_what(void **state)
{
	const char text[] = NODE("7", "\"a/ours\":\"1\",\"a/theirs\":\"2\",\"b\":\"\"");
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	struct err err;

	(void)state;
	assert_int_equal(
		kube_object_parse(text, strlen(text), KUBE_LABELS_IN_METADATA, &object, &err), 0);
	assert_string_equal(object.uid, "u-1");
	assert_string_equal(object.version, "7");
	assert_string_equal(object.last_writer, "kubectl (Update)");
	assert_int_equal(object.n_labels, 3);
	assert_true(kube_object_label(&object, "a/ours")->applied);
	assert_null(kube_object_label(&object, "a/ours")->owner);
	assert_false(kube_object_label(&object, "a/theirs")->applied);
	assert_string_equal(kube_object_label(&object, "a/theirs")->owner, "kubectl (Update)");
	assert_string_equal(kube_object_label(&object, "b")->value, "");
	assert_null(kube_object_label(&object, "a/gone"));
}

static void deep_json_is_refused(void **state)
{
	char text[4096] = "{\"metadata\":";
	CLEANUP(kube_object_clear) struct kube_object object = {0};
	struct err err;

	(void)state;
	memset(text + strlen(text), '[', 1000);
	assert_int_equal(
		kube_object_parse(text, strlen(text), KUBE_LABELS_IN_METADATA, &object, &err),
		-EBADMSG);
}

#define ITEM(name) "{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"a\":\"1\"}}}"

static struct list_row {
	const char *name, *text, *says; /* says NULL: it is good */
	size_t n;
	const char *next; /* NULL: the last page */
} list_rows[] = {
	{"a list of none", "{\"items\":[]}", NULL, 0, NULL},
	{"one of none, as metadata",
	 "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{},\"items\":null}", NULL, 0, NULL},
	{"no items, of another kind", "{\"kind\":\"Status\",\"items\":null}", "no list", 0, NULL},
	{"items that are a text", "{\"kind\":\"NodeList\",\"items\":\"\"}", "no list", 0, NULL},
	{"the last page", "{\"metadata\":{},\"items\":[" ITEM("a") "," ITEM("b") "]}", NULL, 2,
	 NULL},
	{"a page before others",
	 "{\"metadata\":{\"continue\":\"eyJ2_-\"},\"items\":[" ITEM("a") "]}", NULL, 1, "eyJ2_-"},
	{"no JSON", "<html>", "no list", 0, NULL},
	{"no list", "{\"kind\":\"Status\"}", "no list", 0, NULL},
	{"an object without a name", "{\"items\":[" ITEM("a") ",{\"metadata\":{}}]}",
	 "without a name", 0, NULL},
	{"an object that is none", "{\"items\":[7]}", "without a name", 0, NULL},
	{"a name that leads elsewhere", "{\"items\":[" ITEM("../pods") "]}", "../pods", 0, NULL},
	{"a next page that asks for more",
	 "{\"metadata\":{\"continue\":\"a&limit=9\"},\"items\":[]}", "a&limit=9", 0, NULL},
	{"labels that are a list", "{\"items\":[{\"metadata\":{\"name\":\"a\",\"labels\":[]}}]}",
	 "no object of texts", 0, NULL},
};

static void check_list(void **state)
{
	const struct list_row *row = *state;
	CLEANUP(kube_list_clear) struct kube_list list = {0};
	struct err err = {0};
	const int r =
		kube_list_parse(row->text, strlen(row->text), KUBE_LABELS_IN_METADATA, &list, &err);

	assert_int_equal(r, row->says ? -EBADMSG : 0);
	if (row->says)
		assert_non_null(strstr(err.text, row->says));
	assert_int_equal(list.n_items, row->n);
	if (row->next)
		assert_string_equal(list.next, row->next);
	else
		assert_null(list.next);
	if (row->n > 0) {
		assert_string_equal(list.items[0].name, "a");
		assert_non_null(kube_object_label(&list.items[0].object, "a"));
	}
}

/* ---- a watch ---- */

struct heard {
	struct kube_watch watch;
	char text[256]; /* a letter and the version of each event */
};

static void hear(struct kube_watch *watch, struct kube_event *event)
{
	struct heard *heard = (struct heard *)watch;
	static const char letters[] = "ODBE";
	char one[64];

	(void)snprintf(one, sizeof(one), "%c%s%d ", letters[event->type],
		       event->object.version ? event->object.version : "", event->code);
	strcat(heard->text, one);
}

#define EVENT(type, version) "{\"type\":\"" type "\",\"object\":" NODE(version, "\"a\":\"b\"") "}\n"
#define TOO_OLD                                                                                    \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"too "                   \
	"old\",\"code\":410}}\n"

static struct watch_row {
	const char *name, *bytes, *heard;
	int r;
} watch_rows[] = {
	{"each kind of event",
	 EVENT("ADDED", "1") EVENT("MODIFIED", "2") EVENT("BOOKMARK", "3") EVENT("DELETED", "4")
		 TOO_OLD,
	 "O10 O20 B30 D40 E410 ", 0},
	{"half a line is none", "{\"type\":\"ADDED\",", "", 0},
	{"empty lines are nothing", "\n\n" EVENT("ADDED", "1") "\n", "O10 ", 0},
	{"no JSON", EVENT("ADDED", "1") "<html>\n", "O10 ", -EBADMSG},
	{"an event of another type", "{\"type\":\"MOVED\",\"object\":{\"metadata\":{}}}\n", "",
	 -EBADMSG},
	{"an event without object", "{\"type\":\"ADDED\"}\n", "", -EBADMSG},
	{"an object that is none", "{\"type\":\"ADDED\",\"object\":7}\n", "", -EBADMSG},
};

static void check_watch(void **state)
{
	const struct watch_row *row = *state;
	const size_t len = strlen(row->bytes);

	/* In pieces of any size the same is heard. */
	for (size_t piece = 1; piece <= len; piece = piece < 9 ? piece + 1 : piece * 3) {
		struct heard heard = {.watch = {.event = hear}};
		struct err err;
		int r = 0;

		for (size_t at = 0; at < len && r == 0; at += piece)
			r = kube_watch_feed(&heard.watch, row->bytes + at,
					    piece < len - at ? piece : len - at, &err);
		kube_watch_clear(&heard.watch);
		assert_int_equal(r, row->r);
		assert_string_equal(heard.text, row->heard);
	}
}

static void an_endless_line_is_refused(void **state)
{
	struct heard heard = {.watch = {.event = hear}};
	auto_free char *piece = malloc(1 << 20);
	struct err err;
	int r = 0;

	(void)state;
	assert_non_null(piece);
	memset(piece, 'x', 1 << 20);
	for (int i = 0; i < 8 && r == 0; i++)
		r = kube_watch_feed(&heard.watch, piece, 1 << 20, &err);
	kube_watch_clear(&heard.watch);
	assert_int_equal(r, -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_tells_who_set_what),
		cmocka_unit_test(deep_json_is_refused),
		cmocka_unit_test(an_endless_line_is_refused),
	};

	return RUN_ROWS(base64_rows, check_base64) + RUN_ROWS(claims_rows, check_claims) +
	       RUN_ROWS(status_rows, check_status) + RUN_ROWS(object_rows, check_object) +
	       RUN_ROWS(list_rows, check_list) + RUN_ROWS(watch_rows, check_watch) +
	       cmocka_run_group_tests_name("objects and watches", tests, NULL, NULL);
}
