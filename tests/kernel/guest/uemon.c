/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uemon DIR: writes down what the kernel says and what becomes of the files in DIR, each with the
 * microsecond of the monotonic clock, one line an event:
 *
 *   1234567 U pci bind@/devices/pci0000:00/0000:00:02.0/0000:01:00.0
 *   1289012 F moved-in gpu-labeler
 *
 * It runs before anyone else does (SCHED_FIFO), so that a line's time is that of its event, also on
 * one emulated processor that is busy.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	KERNEL_GROUP = 1,
	MESSAGE_MAX = 16 * 1024,
	QUEUE_BYTES = 32 * 1024 * 1024, /* nothing may be lost */
};

static const struct {
	unsigned int bit;
	const char *word;
} changes[] = {
	/* clang-format off */
	{IN_CREATE,      "created"},
	{IN_MODIFY,      "modified"},
	{IN_CLOSE_WRITE, "closed"},
	{IN_ATTRIB,      "attributes"},
	{IN_MOVED_TO,    "moved-in"},
	{IN_MOVED_FROM,  "moved-out"},
	{IN_DELETE,      "deleted"},
	{IN_Q_OVERFLOW,  "LOST"},
	/* clang-format on */
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int open_uevents(void)
{
	const struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	const int size = QUEUE_BYTES;
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (const struct sockaddr *)&group, sizeof(group)) < 0)
		die("uemon: uevents");
	return fd;
}

static int open_directory(const char *dir)
{
	const int fd = inotify_init1(IN_CLOEXEC);
	unsigned int mask = 0;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		mask |= changes[i].bit;
	if (fd < 0 || inotify_add_watch(fd, dir, (mask & IN_ALL_EVENTS) | IN_ONLYDIR) < 0)
		die("uemon: directory");
	return fd;
}

/* The value of key in the strings that follow a message's first. */
static const char *value_of(const char *at, const char *end, const char *key)
{
	const size_t len = strlen(key);

	for (; at < end; at += strlen(at) + 1) {
		if (strncmp(at, key, len) == 0)
			return at + len;
	}
	return "-";
}

static void write_uevent(int fd)
{
	char message[MESSAGE_MAX];
	const ssize_t len = recv(fd, message, sizeof(message) - 1, 0);
	const long long us = now_us();

	if (len < 0) {
		printf("%lld U LOST %s\n", us, strerror(errno));
		return;
	}
	message[len] = '\0';
	printf("%lld U %s %s\n", us, value_of(message, message + len, "SUBSYSTEM="), message);
}

static void write_changes(int fd)
{
	char bytes[MESSAGE_MAX] __attribute__((aligned(__alignof__(struct inotify_event))));
	const ssize_t len = read(fd, bytes, sizeof(bytes));
	const long long us = now_us();

	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event = (const void *)(bytes + at);

		for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
			if (event->mask & changes[i].bit)
				printf("%lld F %s %s\n", us, changes[i].word,
				       event->len ? event->name : ".");
		}
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

int main(int argc, char **argv)
{
	const struct sched_param first = {.sched_priority = 10};
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};

	if (argc != 2) {
		fputs("usage: uemon DIR\n", stderr);
		return 2;
	}
	if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		perror("uemon: SCHED_FIFO");
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	fds[0].fd = open_uevents();
	fds[1].fd = open_directory(argv[1]);
	printf("%lld U uemon ready\n", now_us());
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			write_changes(fds[1].fd);
		if (fds[0].revents)
			write_uevent(fds[0].fd);
	}
	die("uemon: poll");
}
