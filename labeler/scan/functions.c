/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/functions.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/devices.h"
#include "inventory/groups.h"
#include "scan/host.h"
#include "scan/pci.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DEVICES "bus/pci/devices"

/* A function that is no GPU, kept until it is known whose IOMMU group matters. */
struct bystander {
	struct addr addr;
	struct identity identity; /* device 0: it could not be read */
};

struct bus_scan {
	const struct host *host;
	struct pci_access *access;
	const struct device_table *devices;
	struct inventory *inventory;
	struct bystander *bystanders; /* owned */
	size_t n_bystanders;
	struct groups groups; /* of the GPUs */
	struct err *err;
};

static void bus_scan_clear(struct bus_scan *scan)
{
	free(scan->bystanders);
	groups_clear(&scan->groups);
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory for the functions of the PCI bus");
}

/* "addr: what: left out", as a problem of that function. */
static int leave_out(struct bus_scan *scan, struct addr addr, const char *what)
{
	struct err line;

	err_set(&line, 0, "%s: %s: the function is left out", addr_text(addr).text, what);
	if (inventory_add_problem(scan->inventory, &addr, line.text))
		return out_of_memory(scan->err);
	return 0;
}

/*
 * An attribute of the form 0x and that many hex digits, as the kernel always writes it. Where it is
 * anything else *why says what.
 */
static bool read_hex(int devices_fd, struct addr addr, const char *name, size_t digits,
		     uint32_t *ret, struct err *why)
{
	char path[64];
	char text[HOST_TEXT];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", addr_text(addr).text, name);
	r = host_read(devices_fd, path, text, sizeof(text));
	if (r == HOST_ABSENT)
		r = -ENOENT;
	if (r < 0) {
		err_set(why, 0, "%s: %s", name, host_reason(r));
		return false;
	}
	if (strlen(text) != digits + 2 || strncmp(text, "0x", 2) != 0 ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != digits) {
		err_set(why, 0, "%s holds \"%.40s\", not 0x and %zu hex digits", name, text,
			digits);
		return false;
	}
	*ret = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

/*
 * libpci reads an empty, cut or garbled file as a small number without a word. Numbers that hardly
 * any hardware has are looked at again, so that the usual function costs no further open.
 */
static bool looks_cut(const struct device_table *devices, const struct identity *id)
{
	if (!devices_vendor_has_gpus(id->vendor))
		return id->vendor < 0x1000;
	if (id->device == 0 || id->pci_class < 0x100)
		return true;
	return id->device < 0x1000 &&
	       devices_is_gpu(devices, id->vendor, id->device, id->pci_class) &&
	       !devices_find(devices, id->vendor, id->device);
}

/*
 * The identity once more, strictly and by ourselves, where libpci failed or read something odd.
 * Without its device id a function still is what its vendor and class say: the id is 0 then, and
 * *why says why. False where it is not even known whether it is a GPU.
 */
static bool look_closer(int devices_fd, struct addr addr, struct identity *ret, struct err *why)
{
	uint32_t vendor;
	uint32_t device = 0;
	uint32_t pci_class = 0;

	if (!read_hex(devices_fd, addr, "vendor", 4, &vendor, why))
		return false;
	if (devices_vendor_has_gpus((uint16_t)vendor) &&
	    !read_hex(devices_fd, addr, "class", 6, &pci_class, why))
		return false;
	if (!read_hex(devices_fd, addr, "device", 4, &device, why))
		device = 0;
	*ret = (struct identity){(uint16_t)vendor, (uint16_t)device, (uint16_t)(pci_class >> 8)};
	return true;
}

static int set_device(struct function *function, uint16_t device, const char *why)
{
	if (device) {
		function->device.state = FACT_KNOWN;
		function->device.number = device;
		return 0;
	}
	function->device.text = strdup(why);
	function->device.state = FACT_FAILED;
	return function->device.text ? 0 : -ENOMEM;
}

static int add_vf(struct function *pf, struct addr addr)
{
	struct addr *grown = reallocarray(pf->vfs, pf->n_vfs + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[pf->n_vfs++] = addr;
	pf->vfs = grown;
	return 0;
}

/* One entry of a PF's directory: virtfn<N> names a VF, all else is nothing. */
static int read_vf_link(int dir, const char *name, struct function *pf)
{
	struct fact link = {0};
	int r;

	if (strncmp(name, "virtfn", strlen("virtfn")) != 0)
		return 0;
	r = host_link_addr(dir, name, &link);
	if (r < 0)
		return r;
	if (fact_known(&link))
		return add_vf(pf, link.addr);
	if (link.state == FACT_FAILED && pf->vf_links.state != FACT_FAILED)
		SWAP(pf->vf_links, link);
	fact_clear(&link);
	return 0;
}

static int read_vf_links(int dir, struct function *pf)
{
	auto_closedir DIR *list = host_list(dir, ".");
	const struct dirent *entry;

	if (!list) {
		pf->vf_links.text = strdup(strerror(errno));
		pf->vf_links.state = FACT_FAILED;
		return pf->vf_links.text ? 0 : -ENOMEM;
	}
	while ((entry = readdir(list))) {
		const int r = read_vf_link(dir, entry->d_name, pf);

		if (r < 0)
			return r;
	}
	if (pf->n_vfs > 1)
		qsort(pf->vfs, pf->n_vfs, sizeof(*pf->vfs), addr_order);
	return 0;
}

/* Which attribute goes where: the files of a GPU function that hold a number. */
static const struct {
	const char *name;
	size_t field;
	bool of_pf; /* a VF has none: not even looked for */
	struct host_range range;
} numbers[] = {
	/* clang-format off */
	{"numa_node",       offsetof(struct function, numa_node), false, {10, -1, INT32_MAX}},
	{"sriov_totalvfs",  offsetof(struct function, totalvfs),  true,  {10, 0, UINT16_MAX}},
	{"sriov_vf_device", offsetof(struct function, vf_device), true,  {16, 0, UINT16_MAX}},
	/* clang-format on */
};

static int read_numbers(int dir, struct function *function)
{
	const bool is_vf = fact_known(&function->physfn);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct fact *fact = (struct fact *)((char *)function + numbers[i].field);
		int r;

		if (is_vf && numbers[i].of_pf)
			continue;
		r = host_number(dir, numbers[i].name, numbers[i].range, fact);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The one attribute whose reading may take a second: only where the rules cannot do without. */
static int read_numvfs(int dir, struct function *pf)
{
	const struct host_range range = {10, 0, UINT16_MAX};

	if (pf->vendor != VENDOR_INTEL || pf->n_vfs > 0 || !fact_known(&pf->driver) ||
	    !inventory_is_vfio(pf->driver.text))
		return 0;
	return host_number(dir, "sriov_numvfs", range, &pf->numvfs);
}

/* All facts of a GPU function, whose directory dir is. Returns 0 or -ENOMEM. */
static int read_gpu(int dir, struct function *gpu)
{
	int r;

	r = host_link_text(dir, "driver", "drivers", &gpu->driver);
	if (r == 0)
		r = host_link_number(dir, "iommu_group", "iommu_groups", &gpu->iommu_group);
	if (r == 0)
		r = host_link_addr(dir, "physfn", &gpu->physfn);
	if (r == 0)
		r = read_numbers(dir, gpu);
	if (r == 0 && !fact_known(&gpu->physfn))
		r = read_vf_links(dir, gpu);
	if (r == 0 && !fact_known(&gpu->physfn))
		r = read_numvfs(dir, gpu);
	return r;
}

static int add_gpu(struct bus_scan *scan, int devices_fd, struct addr addr,
		   const struct identity *id, const struct err *why)
{
	CLEANUP(function_clear)
	struct function gpu = {
		.addr = addr,
		.vendor = id->vendor,
		.pci_class = id->pci_class,
	};

	auto_close int dir = openat(devices_fd, addr_text(addr).text, O_PATH | O_CLOEXEC);

	if (dir < 0)
		return leave_out(scan, addr, strerror(errno));
	if (set_device(&gpu, id->device, why->text) || read_gpu(dir, &gpu))
		return out_of_memory(scan->err);
	/* Attributes of a function that went away meanwhile read as absent. */
	if (faccessat(devices_fd, addr_text(addr).text, F_OK, 0) != 0)
		return leave_out(scan, addr, "it vanished while it was read");
	if (fact_known(&gpu.iommu_group))
		groups_add(&scan->groups, gpu.iommu_group.number);
	if (inventory_add_gpu(scan->inventory, &gpu))
		return out_of_memory(scan->err);
	return 0;
}

static int add_bystander(struct bus_scan *scan, struct addr addr, const struct identity *id)
{
	struct bystander *grown =
		reallocarray(scan->bystanders, scan->n_bystanders + 1, sizeof(*grown));

	if (!grown)
		return out_of_memory(scan->err);
	grown[scan->n_bystanders++] = (struct bystander){addr, *id};
	scan->bystanders = grown;
	return 0;
}

/* libpci reads by itself: what it reads of a function is shown to who watches the door. */
static void show_identity(int devices_fd, struct addr addr, bool with_class)
{
	static const char *const names[] = {"vendor", "device", "class"};
	char path[64];
	char text[HOST_TEXT];

	for (size_t i = 0; host_get_watch() && i < ARRAY_SIZE(names) - !with_class; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", addr_text(addr).text, names[i]);
		(void)host_read(devices_fd, path, text, sizeof(text));
	}
}

/* One entry of the bus. Returns 0 for whatever can be told as a problem, else a negative errno. */
static int read_entry(struct bus_scan *scan, int devices_fd, const char *name)
{
	struct identity id;
	struct addr addr;
	struct err why;

	if (!addr_parse(name, &addr)) {
		host_note(devices_fd, name);
		err_set(&why, 0, DEVICES "/%.80s: no PCI address: the entry is left out", name);
		return inventory_add_problem(scan->inventory, NULL, why.text)
			       ? out_of_memory(scan->err)
			       : 0;
	}
	if ((scan_pci_identity(scan->access, addr, &id, &why) || looks_cut(scan->devices, &id)) &&
	    !look_closer(devices_fd, addr, &id, &why))
		return leave_out(scan, addr, why.text);
	show_identity(devices_fd, addr, devices_vendor_has_gpus(id.vendor));
	if (devices_is_gpu(scan->devices, id.vendor, id.device, id.pci_class))
		return add_gpu(scan, devices_fd, addr, &id, &why);
	return add_bystander(scan, addr, &id);
}

/* By its path: a directory opened for each function of the bus would cost too much. */
static int read_other(int devices_fd, const char *addr, struct function *other)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "%s/driver", addr);
	r = host_link_text(devices_fd, path, "drivers", &other->driver);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/iommu_group", addr);
	return host_link_number(devices_fd, path, "iommu_groups", &other->iommu_group);
}

/* A function that is no GPU goes into the inventory if a GPU's group, or gim, has it. */
static int add_other(struct bus_scan *scan, int devices_fd, const struct bystander *bystander)
{
	CLEANUP(function_clear)
	struct function other = {
		.addr = bystander->addr,
		.vendor = bystander->identity.vendor,
		.pci_class = bystander->identity.pci_class,
	};
	struct err why;
	bool shared;

	if (scan->groups.n_items == 0 && other.vendor != VENDOR_AMD)
		return 0;
	if (set_device(&other, bystander->identity.device, "device cannot be read") ||
	    read_other(devices_fd, addr_text(other.addr).text, &other))
		return out_of_memory(scan->err);
	shared = fact_known(&other.iommu_group) &&
		 groups_have(&scan->groups, other.iommu_group.number);
	if (!shared && !fact_is(&other.driver, "gim"))
		return 0;
	show_identity(devices_fd, other.addr, true);
	if (!devices_vendor_has_gpus(other.vendor) &&
	    scan_pci_class(scan->access, other.addr, &other.pci_class, &why))
		return leave_out(scan, other.addr, why.text);
	return inventory_add_other(scan->inventory, &other) ? out_of_memory(scan->err) : 0;
}

static int read_bus(struct bus_scan *scan, DIR *list)
{
	const struct dirent *entry;
	int r;

	for (errno = 0; (entry = readdir(list)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = read_entry(scan, dirfd(list), entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno) {
		r = -errno;
		return err_set(scan->err, r, "cannot list %s/" DEVICES ": %s", scan->host->sysfs,
			       strerror(-r));
	}
	groups_tidy(&scan->groups);
	if (scan->groups.failed)
		return out_of_memory(scan->err);
	for (size_t i = 0; i < scan->n_bystanders; i++) {
		r = add_other(scan, dirfd(list), &scan->bystanders[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int scan_functions(const struct host *host, struct pci_access *access,
		   const struct device_table *devices, struct inventory *inventory, struct err *err)
{
	CLEANUP(bus_scan_clear)
	struct bus_scan scan = {
		.host = host,
		.access = access,
		.devices = devices,
		.inventory = inventory,
		.err = err,
	};
	auto_closedir DIR *list = host_list(host->sys_fd, DEVICES);

	if (!list) {
		const int r = -errno;

		return err_set(err, r,
			       "cannot list %s/" DEVICES
			       ": %s: is there a PCI bus, and is the host's "
			       "sysfs mounted there?",
			       host->sysfs, strerror(-r));
	}
	return read_bus(&scan, list);
}
