/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/source.h"

#include "agent/look.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "capture/unpack.h"
#include "config.h"
#include "inventory/inventory_json.h"

#include <errno.h>
#include <string.h>

/* The whole stream, at most what an inventory may have. */
static int read_stream(FILE *file, char **ret, size_t *ret_len, struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	size_t size = 0;

	do {
		char *grown;

		size = size ? size * 2 : BUFSIZ;
		grown = realloc(text, size);
		if (!grown)
			return err_set(err, -ENOMEM, "out of memory");
		text = grown;
		len += fread(text + len, 1, size - len, file);
	} while (len == size && len <= INVENTORY_JSON_MAX);
	if (ferror(file))
		return err_set(err, -EIO, "cannot be read: %s", strerror(errno));
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static int read_inventory(const char *path, struct inventory *inventory, struct err *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	auto_fclose FILE *file = is_stdin ? fdopen(dup(STDIN_FILENO), "re") : fopen(path, "re");
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (!file)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	r = read_stream(file, &text, &len, err);
	if (r == 0)
		r = inventory_from_json(text, len, inventory, err);
	if (r == -EINVAL)
		r = -EBADMSG; /* the file is bad, not the command line */
	return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

bool source_check(const struct source *source, const struct config *config, struct err *err)
{
	const char *flag = source->inventory ? "inventory" : "capture";

	if ((source->inventory || source->capture) && (config->root || config->sysfs)) {
		err_set(err, 0, "--%s: reads no host: leave --root and --sysfs away", flag);
		return false;
	}
	if (source->inventory && source->capture) {
		err_set(err, 0, "--inventory and --capture: one of them is enough");
		return false;
	}
	return true;
}

int source_open(struct source *source, struct config *config, struct err *err)
{
	auto_free char *root = NULL;
	int r;

	if (!source->capture)
		return 0;
	r = unpack_capture(source->capture, &source->unpacked, err);
	if (r < 0)
		return r;
	root = strdup(source->unpacked);
	if (!root)
		return err_set(err, -ENOMEM, "out of memory");
	SWAP(config->root, root);
	return 0;
}

int source_read(const struct source *source, const struct config *config, struct inventory *ret,
		struct err *err)
{
	if (source->inventory)
		return read_inventory(source->inventory, ret, err);
	return look_scan(config, ret, err);
}

void source_close(struct source *source)
{
	if (source->unpacked)
		unpack_remove(source->unpacked);
	free(source->unpacked);
	source->unpacked = NULL;
}
