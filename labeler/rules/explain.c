/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/explain_facts.h"
#include "rules/kinds.h"
#include "rules/possible.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What decides whether a function counts for anything. */
#define PART "driver iommu_group physfn numvfs? vf_links? vfs"

/* What an explanation is made from. */
struct view {
	const struct inventory *inventory;
	const struct rule_options *options;
	const struct verdict *verdict;
	const struct label *label;       /* NULL: absent */
	const struct possible *possible; /* the row that makes such a key; NULL: none does */
	struct explanation *ret;
};

static char *__attribute__((format(printf, 2, 3))) say(struct view *view, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	view->ret->failed |= !text;
	return text;
}

static const char *vendor_name(uint16_t vendor)
{
	return vendor == VENDOR_AMD ? "AMD" : "Intel";
}

static const char *vendor_of(const struct view *view)
{
	return vendor_name(view->possible->vendor);
}

static bool is_of_vendor(const struct view *view, size_t gpu)
{
	return view->inventory->gpus[gpu].vendor == view->possible->vendor;
}

static bool is_picked(const struct picks *picks, size_t gpu)
{
	for (size_t i = 0; i < picks->n_items; i++) {
		if (picks->items[i] == gpu)
			return true;
	}
	return false;
}

/* Is the function one that the rule looks at? */
static bool is_looked_at(const struct view *view, size_t gpu)
{
	if (!is_of_vendor(view, gpu))
		return false;
	switch (view->possible->basis) {
	case BASIS_MODE:
		return verdict_counts(view->verdict, gpu);
	case BASIS_VFIO:
		return view->verdict->parts[gpu].vfio;
	default:
		return !filter_why(view->options, &view->inventory->gpus[gpu]);
	}
}

static size_t count_functions(const struct view *view,
			      bool (*counts)(const struct view *view, size_t gpu))
{
	size_t n = 0;

	for (size_t i = 0; i < view->inventory->n_gpus; i++)
		n += counts(view, i);
	return n;
}

/* ---- why a function does not stand behind the label ---- */

/* The label of the same rule that this function stands in, NULL: none. */
static const struct label *sibling_of(const struct view *view, size_t gpu)
{
	const struct labels *labels = &view->verdict->labels;

	for (size_t i = 0; i < labels->n_items; i++) {
		if (labels->items[i].rule == view->possible->rule &&
		    is_picked(&labels->items[i].gpus, gpu))
			return &labels->items[i];
	}
	return NULL;
}

/* One that the rule looks at, but not for this key. */
static char *why_other_value(struct view *view, size_t gpu)
{
	const struct label *sibling = sibling_of(view, gpu);

	if (sibling)
		return say(view, "it counts in %s=%s", sibling->key, sibling->value);
	return say(view, "what it shows gives no value");
}

static char *why_no_vfio(struct view *view, size_t gpu)
{
	const struct part *part = &view->verdict->parts[gpu];
	const struct fact *driver = &view->inventory->gpus[gpu].driver;

	if (part->why)
		return say(view, "%s", part->why);
	return say(view, "no vfio driver is bound to it%s%s", fact_known(driver) ? ", but " : "",
		   fact_known(driver) ? driver->text : "");
}

static char *why_other_mode(struct view *view, size_t gpu)
{
	const struct part *part = &view->verdict->parts[gpu];

	if (part->mode == MODE_NONE)
		return say(view, "%s", part->why);
	if (view->verdict->mode == MODE_NONE)
		return say(view, "serves %s, but driver-type asks for %s", mode_name(part->mode),
			   mode_name(view->options->driver_type));
	return say(view, "serves %s, but the node is labelled as %s", mode_name(part->mode),
		   mode_name(view->verdict->mode));
}

static char *why_not(struct view *view, size_t gpu)
{
	if (!is_of_vendor(view, gpu))
		return say(view, "an %s GPU: this label is of %s's",
			   vendor_name(view->inventory->gpus[gpu].vendor), vendor_of(view));
	if (is_looked_at(view, gpu))
		return why_other_value(view, gpu);
	switch (view->possible->basis) {
	case BASIS_MODE:
		return why_other_mode(view, gpu);
	case BASIS_VFIO:
		return why_no_vfio(view, gpu);
	default:
		return say(view, "%s", filter_why(view->options, &view->inventory->gpus[gpu]));
	}
}

/* What would make the function one that the rule looks at; NULL: it is, or nothing. */
static const char *fix_of(const struct view *view, size_t gpu)
{
	const struct part *part = &view->verdict->parts[gpu];

	if (!is_of_vendor(view, gpu) || is_looked_at(view, gpu))
		return NULL;
	if (part->fix)
		return part->fix;
	return view->possible->basis == BASIS_VFIO
		       ? "bind it to vfio-pci to hand it to a VM"
		       : "driver-type asks for one mode alone; or bind all GPUs of the node alike";
}

static void list_functions(struct view *view)
{
	for (size_t i = 0; i < view->inventory->n_gpus; i++) {
		const bool counted = view->label && is_picked(&view->label->gpus, i);
		const bool looked_at = counted || is_looked_at(view, i);
		struct explained_item item = {0};

		explain_gpu(view->inventory, i, looked_at ? view->ret->rule->facts : PART, &item,
			    &view->ret->failed);
		if (!counted) {
			item.why = why_not(view, i);
			item.fix = fix_of(view, i);
		}
		explain_add(counted ? &view->ret->from : &view->ret->not_from, &item,
			    &view->ret->failed);
	}
}

/* ---- why the label is absent: the conditions in their order, the first that fails ---- */

static void set(struct view *view, char *because, const char *fix)
{
	view->ret->because = because;
	if (fix)
		view->ret->fix = say(view, "%s", fix);
}

/* How well one function that something would help stands for all of them; 0: nothing would. */
static int rank_of(const struct view *view, size_t gpu)
{
	const struct part *part = &view->verdict->parts[gpu];

	if (!fix_of(view, gpu))
		return 0;
	if (view->ret->wanted && strcmp(mode_name(part->mode), view->ret->wanted) == 0)
		return 3; /* it would do what is asked for */
	return part->say ? 2 : 1;
}

static size_t find_remediable(const struct view *view)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < view->inventory->n_gpus; i++) {
		if (rank_of(view, i) > (best == SIZE_MAX ? 0 : rank_of(view, best)))
			best = i;
	}
	return best;
}

/* The others are listed below. */
static void set_of_functions(struct view *view, char *because)
{
	auto_free char *text = because;
	const size_t gpu = find_remediable(view);
	auto_free char *why = gpu == SIZE_MAX ? NULL : why_not(view, gpu);

	if (text && why)
		set(view,
		    say(view, "%s: %s: %s", text, addr_text(view->inventory->gpus[gpu].addr).text,
			why),
		    fix_of(view, gpu));
	else
		set(view, TAKE_PTR(text), NULL);
}

/* Every label that the rule did give, under the prefix of the key. */
static char *siblings(struct view *view)
{
	const struct labels *labels = &view->verdict->labels;
	const size_t prefix = strcspn(view->ret->key, "/");
	CLEANUP(strbuf_clear) struct strbuf list = {0};

	for (size_t i = 0; i < labels->n_items; i++) {
		const struct label *label = &labels->items[i];

		if (label->rule == view->possible->rule &&
		    strncmp(label->key, view->ret->key, prefix + 1) == 0)
			strbuf_addf(&list, "%s%s=%s", list.len ? ", " : "", label->key,
				    label->value);
	}
	view->ret->failed |= list.failed;
	return list.len > 0 ? strbuf_take(&list) : NULL;
}

/* A warning that begins with the key: it was made, and Kubernetes would not take it. */
static const char *refused(const struct view *view)
{
	const struct notes *notes = &view->verdict->notes;
	const size_t len = strlen(view->ret->key);

	for (size_t i = 0; i < notes->n_items; i++) {
		if (strncmp(notes->items[i].text, view->ret->key, len) == 0 &&
		    notes->items[i].text[len] == '=')
			return notes->items[i].text;
	}
	return NULL;
}

/* The first fact that the rule needs of a function or module, and that is not known. */
static const struct explained_fact *first_unknown(const struct explained_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		for (size_t j = 0; j < list->items[i].n_facts; j++) {
			if (!list->items[i].facts[j].known && !list->items[i].fix)
				return &list->items[i].facts[j];
		}
	}
	return NULL;
}

/* All conditions hold, and still the rule gave no such label: it is the value that is missing. */
static void set_of_value(struct view *view)
{
	const char *note = refused(view);
	auto_free char *others = siblings(view);
	const char *missing = view->possible->rule->missing;
	const struct explained_fact *unknown = first_unknown(&view->ret->not_from);

	if (!unknown)
		unknown = first_unknown(&view->ret->modules);
	if (note)
		set(view, say(view, "%s", note), "a shorter or cleaner value at its source");
	else if (others && strchr(view->possible->pattern, '*'))
		set(view, say(view, "no function that counts has this value; there is %s", others),
		    "bind or add a GPU that has it, or select on what there is");
	else if (others && !unknown)
		set(view,
		    say(view, "the functions that count are not all alike; there is %s", others),
		    "select on one of these");
	else if (others)
		set(view,
		    say(view,
			"not of all functions that count the value is known: %s: %s; there is %s",
			unknown->path, unknown->value, others),
		    missing);
	else if (unknown)
		set(view, say(view, "%s: %s", unknown->path, unknown->value), missing);
	else
		set(view, say(view, "what was read gives no value"), missing);
}

static char *names_of_modes(struct view *view)
{
	CLEANUP(strbuf_clear) struct strbuf modes = {0};

	for (size_t i = MODE_CONTAINER; i < N_MODES; i++) {
		if (view->possible->modes & 1U << i)
			strbuf_addf(&modes, "%s%s", modes.len ? ", " : "", mode_name((enum mode)i));
	}
	view->ret->failed |= modes.failed;
	return strbuf_take(&modes);
}

/* False where the mode of the node is one that the label comes with. */
static bool set_of_mode(struct view *view)
{
	const enum mode mode = view->verdict->mode;
	const enum mode wanted = view->options->driver_type;
	auto_free char *modes = NULL;

	if (mode == MODE_NONE && wanted != MODE_NONE) {
		set_of_functions(view,
				 say(view, "no GPU function serves %s, which driver-type asks for",
				     mode_name(wanted)));
		return true;
	}
	if (mode == MODE_NONE) {
		set_of_functions(view, say(view, "0 of %zu %s GPU functions serve a mode",
					   count_functions(view, is_of_vendor), vendor_of(view)));
		return true;
	}
	if (view->possible->modes & 1U << mode)
		return false;
	modes = names_of_modes(view);
	set(view,
	    say(view, "the node is labelled as %s, and this label comes with %s alone",
		mode_name(mode), modes ? modes : ""),
	    "bind the GPUs for that mode, or ask for it with driver-type");
	return true;
}

static bool set_of_basis(struct view *view)
{
	if (view->possible->basis == BASIS_MODE)
		return set_of_mode(view);
	if (count_functions(view, is_looked_at) > 0)
		return false;
	set_of_functions(view,
			 view->possible->basis == BASIS_VFIO
				 ? say(view, "0 of %zu %s GPU functions can be handed to a VM now",
				       count_functions(view, is_of_vendor), vendor_of(view))
				 : say(view, "allow-ids or deny-ids leave out all %s GPUs",
				       vendor_of(view)));
	return true;
}

static void explain_absent(struct view *view)
{
	if (!view->possible)
		set(view, say(view, "no rule of this program makes such a key"),
		    "gpu-labeler explain without a label lists the keys that there are");
	else if (view->possible->off)
		set(view, say(view, "%s", view->possible->off), view->possible->on);
	else if (count_functions(view, is_of_vendor) == 0)
		set(view,
		    say(view, "no %s GPU function is on the bus of this node", vendor_of(view)),
		    "lspci -nn must show one (class 03xx, AMD's also 12xx); in a VM the host must "
		    "hand it over");
	else if (!set_of_basis(view))
		set_of_value(view);
}

/* Is a mode wanted that no function serves? What keeps them from it is more than their parts. */
static bool wants_idle_mode(const struct view *view)
{
	const char *key = view->ret->key;
	enum mode wanted;

	if (strcmp(key + strcspn(key, "/"), "/gpu.mode") != 0 ||
	    !mode_parse(view->ret->wanted, &wanted))
		return false;
	for (size_t i = 0; i < view->inventory->n_gpus; i++) {
		if (view->verdict->parts[i].mode == wanted)
			return false;
	}
	return true;
}

/* It is there, with a value that was not expected. */
static void explain_other_value(struct view *view)
{
	char *because = say(view, "its value is %s, not %s", view->ret->value, view->ret->wanted);

	if (!wants_idle_mode(view)) {
		set_of_functions(view, because);
		return;
	}
	set(view, because, NULL);
	view->ret->fix = say(view, "gpu-labeler doctor --mode %s says what keeps the GPUs from it",
			     view->ret->wanted);
}

/* "key", "key=value": no key holds a =. */
static void read_label(struct view *view, const char *label)
{
	const size_t len = strcspn(label, "=");

	view->ret->key = say(view, "%.*s", (int)len, label);
	if (label[len])
		view->ret->wanted = say(view, "%s", label + len + 1);
}

static void explain_sources(struct view *view)
{
	const char *facts = view->ret->rule->facts;

	list_functions(view);
	if (view->label || count_functions(view, is_looked_at) > 0)
		explain_modules(view->inventory, facts, view->ret);
	if (view->label)
		explain_members(view->inventory, &view->label->gpus, &view->verdict->notes,
				view->ret);
}

int explain_label(const struct inventory *inventory, const struct rule_options *options,
		  const struct verdict *verdict, const char *label, struct explanation *ret)
{
	CLEANUP(possibles_clear) struct possibles possibles = {0};
	struct view view = {
		.inventory = inventory, .options = options, .verdict = verdict, .ret = ret};

	possibles_list(options, &possibles);
	read_label(&view, label);
	if (ret->failed || possibles.failed)
		return -ENOMEM;
	view.possible = possibles_find(&possibles, ret->key);
	view.label = labels_find(&verdict->labels, ret->key);
	ret->value = view.label ? view.label->value : NULL;
	ret->rule = view.possible ? view.possible->rule : NULL;
	if (view.possible)
		explain_sources(&view);
	if (!view.label)
		explain_absent(&view);
	else if (ret->wanted && strcmp(ret->wanted, view.label->value) != 0)
		explain_other_value(&view);
	return ret->failed ? -ENOMEM : 0;
}

static void list_clear(struct explained_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		explain_item_clear(&list->items[i]);
	free(list->items);
}

void explanation_clear(struct explanation *explanation)
{
	free(explanation->key);
	free(explanation->wanted);
	free(explanation->because);
	free(explanation->fix);
	list_clear(&explanation->from);
	list_clear(&explanation->modules);
	list_clear(&explanation->members);
	list_clear(&explanation->not_from);
	*explanation = (struct explanation){0};
}

void explain_keys(const struct rule_options *options, const struct verdict *verdict,
		  struct strbuf *out)
{
	CLEANUP(possibles_clear) struct possibles possibles = {0};

	possibles_list(options, &possibles);
	for (size_t i = 0; i < verdict->labels.n_items; i++)
		strbuf_addf(out, "%s\n", verdict->labels.items[i].key);
	for (size_t i = 0; i < possibles.n_items; i++) {
		const char *pattern = possibles.items[i].pattern;

		if (!strchr(pattern, '*') && !labels_find(&verdict->labels, pattern))
			strbuf_addf(out, "%s\n", pattern);
	}
	out->failed |= possibles.failed;
}
