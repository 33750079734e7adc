/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/mode.h"

#include "base/cleanup.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/kinds.h"
#include "rules/rules.h"

#include <errno.h>
#include <string.h>

/* What the rows below tell apart. One bit each, so that a row can name several. */
enum role {
	ROLE_PF = 1 << 0,
	ROLE_PF_OF_VFS = 1 << 1,   /* its virtfn links name VFs */
	ROLE_PF_ODD = 1 << 2,      /* sriov_numvfs says so, but no link names one */
	ROLE_PF_UNSURE = 1 << 3,   /* whether it has VFs could not be read */
	ROLE_VF_OF_GIM = 1 << 4,   /* a virtfn link of a PF bound to gim names it */
	ROLE_VF_OF_OTHER = 1 << 5, /* a virtfn link of another PF does */
	ROLE_VF_UNNAMED = 1 << 6,  /* it has a physfn link, be it garbled, but no PF names it */
	ANY_PF = ROLE_PF | ROLE_PF_OF_VFS | ROLE_PF_ODD | ROLE_PF_UNSURE,
	ANY_VF = ROLE_VF_OF_GIM | ROLE_VF_OF_OTHER | ROLE_VF_UNNAMED,
	ANY_ROLE = ANY_PF | ANY_VF,
};
enum bound {
	BY_NONE = 1 << 0,
	BY_AMDGPU = 1 << 1,
	BY_GIM = 1 << 2,
	BY_VFIO = 1 << 3,
	BY_OTHER = 1 << 4,
	BY_UNKNOWN = 1 << 5,
	BY_ANY = (1 << 6) - 1,
};
enum group {
	IN_GROUP = 1 << 0,
	IN_NONE = 1 << 1,
	IN_UNKNOWN = 1 << 2,
	IN_ANY = (1 << 3) - 1,
};

static const char bad_driver[] = "its driver cannot be read";
static const char bad_group[] = "its IOMMU group cannot be read";
static const char no_group[] = "it is in no IOMMU group: is the IOMMU switched on?";
static const char no_driver[] = "no driver is bound to it";

/* What would make it count. */
static const char see_file[] = "see what the file says; is the host's whole sysfs mounted?";
static const char iommu_on[] = "switch the IOMMU on in the firmware setup (AMD-Vi, VT-d), on Intel "
			       "also with intel_iommu=on; gpu-labeler doctor says what it finds";
static const char bind_amd[] = "bind it to amdgpu for containers, to vfio-pci for a VM, or to gim, "
			       "which makes VFs of it";
static const char bind_vfio[] = "bind it to vfio-pci to hand it to a VM";
static const char bind_pf[] = "bind its PF to gim, which makes the VFs anew";
static const char whole_bus[] = "show the program the whole bus: its PF is missing there";
static const char make_vfs[] = "load gim with vf_num=1 or more, or write the number to the PF's "
			       "sriov_numvfs; the kernel's log has gim's reason";
static const char look_again[] = "look again in a second: VFs come or go";
static const char whole_pf[] = "to hand it out whole, take its VFs away and bind it to vfio-pci";
static const char only_vfs[] = "bind its VFs to vfio-pci, or take them away: sriov_numvfs = 0";

/* The first row that fits says what a function is good for. */
struct row {
	unsigned int role, bound, group;
	enum mode mode;
	bool vfio, say;
	const char *why, *fix;
};
static const struct row amd_rows[] = {
	/* clang-format off */
	/* role                     driver               group       mode                 vfio   say    why */
	{ANY_ROLE,                  BY_UNKNOWN,          IN_ANY,     MODE_NONE,           false, true,  bad_driver, see_file},
	{ANY_ROLE,                  BY_AMDGPU,           IN_ANY,     MODE_CONTAINER,      false, false, NULL, NULL},
	{ROLE_VF_OF_GIM,            BY_VFIO,             IN_GROUP,   MODE_VF_PASSTHROUGH, true,  false, NULL, NULL},
	{ROLE_VF_OF_GIM,            BY_NONE,             IN_GROUP,   MODE_VF_PASSTHROUGH, false, false, NULL, NULL},
	{ROLE_VF_OF_GIM,            BY_VFIO | BY_NONE,   IN_NONE,    MODE_NONE,           false, true,  no_group, iommu_on},
	{ROLE_VF_OF_GIM,            BY_VFIO | BY_NONE,   IN_UNKNOWN, MODE_NONE,           false, true,  bad_group, see_file},
	{ROLE_VF_OF_GIM,            BY_ANY,              IN_ANY,     MODE_NONE,           false, true,
		"a VF whose driver keeps it from VMs", bind_vfio},
	{ROLE_VF_OF_OTHER,          BY_VFIO,             IN_GROUP,   MODE_NONE,           true,  true,
		"a VF of a PF that is not bound to gim", bind_pf},
	{ROLE_VF_OF_OTHER,          BY_ANY,              IN_ANY,     MODE_NONE,           false, true,
		"a VF of a PF that is not bound to gim", bind_pf},
	{ROLE_VF_UNNAMED,           BY_VFIO,             IN_GROUP,   MODE_NONE,           true,  true,
		"a VF that no PF's virtfn link names", whole_bus},
	{ROLE_VF_UNNAMED,           BY_ANY,              IN_ANY,     MODE_NONE,           false, true,
		"a VF that no PF's virtfn link names", whole_bus},
	{ANY_PF,                    BY_VFIO,             IN_GROUP,   MODE_PF_PASSTHROUGH, true,  false, NULL, NULL},
	{ANY_PF,                    BY_VFIO,             IN_NONE,    MODE_NONE,           false, true,  no_group, iommu_on},
	{ANY_PF,                    BY_VFIO,             IN_UNKNOWN, MODE_NONE,           false, true,  bad_group, see_file},
	{ROLE_PF_OF_VFS,            BY_GIM,              IN_ANY,     MODE_NONE,           false, false,
		"its VFs count in its place", whole_pf},
	{ROLE_PF | ROLE_PF_UNSURE,  BY_GIM,              IN_ANY,     MODE_NONE,           false, true,
		"bound to gim, but it has no VF", make_vfs},
	{ROLE_PF_ODD,               BY_GIM,              IN_ANY,     MODE_NONE,           false, true,
		"sriov_numvfs says that it has VFs, but no virtfn link names one", look_again},
	{ANY_PF,                    BY_NONE,             IN_ANY,     MODE_NONE,           false, true,  no_driver, bind_amd},
	{ANY_ROLE,                  BY_ANY,              IN_ANY,     MODE_NONE,           false, true,
		"its driver serves no mode of an AMD GPU", bind_amd},
	/* clang-format on */
};
static const struct row intel_rows[] = {
	/* clang-format off */
	/* role                     driver               group       mode                 vfio   say    why */
	{ANY_ROLE,                  BY_UNKNOWN,          IN_ANY,     MODE_NONE,           false, true,  bad_driver, see_file},
	{ROLE_PF_OF_VFS | ROLE_PF_ODD, BY_VFIO,          IN_ANY,     MODE_NONE,           false, true,
		"a PF with VFs: only its VFs can be passed through", only_vfs},
	{ROLE_PF_UNSURE,            BY_VFIO,             IN_ANY,     MODE_NONE,           false, true,
		"whether the PF has VFs cannot be read", see_file},
	{ANY_ROLE,                  BY_VFIO,             IN_GROUP,   MODE_NONE,           true,  false, NULL, NULL},
	{ANY_ROLE,                  BY_VFIO,             IN_NONE,    MODE_NONE,           false, true,  no_group, iommu_on},
	{ANY_ROLE,                  BY_VFIO,             IN_UNKNOWN, MODE_NONE,           false, true,  bad_group, see_file},
	{ANY_ROLE,                  BY_NONE,             IN_ANY,     MODE_NONE,           false, false, no_driver, bind_vfio},
	{ANY_ROLE,                  BY_ANY,              IN_ANY,     MODE_NONE,           false, false,
		"its driver keeps it on the host", bind_vfio},
	/* clang-format on */
};

static const char *const mode_names[N_MODES] = {
	[MODE_NONE] = "auto",
	[MODE_CONTAINER] = "container",
	[MODE_VF_PASSTHROUGH] = "vf-passthrough",
	[MODE_PF_PASSTHROUGH] = "pf-passthrough",
};

const char *mode_name(enum mode mode)
{
	return mode_names[mode];
}

bool mode_parse(const char *word, enum mode *ret)
{
	for (size_t i = 0; i < N_MODES; i++) {
		if (strcmp(word, mode_names[i]) == 0) {
			*ret = (enum mode)i;
			return true;
		}
	}
	return false;
}

/* Every VF that a virtfn link names, and whether its PF is bound to gim. */
struct named_vf {
	struct addr addr;
	bool of_gim;
};
struct named_vfs {
	struct named_vf *items; /* owned, ascending */
	size_t n_items;
};

static void named_vfs_clear(struct named_vfs *named)
{
	free(named->items);
}

static int compare_named(const void *a, const void *b)
{
	return addr_compare(((const struct named_vf *)a)->addr, ((const struct named_vf *)b)->addr);
}

static int list_named_vfs(const struct inventory *inventory, struct named_vfs *named)
{
	size_t n = 0;

	for (size_t i = 0; i < inventory->n_gpus; i++)
		n += inventory->gpus[i].n_vfs;
	named->items = reallocarray(NULL, n + 1, sizeof(*named->items));
	if (!named->items)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		const struct function *pf = &inventory->gpus[i];

		for (size_t j = 0; j < pf->n_vfs; j++)
			named->items[named->n_items++] =
				(struct named_vf){pf->vfs[j], fact_is(&pf->driver, "gim")};
	}
	qsort(named->items, named->n_items, sizeof(*named->items), compare_named);
	return 0;
}

static enum role role_of(const struct function *gpu, const struct named_vfs *named)
{
	const struct named_vf key = {.addr = gpu->addr};
	const struct named_vf *vf =
		bsearch(&key, named->items, named->n_items, sizeof(*named->items), compare_named);

	if (vf) /* a new VF is named by its PF before it has a physfn link */
		return vf->of_gim ? ROLE_VF_OF_GIM : ROLE_VF_OF_OTHER;
	if (gpu->physfn.state != FACT_ABSENT)
		return ROLE_VF_UNNAMED;
	if (gpu->n_vfs > 0)
		return ROLE_PF_OF_VFS;
	if (gpu->numvfs.state == FACT_FAILED || gpu->vf_links.state == FACT_FAILED)
		return ROLE_PF_UNSURE;
	return fact_known(&gpu->numvfs) && gpu->numvfs.number > 0 ? ROLE_PF_ODD : ROLE_PF;
}

static enum bound bound_of(const struct fact *driver)
{
	if (driver->state == FACT_FAILED)
		return BY_UNKNOWN;
	if (driver->state == FACT_ABSENT)
		return BY_NONE;
	if (fact_is(driver, "amdgpu"))
		return BY_AMDGPU;
	if (fact_is(driver, "gim"))
		return BY_GIM;
	return inventory_is_vfio(driver->text) ? BY_VFIO : BY_OTHER;
}

static enum group group_of(const struct fact *group)
{
	static const enum group of_state[] = {
		[FACT_ABSENT] = IN_NONE,
		[FACT_KNOWN] = IN_GROUP,
		[FACT_FAILED] = IN_UNKNOWN,
	};

	return of_state[group->state];
}

/* The last row of each table fits all. */
static const struct row *row_of(const struct row *row, enum role role, enum bound bound,
				enum group group)
{
	while (!(row->role & role && row->bound & bound && row->group & group))
		row++;
	return row;
}

const char *filter_why(const struct rule_options *options, const struct function *gpu)
{
	const bool is_listed = options->allow_ids.n_ids > 0 || options->deny_ids.n_ids > 0;
	const uint16_t id = fact_id(&gpu->device);

	if (is_listed && !fact_known(&gpu->device))
		return "its device id cannot be read, and there is a list of ids";
	if (options->allow_ids.n_ids > 0 && !filter_has(&options->allow_ids, gpu->vendor, id))
		return "allow-ids leaves it out";
	if (filter_has(&options->deny_ids, gpu->vendor, id))
		return "deny-ids leaves it out";
	return NULL;
}

static struct part part_of(const struct function *gpu, const struct named_vfs *named,
			   const struct rule_options *options)
{
	const struct row *rows = gpu->vendor == VENDOR_AMD ? amd_rows : intel_rows;
	const enum role role = role_of(gpu, named);
	const char *why = filter_why(options, gpu);
	const struct row *row;

	if (why)
		return (struct part){.is_vf = role & ANY_VF,
				     .left_out = true,
				     .why = why,
				     .fix = "change allow-ids or deny-ids"};
	row = row_of(rows, role, bound_of(&gpu->driver), group_of(&gpu->iommu_group));
	return (struct part){
		.mode = row->mode,
		.is_vf = role & ANY_VF,
		.vfio = row->vfio,
		.say = row->say,
		.why = row->why,
		.fix = row->fix,
	};
}

int mode_parts(const struct inventory *inventory, const struct rule_options *options,
	       struct part *parts)
{
	CLEANUP(named_vfs_clear) struct named_vfs named = {0};

	if (list_named_vfs(inventory, &named))
		return -ENOMEM;
	for (size_t i = 0; i < inventory->n_gpus; i++)
		parts[i] = part_of(&inventory->gpus[i], &named, options);
	return 0;
}

enum mode mode_of_node(const struct part *parts, size_t n_parts, enum mode wanted,
		       size_t counts[static N_MODES])
{
	memset(counts, 0, N_MODES * sizeof(*counts));
	for (size_t i = 0; i < n_parts; i++)
		counts[parts[i].mode]++;
	if (wanted != MODE_NONE)
		return counts[wanted] ? wanted : MODE_NONE;
	for (size_t mode = MODE_CONTAINER; mode < N_MODES; mode++) {
		if (counts[mode])
			return (enum mode)mode;
	}
	return MODE_NONE;
}
