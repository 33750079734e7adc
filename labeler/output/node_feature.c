/* SPDX-License-Identifier: Apache-2.0 */
#include "output/node_feature.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/apply.h"
#include "output/keeper.h"

#include <errno.h>
#include <string.h>

enum {
	NAME_MOST = 253, /* of any object */
};

static char *apply(const struct keeper *keeper, const struct kube_pair *labels, size_t n)
{
	const struct kube_node_feature about = {
		.name = keeper->name,
		.namespace = keeper->identity.namespace,
		.node = keeper->identity.node,
		.node_uid = keeper->identity.node_uid,
	};

	return kube_apply_node_feature(&about, labels, n);
}

static const struct keeper_kind kind = {
	.at = KUBE_LABELS_IN_SPEC,
	.what = "NodeFeature",
	.accept = KUBE_AS_JSON,
	.makes = true,
	.apply = apply,
};

int node_feature_open(const struct identity_wish *wish, int64_t spread_ms, struct output **ret,
		      struct err *err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	auto_free char *name = NULL;
	auto_free char *list_path = NULL;
	const int r = identity_find(wish, &identity, err);

	if (r < 0)
		return r;
	if (strlen(NODE_FEATURE_NAME_START) + strlen(identity.node) > NAME_MOST)
		return err_set(err, -EINVAL,
			       "node name %s is too long for \"" NODE_FEATURE_NAME_START "...\"",
			       identity.node);
	if (asprintf(&name, NODE_FEATURE_NAME_START "%s", identity.node) < 0)
		name = NULL;
	if (asprintf(&list_path, NODE_FEATURE_PATH, identity.namespace) < 0)
		list_path = NULL;
	return keeper_open(&kind, &identity, TAKE_PTR(name), TAKE_PTR(list_path), spread_ms, ret,
			   err);
}
