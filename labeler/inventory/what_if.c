/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/what_if.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"

#include <errno.h>
#include <string.h>

static const char blanks[] = " \t\n";

enum {
	DRIVER_LONGEST = 63,
};

/* What a step is done to. */
struct edit {
	struct inventory *inventory;
	struct function *at;
	struct strbuf *assumed;
	struct err *err;
};

static int out_of_memory(const struct edit *edit)
{
	return err_set(edit->err, -ENOMEM, "out of memory");
}

static struct function *find_in(struct function *functions, size_t n, struct addr addr)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_compare(functions[i].addr, addr) == 0)
			return &functions[i];
	}
	return NULL;
}

static struct function *find(struct inventory *inventory, struct addr addr)
{
	struct function *gpu = find_in(inventory->gpus, inventory->n_gpus, addr);

	return gpu ? gpu : find_in(inventory->others, inventory->n_others, addr);
}

static void remove_gpu(struct inventory *inventory, struct addr addr)
{
	struct function *gpu = find_in(inventory->gpus, inventory->n_gpus, addr);

	if (!gpu)
		return;
	function_clear(gpu);
	memmove(gpu, gpu + 1, (size_t)(inventory->gpus + --inventory->n_gpus - gpu) * sizeof(*gpu));
}

static void set_numvfs(struct function *pf, int64_t number)
{
	if (fact_known(&pf->numvfs))
		pf->numvfs.number = number;
}

/* The pointer to the PF is stale afterwards: its place in the list may have changed. */
static void remove_vfs(struct inventory *inventory, struct function *pf)
{
	auto_free struct addr *vfs = TAKE_PTR(pf->vfs);
	const size_t n_vfs = pf->n_vfs;

	pf->n_vfs = 0;
	set_numvfs(pf, 0);
	for (size_t i = 0; i < n_vfs; i++)
		remove_gpu(inventory, vfs[i]);
}

/* driver NULL: none. */
static int set_driver(struct edit *edit, const char *driver)
{
	struct function *at = edit->at;

	if (driver && fact_is(&at->driver, driver))
		return 0;
	fact_clear(&at->driver);
	if (driver) {
		at->driver.text = strdup(driver);
		if (!at->driver.text)
			return out_of_memory(edit);
		at->driver.state = FACT_KNOWN;
	}
	if (at->n_vfs > 0) {
		strbuf_addf(edit->assumed, "%s: its %zu VFs go with the driver that made them\n",
			    addr_text(at->addr).text, at->n_vfs);
		remove_vfs(edit->inventory, at);
	}
	return 0;
}

/* What the driver would tell, and nobody can know before: a label for it is missing then. */
static void assume_unknown(const struct edit *edit, const char *driver)
{
	const bool is_amdgpu = strcmp(driver, "amdgpu") == 0;

	if (is_amdgpu && !inventory_card(edit->inventory, edit->at->addr))
		strbuf_addf(edit->assumed,
			    "%s: amdgpu would tell its memory, name, firmware and partitions: "
			    "labels of these are not known before\n",
			    addr_text(edit->at->addr).text);
	if ((is_amdgpu || strcmp(driver, "gim") == 0) && !inventory_module(edit->inventory, driver))
		strbuf_addf(edit->assumed, "%s: its version is not known before it is loaded\n",
			    driver);
}

static int bind(struct edit *edit, const char *driver)
{
	if (strchr(driver, '/') || strlen(driver) > DRIVER_LONGEST)
		return err_set(edit->err, WHAT_IF_REFUSED, "\"%.80s\" is no driver's name", driver);
	if (inventory_is_vfio(driver) && edit->at->iommu_group.state == FACT_FAILED)
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "whether the kernel would refuse is not known: the function's IOMMU "
			       "group cannot be read");
	if (inventory_is_vfio(driver) && !fact_known(&edit->at->iommu_group))
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "the kernel would refuse: the function is in no IOMMU group, is the "
			       "IOMMU switched on?");
	assume_unknown(edit, driver);
	return set_driver(edit, driver);
}

static int unbind(struct edit *edit, const char *nothing)
{
	(void)nothing;
	return set_driver(edit, NULL);
}

/* The next free address behind this one, as the kernel numbers functions. */
static struct addr free_after(struct inventory *inventory, struct addr addr)
{
	do {
		addr.function = (addr.function + 1) & 7;
		addr.slot = addr.function ? addr.slot : (addr.slot + 1) & 0x1f;
		if (!addr.function && !addr.slot)
			addr.bus++;
	} while (find(inventory, addr));
	return addr;
}

static int64_t next_group(const struct inventory *inventory)
{
	int64_t last = 0;

	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (fact_known(&inventory->gpus[i].iommu_group) &&
		    inventory->gpus[i].iommu_group.number > last)
			last = inventory->gpus[i].iommu_group.number;
	}
	for (size_t i = 0; i < inventory->n_others; i++) {
		if (fact_known(&inventory->others[i].iommu_group) &&
		    inventory->others[i].iommu_group.number > last)
			last = inventory->others[i].iommu_group.number;
	}
	return last + 1;
}

static int set_text(struct fact *fact, enum fact_state state, const char *text)
{
	fact->text = strdup(text);
	fact->state = state;
	return fact->text ? 0 : -ENOMEM;
}

/* Whose id a VF has: what the PF says; an Intel VF carries its PF's. */
static int set_vf_device(const struct function *pf, struct fact *device)
{
	if (fact_id(&pf->vf_device))
		*device = (struct fact){.state = FACT_KNOWN, .number = pf->vf_device.number};
	else if (pf->vendor == VENDOR_INTEL && fact_known(&pf->device))
		*device = (struct fact){.state = FACT_KNOWN, .number = pf->device.number};
	else
		return set_text(device, FACT_FAILED, "the PF has no sriov_vf_device");
	return 0;
}

/*
 * A VF as it comes up. A PF on a vfio driver gets VFs that wait for the same; Intel's host drivers
 * take their VFs themselves; AMD's leave them to others.
 */
static int make_vf(const struct edit *edit, const struct function *pf, struct function *vf)
{
	const bool takes = pf->vendor == VENDOR_INTEL || inventory_is_vfio(pf->driver.text);

	vf->addr = free_after(edit->inventory, pf->addr);
	vf->vendor = pf->vendor;
	vf->pci_class = pf->pci_class;
	vf->physfn = (struct fact){.state = FACT_KNOWN, .addr = pf->addr};
	if (fact_known(&pf->numa_node))
		vf->numa_node = (struct fact){.state = FACT_KNOWN, .number = pf->numa_node.number};
	if (fact_known(&pf->iommu_group))
		vf->iommu_group =
			(struct fact){.state = FACT_KNOWN, .number = next_group(edit->inventory)};
	if (takes && set_text(&vf->driver, FACT_KNOWN, pf->driver.text))
		return -ENOMEM;
	return set_vf_device(pf, &vf->device);
}

static int add_vf(const struct edit *edit, struct addr pf_addr)
{
	CLEANUP(function_clear) struct function vf = {0};
	struct function *pf = find(edit->inventory, pf_addr);
	struct addr *grown = reallocarray(pf->vfs, pf->n_vfs + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	pf->vfs = grown;
	if (make_vf(edit, pf, &vf))
		return -ENOMEM;
	pf->vfs[pf->n_vfs++] = vf.addr;
	return inventory_add_gpu(edit->inventory, &vf);
}

static int add_vfs(const struct edit *edit, int64_t number)
{
	const struct addr pf_addr = edit->at->addr;

	strbuf_addf(edit->assumed,
		    "%s: the addresses of its %lld VFs are made up, and each VF is taken to be in "
		    "an IOMMU group of its own\n",
		    addr_text(pf_addr).text, (long long)number);
	set_numvfs(edit->at, number);
	for (int64_t i = 0; i < number; i++) {
		if (add_vf(edit, pf_addr))
			return out_of_memory(edit);
	}
	return 0;
}

/* Would the kernel make so many VFs? */
static int check_numvfs(const struct edit *edit, const char *text, int64_t *ret)
{
	const struct function *pf = edit->at;
	char *end;
	const long long number = strtoll(text, &end, 10);

	if (*end || end == text || text[0] == '+' || number < 0 || number > WHAT_IF_VFS)
		return err_set(edit->err, WHAT_IF_REFUSED, "\"%.40s\" is no number from 0 to %d",
			       text, WHAT_IF_VFS);
	if (!fact_known(&pf->totalvfs))
		return err_set(
			edit->err, WHAT_IF_REFUSED,
			"the function shows no sriov_totalvfs: it makes no VFs, or SR-IOV is "
			"off in the firmware");
	if (number > pf->totalvfs.number)
		return err_set(edit->err, WHAT_IF_REFUSED, "the PF can have %lld VFs at most",
			       (long long)pf->totalvfs.number);
	*ret = number;
	if (number == (int64_t)pf->n_vfs) /* which the kernel takes from anybody */
		return 0;
	if (!fact_known(&pf->driver))
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "the kernel would refuse: no driver is bound to the PF");
	if (fact_is(&pf->driver, "amdgpu"))
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "the kernel would refuse: amdgpu makes no VFs");
	if (number > 0 && pf->n_vfs > 0)
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "the kernel would refuse: the PF has %zu VFs, say numvfs 0 first",
			       pf->n_vfs);
	return 0;
}

static int numvfs(struct edit *edit, const char *text)
{
	int64_t number = 0;
	const int r = check_numvfs(edit, text, &number);

	if (r || number == (int64_t)edit->at->n_vfs)
		return r;
	if (fact_is(&edit->at->driver, "gim"))
		strbuf_addf(edit->assumed,
			    "%s: gim makes VFs by its configuration, when it is loaded: that it "
			    "takes a number is assumed\n",
			    addr_text(edit->at->addr).text);
	if (number > 0)
		return add_vfs(edit, number);
	remove_vfs(edit->inventory, edit->at);
	return 0;
}

static const struct verb {
	const char *name, *form;
	bool has_value;
	int (*apply)(struct edit *edit, const char *value);
} verbs[] = {
	{"bind", "bind ADDRESS DRIVER", true, bind},
	{"unbind", "unbind ADDRESS", false, unbind},
	{"numvfs", "numvfs ADDRESS NUMBER", true, numvfs},
};

static const char *next_word(char **rest)
{
	char *word;

	*rest += strspn(*rest, blanks);
	word = strsep(rest, blanks);
	if (!*rest)
		*rest = word + strlen(word);
	return *word ? word : NULL;
}

static int apply_verb(const struct verb *verb, char *rest, struct edit *edit)
{
	const char *place = next_word(&rest);
	const char *value = verb->has_value ? next_word(&rest) : "";
	struct addr addr;

	if (!place || !value || next_word(&rest))
		return err_set(edit->err, WHAT_IF_REFUSED, "write: %s", verb->form);
	if (!addr_parse(place, &addr))
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "\"%.40s\" is no PCI address such as 0000:c1:00.0", place);
	edit->at = find(edit->inventory, addr);
	if (!edit->at)
		return err_set(edit->err, WHAT_IF_REFUSED,
			       "%s is no GPU function of this node, and shares no GPU's IOMMU "
			       "group: see gpu-labeler detect",
			       place);
	return verb->apply(edit, value);
}

static int apply_step(char *step, struct edit *edit)
{
	const char *name = next_word(&step);

	for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(name, verbs[i].name) == 0)
			return apply_verb(&verbs[i], step, edit);
	}
	return err_set(edit->err, WHAT_IF_REFUSED, "\"%.40s\" is neither bind, unbind nor numvfs",
		       name ? name : "");
}

int what_if_apply(const char *steps, struct inventory *inventory, struct strbuf *assumed,
		  struct err *err)
{
	struct edit edit = {.inventory = inventory, .assumed = assumed, .err = err};
	auto_free char *copy = strdup(steps);
	char *rest = copy;
	int r = 0;
	int n = 0;

	if (!copy)
		return out_of_memory(&edit);
	for (char *step; r == 0 && (step = strsep(&rest, ";"));) {
		n++;
		if (!step[strspn(step, blanks)] && !rest && n > 1)
			break; /* a ; at the end */
		r = apply_step(step, &edit);
		inventory_sort(inventory);
	}
	return r ? err_prefix(err, r, "step %d", n) : 0;
}
