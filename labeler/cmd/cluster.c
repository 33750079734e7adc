/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cluster.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "config.h"
#include "kube/client.h"
#include "kube/survey.h"
#include "output/identity.h"

#include <errno.h>
#include <string.h>

static int give_up(struct survey *survey, const struct err *why, struct err *err)
{
	survey->node.state = SURVEY_FAILED;
	survey->node.why = strdup(why->text);
	return survey->node.why ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int cluster_survey(const struct config *config, struct survey *ret, struct err *err)
{
	const struct identity_wish wish = {config->kubeconfig, config->context, config->node_name,
					   config->namespace};
	CLEANUP(identity_clear) struct identity identity = {0};
	CLEANUP(kube_client_close) struct kube_client *client = NULL;
	struct err why;

	if (identity_find(&wish, &identity, &why) < 0 ||
	    kube_client_open(&identity.access, &client, &why) < 0)
		return give_up(ret, &why, err);
	const struct survey_wish questions = {
		.node = identity.node,
		.namespace = identity.namespace,
		.writes_node = config->outputs & 1U << CONFIG_OUTPUT_NODE,
		.writes_nodefeature = config->outputs & 1U << CONFIG_OUTPUT_NODE_FEATURE,
		.needs_nfd = config->outputs &
			     (1U << CONFIG_OUTPUT_FILE | 1U << CONFIG_OUTPUT_NODE_FEATURE),
	};

	return survey_take(client, &questions, ret, err);
}

int cluster_kubevirt(const struct config *config, struct survey *ret, struct err *err)
{
	const struct survey_wish questions = {0};
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	CLEANUP(kube_client_close) struct kube_client *client = NULL;
	int r = kube_access_find(config->kubeconfig, config->context, &access, err);

	if (r == 0)
		r = kube_client_open(&access, &client, err);
	if (r == 0)
		r = survey_take(client, &questions, ret, err);
	if (r == 0 && ret->kubevirt.state == SURVEY_FAILED)
		r = err_set(err, -EIO, "KubeVirt's CR: %s", ret->kubevirt.why);
	return r;
}
