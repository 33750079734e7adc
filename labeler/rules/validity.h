/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Kubernetes' grammar for labels. Source: apimachinery's IsQualifiedName and IsValidLabelValue, as
 * documented under "Labels and Selectors: syntax and character set".
 */
#include <stdbool.h>

enum {
	VALIDITY_NAME = 63,    /* longest name and longest value */
	VALIDITY_PREFIX = 253, /* longest prefix */
};
struct label_value {
	char text[VALIDITY_NAME + 1]; /* empty: nothing worth a label was left */
};

/* [prefix/]name: prefix a DNS-1123 subdomain, name 1 to 63 of [A-Za-z0-9] with -_. inside. */
bool validity_key(const char *key);

/* Empty, or as a name. */
bool validity_value(const char *value);

/*
 * Makes a legal value of a text of the host: each run of other characters becomes one _, the ends
 * are trimmed to a letter or digit, cut at 63 and trimmed again.
 */
struct label_value validity_clean(const char *text);
