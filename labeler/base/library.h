/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A shared library that comes into memory when it is needed, and not with the program: an agent
 * that never asks for it does not carry it. Its header still checks our use of it. A static program
 * loads nothing (STATIC_LIBRARIES): it has the functions within.
 */
#include <stddef.h>

struct err;

/* Where the pointer to a function goes: a member of that function's own type. */
struct library_function {
	const char *name;
	void *at;
	void *built_in; /* in a static program, and there alone */
};
#ifdef STATIC_LIBRARIES
#define BUILT_IN(function) ((void *)(function))
#else
#define BUILT_IN(function) NULL
#endif
/* clang-format off */
#define LIBRARY_FUNCTION(function, place) {#function, place, BUILT_IN(function)}
/* clang-format on */
struct library {
	void *handle; /* of dlopen(); NULL: not loaded, or built in */
};

/*
 * names: of files, ended by NULL, the first that is there is taken. what: for a person. Fills every
 * function. Returns 0, or -ENOENT with what is missing.
 */
int library_open(struct library *ret, const char *what, const char *const *names,
		 const struct library_function *functions, size_t n_functions, struct err *err);

/* The functions are gone then. */
void library_close(struct library *library);
