/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/host.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum {
	TEXT_SHOWN = 40, /* of a text that makes no sense */
	READ_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, /* a FIFO must not hold us */
};

/* Who is told. A library's callback could not be handed through every caller of the door. */
static struct host_watch *the_watch;

void host_set_watch(struct host_watch *watch)
{
	the_watch = watch;
}

struct host_watch *host_get_watch(void)
{
	return the_watch;
}

static void show(int dir, const char *path, const char *bytes, ssize_t len)
{
	if (the_watch)
		the_watch->seen(the_watch, dir, path, bytes, len);
}

void host_note(int dir, const char *name)
{
	show(dir, name, NULL, 0);
}

static int open_dir(const char *path, struct err *err)
{
	const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s: is the host's file system there?",
			       path, strerror(errno));
	return fd;
}

static char *join(const char *dir, const char *name)
{
	struct strbuf path = {0};

	strbuf_add(&path, dir);
	if (path.len == 0 || path.text[path.len - 1] != '/')
		strbuf_add(&path, "/");
	strbuf_add(&path, name);
	return strbuf_take(&path);
}

int host_open(struct host *host, const char *root, const char *sysfs, struct err *err)
{
	CLEANUP(host_close) struct host new = HOST_CLOSED;

	*host = HOST_CLOSED;
	new.root = strdup(root ? root : "/");
	if (new.root)
		new.sysfs = sysfs ? strdup(sysfs) : join(new.root, "sys");
	if (!new.sysfs)
		return err_set(err, -ENOMEM, "out of memory");
	new.root_fd = open_dir(new.root, err);
	if (new.root_fd < 0)
		return new.root_fd;
	new.sys_fd = open_dir(new.sysfs, err);
	if (new.sys_fd < 0)
		return new.sys_fd;
	SWAP(*host, new);
	return 0;
}

void host_close(struct host *host)
{
	free(host->root);
	free(host->sysfs);
	cleanup_close(&host->root_fd);
	cleanup_close(&host->sys_fd);
	*host = HOST_CLOSED;
}

DIR *host_list(int dir, const char *path)
{
	const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list;

	if (fd < 0)
		return NULL;
	show(dir, path, NULL, 0);
	list = fdopendir(fd);
	if (!list)
		(void)close(fd);
	return list;
}

/* Fills buf as far as the file goes; returns the length, which is size where there is more. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		const ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return true;
}

/* What open() left in errno. */
static int not_opened(int dir, const char *path)
{
	const int r = errno == ENOENT ? HOST_ABSENT : -errno;

	show(dir, path, NULL, r < 0 ? r : -ENOENT);
	return r;
}

int host_read_whole(int dir, const char *path, size_t max, char **ret, size_t *ret_len)
{
	auto_close int fd = openat(dir, path, READ_FLAGS);
	auto_free char *bytes = malloc(max + 1);
	ssize_t len;

	if (!bytes)
		return -ENOMEM;
	if (fd < 0)
		return not_opened(dir, path);
	len = read_all(fd, bytes, max + 1);
	show(dir, path, len < 0 ? NULL : bytes, len);
	if (len < 0)
		return (int)len;
	if ((size_t)len > max)
		return -EMSGSIZE;
	bytes[len] = '\0';
	*ret = TAKE_PTR(bytes);
	*ret_len = (size_t)len;
	return 0;
}

int host_read_head(int dir, const char *path, void *buf, size_t size)
{
	auto_close int fd = openat(dir, path, READ_FLAGS);
	ssize_t len;

	if (fd < 0)
		return not_opened(dir, path);
	len = read_all(fd, buf, size);
	show(dir, path, len < 0 ? NULL : buf, len);
	if (len < 0)
		return (int)len;
	return (size_t)len < size ? -ENODATA : 0;
}

int host_find(int dir, const char *path)
{
	const bool is_there = faccessat(dir, path, F_OK, 0) == 0;

	if (!is_there)
		return errno == ENOENT ? HOST_ABSENT : -errno;
	show(dir, path, NULL, 0);
	return 0;
}

int host_read(int dir, const char *path, char *buf, size_t size)
{
	auto_close int fd = openat(dir, path, READ_FLAGS);
	char text[HOST_TEXT + 1];
	ssize_t len;

	if (fd < 0)
		return not_opened(dir, path);
	len = read_all(fd, text, sizeof(text));
	show(dir, path, len < 0 ? NULL : text, len);
	if (len < 0)
		return (int)len;
	if ((size_t)len == sizeof(text))
		return -EMSGSIZE;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	if ((size_t)len >= size)
		return -EMSGSIZE;
	if (len == 0)
		return -ENODATA;
	if (!is_printable(text, (size_t)len))
		return -EILSEQ;
	memcpy(buf, text, (size_t)len);
	buf[len] = '\0';
	return 0;
}

int host_read_lines(int dir, const char *path, size_t most, char **ret)
{
	auto_free char *text = NULL;
	size_t len;
	const int r = host_read_whole(dir, path, most, &text, &len);

	if (r)
		return r;
	if (!text || strlen(text) != len)
		return -EILSEQ;
	*ret = TAKE_PTR(text);
	return 0;
}

const char *host_reason(int r)
{
	switch (-r) {
	case EMSGSIZE:
		return "is longer than a page";
	case ENODATA:
		return "is empty";
	case EILSEQ:
		return "holds bytes that are no text";
	case EINVAL:
		return "is no link";
	case EXDEV:
		return "points to a place where it should not";
	default:
		return strerror(-r);
	}
}

static int fail(struct fact *ret, const char *path, const char *why)
{
	struct strbuf text = {0};

	strbuf_addf(&text, "%s: %s", path, why);
	ret->text = strbuf_take(&text);
	if (!ret->text)
		return -ENOMEM;
	ret->state = FACT_FAILED;
	return 0;
}

/* As fail(), for a text that was read and makes no sense; it is shown as far as it is printable. */
static int fail_text(struct fact *ret, const char *path, const char *why, const char *text)
{
	struct strbuf all = {0};
	auto_free char *line = NULL;

	strbuf_addf(&all, "%s: \"", why);
	for (size_t i = 0; i < TEXT_SHOWN && text[i]; i++)
		strbuf_addf(&all, "%c", is_printable(&text[i], 1) ? text[i] : '?');
	strbuf_add(&all, "\"");
	line = strbuf_take(&all);
	return line ? fail(ret, path, line) : -ENOMEM;
}

int host_text(int dir, const char *path, struct fact *ret)
{
	char text[HOST_TEXT];
	const int r = host_read(dir, path, text, sizeof(text));

	if (r == HOST_ABSENT)
		return 0;
	if (r < 0)
		return fail(ret, path, host_reason(r));
	ret->text = strdup(text);
	if (!ret->text)
		return -ENOMEM;
	ret->state = FACT_KNOWN;
	return 0;
}

/* The whole of text as a number in the range. */
static bool parse_number(const char *text, struct host_range range, int64_t *ret)
{
	char *end;
	long long number;

	if (text[0] == ' ' || text[0] == '+') /* strtoll() would take these */
		return false;
	errno = 0;
	number = strtoll(text, &end, range.base);
	if (errno || end == text || *end || number < range.min || number > range.max)
		return false;
	*ret = number;
	return true;
}

int host_parse_number(const char *path, const char *text, struct host_range range, struct fact *ret)
{
	int64_t number;

	if (!parse_number(text, range, &number))
		return fail_text(ret, path, "is no such number", text);
	ret->number = number;
	ret->state = FACT_KNOWN;
	return 0;
}

int host_number(int dir, const char *path, struct host_range range, struct fact *ret)
{
	CLEANUP(fact_clear) struct fact text = {0};
	const int r = host_text(dir, path, &text);

	if (r == 0 && fact_known(&text))
		return host_parse_number(path, text.text, range, ret);
	SWAP(*ret, text);
	return r;
}

/* Does the path say .../parent/<last part>? slash is the last one of path, or NULL. */
static bool is_below(const char *path, const char *slash, const char *parent)
{
	const size_t len = strlen(parent);
	const char *start;

	if (!slash || (size_t)(slash - path) < len)
		return false;
	start = slash - len;
	return strncmp(start, parent, len) == 0 && (start == path || start[-1] == '/');
}

/* The last part of a link, in buf. Returns 0, HOST_ABSENT, or a negative errno as host_reason()
 * knows. */
static int read_link(int dir, const char *path, const char *parent, char buf[static PATH_MAX])
{
	const ssize_t len = readlinkat(dir, path, buf, PATH_MAX - 1);
	const int r = len >= 0 ? 0 : errno == ENOENT ? HOST_ABSENT : -errno;
	const char *slash;
	const char *last;

	if (r == 0 || r == -EINVAL) /* or something else stands there */
		show(dir, path, NULL, 0);
	if (r != 0)
		return r;
	buf[len] = '\0';
	slash = strrchr(buf, '/');
	last = slash ? slash + 1 : buf;
	if (parent && !is_below(buf, slash, parent))
		return -EXDEV;
	if (!*last)
		return -ENODATA;
	if (!is_printable(last, strlen(last)))
		return -EILSEQ;
	memmove(buf, last, strlen(last) + 1);
	return 0;
}

/* What all links share: 1 with the last part in buf, 0 with *ret done, or -ENOMEM. */
static int follow(int dir, const char *path, const char *parent, char buf[static PATH_MAX],
		  struct fact *ret)
{
	const int r = read_link(dir, path, parent, buf);

	if (r == HOST_ABSENT)
		return 0;
	if (r < 0)
		return fail(ret, path, host_reason(r));
	return 1;
}

int host_link_text(int dir, const char *path, const char *parent, struct fact *ret)
{
	char last[PATH_MAX];
	const int r = follow(dir, path, parent, last, ret);

	if (r <= 0)
		return r;
	ret->text = strdup(last);
	if (!ret->text)
		return -ENOMEM;
	ret->state = FACT_KNOWN;
	return 0;
}

int host_link_number(int dir, const char *path, const char *parent, struct fact *ret)
{
	const struct host_range numbers = {10, 0, INT32_MAX};
	char last[PATH_MAX];
	const int r = follow(dir, path, parent, last, ret);

	return r <= 0 ? r : host_parse_number(path, last, numbers, ret);
}

int host_link_addr(int dir, const char *path, struct fact *ret)
{
	char last[PATH_MAX];
	struct addr addr;
	const int r = follow(dir, path, NULL, last, ret);

	if (r <= 0)
		return r;
	if (!addr_parse(last, &addr))
		return fail_text(ret, path, "names no PCI address", last);
	ret->addr = addr;
	ret->state = FACT_KNOWN;
	return 0;
}
