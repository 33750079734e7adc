/* SPDX-License-Identifier: Apache-2.0 */
#include "output/feature_file.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/write_all.h"
#include "rules/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define ASIDE ".gpu-labeler"
#define NEW_FILE ASIDE "/new"
#define LOCK_FILE ASIDE "/lock"
#define EXPIRY "# +expiry-time="

enum {
	DIR_MODE = 0755,
	FILE_MODE = 0644, /* NFD's worker reads it as another user */
};
struct feature_file {
	struct output output;
	char *dir; /* owned */
	unsigned int expiry_s;
	int dir_fd;  /* owned; -1: not held */
	int lock_fd; /* owned; -1: not held */
};

static struct feature_file *of(struct output *output)
{
	return (struct feature_file *)output;
}

static void let_go(struct feature_file *file)
{
	cleanup_close(&file->lock_fd);
	cleanup_close(&file->dir_fd);
	file->lock_fd = -1;
	file->dir_fd = -1;
}

static int fail(const struct feature_file *file, int r, const char *what, struct err *err)
{
	return err_set(err, r, "cannot %s %s/" FEATURE_FILE_NAME ": %s: the old labels stay", what,
		       file->dir, strerror(-r));
}

/* Has the path still the directory that is held? */
static bool is_held(const struct feature_file *file)
{
	struct stat held;
	struct stat there;

	return file->lock_fd >= 0 && fstat(file->dir_fd, &held) == 0 &&
	       stat(file->dir, &there) == 0 && held.st_dev == there.st_dev &&
	       held.st_ino == there.st_ino && faccessat(file->dir_fd, LOCK_FILE, F_OK, 0) == 0;
}

/* Who wrote the lock: "pid 123 on host gpu-7". */
static int held_by_another(const struct feature_file *file, int lock_fd, struct err *err)
{
	char holder[128];
	const ssize_t len = pread(lock_fd, holder, sizeof(holder) - 1, 0);

	holder[len > 0 ? len : 0] = '\0';
	for (char *c = holder; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = ' ';
	}
	return err_set(err, -EBUSY,
		       "%s/" FEATURE_FILE_NAME
		       ": another gpu-labeler holds it (%s): stop that one, "
		       "or take another directory",
		       file->dir, *holder ? holder : "it does not say which");
}

/* Not through the lock itself: a file open for writing would keep the disk from being unmounted. */
static void sign_lock(int dir_fd)
{
	auto_close int fd = openat(dir_fd, LOCK_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	char host[65] = "";
	char text[128];

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(text, sizeof(text), "pid %d on host %s", getpid(), host);
	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

static int hold(struct output *output, struct err *err)
{
	struct feature_file *file = of(output);
	auto_close int dir_fd = -1;
	auto_close int lock_fd = -1;

	if (is_held(file))
		return 0;
	let_go(file);
	dir_fd = open(file->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && errno == ENOENT)
		return err_set(err, -ENOENT, "%s: there is no such directory", file->dir);
	if (dir_fd < 0)
		return fail(file, -errno, "write", err);
	if (mkdirat(dir_fd, ASIDE, DIR_MODE) == 0)
		output->touched_ms =
			output_now_ms(); /* NFD sees this, and then nothing for a second */
	else if (errno != EEXIST)
		return fail(file, -errno, "write", err);
	lock_fd = openat(dir_fd, LOCK_FILE, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (lock_fd < 0)
		return fail(file, -errno, "lock", err);
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? held_by_another(file, lock_fd, err)
					    : fail(file, -errno, "lock", err);
	sign_lock(dir_fd);
	(void)unlinkat(dir_fd, NEW_FILE, 0); /* of a run that was killed */
	file->dir_fd = take_fd(&dir_fd);
	file->lock_fd = take_fd(&lock_fd);
	return 0;
}

static int text_of(const struct labels *labels, struct strbuf *text, struct err *err)
{
	for (size_t i = 0; i < labels->n_items; i++)
		strbuf_addf(text, "%s=%s\n", labels->items[i].key, labels->items[i].value);
	if (text->failed)
		return err_set(err, -ENOMEM, "out of memory for the feature file");
	if (text->len >= FEATURE_FILE_MAX - 64) /* with the line of the expiry */
		return err_set(err, -EFBIG,
			       "%zu bytes of labels: NFD reads no feature file of %d bytes or more",
			       text->len, FEATURE_FILE_MAX);
	return 0;
}

/* The file's whole text, or NULL. */
static char *read_file(const struct feature_file *file, size_t most)
{
	auto_close int fd = openat(file->dir_fd, FEATURE_FILE_NAME,
				   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	auto_free char *text = malloc(most + 1);
	struct stat about;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0 || !text || fstat(fd, &about) < 0 || (about.st_mode & 07777) != FILE_MODE)
		return NULL;
	while (n > 0 && len < most) {
		n = read(fd, text + len, most - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	return n == 0 && strlen(text) == len ? TAKE_PTR(text) : NULL;
}

/* Is the expiry of the file's first line far enough away? *text then goes to the line after. */
static bool is_fresh(const struct feature_file *file, const char **text)
{
	struct tm parts = {0};
	const char *rest;

	if (file->expiry_s == 0)
		return true;
	if (strncmp(*text, EXPIRY, strlen(EXPIRY)) != 0)
		return false;
	rest = strptime(*text + strlen(EXPIRY), "%Y-%m-%dT%H:%M:%SZ\n", &parts);
	if (!rest || timegm(&parts) - time(NULL) < (time_t)file->expiry_s / 2)
		return false;
	*text = rest;
	return true;
}

static bool is_there(const struct feature_file *file, const struct strbuf *text)
{
	auto_free char *old = read_file(file, text->len + 128);
	const char *labels = old;

	return old && text->text && is_fresh(file, &labels) && strcmp(labels, text->text) == 0;
}

static int write_expiry(const struct feature_file *file, int fd)
{
	const time_t end = time(NULL) + (time_t)file->expiry_s;
	char line[64];
	struct tm parts;

	if (file->expiry_s == 0)
		return 0;
	if (!gmtime_r(&end, &parts))
		return -EOVERFLOW;
	return write_all(fd, line,
			 strftime(line, sizeof(line), EXPIRY "%Y-%m-%dT%H:%M:%SZ\n", &parts));
}

/* The whole content on disk, under its passing name. */
static int write_aside(const struct feature_file *file, const struct strbuf *text)
{
	auto_close int fd =
		openat(file->dir_fd, NEW_FILE,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int r;

	if (fd < 0)
		return -errno;
	r = write_expiry(file, fd);
	if (r == 0)
		r = write_all(fd, text->text, text->len);
	if (r < 0)
		return r;
	if (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0) /* the umask may have taken from the mode */
		return -errno;
	return 0;
}

static int replace(const struct feature_file *file, const struct strbuf *text)
{
	int r = write_aside(file, text);

	if (r == 0 && renameat(file->dir_fd, NEW_FILE, file->dir_fd, FEATURE_FILE_NAME) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(file->dir_fd, NEW_FILE, 0);
	else
		(void)fsync(file->dir_fd);
	return r;
}

static int write_file(const struct feature_file *file, const struct strbuf *text, struct err *err)
{
	const int r = replace(file, text);

	return r < 0 ? fail(file, r, "write", err) : 0;
}

/* Is there anything of that name, even a link to nowhere? */
static bool is_in_place(const struct feature_file *file)
{
	return faccessat(file->dir_fd, FEATURE_FILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int remove_file(const struct feature_file *file, struct err *err)
{
	if (unlinkat(file->dir_fd, FEATURE_FILE_NAME, 0) == 0)
		return 0;
	return errno == ENOENT ? OUTPUT_SAME : fail(file, -errno, "remove", err);
}

static int publish(struct output *output, const struct labels *labels, struct err *err)
{
	const struct feature_file *file = of(output);
	CLEANUP(strbuf_clear) struct strbuf text = {0};
	int r;

	r = hold(output, err);
	if (r == 0)
		r = text_of(labels, &text, err);
	if (r < 0)
		return r;
	if (labels->n_items == 0 ? !is_in_place(file) : is_there(file, &text))
		return OUTPUT_SAME;
	if (output_free_at_ms(output) > output_now_ms()) /* a removal is a change as any other */
		return OUTPUT_TOO_SOON;
	if (labels->n_items == 0)
		r = remove_file(file, err);
	else
		r = write_file(file, &text, err);
	if (r == 0)
		output->touched_ms = output_now_ms();
	return r;
}

static int withdraw(struct output *output, struct err *err)
{
	struct feature_file *file = of(output);
	int r = hold(output, err);

	if (r == -ENOENT) /* no directory, no file of ours */
		return 0;
	if (r == 0)
		r = remove_file(file, err);
	if (r < 0)
		return r;
	(void)unlinkat(file->dir_fd, LOCK_FILE, 0);
	(void)unlinkat(file->dir_fd, ASIDE, AT_REMOVEDIR);
	let_go(file);
	return 0;
}

static void free_file(struct output *output)
{
	struct feature_file *file = of(output);

	let_go(file);
	free(file->dir);
	free(output->describe);
	free(output->watched);
	free(file);
}

static const struct output_ops ops = {hold, publish, withdraw, free_file};

int feature_file_open(const char *dir, unsigned int expiry_s, struct output **ret, struct err *err)
{
	CLEANUP(output_free) struct output *output = NULL;
	struct feature_file *file = calloc(1, sizeof(*file));

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	output = &file->output;
	*output = (struct output){
		.ops = &ops,
		.watched = strdup(dir),
		.file = FEATURE_FILE_NAME,
		.spacing_ms = FEATURE_FILE_SPACING_MS,
		.fd = -1,
	};
	file->dir_fd = -1;
	file->lock_fd = -1;
	file->expiry_s = expiry_s;
	file->dir = strdup(dir);
	if (asprintf(&output->describe, "file %s/" FEATURE_FILE_NAME, dir) < 0)
		output->describe = NULL;
	if (!file->dir || !output->watched || !output->describe)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = TAKE_PTR(output);
	return 0;
}
