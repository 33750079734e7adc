/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reference.h"

#include "base/cleanup.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LABELS "--labels="

static bool is_word(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* Does the text start with that name, and end there or go on with a value? NULL: no. */
static const char *after_name(const char *text, const char *name)
{
	const size_t len = strlen(name);

	if (strncmp(text, name, len) != 0 || (text[len] != '\0' && text[len] != '='))
		return NULL;
	return text + len;
}

/* The mode label is there in any case: to ask for it alone is to ask for no other kind. */
static char *flag_of(const char *name, const char *value)
{
	static char flags[N_AMD_KINDS + 1][64];
	static const char *const no[] = {"=false", "=False", "=FALSE", "=f", "=F", "=0"};
	const char *kind = is_word(value, no, ARRAY_SIZE(no)) ? "mode" : name;
	size_t i = 0;

	while (i < N_AMD_KINDS && strcmp(kind, amd_kind_names[i]) != 0)
		i++;
	(void)snprintf(flags[i], sizeof(flags[i]), LABELS "%s", kind);
	return flags[i];
}

static char *translate(char *argument)
{
	static char driver_type[128];
	const char *text = argument + strspn(argument, "-");
	const char *value = after_name(text, "driver_type");

	if (text == argument || text > argument + 2)
		return argument;
	if (value) {
		(void)snprintf(driver_type, sizeof(driver_type), "--driver-type%s", value);
		return driver_type;
	}
	value = after_name(text, "mode");
	if (value)
		return flag_of("mode", value);
	for (size_t i = 0; i < N_AMD_KINDS; i++) {
		value = after_name(text, amd_kind_names[i]);
		if (value)
			return flag_of(amd_kind_names[i], value);
	}
	return argument;
}

void reference_flags(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		argv[i] = translate(argv[i]);
}
