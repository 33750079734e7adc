/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/prom.h"

#include "base/histogram.h"
#include "base/strbuf.h"

#include <stdio.h>

void prom_family(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_add(out, "\\n");
		else if (*text == '\\' || *text == '"')
			strbuf_addf(out, "\\%c", *text);
		else
			strbuf_addf(out, "%c", *text);
	}
}

static void add_label(struct strbuf *out, const char *before, const struct prom_label *label)
{
	strbuf_addf(out, "%s%s=\"", before, label->name);
	add_escaped(out, label->value);
	strbuf_add(out, "\"");
}

/* bound: of a histogram's class, NULL where it is none. */
static void sample(struct strbuf *out, const char *name, const char *suffix,
		   const struct prom_label *labels, const char *bound, double value)
{
	const struct prom_label le = {"le", bound};
	const char *before = "{";

	strbuf_addf(out, "%s%s", name, suffix);
	for (; labels->name; labels++) {
		add_label(out, before, labels);
		before = ",";
	}
	if (bound) {
		add_label(out, before, &le);
		before = ",";
	}
	strbuf_addf(out, "%s %.16g\n", *before == ',' ? "}" : "", value);
}

void prom_sample(struct strbuf *out, const char *name, const struct prom_label *labels,
		 double value)
{
	sample(out, name, "", labels, NULL, value);
}

void prom_histogram(struct strbuf *out, const char *name, const struct prom_label *labels,
		    const struct histogram *histogram)
{
	uint64_t n = 0;

	for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		char bound[32];

		n += histogram->counts[i];
		(void)snprintf(bound, sizeof(bound), "%g", histogram_bounds[i]);
		sample(out, name, "_bucket", labels, bound, (double)n);
	}
	n += histogram->counts[HISTOGRAM_BOUNDS];
	sample(out, name, "_bucket", labels, "+Inf", (double)n);
	sample(out, name, "_sum", labels, NULL, histogram->sum_s);
	sample(out, name, "_count", labels, NULL, (double)n);
}
