/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A function's identity by libpci, from sysfs alone: config space is never touched. libpci's own
 * error handler ends the process; behind this door an error comes back as an ordinary one.
 */
#include "inventory/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct host;
struct pci_access;

struct identity {
	uint16_t vendor, device;
	uint16_t pci_class; /* base class and subclass; 0 where the vendor makes no GPUs */
};

/* Returns 0 or a negative errno. *ret is owned by the caller: scan_pci_close(). */
int scan_pci_open(const struct host *host, struct pci_access **ret, struct err *err);
void scan_pci_close(struct pci_access **access);

/*
 * Vendor and device; the class too where the vendor makes GPUs, for the others cost no open more
 * than they need. Returns 0, or -EIO with libpci's words in err: the function vanished, or an
 * attribute cannot be read. A number that cannot be right (libpci reads an empty or garbled file
 * as 0 or as its first digits) is handed out as it is: scan/functions.c looks again.
 */
int scan_pci_identity(struct pci_access *access, struct addr addr, struct identity *ret,
		      struct err *err);

/* The class alone, of a function that scan_pci_identity() gave none for. Fails as that does. */
int scan_pci_class(struct pci_access *access, struct addr addr, uint16_t *ret, struct err *err);

/* For names alone: needs no bus. Never NULL; scan_pci_close(). */
struct pci_access *scan_pci_names(void);

/* The name in pci.ids, in buf; false where it has none. Loads the file at the first call. */
bool scan_pci_name(struct pci_access *access, uint16_t vendor, uint16_t device, char *buf,
		   size_t size);
