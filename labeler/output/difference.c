/* SPDX-License-Identifier: Apache-2.0 */
#include "output/difference.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void difference_clear(struct difference *difference)
{
	free(difference->extra);
	*difference = (struct difference){0};
}

static const char *somebody(const char *name)
{
	return name ? name : "somebody who left no name";
}

/* Only the first is said: the rest is most often of the same hand. */
static void __attribute__((format(printf, 2, 3)))
say(struct difference *difference, const char *format, ...)
{
	va_list args;

	if (difference->said[0])
		return;
	va_start(args, format);
	(void)vsnprintf(difference->said, sizeof(difference->said), format, args);
	va_end(args);
}

static void look_for(const struct kube_object *seen, const struct kube_pair *want,
		     struct difference *ret)
{
	const struct kube_label *label = kube_object_label(seen, want->key);

	if (!label) {
		ret->missing = true;
		say(ret,
		    "%s is gone, and the server keeps no record of who did it; the last to write "
		    "something else was %s",
		    want->key, somebody(seen->last_writer));
	} else if (strcmp(label->value, want->value) != 0) {
		ret->missing = true;
		say(ret, "%s was made \"%s\" by %s", want->key, label->value,
		    somebody(label->owner));
	} else if (!label->applied) {
		ret->unowned = true;
	}
}

static bool is_wanted(const char *key, const struct kube_pair *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(want[i].key, key) == 0)
			return true;
	}
	return false;
}

int difference_find(const struct kube_object *seen, const struct kube_pair *want, size_t n,
		    bool (*is_ours)(const char *key), struct difference *ret)
{
	CLEANUP(difference_clear) struct difference new = {0};

	new.extra = calloc(seen->n_labels + 1, sizeof(*new.extra));
	if (!new.extra)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		look_for(seen, &want[i], &new);
	for (size_t i = 0; i < seen->n_labels; i++) {
		const struct kube_label *label = &seen->labels[i];

		if (is_wanted(label->key, want, n))
			continue;
		if (label->applied) {
			new.stale = true;
		} else if (is_ours && is_ours(label->key)) {
			new.extra[new.n_extra++].key = label->key;
			say(&new, "%s=%s was put there by %s", label->key, label->value,
			    somebody(label->owner));
		}
	}
	SWAP(*ret, new);
	return 0;
}
