/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/unpack.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/write_all.h"
#include "capture/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* The directories that a capture has something of. */
static const char *const tops[] = {"sys", "proc", "lib", "etc", "usr", "run"};

enum {
	OPEN_FILES = 16, /* of nftw() */
};

/* A path below the root without . or ..; returns its depth, 0: refused. */
static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (;;) {
		const size_t len = strcspn(path, "/");

		if (len == 0 || len > NAME_MAX || strncmp(path, ".", len) == 0 ||
		    (len == 2 && strncmp(path, "..", len) == 0))
			return 0;
		depth++;
		if (!path[len])
			return depth > UNPACK_DEPTH ? 0 : depth;
		path += len + 1;
	}
}

static bool has_known_top(const char *path)
{
	const size_t len = strcspn(path, "/");

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		if (strlen(tops[i]) == len && strncmp(path, tops[i], len) == 0)
			return true;
	}
	return false;
}

/* A .. behind a name could start from wherever that name is a link to. */
bool unpack_takes_link(const char *target, size_t depth)
{
	while (strncmp(target, "../", 3) == 0) {
		if (depth-- == 0)
			return false;
		target += 3;
	}
	return depth_of(target) > 0;
}

/* ./sys/ and sys/ are the same: tar itself writes both. The root itself is left empty. */
static const char *tidy_name(char *name)
{
	size_t len = strlen(name);

	while (len > 0 && name[len - 1] == '/')
		name[--len] = '\0';
	if (strcmp(name, ".") == 0)
		return "";
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

struct unpack {
	int root_fd;
	const char *dir; /* for messages */
	struct err *err;
};

/* The directory above path, made where it is not there; never through a link. -1 with err. */
static int open_parent(const struct unpack *unpack, const char *path, const char **ret_last)
{
	auto_close int fd = dup(unpack->root_fd);

	for (size_t len; fd >= 0 && (len = strcspn(path, "/"), path[len]); path += len + 1) {
		char name[NAME_MAX + 1] = {0};
		int next;

		memcpy(name, path, len);
		if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
			return -1;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		SWAP(fd, next);
		cleanup_close(&next);
	}
	*ret_last = path;
	return take_fd(&fd);
}

static bool put_file(int parent, const char *name, const struct tar_entry *entry,
		     const char *content)
{
	auto_close int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd >= 0 && write_all(fd, content, entry->size) == 0 &&
	       (!entry->locked || fchmod(fd, 0) == 0);
}

static bool put(int parent, const char *name, const struct tar_entry *entry, const char *content)
{
	struct stat there;

	if (entry->type == TAR_LINK)
		return symlinkat(entry->target, parent, name) == 0;
	if (entry->type == TAR_FILE)
		return put_file(parent, name, entry, content);
	if (mkdirat(parent, name, 0700) == 0)
		return true;
	return errno == EEXIST && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(there.st_mode);
}

/* A stranger's name, for a terminal. */
struct shown {
	char text[200];
};

static struct shown printable(const char *name)
{
	struct shown ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%s", name);
	for (char *c = ret.text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return ret;
}

static int refuse(const struct unpack *unpack, const char *path, const char *why)
{
	return err_set(unpack->err, -EINVAL, "%s: %s", printable(path).text, why);
}

static int take(const struct unpack *unpack, struct tar_entry *entry, const char *content)
{
	const char *path = tidy_name(entry->name);
	const size_t depth = depth_of(path);
	const char *last = NULL;

	if (!*path && entry->type == TAR_DIR)
		return 0;
	if (depth == 0)
		return refuse(unpack, "an entry",
			      "its path leads out of the archive, is too deep, or is no path of a "
			      "host");
	if (!has_known_top(path))
		return refuse(unpack, path, "is no part of a capture");
	if (entry->size > UNPACK_FILE)
		return refuse(unpack, path, "is larger than anything that a capture holds");
	if (entry->type == TAR_LINK && !unpack_takes_link(entry->target, depth - 1))
		return refuse(unpack, path, "is a link that could lead out of the archive");
	auto_close int parent = open_parent(unpack, path, &last);
	if (parent < 0)
		return err_set(unpack->err, -EINVAL,
			       "%s: the directory above it is a file or a link, or cannot be "
			       "made: %s",
			       printable(path).text, strerror(errno));
	if (!put(parent, last, entry, content))
		return err_set(unpack->err, -EINVAL, "%s: %s", printable(path).text,
			       errno == EEXIST ? "stands there twice" : strerror(errno));
	return 0;
}

static int take_all(const struct unpack *unpack, const struct strbuf *archive)
{
	struct tar_walk walk = {archive->text, archive->len};
	struct tar_entry entry;
	const char *content;
	size_t n = 0;
	int r;

	while ((r = tar_next(&walk, &entry, &content, unpack->err)) == 0) {
		if (++n > UNPACK_ENTRIES)
			return refuse(unpack, "the archive", "has more entries than any capture");
		r = take(unpack, &entry, content);
		if (r < 0)
			return r;
	}
	if (r == TAR_END && n == 0)
		return refuse(unpack, "the archive", "is empty");
	return r == TAR_END ? 0 : r;
}

static int read_archive(const char *path, struct strbuf *archive, struct err *err)
{
	auto_close int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
						   : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char buf[64 * 1024];
	ssize_t n;

	if (fd < 0)
		return err_set(err, -errno, "cannot be read: %s", strerror(errno));
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		strbuf_add_bytes(archive, buf, (size_t)n);
		if (archive->len > UNPACK_ARCHIVE)
			return err_set(err, -EFBIG, "is larger than %d MiB: no capture is",
				       UNPACK_ARCHIVE / (1024 * 1024));
	}
	if (n < 0)
		return err_set(err, -errno, "cannot be read: %s", strerror(errno));
	return archive->failed ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static char *make_dir(struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	auto_free char *dir = NULL;

	if (asprintf(&dir, "%s/gpu-labeler-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0) {
		dir = NULL;
		err_set(err, 0, "out of memory");
		return NULL;
	}
	if (!mkdtemp(dir)) {
		err_set(err, 0, "cannot make %s to unpack into: %s: set TMPDIR", dir,
			strerror(errno));
		return NULL;
	}
	return TAKE_PTR(dir);
}

static int unpack_into(const char *dir, const struct strbuf *archive, struct err *err)
{
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct unpack unpack = {fd, dir, err};

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", dir, strerror(errno));
	/* A capture of a node without any of them is one without GPUs, not a broken one. */
	if (mkdirat(fd, "sys", 0700) < 0)
		return err_set(err, -errno, "cannot make %s/sys: %s", dir, strerror(errno));
	return take_all(&unpack, archive);
}

int unpack_capture(const char *path, char **ret, struct err *err)
{
	CLEANUP(strbuf_clear) struct strbuf archive = {0};
	auto_free char *dir = NULL;
	int r = read_archive(path, &archive, err);

	if (r == 0) {
		dir = make_dir(err);
		r = dir ? unpack_into(dir, &archive, err) : -EIO;
	}
	if (r < 0) {
		if (dir)
			unpack_remove(dir);
		return err_prefix(err, r, "%s", path);
	}
	*ret = TAKE_PTR(dir);
	return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
	(void)about, (void)type, (void)at;
	return remove(path);
}

void unpack_remove(const char *dir)
{
	(void)nftw(dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}
