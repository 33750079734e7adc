/* SPDX-License-Identifier: Apache-2.0 */
#include "output/on_node.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "kube/client.h"
#include "kube/object.h"
#include "output/identity.h"
#include "rules/labels.h"
#include "rules/owned.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name, *fix;
} states[ON_NODE_STATES] = {
	[ON_NODE_SAME] = {"same", NULL},
	[ON_NODE_OTHER] = {"other", "if the agent runs here, the owner writes the same key: one of "
				    "the two must stop; if it does not, start it"},
	[ON_NODE_MISSING] = {"missing", "is the agent running on this node, and what does its log "
					"say? With NFD: has its master seen the feature file?"},
	[ON_NODE_STALE] = {"stale",
			   "a running agent takes away what it applied, gpu-labeler clean "
			   "all of ours; what another owner set, that owner must take away"},
	[ON_NODE_NEITHER] = {"neither", NULL},
};

const char *on_node_name(enum on_node_state state)
{
	return states[state].name;
}

const char *on_node_fix(enum on_node_state state)
{
	return states[state].fix;
}

struct on_node on_node_find(const struct kube_object *node, const char *key, const char *wanted)
{
	const struct kube_label *label = kube_object_label(node, key);
	struct on_node ret = {.state = wanted ? ON_NODE_MISSING : ON_NODE_NEITHER};

	if (!label)
		return ret;
	ret.value = label->value;
	ret.owner = label->owner;
	ret.applied = label->applied;
	if (!wanted)
		ret.state = ON_NODE_STALE;
	else
		ret.state = strcmp(label->value, wanted) == 0 ? ON_NODE_SAME : ON_NODE_OTHER;
	return ret;
}

void on_node_stale(const struct kube_object *node, const struct labels *labels, struct strbuf *out)
{
	for (size_t i = 0; i < node->n_labels; i++) {
		const struct kube_label *label = &node->labels[i];

		if ((label_key_is_ours(label->key) || label->applied) &&
		    !labels_find(labels, label->key))
			strbuf_addf(out, "%s\n", label->key);
	}
}

static int ask(struct kube_client *client, const char *name, struct kube_object *ret,
	       struct err *err)
{
	auto_free char *path = NULL;
	struct kube_request request = {
		.method = "GET", .accept = KUBE_AS_METADATA, .timeout_ms = KUBE_CALL_MS};
	struct kube_call call = {0};
	int r;

	if (asprintf(&path, "/api/v1/nodes/%s", name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	request.path = path;
	kube_call_start(client, &call, &request);
	kube_call_wait(&call);
	if (call.exchange.status == 200) {
		r = kube_object_parse(call.body.text ? call.body.text : "", call.body.len,
				      KUBE_LABELS_IN_METADATA, ret, err);
	} else {
		kube_call_tell(&call, err);
		r = -EIO;
	}
	kube_call_stop(&call);
	return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

int on_node_read(const struct identity_wish *wish, struct kube_object *ret, char **ret_name,
		 struct err *err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	struct kube_client *client = NULL;
	int r = identity_find(wish, &identity, err);

	if (r == 0)
		r = kube_client_open(&identity.access, &client, err);
	if (r < 0)
		return r;
	r = ask(client, identity.node, ret, err);
	kube_client_close(&client);
	if (r == 0)
		*ret_name = TAKE_PTR(identity.node);
	return r;
}
