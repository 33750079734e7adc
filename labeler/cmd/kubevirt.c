/* SPDX-License-Identifier: Apache-2.0 */
/* kubevirt: prints what KubeVirt must be told so that VMs get this node's GPUs. */
#include "output/kubevirt.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "cmd/source.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "kube/survey.h"

#include <errno.h>
#include <string.h>

struct request {
	struct source source;
	struct kubevirt_wish wish;
	bool json, patch;
};

/* What is read, and what follows. */
struct node {
	struct inventory inventory;
	struct verdict verdict;
	struct kubevirt_devices devices;
};

static void node_clear(struct node *node)
{
	kubevirt_devices_clear(&node->devices);
	verdict_clear(&node->verdict);
	inventory_clear(&node->inventory);
}

static void show_note(const struct kubevirt_device *device, const char *text)
{
	(void)fprintf(stderr, PROGRAM ": kubevirt: %04x:%04x: %s\n", device->vendor, device->device,
		      text);
}

/* Has another id the resource of this vendor too? */
static bool shares_resource(const struct kubevirt_devices *devices, size_t i)
{
	for (size_t j = 0; j < devices->n_items; j++) {
		if (j != i && devices->items[j].vendor == devices->items[i].vendor)
			return true;
	}
	return false;
}

/* Could a VM start with one of these now? The labels count per vendor. */
static bool is_viable(const struct kubevirt_device *device)
{
	const struct label *viable = labels_find(
		&device->verdict->labels, device->vendor == VENDOR_AMD
						  ? "amd.com/gpu.vfio.iommu-groups-viable"
						  : "gpu.intel.com/vfio.iommu-groups-viable");

	return viable && strcmp(viable->value, "0") != 0;
}

/* What the manifests cannot say. */
static void show_notes(const struct kubevirt_devices *devices, const struct request *request)
{
	for (size_t i = 0; i < devices->n_items; i++) {
		const struct kubevirt_device *device = &devices->items[i];
		const struct survey_permit *permit =
			request->wish.survey ? survey_permit(request->wish.survey, device->vendor,
							     device->device)
					     : NULL;

		if (permit)
			(void)fprintf(stderr,
				      PROGRAM ": kubevirt: %04x:%04x: stays the resource %s, which "
					      "the cluster has for it\n",
				      device->vendor, device->device, permit->resource);
		if (!is_viable(device))
			show_note(device, "no VM could start with it now: its IOMMU groups are "
					  "not viable: gpu-labeler doctor says why");
		if (device->pf && device->vf)
			show_note(device, "PFs and VFs share this id, so the entry permits both");
		if (!request->wish.own_plugin && shares_resource(devices, i))
			show_note(device, "another id of this node has the same resource, and a VM "
					  "gets either: --provider kubevirt gives each its own");
		if (device->on_variant && request->wish.own_plugin)
			show_note(device, "KubeVirt's own plugin takes functions on vfio-pci "
					  "alone, and one is on a variant of it");
	}
	if (request->patch && !request->wish.survey)
		(void)fprintf(stderr, PROGRAM ": kubevirt: the patch takes the place of "
					      "featureGates and pciHostDevices: give --kubeconfig "
					      "to keep what the cluster has in them\n");
}

static int show(const struct kubevirt_devices *devices, const struct request *request,
		struct err *err)
{
	auto_free char *json = request->patch ? kubevirt_patch(devices, &request->wish)
					      : kubevirt_manifests(devices, &request->wish);
	CLEANUP(strbuf_clear) struct strbuf yaml = {0};

	if (!json || (!request->json && kubevirt_to_yaml(json, &yaml) < 0))
		return err_set(err, -ENOMEM, "out of memory for the manifests");
	(void)fputs(request->json ? json : yaml.text, stdout);
	if (request->json)
		(void)putchar('\n');
	return cmd_flush(err);
}

/* The lists that a patch must keep, where the cluster can be asked for them. */
static int read_cluster(const struct config *config, const struct request *request,
			struct survey *survey, struct err *err)
{
	if (!request->patch || !config->kubeconfig)
		return 0;
	return cluster_kubevirt(config, survey, err);
}

static int find_devices(const struct config *config, const struct request *request,
			struct node *node, struct err *err)
{
	int r = source_read(&request->source, config, &node->inventory, err);

	if (r == 0)
		r = rules_apply(&node->inventory, &config->rules, &node->verdict, err);
	if (r == 0)
		r = kubevirt_find(&node->inventory, &node->verdict, &node->devices, err);
	if (r == 0 && node->devices.n_items == 0)
		r = err_set(err, -ENODEV,
			    "no GPU function of this node can be handed to a VM now: "
			    "gpu-labeler doctor says why");
	return r;
}

static enum cmd_exit kubevirt(const struct config *config, const struct request *request)
{
	CLEANUP(node_clear) struct node node = {0};
	CLEANUP(survey_clear) struct survey survey = {0};
	struct request asked = *request;
	struct err err;
	int r = find_devices(config, request, &node, &err);

	if (r == 0)
		r = read_cluster(config, request, &survey, &err);
	if (r < 0)
		return cmd_end(r, &err);
	asked.wish.survey = survey.kubevirt.state == SURVEY_NOT_ASKED ? NULL : &survey;
	show_notes(&node.devices, &asked);
	return cmd_end(show(&node.devices, &asked, &err), &err);
}

/* One of two words; false where it is neither. */
static bool choose(const char *word, const char *no, const char *yes, bool *ret)
{
	*ret = strcmp(word, yes) == 0;
	return *ret || strcmp(word, no) == 0;
}

static enum cmd_exit run(int argc, char **argv)
{
	const char *format = "yaml";
	const char *provider = "plugin";
	const char *as = "hostDevices";
	const char *patch = NULL;
	struct request request = {0};
	const struct cmd_option options[] = {
		SOURCE_INVENTORY(&request.source),
		SOURCE_CAPTURE(&request.source),
		{"format", "FORMAT", "yaml (default) or json", &format},
		{"patch", NULL, "a merge patch of KubeVirt's CR alone", &patch},
		{"provider", "WHO", "plugin (default) or kubevirt: has the resource", &provider},
		{"as", "LIST", "hostDevices (default) or gpus: where the VM asks", &as},
	};
	const struct cmd_usage usage = {
		.command = &cmd_kubevirt,
		.about = "Prints what KubeVirt must be told so that VMs get what this node can "
			 "hand over:\nthe fragment of its CR, and for each id a VM that asks for "
			 "one. Changes nothing.\nWith --kubeconfig a patch keeps what the CR has.",
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
	if (!choose(format, "yaml", "json", &request.json))
		return cmd_bad_usage(&cmd_kubevirt, "--format: is neither yaml nor json");
	if (!choose(provider, "plugin", "kubevirt", &request.wish.own_plugin))
		return cmd_bad_usage(&cmd_kubevirt, "--provider: is neither plugin nor kubevirt");
	if (!choose(as, "hostDevices", "gpus", &request.wish.as_gpus))
		return cmd_bad_usage(&cmd_kubevirt, "--as: is neither hostDevices nor gpus");
	request.patch = patch;
	if (!source_check(&request.source, &line.config, &err))
		return cmd_bad_usage(&cmd_kubevirt, err.text);
	if (source_open(&request.source, &line.config, &err) < 0)
		return cmd_end(-1, &err);
	end = kubevirt(&line.config, &request);
	source_close(&request.source);
	return end;
}

const struct command cmd_kubevirt = {
	"kubevirt", "print KubeVirt's permittedHostDevices and a VM for this node", run};
