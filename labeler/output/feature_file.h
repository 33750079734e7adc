/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * NFD's feature file. Source of the rules: NFD's local source reads every regular file of
 * features.d line by line; v0.19 looks again when something happens in the directory, but drops
 * what happens within the second after. So a new content is made in a hidden sub-directory, which
 * no version reads, and comes into features.d by one rename.
 */
struct err;
struct labels;

#define FEATURE_FILE_DIR "/etc/kubernetes/node-feature-discovery/features.d"
#define FEATURE_FILE_NAME "gpu-labeler"

enum {
	FEATURE_FILE_SAME = 1,    /* what is there is what should be: nothing was written */
	FEATURE_FILE_MAX = 65536, /* NFD skips a larger file whole */
};

/*
 * Makes dir/gpu-labeler hold exactly these labels; with none, it is removed. The old file stays as
 * it is until the new one is whole and on disk. Returns 0, FEATURE_FILE_SAME, or a negative errno.
 */
int feature_file_publish(const char *dir, const struct labels *labels, struct err *err);
