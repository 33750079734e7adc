/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A YAML file, and the way down into it with the type that is expected at each step. Aliases are
 * links: a file that refers to itself is walked no deeper than it is asked.
 */
#include <stddef.h>

struct err;
struct yaml_doc;

enum yaml_kind {
	YAML_TEXT,
	YAML_LIST,
	YAML_MAP,
};
/* A place in a document; node 0: nothing stands there. */
struct yaml_at {
	struct yaml_doc *doc; /* borrowed */
	int node;
};

/* Returns 0, -ENOENT where there is no such file, or a negative errno with file:line. */
int yaml_doc_load(const char *path, struct yaml_doc **ret, struct err *err);
void yaml_doc_free(struct yaml_doc **doc);
const char *yaml_doc_path(const struct yaml_doc *doc);

struct yaml_at yaml_root(struct yaml_doc *doc);

/* What a map has under that key, nothing where it has not, or null. -EINVAL: it is of another kind.
 */
int yaml_child(struct yaml_at map, const char *key, enum yaml_kind kind, struct yaml_at *ret,
	       struct err *err);

/* The same of an item of a list; nothing after the last. */
int yaml_item(struct yaml_at list, size_t i, enum yaml_kind kind, struct yaml_at *ret,
	      struct err *err);

/* Borrowed; NULL where nothing stands there. */
const char *yaml_text(struct yaml_at text);

/* Puts "file:line: " before a reason, and returns -EINVAL. */
int yaml_blame(struct yaml_at at, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
