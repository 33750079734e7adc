/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * HTTPS exchanges that never block: the one place that knows libcurl. TLS 1.2 at least; redirects
 * are not followed, so that no token goes where it was not meant to go.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct http_transfer;

struct http_request {
	const char *method, *url;
	const char *connect_to;     /* "host:port" to connect to in the place of the URL's; NULL */
	const char *proxy;          /* NULL: as the environment says */
	const char *const *headers; /* "Name: value", NULL at the end */
	const char *body;           /* NULL: none */
	const char *ca;             /* PEM; NULL: the system's */
	const char *cert, *key;     /* PEM; NULL: none */
	bool insecure;              /* nobody is verified */
	bool alone;                 /* the connection is closed afterwards */
	int64_t timeout_ms;         /* for all of it; 0: none */
};
/* One request and what comes of it. It stays where it is while it runs. */
struct http_exchange {
	/* Takes a piece of the body; a negative errno with the reason ends the exchange. */
	int (*piece)(struct http_exchange *exchange, const char *bytes, size_t len,
		     struct err *err);
	void (*done)(struct http_exchange *exchange); /* it is over, but for one that was stopped */
	struct http_transfer *transfer;               /* owned by http; NULL: not running */
	int status;                                   /* 0: no answer; then err says why */
	int64_t retry_after_s;                        /* -1: not said */
	struct err err;                               /* its text is empty where all went well */
};

/* Loads libcurl. Returns 0 or a negative errno with the reason. */
int http_open(struct http **ret, struct err *err);
void http_close(struct http **http); /* exchanges are stopped before */

/* Readable when there is something to do. Owned by http. */
int http_fd(const struct http *http);
void http_work(struct http *http);

/* The texts of the request are not needed afterwards. 0 or a negative errno with the reason. */
int http_start(struct http *http, struct http_exchange *exchange,
	       const struct http_request *request, struct err *err);
void http_stop(struct http *http, struct http_exchange *exchange);
