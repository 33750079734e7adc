/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/access.h"
#include "kube/base64.h"
#include "kube/yaml_doc.h"

#include <errno.h>
#include <string.h>

enum {
	FILES_MOST = 16,
};
struct files {
	struct yaml_doc *docs[FILES_MOST]; /* owned */
	size_t n_docs;
};

static void files_clear(struct files *files)
{
	for (size_t i = 0; i < files->n_docs; i++)
		yaml_doc_free(&files->docs[i]);
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int load(const char *paths, struct files *files, struct err *err)
{
	auto_free char *copy = strdup(paths);
	char *rest = copy;

	if (!copy)
		return no_memory(err);
	for (char *path; (path = strsep(&rest, ":"));) {
		struct yaml_doc *doc = NULL;
		int r;

		if (!*path)
			continue;
		if (files->n_docs == FILES_MOST)
			return err_set(err, -EINVAL, "more than %d kubeconfigs", FILES_MOST);
		r = yaml_doc_load(path, &doc, err);
		if (r == -ENOENT && strchr(paths, ':'))
			continue;
		if (r < 0)
			return r;
		files->docs[files->n_docs++] = doc;
	}
	if (files->n_docs == 0)
		return err_set(err, -ENOENT, "%s: there is no such kubeconfig", paths);
	return 0;
}

/* The text of a map's key, NULL where there is none. */
static int text_at(struct yaml_at map, const char *key, const char **ret, struct err *err)
{
	struct yaml_at at = {0};
	const int r = yaml_child(map, key, YAML_TEXT, &at, err);

	if (r == 0)
		*ret = yaml_text(at);
	return r;
}

static int copy_text(struct yaml_at map, const char *key, char **ret, struct err *err)
{
	const char *text = NULL;
	const int r = text_at(map, key, &text, err);

	if (r < 0 || !text || !*text)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : no_memory(err);
}

static int flag_at(struct yaml_at map, const char *key, bool *ret, struct err *err)
{
	struct yaml_at at = {0};
	const int r = yaml_child(map, key, YAML_TEXT, &at, err);
	const char *text = r == 0 ? yaml_text(at) : NULL;

	if (!text)
		return r;
	*ret = strcmp(text, "true") == 0;
	if (!*ret && strcmp(text, "false") != 0)
		return yaml_blame(at, err, "%s: is neither true nor false", key);
	return 0;
}

/* A path of a kubeconfig is relative to the kubeconfig. */
static int copy_path(struct yaml_at map, const char *key, char **ret, struct err *err)
{
	auto_free char *path = NULL;
	const char *file = yaml_doc_path(map.doc);
	const char *slash = strrchr(file, '/');
	const int r = copy_text(map, key, &path, err);

	if (r < 0 || !path)
		return r;
	if (*path == '/' || !slash) {
		*ret = TAKE_PTR(path);
		return 0;
	}
	return asprintf(ret, "%.*s/%s", (int)(slash - file), file, path) < 0 ? no_memory(err) : 0;
}

static int copy_pem(struct yaml_at map, const char *data_key, const char *file_key,
		    struct kube_pem *ret, struct err *err)
{
	const char *data = NULL;
	size_t len = 0;
	int r = text_at(map, data_key, &data, err);

	if (r < 0)
		return r;
	if (!data || !*data)
		return copy_path(map, file_key, &ret->file, err);
	ret->text = base64_decode(data, strlen(data), &len);
	if (!ret->text || strlen(ret->text) != len || !strstr(ret->text, "-----BEGIN "))
		return yaml_blame(map, err, "%s: is no PEM in base64", data_key);
	return 0;
}

/* The map that a list of named entries has under inner for that name. */
static int find_named(const struct files *files, const char *list, const char *inner,
		      const char *name, struct yaml_at *ret, struct err *err)
{
	for (size_t i = 0; i < files->n_docs; i++) {
		struct yaml_at items = {0};
		struct yaml_at item = {0};
		int r = yaml_child(yaml_root(files->docs[i]), list, YAML_LIST, &items, err);

		for (size_t j = 0; r == 0; j++) {
			const char *its_name = NULL;

			r = yaml_item(items, j, YAML_MAP, &item, err);
			if (r < 0 || !item.node)
				break;
			r = text_at(item, "name", &its_name, err);
			if (r == 0 && its_name && strcmp(its_name, name) == 0) {
				r = yaml_child(item, inner, YAML_MAP, ret, err);
				return r == 0 && !ret->node
					       ? yaml_blame(item, err, "%s: is missing", inner)
					       : r;
			}
		}
		if (r < 0)
			return r;
	}
	return yaml_blame(yaml_root(files->docs[0]), err, "%s: there is none of the name %s", list,
			  name);
}

static int take_cluster(struct yaml_at cluster, struct kube_access *access, struct err *err)
{
	int r = copy_text(cluster, "server", &access->server, err);

	if (r == 0 && !access->server)
		return yaml_blame(cluster, err, "cluster: server is missing");
	if (r == 0)
		r = copy_pem(cluster, "certificate-authority-data", "certificate-authority",
			     &access->ca, err);
	if (r == 0)
		r = flag_at(cluster, "insecure-skip-tls-verify", &access->insecure, err);
	if (r == 0)
		r = copy_text(cluster, "tls-server-name", &access->tls_server_name, err);
	if (r == 0)
		r = copy_text(cluster, "proxy-url", &access->proxy_url, err);
	if (r == 0 && access->insecure && (access->ca.text || access->ca.file))
		return yaml_blame(
			cluster, err,
			"insecure-skip-tls-verify and certificate-authority are both set: "
			"take the first away");
	return r;
}

/* What of a user is not done, and why. */
static int refuse(struct yaml_at user, struct err *err)
{
	static const struct {
		const char *key, *why;
		enum yaml_kind kind;
	} refused[] = {
		{"username", "basic auth is gone from API servers: use a token or a certificate",
		 YAML_TEXT},
		{"password", "basic auth is gone from API servers: use a token or a certificate",
		 YAML_TEXT},
		{"auth-provider",
		 "is gone from Kubernetes: use an exec plugin, a token or a "
		 "certificate",
		 YAML_MAP},
		{"as", "impersonation is not for agents: use the identity itself", YAML_TEXT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct yaml_at at = {0};
		const int r = yaml_child(user, refused[i].key, refused[i].kind, &at, err);

		if (r < 0)
			return r;
		if (at.node)
			return yaml_blame(at, err, "%s: %s", refused[i].key, refused[i].why);
	}
	return 0;
}

static int pair_text(struct yaml_at item, char **ret, struct err *err)
{
	const char *name = NULL;
	const char *value = NULL;
	int r = text_at(item, "name", &name, err);

	if (r == 0)
		r = text_at(item, "value", &value, err);
	if (r < 0)
		return r;
	if (!name)
		return yaml_blame(item, err, "env: name is missing");
	if (asprintf(ret, "%s=%s", name, value ? value : "") < 0) {
		*ret = NULL;
		return no_memory(err);
	}
	return 0;
}

static int item_text(struct yaml_at item, char **ret, struct err *err)
{
	*ret = strdup(yaml_text(item));
	return *ret ? 0 : no_memory(err);
}

/* A list of texts, or of {name, value} as name=value, NULL at the end. */
static int copy_list(struct yaml_at map, const char *key, enum yaml_kind kind, char ***ret,
		     struct err *err)
{
	struct yaml_at list = {0};
	int r = yaml_child(map, key, YAML_LIST, &list, err);

	for (size_t n = 0; r == 0 && list.node; n++) {
		struct yaml_at item = {0};
		char **more;

		r = yaml_item(list, n, kind, &item, err);
		if (r < 0 || !item.node)
			break;
		more = reallocarray(*ret, n + 2, sizeof(*more));
		if (!more)
			return no_memory(err);
		*ret = more;
		more[n] = more[n + 1] = NULL;
		r = kind == YAML_MAP ? pair_text(item, &more[n], err)
				     : item_text(item, &more[n], err);
	}
	return r;
}

static int check_exec(struct yaml_at at, const struct kube_exec *exec, const char *mode,
		      struct err *err)
{
	static const char prefix[] = "client.authentication.k8s.io/v1";

	if (!exec->command)
		return yaml_blame(at, err, "exec: command is missing");
	if (!exec->api_version ||
	    (strcmp(exec->api_version, prefix) != 0 &&
	     strcmp(exec->api_version, "client.authentication.k8s.io/v1beta1") != 0))
		return yaml_blame(at, err, "exec: apiVersion is neither %s nor v1beta1", prefix);
	if (mode && strcmp(mode, "Always") == 0)
		return yaml_blame(at, err, "exec: %s asks a person, and there is none",
				  exec->command);
	return 0;
}

static int take_exec(struct yaml_at user, struct kube_exec *exec, struct err *err)
{
	const char *command = NULL;
	const char *mode = NULL;
	struct yaml_at at = {0};
	int r = yaml_child(user, "exec", YAML_MAP, &at, err);

	if (r < 0 || !at.node)
		return r;
	r = text_at(at, "command", &command, err);
	if (r == 0) /* a bare name is looked for in PATH */
		r = command && strchr(command, '/') ? copy_path(at, "command", &exec->command, err)
						    : copy_text(at, "command", &exec->command, err);
	if (r == 0)
		r = copy_text(at, "apiVersion", &exec->api_version, err);
	if (r == 0)
		r = copy_list(at, "args", YAML_TEXT, &exec->args, err);
	if (r == 0)
		r = copy_list(at, "env", YAML_MAP, &exec->env, err);
	if (r == 0)
		r = flag_at(at, "provideClusterInfo", &exec->wants_cluster, err);
	if (r == 0)
		r = text_at(at, "interactiveMode", &mode, err);
	return r < 0 ? r : check_exec(at, exec, mode, err);
}

static int take_token(struct yaml_at user, char **ret, struct err *err)
{
	const char *token = NULL;
	const int r = text_at(user, "token", &token, err);

	if (r == 0 && token && !*token)
		return yaml_blame(user, err, "token: is empty");
	return r < 0 ? r : copy_text(user, "token", ret, err);
}

static int take_user(struct yaml_at user, struct kube_access *access, struct err *err)
{
	int r = refuse(user, err);

	if (r == 0)
		r = copy_pem(user, "client-certificate-data", "client-certificate", &access->cert,
			     err);
	if (r == 0)
		r = copy_pem(user, "client-key-data", "client-key", &access->key, err);
	if (r == 0)
		r = take_token(user, &access->token, err);
	if (r == 0)
		r = copy_path(user, "tokenFile", &access->token_file, err);
	if (r == 0)
		r = take_exec(user, &access->exec, err);
	if (r == 0 && (access->cert.text || access->cert.file) &&
	    !(access->key.text || access->key.file))
		return yaml_blame(user, err, "client-certificate has no client-key");
	return r;
}

static int current_context(const struct files *files, const char **ret, struct err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < files->n_docs && (!*ret || !**ret); i++) {
		const int r = text_at(yaml_root(files->docs[i]), "current-context", ret, err);

		if (r < 0)
			return r;
	}
	if (!*ret || !**ret)
		return yaml_blame(yaml_root(files->docs[0]), err,
				  "current-context is missing: give --context");
	return 0;
}

static int take_context(const struct files *files, const char *name, struct kube_access *access,
			struct err *err)
{
	const char *cluster_name = NULL;
	const char *user_name = NULL;
	struct yaml_at context = {0};
	struct yaml_at at = {0};
	int r = find_named(files, "contexts", "context", name, &context, err);

	if (r == 0)
		r = text_at(context, "cluster", &cluster_name, err);
	if (r == 0)
		r = text_at(context, "user", &user_name, err);
	if (r == 0)
		r = copy_text(context, "namespace", &access->namespace, err);
	if (r < 0)
		return r;
	if (!cluster_name)
		return yaml_blame(context, err, "context %s: cluster is missing", name);
	r = find_named(files, "clusters", "cluster", cluster_name, &at, err);
	if (r == 0)
		r = take_cluster(at, access, err);
	if (r < 0 || !user_name || !*user_name)
		return r;
	r = find_named(files, "users", "user", user_name, &at, err);
	return r < 0 ? r : take_user(at, access, err);
}

int kubeconfig_load(const char *files, const char *context, struct kube_access *ret,
		    struct err *err)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	CLEANUP(files_clear) struct files loaded = {0};
	int r = load(files, &loaded, err);

	if (r == 0 && !(context && *context))
		r = current_context(&loaded, &context, err);
	if (r == 0 && context)
		r = take_context(&loaded, context, &access, err);
	if (r < 0)
		return r;
	if (asprintf(&access.from, "kubeconfig %s", files) < 0) {
		access.from = NULL;
		return no_memory(err);
	}
	SWAP(*ret, access);
	return 0;
}
