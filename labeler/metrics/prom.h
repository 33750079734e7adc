/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Prometheus' text format, version 0.0.4. Pure. A family comes first, then all of its samples.
 */
struct histogram;
struct strbuf;

#define PROM_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A list of them ends with one whose name is NULL; the values may hold any text. */
struct prom_label {
	const char *name, *value;
};

/* type: "counter", "gauge" or "histogram". */
void prom_family(struct strbuf *out, const char *name, const char *type, const char *help);
void prom_sample(struct strbuf *out, const char *name, const struct prom_label *labels,
		 double value);

/* All the samples of a histogram. */
void prom_histogram(struct strbuf *out, const char *name, const struct prom_label *labels,
		    const struct histogram *histogram);
