/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Base64 of both alphabets, as kubeconfigs (RFC 4648 section 4) and tokens (section 5) have it.
 * Pure.
 */
#include <stddef.h>

/*
 * Decodes len characters; white space between them and missing padding are allowed. Returns the
 * bytes with a NUL after them, the caller's, and their number in *ret_len; NULL where the text is
 * no base64 or memory ran out.
 */
char *base64_decode(const char *text, size_t len, size_t *ret_len);
