/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/owned.h"

#include "base/cleanup.h"
#include "rules/kinds.h"

#include <string.h>

/* The kind itself, or the kind and a suffix. */
static bool is_kind(const char *name, const char *kind)
{
	const size_t len = strlen(kind);

	return strncmp(name, kind, len) == 0 && (name[len] == '\0' || name[len] == '.');
}

static bool is_amd_kind(const char *name)
{
	static const char *const kinds[] = {
		"mode",
		"family",
		"driver-version",
		"driver-src-version",
		"device-id",
		"product-name",
		"vram",
		"simd-count",
		"cu-count",
		"firmware",
		"compute-memory-partition",
		"compute-partitioning-supported",
		"memory-partitioning-supported",
		"vfio",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (is_kind(name, kinds[i]))
			return true;
	}
	return false;
}

bool label_key_is_ours(const char *key)
{
	if (strncmp(key, UNDER_AMD, strlen(UNDER_AMD)) == 0)
		return is_amd_kind(key + strlen(UNDER_AMD));
	if (strncmp(key, UNDER_BETA, strlen(UNDER_BETA)) == 0)
		return is_amd_kind(key + strlen(UNDER_BETA));
	return strncmp(key, "gpu.intel.com/vfio.", strlen("gpu.intel.com/vfio.")) == 0;
}
