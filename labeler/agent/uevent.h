/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The kernel's events, by NETLINK_KOBJECT_UEVENT: they come within microseconds, as any user and in
 * a pod's own network namespace, but not in a user namespace other than the first. Source: the
 * message is "action@devpath", NUL, then KEY=VALUE, NUL, and so on.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

struct uevent {
	const char *action, *devpath, *subsystem; /* into the message; never NULL */
};
enum {
	UEVENT_MAX = 8192, /* a message of the kernel is smaller than that */
};
enum {
	UEVENT_NONE = 0, /* nothing more at the moment */
	UEVENT_ONE = 1,
	UEVENT_LOST = 2, /* the kernel dropped messages: only a scan tells what is */
};

/* A socket that does not block, or a negative errno. */
int uevent_open(struct err *err);

/* Are we in a user namespace of our own? No event comes there, and no error either. */
bool uevent_is_silent(void);

/*
 * The next message of the kernel; those of other senders are skipped. buf holds it, *ret points
 * into it. Returns one of the above, or a negative errno where the socket is of no more use.
 */
int uevent_receive(int fd, char buf[static UEVENT_MAX], struct uevent *ret);

/* Pure: true where buf, len bytes with a NUL at the end, is a kernel message. Changes buf. */
bool uevent_parse(char *buf, size_t len, struct uevent *ret);

/* Can it change what a scan finds: a PCI function, or a module? */
bool uevent_matters(const struct uevent *event);
