/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/* Writes all of it, however often a signal comes between. Returns 0 or a negative errno. */
int write_all(int fd, const char *bytes, size_t len);
