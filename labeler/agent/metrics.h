/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The agent in numbers: what it counts, and the page that Prometheus reads. */
#include "base/histogram.h"
#include "metrics/prom.h"

#include <stddef.h>
#include <stdint.h>

struct look;
struct publishers;
struct strbuf;

struct counts {
	uint64_t scans, failed_scans;
	struct histogram scan_seconds;
	uint64_t events, other_events, lost_events; /* other: not of a GPU, a driver or a module */
};
struct metrics_view {
	const struct counts *counts;
	const struct look *look; /* what is published */
	const struct publishers *publishers;
	const unsigned int *sandbox; /* one bit a confine_part that is in force */
};

/* Pure: the same view gives the same text. */
void metrics_text(const struct metrics_view *view, struct strbuf *out);
