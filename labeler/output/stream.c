/* SPDX-License-Identifier: Apache-2.0 */
#include "output/stream.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "output/print.h"
#include "rules/labels.h"

#include <errno.h>
#include <string.h>

struct stream {
	struct output output;
	char *last; /* owned; what was printed last, NULL before the first time */
};

static int publish(struct output *output, const struct labels *labels, struct err *err)
{
	struct stream *stream = (struct stream *)output;
	struct strbuf buf = {0};
	auto_free char *text = NULL;

	for (size_t i = 0; i < labels->n_items; i++)
		strbuf_addf(&buf, "%s=%s\n", labels->items[i].key, labels->items[i].value);
	text = strbuf_take(&buf);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	if (stream->last && strcmp(stream->last, text) == 0)
		return OUTPUT_SAME;
	print_labels(stdout, labels);
	(void)fputc('\n', stdout);
	if (fflush(stdout) != 0)
		return err_set(err, -errno, "cannot write to standard output: %s", strerror(errno));
	SWAP(stream->last, text);
	return 0;
}

/* What was printed is printed. */
static int withdraw(struct output *output, struct err *err)
{
	(void)output, (void)err;
	return 0;
}

static void free_stream(struct output *output)
{
	free(((struct stream *)output)->last);
	free(output->describe);
	free(output);
}

static const struct output_ops ops = {NULL, publish, withdraw, free_stream};

int stream_open(struct output **ret, struct err *err)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream) {
		stream->output.ops = &ops;
		stream->output.fd = -1;
		stream->output.describe = strdup("standard output");
	}
	if (!stream || !stream->output.describe) {
		free(stream);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = &stream->output;
	return 0;
}
