/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The marketing names of libdrm: by device id and revision, in a file of the host's root. Source:
 * amdgpu.ids of libdrm, lines "device,\trevision,\tname" with hex numbers.
 */
struct host;
struct inventory;

#define AMDGPU_IDS "usr/share/libdrm/amdgpu.ids"

/*
 * Names the inventory's cards that show no product name. The file is read only where there is such
 * a card; where it can't be, they stay without. Returns 0 or -ENOMEM.
 */
int scan_amdgpu_ids(const struct host *host, struct inventory *inventory);
