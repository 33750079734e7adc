/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "ini_file.h"

#include <errno.h>
#include <string.h>

/* A path; the empty text is none. */
static int set_path(char **path, const char *value, struct err *err)
{
	auto_free char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy)
		return err_set(err, -ENOMEM, "out of memory");
	SWAP(*path, copy);
	return 0;
}

static int set_root(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->root, value, err);
}

static int set_sysfs(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->sysfs, value, err);
}

static int set_device_table(struct config *config, const char *value, struct err *err)
{
	CLEANUP(device_file_clear) struct device_file file = {0};
	int r = 0;

	if (*value)
		r = device_file_load(value, &file, err);
	if (r == 0)
		SWAP(config->devices, file);
	return r;
}

static int set_allow_ids(struct config *config, const char *value, struct err *err)
{
	filter_clear(&config->rules.allow_ids);
	return filter_parse(value, &config->rules.allow_ids, err);
}

static int set_deny_ids(struct config *config, const char *value, struct err *err)
{
	filter_clear(&config->rules.deny_ids);
	return filter_parse(value, &config->rules.deny_ids, err);
}

static int set_driver_type(struct config *config, const char *value, struct err *err)
{
	if (!mode_parse(value, &config->rules.driver_type))
		return err_set(err, -EINVAL,
			       "\"%s\" is neither auto, container, vf-passthrough nor "
			       "pf-passthrough",
			       value);
	return 0;
}

static int set_device_id_format(struct config *config, const char *value, struct err *err)
{
	config->rules.device_id_0x = strcmp(value, "0x") == 0;
	if (!config->rules.device_id_0x && strcmp(value, "bare") != 0)
		return err_set(err, -EINVAL, "\"%s\" is neither bare nor 0x", value);
	return 0;
}

const struct config_key config_keys[] = {
	/* clang-format off */
	{"host", "root", "root", "DIR",
		"the host's root: /sys, /proc, /lib/modules are read below it", set_root},
	{"host", "sysfs", "sysfs", "DIR",
		"the host's sysfs, where it is not <root>/sys", set_sysfs},
	{"devices", "table", "device-table", "FILE",
		"device names laid over the built-in ones", set_device_table},
	{"devices", "allow-ids", "allow-ids", "LIST",
		"count these device ids only: 0x74b5,1002:74a1", set_allow_ids},
	{"devices", "deny-ids", "deny-ids", "LIST",
		"never count these device ids", set_deny_ids},
	{"amd", "driver-type", "driver-type", "MODE",
		"auto, container, vf-passthrough or pf-passthrough", set_driver_type},
	{"amd", "device-id-format", "device-id-format", "FORM",
		"bare (74b5) or 0x (0x74b5) in the passthrough modes", set_device_id_format},
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(config_keys) == CONFIG_KEYS, "config.h counts the keys");

struct loading {
	struct config *config;
	int seen[CONFIG_KEYS]; /* line of each key's entry, 0: none */
};

static bool is_section(const char *section)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (strcmp(config_keys[i].section, section) == 0)
			return true;
	}
	return false;
}

static int unknown(const struct ini_entry *entry, struct err *err)
{
	if (!*entry->section)
		return err_set(err, -EINVAL, "%s: stands before the first [section]", entry->key);
	if (!is_section(entry->section))
		return err_set(err, -EINVAL, "[%s]: there is no such section", entry->section);
	return err_set(err, -EINVAL, "%s: there is no such key in [%s]", entry->key,
		       entry->section);
}

static int take(const struct ini_entry *entry, void *data, struct err *err)
{
	struct loading *loading = data;
	size_t i = 0;
	int r;

	while (i < CONFIG_KEYS && (strcmp(config_keys[i].section, entry->section) != 0 ||
				   strcmp(config_keys[i].key, entry->key) != 0))
		i++;
	if (i == CONFIG_KEYS)
		return unknown(entry, err);
	if (loading->seen[i])
		return err_set(err, -EINVAL, "%s: stands in line %d already", entry->key,
			       loading->seen[i]);
	loading->seen[i] = entry->line;
	r = config_keys[i].set(loading->config, entry->value, err);
	return r < 0 ? err_prefix(err, r, "%s", entry->key) : 0;
}

static int load_flags(const char *const flags[static CONFIG_KEYS], struct config *config,
		      struct err *err)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const int r = flags[i] ? config_keys[i].set(config, flags[i], err) : 0;

		if (r < 0)
			return err_prefix(err, r, "--%s", config_keys[i].flag);
	}
	return 0;
}

int config_load(const char *file, const char *const flags[static CONFIG_KEYS], struct config *ret,
		struct err *err)
{
	CLEANUP(config_clear) struct config config = {0};
	struct loading loading = {.config = &config};
	int r = 0;

	if (file || access(CONFIG_FILE, F_OK) == 0)
		r = ini_file_read(file ? file : CONFIG_FILE, take, &loading, err);
	if (r == 0)
		r = load_flags(flags, &config, err);
	if (r < 0)
		return r;
	if (config.rules.allow_ids.n_ids > 0 && config.rules.deny_ids.n_ids > 0)
		return err_set(err, -EINVAL,
			       "allow-ids and deny-ids are both set: one of them is enough, take "
			       "the other away");
	SWAP(*ret, config);
	return 0;
}

void config_clear(struct config *config)
{
	free(config->root);
	free(config->sysfs);
	rule_options_clear(&config->rules);
	device_file_clear(&config->devices);
	*config = (struct config){0};
}

struct device_table config_devices(const struct config *config)
{
	return config->devices.n_rows > 0 ? device_file_table(&config->devices) : devices_builtin;
}
