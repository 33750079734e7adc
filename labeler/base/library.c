/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include "base/err.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#ifdef STATIC_LIBRARIES
int library_open(struct library *ret, const char *what, const char *const *names,
		 const struct library_function *functions, size_t n_functions, struct err *err)
{
	(void)ret, (void)what, (void)names, (void)err;
	for (size_t i = 0; i < n_functions; i++)
		memcpy(functions[i].at, &functions[i].built_in, sizeof(functions[i].built_in));
	return 0;
}

void library_close(struct library *library)
{
	(void)library;
}
#else
int library_open(struct library *ret, const char *what, const char *const *names,
		 const struct library_function *functions, size_t n_functions, struct err *err)
{
	void *handle = NULL;

	for (; *names && !handle; names++)
		handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(err, -ENOENT, "%s is not installed: %s", what, dlerror());
	for (size_t i = 0; i < n_functions; i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function) {
			(void)dlclose(handle);
			return err_set(err, -ENOENT, "%s has no %s", what, functions[i].name);
		}
		memcpy(functions[i].at, &function, sizeof(function));
	}
	ret->handle = handle;
	return 0;
}

void library_close(struct library *library)
{
	if (library->handle)
		(void)dlclose(library->handle);
	library->handle = NULL;
}
#endif
