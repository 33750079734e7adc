/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/token.h"

#include "base/cleanup.h"
#include "kube/base64.h"
#include "kube/json.h"

#include <errno.h>
#include <string.h>

static int take(struct json_object *json, const char *const *path, char **ret)
{
	const char *text = kube_json_text(json, path);

	if (!*text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int kube_claims_read(const char *token, struct kube_claims *ret)
{
	CLEANUP(kube_json_put) struct json_object *json = NULL;
	CLEANUP(kube_claims_clear) struct kube_claims claims = {0};
	auto_free char *payload = NULL;
	const char *from = strchr(token, '.'); /* header.payload.signature */
	const char *to = from ? strchr(from + 1, '.') : NULL;
	size_t len = 0;

	if (to)
		payload = base64_decode(from + 1, (size_t)(to - from - 1), &len);
	if (payload)
		json = kube_json_parse(payload, len);
	if (!json)
		return 0;
	if (take(json, KUBE_PATH("kubernetes.io", "node", "name"), &claims.node) < 0 ||
	    take(json, KUBE_PATH("kubernetes.io", "node", "uid"), &claims.node_uid) < 0 ||
	    take(json, KUBE_PATH("kubernetes.io", "namespace"), &claims.namespace) < 0)
		return -ENOMEM;
	SWAP(*ret, claims);
	return 0;
}

void kube_claims_clear(struct kube_claims *claims)
{
	free(claims->node);
	free(claims->node_uid);
	free(claims->namespace);
	*claims = (struct kube_claims){0};
}
