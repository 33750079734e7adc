/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
struct err;

/*
 * A listening TCP socket at HOST:PORT, [HOST]:PORT, or :PORT for all addresses of both families.
 * Returns the fd, the caller's, or a negative errno with the reason.
 */
int listen_at(const char *address, struct err *err);
