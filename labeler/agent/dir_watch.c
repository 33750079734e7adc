/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dir_watch.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

enum {
	MASK = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
	       IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
};

/* Watches the directory, or else the nearest above it. */
static void arm(struct dir_watch *watch)
{
	char path[PATH_MAX];
	const int old = watch->wd;
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", watch->path);
	watch->wd = inotify_add_watch(watch->fd, path, MASK);
	while (watch->wd < 0 && (slash = strrchr(path, '/'))) {
		slash[slash == path] = '\0';
		watch->wd = inotify_add_watch(watch->fd, path, MASK);
		if (slash == path)
			break;
	}
	if (old >= 0 && old != watch->wd)
		(void)inotify_rm_watch(watch->fd, old);
}

int dir_watch_open(struct dir_watch *ret, const char *path, struct err *err)
{
	CLEANUP(dir_watch_close) struct dir_watch watch = DIR_WATCH_NONE;

	*ret = DIR_WATCH_NONE;
	watch.path = strdup(path);
	if (!watch.path)
		return err_set(err, -ENOMEM, "out of memory");
	watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch.fd < 0)
		return err_set(err, -errno, "%s: cannot be watched: %s", path, strerror(errno));
	arm(&watch);
	SWAP(*ret, watch);
	return 0;
}

/* In a volume of Kubernetes this link is turned, and every file of it is another. */
#define VOLUME_DATA "..data"

bool dir_watch_read(struct dir_watch *watch, const char *name)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	ssize_t len;

	while ((len = read(watch->fd, buf, sizeof(buf))) > 0) {
		for (const char *at = buf; at < buf + len;) {
			const struct inotify_event *event = (const void *)at;

			/* Without the directory, any event may be its coming. */
			changed |= event->len == 0 || strcmp(event->name, name) == 0 ||
				   strcmp(event->name, VOLUME_DATA) == 0 ||
				   (event->mask & IN_ISDIR) || (event->mask & IN_Q_OVERFLOW);
			at += sizeof(*event) + event->len;
		}
	}
	if (changed)
		arm(watch);
	return changed;
}

void dir_watch_close(struct dir_watch *watch)
{
	cleanup_close(&watch->fd);
	free(watch->path);
	*watch = DIR_WATCH_NONE;
}
