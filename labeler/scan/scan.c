/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/scan.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/inventory.h"
#include "scan/card.h"
#include "scan/functions.h"
#include "scan/kfd.h"
#include "scan/modules.h"
#include "scan/pci.h"

int scan(const struct host *host, const struct scan_options *options, struct inventory *ret,
	 struct err *err)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(scan_pci_close) struct pci_access *access = NULL;
	int r;

	r = scan_pci_open(host, &access, err);
	if (r < 0)
		return r;
	r = scan_functions(host, access, options->devices, &inventory, err);
	if (r < 0)
		return r;
	inventory_sort(&inventory); /* cards look for their functions */
	r = scan_cards(host, options, &inventory);
	if (r == 0)
		r = scan_kfd(host, &inventory);
	if (r < 0)
		return err_set(err, r, "out of memory for the GPUs' details");
	r = scan_modules(host, options, &inventory, err);
	if (r < 0)
		return r;
	inventory_sort(&inventory);
	SWAP(*ret, inventory);
	return 0;
}
