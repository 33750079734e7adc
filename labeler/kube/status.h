/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Why the server said no: its Status object, or the plain text that a proxy or a limit sends. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct kube_status {
	char *message; /* owned, one line; "" where the server said nothing */
	char **causes; /* owned: "field: message" of each */
	size_t n_causes;
};

/* Fills an empty *ret. 0 or -ENOMEM. */
int kube_status_read(const char *text, size_t len, struct kube_status *ret);
void kube_status_clear(struct kube_status *status);

/* Does a cause name this label, by its key or its value? */
bool kube_status_blames(const struct kube_status *status, const char *key, const char *value);
