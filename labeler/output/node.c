/* SPDX-License-Identifier: Apache-2.0 */
#include "output/node.h"

#include "base/cleanup.h"
#include "kube/apply.h"
#include "output/keeper.h"
#include "rules/owned.h"

#include <string.h>

static char *apply(const struct keeper *keeper, const struct kube_pair *labels, size_t n)
{
	return kube_apply_node(keeper->name, keeper->seen.uid, labels, n);
}

static const struct keeper_kind kind = {
	.at = KUBE_LABELS_IN_METADATA,
	.what = "node",
	.accept = KUBE_AS_METADATA,
	.is_ours = label_key_is_ours,
	.apply = apply,
};

int node_open(const struct identity_wish *wish, int64_t spread_ms, struct output **ret,
	      struct err *err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	const int r = identity_find(wish, &identity, err);

	if (r < 0)
		return r;
	return keeper_open(&kind, &identity, strdup(identity.node), strdup("/api/v1/nodes"),
			   spread_ms, ret, err);
}
