/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's files may hold: KFD's properties, libdrm's names, attributes of a card. The first
 * byte says which file the rest goes into, below a machine with one GPU on amdgpu.
 */
#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "rules/rules.h"
#include "rules/validity.h"
#include "scan/host.h"
#include "scan/scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPU "sys/bus/pci/devices/0000:05:00.0"
#define NODE "sys/class/kfd/kfd/topology/nodes/1"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const files[] = {
	NODE "/properties",
	NODE "/mem_banks/0/properties",
	"usr/share/libdrm/amdgpu.ids",
	GPU "/product_name",
	GPU "/current_compute_partition",
	GPU "/mem_info_vram_total",
	GPU "/fw_version/mec_fw_version",
	GPU "/revision",
};
static char root[] = "/dev/shm/gpu-labeler-fuzz-XXXXXX";

static void put(const char *path, const void *bytes, size_t len)
{
	char all[256];
	int fd;

	(void)snprintf(all, sizeof(all), "%s/%s", root, path);
	for (char *slash = all + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(all, 0755);
		*slash = '/';
	}
	fd = open(all, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	(void)close(fd);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void make_machine(void)
{
	char link[256];

	if (!mkdtemp(root))
		abort();
	put_text(GPU "/vendor", "0x1002\n");
	put_text(GPU "/device", "0x74a1\n");
	put_text(GPU "/class", "0x120000\n");
	put_text(GPU "/drm/renderD128/x", "");
	put_text(NODE "/properties", "simd_count 1216\nsimd_per_cu 4\ndrm_render_minor 128\n");
	for (size_t i = 1; i < ARRAY_SIZE(files); i++)
		put_text(files[i], "");
	(void)snprintf(link, sizeof(link), "%s/" GPU "/driver", root);
	if (symlink("../drivers/amdgpu", link) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static bool is_made;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	const struct scan_options options = {.devices = &devices_builtin};
	const struct rule_options rules = {0};
	struct err err;

	if (!is_made)
		make_machine();
	is_made = true;
	if (len == 0)
		return 0;
	put(files[bytes[0] % ARRAY_SIZE(files)], bytes + 1, len - 1);
	if (host_open(&host, root, NULL, &err) < 0 || scan(&host, &options, &inventory, &err) < 0)
		abort();
	if (rules_apply(&inventory, &rules, &verdict, &err) < 0)
		abort();
	for (size_t i = 0; i < verdict.labels.n_items; i++) {
		if (!validity_key(verdict.labels.items[i].key) ||
		    !validity_value(verdict.labels.items[i].value))
			abort();
	}
	return 0;
}
