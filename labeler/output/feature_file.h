/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * NFD's feature file. Source of the rules: NFD's local source reads every regular file of
 * features.d line by line; v0.19 looks again when something happens in the directory, but drops
 * what happens within the second after. So a new content is made in a hidden sub-directory, which
 * no version reads, comes into features.d by one rename, and the next one not before a good second
 * has passed.
 */
#include "output/output.h"

#define FEATURE_FILE_DIR "/etc/kubernetes/node-feature-discovery/features.d"
#define FEATURE_FILE_NAME "gpu-labeler"

enum {
	FEATURE_FILE_MAX = 65536, /* NFD skips a larger file whole */
	FEATURE_FILE_SPACING_MS = 1100,
};

/*
 * The file gpu-labeler in dir, which need not exist yet. expiry_s: how long NFD may believe it
 * (NFD 0.14 and later), refreshed before half of that has passed; 0: for ever. Publishing:
 * - the old file stays as it is until the new one is whole and on disk;
 * - without a label there is no file;
 * - -EBUSY where another process holds the file; err says who.
 * Returns 0 or -ENOMEM.
 */
int feature_file_open(const char *dir, unsigned int expiry_s, struct output **ret, struct err *err);
