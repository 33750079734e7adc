/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An inventory as JSON and back, so that a bug report is a file. Field names are stable:
 *
 *   {"format": 1,
 *    "kernel": "6.1.0-32-amd64",
 *    "gpus": [{"address": "0000:05:02.0", "vendor": "1002", "device": "74b5", "class": "1200",
 *              "driver": "vfio-pci", "iommu_group": 36, "physfn": "0000:05:00.0",
 *              "totalvfs": null, "numvfs": null, "vf_device": null, "numa_node": 0,
 *              "vf_links": null, "vfs": []}],
 *    "others": [the same: no GPUs, but in a GPU's IOMMU group or bound to gim],
 *    "modules": [{"name": "gim", "version": "8.1.0.K", "srcversion": "8E2D...",
 *                 "version_of_file": false}],
 *    "problems": [{"address": "0000:06:00.0", "text": "what could not be read"}]}
 *
 * A fact is its value; null where the host has no such attribute; {"unknown": "why"} where it could
 * not be read. vf_links is null, or unknown where the virtfn links could not be listed. An address
 * of a problem is null where it is of no function. Ids and classes are four hex digits.
 */
#include <stddef.h>

struct err;
struct inventory;

enum {
	INVENTORY_JSON_MAX = 64 * 1024 * 1024, /* bytes; 10,000 GPU functions take a tenth */
	INVENTORY_JSON_ITEMS = 65536,          /* of one list */
};

/* The JSON text, owned by the caller; NULL where memory runs out. */
char *inventory_to_json(const struct inventory *inventory);

/*
 * Fills an empty inventory, sorted. Returns 0, or a negative errno with the line, or the field and
 * what it should be, in err: no JSON, a wrong type, an unknown or missing field, a number out of
 * its range, an address twice.
 */
int inventory_from_json(const char *text, size_t len, struct inventory *ret, struct err *err);
