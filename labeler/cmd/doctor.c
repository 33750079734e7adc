/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what keeps the GPUs from those that the node is meant for. */
#include "doctor/doctor.h"

#include "agent/look.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "cmd/source.h"
#include "doctor/report.h"
#include "inventory/host_facts.h"
#include "kube/survey.h"
#include "output/feature_file.h"
#include "scan/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* All that is read before anything is judged. */
struct findings {
	struct inventory inventory;
	struct host_facts facts;
	struct verdict verdict;
	struct survey survey;
	struct feature_file_facts feature_file;
	char *feature_path; /* owned */
};

static void findings_clear(struct findings *findings)
{
	inventory_clear(&findings->inventory);
	host_facts_clear(&findings->facts);
	verdict_clear(&findings->verdict);
	survey_clear(&findings->survey);
	fact_clear(&findings->feature_file.text);
	free(findings->feature_path);
}

struct request {
	struct source source;
	enum mode mode; /* MODE_NONE: find out */
	bool json, strict;
};

/* What a capture or another root shows is not of the host whose cluster we could ask. */
static bool is_own_host(const struct request *request, const struct config *config)
{
	return !request->source.capture && !config->root && !config->sysfs;
}

static int read_host(const struct config *config, struct findings *findings, struct err *err)
{
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	int r = host_open(&host, config->root, config->sysfs, err);

	if (r == 0)
		r = look_checkup(config, &host, &findings->inventory, &findings->facts, err);
	if (r == 0)
		r = rules_apply(&findings->inventory, &config->rules, &findings->verdict, err);
	return r;
}

static int read_feature_file(const struct config *config, struct findings *findings,
			     struct err *err)
{
	const char *dir = config->features_dir ? config->features_dir : FEATURE_FILE_DIR;
	struct feature_file_facts *file = &findings->feature_file;
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t len = 0;
	int r;

	if (asprintf(&findings->feature_path, "%s/" FEATURE_FILE_NAME, dir) < 0) {
		findings->feature_path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	file->path = findings->feature_path;
	file->has_dir = fd >= 0;
	if (fd < 0)
		return 0;
	r = host_read_whole(fd, FEATURE_FILE_NAME, FEATURE_FILE_MAX, &file->text.text, &len);
	if (r == 0)
		file->text.state = FACT_KNOWN;
	if (r < 0) {
		file->text.state = FACT_FAILED;
		file->text.text = strdup(host_reason(r));
	}
	return 0;
}

static int examine(const struct config *config, const struct request *request,
		   struct findings *findings, struct diagnosis *diagnosis, struct err *err)
{
	const bool own = is_own_host(request, config);
	struct patient patient = {
		.inventory = &findings->inventory,
		.facts = &findings->facts,
		.verdict = &findings->verdict,
		.meant = request->mode != MODE_NONE ? request->mode : config->rules.driver_type,
	};
	int r = read_host(config, findings, err);

	if (r == 0 && own && config->outputs & 1U << CONFIG_OUTPUT_FILE) {
		r = read_feature_file(config, findings, err);
		patient.feature_file = &findings->feature_file;
	}
	if (r == 0 && (own || config->kubeconfig)) {
		r = cluster_survey(config, &findings->survey, err);
		patient.survey = &findings->survey;
	}
	if (r < 0)
		return r;
	doctor_examine(&patient, diagnosis);
	return diagnosis->failed ? err_set(err, -ENOMEM, "out of memory for what was found") : 0;
}

static int show(const struct diagnosis *diagnosis, bool json, struct err *err)
{
	CLEANUP(strbuf_clear) struct strbuf out = {0};
	auto_free char *text = NULL;

	if (!json)
		report_text(diagnosis, &out);
	text = json ? report_json(diagnosis) : strbuf_take(&out);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory for the report");
	(void)fputs(text, stdout);
	if (json)
		(void)putchar('\n');
	return cmd_flush(err);
}

static enum cmd_exit doctor(const struct config *config, const struct request *request)
{
	CLEANUP(findings_clear) struct findings findings = {0};
	CLEANUP(diagnosis_clear) struct diagnosis diagnosis = {0};
	struct err err;
	int r = examine(config, request, &findings, &diagnosis, &err);

	if (r == 0)
		r = show(&diagnosis, request->json, &err);
	if (r < 0)
		return cmd_end(r, &err);
	if (diagnosis.count[HEALTH_FAIL] > 0)
		return CMD_FINDINGS;
	return request->strict && diagnosis.count[HEALTH_WARN] > 0 ? CMD_FAILED : CMD_DONE;
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *mode = "auto";
	const char *json = NULL;
	const char *strict = NULL;
	struct request request = {0};
	const struct cmd_option options[] = {
		SOURCE_CAPTURE(&request.source),
		{"mode", "MODE", "container, vf-passthrough or pf-passthrough", &mode},
		{"json", NULL, "all that was read, as JSON", &json},
		{"strict", NULL, "leave with 1 where a check warns", &strict},
	};
	const struct cmd_usage usage = {
		.command = &cmd_doctor,
		.about = "Looks for what keeps the GPUs from the VMs or containers that the "
			 "node is\nmeant for. Changes nothing; what cannot be seen from here is "
			 "unknown, never a\nfailure. Leaves with 3 where a check failed.",
		.scope = CONFIG_OF_SCAN | CONFIG_OF_AGENT,
		.options = options,
		.n_options = ARRAY_SIZE(options),
		.own_words = true,
	};
	CLEANUP(cmd_line_clear) struct cmd_line line = {0};
	enum cmd_exit end;
	struct err err;

	if (!cmd_parse(argc, argv, &usage, &line))
		return line.end;
	if (!mode_parse(mode, &request.mode))
		return cmd_bad_usage(
			&cmd_doctor,
			"--mode: is neither container, vf-passthrough, pf-passthrough nor "
			"auto");
	request.json = json;
	request.strict = strict;
	if (!source_check(&request.source, &line.config, &err))
		return cmd_bad_usage(&cmd_doctor, err.text);
	if (source_open(&request.source, &line.config, &err) < 0)
		return cmd_end(-1, &err);
	end = doctor(&line.config, &request);
	source_close(&request.source);
	return end;
}

const struct command cmd_doctor = {"doctor", "find what keeps the GPUs from where they should go",
				   run};
