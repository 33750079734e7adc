/* SPDX-License-Identifier: Apache-2.0 */
#include "output/identity.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/token.h"

#include <errno.h>
#include <string.h>

enum {
	NODE_NAME_MOST = 253, /* a DNS-1123 subdomain */
	NAMESPACE_MOST = 63,  /* a DNS-1123 label */
};

void identity_clear(struct identity *identity)
{
	kube_access_clear(&identity->access);
	free(identity->node);
	free(identity->node_uid);
	free(identity->namespace);
	*identity = (struct identity){0};
}

/* A name becomes part of a path: nothing else may come with it. */
static bool is_name(const char *name, size_t most)
{
	const size_t len = strlen(name);

	return len > 0 && len <= most &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len && name[0] != '.' &&
	       name[0] != '-' && name[len - 1] != '.' && name[len - 1] != '-';
}

/* What the token claims; a token that can't be read now claims nothing, and *err says why. */
static int read_claims(const struct kube_access *access, struct kube_claims *ret, struct err *err)
{
	CLEANUP(kube_credentials_clear) struct kube_credentials have = {0};

	err->text[0] = '\0';
	if (kube_credentials_read(access, &have, err) < 0 || !have.token)
		return 0;
	return kube_claims_read(have.token, ret);
}

static int choose_node(const char *wish, struct kube_claims *claims, struct identity *ret,
		       const struct err *unread, struct err *err)
{
	if (wish && *wish && claims->node && strcmp(wish, claims->node) != 0)
		return err_set(err, -EINVAL,
			       "node name \"%s\", but the token is for node \"%s\": correct "
			       "--node-name, NODE_NAME or [kube] node-name",
			       wish, claims->node);
	if (wish && *wish) {
		ret->node = strdup(wish);
		if (!ret->node)
			return err_set(err, -ENOMEM, "out of memory");
	} else {
		SWAP(ret->node, claims->node);
	}
	if (!ret->node)
		return err_set(
			err, -EINVAL,
			"which node is this? The token does not say%s%s: give --node-name or "
			"NODE_NAME",
			*unread->text ? ", " : "", unread->text);
	if (!is_name(ret->node, NODE_NAME_MOST))
		return err_set(err, -EINVAL, "node name \"%.300s\" is none of Kubernetes",
			       ret->node);
	SWAP(ret->node_uid, claims->node_uid);
	return 0;
}

static int choose_namespace(const char *wish, struct kube_claims *claims, struct identity *ret,
			    struct err *err)
{
	if (wish && *wish)
		ret->namespace = strdup(wish);
	else if (ret->access.namespace)
		ret->namespace = strdup(ret->access.namespace);
	else if (claims->namespace)
		SWAP(ret->namespace, claims->namespace);
	else
		ret->namespace = strdup("default"); /* as every client of Kubernetes */
	if (!ret->namespace)
		return err_set(err, -ENOMEM, "out of memory");
	if (!is_name(ret->namespace, NAMESPACE_MOST) || strchr(ret->namespace, '.'))
		return err_set(err, -EINVAL, "namespace \"%.100s\" is none of Kubernetes",
			       ret->namespace);
	return 0;
}

static int find(const struct identity_wish *wish, bool with_node, struct identity *ret,
		struct err *err)
{
	CLEANUP(identity_clear) struct identity new = {0};
	CLEANUP(kube_claims_clear) struct kube_claims claims = {0};
	struct err unread;
	int r = kube_access_find(wish->kubeconfig, wish->context, &new.access, err);

	if (r == 0 && read_claims(&new.access, &claims, &unread) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && with_node)
		r = choose_node(wish->node, &claims, &new, &unread, err);
	if (r == 0)
		r = choose_namespace(wish->namespace, &claims, &new, err);
	if (r < 0)
		return r;
	SWAP(*ret, new);
	return 0;
}

int identity_find(const struct identity_wish *wish, struct identity *ret, struct err *err)
{
	return find(wish, true, ret, err);
}

int identity_of_cluster(const struct identity_wish *wish, struct identity *ret, struct err *err)
{
	return find(wish, false, ret, err);
}
