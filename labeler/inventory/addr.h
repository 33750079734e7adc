/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A PCI function's address as the kernel writes it: domain:bus:device.function, hexadecimal, lower
 * case, the domain in at least four digits and in more where it needs them (10000:e1:00.0).
 */
#include <stdbool.h>
#include <stdint.h>

struct addr {
	uint32_t domain;
	uint8_t bus, slot, function; /* slot: 0 to 0x1f, function: 0 to 7 */
};
struct addr_text {
	char text[24];
};

/* True and *ret set only where text is exactly the form that the kernel would print. */
bool addr_parse(const char *text, struct addr *ret);

struct addr_text addr_text(struct addr addr);

/* Less than, equal to, greater than 0, in the order of the bus. */
int addr_compare(struct addr a, struct addr b);

/* The same for qsort(), of two struct addr. */
int addr_order(const void *a, const void *b);
