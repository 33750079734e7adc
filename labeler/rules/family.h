/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/*
 * The family of a graphics core as the reference labeller writes it (AMDGPU_FAMILY_*), from KFD's
 * gfx_target_version: 90402 is gfx942. NULL where it is none of the known.
 */
const char *family_name(int64_t gfx_target_version);
