/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pages over HTTP for probes and Prometheus, on the agent's loop: the one place that knows
 * libmicrohttpd. GET and HEAD alone. Whatever clients do, they cost bounded memory, and a new one
 * always gets through: the oldest connection goes where there are too many, and none lasts long.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct http_server;
struct strbuf;

struct page {
	const char *path; /* "/metrics" */
	const char *content_type;
	/* Adds the text to an empty out. Returns the status: 200, 503. */
	int (*make)(void *data, struct strbuf *out);
};

/*
 * address: HOST:PORT, [HOST]:PORT, or :PORT for all addresses. The pages and data stay with the
 * caller. Returns 0, or a negative errno with the reason; libmicrohttpd is loaded here.
 */
int http_server_open(const char *address, const struct page *pages, size_t n_pages, void *data,
		     struct http_server **ret, struct err *err);
void http_server_close(struct http_server **server);

/* Readable when there is something to do. Owned by the server. */
int http_server_fd(const struct http_server *server);
void http_server_work(struct http_server *server);

/* How long until it has something to do without that, in ms; -1: nothing. */
int64_t http_server_wait_ms(struct http_server *server);
