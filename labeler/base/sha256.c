/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK = 64,
	WORDS = 8,
	ROUNDS = 64,
	LENGTH_AT = BLOCK - 8, /* of the last block: how many bits the message has */
};

static const uint32_t round_constants[ROUNDS] = {
	/* clang-format off */
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	/* clang-format on */
};

static uint32_t rotate(uint32_t word, unsigned int by)
{
	return word >> by | word << (32 - by);
}

static void expand(const unsigned char *block, uint32_t schedule[static ROUNDS])
{
	for (size_t i = 0; i < ROUNDS; i++) {
		const unsigned char *at = block + 4 * i;

		if (i < 16) {
			schedule[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
				      (uint32_t)at[2] << 8 | at[3];
			continue;
		}
		const uint32_t a = schedule[i - 15];
		const uint32_t b = schedule[i - 2];

		schedule[i] = schedule[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
			      schedule[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void mix(uint32_t state[static WORDS], const unsigned char *block)
{
	uint32_t schedule[ROUNDS];
	uint32_t now[WORDS];

	expand(block, schedule);
	memcpy(now, state, sizeof(now));
	for (size_t i = 0; i < ROUNDS; i++) {
		const uint32_t a = now[0];
		const uint32_t e = now[4];
		const uint32_t choice = (e & now[5]) ^ (~e & now[6]);
		const uint32_t majority = (a & now[1]) ^ (a & now[2]) ^ (now[1] & now[2]);
		const uint32_t first = now[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
				       choice + round_constants[i] + schedule[i];
		const uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;

		memmove(now + 1, now, (WORDS - 1) * sizeof(*now));
		now[4] += first;
		now[0] = first + second;
	}
	for (size_t i = 0; i < WORDS; i++)
		state[i] += now[i];
}

struct sha256_text sha256(const void *data, size_t len)
{
	uint32_t state[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const unsigned char *at = data;
	unsigned char last[BLOCK] = {0};
	struct sha256_text text;
	size_t rest = len;

	for (; rest >= BLOCK; rest -= BLOCK, at += BLOCK)
		mix(state, at);
	if (rest > 0)
		memcpy(last, at, rest);
	last[rest] = 0x80;
	if (rest >= LENGTH_AT) {
		mix(state, last);
		memset(last, 0, sizeof(last));
	}
	for (size_t i = 0; i < 8; i++)
		last[BLOCK - 1 - i] = (unsigned char)((uint64_t)len * 8 >> 8 * i);
	mix(state, last);
	for (size_t i = 0; i < WORDS; i++)
		(void)snprintf(text.hex + 8 * i, 9, "%08x", state[i]);
	return text;
}
