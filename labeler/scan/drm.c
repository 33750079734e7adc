/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/drm.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/library.h"

#include <amdgpu.h>
#include <amdgpu_drm.h>
#include <fcntl.h>
#include <string.h>

/* In the order of inventory_firmware_names. */
static const unsigned int blocks[N_FIRMWARE] = {
	AMDGPU_INFO_FW_VCE,     AMDGPU_INFO_FW_UVD,     AMDGPU_INFO_FW_GMC,
	AMDGPU_INFO_FW_GFX_ME,  AMDGPU_INFO_FW_GFX_PFP, AMDGPU_INFO_FW_GFX_CE,
	AMDGPU_INFO_FW_GFX_RLC, AMDGPU_INFO_FW_GFX_MEC, AMDGPU_INFO_FW_SMC,
	AMDGPU_INFO_FW_SDMA,
};

/* Comes into memory for the question and leaves again, as libkmod does. */
struct libdrm {
	struct library library;
	__typeof__(amdgpu_device_initialize) *initialize;
	__typeof__(amdgpu_device_deinitialize) *deinitialize;
	__typeof__(amdgpu_query_firmware_version) *firmware_version;
};

static void libdrm_close(struct libdrm *lib)
{
	library_close(&lib->library);
}

static int libdrm_open(struct libdrm *lib)
{
	const struct library_function functions[] = {
		LIBRARY_FUNCTION(amdgpu_device_initialize, &lib->initialize),
		LIBRARY_FUNCTION(amdgpu_device_deinitialize, &lib->deinitialize),
		LIBRARY_FUNCTION(amdgpu_query_firmware_version, &lib->firmware_version),
	};
	static const char *const names[] = {"libdrm_amdgpu.so.1", NULL};
	struct err err;

	return library_open(&lib->library, "libdrm", names, functions, ARRAY_SIZE(functions), &err);
}

void scan_drm_features(const char *node, struct fact *features)
{
	CLEANUP(libdrm_close) struct libdrm lib = {0};
	auto_close int fd = open(node, O_RDWR | O_CLOEXEC);
	amdgpu_device_handle device;
	uint32_t major = 0;
	uint32_t minor = 0;

	if (fd < 0 || libdrm_open(&lib) < 0 || lib.initialize(fd, &major, &minor, &device) != 0)
		return;
	for (size_t i = 0; i < N_FIRMWARE; i++) {
		uint32_t version = 0;
		uint32_t feature = 0;

		if (lib.firmware_version(device, blocks[i], 0, 0, &version, &feature) != 0)
			continue;
		features[i].number = feature;
		features[i].state = FACT_KNOWN;
	}
	(void)lib.deinitialize(device);
}
