/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/addr.h"

#include <stdio.h>
#include <string.h>

enum {
	DOMAIN_DIGITS = 8,
	MAX_SLOT = 0x1f,
	MAX_FUNCTION = 7,
};

bool addr_parse(const char *text, struct addr *ret)
{
	struct addr addr;
	unsigned int domain;
	unsigned int bus;
	unsigned int slot;
	unsigned int function;

	/* A longer text would overflow sscanf's numbers before the comparison below sees it. */
	if (strlen(text) > DOMAIN_DIGITS + strlen(":00:00.0"))
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): the widths allow no overflow, and the text is compared */
	if (sscanf(text, "%8x:%2x:%2x.%1x", &domain, &bus, &slot, &function) != 4)
		return false;
	if (slot > MAX_SLOT || function > MAX_FUNCTION)
		return false;
	addr = (struct addr){domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
	if (strcmp(addr_text(addr).text, text) != 0)
		return false;
	*ret = addr;
	return true;
}

struct addr_text addr_text(struct addr addr)
{
	struct addr_text ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%04x:%02x:%02x.%x", addr.domain, addr.bus,
		       addr.slot, addr.function);
	return ret;
}

/* All of an address in one number, so that comparing two is comparing numbers. */
static uint64_t rank(struct addr addr)
{
	return (uint64_t)addr.domain << 32 | (uint64_t)addr.bus << 16 | (uint64_t)addr.slot << 8 |
	       addr.function;
}

int addr_compare(struct addr a, struct addr b)
{
	return (rank(a) > rank(b)) - (rank(a) < rank(b));
}

int addr_order(const void *a, const void *b)
{
	return addr_compare(*(const struct addr *)a, *(const struct addr *)b);
}
