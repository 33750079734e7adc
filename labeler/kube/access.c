/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/access.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/kubeconfig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POD_DIR "/var/run/secrets/kubernetes.io/serviceaccount/"

enum {
	FILE_MOST = 1 << 20,
};

static void pem_clear(struct kube_pem *pem)
{
	free(pem->text);
	free(pem->file);
}

void kube_access_clear(struct kube_access *access)
{
	free(access->from);
	free(access->server);
	free(access->namespace);
	pem_clear(&access->ca);
	pem_clear(&access->cert);
	pem_clear(&access->key);
	free(access->token);
	free(access->token_file);
	free(access->tls_server_name);
	free(access->proxy_url);
	kube_exec_clear(&access->exec);
	*access = (struct kube_access){0};
}

/* The whole of a small file, without the white space at its end. */
static int read_text(const char *path, char **ret, struct err *err)
{
	auto_fclose FILE *file = fopen(path, "re");
	auto_free char *text = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	text = malloc(FILE_MOST + 1);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	size = fread(text, 1, FILE_MOST + 1, file);
	if (ferror(file))
		return err_set(err, -EIO, "%s: cannot be read", path);
	if (size > FILE_MOST)
		return err_set(err, -EINVAL, "%s: larger than %d KiB: is this the right file?",
			       path, FILE_MOST >> 10);
	len = (ssize_t)size;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
		len--;
	text[len] = '\0';
	*ret = strdup(text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int read_pem(const struct kube_pem *pem, const char *kind, char **ret, struct err *err)
{
	int r;

	if (pem->text) {
		*ret = strdup(pem->text);
		return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (!pem->file)
		return 0;
	r = read_text(pem->file, ret, err);
	if (r == 0 && !strstr(*ret, kind))
		return err_set(err, -EINVAL, "%s: holds no PEM (%s)", pem->file, kind);
	return r;
}

/* A token becomes a line of the request: nothing else may come with it. */
static int check_token(const char *token, const char *where, struct err *err)
{
	if (!*token)
		return err_set(err, -EINVAL, "%s: the token is empty", where);
	for (const char *c = token; *c; c++) {
		if (*c <= ' ' || *c > '~')
			return err_set(err, -EINVAL, "%s: the token has a blank or no text in it",
				       where);
	}
	return 0;
}

int kube_credentials_read(const struct kube_access *access, struct kube_credentials *ret,
			  struct err *err)
{
	CLEANUP(kube_credentials_clear) struct kube_credentials new = {0};
	int r = read_pem(&access->ca, "BEGIN CERTIFICATE", &new.ca, err);

	if (r == 0)
		r = read_pem(&access->cert, "BEGIN CERTIFICATE", &new.cert, err);
	if (r == 0)
		r = read_pem(&access->key, "PRIVATE KEY", &new.key, err);
	if (r == 0 && access->token_file)
		r = read_text(access->token_file, &new.token, err);
	else if (r == 0 && access->token)
		new.token = strdup(access->token);
	if (r == 0 && access->token && !new.token)
		return err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && new.token)
		r = check_token(new.token, access->token_file ? access->token_file : access->from,
				err);
	if (r < 0)
		return r;
	SWAP(*ret, new);
	return 0;
}

void kube_credentials_clear(struct kube_credentials *credentials)
{
	free(credentials->ca);
	free(credentials->cert);
	free(credentials->key);
	free(credentials->token);
	*credentials = (struct kube_credentials){0};
}

static int in_cluster(const char *host, const char *port, struct kube_access *ret, struct err *err)
{
	const bool v6 = strchr(host, ':');

	ret->from = strdup("the pod's service account");
	ret->ca.file = strdup(POD_DIR "ca.crt");
	ret->token_file = strdup(POD_DIR "token");
	if (!ret->from || !ret->ca.file || !ret->token_file ||
	    asprintf(&ret->server, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port) <
		    0)
		return err_set(err, -ENOMEM, "out of memory");
	if (access(POD_DIR "namespace", R_OK) == 0)
		return read_text(POD_DIR "namespace", &ret->namespace, err);
	return 0;
}

/* A pod's environment, or what a person has. */
static int find_default(const char *context, struct kube_access *ret, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	const char *home = getenv("HOME");
	auto_free char *path = NULL;

	if (host && *host && port && *port)
		return in_cluster(host, port, ret, err);
	if (asprintf(&path, "%s/.kube/config", home && *home ? home : "/root") < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (access(path, F_OK) == 0)
		return kubeconfig_load(path, context, ret, err);
	return err_set(err, -EINVAL,
		       "no API server: there is no %s, and this is no pod: give --kubeconfig",
		       path);
}

static int check_server(struct kube_access *access, struct err *err)
{
	size_t len = access->server ? strlen(access->server) : 0;

	if (len == 0)
		return err_set(err, -EINVAL, "%s: server is missing", access->from);
	if (strncmp(access->server, "https://", strlen("https://")) != 0)
		return err_set(err, -EINVAL, "%s: server \"%s\" does not start with https://",
			       access->from, access->server);
	while (len > 0 && access->server[len - 1] == '/')
		access->server[--len] = '\0';
	if (len <= strlen("https://"))
		return err_set(err, -EINVAL, "%s: server has no host", access->from);
	return 0;
}

int kube_access_find(const char *kubeconfig, const char *context, struct kube_access *ret,
		     struct err *err)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	int r;

	if (kubeconfig && *kubeconfig)
		r = kubeconfig_load(kubeconfig, context, &access, err);
	else
		r = find_default(context, &access, err);
	if (r == 0)
		r = check_server(&access, err);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	SWAP(*ret, access);
	return 0;
}
