/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What described machines cannot show of the doctor (tests/doctor has the rest): what a cluster and
 * a feature file say, and that the table of checks is whole.
 */
#include "make.h"
#include "rows.h"

#include "base/err.h"
#include "base/strbuf.h"
#include "doctor/check.h"
#include "doctor/report.h"
#include "kube/survey.h"
#include "rules/rules.h"

#define PF "0000:05:00.0"
#define VF "0000:05:02.0"

/* A PF on gim with a VF on vfio-pci, and what follows from it. */
struct ward {
	struct inventory inventory;
	struct host_facts facts;
	struct verdict verdict;
	struct survey survey;
	struct feature_file_facts file;
	struct diagnosis diagnosis;
};

static void ward_open(struct ward *ward)
{
	const struct rule_options options = {0};
	const struct gpu_row pf = {PF, 0x1002, 0x74a1, 0x1200, "gim", 7, .vfs = {VF}};
	const struct gpu_row vf = {VF, 0x1002, 0x74b5, 0x1200, "vfio-pci", 8, PF};
	struct err err;

	make_gpu(&ward->inventory, &pf);
	make_gpu(&ward->inventory, &vf);
	assert_int_equal(rules_apply(&ward->inventory, &options, &ward->verdict, &err), 0);
	ward->facts.functions = calloc(2, sizeof(*ward->facts.functions));
	ward->facts.n_functions = 2;
}

static void ward_close(struct ward *ward)
{
	inventory_clear(&ward->inventory);
	host_facts_clear(&ward->facts);
	verdict_clear(&ward->verdict);
	survey_clear(&ward->survey);
	fact_clear(&ward->file.text);
	diagnosis_clear(&ward->diagnosis);
}

static const char *examine(struct ward *ward, bool cluster, const char *check)
{
	const struct patient patient = {.inventory = &ward->inventory,
					.facts = &ward->facts,
					.verdict = &ward->verdict,
					.survey = cluster ? &ward->survey : NULL,
					.feature_file = ward->file.path ? &ward->file : NULL};

	doctor_examine(&patient, &ward->diagnosis);
	assert_false(ward->diagnosis.failed);
	for (size_t i = 0; i < ward->diagnosis.n_items; i++) {
		const struct finding *finding = &ward->diagnosis.items[i];

		assert_non_null(finding->says);
		assert_true(finding->n_items > 0);
		assert_true(finding->health == HEALTH_PASS || finding->next);
		if (strcmp(finding->id, check) == 0)
			return health_name(finding->health);
	}
	return "absent";
}

#define NODE(text) "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"1\"" text "}"
#define CR(configuration)                                                                          \
	"{\"items\":[{\"metadata\":{\"name\":\"k\",\"namespace\":\"n\"},\"spec\":{"                \
	"\"configuration\":"                                                                       \
	"{" configuration "}}}]}"
#define GATES(list) "\"developerConfiguration\":{\"featureGates\":[" list "]}"
#define PERMITS(list) "\"permittedHostDevices\":{\"pciHostDevices\":[" list "]}"
#define MORE(text) "},\"status\":{\"allocatable\":{" text "}"

static struct cluster_row {
	const char *name;
	const char *node, *kubevirts; /* the server's answers; NULL: none was had */
	const char *check, *want;
} cluster_rows[] = {
	/* clang-format off */
	{"an answer that is no JSON is no answer", "{", NULL, "cluster", "unknown"},
	{"the Node is known", NODE("}"), NULL, "cluster", "pass"},
	{"nothing is allocatable", NODE("}"), NULL, "allocatable", "fail"},
	{"another resource does not count", NODE(MORE("\"amd.com/gpus\":\"8\"}")), NULL, "allocatable", "fail"},
	{"the resource is there", NODE(MORE("\"amd.com/gpu\":\"8\"}")), NULL, "allocatable", "pass"},
	{"none of it is left", NODE(MORE("\"amd.com/gpu\":\"0\"}")), NULL, "allocatable", "fail"},
	{"a quantity that is no number", NODE(MORE("\"amd.com/gpu\":\"x\"}")), NULL, "allocatable", "fail"},
	{"allocatable is a list", NODE("},\"status\":{\"allocatable\":[]}"), NULL, "allocatable", "fail"},
	{"a quantity that is null", NODE(MORE("\"amd.com/gpu\":null}")), NULL, "allocatable", "fail"},
	{"without the CR the resource's name is a guess", NODE("}"), "{", "allocatable", "unknown"},
	{"the labels are not there", NODE("}"), NULL, "node-labels", "fail"},
	{"no KubeVirt in the list", NODE("}"), "{\"items\":[]}", "kubevirt-gate", "warn"},
	{"the list is none", NODE("}"), "{\"items\":{}}", "kubevirt-gate", "unknown"},
	{"an empty CR", NODE("}"), CR(""), "kubevirt-gate", "fail"},
	{"another gate", NODE("}"), CR(GATES("\"HostDevicesWithDRA\"")), "kubevirt-gate", "fail"},
	{"the gate", NODE("}"), CR(GATES("\"Snapshot\",\"HostDevices\"")), "kubevirt-gate", "pass"},
	{"gates that are no texts", NODE("}"), CR(GATES("null,{},[],7")), "kubevirt-gate", "fail"},
	{"no entry", NODE("}"), CR(""), "kubevirt-permitted", "fail"},
	{"an entry in another case of letters", NODE("}"),
	 CR(PERMITS("{\"pciVendorSelector\":\"1002:74B5\",\"resourceName\":\"a/b\"}")), "kubevirt-permitted", "pass"},
	{"an entry of the PF is none of the VF", NODE("}"),
	 CR(PERMITS("{\"pciVendorSelector\":\"1002:74a1\",\"resourceName\":\"a/b\"}")), "kubevirt-permitted", "fail"},
	{"an entry that is none", NODE("}"), CR(PERMITS("null,7,{}")), "kubevirt-permitted", "fail"},
	{"the entry's own resource must be advertised", NODE(MORE("\"amd.com/gpu\":\"8\"}")),
	 CR(PERMITS("{\"pciVendorSelector\":\"1002:74b5\",\"resourceName\":\"a/b\"}")), "allocatable", "fail"},
	/* clang-format on */
};

static void read_answer(struct ward *ward, const char *text, struct survey_answer *answer,
			int (*reader)(const char *text, size_t len, struct survey *survey,
				      struct err *err))
{
	struct err err;

	if (!text)
		return;
	answer->state = SURVEY_KNOWN;
	if (reader(text, strlen(text), &ward->survey, &err) == 0)
		return;
	answer->state = SURVEY_FAILED;
	answer->why = strdup(err.text);
}

static void check_cluster(void **state)
{
	const struct cluster_row *row = *state;
	CLEANUP(ward_close) struct ward ward = {0};

	ward_open(&ward);
	read_answer(&ward, row->node, &ward.survey.node, survey_read_node);
	read_answer(&ward, row->kubevirts, &ward.survey.kubevirt, survey_read_kubevirts);
	assert_string_equal(examine(&ward, true, row->check), row->want);
}

static struct answer_row {
	const char *name;
	enum survey_state rights, policy, binding, nfd;
	bool may, has_mark;
	const char *check, *want;
} answer_rows[] = {
	/* clang-format off */
	{"rights that nobody asked for",    0, 0, 0, 0, false, false, "rbac", "absent"},
	{"rights that could not be asked",  SURVEY_FAILED, 0, 0, 0, false, false, "rbac", "unknown"},
	{"no rights",                       SURVEY_KNOWN, 0, 0, 0, false, false, "rbac", "fail"},
	{"rights",                          SURVEY_KNOWN, 0, 0, 0, true, false, "rbac", "pass"},
	{"no policy",                       0, SURVEY_ABSENT, SURVEY_KNOWN, 0, false, false, "policy", "warn"},
	{"no binding",                      0, SURVEY_KNOWN, SURVEY_ABSENT, 0, false, false, "policy", "warn"},
	{"a policy that we may not read",   0, SURVEY_FAILED, SURVEY_FAILED, 0, false, false, "policy", "unknown"},
	{"policy and binding",              0, SURVEY_KNOWN, SURVEY_KNOWN, 0, false, false, "policy", "pass"},
	{"an NFD that nobody asked for",    0, 0, 0, 0, false, true, "nfd", "absent"},
	{"no NFD",                          0, 0, 0, SURVEY_ABSENT, false, false, "nfd", "fail"},
	{"an old NFD without an API",       0, 0, 0, SURVEY_ABSENT, false, true, "nfd", "pass"},
	{"an NFD that has not come by",     0, 0, 0, SURVEY_KNOWN, false, false, "nfd", "warn"},
	{"an NFD that could not be asked",  0, 0, 0, SURVEY_FAILED, false, false, "nfd", "unknown"},
	/* clang-format on */
};

static void check_answer(void **state)
{
	const struct answer_row *row = *state;
	CLEANUP(ward_close) struct ward ward = {0};
	struct survey *survey = &ward.survey;
	struct survey_answer *answers[] = {&survey->rights, &survey->policy, &survey->binding,
					   &survey->nfd};
	const enum survey_state states[] = {row->rights, row->policy, row->binding, row->nfd};

	ward_open(&ward);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		answers[i]->state = states[i];
		answers[i]->why = strdup("HTTP 403");
	}
	survey->rights_on = strdup("patch nodes/n");
	survey->policy_name = strdup("gpu-labeler-own-node");
	survey->may = row->may;
	survey->has_nfd_mark = row->has_mark;
	assert_string_equal(examine(&ward, true, row->check), row->want);
}

static struct file_row {
	const char *name;
	bool has_dir;
	const char *text; /* NULL: no file; "!why": not readable; "+": what it should be, "-": but
			     for one letter */
	const char *want;
} file_rows[] = {
	{"no directory: not of this host", false, NULL, "unknown"},
	{"no file", true, NULL, "warn"},
	{"a file that cannot be read", true, "!Permission denied", "unknown"},
	{"an empty file", true, "", "fail"},
	{"a value that goes on", true, "amd.com/gpu.mode=vf-passthroughs\n", "fail"},
	{"a value of the same length", true, "-", "fail"},
	{"the file as it should be", true, "+", "pass"},
};

static struct fact text_of_file(const struct labels *labels, const char *text)
{
	struct strbuf whole = {0};

	if (!text || (strcmp(text, "+") != 0 && strcmp(text, "-") != 0))
		return make_text(text);
	strbuf_add(&whole, "# +expiry-time=2026-11-21T00:00:00Z\n");
	for (size_t i = 0; i < labels->n_items; i++)
		strbuf_addf(&whole, "%s=%s\n", labels->items[i].key, labels->items[i].value);
	if (text[0] == '-')
		strstr(whole.text, "=vf-passthrough")[1] = 'p';
	return (struct fact){.state = FACT_KNOWN, .text = strbuf_take(&whole)};
}

static void check_file(void **state)
{
	const struct file_row *row = *state;
	CLEANUP(ward_close) struct ward ward = {0};

	ward_open(&ward);
	ward.file.path = "/features.d/gpu-labeler";
	ward.file.has_dir = row->has_dir;
	ward.file.text = text_of_file(&ward.verdict.labels, row->text);
	assert_string_equal(examine(&ward, false, "feature-file"), row->want);
}

/* --- the table and the reports --- */

static const struct check_list *const lists[] = {&node_checks,  &iommu_checks,    &module_checks,
						 &sriov_checks, &function_checks, &cluster_checks};

static char *read_file(const char *path)
{
	auto_fclose FILE *file = fopen(path, "re");
	struct strbuf text = {0};
	char piece[4096];
	size_t len;

	assert_non_null(file);
	while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
		strbuf_add_bytes(&text, piece, len);
	return strbuf_take(&text);
}

static void check_readme(void **state)
{
	auto_free char *readme = read_file(SOURCE_DIR "/README.md");
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < lists[i]->n_rows; j++) {
			const struct check *check = &lists[i]->rows[j];
			char id[64];

			(void)snprintf(id, sizeof(id), "`%s`", check->id);
			if (!strstr(readme, id))
				fail_msg("the README does not have %s", id);
			assert_non_null(check->says[HEALTH_PASS]);
			for (size_t health = HEALTH_UNKNOWN; health < N_HEALTHS; health++)
				assert_int_equal(!check->says[health], !check->next[health]);
			n++;
		}
	}
	assert_true(n > 25);
}

/* What comes from outside may hold anything: a terminal shall not obey it. */
static void check_printable(void **state)
{
	CLEANUP(ward_close) struct ward ward = {0};
	CLEANUP(strbuf_clear) struct strbuf text = {0};
	auto_free char *json = NULL;

	(void)state;
	ward_open(&ward);
	ward.survey.node.state = SURVEY_FAILED;
	ward.survey.node.why = strdup("\033[2J no\nway");
	(void)examine(&ward, true, "nothing of this name");
	report_text(&ward.diagnosis, &text);
	json = report_json(&ward.diagnosis);
	assert_non_null(strstr(text.text, "?[2J no?way"));
	assert_non_null(strstr(json, "?[2J no?way"));
	assert_null(strchr(text.text, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_readme),
		cmocka_unit_test(check_printable),
	};

	return RUN_ROWS(cluster_rows, check_cluster) + RUN_ROWS(answer_rows, check_answer) +
	       RUN_ROWS(file_rows, check_file) + cmocka_run_group_tests(tests, NULL, NULL);
}
