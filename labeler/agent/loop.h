/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One epoll loop: sources call back, the caller says until when to wait. */
#include <stdint.h>

struct err;

struct source {
	int fd; /* of the owner */
	void (*ready)(struct source *source);
};
struct loop {
	int fd; /* owned, epoll; -1: closed */
};
#define LOOP_CLOSED ((struct loop){.fd = -1})

int loop_open(struct loop *ret, struct err *err);
void loop_close(struct loop *loop);

/* The source stays where it is until loop_remove() or the closing of its fd. */
int loop_add(struct loop *loop, struct source *source, struct err *err);
void loop_remove(struct loop *loop, const struct source *source);

/* Waits for sources, but not beyond due_ms of output_now_ms(), and lets those that are ready call
 * back. */
void loop_wait(struct loop *loop, int64_t due_ms);
