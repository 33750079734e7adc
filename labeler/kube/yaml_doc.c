/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/yaml_doc.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum {
	FILE_MOST = 4 << 20,
};
struct yaml_doc {
	yaml_document_t yaml;
	char *path; /* owned */
};

void yaml_doc_free(struct yaml_doc **doc)
{
	if (!*doc)
		return;
	yaml_document_delete(&(*doc)->yaml);
	free((*doc)->path);
	free(*doc);
	*doc = NULL;
}

const char *yaml_doc_path(const struct yaml_doc *doc)
{
	return doc->path;
}

static int open_file(const char *path, FILE **ret, struct err *err)
{
	auto_fclose FILE *file = fopen(path, "re");
	struct stat about;

	if (!file)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	if (fstat(fileno(file), &about) < 0)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return err_set(err, -EINVAL, "%s: is no file", path);
	if (about.st_size > FILE_MOST)
		return err_set(err, -EINVAL, "%s: larger than %d MiB: is this the right file?",
			       path, FILE_MOST >> 20);
	*ret = TAKE_PTR(file);
	return 0;
}

static int parse(yaml_parser_t *parser, struct yaml_doc *doc, struct err *err)
{
	if (yaml_parser_load(parser, &doc->yaml))
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(err, -ENOMEM, "out of memory");
	return err_set(err, -EINVAL, "%s:%zu: no YAML: %s", doc->path,
		       parser->problem_mark.line + 1,
		       parser->problem ? parser->problem : "cannot be read");
}

int yaml_doc_load(const char *path, struct yaml_doc **ret, struct err *err)
{
	CLEANUP(yaml_doc_free) struct yaml_doc *doc = calloc(1, sizeof(*doc));
	auto_fclose FILE *file = NULL;
	yaml_parser_t parser;
	int r;

	if (doc)
		doc->path = strdup(path);
	if (!doc || !doc->path)
		return err_set(err, -ENOMEM, "out of memory");
	r = open_file(path, &file, err);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, "out of memory");
	yaml_parser_set_input_file(&parser, file);
	r = parse(&parser, doc, err);
	yaml_parser_delete(&parser);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(doc);
	return 0;
}

struct yaml_at yaml_root(struct yaml_doc *doc)
{
	return (struct yaml_at){doc, yaml_document_get_root_node(&doc->yaml) ? 1 : 0};
}

static const yaml_node_t *node_at(struct yaml_at at)
{
	return at.node ? yaml_document_get_node(&at.doc->yaml, at.node) : NULL;
}

int yaml_blame(struct yaml_at at, struct err *err, const char *format, ...)
{
	const yaml_node_t *node = node_at(at);
	char text[ERR_TEXT / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, -EINVAL, "%s:%zu: %s", at.doc->path,
		       node ? node->start_mark.line + 1 : 1, text);
}

/* null, ~ and nothing at all are no value. */
static bool is_null(const yaml_node_t *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++) {
		if (strcmp((const char *)node->data.scalar.value, nulls[i]) == 0)
			return true;
	}
	return false;
}

/* Hands the place out where it is of that kind. */
static int expect(struct yaml_at at, const char *name, enum yaml_kind kind, struct yaml_at *ret,
		  struct err *err)
{
	static const struct {
		yaml_node_type_t type;
		const char *name;
	} kinds[] = {
		[YAML_TEXT] = {YAML_SCALAR_NODE, "text"},
		[YAML_LIST] = {YAML_SEQUENCE_NODE, "list"},
		[YAML_MAP] = {YAML_MAPPING_NODE, "map"},
	};
	const yaml_node_t *node = node_at(at);

	*ret = (struct yaml_at){at.doc, 0};
	if (!node || is_null(node))
		return 0;
	if (node->type != kinds[kind].type)
		return yaml_blame(at, err, "%s: is no %s", name, kinds[kind].name);
	if (kind == YAML_TEXT &&
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return yaml_blame(at, err, "%s: has a NUL in it", name);
	*ret = at;
	return 0;
}

int yaml_child(struct yaml_at map, const char *key, enum yaml_kind kind, struct yaml_at *ret,
	       struct err *err)
{
	const yaml_node_t *node = node_at(map);

	*ret = (struct yaml_at){map.doc, 0};
	if (!node)
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return yaml_blame(map, err, "is no map");
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = node_at((struct yaml_at){map.doc, pair->key});

		if (name && name->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)name->data.scalar.value, key) == 0)
			return expect((struct yaml_at){map.doc, pair->value}, key, kind, ret, err);
	}
	return 0;
}

int yaml_item(struct yaml_at list, size_t i, enum yaml_kind kind, struct yaml_at *ret,
	      struct err *err)
{
	const yaml_node_t *node = node_at(list);

	*ret = (struct yaml_at){list.doc, 0};
	if (!node || i >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
		return 0;
	return expect((struct yaml_at){list.doc, node->data.sequence.items.start[i]}, "an item",
		      kind, ret, err);
}

const char *yaml_text(struct yaml_at text)
{
	const yaml_node_t *node = node_at(text);

	return node ? (const char *)node->data.scalar.value : NULL;
}
