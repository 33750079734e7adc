/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/pci.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/devices.h"
#include "scan/host.h"

#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Where libpci's error() goes. It may not return and is given no pointer of ours, hence a variable;
 * one thread, one guarded call at a time. The jump runs no cleanup attribute: a guarded_ function
 * owns nothing.
 */
static struct {
	jmp_buf back;
	char text[ERR_TEXT];
} guard;

/* NOLINTNEXTLINE(readability-non-const-parameter): libpci's type */
static void __attribute__((noreturn, format(printf, 1, 2))) jump_back(char *message, ...)
{
	va_list args;

	va_start(args, message);
	(void)vsnprintf(guard.text, sizeof(guard.text), message, args);
	va_end(args);
	longjmp(guard.back, 1);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libpci's type */
static void say_nothing(char *message, ...)
{
	(void)message;
}

static bool guarded_init(struct pci_access *access)
{
	if (setjmp(guard.back))
		return false;
	pci_init(access);
	return true;
}

static bool guarded_fill(struct pci_dev *device, int flags)
{
	if (setjmp(guard.back))
		return false;
	(void)pci_fill_info(device, flags);
	return true;
}

static bool guarded_lookup(struct pci_access *access, uint16_t vendor, uint16_t device, char *buf,
			   int size)
{
	const int flags = PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB;

	if (setjmp(guard.back))
		return false;
	return pci_lookup_name(access, buf, size, flags, vendor, device) != NULL;
}

static bool set_path(struct pci_access *access, const struct host *host)
{
	char name[] = "sysfs.path"; /* libpci 3.9 takes no const */
	auto_free char *path = NULL;

	return asprintf(&path, "%s/bus/pci", host->sysfs) >= 0 &&
	       pci_set_param(access, name, path) == 0;
}

struct pci_access *scan_pci_names(void)
{
	struct pci_access *access = pci_alloc();

	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = jump_back;
	access->warning = say_nothing;
	access->debug = say_nothing;
	return access;
}

int scan_pci_open(const struct host *host, struct pci_access **ret, struct err *err)
{
	CLEANUP(scan_pci_close) struct pci_access *access = scan_pci_names();

	if (!set_path(access, host))
		return err_set(err, -ENOMEM, "out of memory");
	if (!guarded_init(access))
		return err_set(err, -EIO, "libpci: %s", guard.text);
	*ret = TAKE_PTR(access);
	return 0;
}

void scan_pci_close(struct pci_access **access)
{
	if (*access)
		pci_cleanup(*access);
	*access = NULL;
}

static void free_device(struct pci_dev **device)
{
	pci_free_dev(*device);
}

int scan_pci_identity(struct pci_access *access, struct addr addr, struct identity *ret,
		      struct err *err)
{
	CLEANUP(free_device)
	struct pci_dev *device =
		pci_get_dev(access, (int)addr.domain, addr.bus, addr.slot, addr.function);

	if (!guarded_fill(device, PCI_FILL_IDENT))
		return err_set(err, -EIO, "%s", guard.text);
	if (devices_vendor_has_gpus(device->vendor_id) && !guarded_fill(device, PCI_FILL_CLASS))
		return err_set(err, -EIO, "%s", guard.text);
	*ret = (struct identity){device->vendor_id, device->device_id, device->device_class};
	return 0;
}

int scan_pci_class(struct pci_access *access, struct addr addr, uint16_t *ret, struct err *err)
{
	CLEANUP(free_device)
	struct pci_dev *device =
		pci_get_dev(access, (int)addr.domain, addr.bus, addr.slot, addr.function);

	if (!guarded_fill(device, PCI_FILL_CLASS))
		return err_set(err, -EIO, "%s", guard.text);
	*ret = device->device_class;
	return 0;
}

bool scan_pci_name(struct pci_access *access, uint16_t vendor, uint16_t device, char *buf,
		   size_t size)
{
	return guarded_lookup(access, vendor, device, buf, (int)size);
}
