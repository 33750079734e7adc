/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/owned.h"

#include "rules/kinds.h"
#include "rules/rules.h"

#include <string.h>

/* The kind itself, or the kind and a suffix. */
static bool is_kind(const char *name, const char *kind)
{
	const size_t len = strlen(kind);

	return strncmp(name, kind, len) == 0 && (name[len] == '\0' || name[len] == '.');
}

static bool is_amd_kind(const char *name)
{
	for (size_t i = 0; i < N_AMD_KINDS; i++) {
		if (is_kind(name, amd_kind_names[i]))
			return true;
	}
	return is_kind(name, "mode") || is_kind(name, "vfio");
}

bool label_key_is_ours(const char *key)
{
	if (strncmp(key, UNDER_AMD, strlen(UNDER_AMD)) == 0)
		return is_amd_kind(key + strlen(UNDER_AMD));
	if (strncmp(key, UNDER_BETA, strlen(UNDER_BETA)) == 0)
		return is_amd_kind(key + strlen(UNDER_BETA));
	return strncmp(key, "gpu.intel.com/vfio.", strlen("gpu.intel.com/vfio.")) == 0;
}
