/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/loop.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "output/output.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum {
	AT_ONCE = 8, /* sources that are served by one wait */
};

int loop_open(struct loop *ret, struct err *err)
{
	const int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "no epoll: %s", strerror(errno));
	ret->fd = fd;
	return 0;
}

void loop_close(struct loop *loop)
{
	cleanup_close(&loop->fd);
	*loop = LOOP_CLOSED;
}

int loop_add(struct loop *loop, struct source *source, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	if (epoll_ctl(loop->fd, EPOLL_CTL_ADD, source->fd, &event) < 0)
		return err_set(err, -errno, "epoll takes no more: %s", strerror(errno));
	return 0;
}

void loop_remove(struct loop *loop, const struct source *source)
{
	(void)epoll_ctl(loop->fd, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_wait(struct loop *loop, int64_t due_ms)
{
	const int64_t wait_ms = due_ms - output_now_ms();
	struct epoll_event events[AT_ONCE];
	int timeout = -1;
	int n;

	if (due_ms != INT64_MAX)
		timeout = (int)(wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : wait_ms);
	n = epoll_wait(loop->fd, events, AT_ONCE, timeout);
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		source->ready(source);
	}
}
