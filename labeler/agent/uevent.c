/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/uevent.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum {
	KERNEL_GROUP = 1,
	/* The default holds 166 events; 60 VFs at once make 300. */
	BUFFER = 1024 * 1024,
};

int uevent_open(struct err *err)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	const int size = BUFFER;
	auto_close int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return err_set(err, -errno, "no socket for kernel events: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, -errno, "kernel events are refused: %s", strerror(errno));
	return take_fd(&fd);
}

bool uevent_parse(char *buf, size_t len, struct uevent *ret)
{
	struct uevent event = {.subsystem = ""};
	char *at;

	if (len == 0 || buf[len - 1] != '\0')
		return false;
	at = strchr(buf, '@');
	if (!at || at == buf || at[1] != '/')
		return false;
	*at = '\0';
	event.action = buf;
	event.devpath = at + 1;
	for (const char *key = at + 1; key < buf + len; key += strlen(key) + 1) {
		if (strncmp(key, "SUBSYSTEM=", strlen("SUBSYSTEM=")) == 0)
			event.subsystem = key + strlen("SUBSYSTEM=");
	}
	*ret = event;
	return true;
}

bool uevent_matters(const struct uevent *event)
{
	return strcmp(event->subsystem, "pci") == 0 || strcmp(event->subsystem, "module") == 0;
}

/* The first user namespace maps every id to itself, in one line. */
bool uevent_is_silent(void)
{
	auto_fclose FILE *map = fopen("/proc/self/uid_map", "re");
	char line[64];
	char *at = line;
	unsigned long long inside;
	unsigned long long outside;

	if (!map || !fgets(line, sizeof(line), map))
		return false;
	inside = strtoull(at, &at, 10);
	outside = strtoull(at, &at, 10);
	return inside != 0 || outside != 0 || strtoull(at, NULL, 10) < UINT32_MAX;
}

int uevent_receive(int fd, char buf[static UEVENT_MAX], struct uevent *ret)
{
	for (;;) {
		struct sockaddr_nl sender = {0};
		socklen_t size = sizeof(sender);
		const ssize_t len =
			recvfrom(fd, buf, UEVENT_MAX - 1, 0, (struct sockaddr *)&sender, &size);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == ENOBUFS)
			return UEVENT_LOST;
		if (len < 0)
			return errno == EAGAIN ? UEVENT_NONE : -errno;
		/* Any process may send to the group; only the kernel has port 0. */
		if (sender.nl_pid != 0 || sender.nl_groups != KERNEL_GROUP)
			continue;
		buf[len] = '\0';
		if (uevent_parse(buf, (size_t)len + 1, ret))
			return UEVENT_ONE;
	}
}
