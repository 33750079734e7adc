/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/record.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "capture/privacy.h"
#include "capture/tar.h"
#include "capture/unpack.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LINKS_MAX = 40, /* on the way to one file, as the kernel has it */
};

static void entry_clear(struct record_entry *entry)
{
	free(entry->path);
	free(entry->bytes);
}

static void add(struct record *record, const char *path, enum record_kind kind, const char *bytes,
		size_t len)
{
	CLEANUP(entry_clear)
	struct record_entry entry = {.path = strdup(path), .kind = kind, .len = len};

	if (bytes) {
		entry.bytes = malloc(len + 1);
		if (entry.bytes)
			memcpy(entry.bytes, bytes, len);
	}
	if (record->n_items == record->size) {
		const size_t size = record->size ? record->size * 2 : 1024;
		struct record_entry *grown =
			reallocarray(record->items, size, sizeof(*record->items));

		record->failed |= !grown;
		if (!grown)
			return;
		record->items = grown;
		record->size = size;
	}
	record->failed |= !entry.path || (bytes && !entry.bytes);
	if (record->failed)
		return;
	record->items[record->n_items] = (struct record_entry){0};
	SWAP(record->items[record->n_items], entry);
	record->n_items++;
}

/* The directory that a descriptor is of, links resolved. */
static bool path_of_fd(int fd, char buf[static PATH_MAX])
{
	char link[64];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, PATH_MAX - 1);
	if (len <= 0)
		return false;
	buf[len] = '\0';
	return buf[0] == '/';
}

/* A place in the host: where it really is, and what it is called below the root of the system. */
struct place {
	char real[PATH_MAX];
	char name[PATH_MAX]; /* "" is the root */
};

/* Is path at or below dir? *rest: what follows, without its slash. */
static bool is_below(const char *path, const char *dir, const char **rest)
{
	const size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

	if (strncmp(path, dir, len) != 0 || (path[len] && path[len] != '/'))
		return false;
	*rest = path[len] ? path + len + 1 : path + len;
	return true;
}

/* False where the directory is no part of the host: nothing of it is recorded. */
static bool find_place(const struct record *record, int dir, struct place *ret)
{
	char root[PATH_MAX];
	char sys[PATH_MAX];
	const char *rest;

	if (!path_of_fd(dir, ret->real) || !path_of_fd(record->host->root_fd, root) ||
	    !path_of_fd(record->host->sys_fd, sys))
		return false;
	if (is_below(ret->real, sys, &rest))
		return snprintf(ret->name, PATH_MAX, "sys%s%s", *rest ? "/" : "", rest) < PATH_MAX;
	if (!is_below(ret->real, root, &rest))
		return false;
	memmove(ret->name, rest, strlen(rest) + 1);
	return true;
}

/* Every directory from the root to this one. */
static void add_parents(struct record *record, const char *name)
{
	char path[PATH_MAX];

	if (record->last_start && strcmp(record->last_start, name) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s", name);
	for (char *slash = path; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		add(record, path, RECORD_DIR, NULL, 0);
	}
	if (*path)
		add(record, path, RECORD_DIR, NULL, 0);
	free(record->last_start);
	record->last_start = strdup(name);
}

static bool append(char path[static PATH_MAX], const char *name, size_t len)
{
	const size_t old = strlen(path);
	const bool slash = old > 0 && path[old - 1] != '/';

	if (old + slash + len >= PATH_MAX)
		return false;
	if (slash)
		path[old] = '/';
	memcpy(path + old + slash, name, len);
	path[old + slash + len] = '\0';
	return true;
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash && slash > path)
		*slash = '\0';
	else
		path[slash ? 1 : 0] = '\0';
}

static bool go_up(struct place *place)
{
	if (!*place->name)
		return false; /* out of the host: no business of ours */
	cut_last(place->real);
	cut_last(place->name);
	return true;
}

/* What was read of the file that a walk ends at. */
struct content {
	const char *bytes;
	ssize_t len;
};

/* One that was not read stands there empty: that it is there was the question. */
static void add_file(struct record *record, const char *name, const struct content *content)
{
	if (content->bytes)
		add(record, name, RECORD_FILE, content->bytes, (size_t)content->len);
	else if (content->len == 0)
		add(record, name, RECORD_FILE, NULL, 0);
	else if (content->len != -ENOENT)
		add(record, name, RECORD_LOCKED, NULL, 0);
}

static size_t depth_of(const char *name)
{
	size_t depth = 0;

	for (; *name; name++)
		depth += *name == '/';
	return depth;
}

/*
 * Adds a link, and what follows behind it to rest. False where the walk ends here: a link that no
 * capture may hold, such as one from the root of the system, is replaced by what is behind it.
 */
static bool walk_link(struct record *record, struct place *place, char rest[static PATH_MAX],
		      const struct content *content)
{
	const bool last = *rest == '\0';
	char target[PATH_MAX];
	const ssize_t n = readlink(place->real, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	if (!unpack_takes_link(target, depth_of(place->name))) {
		if (last && content->len != 0)
			add_file(record, place->name, content);
		return false;
	}
	add(record, place->name, RECORD_LINK, target, (size_t)n);
	/* The end of a link is walked to only for what is in it. */
	if ((last && !content->bytes && content->len == 0) || !append(target, rest, strlen(rest)))
		return false;
	memcpy(rest, target, strlen(target) + 1);
	return go_up(place);
}

/*
 * One step of a walk: rest is what is left to go. True where it goes on, place and rest behind the
 * step.
 */
static bool walk_step(struct record *record, struct place *place, char rest[static PATH_MAX],
		      const struct content *content, int *links)
{
	const size_t len = strcspn(rest, "/");
	const bool last = rest[len + (rest[len] == '/')] == '\0';
	struct stat about;

	if (len == 2 && strncmp(rest, "..", len) == 0) {
		memmove(rest, rest + len, strlen(rest + len) + 1);
		return go_up(place);
	}
	if (len == 0 || (len == 1 && rest[0] == '.')) {
		memmove(rest, rest + len + (rest[len] == '/'),
			strlen(rest + len) + (rest[len] != '/'));
		return *rest != '\0';
	}
	if (!append(place->real, rest, len) || !append(place->name, rest, len) ||
	    lstat(place->real, &about) < 0)
		return false;
	memmove(rest, rest + len, strlen(rest + len) + 1);
	if (S_ISLNK(about.st_mode))
		return ++*links <= LINKS_MAX && walk_link(record, place, rest, content);
	if (S_ISDIR(about.st_mode))
		add(record, place->name, RECORD_DIR, NULL, 0);
	else if (last)
		add_file(record, place->name, content);
	return !last && S_ISDIR(about.st_mode);
}

static void seen(struct host_watch *watch, int dir, const char *path, const char *bytes,
		 ssize_t len)
{
	struct record *record = (struct record *)watch;
	const struct content content = {bytes, len};
	struct place place;
	char rest[PATH_MAX];
	int links = 0;

	if (strlen(path) >= PATH_MAX || !find_place(record, dir, &place))
		return;
	add_parents(record, place.name);
	memcpy(rest, path, strlen(path) + 1);
	while (*rest && walk_step(record, &place, rest, &content, &links))
		;
}

/* What libkmod said becomes a line of a file, in place of module files of many megabytes. */
static void told(struct host_watch *watch, const char *release, const char *line)
{
	struct record *record = (struct record *)watch;
	CLEANUP(strbuf_clear) struct strbuf path = {0};
	CLEANUP(strbuf_clear) struct strbuf text = {0};

	strbuf_addf(&path, "lib/modules/%s", release);
	strbuf_addf(&text, "%s\n", line);
	record->failed |= path.failed || text.failed;
	if (record->failed)
		return;
	add_parents(record, path.text);
	strbuf_add(&path, "/modules.captured");
	record->failed |= path.failed;
	if (!record->failed)
		add(record, path.text, RECORD_FILE, text.text, text.len);
}

void record_start(struct record *record, const struct host *host)
{
	record->watch = (struct host_watch){seen, told};
	record->host = host;
	host_set_watch(&record->watch);
}

void record_stop(struct record *record)
{
	(void)record;
	host_set_watch(NULL);
}

static int compare(const void *a, const void *b)
{
	const struct record_entry *left = a;
	const struct record_entry *right = b;
	const size_t shorter = left->len < right->len ? left->len : right->len;
	int order = strcmp(left->path, right->path);

	if (order == 0)
		order = (int)left->kind - (int)right->kind;
	if (order == 0 && left->bytes && right->bytes)
		order = memcmp(left->bytes, right->bytes, shorter);
	return order ? order : (left->len > right->len) - (left->len < right->len);
}

static bool ends_in(const char *path, const char *end)
{
	return strlen(path) >= strlen(end) && strcmp(path + strlen(path) - strlen(end), end) == 0;
}

/* What libkmod said comes a line at a time: one file of all of them. */
static void join(struct record *record, struct record_entry *to, struct record_entry *from)
{
	char *grown = realloc(to->bytes, to->len + from->len + 1);

	record->failed |= !grown;
	if (!grown)
		return;
	memcpy(grown + to->len, from->bytes, from->len);
	to->bytes = grown;
	to->len += from->len;
}

static void clean(struct record *record, struct record_entry *entry)
{
	char *bytes;

	if (entry->kind != RECORD_FILE || !entry->bytes)
		return;
	bytes = privacy_clean(entry->path, entry->bytes, entry->len, &entry->len);
	record->failed |= !bytes;
	free(entry->bytes);
	entry->bytes = bytes;
}

void record_tidy(struct record *record)
{
	size_t n = 0;

	if (record->n_items == 0)
		return;
	qsort(record->items, record->n_items, sizeof(*record->items), compare);
	for (size_t i = 0; i < record->n_items; i++) {
		struct record_entry *kept = n > 0 ? &record->items[n - 1] : NULL;
		struct record_entry *next = &record->items[i];
		const bool same = kept && strcmp(kept->path, next->path) == 0;
		const bool twice =
			same && kept->bytes && next->kind == RECORD_FILE &&
			(kept->len < next->len ||
			 memcmp(kept->bytes + kept->len - next->len, next->bytes, next->len) != 0);

		if (twice && ends_in(next->path, "/modules.captured"))
			join(record, kept, next);
		if (same && kept->kind == RECORD_FILE && !kept->bytes)
			SWAP(*kept, *next); /* it was looked at first, and read or refused then */
		if (same) {
			entry_clear(next);
			continue;
		}
		SWAP(record->items[n], *next);
		n++;
	}
	record->n_items = n;
	for (size_t i = 0; i < n; i++)
		clean(record, &record->items[i]);
}

int record_to_tar(const struct record *record, struct strbuf *out, struct err *err)
{
	static const enum tar_type types[] = {
		[RECORD_FILE] = TAR_FILE,
		[RECORD_LOCKED] = TAR_FILE,
		[RECORD_LINK] = TAR_LINK,
		[RECORD_DIR] = TAR_DIR,
	};

	if (record->failed)
		return err_set(err, -ENOMEM, "out of memory for the capture");
	for (size_t i = 0; i < record->n_items; i++) {
		const struct record_entry *entry = &record->items[i];
		struct tar_entry tar = {.type = types[entry->kind],
					.locked = entry->kind == RECORD_LOCKED,
					.size = entry->kind == RECORD_FILE ? entry->len : 0};

		if (entry->len > UNPACK_FILE || strlen(entry->path) >= TAR_NAME - 1)
			return err_set(err, -EFBIG, "/%s: does not fit into a capture",
				       entry->path);
		(void)snprintf(tar.name, TAR_NAME, "%s%s", entry->path,
			       entry->kind == RECORD_DIR ? "/" : "");
		if (entry->kind == RECORD_LINK)
			(void)snprintf(tar.target, TAR_NAME, "%.*s", (int)entry->len, entry->bytes);
		tar_add(out, &tar, entry->bytes ? entry->bytes : "");
	}
	tar_end(out);
	return out->failed ? err_set(err, -ENOMEM, "out of memory for the capture") : 0;
}

void record_clear(struct record *record)
{
	for (size_t i = 0; i < record->n_items; i++)
		entry_clear(&record->items[i]);
	free(record->items);
	free(record->last_start);
	*record = (struct record){0};
}
