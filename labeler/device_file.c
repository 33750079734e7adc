/* SPDX-License-Identifier: Apache-2.0 */
#include "device_file.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "ini_file.h"

#include <errno.h>
#include <string.h>

enum {
	N_COLUMNS = 4, /* kind | name | product | family */
	ID_DIGITS = 4,
};
static const struct {
	const char *section;
	uint16_t vendor;
} sections[] = {
	{"amd", VENDOR_AMD},
	{"intel", VENDOR_INTEL},
};
static const char *const kinds[] = {
	[DEVICE_PF] = "PF",
	[DEVICE_VF] = "VF",
	[DEVICE_GPU] = "GPU",
};

static void device_clear(struct device *device)
{
	free((char *)device->name);
	free((char *)device->product);
	free((char *)device->family);
	*device = (struct device){0};
}

void device_file_clear(struct device_file *file)
{
	for (size_t i = 0; i < file->n_rows; i++)
		device_clear(&file->rows[i]);
	free(file->rows);
	*file = (struct device_file){0};
}

static bool parse_vendor(const char *section, uint16_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (strcmp(section, sections[i].section) == 0) {
			*ret = sections[i].vendor;
			return true;
		}
	}
	return false;
}

static bool parse_kind(const char *word, enum device_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(word, kinds[i]) == 0) {
			*ret = (enum device_kind)i;
			return true;
		}
	}
	return false;
}

/* The next column of a value, blanks round it cut away; *rest moves behind it, NULL at the end. */
static char *next_column(char **rest)
{
	char *column = strsep(rest, "|");
	size_t len;

	if (!column)
		return NULL;
	column += strspn(column, " \t");
	len = strlen(column);
	while (len > 0 && (column[len - 1] == ' ' || column[len - 1] == '\t'))
		len--;
	column[len] = '\0';
	return column;
}

static int parse_device(const struct ini_entry *entry, struct device *device, struct err *err)
{
	auto_free char *value = strdup(entry->value);
	char *columns[N_COLUMNS + 1] = {0};
	char *rest = value;

	if (!value)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		columns[i] = next_column(&rest);
	if (!parse_vendor(entry->section, &device->vendor))
		return err_set(err, -EINVAL, "[%s]: is neither [amd] nor [intel]", entry->section);
	if (strlen(entry->key) != ID_DIGITS || strspn(entry->key, "0123456789abcdef") != ID_DIGITS)
		return err_set(err, -EINVAL, "%s: is no device id of four lower-case hex digits",
			       entry->key);
	device->id = (uint16_t)strtoul(entry->key, NULL, 16);
	if (!parse_kind(columns[0], &device->kind))
		return err_set(err, -EINVAL, "%s: \"%s\" is neither PF, VF nor GPU", entry->key,
			       columns[0]);
	if (!columns[1] || !*columns[1] || columns[N_COLUMNS])
		return err_set(err, -EINVAL,
			       "%s: write kind | name, and | product | family where they are known",
			       entry->key);
	device->name = strdup(columns[1]);
	device->product = columns[2] && *columns[2] ? strdup(columns[2]) : NULL;
	device->family = columns[3] && *columns[3] ? strdup(columns[3]) : NULL;
	return device->name ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int add(struct device_file *file, struct device *device)
{
	struct device *grown = reallocarray(file->rows, file->n_rows + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[file->n_rows++] = *device;
	*device = (struct device){0};
	file->rows = grown;
	return 0;
}

static struct device *find(const struct device_file *file, const struct device *wanted)
{
	for (size_t i = 0; i < file->n_rows; i++) {
		if (devices_compare(&file->rows[i], wanted) == 0)
			return &file->rows[i];
	}
	return NULL;
}

static int take(const struct ini_entry *entry, void *data, struct err *err)
{
	struct device_file *file = data;
	CLEANUP(device_clear) struct device device = {0};
	const int r = parse_device(entry, &device, err);

	if (r < 0)
		return r;
	if (find(file, &device))
		return err_set(err, -EINVAL, "%s: this id stands in [%s] twice", entry->key,
			       entry->section);
	return add(file, &device) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int add_builtin(struct device_file *file, const struct device *row)
{
	CLEANUP(device_clear) struct device copy = *row;

	copy.name = strdup(row->name);
	copy.product = row->product ? strdup(row->product) : NULL;
	copy.family = row->family ? strdup(row->family) : NULL;
	if (!copy.name || !copy.product != !row->product || !copy.family != !row->family)
		return -ENOMEM;
	return add(file, &copy);
}

int device_file_load(const char *path, struct device_file *ret, struct err *err)
{
	CLEANUP(device_file_clear) struct device_file file = {0};
	size_t n_own;
	int r;

	r = ini_file_read(path, take, &file, err);
	if (r < 0)
		return r;
	n_own = file.n_rows;
	for (size_t i = 0; i < devices_builtin.n_rows; i++) {
		const struct device_file own = {file.rows, n_own};

		if (!find(&own, &devices_builtin.rows[i]) &&
		    add_builtin(&file, &devices_builtin.rows[i]))
			return err_set(err, -ENOMEM, "out of memory for the device table");
	}
	if (file.n_rows > 1)
		qsort(file.rows, file.n_rows, sizeof(*file.rows), devices_compare);
	SWAP(*ret, file);
	return 0;
}
