/* SPDX-License-Identifier: Apache-2.0 */
#include "output/kubevirt.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "kube/survey.h"
#include "rules/rules.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

static const char api_version[] = "kubevirt.io/v1";

struct text {
	char text[64];
};

/* --- what there is --- */

static struct kubevirt_device *device_of(struct kubevirt_devices *devices,
					 const struct function *gpu)
{
	struct kubevirt_device *grown;

	for (size_t i = 0; i < devices->n_items; i++) {
		struct kubevirt_device *device = &devices->items[i];

		if (device->vendor == gpu->vendor && device->device == fact_id(&gpu->device))
			return device;
	}
	grown = reallocarray(devices->items, devices->n_items + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	devices->items = grown;
	grown[devices->n_items] = (struct kubevirt_device){
		.vendor = gpu->vendor,
		.device = fact_id(&gpu->device),
		.pci_class = gpu->pci_class,
	};
	return &grown[devices->n_items++];
}

int kubevirt_find(const struct inventory *inventory, const struct verdict *verdict,
		  struct kubevirt_devices *ret, struct err *err)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *gpu = &inventory->gpus[i];
		struct kubevirt_device *device;

		if (!verdict->parts[i].vfio || !fact_known(&gpu->device))
			continue;
		device = device_of(ret, gpu);
		if (!device)
			return err_set(err, -ENOMEM, "out of memory for the devices");
		device->verdict = verdict;
		device->pf |= !verdict->parts[i].is_vf;
		device->vf |= verdict->parts[i].is_vf;
		device->on_variant |= !fact_is(&gpu->driver, "vfio-pci");
	}
	return 0;
}

void kubevirt_devices_clear(struct kubevirt_devices *devices)
{
	free(devices->items);
	*devices = (struct kubevirt_devices){0};
}

/* --- names --- */

static struct text selector_of(const struct kubevirt_device *device)
{
	struct text text;

	(void)snprintf(text.text, sizeof(text.text), "%04X:%04X", device->vendor, device->device);
	return text;
}

/* The vendors' plugins have one resource for all ids; KubeVirt's own has one for each. */
static struct text resource_of(const struct kubevirt_device *device, bool own_plugin)
{
	const char *base = device->vendor == VENDOR_AMD ? "amd.com/gpu" : "gpu.intel.com/vfio";
	struct text text;

	if (own_plugin)
		(void)snprintf(text.text, sizeof(text.text), "%s-%04x", base, device->device);
	else
		(void)snprintf(text.text, sizeof(text.text), "%s", base);
	return text;
}

/* --- JSON --- */

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

static struct json_object *add_object(struct json_object *parent, const char *name)
{
	struct json_object *value = json_object_new_object();

	json_object_object_add(parent, name, value);
	return value;
}

static struct json_object *add_array(struct json_object *parent, const char *name)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(parent, name, array);
	return array;
}

static struct json_object *append_object(struct json_object *array)
{
	struct json_object *value = json_object_new_object();

	json_object_array_add(array, value);
	return value;
}

static struct json_object *new_of_kind(struct json_object *items, const char *kind)
{
	struct json_object *object = append_object(items);

	add_text(object, "apiVersion", api_version);
	add_text(object, "kind", kind);
	return object;
}

/* --- the CR --- */

static void add_permit(struct json_object *list, const char *selector, const char *resource,
		       bool external)
{
	struct json_object *entry = append_object(list);

	add_text(entry, "pciVendorSelector", selector);
	add_text(entry, "resourceName", resource);
	if (external)
		json_object_object_add(entry, "externalResourceProvider",
				       json_object_new_boolean(true));
}

/* A merge patch takes the place of a whole list, so it must hold what is there already. */
static void add_kept(struct json_object *gates, struct json_object *permits,
		     const struct survey *survey)
{
	for (size_t i = 0; i < survey->n_gates; i++) {
		if (strcmp(survey->gates[i], "HostDevices") != 0)
			json_object_array_add(gates, json_object_new_string(survey->gates[i]));
	}
	for (size_t i = 0; i < survey->n_permits; i++) {
		const struct survey_permit *permit = &survey->permits[i];

		add_permit(permits, permit->selector, permit->resource, permit->external);
	}
}

static void add_configuration(struct json_object *object, const struct kubevirt_devices *devices,
			      const struct kubevirt_wish *wish)
{
	struct json_object *configuration = add_object(add_object(object, "spec"), "configuration");
	struct json_object *gates =
		add_array(add_object(configuration, "developerConfiguration"), "featureGates");
	struct json_object *permits =
		add_array(add_object(configuration, "permittedHostDevices"), "pciHostDevices");

	if (wish->survey)
		add_kept(gates, permits, wish->survey);
	json_object_array_add(gates, json_object_new_string("HostDevices"));
	for (size_t i = 0; i < devices->n_items; i++) {
		const struct kubevirt_device *device = &devices->items[i];

		/* somebody's VMs may ask for the resource that it has there */
		if (wish->survey && survey_permit(wish->survey, device->vendor, device->device))
			continue;
		add_permit(permits, selector_of(device).text,
			   resource_of(device, wish->own_plugin).text, !wish->own_plugin);
	}
}

/* --- the VM --- */

/* Labels of this node that no other kind of node has; nothing is made up here. */
static void add_selector(struct json_object *spec, const struct kubevirt_device *device)
{
	const struct labels *labels = &device->verdict->labels;
	struct json_object *selector = add_object(spec, "nodeSelector");
	const bool amd = device->vendor == VENDOR_AMD;
	const struct label *mode = labels_find(labels, "amd.com/gpu.mode");
	char keys[2][96]; /* an AMD id may have 0x before it */

	if (amd && mode)
		add_text(selector, mode->key, mode->value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (amd)
			(void)snprintf(keys[i], sizeof(keys[i]),
				       "amd.com/gpu.vfio.device-id.%s%04x.present", i ? "0x" : "",
				       device->device);
		else
			(void)snprintf(keys[i], sizeof(keys[i]),
				       "gpu.intel.com/vfio.device-id.%04x-%04x.present",
				       device->pci_class, device->device);
		if (labels_find(labels, keys[i])) {
			add_text(selector, keys[i], "true");
			return;
		}
	}
}

static void add_disk(struct json_object *spec, struct json_object *devices)
{
	struct json_object *disk = append_object(add_array(devices, "disks"));
	struct json_object *volume = append_object(add_array(spec, "volumes"));

	add_text(disk, "name", "root");
	add_text(add_object(disk, "disk"), "bus", "virtio");
	add_text(volume, "name", "root");
	add_text(add_object(volume, "containerDisk"), "image",
		 "quay.io/containerdisks/ubuntu:24.04");
}

static void add_vm(struct json_object *items, const struct kubevirt_device *device,
		   const struct kubevirt_wish *wish)
{
	struct json_object *vm = new_of_kind(items, "VirtualMachine");
	struct json_object *metadata = add_object(vm, "metadata");
	struct json_object *spec = add_object(vm, "spec");
	struct json_object *inner;
	struct json_object *domain;
	struct json_object *devices;
	struct json_object *entry;
	char name[32];

	(void)snprintf(name, sizeof(name), "gpu-vm-%04x", device->device);
	add_text(metadata, "name", name);
	add_text(spec, "runStrategy", "RerunOnFailure");
	inner = add_object(add_object(spec, "template"), "spec");
	add_selector(inner, device);
	domain = add_object(inner, "domain");
	json_object_object_add(add_object(domain, "cpu"), "cores", json_object_new_int(4));
	add_text(add_object(domain, "memory"), "guest", "16Gi");
	devices = add_object(domain, "devices");
	entry = append_object(add_array(devices, wish->as_gpus ? "gpus" : "hostDevices"));
	add_text(entry, "name", "gpu1");
	add_text(entry, "deviceName", resource_of(device, wish->own_plugin).text);
	add_disk(inner, devices);
}

/* --- all of it --- */

static char *text_of(struct json_object *root)
{
	const char *text = json_object_to_json_string_ext(
		root,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy = text ? strdup(text) : NULL;

	json_object_put(root);
	return copy;
}

char *kubevirt_manifests(const struct kubevirt_devices *devices, const struct kubevirt_wish *wish)
{
	struct json_object *root = json_object_new_object();
	struct json_object *items;
	struct json_object *cr;
	struct json_object *metadata;

	add_text(root, "apiVersion", "v1");
	add_text(root, "kind", "List");
	items = add_array(root, "items");
	cr = new_of_kind(items, "KubeVirt");
	metadata = add_object(cr, "metadata");
	add_text(metadata, "name", "kubevirt");
	add_text(metadata, "namespace", "kubevirt");
	add_configuration(cr, devices, wish);
	for (size_t i = 0; i < devices->n_items; i++)
		add_vm(items, &devices->items[i], wish);
	return text_of(root);
}

char *kubevirt_patch(const struct kubevirt_devices *devices, const struct kubevirt_wish *wish)
{
	struct json_object *root = json_object_new_object();

	add_configuration(root, devices, wish);
	return text_of(root);
}
