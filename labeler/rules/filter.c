/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/filter.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>

enum {
	ID_DIGITS = 4,
};
static const char hex_digits[] = "0123456789abcdefABCDEF";
static const char blanks[] = " \t";

/* Exactly four hex digits at text. */
static bool parse_id(const char *text, uint16_t *ret)
{
	char digits[ID_DIGITS + 1] = {0};

	if (strspn(text, hex_digits) < ID_DIGITS)
		return false;
	memcpy(digits, text, ID_DIGITS);
	*ret = (uint16_t)strtoul(digits, NULL, 16);
	return true;
}

static bool parse_element(const char *text, size_t len, struct filter_id *ret)
{
	struct filter_id id = {0};

	if (len == strlen("0x74b5") && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		id.any_vendor = true;
		if (!parse_id(text + 2, &id.device))
			return false;
	} else if (len != strlen("1002:74b5") || text[ID_DIGITS] != ':' ||
		   !parse_id(text, &id.vendor) || !parse_id(text + ID_DIGITS + 1, &id.device)) {
		return false;
	}
	*ret = id;
	return true;
}

static int add_id(struct filter_list *list, struct filter_id id)
{
	struct filter_id *grown = reallocarray(list->ids, list->n_ids + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[list->n_ids++] = id;
	list->ids = grown;
	return 0;
}

/* One element of len characters, blanks included. */
static int add_element(struct filter_list *list, const char *text, size_t len, struct err *err)
{
	const size_t before = strspn(text, blanks);
	struct filter_id id;

	if (before >= len)
		return err_set(err, -EINVAL,
			       "an element of the list is empty: write 0x74b5 or 1002:74b5");
	text += before;
	len -= before;
	while (strchr(blanks, text[len - 1]))
		len--;
	if (!parse_element(text, len, &id))
		return err_set(err, -EINVAL, "\"%.*s\" is no device id: write 0x74b5 or 1002:74b5",
			       (int)(len < 60 ? len : 60), text);
	return add_id(list, id) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

int filter_parse(const char *text, struct filter_list *ret, struct err *err)
{
	CLEANUP(filter_clear) struct filter_list list = {0};
	bool more = text[strspn(text, blanks)] != '\0';

	while (more) {
		const size_t len = strcspn(text, ",");
		const int r = add_element(&list, text, len, err);

		if (r < 0)
			return r;
		more = text[len] == ',';
		text += len + more;
	}
	SWAP(*ret, list);
	return 0;
}

void filter_clear(struct filter_list *list)
{
	free(list->ids);
	*list = (struct filter_list){0};
}

bool filter_has(const struct filter_list *list, uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < list->n_ids; i++) {
		const struct filter_id *id = &list->ids[i];

		if (id->device == device && (id->any_vendor || id->vendor == vendor))
			return true;
	}
	return false;
}
