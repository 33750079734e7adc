/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metrics.h"

#include "agent/confine.h"
#include "agent/look.h"
#include "agent/publisher.h"
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kube/traffic.h"

#include <stdio.h>

#define NAME(name) "gpu_labeler_" name
#define NO_LABELS ((const struct prom_label[]){{0}})
#define LABEL(name, value) ((const struct prom_label[]){{name, value}, {0}})

static void one(struct strbuf *out, const char *name, const char *type, const char *help,
		double value)
{
	prom_family(out, name, type, help);
	prom_sample(out, name, NO_LABELS, value);
}

/* ---- what the node has ---- */

enum gpu_state {
	COUNTED,    /* in labels */
	OTHER_MODE, /* would count if the node were in the mode that it serves */
	UNUSABLE,   /* something is amiss: the log and explain say what */
	IDLE,
	GPU_STATES,
};

static enum gpu_state state_of(const struct verdict *verdict, size_t gpu)
{
	const struct part *part = &verdict->parts[gpu];

	if (part->vfio || verdict_counts(verdict, gpu))
		return COUNTED;
	if (part->mode != MODE_NONE)
		return OTHER_MODE;
	return part->why ? UNUSABLE : IDLE;
}

static size_t vendor_row(uint16_t vendor)
{
	return vendor == VENDOR_AMD ? 0 : vendor == VENDOR_INTEL ? 1 : 2;
}

static void gpus(const struct look *look, struct strbuf *out)
{
	static const char *const vendors[] = {"amd", "intel", "other"};
	static const char *const states[] = {"counted", "other_mode", "unusable", "idle"};
	size_t n[ARRAY_SIZE(vendors)][N_MODES][GPU_STATES] = {0};

	for (size_t i = 0; i < look->inventory.n_gpus; i++)
		n[vendor_row(look->inventory.gpus[i].vendor)][look->verdict.parts[i].mode]
		 [state_of(&look->verdict, i)]++;
	prom_family(out, NAME("gpus"), "gauge",
		    "GPU functions by vendor, the mode that they serve, and whether labels count "
		    "them.");
	for (size_t i = 0; i < ARRAY_SIZE(vendors) * N_MODES * GPU_STATES; i++) {
		const size_t vendor = i / GPU_STATES / N_MODES;
		const enum mode mode = (enum mode)(i / GPU_STATES % N_MODES);
		const struct prom_label labels[] = {
			{"vendor", vendors[vendor]},
			{"mode", mode == MODE_NONE ? "none" : mode_name(mode)},
			{"state", states[i % GPU_STATES]},
			{0},
		};

		if (n[vendor][mode][i % GPU_STATES] > 0)
			prom_sample(out, NAME("gpus"), labels,
				    (double)n[vendor][mode][i % GPU_STATES]);
	}
}

static void labels(const struct metrics_view *view, struct strbuf *out)
{
	one(out, NAME("labels"), "gauge", "Labels that the node should have.",
	    (double)view->look->verdict.labels.n_items);
	prom_family(out, NAME("labels_rejected"), "gauge",
		    "Labels left out: the agent knows that Kubernetes takes none such, or the "
		    "server did not take them.");
	prom_sample(out, NAME("labels_rejected"), LABEL("by", "agent"),
		    (double)view->look->verdict.labels.n_rejected);
	for (size_t i = 0; i < view->publishers->n_items; i++) {
		const struct publisher *item = &view->publishers->items[i];

		if (item->output->traffic)
			prom_sample(out, NAME("labels_rejected"), LABEL("by", item->name),
				    (double)item->output->n_refused);
	}
}

/* ---- what the agent does ---- */

static void work(const struct counts *counts, struct strbuf *out)
{
	prom_family(out, NAME("scans_total"), "counter", "Looks at the node.");
	prom_sample(out, NAME("scans_total"), LABEL("result", "ok"),
		    (double)(counts->scans - counts->failed_scans));
	prom_sample(out, NAME("scans_total"), LABEL("result", "failed"),
		    (double)counts->failed_scans);
	prom_family(out, NAME("scan_duration_seconds"), "histogram",
		    "How long a look at the node took, with the labels that follow.");
	prom_histogram(out, NAME("scan_duration_seconds"), NO_LABELS, &counts->scan_seconds);
	prom_family(out, NAME("events_total"), "counter",
		    "Events of the kernel: of a GPU, a driver or a module; others; losses.");
	prom_sample(out, NAME("events_total"), LABEL("kind", "gpu"), (double)counts->events);
	prom_sample(out, NAME("events_total"), LABEL("kind", "other"),
		    (double)counts->other_events);
	prom_sample(out, NAME("events_total"), LABEL("kind", "lost"), (double)counts->lost_events);
}

static void publications(const struct publishers *publishers, struct strbuf *out)
{
	prom_family(out, NAME("publications_total"), "counter",
		    "Publications by output: written, unchanged (it stood there already), failed.");
	for (size_t i = 0; i < publishers->n_items; i++) {
		const struct publisher *item = &publishers->items[i];
		const struct {
			const char *result;
			uint64_t n;
		} results[] = {{"written", item->counts.written},
			       {"unchanged", item->counts.unchanged},
			       {"failed", item->counts.failed}};

		for (size_t j = 0; j < ARRAY_SIZE(results); j++) {
			const struct prom_label by[] = {
				{"output", item->name}, {"result", results[j].result}, {0}};

			prom_sample(out, NAME("publications_total"), by, (double)results[j].n);
		}
	}
	prom_family(out, NAME("last_success_timestamp_seconds"), "gauge",
		    "When an output was last known to hold the labels; 0: never.");
	for (size_t i = 0; i < publishers->n_items; i++)
		prom_sample(out, NAME("last_success_timestamp_seconds"),
			    LABEL("output", publishers->items[i].name),
			    (double)publishers->items[i].counts.success_s);
}

static void repairs(const struct publishers *publishers, struct strbuf *out)
{
	prom_family(out, NAME("drift_repairs_total"), "counter",
		    "How often labels that somebody else had changed were put right.");
	for (size_t i = 0; i < publishers->n_items; i++)
		prom_sample(out, NAME("drift_repairs_total"),
			    LABEL("output", publishers->items[i].name),
			    (double)publishers->items[i].output->n_repairs);
	prom_family(out, NAME("drift_last_info"), "gauge",
		    "The last such change: which label, and who made it.");
	for (size_t i = 0; i < publishers->n_items; i++) {
		const struct publisher *item = &publishers->items[i];
		const struct prom_label by[] = {
			{"output", item->name}, {"change", item->output->repaired}, {0}};

		if (*item->output->repaired)
			prom_sample(out, NAME("drift_last_info"), by, 1);
	}
}

/* ---- what it asks of an API server ---- */

static void requests(const struct publisher *item, struct strbuf *out)
{
	for (size_t i = 0; i < (size_t)TRAFFIC_VERBS * TRAFFIC_CODES; i++) {
		const struct traffic_verb_count *verb =
			&item->output->traffic->verbs[i / TRAFFIC_CODES];
		char code[16] = "other";
		const struct prom_label by[] = {{"output", item->name},
						{"verb", traffic_verbs[i / TRAFFIC_CODES]},
						{"code", code},
						{0}};

		if (verb->codes[i % TRAFFIC_CODES].n == 0)
			continue;
		if (verb->codes[i % TRAFFIC_CODES].code == 0)
			(void)snprintf(code, sizeof(code), "none");
		else if (verb->codes[i % TRAFFIC_CODES].code != TRAFFIC_OTHER)
			(void)snprintf(code, sizeof(code), "%d",
				       verb->codes[i % TRAFFIC_CODES].code);
		prom_sample(out, NAME("api_requests_total"), by,
			    (double)verb->codes[i % TRAFFIC_CODES].n);
	}
}

static void durations(const struct publisher *item, struct strbuf *out)
{
	for (size_t i = 0; i < TRAFFIC_VERBS; i++) {
		const struct traffic_verb_count *verb = &item->output->traffic->verbs[i];
		const struct prom_label by[] = {
			{"output", item->name}, {"verb", traffic_verbs[i]}, {0}};

		if (i != TRAFFIC_WATCH && verb->codes[0].n > 0)
			prom_histogram(out, NAME("api_request_duration_seconds"), by,
				       &verb->seconds);
	}
}

static void watches(const struct publisher *item, struct strbuf *out)
{
	const uint64_t n = item->output->traffic->n_watches;

	prom_sample(out, NAME("watch_restarts_total"), LABEL("output", item->name),
		    n > 0 ? (double)(n - 1) : 0);
}

static void api(const struct publishers *publishers, struct strbuf *out)
{
	static const struct {
		const char *name, *type, *help;
		void (*samples)(const struct publisher *item, struct strbuf *out);
	} families[] = {
		{NAME("api_requests_total"), "counter",
		 "Requests to the API server by verb and HTTP status; none: no answer came. A "
		 "watch "
		 "counts when it is over.",
		 requests},
		{NAME("api_request_duration_seconds"), "histogram",
		 "How long requests to the API server took, watches aside.", durations},
		{NAME("watch_restarts_total"), "counter", "How often the watch was opened again.",
		 watches},
	};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		prom_family(out, families[i].name, families[i].type, families[i].help);
		for (size_t j = 0; j < publishers->n_items; j++) {
			if (publishers->items[j].output->traffic)
				families[i].samples(&publishers->items[j], out);
		}
	}
}

static void sandbox(unsigned int in_force, struct strbuf *out)
{
	prom_family(out, NAME("sandbox"), "gauge",
		    "What of the sandbox is in force: 1, or 0 where the kernel lacks it or it is "
		    "off.");
	for (unsigned int i = 0; i < CONFINE_PARTS; i++)
		prom_sample(out, NAME("sandbox"), LABEL("part", confine_part_names[i]),
			    in_force >> i & 1);
}

void metrics_text(const struct metrics_view *view, struct strbuf *out)
{
	prom_family(out, NAME("build_info"), "gauge", "The program's version.");
	prom_sample(out, NAME("build_info"), LABEL("version", VERSION), 1);
	gpus(view->look, out);
	labels(view, out);
	work(view->counts, out);
	publications(view->publishers, out);
	repairs(view->publishers, out);
	api(view->publishers, out);
	sandbox(*view->sandbox, out);
}
