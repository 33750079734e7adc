/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Calls to the API server, with the credentials as they stand in their files at that moment.
 * Nothing blocks: the client's fd goes into a loop, or kube_call_wait() is one.
 */
#include "base/strbuf.h"
#include "kube/http.h"
#include "kube/traffic.h"

struct kube_access;
struct kube_client;

enum {
	KUBE_CALL_MS = 40 * 1000, /* the server itself gives a patch 34 s */
	KUBE_BODY_MOST = 4 << 20, /* etcd takes no object above 1.5 MiB */
};
#define KUBE_AS_METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define KUBE_AS_JSON "application/json"

/* The texts are the caller's; they stay until the call is done or stopped. */
struct kube_request {
	const char *method, *path; /* with its query: /api/v1/nodes/gpu-7?... */
	const char *accept;
	const char *content_type, *body; /* NULL: none */
	int64_t timeout_ms;              /* 0: none, for a watch */
	bool alone;                      /* the connection is not kept */
};
struct kube_call {
	/*
	 * For a watch: takes the pieces of an answer of status 200 as they come; a negative errno
	 * with the reason ends the call. NULL: the answer is gathered in body.
	 */
	int (*piece)(struct kube_call *call, const char *bytes, size_t len, struct err *err);
	enum {
		KUBE_CALL_IDLE,
		KUBE_CALL_RUNNING,
		KUBE_CALL_DONE,
	} state;
	struct http_exchange exchange; /* its status, retry_after_s and err are the answer's */
	struct strbuf body;            /* owned */
	const struct kube_request *request;
	struct kube_client *client;
	double started_s;       /* of histogram_clock() */
	struct kube_call *next; /* of those that wait for a credential plugin */
};

/* Takes over the access, which is empty afterwards. 0 or a negative errno with the reason. */
int kube_client_open(struct kube_access *access, struct kube_client **ret, struct err *err);
void kube_client_close(struct kube_client **client); /* calls are stopped before */

/* Readable when there is something to do. Owned by the client. */
int kube_client_fd(const struct kube_client *client);

/* What went over it so far. Owned by the client. */
const struct kube_traffic *kube_client_traffic(const struct kube_client *client);
void kube_client_work(struct kube_client *client);

/* Starts a call that is idle or done. What goes wrong is its answer: status 0, and err. */
void kube_call_start(struct kube_client *client, struct kube_call *call,
		     const struct kube_request *request);
void kube_call_stop(struct kube_call *call);

/* Until the call is done; each has its time limit, so a watch is not for this. */
void kube_call_wait(const struct kube_call *call);

/* Puts a line into *ret: why there was no answer, or "HTTP 403: nodes \"x\" is forbidden". */
void kube_call_tell(const struct kube_call *call, struct err *ret);
