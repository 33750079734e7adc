/* SPDX-License-Identifier: Apache-2.0 */
/* What the cluster knows of the node's GPUs, where one could be asked. */
#include "base/cleanup.h"
#include "doctor/check.h"
#include "inventory/devices.h"
#include "kube/survey.h"
#include "rules/rules.h"

#include <stdlib.h>
#include <string.h>

/* An answer that is not there: unknown, or what its absence is worth. True where it is known. */
static bool has_answer(const struct survey_answer *answer, struct finding *finding,
		       enum health absent, const char *what)
{
	if (answer->state == SURVEY_FAILED)
		finding_add(finding, HEALTH_UNKNOWN, answer->why, "%s", what);
	if (answer->state == SURVEY_ABSENT)
		finding_add(finding, absent, "there is none", "%s", what);
	return answer->state == SURVEY_KNOWN;
}

static void look_cluster(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;

	if (survey && has_answer(&survey->node, finding, HEALTH_FAIL, "the own Node"))
		finding_add(finding, HEALTH_PASS, survey->object.uid, "the own Node");
}

/* The functions that are handed over: bound to vfio, of the kind that is meant. */
static bool is_handed_over(const struct patient *patient, size_t i)
{
	return patient->verdict->parts[i].vfio && patient_wants(patient, i);
}

static const char *default_resource(uint16_t vendor)
{
	return vendor == VENDOR_AMD ? "amd.com/gpu" : "gpu.intel.com/vfio";
}

static const char *resource_of(const struct survey *survey, const struct function *gpu)
{
	const struct survey_permit *permit =
		survey_permit(survey, gpu->vendor, fact_id(&gpu->device));

	return permit && permit->resource[0] ? permit->resource : default_resource(gpu->vendor);
}

/* Has another function before this one the same? Each id and resource is told once. */
static bool told_before(const struct patient *patient, size_t i,
			bool (*same)(const struct patient *patient, size_t a, size_t b))
{
	for (size_t j = 0; j < i; j++) {
		if (is_handed_over(patient, j) && same(patient, i, j))
			return true;
	}
	return false;
}

static bool same_resource(const struct patient *patient, size_t a, size_t b)
{
	const struct function *gpus = patient->inventory->gpus;

	return strcmp(resource_of(patient->survey, &gpus[a]),
		      resource_of(patient->survey, &gpus[b])) == 0;
}

static bool same_id(const struct patient *patient, size_t a, size_t b)
{
	const struct function *gpus = patient->inventory->gpus;

	return gpus[a].vendor == gpus[b].vendor &&
	       fact_id(&gpus[a].device) == fact_id(&gpus[b].device);
}

static void look_advertised(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;

	if (!survey || survey->node.state != SURVEY_KNOWN)
		return;
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const char *resource = resource_of(survey, &patient->inventory->gpus[i]);
		const char *quantity = survey_quantity(survey, resource);
		/* without KubeVirt's CR the name of the resource is a guess */
		const enum health missing = survey->kubevirt.state == SURVEY_FAILED && !quantity
						    ? HEALTH_UNKNOWN
						    : HEALTH_FAIL;

		if (!is_handed_over(patient, i) || told_before(patient, i, same_resource))
			continue;
		finding_add(finding,
			    quantity && strtoul(quantity, NULL, 10) > 0 ? HEALTH_PASS : missing,
			    quantity ? quantity : "not advertised",
			    "the Node's status.allocatable: %s", resource);
	}
}

static void look_gate(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;
	bool has = false;

	if (!survey || !has_answer(&survey->kubevirt, finding, HEALTH_WARN, "KubeVirt's CR"))
		return;
	for (size_t i = 0; i < survey->n_gates; i++)
		has |= strcmp(survey->gates[i], "HostDevices") == 0;
	finding_add(finding, has ? HEALTH_PASS : HEALTH_FAIL,
		    has ? "HostDevices" : "no HostDevices",
		    "%s: spec.configuration.developerConfiguration.featureGates",
		    survey->kubevirt_name);
}

static void look_permitted(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;

	if (!survey || survey->kubevirt.state != SURVEY_KNOWN)
		return;
	for (size_t i = 0; i < patient->inventory->n_gpus; i++) {
		const struct function *gpu = &patient->inventory->gpus[i];
		const struct survey_permit *permit =
			survey_permit(survey, gpu->vendor, fact_id(&gpu->device));

		if (!is_handed_over(patient, i) || told_before(patient, i, same_id))
			continue;
		finding_add(finding, permit ? HEALTH_PASS : HEALTH_FAIL,
			    permit ? permit->resource : "there is no entry",
			    "%s: spec.configuration.permittedHostDevices.pciHostDevices: %04X:%04X",
			    survey->kubevirt_name, gpu->vendor, fact_id(&gpu->device));
	}
}

static void look_rights(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;

	if (survey && has_answer(&survey->rights, finding, HEALTH_UNKNOWN, "our rights"))
		finding_add(finding, survey->may ? HEALTH_PASS : HEALTH_FAIL,
			    survey->may ? "allowed" : "not allowed", "our rights: %s",
			    survey->rights_on);
}

static void look_policy(const struct patient *patient, struct finding *finding)
{
	static const char kinds[2][32] = {"ValidatingAdmissionPolicy", "its binding"};
	const struct survey *survey = patient->survey;

	if (!survey)
		return;
	if (has_answer(&survey->policy, finding, HEALTH_WARN, kinds[0]))
		finding_add(finding, HEALTH_PASS, survey->policy_name, "%s", kinds[0]);
	if (has_answer(&survey->binding, finding, HEALTH_WARN, kinds[1]))
		finding_add(finding, HEALTH_PASS, survey->policy_name, "%s", kinds[1]);
}

static void look_nfd(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;

	if (!survey || survey->nfd.state == SURVEY_NOT_ASKED)
		return;
	if (survey->has_nfd_mark) {
		finding_add(finding, HEALTH_PASS, "nfd.node.kubernetes.io/...",
			    "the Node's annotations");
		return;
	}
	if (has_answer(&survey->nfd, finding, HEALTH_FAIL, "/apis/nfd.k8s-sigs.io/v1alpha1"))
		finding_add(finding, HEALTH_WARN,
			    "served, but NFD's master has not marked the Node yet",
			    "/apis/nfd.k8s-sigs.io/v1alpha1");
}

/* Does the file have the line, whole? */
static bool has_line(const char *text, const struct label *label)
{
	const size_t key = strlen(label->key);
	const size_t value = strlen(label->value);

	for (const char *line = text; *line; line += line[strcspn(line, "\n")] == '\n') {
		const size_t len = strcspn(line, "\n");

		if (len == key + 1 + value && strncmp(line, label->key, key) == 0 &&
		    line[key] == '=' && strncmp(line + key + 1, label->value, value) == 0)
			return true;
		line += len;
	}
	return false;
}

static void look_feature_file(const struct patient *patient, struct finding *finding)
{
	const struct feature_file_facts *file = patient->feature_file;
	const struct labels *labels = &patient->verdict->labels;

	if (!file || labels->n_items == 0)
		return;
	if (!fact_known(&file->text)) {
		const bool missing = file->has_dir && file->text.state == FACT_ABSENT;

		finding_add(finding, missing ? HEALTH_WARN : HEALTH_UNKNOWN,
			    fact_shown(&file->text,
				       missing ? "there is no such file" : "no such directory"),
			    "%s", file->path);
		return;
	}
	for (size_t i = 0; i < labels->n_items; i++) {
		const struct label *label = &labels->items[i];
		const bool there = has_line(file->text.text, label);

		finding_add(finding, there ? HEALTH_PASS : HEALTH_FAIL,
			    there ? label->value : "not as it should be", "%s: %s", file->path,
			    label->key);
	}
}

/* Does the Node carry what the scan says now? It is the end of the way, whichever output. */
static void look_labels(const struct patient *patient, struct finding *finding)
{
	const struct survey *survey = patient->survey;
	const struct labels *labels = &patient->verdict->labels;

	if (!survey || survey->node.state != SURVEY_KNOWN)
		return;
	for (size_t i = 0; i < labels->n_items; i++) {
		const struct kube_label *label =
			kube_object_label(&survey->object, labels->items[i].key);
		const bool same = label && strcmp(label->value, labels->items[i].value) == 0;

		finding_add(finding, same ? HEALTH_PASS : HEALTH_FAIL,
			    label ? label->value : "not on the Node", "%s", labels->items[i].key);
	}
}

static const struct check rows[] = {
	{
		"cluster",
		FOR_ALL,
		look_cluster,
		{[HEALTH_PASS] = "the cluster knows the node",
		 [HEALTH_UNKNOWN] = "the cluster could not be asked",
		 [HEALTH_FAIL] = "the cluster has no Node of this name"},
		{[HEALTH_UNKNOWN] = "give --kubeconfig and --node-name, or run it in a pod of the "
				    "agent",
		 [HEALTH_FAIL] = "set --node-name or NODE_NAME to what kubectl get nodes shows"},
	},
	{
		"allocatable",
		FOR_VMS,
		look_advertised,
		{[HEALTH_PASS] = "the Node advertises the functions that are on vfio",
		 [HEALTH_UNKNOWN] =
			 "whether the Node advertises them cannot be told: KubeVirt's CR, "
			 "which names the resource, cannot be read",
		 [HEALTH_FAIL] = "functions are on vfio, but the Node does not advertise them"},
		{[HEALTH_UNKNOWN] = "give a --kubeconfig that may read KubeVirt's CR",
		 [HEALTH_FAIL] = "is the device plugin running on this node, and was it started "
				 "after the functions were bound? Restart its pod, or virt-handler "
				 "where KubeVirt itself provides the resource"},
	},
	{
		"kubevirt-gate",
		FOR_VMS,
		look_gate,
		{[HEALTH_PASS] = "KubeVirt's gate HostDevices is on",
		 [HEALTH_UNKNOWN] = "KubeVirt's CR cannot be read from here",
		 [HEALTH_WARN] = "the cluster has no KubeVirt",
		 [HEALTH_FAIL] = "KubeVirt's gate HostDevices is off: no VM may have a GPU"},
		{[HEALTH_UNKNOWN] = "ask with a kubeconfig that may read kubevirts.kubevirt.io",
		 [HEALTH_WARN] = "right where something else starts the VMs; otherwise install it",
		 [HEALTH_FAIL] = "add HostDevices to spec.configuration.developerConfiguration."
				 "featureGates of the KubeVirt CR: gpu-labeler kubevirt prints it"},
	},
	{
		"kubevirt-permitted",
		FOR_VMS,
		look_permitted,
		{[HEALTH_PASS] = "KubeVirt permits each id that is on vfio",
		 [HEALTH_FAIL] = "KubeVirt's CR does not permit an id that is on vfio"},
		{[HEALTH_FAIL] = "add the entry that gpu-labeler kubevirt prints"},
	},
	{
		"rbac",
		FOR_ALL,
		look_rights,
		{[HEALTH_PASS] = "we have the rights to publish",
		 [HEALTH_UNKNOWN] = "our rights could not be asked for",
		 [HEALTH_FAIL] = "we have no right to publish"},
		{[HEALTH_UNKNOWN] = "kubectl auth can-i tells it",
		 [HEALTH_FAIL] = "apply deploy/kustomize/overlays; ask with the agent's own "
				 "credentials, not with others"},
	},
	{
		"policy",
		FOR_ALL,
		look_policy,
		{[HEALTH_PASS] = "a policy keeps the agent to its own labels of its own Node",
		 [HEALTH_UNKNOWN] = "whether a policy guards the agent's rights cannot be read",
		 [HEALTH_WARN] = "no policy keeps the agent to its own Node: its rights are wider"},
		{[HEALTH_UNKNOWN] = "ask with a kubeconfig that may read "
				    "validatingadmissionpolicies",
		 [HEALTH_WARN] = "apply policy.yaml of deploy/kustomize/overlays (Kubernetes 1.30 "
				 "or newer)"},
	},
	{
		"nfd",
		FOR_ALL,
		look_nfd,
		{[HEALTH_PASS] = "NFD looks after the Node",
		 [HEALTH_UNKNOWN] = "whether there is an NFD could not be asked",
		 [HEALTH_WARN] = "NFD is installed, but does not look after this Node yet",
		 [HEALTH_FAIL] = "there is no NFD, and the labels need it"},
		{[HEALTH_UNKNOWN] = "kubectl get pods -A | grep nfd tells it",
		 [HEALTH_WARN] = "does NFD's worker run on this node? Look at its log",
		 [HEALTH_FAIL] = "install NFD, or publish with --output node"},
	},
	{
		"feature-file",
		FOR_ALL,
		look_feature_file,
		{[HEALTH_PASS] = "NFD's feature file says what follows from what the node has",
		 [HEALTH_UNKNOWN] = "NFD's feature file cannot be seen from here",
		 [HEALTH_WARN] = "there is no feature file",
		 [HEALTH_FAIL] = "the feature file says something else"},
		{[HEALTH_UNKNOWN] = "run it where the host's features.d is mounted, or set "
				    "--features-dir",
		 [HEALTH_WARN] = "is the agent running? systemctl status gpu-labeler",
		 [HEALTH_FAIL] = "is the agent running, and with the same settings as these?"},
	},
	{
		"node-labels",
		FOR_ALL,
		look_labels,
		{[HEALTH_PASS] = "the Node carries the labels that follow from what it has",
		 [HEALTH_FAIL] = "the Node does not carry a label that follows from what it has"},
		{[HEALTH_FAIL] = "is the agent running? With --output file NFD's worker must see "
				 "the feature file: does it mount features.d, and is its source "
				 "'local' on?"},
	},
};
const struct check_list cluster_checks = {rows, ARRAY_SIZE(rows)};
