/* SPDX-License-Identifier: Apache-2.0 */
#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}
