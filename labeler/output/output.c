/* SPDX-License-Identifier: Apache-2.0 */
#include "output/output.h"

#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

/* Until something comes for the output, or the time is there. */
static void wait_for(const struct output *output, int64_t until_ms)
{
	struct pollfd fd = {.fd = output->fd, .events = POLLIN};
	int64_t wait_ms = until_ms - output_now_ms();

	if (wait_ms < 0)
		wait_ms = 0;
	(void)poll(&fd, 1, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
}

int output_finish(struct output *output, const struct labels *labels, int64_t limit_ms,
		  struct err *err)
{
	const int64_t end_ms = output_now_ms() + limit_ms;

	for (;;) {
		const int r = output->ops->publish(output, labels, err);
		int64_t until_ms = output->due_ms ? output->due_ms : end_ms;

		if (r == OUTPUT_TOO_SOON) {
			until_ms = output_free_at_ms(output);
		} else if (r < 0) { /* worth another try within the time? */
			if (!output->due_ms || output->due_ms > end_ms)
				return r;
		} else if (r != OUTPUT_WAITING) {
			return r;
		} else if (output_now_ms() >= end_ms) {
			return err_set(err, -ETIMEDOUT, "%s: no answer within %lld s",
				       output->describe, (long long)(limit_ms / 1000));
		}
		wait_for(output, until_ms < end_ms || r == OUTPUT_TOO_SOON ? until_ms : end_ms);
	}
}
