/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Scope-bound ownership: whoever holds the variable frees it when the scope ends.
 * A variable with one of these attributes is always initialised where it is declared.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define auto_free CLEANUP(cleanup_free)
#define auto_close CLEANUP(cleanup_close)
#define auto_closedir CLEANUP(cleanup_closedir)
#define auto_fclose CLEANUP(cleanup_fclose)

/* Hands a pointer on to its next owner and leaves NULL behind. */
#define TAKE_PTR(ptr)                                                                              \
	__extension__({                                                                            \
		__typeof__(ptr) taken_ptr_ = (ptr);                                                \
		(ptr) = NULL;                                                                      \
		taken_ptr_;                                                                        \
	})
#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swapped_ = (a);                                                      \
		(a) = (b);                                                                         \
		(b) = swapped_;                                                                    \
	} while (0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* The same for a file descriptor: -1 stays behind. */
static inline int take_fd(int *fd)
{
	const int taken = *fd;

	*fd = -1;
	return taken;
}
