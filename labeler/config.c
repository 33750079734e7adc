/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "ini_file.h"

#include <errno.h>
#include <string.h>

enum {
	INTERVAL_DEFAULT_MS = 60 * 1000,
	INTERVAL_MOST_MS = 24 * 3600 * 1000,
	EXPIRY_MOST_MS = 10 * INTERVAL_MOST_MS,
	SPREAD_DEFAULT_MS = 30 * 1000,
	SPREAD_MOST_MS = 3600 * 1000,
	EXPIRY_INTERVALS = 3, /* a single late look must not cost the labels */
};

static void *member(struct config *config, const struct config_key *key)
{
	return (char *)config + key->at;
}

/* The empty text is none. */
static int set_text(struct config *config, const struct config_key *key, const char *value,
		    struct err *err)
{
	auto_free char *copy = *value ? strdup(value) : NULL;
	char **text = member(config, key);

	if (*value && !copy)
		return err_set(err, -ENOMEM, "out of memory");
	SWAP(*text, copy);
	return 0;
}

static int set_bool(struct config *config, const struct config_key *key, const char *value,
		    struct err *err)
{
	bool *is_yes = member(config, key);

	*is_yes = strcmp(value, key->yes) == 0;
	if (!*is_yes && strcmp(value, key->no) != 0)
		return err_set(err, -EINVAL, "\"%s\" is neither %s nor %s", value, key->no,
			       key->yes);
	return 0;
}

static int set_filter(struct config *config, const struct config_key *key, const char *value,
		      struct err *err)
{
	struct filter_list *filter = member(config, key);

	filter_clear(filter);
	return filter_parse(value, filter, err);
}

static int set_device_table(struct config *config, const struct config_key *key, const char *value,
			    struct err *err)
{
	CLEANUP(device_file_clear) struct device_file file = {0};
	int r = 0;

	if (*value)
		r = device_file_load(value, &file, err);
	if (r == 0)
		r = set_text(config, key, value, err);
	if (r == 0)
		SWAP(config->devices, file);
	return r;
}

static int set_driver_type(struct config *config, const struct config_key *key, const char *value,
			   struct err *err)
{
	(void)key;
	if (!mode_parse(value, &config->rules.driver_type))
		return err_set(err, -EINVAL,
			       "\"%s\" is neither auto, container, vf-passthrough nor "
			       "pf-passthrough",
			       value);
	return 0;
}

/* The bits of a comma list's words together; bit_of has 0 for what is none, why says so. */
static int take_words(const char *value, unsigned int (*bit_of)(const char *word), const char *why,
		      unsigned int *ret, struct err *err)
{
	auto_free char *copy = strdup(value);
	char *rest = copy;
	unsigned int bits = 0;

	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *word; (word = strsep(&rest, ","));) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (!bit_of(word))
			return err_set(err, -EINVAL, "\"%s\" is %s", word, why);
		bits |= bit_of(word);
	}
	*ret = bits;
	return 0;
}

/* The mode is always published: to ask for it alone is to ask for no other kind. */
static unsigned int kind_bit(const char *name)
{
	if (strcmp(name, "all") == 0)
		return ~0U;
	for (unsigned int i = 0; i < N_AMD_KINDS; i++) {
		if (strcmp(amd_kind_names[i], name) == 0)
			return 1U << i;
	}
	return strcmp(name, "mode") == 0 ? 1U << N_AMD_KINDS : 0;
}

static int set_labels(struct config *config, const struct config_key *key, const char *value,
		      struct err *err)
{
	unsigned int wanted = 0;
	const int r = take_words(value, kind_bit,
				 "no kind of label: all, or a list of those in gpu-labeler.conf",
				 &wanted, err);

	(void)key;
	if (r == 0)
		config->rules.left_out = ~wanted;
	return r;
}

const char *const config_output_names[CONFIG_OUTPUTS] = {
	[CONFIG_OUTPUT_FILE] = "file",
	[CONFIG_OUTPUT_NODE] = "node",
	[CONFIG_OUTPUT_NODE_FEATURE] = "nodefeature",
	[CONFIG_OUTPUT_STDOUT] = "stdout",
};

static unsigned int output_bit(const char *name)
{
	for (unsigned int i = 0; i < CONFIG_OUTPUTS; i++) {
		if (strcmp(name, config_output_names[i]) == 0)
			return 1U << i;
	}
	return 0;
}

static int set_output(struct config *config, const struct config_key *key, const char *value,
		      struct err *err)
{
	(void)key;
	return take_words(value, output_bit, "neither file, node, nodefeature nor stdout",
			  &config->outputs, err);
}

/* A number and its unit: 500ms, 60s, 5m, 1h, or 0. */
static int parse_time(const char *text, int64_t *ret_ms, struct err *err)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	const size_t digits = strspn(text, "0123456789");
	const long long number = digits > 0 && digits < 9 ? strtoll(text, NULL, 10) : -1;

	if (number == 0 && !text[digits]) {
		*ret_ms = 0;
		return 0;
	}
	for (size_t i = 0; number >= 0 && i < ARRAY_SIZE(units); i++) {
		if (strcmp(text + digits, units[i].unit) == 0) {
			*ret_ms = number * units[i].ms;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "\"%s\" is no time: write 60s, 5m or 1h", text);
}

static int set_interval(struct config *config, const struct config_key *key, const char *value,
			struct err *err)
{
	const int r = parse_time(value, &config->interval_ms, err);

	(void)key;
	if (r == 0 && (config->interval_ms < 1000 || config->interval_ms > INTERVAL_MOST_MS))
		return err_set(err, -EINVAL, "\"%s\" is not from 1s to 24h", value);
	return r;
}

static int set_expiry(struct config *config, const struct config_key *key, const char *value,
		      struct err *err)
{
	int64_t ms = 0;
	const int r = parse_time(value, &ms, err);

	(void)key;
	if (r == 0 && ms > EXPIRY_MOST_MS)
		return err_set(err, -EINVAL, "\"%s\" is more than 240h", value);
	config->expiry_s = (unsigned int)(ms / 1000);
	return r;
}

/* Only the form: whether there is such an address is known where it is opened. */
static int set_listen(struct config *config, const struct config_key *key, const char *value,
		      struct err *err)
{
	const char *colon = strrchr(value, ':');
	const char *port = colon ? colon + 1 : "";
	const size_t digits = strspn(port, "0123456789");
	const long number = digits > 0 && digits < 6 ? strtol(port, NULL, 10) : 0;
	const bool is_port = !port[digits] && number > 0 && number <= UINT16_MAX;
	const bool is_address = colon && (memchr(value, ':', (size_t)(colon - value)) == NULL ||
					  (*value == '[' && colon[-1] == ']'));

	if (*value && (!is_port || !is_address))
		return err_set(err, -EINVAL,
			       "\"%s\" is no ADDRESS:PORT: write :8080, 127.0.0.1:8080 or "
			       "[::1]:8080",
			       value);
	return set_text(config, key, value, err);
}

static int set_log_level(struct config *config, const struct config_key *key, const char *value,
			 struct err *err)
{
	(void)key;
	if (!log_level_parse(value, &config->log_level))
		return err_set(err, -EINVAL, "\"%s\" is neither error, warning, info nor debug",
			       value);
	return 0;
}

static int set_startup_spread(struct config *config, const struct config_key *key,
			      const char *value, struct err *err)
{
	const int r = parse_time(value, &config->startup_spread_ms, err);

	(void)key;
	if (r == 0 && config->startup_spread_ms > SPREAD_MOST_MS)
		return err_set(err, -EINVAL, "\"%s\" is more than 1h", value);
	return r;
}

#define OWN(setter) .set = set_##setter
#define TEXT(name) .set = set_text, .at = offsetof(struct config, name)
#define FILTER(name) .set = set_filter, .at = offsetof(struct config, name)
#define BOOL(name, no_, yes_)                                                                      \
	.set = set_bool, .at = offsetof(struct config, name), .no = (no_), .yes = (yes_)
const struct config_key config_keys[] = {
	/* clang-format off */
	{"host", "root", "root", NULL, CONFIG_OF_SCAN, false, "DIR",
		"read /sys, /proc, /lib/modules below it", TEXT(root)},
	{"host", "sysfs", "sysfs", NULL, CONFIG_OF_SCAN, false, "DIR",
		"the host's sysfs, where it is not <root>/sys", TEXT(sysfs)},
	{"devices", "table", "device-table", NULL, CONFIG_OF_SCAN, false, "FILE",
		"device names laid over the built-in ones", OWN(device_table),
		.at = offsetof(struct config, device_table)},
	{"devices", "allow-ids", "allow-ids", NULL, CONFIG_OF_SCAN, false, "LIST",
		"count these device ids only: 0x74b5,1002:74a1", FILTER(rules.allow_ids)},
	{"devices", "deny-ids", "deny-ids", NULL, CONFIG_OF_SCAN, false, "LIST",
		"never count these device ids", FILTER(rules.deny_ids)},
	{"amd", "driver-type", "driver-type", NULL, CONFIG_OF_SCAN, false, "MODE",
		"auto, container, vf-passthrough, pf-passthrough", OWN(driver_type)},
	{"amd", "device-id-format", "device-id-format", NULL, CONFIG_OF_SCAN, false, "FORM",
		"bare (74b5) or 0x (0x74b5) in passthrough modes", BOOL(rules.device_id_0x, "bare", "0x")},
	{"amd", "labels", "labels", NULL, CONFIG_OF_SCAN, true, "LIST",
		"all, or the kinds to publish: vram,cu-count", OWN(labels)},
	{"amd", "pci-ids-names", "pci-ids-names", NULL, CONFIG_OF_SCAN, false, NULL,
		"product-name from pci.ids where nothing is better", BOOL(pci_ids_names, "no", "yes")},
	{"intel", "rule-labels", "rule-labels", NULL, CONFIG_OF_SCAN, false, NULL,
		"publish what Intel's own NFD rules do, too", BOOL(rules.intel_rule_labels, "no", "yes")},
	{"agent", "output", "output", NULL, CONFIG_OF_AGENT, true, "LIST",
		"file, node, nodefeature, stdout", OWN(output)},
	{"agent", "interval", "interval", NULL, CONFIG_OF_AGENT, false, "TIME",
		"look again after this time without an event: 60s", OWN(interval)},
	{"agent", "withdraw-on-exit", "withdraw-on-exit", NULL, CONFIG_OF_AGENT, false, NULL,
		"take the labels away when leaving", BOOL(withdraw_on_exit, "no", "yes")},
	{"agent", "listen", "listen", NULL, CONFIG_OF_AGENT, false, "ADDRESS:PORT",
		"serve /healthz, /readyz, /metrics there: :8080", OWN(listen), .at = offsetof(struct config, listen)},
	{"agent", "sandbox", "sandbox", NULL, CONFIG_OF_AGENT, false, "WORD",
		"yes, or no: keep rights that are not needed", BOOL(no_sandbox, "yes", "no")},
	{"agent", "log-level", "log-level", NULL, CONFIG_OF_AGENT, false, "LEVEL",
		"error, warning, info or debug", OWN(log_level)},
	{"agent", "log-format", "log-format", NULL, CONFIG_OF_AGENT, false, "FORM",
		"text or json", BOOL(log_json, "text", "json")},
	{"file", "dir", "features-dir", NULL, CONFIG_OF_AGENT, false, "DIR",
		"where NFD looks for feature files", TEXT(features_dir)},
	{"file", "expiry", "expiry", NULL, CONFIG_OF_AGENT, false, "TIME",
		"NFD forgets a dead agent's labels then; 0: never", OWN(expiry)},
	{"kube", "kubeconfig", "kubeconfig", "KUBECONFIG", CONFIG_OF_AGENT, false, "FILE",
		"how to reach the API server, outside a pod", TEXT(kubeconfig)},
	{"kube", "context", "context", NULL, CONFIG_OF_AGENT, false, "NAME",
		"which of the kubeconfig's contexts", TEXT(context)},
	{"kube", "node-name", "node-name", "NODE_NAME", CONFIG_OF_AGENT, false, "NAME",
		"which node this is; a pod's token says it, too", TEXT(node_name)},
	{"kube", "namespace", "namespace", NULL, CONFIG_OF_AGENT, false, "NAME",
		"where the NodeFeature object goes", TEXT(namespace)},
	{"kube", "startup-spread", "startup-spread", NULL, CONFIG_OF_AGENT, false, "TIME",
		"begin at a random moment within this time", OWN(startup_spread)},
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(config_keys) == CONFIG_KEYS, "config.h counts the keys");

struct loading {
	struct config *config;
	int seen[CONFIG_KEYS]; /* line of each key's entry, 0: none */
};

static int set(struct config *config, size_t key, const char *value, struct err *err)
{
	return config_keys[key].set(config, &config_keys[key], value, err);
}

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
	r = set(loading->config, i, entry->value, err);
	return r < 0 ? err_prefix(err, r, "%s", entry->key) : 0;
}

static int load_environment(struct config *config, struct err *err)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const char *value = config_keys[i].env ? getenv(config_keys[i].env) : NULL;
		const int r = value && *value ? set(config, i, value, err) : 0;

		if (r < 0)
			return err_prefix(err, r, "%s", config_keys[i].env);
	}
	return 0;
}

static int load_flags(const char *const flags[static CONFIG_KEYS], struct config *config,
		      struct err *err)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const int r = flags[i] ? set(config, i, flags[i], err) : 0;

		if (r < 0)
			return err_prefix(err, r, "--%s", config_keys[i].flag);
	}
	return 0;
}

int config_load(const char *file, const char *const flags[static CONFIG_KEYS], struct config *ret,
		struct err *err)
{
	CLEANUP(config_clear)
	struct config config = {
		.outputs = 1U << CONFIG_OUTPUT_FILE,
		.interval_ms = INTERVAL_DEFAULT_MS,
		.log_level = LEVEL_INFO,
		.startup_spread_ms = SPREAD_DEFAULT_MS,
	};
	struct loading loading = {.config = &config};
	int r = 0;

	if (file || access(CONFIG_FILE, F_OK) == 0)
		r = ini_file_read(file ? file : CONFIG_FILE, take, &loading, err);
	if (r == 0)
		r = load_environment(&config, err);
	if (r == 0)
		r = load_flags(flags, &config, err);
	if (r < 0)
		return r;
	if (config.rules.allow_ids.n_ids > 0 && config.rules.deny_ids.n_ids > 0)
		return err_set(err, -EINVAL,
			       "allow-ids and deny-ids are both set: one of them is enough, take "
			       "the other away");
	if (config.expiry_s > 0 && config.expiry_s * 1000LL < config.interval_ms * EXPIRY_INTERVALS)
		return err_set(err, -EINVAL,
			       "expiry is shorter than three times interval: labels would come and "
			       "go, make it longer");
	config.rules.devices = config_devices(&config);
	SWAP(*ret, config);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool config_same_outputs(const struct config *a, const struct config *b)
{
	return a->outputs == b->outputs && a->expiry_s == b->expiry_s &&
	       same_text(a->features_dir, b->features_dir) &&
	       same_text(a->kubeconfig, b->kubeconfig) && same_text(a->context, b->context) &&
	       same_text(a->node_name, b->node_name) && same_text(a->namespace, b->namespace);
}

void config_clear(struct config *config)
{
	free(config->root);
	free(config->sysfs);
	rule_options_clear(&config->rules);
	device_file_clear(&config->devices);
	free(config->device_table);
	free(config->listen);
	free(config->features_dir);
	free(config->kubeconfig);
	free(config->context);
	free(config->node_name);
	free(config->namespace);
	*config = (struct config){0};
}

struct device_table config_devices(const struct config *config)
{
	return config->devices.n_rows > 0 ? device_file_table(&config->devices) : devices_builtin;
}
