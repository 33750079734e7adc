/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The feature versions of a card's firmware, by libdrm: sysfs has none. Source: the card's render
 * node, where this process may open it; most agents may not.
 */
#include "inventory/inventory.h"

/*
 * node: /dev/dri/renderD128. Fills the N_FIRMWARE facts of those blocks that the driver answers
 * for; all stay absent where the node can't be opened or there is no libdrm.
 */
void scan_drm_features(const char *node, struct fact *features);
