/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture from a stranger may hold, and what --what-if may be told. The first byte says
 * which. */
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "capture/privacy.h"
#include "capture/tar.h"
#include "capture/unpack.h"
#include "inventory/inventory.h"
#include "inventory/inventory_json.h"
#include "inventory/what_if.h"
#include "rules/rules.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	SIZE_AT = 124, /* of a header: ustar */
	SUM_AT = 148,
	SUM_LEN = 8,
};

static void unpack(const char *text, size_t len)
{
	auto_close int fd = memfd_create("capture", MFD_CLOEXEC);
	auto_free char *dir = NULL;
	char path[64];
	struct err err;

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)setenv("TMPDIR", "/dev/shm", 1);
	if (unpack_capture(path, &dir, &err) == 0)
		unpack_remove(dir);
	else if (dir || strchr(err.text, '\033'))
		abort();
}

/* With the checksum of each header put right, so that what is behind it is reached. */
static void unpack_mended(const char *text, size_t len)
{
	auto_free char *archive = malloc(len + 1);
	size_t at = 0;

	if (!archive)
		abort();
	memcpy(archive, text, len);
	archive[len] = '\0';
	while (at + TAR_BLOCK <= len) {
		const size_t size = strtoul(archive + at + SIZE_AT, NULL, 8);
		unsigned int sum = 0;
		char digits[SUM_LEN + 1];

		memset(archive + at + SUM_AT, ' ', SUM_LEN);
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += (unsigned char)archive[at + i];
		(void)snprintf(digits, sizeof(digits), "%06o", sum & 0777777U);
		memcpy(archive + at + SUM_AT, digits, SUM_LEN - 1);
		if (size > len)
			break;
		at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	unpack(archive, len);
}

static const char node[] =
	"{\"format\":1,\"kernel\":null,\"gpus\":[{\"address\":\"0000:05:00.0\",\"vendor\":\"1002\","
	"\"device\":\"74a1\",\"class\":\"1200\",\"driver\":\"gim\",\"iommu_group\":7,\"physfn\":"
	"null,"
	"\"totalvfs\":8,\"numvfs\":null,\"vf_device\":\"74b5\",\"numa_node\":0,\"vf_links\":null,"
	"\"vfs\":[]}],\"others\":[],\"cards\":[],\"kfd\":[],\"modules\":[],\"problems\":[]}";

static void what_if(const char *text, size_t len)
{
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	CLEANUP(strbuf_clear) struct strbuf assumed = {0};
	const struct rule_options options = {0};
	auto_free char *steps = strndup(text, len);
	struct err err;

	if (!steps || inventory_from_json(node, strlen(node), &inventory, &err) != 0)
		abort();
	(void)what_if_apply(steps, &inventory, &assumed, &err);
	if (rules_apply(&inventory, &options, &verdict, &err) != 0)
		abort();
}

static void privacy(const char *text, size_t len)
{
	static const char *const paths[] = {"proc/cmdline", "etc/modprobe.d/x", "sys/x/unique_id",
					    "sys/x/properties", "sys/x/vendor"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		size_t shown = 0;
		auto_free char *clean = privacy_clean(paths[i], text, len, &shown);

		if (!clean)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const readers[])(const char *text, size_t len) = {unpack, unpack_mended,
									what_if, privacy};

	if (len > 0)
		readers[bytes[0] % ARRAY_SIZE(readers)]((const char *)bytes + 1, len - 1);
	return 0;
}
