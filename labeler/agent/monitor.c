/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/monitor.h"

#include "agent/publisher.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "metrics/server.h"

#include <string.h>

/* Whoever answers is alive: the same loop does all the rest. */
static int page_health(void *data, struct strbuf *out)
{
	(void)data;
	strbuf_add(out, "ok\n");
	return 200;
}

/* Ready: every output has held the labels, and the last publication did not fail. */
static int page_ready(void *data, struct strbuf *out)
{
	const struct metrics_view *view = data;
	int status = view->publishers->n_items > 0 ? 200 : 503;

	for (size_t i = 0; i < view->publishers->n_items; i++) {
		const struct publisher *item = &view->publishers->items[i];
		const char *why = item->trouble                 ? item->trouble
				  : item->counts.success_s == 0 ? "nothing is published yet"
								: NULL;

		if (why)
			status = 503;
		strbuf_addf(out, "%s: %s\n", item->name, why ? why : "ok");
	}
	return status;
}

static int page_metrics(void *data, struct strbuf *out)
{
	metrics_text(data, out);
	return 200;
}

static const struct page pages[] = {
	{"/healthz", "text/plain; charset=utf-8", page_health},
	{"/readyz", "text/plain; charset=utf-8", page_ready},
	{"/metrics", PROM_CONTENT_TYPE, page_metrics},
};

static void on_request(struct source *source)
{
	struct monitor *monitor = (void *)((char *)source - offsetof(struct monitor, source));

	http_server_work(monitor->server);
}

static void stop(struct monitor *monitor)
{
	if (monitor->server)
		loop_remove(monitor->loop, &monitor->source);
	http_server_close(&monitor->server);
}

static int start(struct monitor *monitor, struct err *err)
{
	int r = http_server_open(monitor->listen, pages, ARRAY_SIZE(pages), &monitor->view,
				 &monitor->server, err);

	if (r < 0)
		return r;
	monitor->source = (struct source){http_server_fd(monitor->server), on_request};
	r = loop_add(monitor->loop, &monitor->source, err);
	if (r < 0)
		http_server_close(&monitor->server);
	return r;
}

void monitor_check(struct monitor *monitor)
{
	struct err err;

	if (monitor->server || !monitor->listen)
		return;
	if (start(monitor, &err) == 0)
		log_line(LEVEL_INFO, NULL, "health and metrics at %s", monitor->listen);
	else if (!monitor->is_said)
		log_line(LEVEL_ERROR, NULL, "%s: no health and metrics: tried again", err.text);
	monitor->is_said = !monitor->server;
}

void monitor_listen(struct monitor *monitor, const char *listen)
{
	if (monitor->listen && listen && strcmp(monitor->listen, listen) == 0)
		return;
	monitor_close(monitor);
	monitor->listen = listen ? strdup(listen) : NULL;
	monitor->is_said = false;
	monitor_check(monitor);
}

int64_t monitor_due(const struct monitor *monitor)
{
	const int64_t wait_ms = monitor->server ? http_server_wait_ms(monitor->server) : -1;

	return wait_ms < 0 ? INT64_MAX : output_now_ms() + wait_ms;
}

void monitor_work(struct monitor *monitor)
{
	if (monitor->server && http_server_wait_ms(monitor->server) == 0)
		http_server_work(monitor->server);
}

void monitor_close(struct monitor *monitor)
{
	stop(monitor);
	free(monitor->listen);
	monitor->listen = NULL;
}
