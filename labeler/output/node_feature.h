/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A NodeFeature object of our own, from which NFD's master labels the node: no file, no host mount.
 * It belongs to the Node, and goes with it; without a label there is none.
 */
#include "output/output.h"

struct identity_wish;

#define NODE_FEATURE_NAME_START "gpu-labeler-features-for-" /* the node's name stands behind it */
#define NODE_FEATURE_PATH "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/%s/nodefeatures"

/* Returns 0, -EINVAL where these settings can never work, or another negative errno. */
int node_feature_open(const struct identity_wish *wish, int64_t spread_ms, struct output **ret,
		      struct err *err);
