/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include "base/cleanup.h"
#include "kube/access.h"
#include "kube/exec_plugin.h"
#include "kube/status.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
	AT_ONCE = 4,         /* things that one turn looks at */
	EXPIRES_SOON_S = 10, /* a credential that ends within that is asked for anew */
	HEADERS = 6,
};
struct kube_client {
	struct kube_access access; /* owned */
	struct http *http;         /* owned */
	int fd;                    /* owned, epoll: of http, and of a plugin while it runs */
	int plugin_timer;          /* owned */
	struct kube_exec_run plugin;
	struct kube_exec_result issued; /* owned: by the plugin */
	struct kube_call *waiting;      /* for the plugin; newest first */
	char *url_server;               /* owned: with the name that TLS is to check */
	char *connect_to;               /* owned; NULL: where url_server says */
	struct kube_traffic traffic;
};

static struct kube_call *call_of(struct http_exchange *exchange)
{
	return (struct kube_call *)(void *)((char *)exchange -
					    offsetof(struct kube_call, exchange));
}

static int on_piece(struct http_exchange *exchange, const char *bytes, size_t len, struct err *err)
{
	struct kube_call *call = call_of(exchange);

	if (call->piece && exchange->status == 200)
		return call->piece(call, bytes, len, err);
	strbuf_add_bytes(&call->body, bytes, len);
	if (call->body.failed)
		return err_set(err, -ENOMEM, "out of memory");
	if (call->body.len > KUBE_BODY_MOST)
		return err_set(err, -EMSGSIZE, "the answer is larger than %d MiB",
			       KUBE_BODY_MOST >> 20);
	return 0;
}

static bool is_watch(const struct kube_call *call)
{
	return call->piece;
}

static void is_over(struct kube_call *call)
{
	call->state = KUBE_CALL_DONE;
	traffic_add(&call->client->traffic, call->request->method, is_watch(call),
		    call->exchange.status, histogram_clock() - call->started_s);
}

/* A credential of a plugin that was refused is not used again. */
static void on_done(struct http_exchange *exchange)
{
	struct kube_call *call = call_of(exchange);

	is_over(call);
	if (exchange->status == 401)
		kube_exec_result_clear(&call->client->issued);
}

/* ---- opening ---- */

/* https://host:port/path with the name that the certificate has to carry in the host's place. */
static int name_server(struct kube_client *client)
{
	const struct kube_access *access = &client->access;
	const char *host = access->server + strlen("https://");
	const size_t host_len = strcspn(host, "/");
	const char *bracket = memchr(host, ']', host_len);
	const char *colon = memchr(bracket ? bracket : host, ':',
				   host_len - (size_t)(bracket ? bracket - host : 0));
	const char *port = colon ? colon + 1 : "443";
	const int port_len = colon ? (int)(host + host_len - port) : 3;

	if (!access->tls_server_name) {
		client->url_server = strdup(access->server);
		return client->url_server ? 0 : -ENOMEM;
	}
	if (asprintf(&client->connect_to, "%.*s%s%.*s", (int)host_len, host, colon ? "" : ":",
		     colon ? 0 : port_len, port) < 0) {
		client->connect_to = NULL;
		return -ENOMEM;
	}
	if (asprintf(&client->url_server, "https://%s:%.*s%s", access->tls_server_name, port_len,
		     port, host + host_len) < 0) {
		client->url_server = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int watch_fd(const struct kube_client *client, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(client->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int kube_client_open(struct kube_access *access, struct kube_client **ret, struct err *err)
{
	CLEANUP(kube_client_close) struct kube_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return err_set(err, -ENOMEM, "out of memory");
	client->plugin = KUBE_EXEC_NONE;
	client->plugin_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	client->fd = epoll_create1(EPOLL_CLOEXEC);
	SWAP(client->access, *access);
	if (client->fd < 0 || client->plugin_timer < 0)
		return err_set(err, -errno, "no epoll: %s", strerror(errno));
	r = http_open(&client->http, err);
	if (r < 0)
		return r;
	if (watch_fd(client, http_fd(client->http), EPOLLIN) < 0 ||
	    watch_fd(client, client->plugin_timer, EPOLLIN) < 0 || name_server(client) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = TAKE_PTR(client);
	return 0;
}

void kube_client_close(struct kube_client **client)
{
	if (!*client)
		return;
	kube_exec_stop(&(*client)->plugin);
	kube_exec_result_clear(&(*client)->issued);
	http_close(&(*client)->http);
	kube_access_clear(&(*client)->access);
	cleanup_close(&(*client)->fd);
	cleanup_close(&(*client)->plugin_timer);
	free((*client)->url_server);
	free((*client)->connect_to);
	free(*client);
	*client = NULL;
}

int kube_client_fd(const struct kube_client *client)
{
	return client->fd;
}

const struct kube_traffic *kube_client_traffic(const struct kube_client *client)
{
	return &client->traffic;
}

/* ---- starting a call ---- */

/* An answer that never came: the reason is in err. */
static void give_up(struct kube_call *call, const struct err *err)
{
	call->exchange.status = 0;
	call->exchange.retry_after_s = -1;
	call->exchange.err = *err;
	is_over(call);
}

static int headers_of(const struct kube_request *request, const char *token,
		      char *headers[static HEADERS], struct err *err)
{
	const struct {
		const char *name, *value;
	} wanted[] = {
		{"User-Agent", "gpu-labeler/" VERSION},
		{"Accept", request->accept},
		{"Content-Type", request->content_type},
		{"Authorization: Bearer", token},
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!wanted[i].value)
			continue;
		if (asprintf(&headers[n++], "%s%s %s", wanted[i].name,
			     strchr(wanted[i].name, ':') ? "" : ":", wanted[i].value) < 0) {
			headers[n - 1] = NULL;
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

struct headers {
	char *items[HEADERS];
};

static void headers_clear(struct headers *headers)
{
	for (size_t i = 0; i < HEADERS; i++)
		free(headers->items[i]);
}

static const char *either(const char *a, const char *b)
{
	return a ? a : b;
}

static int start(struct kube_client *client, struct kube_call *call, struct err *err)
{
	CLEANUP(kube_credentials_clear) struct kube_credentials have = {0};
	CLEANUP(headers_clear) struct headers headers = {0};
	auto_free char *url = NULL;
	const struct kube_request *request = call->request;
	struct http_request http = {
		.method = request->method,
		.connect_to = client->connect_to,
		.proxy = client->access.proxy_url,
		.headers = (const char *const *)headers.items,
		.body = request->body,
		.insecure = client->access.insecure,
		.alone = request->alone,
		.timeout_ms = request->timeout_ms,
	};
	int r = kube_credentials_read(&client->access, &have, err);

	if (r == 0)
		r = headers_of(request, either(have.token, client->issued.token), headers.items,
			       err);
	if (r < 0)
		return r;
	if (asprintf(&url, "%s%s", client->url_server, request->path) < 0) {
		url = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	http.url = url;
	http.ca = have.ca;
	http.cert = either(have.cert, client->issued.cert);
	http.key = either(have.key, client->issued.key);
	call->exchange.piece = on_piece;
	call->exchange.done = on_done;
	return http_start(client->http, &call->exchange, &http, err);
}

static void start_now(struct kube_client *client, struct kube_call *call)
{
	struct err err;

	if (start(client, call, &err) < 0)
		give_up(call, &err);
}

/* ---- the plugin ---- */

static bool needs_plugin(const struct kube_client *client)
{
	const struct kube_exec_result *issued = &client->issued;

	if (!client->access.exec.command)
		return false;
	return (!issued->token && !issued->cert) || issued->until_s - EXPIRES_SOON_S < time(NULL);
}

static void set_plugin_timer(const struct kube_client *client, int64_t ms)
{
	const struct itimerspec when = {.it_value = {ms / 1000, 0}};

	(void)timerfd_settime(client->plugin_timer, 0, &when, NULL);
}

static int start_plugin(struct kube_client *client, struct err *err)
{
	auto_free char *cluster = NULL;
	int r;

	kube_exec_result_clear(&client->issued);
	if (asprintf(&cluster, "{\"server\":\"%s\"}", client->access.server) < 0) {
		cluster = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	r = kube_exec_start(&client->access.exec, cluster, &client->plugin, err);
	if (r < 0)
		return r;
	set_plugin_timer(client, KUBE_EXEC_LIMIT_MS);
	if (watch_fd(client, client->plugin.pid_fd, EPOLLIN | EPOLLET) < 0 ||
	    watch_fd(client, client->plugin.out_fd, EPOLLIN | EPOLLET) < 0) {
		kube_exec_stop(&client->plugin);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* The plugin is through: those who waited for it go on, or hear what went wrong. */
static void plugin_is_through(struct kube_client *client, const struct err *failure)
{
	set_plugin_timer(client, 0);
	while (client->waiting) {
		struct kube_call *call = client->waiting;

		client->waiting = call->next;
		call->next = NULL;
		if (failure)
			give_up(call, failure);
		else
			start_now(client, call);
	}
}

static void work_plugin(struct kube_client *client)
{
	struct err err;
	const int r = kube_exec_read(&client->access.exec, &client->plugin, &client->issued, &err);

	if (r != 0)
		plugin_is_through(client, r < 0 ? &err : NULL);
}

static void end_plugin(struct kube_client *client)
{
	uint64_t times;
	struct err err;

	(void)!read(client->plugin_timer, &times, sizeof(times));
	if (client->plugin.pid == 0)
		return;
	kube_exec_stop(&client->plugin);
	(void)err_set(&err, 0, "credential plugin %s: not done after %d s, ended",
		      client->access.exec.command, KUBE_EXEC_LIMIT_MS / 1000);
	plugin_is_through(client, &err);
}

/* ---- calls ---- */

void kube_call_start(struct kube_client *client, struct kube_call *call,
		     const struct kube_request *request)
{
	struct err err;

	strbuf_clear(&call->body);
	call->request = request;
	call->client = client;
	call->state = KUBE_CALL_RUNNING;
	call->started_s = histogram_clock();
	client->traffic.n_watches += is_watch(call);
	call->exchange = (struct http_exchange){.retry_after_s = -1};
	if (!needs_plugin(client)) {
		start_now(client, call);
		return;
	}
	if (client->plugin.pid == 0 && start_plugin(client, &err) < 0) {
		give_up(call, &err);
		return;
	}
	call->next = client->waiting;
	client->waiting = call;
}

void kube_call_stop(struct kube_call *call)
{
	struct kube_call **at = call->client ? &call->client->waiting : NULL;

	if (!at)
		return;
	while (*at && *at != call)
		at = &(*at)->next;
	if (*at)
		*at = call->next;
	call->next = NULL;
	http_stop(call->client->http, &call->exchange);
	strbuf_clear(&call->body);
	call->state = KUBE_CALL_IDLE;
}

void kube_client_work(struct kube_client *client)
{
	struct epoll_event events[AT_ONCE];
	const int n = epoll_wait(client->fd, events, AT_ONCE, 0);

	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == http_fd(client->http))
			http_work(client->http);
		else if (events[i].data.fd == client->plugin_timer)
			end_plugin(client);
		else if (client->plugin.pid > 0)
			work_plugin(client);
	}
}

void kube_call_wait(const struct kube_call *call)
{
	while (call->state == KUBE_CALL_RUNNING) {
		struct pollfd fd = {.fd = call->client->fd, .events = POLLIN};

		(void)poll(&fd, 1, -1);
		kube_client_work(call->client);
	}
}

void kube_call_tell(const struct kube_call *call, struct err *ret)
{
	CLEANUP(kube_status_clear) struct kube_status status = {0};
	const int code = call->exchange.status;

	if (code == 0)
		*ret = call->exchange.err;
	else if (kube_status_read(call->body.text, call->body.len, &status) < 0 || !*status.message)
		(void)err_set(ret, 0, "HTTP %d", code);
	else
		(void)err_set(ret, 0, "HTTP %d: %s", code, status.message);
}
