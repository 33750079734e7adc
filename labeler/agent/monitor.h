/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Lets others see how the agent does: /healthz, /readyz and /metrics, where [agent] listen says.
 * An address that cannot be had costs no labels: it is said and tried again.
 */
#include "agent/loop.h"
#include "agent/metrics.h"

#include <stdbool.h>

struct err;

struct monitor {
	struct http_server *server; /* owned; NULL: not asked for, or not to be had */
	struct loop *loop;
	struct source source;
	struct metrics_view view; /* the agent's data */
	char *listen;             /* owned; NULL: not asked for */
	bool is_said;             /* why there is no server */
};

/* Where to listen from now on; NULL: nowhere. What goes wrong is logged. */
void monitor_listen(struct monitor *monitor, const char *listen);

/* Tries again what did not work. */
void monitor_check(struct monitor *monitor);

/* When there is something to do without an event; INT64_MAX: never. */
int64_t monitor_due(const struct monitor *monitor);
void monitor_work(struct monitor *monitor);
void monitor_close(struct monitor *monitor);
