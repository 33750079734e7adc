/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/http.h"

#include "base/cleanup.h"
#include "base/library.h"

#define CURL_DISABLE_TYPECHECK /* its checks are macros over the functions' own names */
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
	CONNECT_MS = 15 * 1000,
	AT_ONCE = 16, /* sockets that are served by one wait */
	RECEIVE_BYTES = 16384,
};

/*
 * libcurl comes into memory when the API server is an output: it brings some twenty libraries, more
 * than all of an agent that writes a file. Its header still checks our use of it.
 */
#define LIBCURL_FUNCTIONS(X)                                                                       \
	X(curl_global_init)                                                                        \
	X(curl_easy_init)                                                                          \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_strerror)                                                                      \
	X(curl_multi_init)                                                                         \
	X(curl_multi_setopt)                                                                       \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_socket_action)                                                                \
	X(curl_multi_info_read)                                                                    \
	X(curl_multi_cleanup)                                                                      \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#define MEMBER(name)                                                                               \
	__typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): a declaration               \
				 */
struct libcurl {
	LIBCURL_FUNCTIONS(MEMBER)
};
static struct libcurl lib;

static int load(struct err *err)
{
#define ROW(name) LIBRARY_FUNCTION(name, &lib.name),
	static const struct library_function functions[] = {LIBCURL_FUNCTIONS(ROW)};
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
	static struct library library; /* it stays: TLS libraries do not like to be unloaded */

	if (library.handle)
		return 0;
	return library_open(&library, "libcurl", names, functions, ARRAY_SIZE(functions), err);
}

struct http {
	CURLM *multi;
	int fd;       /* owned, epoll */
	int timer_fd; /* owned */
};
struct http_transfer {
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char reason[CURL_ERROR_SIZE];
	bool refused; /* by the one who takes the pieces: err has the reason */
};

/* ---- sockets and time, as libcurl asks for them ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket)
{
	const struct http *http = data;
	struct epoll_event event = {.data.fd = fd};

	(void)easy, (void)of_socket;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(http->fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events =
		(what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(http->fd, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
		(void)epoll_ctl(http->fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *data)
{
	const struct http *http = data;
	struct itimerspec when = {0};

	(void)multi;
	if (wait_ms == 0)
		when.it_value.tv_nsec = 1;
	else if (wait_ms > 0)
		when.it_value = (struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000};
	(void)timerfd_settime(http->timer_fd, 0, &when, NULL);
	return 0;
}

static size_t on_piece(char *bytes, size_t one, size_t len, void *data)
{
	struct http_exchange *exchange = data;
	long status = 0;

	(void)one;
	(void)lib.curl_easy_getinfo(exchange->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	exchange->status = (int)status;
	if (exchange->piece(exchange, bytes, len, &exchange->err) == 0)
		return len;
	exchange->transfer->refused = true;
	return len + 1; /* which ends it */
}

int http_open(struct http **ret, struct err *err)
{
	CLEANUP(http_close) struct http *http = calloc(1, sizeof(*http));
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	if (!http)
		return err_set(err, -ENOMEM, "out of memory");
	http->fd = -1;
	http->timer_fd = -1;
	r = load(err);
	if (r < 0)
		return r;
	http->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	http->fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = http->timer_fd;
	if (http->timer_fd < 0 || http->fd < 0 ||
	    epoll_ctl(http->fd, EPOLL_CTL_ADD, http->timer_fd, &event) < 0)
		return err_set(err, -errno, "no epoll: %s", strerror(errno));
	if (lib.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		http->multi = lib.curl_multi_init();
	if (!http->multi)
		return err_set(err, -ENOMEM, "libcurl does not start");
	(void)lib.curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)lib.curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	(void)lib.curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)lib.curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	(void)lib.curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L);
	*ret = TAKE_PTR(http);
	return 0;
}

void http_close(struct http **http)
{
	if (!*http)
		return;
	if ((*http)->multi)
		(void)lib.curl_multi_cleanup((*http)->multi);
	cleanup_close(&(*http)->fd);
	cleanup_close(&(*http)->timer_fd);
	free(*http);
	*http = NULL;
}

int http_fd(const struct http *http)
{
	return http->fd;
}

/* ---- one exchange ---- */

static void transfer_free(struct http_transfer **transfer)
{
	if (!*transfer)
		return;
	if ((*transfer)->easy)
		lib.curl_easy_cleanup((*transfer)->easy);
	lib.curl_slist_free_all((*transfer)->headers);
	lib.curl_slist_free_all((*transfer)->connect_to);
	free(*transfer);
	*transfer = NULL;
}

static bool append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = lib.curl_slist_append(*list, text);

	if (longer)
		*list = longer;
	return longer;
}

/* Options are said one after the other; the first that libcurl refuses is kept. */
struct options {
	CURL *easy;
	CURLcode result;
};

static void say_number(struct options *options, CURLoption option, long value)
{
	if (options->result == CURLE_OK)
		options->result = lib.curl_easy_setopt(options->easy, option, value);
}

/* A text, a list, or data of ours; NULL leaves libcurl's default. */
static void say_data(struct options *options, CURLoption option, const void *value)
{
	if (options->result == CURLE_OK && value)
		options->result = lib.curl_easy_setopt(options->easy, option, value);
}

static void say_pem(struct options *options, CURLoption option, const char *pem)
{
	struct curl_blob blob = {
		.len = pem ? strlen(pem) : 0,
		.flags = CURL_BLOB_COPY,
	};

	if (!pem)
		return;
	memcpy(&blob.data, &pem, sizeof(blob.data)); /* copied by libcurl, not written to */
	say_data(options, option, &blob);
}

static void say_identity(struct options *options, const struct http_request *request)
{
	say_pem(options, CURLOPT_CAINFO_BLOB, request->ca);
	say_pem(options, CURLOPT_SSLCERT_BLOB, request->cert);
	say_pem(options, CURLOPT_SSLKEY_BLOB, request->key);
	say_number(options, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	say_number(options, CURLOPT_SSL_VERIFYPEER, request->insecure ? 0 : 1);
	say_number(options, CURLOPT_SSL_VERIFYHOST, request->insecure ? 0 : 2);
}

static void say_request(struct options *options, const struct http_transfer *transfer,
			const struct http_request *request)
{
	say_data(options, CURLOPT_URL, request->url);
	say_data(options, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body)
		say_number(options, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
	say_data(options, CURLOPT_COPYPOSTFIELDS, request->body);
	say_data(options, CURLOPT_HTTPHEADER, transfer->headers);
	say_data(options, CURLOPT_PROXY, request->proxy);
	say_data(options, CURLOPT_CONNECT_TO, transfer->connect_to);
	/* 1.1: a watch holds its connection */
	say_number(options, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	say_number(options, CURLOPT_NOSIGNAL, 1);
	say_number(options, CURLOPT_TCP_KEEPALIVE, 1);
	say_number(options, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	say_number(options, CURLOPT_FORBID_REUSE, request->alone ? 1 : 0);
	say_number(options, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	say_number(options, CURLOPT_TIMEOUT_MS, request->timeout_ms);
}

static void say_callbacks(struct options *options, struct http_transfer *transfer,
			  struct http_exchange *exchange)
{
	if (options->result == CURLE_OK)
		options->result =
			lib.curl_easy_setopt(options->easy, CURLOPT_WRITEFUNCTION, on_piece);
	say_data(options, CURLOPT_WRITEDATA, exchange);
	say_data(options, CURLOPT_PRIVATE, exchange);
	say_data(options, CURLOPT_ERRORBUFFER, transfer->reason);
}

/* "::host:port": whatever the URL says, there. */
static bool make_lists(struct http_transfer *transfer, const struct http_request *request)
{
	auto_free char *to = NULL;

	for (size_t i = 0; request->headers[i]; i++) {
		if (!append(&transfer->headers, request->headers[i]))
			return false;
	}
	/* no round trip to ask whether a body may come */
	if (!append(&transfer->headers, "Expect:"))
		return false;
	if (!request->connect_to)
		return true;
	if (asprintf(&to, "::%s", request->connect_to) < 0) {
		to = NULL;
		return false;
	}
	return append(&transfer->connect_to, to);
}

int http_start(struct http *http, struct http_exchange *exchange,
	       const struct http_request *request, struct err *err)
{
	CLEANUP(transfer_free) struct http_transfer *transfer = calloc(1, sizeof(*transfer));
	struct options options = {.result = CURLE_OK};

	if (transfer)
		options.easy = transfer->easy = lib.curl_easy_init();
	if (!transfer || !transfer->easy || !make_lists(transfer, request))
		return err_set(err, -ENOMEM, "out of memory");
	say_request(&options, transfer, request);
	say_identity(&options, request);
	say_callbacks(&options, transfer, exchange);
	if (options.result != CURLE_OK)
		return err_set(err, options.result == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL,
			       "%s: %s", request->url, lib.curl_easy_strerror(options.result));
	exchange->status = 0;
	exchange->retry_after_s = -1;
	exchange->err.text[0] = '\0';
	exchange->transfer = transfer;
	if (lib.curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
		exchange->transfer = NULL;
		return err_set(err, -ENOMEM, "%s: libcurl takes no more", request->url);
	}
	(void)TAKE_PTR(transfer);
	return 0;
}

void http_stop(struct http *http, struct http_exchange *exchange)
{
	if (!exchange->transfer)
		return;
	(void)lib.curl_multi_remove_handle(http->multi, exchange->transfer->easy);
	transfer_free(&exchange->transfer);
}

/* What libcurl says of a failure, without what is different each time, so that it is said once. */
static void tell(struct http_exchange *exchange, CURLcode result)
{
	const struct http_transfer *transfer = exchange->transfer;
	const char *reason = lib.curl_easy_strerror(result);
	long number = 0;

	if (transfer->refused)
		return;
	(void)lib.curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	if (result == CURLE_COULDNT_CONNECT && number != 0)
		(void)err_set(&exchange->err, 0, "cannot connect: %s", strerror((int)number));
	else if (result == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(&exchange->err, 0, "no answer in time");
	else if (result != CURLE_COULDNT_CONNECT && transfer->reason[0])
		(void)err_set(&exchange->err, 0, "%s", transfer->reason);
	else
		(void)err_set(&exchange->err, 0, "%s", reason);
}

static void finish(struct http *http, struct http_exchange *exchange, CURLcode result)
{
	long status = 0;
	curl_off_t retry_after = 0;

	(void)lib.curl_easy_getinfo(exchange->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)lib.curl_easy_getinfo(exchange->transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	exchange->status = result == CURLE_OK ? (int)status : 0;
	exchange->retry_after_s = retry_after > 0 ? retry_after : -1;
	if (result != CURLE_OK)
		tell(exchange, result);
	http_stop(http, exchange);
	exchange->done(exchange);
}

static void finish_all(struct http *http)
{
	const CURLMsg *message;
	int left = 0;

	while ((message = lib.curl_multi_info_read(http->multi, &left))) {
		char *exchange = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)lib.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		finish(http, (struct http_exchange *)(void *)exchange, message->data.result);
	}
}

void http_work(struct http *http)
{
	struct epoll_event events[AT_ONCE];
	const int n = epoll_wait(http->fd, events, AT_ONCE, 0);
	int running = 0;

	for (int i = 0; i < n; i++) {
		uint64_t times;
		int mask = 0;

		if (events[i].data.fd == http->timer_fd) {
			(void)!read(http->timer_fd, &times, sizeof(times));
			(void)lib.curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
							   &running);
			continue;
		}
		if (events[i].events & (EPOLLIN | EPOLLHUP))
			mask |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			mask |= CURL_CSELECT_OUT;
		if (events[i].events & EPOLLERR)
			mask |= CURL_CSELECT_ERR;
		(void)lib.curl_multi_socket_action(http->multi, events[i].data.fd, mask, &running);
	}
	finish_all(http);
}
