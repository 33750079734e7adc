/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What went wrong, as one line for a person: "what: where: what to do". It lives on the caller's
 * stack and is only meaningful after a call that returned a negative errno.
 */
enum {
	ERR_TEXT = 1024,
};
struct err {
	char text[ERR_TEXT]; /* no newline; cut at the end where it would not fit */
};

/* Writes the line and returns r, so that a failing call is one statement: return err_set(...). */
int err_set(struct err *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "where: " before the line that is there, and returns r. */
int err_prefix(struct err *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
