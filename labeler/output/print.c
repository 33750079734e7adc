/* SPDX-License-Identifier: Apache-2.0 */
#include "output/print.h"

#include "base/cleanup.h"
#include "inventory/inventory.h"
#include "rules/rules.h"

#include <inttypes.h>
#include <string.h>

void print_labels(FILE *out, const struct labels *labels)
{
	for (size_t i = 0; i < labels->n_items; i++)
		(void)fprintf(out, "%s=%s\n", labels->items[i].key, labels->items[i].value);
}

struct cell {
	char text[256];
};

/* A row of the table before it is laid out. */
struct view {
	const struct print_table *how;
	const struct inventory *inventory;
	const struct verdict *verdict;
	size_t gpu;
};

static struct cell text_cell(const char *text)
{
	struct cell cell;

	(void)snprintf(cell.text, sizeof(cell.text), "%s", text);
	return cell;
}

/* "-" is "there is none", "?" is "could not be read". */
static struct cell number_cell(const struct fact *fact)
{
	struct cell cell = text_cell(fact->state == FACT_FAILED ? "?" : "-");

	if (fact_known(fact) && fact->number >= 0)
		(void)snprintf(cell.text, sizeof(cell.text), "%" PRId64, fact->number);
	return cell;
}

static const struct function *gpu_of(const struct view *view)
{
	return &view->inventory->gpus[view->gpu];
}

static struct cell address(const struct view *view)
{
	return text_cell(addr_text(gpu_of(view)->addr).text);
}

static struct cell id(const struct view *view)
{
	const struct function *gpu = gpu_of(view);
	struct cell cell;

	if (fact_known(&gpu->device))
		(void)snprintf(cell.text, sizeof(cell.text), "%04x:%04x", gpu->vendor,
			       fact_id(&gpu->device));
	else
		(void)snprintf(cell.text, sizeof(cell.text), "%04x:?", gpu->vendor);
	return cell;
}

static struct cell name(const struct view *view)
{
	return text_cell(view->how->names[view->gpu]);
}

static struct cell kind(const struct view *view)
{
	return text_cell(view->verdict->parts[view->gpu].is_vf ? "VF" : "PF");
}

static struct cell driver(const struct view *view)
{
	const struct fact *fact = &gpu_of(view)->driver;

	if (fact_known(fact))
		return text_cell(fact->text);
	return text_cell(fact->state == FACT_FAILED ? "?" : "-");
}

static struct cell group(const struct view *view)
{
	return number_cell(&gpu_of(view)->iommu_group);
}

static struct cell numa(const struct view *view)
{
	return number_cell(&gpu_of(view)->numa_node);
}

/* What it counts as; if nothing, why not. */
static struct cell counts_as(const struct view *view)
{
	const struct part *part = &view->verdict->parts[view->gpu];
	const bool counted = verdict_counts(view->verdict, view->gpu);
	struct cell cell;

	if (counted && part->vfio)
		(void)snprintf(cell.text, sizeof(cell.text), "%s, vfio", mode_name(part->mode));
	else if (counted)
		return text_cell(mode_name(part->mode));
	else if (part->mode != MODE_NONE)
		(void)snprintf(cell.text, sizeof(cell.text), "%s%s but not labelled",
			       part->vfio ? "vfio; serves " : "nothing: serves ",
			       mode_name(part->mode));
	else if (part->vfio && part->why)
		(void)snprintf(cell.text, sizeof(cell.text), "vfio; %s", part->why);
	else if (part->vfio)
		return text_cell("vfio");
	else
		(void)snprintf(cell.text, sizeof(cell.text), "nothing: %s", part->why);
	return cell;
}

static const struct column {
	const char *title;
	bool right; /* numbers stand right */
	struct cell (*cell)(const struct view *view);
} columns[] = {
	/* clang-format off */
	{"ADDRESS",   false, address},
	{"ID",        false, id},
	{"NAME",      false, name},
	{"KIND",      false, kind},
	{"DRIVER",    false, driver},
	{"GROUP",     true,  group},
	{"NUMA",      true,  numa},
	{"COUNTS AS", false, counts_as},
	/* clang-format on */
};

static const char bold[] = "\033[1m";
static const char green[] = "\033[32m";
static const char yellow[] = "\033[33m";
static const char plain[] = "\033[0m";

static void put(FILE *out, const struct print_table *how, const char *colour, const char *text)
{
	(void)fprintf(out, "%s%s%s", how->colour ? colour : "", text, how->colour ? plain : "");
}

/* Characters, not bytes: a name of pci.ids may hold an accent. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void pad(FILE *out, size_t from, size_t to)
{
	for (; from < to; from++)
		(void)fputc(' ', out);
}

static size_t column_width(const struct column *column, struct view view)
{
	size_t widest = width(column->title);

	for (view.gpu = 0; view.gpu < view.inventory->n_gpus; view.gpu++) {
		const struct cell cell = column->cell(&view);

		if (width(cell.text) > widest)
			widest = width(cell.text);
	}
	return widest;
}

/* The last column is not padded: nothing stands behind it. */
static void put_cell(FILE *out, const struct print_table *how, size_t column, size_t widest,
		     const char *text, const char *colour)
{
	const bool last = column + 1 == ARRAY_SIZE(columns);

	if (columns[column].right)
		pad(out, width(text), widest);
	put(out, how, colour, text);
	if (!columns[column].right && !last)
		pad(out, width(text), widest);
	(void)fputs(last ? "\n" : "  ", out);
}

static void put_functions(FILE *out, struct view view)
{
	size_t widths[ARRAY_SIZE(columns)];

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		widths[i] = column_width(&columns[i], view);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		put_cell(out, view.how, i, widths[i], columns[i].title, bold);
	for (view.gpu = 0; view.gpu < view.inventory->n_gpus; view.gpu++) {
		const bool counts = verdict_counts(view.verdict, view.gpu) ||
				    view.verdict->parts[view.gpu].vfio;
		const char *last = counts ? green : yellow;

		for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
			put_cell(out, view.how, i, widths[i], columns[i].cell(&view).text,
				 i + 1 == ARRAY_SIZE(columns) ? last : "");
	}
}

static void put_labels(FILE *out, const struct print_table *how, const struct labels *labels)
{
	size_t widest = 0;
	struct cell title;

	for (size_t i = 0; i < labels->n_items; i++) {
		if (strlen(labels->items[i].key) > widest)
			widest = strlen(labels->items[i].key);
	}
	if (labels->n_items == 1)
		title = text_cell("1 label");
	else
		(void)snprintf(title.text, sizeof(title.text), "%zu labels", labels->n_items);
	(void)fputc('\n', out);
	put(out, how, bold, labels->n_items ? title.text : "No label");
	(void)fputc('\n', out);
	for (size_t i = 0; i < labels->n_items; i++) {
		const struct label *label = &labels->items[i];

		(void)fprintf(out, "  %s", label->key);
		pad(out, strlen(label->key), widest);
		(void)fputs("  ", out);
		put(out, how, green, label->value);
		(void)fputc('\n', out);
	}
}

static void put_notes(FILE *out, const struct print_table *how, const struct notes *notes)
{
	bool titled = false;

	for (size_t i = 0; i < notes->n_items; i++) {
		if (notes->items[i].level == NOTE_REASON) /* stands in the table */
			continue;
		if (!titled) {
			(void)fputc('\n', out);
			put(out, how, bold, "To know");
			(void)fputc('\n', out);
			titled = true;
		}
		(void)fputs("  ", out);
		put(out, how, yellow, notes->items[i].text);
		(void)fputc('\n', out);
	}
}

void print_table(FILE *out, const struct print_table *how, const struct inventory *inventory,
		 const struct verdict *verdict)
{
	if (inventory->n_gpus > 0)
		put_functions(out, (struct view){how, inventory, verdict, 0});
	else
		(void)fputs("No GPU function of AMD or Intel on this node.\n", out);
	put_labels(out, how, &verdict->labels);
	put_notes(out, how, &verdict->notes);
}
