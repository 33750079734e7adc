/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How to reach the API server and as whom: from a kubeconfig, or from what Kubernetes gives a pod.
 * What may change while we run (tokens, certificates) is kept as the name of its file and read
 * again for every request.
 */
#include "kube/exec_plugin.h"

#include <stdbool.h>

struct err;

/* A PEM: as it stands in a kubeconfig, or where to read it. Both NULL: none. */
struct kube_pem {
	char *text, *file; /* owned */
};
struct kube_access {
	char *from;      /* owned: "kubeconfig /root/.kube/config", "the pod's service account" */
	char *server;    /* owned: https://host:port, maybe with a path; no slash at its end */
	char *namespace; /* owned; NULL: not said */
	struct kube_pem ca; /* none: the system's */
	struct kube_pem cert, key;
	char *token, *token_file; /* owned; the file wins */
	char *tls_server_name;    /* owned; NULL: the server's own name */
	char *proxy_url;          /* owned; NULL: as the environment says */
	bool insecure;            /* the server's certificate is not looked at */
	struct kube_exec exec;    /* command NULL: none */
};

/*
 * kubeconfig: file, or several with colons between; NULL or "": a pod's environment, else
 * ~/.kube/config. context: NULL or "" for the current one. Fills an empty *ret. Returns 0, or
 * -EINVAL
 * (-ENOMEM) with the reason where these settings can never work.
 */
int kube_access_find(const char *kubeconfig, const char *context, struct kube_access *ret,
		     struct err *err);
void kube_access_clear(struct kube_access *access);

/* What a request needs, as it stands in the files now. */
struct kube_credentials {
	char *ca, *cert, *key; /* owned PEM; NULL: none */
	char *token;           /* owned; NULL: none */
};

/* Fills an empty *ret. Returns 0, or a negative errno with the file and what is wrong with it. */
int kube_credentials_read(const struct kube_access *access, struct kube_credentials *ret,
			  struct err *err);
void kube_credentials_clear(struct kube_credentials *credentials);
