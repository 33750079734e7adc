/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/count.h"

#include "base/cleanup.h"
#include "rules/kinds.h"
#include "rules/rules.h"

#include <stdio.h>
#include <string.h>

static struct tally_row *row_of(struct tally *tally, const struct label_value *value)
{
	struct tally_row *grown;

	for (size_t i = 0; i < tally->n_rows; i++) {
		if (strcmp(tally->rows[i].value.text, value->text) == 0)
			return &tally->rows[i];
	}
	grown = reallocarray(tally->rows, tally->n_rows + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	tally->rows = grown;
	grown[tally->n_rows] = (struct tally_row){.value = *value};
	return &grown[tally->n_rows++];
}

void tally_add(struct tally *tally, struct label_value value, size_t gpu)
{
	struct tally_row *row;

	if (!*value.text) {
		tally->unknown = true;
		return;
	}
	row = row_of(tally, &value);
	if (!row) {
		tally->failed = true;
		return;
	}
	row->count++;
	if (row->gpus.n_items == 0 || row->gpus.items[row->gpus.n_items - 1] != gpu)
		picks_add(&row->gpus, gpu);
}

void tally_clear(struct tally *tally)
{
	for (size_t i = 0; i < tally->n_rows; i++)
		picks_clear(&tally->rows[i].gpus);
	free(tally->rows);
	*tally = (struct tally){0};
}

void count_put(struct verdict *verdict, const char *kind, const struct rule *rule,
	       const struct tally *tally)
{
	const bool alike = tally->n_rows == 1 && !tally->unknown;

	verdict->labels.failed |= tally->failed;
	for (size_t i = 0; i < tally->n_rows; i++) {
		const struct tally_row *row = &tally->rows[i];
		const struct origin origin = {rule, &row->gpus};
		const struct count_text count = count_text(row->count);

		kinds_put(verdict, origin, count.text, UNDER_BETA "%s.%s", kind, row->value.text);
		if (alike) {
			kinds_put(verdict, origin, row->value.text, UNDER_AMD "%s", kind);
			kinds_put(verdict, origin, row->value.text, UNDER_BETA "%s", kind);
		} else {
			kinds_put(verdict, origin, count.text, UNDER_AMD "%s.%s", kind,
				  row->value.text);
		}
	}
}
