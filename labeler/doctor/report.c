/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/report.h"

#include "base/strbuf.h"
#include "doctor/doctor.h"

#include <string.h>

enum {
	WIDTH = 100,
	INDENT = 27,
};

static const char *const words[N_HEALTHS] = {
	[HEALTH_PASS] = "pass",
	[HEALTH_UNKNOWN] = "unknown",
	[HEALTH_WARN] = "WARN",
	[HEALTH_FAIL] = "FAIL",
};

/* How much of what was read is shown; --json has all. */
static const size_t most_shown[N_HEALTHS] = {
	[HEALTH_UNKNOWN] = 2,
	[HEALTH_WARN] = 8,
	[HEALTH_FAIL] = 8,
};

/* Broken at blanks, so that it stays beside the column of ids. */
static void add_wrapped(struct strbuf *out, const char *text)
{
	size_t at = INDENT;

	while (*text) {
		const size_t len = strcspn(text, " ");

		if (at > INDENT && at + 1 + len > WIDTH) {
			strbuf_addf(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			strbuf_add(out, " ");
			at++;
		}
		strbuf_add_bytes(out, text, len);
		at += len;
		text += len + (text[len] == ' ');
	}
	strbuf_add(out, "\n");
}

/* What made it so, and of a pass nothing. */
static void add_evidence(const struct finding *finding, struct strbuf *out)
{
	size_t shown = 0;
	size_t left_out = 0;

	for (size_t i = 0; i < finding->n_items; i++) {
		const struct evidence *item = &finding->items[i];

		if (item->health != finding->health)
			continue;
		if (shown++ < most_shown[finding->health])
			strbuf_addf(out, "%*s%s: %s\n", INDENT, "", item->path, item->value);
		else
			left_out++;
	}
	if (left_out > 0)
		strbuf_addf(out, "%*sand %zu more: --json tells all\n", INDENT, "", left_out);
}

static void add_finding(const struct finding *finding, struct strbuf *out)
{
	strbuf_addf(out, "%-7s %-18s ", words[finding->health], finding->id);
	add_wrapped(out, finding->says);
	if (finding->health == HEALTH_PASS)
		return;
	add_evidence(finding, out);
	if (finding->follows) {
		strbuf_addf(out, "%*s=> follows from %s: mend that first\n", INDENT - 3, "",
			    finding->follows);
	} else if (finding->next) {
		strbuf_addf(out, "%*s=> ", INDENT - 3, "");
		add_wrapped(out, finding->next);
	}
}

/* The failures that no other explains. */
static void add_start(const struct diagnosis *diagnosis, struct strbuf *out)
{
	const char *before = "\nstart with: ";

	for (size_t i = 0; i < diagnosis->n_items; i++) {
		const struct finding *finding = &diagnosis->items[i];

		if (finding->health != HEALTH_FAIL || finding->follows)
			continue;
		strbuf_addf(out, "%s%s", before, finding->id);
		before = ", ";
	}
	if (*before == ',')
		strbuf_add(out, "\n");
}

void report_text(const struct diagnosis *diagnosis, struct strbuf *out)
{
	strbuf_addf(out, "meant for: %s (%s)\n\n", mode_name(diagnosis->meant), diagnosis->because);
	for (size_t i = 0; i < diagnosis->n_items; i++)
		add_finding(&diagnosis->items[i], out);
	add_start(diagnosis, out);
	strbuf_addf(out, "\n%zu failed, %zu warned, %zu unknown, %zu passed\n",
		    diagnosis->count[HEALTH_FAIL], diagnosis->count[HEALTH_WARN],
		    diagnosis->count[HEALTH_UNKNOWN], diagnosis->count[HEALTH_PASS]);
}
