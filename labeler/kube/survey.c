/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/survey.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/client.h"
#include "kube/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

enum {
	CALL_MS = 10 * 1000, /* somebody waits for it */
};
static const char nfd_prefix[] = "nfd.node.kubernetes.io/";

/* --- reading --- */

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory for what the cluster says");
}

static struct json_object *array_at(struct json_object *json, const char *const *path)
{
	struct json_object *found = kube_json_at(json, path);

	return json_object_is_type(found, json_type_array) ? found : NULL;
}

static size_t length_of(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static struct json_object *item(struct json_object *array, size_t i)
{
	return json_object_array_get_idx(array, i);
}

static int read_resources(struct json_object *node, struct survey *survey)
{
	struct json_object *all = kube_json_at(node, KUBE_PATH("status", "allocatable"));

	if (!json_object_is_type(all, json_type_object))
		return 0;
	survey->resources =
		calloc((size_t)json_object_object_length(all) + 1, sizeof(*survey->resources));
	if (!survey->resources)
		return -ENOMEM;
	json_object_object_foreach(all, name, quantity)
	{
		struct survey_resource *resource = &survey->resources[survey->n_resources++];

		resource->name = strdup(name);
		resource->quantity = strdup(quantity ? json_object_get_string(quantity) : "");
		if (!resource->name || !resource->quantity)
			return -ENOMEM;
	}
	return 0;
}

static bool has_nfd_annotation(struct json_object *node)
{
	struct json_object *all = kube_json_at(node, KUBE_PATH("metadata", "annotations"));

	if (!json_object_is_type(all, json_type_object))
		return false;
	json_object_object_foreach(all, name, value)
	{
		(void)value;
		if (strncmp(name, nfd_prefix, strlen(nfd_prefix)) == 0)
			return true;
	}
	return false;
}

int survey_read_node(const char *text, size_t len, struct survey *survey, struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *node = kube_json_parse(text, len);
	int r = kube_object_parse(text, len, KUBE_LABELS_IN_METADATA, &survey->object, err);

	if (r < 0 || !node)
		return r < 0 ? r : err_set(err, -EBADMSG, "the Node is no JSON");
	survey->has_nfd_mark = has_nfd_annotation(node);
	r = read_resources(node, survey);
	return r < 0 ? out_of_memory(err) : 0;
}

static int read_gates(struct json_object *configuration, struct survey *survey)
{
	struct json_object *list =
		array_at(configuration, KUBE_PATH("developerConfiguration", "featureGates"));
	const size_t n = length_of(list);

	survey->gates = calloc(n + 1, sizeof(*survey->gates));
	if (!survey->gates)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *gate = json_object_get_string(item(list, i));

		survey->gates[survey->n_gates] = strdup(gate ? gate : "");
		if (!survey->gates[survey->n_gates])
			return -ENOMEM;
		survey->n_gates++;
	}
	return 0;
}

static int read_permits(struct json_object *configuration, struct survey *survey)
{
	struct json_object *list =
		array_at(configuration, KUBE_PATH("permittedHostDevices", "pciHostDevices"));
	const size_t n = length_of(list);

	survey->permits = calloc(n + 1, sizeof(*survey->permits));
	if (!survey->permits)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct survey_permit *permit = &survey->permits[survey->n_permits++];
		struct json_object *entry = item(list, i);

		permit->selector = strdup(kube_json_text(entry, KUBE_PATH("pciVendorSelector")));
		permit->resource = strdup(kube_json_text(entry, KUBE_PATH("resourceName")));
		permit->external = json_object_get_boolean(
			kube_json_at(entry, KUBE_PATH("externalResourceProvider")));
		if (!permit->selector || !permit->resource)
			return -ENOMEM;
	}
	return 0;
}

int survey_read_kubevirts(const char *text, size_t len, struct survey *survey, struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *list = kube_json_parse(text, len);
	struct json_object *items = array_at(list, KUBE_PATH("items"));
	struct json_object *first;
	struct json_object *configuration;

	if (!items)
		return err_set(err, -EBADMSG, "the list of KubeVirt objects is none");
	if (length_of(items) == 0) {
		survey->kubevirt.state = SURVEY_ABSENT;
		return 0;
	}
	first = item(items, 0);
	configuration = kube_json_at(first, KUBE_PATH("spec", "configuration"));
	if (asprintf(&survey->kubevirt_name, "%s/%s",
		     kube_json_text(first, KUBE_PATH("metadata", "namespace")),
		     kube_json_text(first, KUBE_PATH("metadata", "name"))) < 0) {
		survey->kubevirt_name = NULL;
		return out_of_memory(err);
	}
	if (read_gates(configuration, survey) < 0 || read_permits(configuration, survey) < 0)
		return out_of_memory(err);
	return 0;
}

/* --- asking --- */

/* One question. ret: its answer's body where it is known, the caller's to clear. */
struct question {
	struct kube_client *client;
	struct survey_answer *answer;
	struct kube_call call;
};

static int ask(struct question *question, const struct kube_request *request)
{
	struct err why;

	kube_call_start(question->client, &question->call, request);
	kube_call_wait(&question->call);
	if (question->call.exchange.status == 404) {
		question->answer->state = SURVEY_ABSENT;
		return 0;
	}
	if (question->call.exchange.status / 100 == 2) {
		question->answer->state = SURVEY_KNOWN;
		return 0;
	}
	kube_call_tell(&question->call, &why);
	question->answer->state = SURVEY_FAILED;
	question->answer->why = strdup(why.text);
	return question->answer->why ? 0 : -ENOMEM;
}

static void question_end(struct question *question)
{
	kube_call_stop(&question->call);
	strbuf_clear(&question->call.body);
}

static int get(struct question *question, const char *path)
{
	const struct kube_request request = {
		.method = "GET", .path = path, .accept = KUBE_AS_JSON, .timeout_ms = CALL_MS};

	return ask(question, &request);
}

/* What cannot be made sense of is no answer either. */
static int misread(struct survey_answer *answer, int r, const struct err *why)
{
	if (r == -ENOMEM)
		return r;
	answer->state = SURVEY_FAILED;
	free(answer->why);
	answer->why = strdup(why->text);
	return answer->why ? 0 : -ENOMEM;
}

typedef int reader_fn(const char *text, size_t len, struct survey *survey, struct err *err);

static int read_body(const struct question *question, struct survey *survey, reader_fn *reader,
		     struct err *err)
{
	const struct strbuf *body = &question->call.body;

	if (!body->text)
		return err_set(err, -EBADMSG, "the answer is empty");
	return reader(body->text, body->len, survey, err);
}

/* GETs the path; reads the answer where there is one, and where somebody wants to. */
static int look_up(struct kube_client *client, struct survey *survey, struct survey_answer *answer,
		   const char *path, reader_fn *reader)
{
	CLEANUP(question_end) struct question question = {.client = client, .answer = answer};
	struct err why;
	int r = get(&question, path);

	if (r < 0 || answer->state != SURVEY_KNOWN || !reader)
		return r;
	r = read_body(&question, survey, reader, &why);
	return r < 0 ? misread(answer, r, &why) : 0;
}

static int read_review(const char *text, size_t len, struct survey *survey, struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *review = kube_json_parse(text, len);

	if (!review)
		return err_set(err, -EBADMSG, "the review of rights is no JSON");
	survey->may = json_object_get_boolean(kube_json_at(review, KUBE_PATH("status", "allowed")));
	return 0;
}

static char *review_body(const struct survey_wish *wish)
{
	struct json_object *body = json_object_new_object();
	struct json_object *spec = json_object_new_object();
	struct json_object *what = json_object_new_object();
	char *text;

	json_object_object_add(what, "verb", json_object_new_string("patch"));
	json_object_object_add(
		what, "resource",
		json_object_new_string(wish->writes_node ? "nodes" : "nodefeatures"));
	if (wish->writes_node) {
		json_object_object_add(what, "name", json_object_new_string(wish->node));
	} else {
		json_object_object_add(what, "group", json_object_new_string("nfd.k8s-sigs.io"));
		json_object_object_add(what, "namespace", json_object_new_string(wish->namespace));
	}
	json_object_object_add(spec, "resourceAttributes", what);
	json_object_object_add(body, "apiVersion",
			       json_object_new_string("authorization.k8s.io/v1"));
	json_object_object_add(body, "kind", json_object_new_string("SelfSubjectAccessReview"));
	json_object_object_add(body, "spec", spec);
	text = strdup(json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
	json_object_put(body);
	return text;
}

static int ask_rights(struct kube_client *client, const struct survey_wish *wish,
		      struct survey *survey)
{
	CLEANUP(question_end)
	struct question question = {.client = client, .answer = &survey->rights};
	auto_free char *body = review_body(wish);
	const struct kube_request request = {
		.method = "POST",
		.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		.accept = KUBE_AS_JSON,
		.content_type = KUBE_AS_JSON,
		.body = body,
		.timeout_ms = CALL_MS};
	struct err why;
	int r;

	if (!body || asprintf(&survey->rights_on, "patch %s%s",
			      wish->writes_node ? "nodes/" : "nodefeatures in ",
			      wish->writes_node ? wish->node : wish->namespace) < 0) {
		survey->rights_on = NULL;
		return -ENOMEM;
	}
	r = ask(&question, &request);
	if (r < 0 || survey->rights.state != SURVEY_KNOWN)
		return r;
	r = read_body(&question, survey, read_review, &why);
	return r < 0 ? misread(&survey->rights, r, &why) : 0;
}

/* As deploy/kustomize/overlays names them. */
static int ask_policy(struct kube_client *client, const struct survey_wish *wish,
		      struct survey *survey)
{
	static const char group[] = "/apis/admissionregistration.k8s.io/v1";
	const char *name =
		wish->writes_node ? "gpu-labeler-own-node" : "gpu-labeler-own-nodefeature";
	char path[160];
	int r;

	survey->policy_name = strdup(name);
	if (!survey->policy_name)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s/validatingadmissionpolicies/%s", group, name);
	r = look_up(client, survey, &survey->policy, path, NULL);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/validatingadmissionpolicybindings/%s", group, name);
	return look_up(client, survey, &survey->binding, path, NULL);
}

/* A server that gives no answer at all is asked once. */
static int ask_of_node(struct kube_client *client, const struct survey_wish *wish,
		       struct survey *survey, bool *ret_silent)
{
	CLEANUP(question_end)
	struct question question = {.client = client, .answer = &survey->node};
	auto_free char *path = NULL;
	struct err why;
	int r;

	if (asprintf(&path, "/api/v1/nodes/%s", wish->node) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = get(&question, path);
	*ret_silent = question.call.exchange.status == 0;
	if (r < 0 || survey->node.state != SURVEY_KNOWN)
		return r;
	r = read_body(&question, survey, survey_read_node, &why);
	return r < 0 ? misread(&survey->node, r, &why) : 0;
}

static int ask_all(struct kube_client *client, const struct survey_wish *wish,
		   struct survey *survey)
{
	const bool writes = wish->writes_node || wish->writes_nodefeature;
	bool silent = false;
	int r = wish->node ? ask_of_node(client, wish, survey, &silent) : 0;

	if (r < 0 || silent)
		return r;
	r = look_up(client, survey, &survey->kubevirt, "/apis/kubevirt.io/v1/kubevirts",
		    survey_read_kubevirts);
	if (r == 0 && writes)
		r = ask_rights(client, wish, survey);
	if (r == 0 && writes)
		r = ask_policy(client, wish, survey);
	if (r == 0 && wish->needs_nfd)
		r = look_up(client, survey, &survey->nfd, "/apis/nfd.k8s-sigs.io/v1alpha1", NULL);
	return r;
}

int survey_take(struct kube_client *client, const struct survey_wish *wish, struct survey *ret,
		struct err *err)
{
	CLEANUP(survey_clear) struct survey survey = {0};

	if (ask_all(client, wish, &survey) < 0)
		return out_of_memory(err);
	SWAP(*ret, survey);
	return 0;
}

/* --- what came of it --- */

const char *survey_quantity(const struct survey *survey, const char *resource)
{
	for (size_t i = 0; i < survey->n_resources; i++) {
		if (strcmp(survey->resources[i].name, resource) == 0)
			return survey->resources[i].quantity;
	}
	return NULL;
}

/* KubeVirt compares the whole selector, in any case of letters. */
const struct survey_permit *survey_permit(const struct survey *survey, unsigned int vendor,
					  unsigned int device)
{
	char ids[24];

	(void)snprintf(ids, sizeof(ids), "%04x:%04x", vendor, device);
	for (size_t i = 0; i < survey->n_permits; i++) {
		if (strcasecmp(survey->permits[i].selector, ids) == 0)
			return &survey->permits[i];
	}
	return NULL;
}

void survey_clear(struct survey *survey)
{
	struct survey_answer *answers[] = {&survey->node,   &survey->kubevirt, &survey->rights,
					   &survey->policy, &survey->binding,  &survey->nfd};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		free(answers[i]->why);
	kube_object_clear(&survey->object);
	for (size_t i = 0; i < survey->n_resources; i++) {
		free(survey->resources[i].name);
		free(survey->resources[i].quantity);
	}
	for (size_t i = 0; i < survey->n_gates; i++)
		free(survey->gates[i]);
	for (size_t i = 0; i < survey->n_permits; i++) {
		free(survey->permits[i].selector);
		free(survey->permits[i].resource);
	}
	free(survey->resources);
	free(survey->gates);
	free(survey->permits);
	free(survey->kubevirt_name);
	free(survey->rights_on);
	free(survey->policy_name);
	*survey = (struct survey){0};
}
