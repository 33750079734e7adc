/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SHA-256, as FIPS 180-4 has it: for what must be told apart and not be read. */
#include <stddef.h>

enum {
	SHA256_HEX = 64,
};
struct sha256_text {
	char hex[SHA256_HEX + 1];
};
struct sha256_text sha256(const void *data, size_t len);
