/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where labels go. One kind a file: each has a constructor, the rest is the same for all. */
#include "rules/notes.h"

#include <stdint.h>
#include <time.h>

struct err;
struct kube_traffic;
struct labels;
struct output;

enum {
	OUTPUT_SAME = 1,     /* what is there is what should be: nothing was written */
	OUTPUT_TOO_SOON = 2, /* the place was touched just now: not before output_free_at_ms() */
	OUTPUT_WAITING = 3,  /* for an answer: publish again when fd is readable or at due_ms */
};
struct output_ops {
	/*
	 * Takes hold of the place, so that a second writer is noticed at once and not at the first
	 * publication. 0, -EBUSY where another process has it, or another negative errno. NULL:
	 * there is nothing to hold.
	 */
	int (*hold)(struct output *output, struct err *err);
	/*
	 * Makes what is published these labels and no others. 0, one of the above, or a negative
	 * errno.
	 */
	int (*publish)(struct output *output, const struct labels *labels, struct err *err);
	/* Leaves nothing of ours behind. 0 or a negative errno. */
	int (*withdraw)(struct output *output, struct err *err);
	void (*free)(struct output *output);
};
struct output {
	const struct output_ops *ops;
	char *describe;     /* owned: "file /etc/.../gpu-labeler" */
	char *watched;      /* owned: a directory whose changes call for a look; NULL: none */
	const char *file;   /* the file in it that is ours */
	int64_t spacing_ms; /* between two writes, so that no reader misses one */
	int64_t touched_ms; /* when readers last saw something happen; 0: never */
	int fd;             /* of the output; readable: publish again; -1: none */
	int64_t due_ms;     /* publish again then, also after a failure; 0: the caller knows when */
	uint64_t n_repairs; /* how often labels that somebody else changed were put right */
	char repaired[512]; /* what was, and by whom, the last time; "": nothing yet */
	size_t n_refused;   /* labels that the server does not take */
	const struct kube_traffic *traffic; /* of the output; NULL: it asks no server */
	struct notes notes; /* owned; what there is to say since the last call, for the caller */
};

/* The clock of touched_ms: it only goes forward, and counts the time that the machine slept. */
static inline int64_t output_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* From when on the output may be written again. */
static inline int64_t output_free_at_ms(const struct output *output)
{
	return output->touched_ms ? output->touched_ms + output->spacing_ms : 0;
}

/*
 * Publishes and waits until it is done, for limit_ms at most where an answer is waited for. Returns
 * 0 or OUTPUT_SAME, or a negative errno.
 */
int output_finish(struct output *output, const struct labels *labels, int64_t limit_ms,
		  struct err *err);

static inline void output_free(struct output **output)
{
	if (*output)
		(*output)->ops->free(*output);
	*output = NULL;
}
