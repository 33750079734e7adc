/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the table says, for programs:
 *
 *   {"mode": "vf-passthrough",        the mode of the node's AMD GPUs, null where there is none
 *    "labels": {"amd.com/gpu.mode": "vf-passthrough", ...},
 *    "sources": {"amd.com/gpu.mode": {"rule": "...", "functions": ["0000:05:02.0", ...]}, ...},
 *    "functions": [{"address": "0000:05:02.0", "id": "1002:74b5", "name": "...", "kind": "VF",
 *                   "driver": "vfio-pci", "iommu_group": 36, "numa_node": 0,
 *                   "mode": "vf-passthrough", "counted": true, "vfio": true, "why": null}],
 *    "notes": [{"level": "reason", "text": "..."}]}
 *
 * A function's mode is what it could serve, counted says whether the labels count it, why is why it
 * serves none. id, driver, iommu_group and numa_node are null where there is none or it is not
 * known.
 */
struct inventory;
struct verdict;

/* The JSON text, owned by the caller; NULL where memory runs out. names: as in print_table(). */
char *verdict_to_json(const struct inventory *inventory, const struct verdict *verdict,
		      const char *const *names);
