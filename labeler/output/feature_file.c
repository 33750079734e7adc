/* SPDX-License-Identifier: Apache-2.0 */
#include "output/feature_file.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "rules/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ASIDE ".gpu-labeler"
#define NEW_FILE ASIDE "/new"

enum {
	DIR_MODE = 0755,
	FILE_MODE = 0644, /* NFD's worker reads it as another user */
};

static int fail(struct err *err, int r, const char *what, const char *dir)
{
	return err_set(err, r, "cannot %s %s/" FEATURE_FILE_NAME ": %s: the old labels stay", what,
		       dir, strerror(-r));
}

static int text_of(const struct labels *labels, struct strbuf *text, struct err *err)
{
	for (size_t i = 0; i < labels->n_items; i++)
		strbuf_addf(text, "%s=%s\n", labels->items[i].key, labels->items[i].value);
	if (text->failed)
		return err_set(err, -ENOMEM, "out of memory for the feature file");
	if (text->len >= FEATURE_FILE_MAX)
		return err_set(err, -EFBIG,
			       "%zu bytes of labels: NFD reads no feature file of %d bytes or more",
			       text->len, FEATURE_FILE_MAX);
	return 0;
}

/* Is this already the file's content? A file that cannot be read is not. */
static bool is_there(int dir_fd, const struct strbuf *text)
{
	auto_close int fd = openat(dir_fd, FEATURE_FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	auto_free char *old = malloc(text->len + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0 || !old)
		return false;
	while (n > 0 && len <= text->len) {
		n = read(fd, old + len, text->len + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return n == 0 && len == text->len && memcmp(old, text->text, len) == 0;
}

static int write_all(int fd, const struct strbuf *text)
{
	size_t done = 0;

	while (done < text->len) {
		const ssize_t n = write(fd, text->text + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The whole content on disk, under its passing name. */
static int write_aside(int dir_fd, const struct strbuf *text)
{
	auto_close int fd = -1;
	int r;

	if (mkdirat(dir_fd, ASIDE, DIR_MODE) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, NEW_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    FILE_MODE);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r < 0)
		return r;
	if (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0) /* the umask may have taken from the mode */
		return -errno;
	return 0;
}

static int replace(int dir_fd, const struct strbuf *text)
{
	const int r = write_aside(dir_fd, text);

	if (r == 0 && renameat(dir_fd, NEW_FILE, dir_fd, FEATURE_FILE_NAME) == 0)
		return 0;
	return r < 0 ? r : -errno;
}

int feature_file_publish(const char *dir, const struct labels *labels, struct err *err)
{
	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(strbuf_clear) struct strbuf text = {0};
	int r;

	if (dir_fd < 0)
		return fail(err, -errno, "write", dir);
	r = text_of(labels, &text, err);
	if (r < 0)
		return r;
	if (labels->n_items == 0) {
		if (unlinkat(dir_fd, FEATURE_FILE_NAME, 0) == 0)
			return 0;
		return errno == ENOENT ? FEATURE_FILE_SAME : fail(err, -errno, "remove", dir);
	}
	if (is_there(dir_fd, &text))
		return FEATURE_FILE_SAME;
	r = replace(dir_fd, &text);
	if (r < 0) {
		(void)unlinkat(dir_fd, NEW_FILE, 0);
		return fail(err, r, "write", dir);
	}
	(void)fsync(dir_fd);
	return 0;
}
