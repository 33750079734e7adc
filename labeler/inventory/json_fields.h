/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The fields of an inventory in JSON: one table for writing and for reading. */
#include <stddef.h>
#include <stdint.h>

enum {
	JSON_FORMAT = 1,
	JSON_HEX_DIGITS = 4, /* of an id or a class */
};

/* How a field of a function or module stands in JSON. */
enum type {
	TYPE_TEXT,   /* struct fact */
	TYPE_NUMBER, /* struct fact */
	TYPE_HEX,    /* struct fact, four hex digits */
	TYPE_ADDR,   /* struct fact */
	TYPE_ID,     /* uint16_t, four hex digits; always there */
	TYPE_PLACE,  /* struct addr; always there */
	TYPE_NAME,   /* char *, always there */
	TYPE_BOOL,   /* bool; always there */
	TYPE_VFS,    /* the list of VFs of a function */
};
struct field {
	const char *name;
	enum type type;
	size_t offset;
	int64_t min, max; /* of a number */
	/*
	 * The file that it is read from, in the directory of its item unless it starts with a
	 * slash; behind a blank the word of the file that it stands at. NULL: as its name.
	 */
	const char *file;
};
extern const struct field json_function_fields[]; /* of struct function */
extern const size_t json_n_function_fields;
extern const struct field json_card_fields[]; /* of struct card */
extern const size_t json_n_card_fields;
extern const struct field json_kfd_fields[]; /* of struct kfd_node */
extern const size_t json_n_kfd_fields;
extern const struct field json_module_fields[]; /* of struct module */
extern const size_t json_n_module_fields;
