/* SPDX-License-Identifier: Apache-2.0 */
/* What an API server, a token, a kubeconfig may hold. The first byte says which. */
#include "base/cleanup.h"
#include "base/err.h"
#include "kube/access.h"
#include "kube/kubeconfig.h"
#include "kube/list.h"
#include "kube/object.h"
#include "kube/status.h"
#include "kube/token.h"
#include "kube/watch.h"
#include "output/difference.h"
#include "rules/owned.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void object(const char *text, size_t len)
{
	static const struct kube_pair want[] = {{"amd.com/gpu.mode", "container"}};
	CLEANUP(kube_object_clear) struct kube_object seen = {0};
	CLEANUP(difference_clear) struct difference difference = {0};
	struct err err;

	if (kube_object_parse(text, len, KUBE_LABELS_IN_METADATA, &seen, &err) == 0)
		(void)difference_find(&seen, want, 1, label_key_is_ours, &difference);
}

static void list(const char *text, size_t len)
{
	CLEANUP(kube_list_clear) struct kube_list page = {0};
	struct err err;

	(void)kube_list_parse(text, len, KUBE_LABELS_IN_METADATA, &page, &err);
}

static void status(const char *text, size_t len)
{
	CLEANUP(kube_status_clear) struct kube_status ret = {0};

	if (kube_status_read(text, len, &ret) == 0)
		(void)kube_status_blames(&ret, "amd.com/gpu.mode", "container");
}

static void on_event(struct kube_watch *watch, struct kube_event *event)
{
	(void)watch, (void)event;
}

/* In pieces of which the first byte says how long they are. */
static void watch(const char *text, size_t len)
{
	CLEANUP(kube_watch_clear)
	struct kube_watch feed = {.at = KUBE_LABELS_IN_METADATA, .event = on_event};
	const size_t piece = len > 0 ? (size_t)(unsigned char)text[0] + 1 : 1;
	struct err err;

	for (size_t i = 0; i < len; i += piece) {
		const size_t left = len - i;

		if (kube_watch_feed(&feed, text + i, left < piece ? left : piece, &err) < 0)
			return;
	}
}

static void token(const char *text, size_t len)
{
	CLEANUP(kube_claims_clear) struct kube_claims claims = {0};
	auto_free char *copy = strndup(text, len);

	(void)kube_claims_read(copy, &claims);
}

static void kubeconfig(const char *text, size_t len)
{
	static char path[] = "/dev/shm/gpu-labeler-fuzz-XXXXXX";
	static int fd = -1;
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err;

	if (fd < 0)
		fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text, len, 0) != (ssize_t)len)
		abort();
	(void)kubeconfig_load(path, NULL, &access, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const readers[])(const char *text, size_t len) = {
		object, status, watch, token, kubeconfig, list,
	};

	if (len > 0)
		readers[bytes[0] % ARRAY_SIZE(readers)]((const char *)bytes + 1, len - 1);
	return 0;
}
