/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What systemd is told: a datagram to $NOTIFY_SOCKET (sd_notify(3)). Without that variable nothing
 * happens. Forty lines of our own: libsystemd would bring more into memory than the rest of us.
 */
#include <stdint.h>

/* "READY=1", "STATUS=...", "STOPPING=1", "WATCHDOG=1"; several, a line each. */
void service_notify(const char *state);

/* How often the watchdog wants to hear of us: half of $WATCHDOG_USEC, in ms; 0: never. */
int64_t service_watchdog_ms(void);
