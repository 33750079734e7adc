/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/labels.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "rules/notes.h"
#include "rules/validity.h"

#include <string.h>

void picks_add(struct picks *picks, size_t gpu)
{
	size_t *grown = reallocarray(picks->items, picks->n_items + 1, sizeof(*grown));

	if (!grown) {
		picks->failed = true;
		return;
	}
	grown[picks->n_items++] = gpu;
	picks->items = grown;
}

void picks_clear(struct picks *picks)
{
	free(picks->items);
	*picks = (struct picks){0};
}

static void label_clear(struct label *label)
{
	free(label->key);
	free(label->value);
	picks_clear(&label->gpus);
}

/* A copy of all parts; key is NULL where memory ran out. */
static struct label make_label(const char *key, const char *value, struct origin origin)
{
	CLEANUP(label_clear)
	struct label label = {.key = strdup(key), .value = strdup(value), .rule = origin.rule};
	struct label whole = {0};

	for (size_t i = 0; i < origin.gpus->n_items; i++)
		picks_add(&label.gpus, origin.gpus->items[i]);
	if (label.key && label.value && !label.gpus.failed && !origin.gpus->failed)
		SWAP(whole, label);
	return whole;
}

/* Where the key is, or would be put. */
static size_t place_of(const struct labels *labels, const char *key)
{
	size_t low = 0;
	size_t high = labels->n_items;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(labels->items[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct labels *labels, size_t place, const char *key)
{
	return place < labels->n_items && strcmp(labels->items[place].key, key) == 0;
}

const struct label *labels_find(const struct labels *labels, const char *key)
{
	const size_t place = place_of(labels, key);

	return is_at(labels, place, key) ? &labels->items[place] : NULL;
}

void labels_put(struct labels *labels, struct notes *notes, const char *key, const char *value,
		struct origin origin)
{
	CLEANUP(label_clear) struct label label = {0};
	const size_t place = place_of(labels, key);
	struct label *grown;

	if (!validity_key(key) || !validity_value(value)) {
		labels->n_rejected++;
		notes_add(notes, NOTE_WARNING,
			  "%s=%s: no label that Kubernetes takes: it alone is dropped", key, value);
		return;
	}
	label = make_label(key, value, origin);
	if (label.key && is_at(labels, place, key)) {
		SWAP(labels->items[place], label);
		return;
	}
	grown = reallocarray(labels->items, labels->n_items + 1, sizeof(*grown));
	if (grown)
		labels->items = grown;
	if (!grown || !label.key) {
		labels->failed = true;
		return;
	}
	memmove(grown + place + 1, grown + place, (labels->n_items - place) * sizeof(*grown));
	grown[place] = (struct label){0};
	SWAP(grown[place], label);
	labels->n_items++;
}

void labels_clear(struct labels *labels)
{
	for (size_t i = 0; i < labels->n_items; i++)
		label_clear(&labels->items[i]);
	free(labels->items);
	*labels = (struct labels){0};
}

static void add_change(struct strbuf *out, char sign, const struct label *label)
{
	strbuf_addf(out, " %c%s=%s", sign, label->key, label->value);
}

/* Which of the two places comes first; the end of a set comes last. */
static int compare_places(const struct labels *from, size_t i, const struct labels *to, size_t j)
{
	if (i == from->n_items)
		return 1;
	if (j == to->n_items)
		return -1;
	return strcmp(from->items[i].key, to->items[j].key);
}

void labels_diff(const struct labels *from, const struct labels *to, struct strbuf *out)
{
	size_t i = 0;
	size_t j = 0;

	while (i < from->n_items || j < to->n_items) {
		const int order = compare_places(from, i, to, j);
		const bool same =
			order == 0 && strcmp(from->items[i].value, to->items[j].value) == 0;

		if (order <= 0 && !same)
			add_change(out, '-', &from->items[i]);
		if (order >= 0 && !same)
			add_change(out, '+', &to->items[j]);
		i += order <= 0;
		j += order >= 0;
	}
}
