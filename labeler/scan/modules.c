/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/modules.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/inventory.h"
#include "scan/host.h"
#include "scan/scan.h"

#include <errno.h>
#include <string.h>

/* Whose version is a label. The module of each has the driver's name. */
static const struct {
	const char *name;
	bool ask_file; /* where the loaded module shows no version, its file is asked */
} drivers[] = {
	{"amdgpu", false},
	{"gim", true},
	{"i915", false},
	{"xe", false},
};

static bool is_bound(const struct inventory *inventory, const char *driver)
{
	for (size_t i = 0; i < inventory->n_gpus; i++) {
		if (fact_is(&inventory->gpus[i].driver, driver))
			return true;
	}
	return false;
}

/* The version of the module's file, for the kernel that runs. */
static int ask_file(const struct host *host, const struct scan_options *options,
		    const struct fact *kernel, struct module *module)
{
	auto_free char *version = NULL;
	struct err why;
	int r;

	if (!options->module_file_version || !fact_known(kernel))
		return 0;
	r = options->module_file_version(host->root, kernel->text, module->name, &version, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !version)
		return 0; /* absent stays absent: the rules say so, once */
	fact_clear(&module->version);
	module->version.text = TAKE_PTR(version);
	module->version.state = FACT_KNOWN;
	module->version_of_file = true;
	return 0;
}

static int read_module(const struct host *host, const char *name, struct module *module)
{
	char path[128];
	int r;

	module->name = strdup(name);
	if (!module->name)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "module/%s/version", name);
	r = host_text(host->sys_fd, path, &module->version);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "module/%s/srcversion", name);
	return host_text(host->sys_fd, path, &module->srcversion);
}

int scan_modules(const struct host *host, const struct scan_options *options,
		 struct inventory *inventory, struct err *err)
{
	int r = host_text(host->root_fd, "proc/sys/kernel/osrelease", &inventory->kernel);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(drivers); i++) {
		CLEANUP(module_clear) struct module module = {0};

		if (!is_bound(inventory, drivers[i].name))
			continue;
		r = read_module(host, drivers[i].name, &module);
		if (r == 0 && drivers[i].ask_file && !fact_known(&module.version))
			r = ask_file(host, options, &inventory->kernel, &module);
		if (r == 0)
			r = inventory_add_module(inventory, &module);
	}
	return r < 0 ? err_set(err, r, "out of memory for the kernel's modules") : 0;
}
