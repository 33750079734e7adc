/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/doctor.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "doctor/check.h"
#include "inventory/devices.h"
#include "rules/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static const char *const health_names[N_HEALTHS] = {
	[HEALTH_PASS] = "pass",
	[HEALTH_UNKNOWN] = "unknown",
	[HEALTH_WARN] = "warn",
	[HEALTH_FAIL] = "fail",
};
static const struct check_list *const lists[] = {
	&node_checks,  &iommu_checks,    &module_checks,
	&sriov_checks, &function_checks, &cluster_checks,
};

const char *health_name(enum health health)
{
	return health_names[health];
}

/* --- what a check says --- */

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void add_evidence(struct finding *finding, struct evidence *evidence)
{
	struct evidence *grown = NULL;

	if (evidence->path && evidence->value)
		grown = reallocarray(finding->items, finding->n_items + 1, sizeof(*grown));
	if (!grown) {
		free(evidence->path);
		free(evidence->value);
		finding->failed = true;
		return;
	}
	make_printable(evidence->path);
	make_printable(evidence->value);
	grown[finding->n_items++] = *evidence;
	finding->items = grown;
	if (evidence->health > finding->health)
		finding->health = evidence->health;
}

void finding_add(struct finding *finding, enum health health, const char *value, const char *path,
		 ...)
{
	struct evidence evidence = {.health = health, .value = strdup(value)};
	va_list args;

	va_start(args, path);
	if (vasprintf(&evidence.path, path, args) < 0)
		evidence.path = NULL;
	va_end(args);
	add_evidence(finding, &evidence);
}

void finding_of(struct finding *finding, enum health health, const struct function *function,
		const char *file, const char *value)
{
	finding_add(finding, health, value, "/sys/bus/pci/devices/%s%s%s",
		    addr_text(function->addr).text, *file ? "/" : "", file);
}

const char *fact_shown(const struct fact *fact, const char *absent)
{
	return fact->state == FACT_ABSENT || !fact->text ? absent : fact->text;
}

struct number_text number_text(int64_t number)
{
	struct number_text text;

	(void)snprintf(text.text, sizeof(text.text), "%" PRId64, number);
	return text;
}

/* --- what the node is meant for --- */

static bool is_on(const struct function *gpu, const char *driver)
{
	return fact_is(&gpu->driver, driver);
}

static bool vf_on_vfio(const struct patient *patient, size_t i)
{
	const struct fact *driver = &patient->inventory->gpus[i].driver;

	return patient->verdict->parts[i].is_vf && fact_known(driver) &&
	       inventory_is_vfio(driver->text);
}

static bool on_gim(const struct patient *patient, size_t i)
{
	return is_on(&patient->inventory->gpus[i], "gim");
}

static bool on_vfio(const struct patient *patient, size_t i)
{
	const struct fact *driver = &patient->inventory->gpus[i].driver;

	return fact_known(driver) && inventory_is_vfio(driver->text);
}

static bool on_host_driver(const struct patient *patient, size_t i)
{
	const struct function *gpu = &patient->inventory->gpus[i];

	return is_on(gpu, "amdgpu") || is_on(gpu, "i915") || is_on(gpu, "xe");
}

/* The first row that is true of any GPU says it, where labels and the user do not. */
static const struct {
	bool (*is_so)(const struct patient *patient, size_t gpu);
	enum mode mode;
	const char *because;
} guesses[] = {
	/* clang-format off */
	{vf_on_vfio,     MODE_VF_PASSTHROUGH, "guessed: a VF is bound to a vfio driver; --mode says it"},
	{on_gim,         MODE_VF_PASSTHROUGH, "guessed: gim is bound to a PF; --mode says it"},
	{on_vfio,        MODE_PF_PASSTHROUGH, "guessed: a PF is bound to a vfio driver; --mode says it"},
	{on_host_driver, MODE_CONTAINER,      "guessed: a driver of the host has a GPU; --mode says it"},
	/* clang-format on */
};

static void guess(struct patient *patient, struct diagnosis *diagnosis)
{
	for (size_t row = 0; row < ARRAY_SIZE(guesses); row++) {
		for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
			if (!guesses[row].is_so(patient, i))
				continue;
			diagnosis->meant = guesses[row].mode;
			diagnosis->because = guesses[row].because;
			return;
		}
	}
	diagnosis->meant = MODE_PF_PASSTHROUGH;
	diagnosis->because = "guessed: no driver has a GPU yet; --mode says it";
}

/* Who loads gim wants VFs: that a driver of the host took them is what he has to be told. */
static bool has_gim(const struct patient *patient)
{
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		if (on_gim(patient, i))
			return true;
	}
	return false;
}

static void find_meant(struct patient *patient, struct diagnosis *diagnosis)
{
	diagnosis->meant = patient->meant;
	diagnosis->because = "asked for";
	if (patient->meant == MODE_NONE) {
		diagnosis->meant = patient->verdict->mode;
		diagnosis->because = "what the node serves now; --mode says otherwise";
	}
	if (diagnosis->meant == MODE_NONE ||
	    (diagnosis->meant == MODE_CONTAINER && patient->meant == MODE_NONE && has_gim(patient)))
		guess(patient, diagnosis);
	patient->meant = diagnosis->meant;
}

bool patient_wants(const struct patient *patient, size_t gpu)
{
	const struct part *part = &patient->verdict->parts[gpu];

	return !part->left_out && part->is_vf == (patient->meant == MODE_VF_PASSTHROUGH);
}

/* --- the round --- */

static void finding_clear(struct finding *finding)
{
	for (size_t i = 0; i < finding->n_items; i++) {
		free(finding->items[i].path);
		free(finding->items[i].value);
	}
	free(finding->items);
	*finding = (struct finding){0};
}

static void keep(struct diagnosis *diagnosis, const struct check *check, struct finding *finding)
{
	struct finding *grown =
		reallocarray(diagnosis->items, diagnosis->n_items + 1, sizeof(*grown));

	if (!grown) {
		diagnosis->failed = true;
		return;
	}
	finding->id = check->id;
	finding->says = check->says[finding->health];
	finding->next = check->next[finding->health];
	diagnosis->items = grown;
	diagnosis->count[finding->health]++;
	grown[diagnosis->n_items++] = *finding;
	*finding = (struct finding){0};
}

static void run_check(const struct patient *patient, const struct check *check,
		      struct diagnosis *diagnosis)
{
	CLEANUP(finding_clear) struct finding finding = {0};

	if (!(check->modes & FOR(patient->meant)))
		return;
	check->look(patient, &finding);
	diagnosis->failed |= finding.failed;
	if (finding.n_items > 0)
		keep(diagnosis, check, &finding);
}

/* --- what follows from what --- */

/* A check that fails, and one that explains it where it fails, too; the first such row counts. */
static const struct {
	const char *id, *of;
	bool same; /* only where each place that fails here fails there, too */
} consequences[] = {
	/* clang-format off */
	{"sriov",        "dead-function", false},
	{"reset-method", "dead-function", false},
	{"iommu-group",  "iommu", false},
	{"group-viable", "audio-sibling", true},
	{"vfs",          "gim", false},
	{"vfs",          "dead-function", false},
	{"vfs",          "sriov", false},
	{"vfs",          "bars", false},
	{"vfs-bound",    "iommu", false},
	{"vfs-bound",    "vfio", false},
	{"vfs-bound",    "vfio-pci", false},
	{"vfs-bound",    "amdgpu-blacklist", false},
	{"pfs-bound",    "iommu", false},
	{"pfs-bound",    "vfio", false},
	{"pfs-bound",    "vfio-pci", false},
	{"pfs-bound",    "amdgpu-blacklist", false},
	{"mode",         "gpus", false},
	{"mode",         "iommu", false},
	{"mode",         "iommu-group", false},
	{"mode",         "sriov", false},
	{"mode",         "vfs", false},
	{"mode",         "vfs-bound", false},
	{"mode",         "pfs-bound", false},
	/* clang-format on */
};

/* The finding of that check, where it failed. */
static const struct finding *failed(const struct diagnosis *diagnosis, const char *id)
{
	for (size_t i = 0; i < diagnosis->n_items; i++) {
		if (strcmp(diagnosis->items[i].id, id) == 0)
			return diagnosis->items[i].health == HEALTH_FAIL ? &diagnosis->items[i]
									 : NULL;
	}
	return NULL;
}

static bool has_failing(const struct finding *finding, const char *path)
{
	for (size_t i = 0; i < finding->n_items; i++) {
		if (finding->items[i].health == HEALTH_FAIL &&
		    strcmp(finding->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool covers(const struct finding *cause, const struct finding *consequence)
{
	for (size_t i = 0; i < consequence->n_items; i++) {
		if (consequence->items[i].health == HEALTH_FAIL &&
		    !has_failing(cause, consequence->items[i].path))
			return false;
	}
	return true;
}

/* The check whose failure explains that of id; NULL: none does. */
static const char *cause_of(const struct diagnosis *diagnosis, const char *id)
{
	const struct finding *finding = failed(diagnosis, id);

	for (size_t i = 0; finding && i < ARRAY_SIZE(consequences); i++) {
		const struct finding *cause = strcmp(consequences[i].id, id) == 0
						      ? failed(diagnosis, consequences[i].of)
						      : NULL;

		if (cause && (!consequences[i].same || covers(cause, finding)))
			return cause->id;
	}
	return NULL;
}

/* The one that nothing explains; NULL: id itself. */
static const char *root_of(const struct diagnosis *diagnosis, const char *id)
{
	const char *root = NULL;

	for (const char *cause = cause_of(diagnosis, id); cause; cause = cause_of(diagnosis, cause))
		root = cause;
	return root;
}

static void find_roots(struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->n_items; i++) {
		if (diagnosis->items[i].health == HEALTH_FAIL)
			diagnosis->items[i].follows = root_of(diagnosis, diagnosis->items[i].id);
	}
}

void doctor_examine(const struct patient *patient, struct diagnosis *ret)
{
	struct patient known = *patient;

	find_meant(&known, ret);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < lists[i]->n_rows; j++)
			run_check(&known, &lists[i]->rows[j], ret);
	}
	find_roots(ret);
}

void diagnosis_clear(struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->n_items; i++)
		finding_clear(&diagnosis->items[i]);
	free(diagnosis->items);
	*diagnosis = (struct diagnosis){0};
}
