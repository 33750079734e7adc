/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a capture leaves out of the files that it holds. Pure. */
#include <stddef.h>

/*
 * The content of the file at that path as a capture may show it, owned by the caller: the words of
 * the kernel's command line that concern GPUs, hashes in place of unique ids, only those lines of
 * modprobe's configuration that keep a module of ours away. Every other file as it is. NULL where
 * memory runs out.
 */
char *privacy_clean(const char *path, const char *bytes, size_t len, size_t *ret_len);
