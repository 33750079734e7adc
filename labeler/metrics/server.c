/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/server.h"

#include "base/cleanup.h"
#include "base/err.h"
#ifndef STATIC_MICROHTTPD
#include "base/library.h"
#endif
#include "base/strbuf.h"
#include "metrics/listen.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	CONNECTIONS = 32,          /* more than that: the oldest goes */
	CONNECTIONS_MOST = 64,     /* libmicrohttpd's own limit, for those that are going */
	CONNECTION_BYTES = 8192,   /* for the headers of a request and an answer */
	CONNECTION_MS = 10 * 1000, /* the longest that one lasts */
};

/* As libcurl (kube/http.c): Debian's libmicrohttpd brings GnuTLS, which an agent without pages does
 * not need. */
#define MICROHTTPD_FUNCTIONS(X)                                                                    \
	X(MHD_start_daemon)                                                                        \
	X(MHD_stop_daemon)                                                                         \
	X(MHD_get_daemon_info)                                                                     \
	X(MHD_get_timeout)                                                                         \
	X(MHD_run)                                                                                 \
	X(MHD_get_connection_info)                                                                 \
	X(MHD_create_response_from_buffer)                                                         \
	X(MHD_add_response_header)                                                                 \
	X(MHD_queue_response)                                                                      \
	X(MHD_destroy_response)

#define MEMBER(name)                                                                               \
	__typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): a declaration               \
				 */
struct microhttpd {
	MICROHTTPD_FUNCTIONS(MEMBER)
};
static struct microhttpd lib;

static int load(struct err *err)
{
#define ROW(name) LIBRARY_FUNCTION(name, &lib.name),
	static const struct library_function functions[] = {MICROHTTPD_FUNCTIONS(ROW)};
	static const char *const names[] = {"libmicrohttpd.so.12", NULL};
	static struct library library;

	if (library.handle)
		return 0;
	return library_open(&library, "libmicrohttpd", names, functions, ARRAY_SIZE(functions),
			    err);
}

struct connection {
	int fd; /* libmicrohttpd's; -1: the slot is free */
	int64_t since_ms;
	uint64_t number; /* in the order in which they came: many come in one millisecond */
	bool is_going;   /* it was shut down, and is yet to be closed */
};
struct http_server {
	struct MHD_Daemon *daemon; /* owned */
	int fd;                    /* of the daemon: an epoll */
	const struct page *pages;
	size_t n_pages;
	void *data;
	struct connection connections[CONNECTIONS_MOST];
	uint64_t n_started;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- connections come and go ---- */

/* The oldest of those that stay; *n: how many these are. */
static struct connection *oldest(struct http_server *server, size_t *n)
{
	struct connection *first = NULL;

	*n = 0;
	for (size_t i = 0; i < CONNECTIONS_MOST; i++) {
		struct connection *one = &server->connections[i];

		if (one->fd < 0 || one->is_going)
			continue;
		++*n;
		if (!first || one->number < first->number)
			first = one;
	}
	return first;
}

/* libmicrohttpd sees the end of it and closes. */
static void end(struct connection *connection)
{
	(void)shutdown(connection->fd, SHUT_RDWR);
	connection->is_going = true;
}

static void started(struct http_server *server, struct MHD_Connection *connection, void **slot)
{
	const union MHD_ConnectionInfo *info =
		lib.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *first;
	size_t n;

	for (size_t i = 0; info && i < CONNECTIONS_MOST && !*slot; i++) {
		if (server->connections[i].fd >= 0)
			continue;
		server->connections[i] = (struct connection){.fd = info->connect_fd,
							     .since_ms = now_ms(),
							     .number = server->n_started++};
		*slot = &server->connections[i];
	}
	first = oldest(server, &n);
	if (first && n > CONNECTIONS)
		end(first);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **slot,
			  enum MHD_ConnectionNotificationCode what)
{
	struct connection *mine = *slot;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		started(data, connection, slot);
	else if (mine)
		mine->fd = -1;
}

/* A client that sends a byte now and then is never idle. */
static void end_the_old(struct http_server *server)
{
	struct connection *first;
	size_t n;

	while ((first = oldest(server, &n)) && now_ms() - first->since_ms >= CONNECTION_MS)
		end(first);
}

/* ---- pages ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, int status,
			      const char *content_type, const struct strbuf *text)
{
	/* copied, and not written to */
	struct MHD_Response *response =
		lib.MHD_create_response_from_buffer(text->len, text->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result r = MHD_NO;

	if (!response)
		return MHD_NO;
	if (lib.MHD_add_response_header(response, "Content-Type", content_type) == MHD_YES &&
	    lib.MHD_add_response_header(response, "Connection", "close") == MHD_YES &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     lib.MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES))
		r = lib.MHD_queue_response(connection, (unsigned int)status, response);
	lib.MHD_destroy_response(response);
	return r;
}

static const struct page *find(const struct http_server *server, const char *path)
{
	for (size_t i = 0; i < server->n_pages; i++) {
		if (strcmp(server->pages[i].path, path) == 0)
			return &server->pages[i];
	}
	return NULL;
}

/* NOLINTBEGIN(readability-non-const-parameter): the library names the type */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_len, void **of_request)
/* NOLINTEND(readability-non-const-parameter) */
{
	CLEANUP(strbuf_clear) struct strbuf text = {0};
	struct http_server *server = data;
	const struct page *page = find(server, path);
	const char *content_type = "text/plain; charset=utf-8";
	int status;

	(void)version, (void)upload, (void)upload_len, (void)of_request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		strbuf_add(&text, "only GET and HEAD\n");
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	} else if (!page) {
		for (size_t i = 0; i < server->n_pages; i++)
			strbuf_addf(&text, "%s\n", server->pages[i].path);
		status = MHD_HTTP_NOT_FOUND;
	} else {
		status = page->make(server->data, &text);
		content_type = page->content_type;
	}
	return text.failed ? MHD_NO : answer(connection, status, content_type, &text);
}

/* ---- the server ---- */

int http_server_open(const char *address, const struct page *pages, size_t n_pages, void *data,
		     struct http_server **ret, struct err *err)
{
	CLEANUP(http_server_close) struct http_server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int fd;

	if (!server)
		return err_set(err, -ENOMEM, "out of memory");
	*server = (struct http_server){.pages = pages, .n_pages = n_pages, .data = data};
	for (size_t i = 0; i < CONNECTIONS_MOST; i++)
		server->connections[i].fd = -1;
	fd = load(err);
	if (fd == 0)
		fd = listen_at(address, err);
	if (fd < 0)
		return fd;
	server->daemon = lib.MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MOST,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_MS / 1000,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
	if (!server->daemon) {
		(void)close(fd);
		return err_set(err, -ENOMEM, "listen %s: libmicrohttpd does not start", address);
	}
	info = lib.MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(err, -ENOTSUP, "listen %s: libmicrohttpd has no epoll", address);
	server->fd = info->epoll_fd;
	*ret = TAKE_PTR(server);
	return 0;
}

void http_server_close(struct http_server **server)
{
	if (!*server)
		return;
	if ((*server)->daemon)
		lib.MHD_stop_daemon((*server)->daemon);
	free(*server);
	*server = NULL;
}

int http_server_fd(const struct http_server *server)
{
	return server->fd;
}

void http_server_work(struct http_server *server)
{
	end_the_old(server);
	(void)lib.MHD_run(server->daemon);
}

int64_t http_server_wait_ms(struct http_server *server)
{
	unsigned long long ms = 0;
	int64_t wait = -1;
	size_t n;
	const struct connection *first = oldest(server, &n);

	if (lib.MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		wait = ms > CONNECTION_MS ? CONNECTION_MS : (int64_t)ms;
	if (first) {
		const int64_t left = first->since_ms + CONNECTION_MS - now_ms();

		if (wait < 0 || left < wait)
			wait = left > 0 ? left : 0;
	}
	return wait;
}
