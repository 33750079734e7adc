/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no loop: publish once, withdraw. */
#include "agent/agent.h"
#include "agent/look.h"
#include "agent/loop.h"
#include "agent/publisher.h"
#include "agent/say.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "output/every_node.h"
#include "output/identity.h"

#include <errno.h>

/* The outputs, and the loop that they are put into and that nobody runs. */
struct place {
	struct loop loop;
	struct publishers publishers;
};

static void place_close(struct place *place)
{
	publishers_clear(&place->publishers);
	loop_close(&place->loop);
}

static int place_open(struct place *place, const struct config *config, struct err *err)
{
	int r = loop_open(&place->loop, err);

	log_setup(config->log_level, config->log_json);
	if (r == 0)
		r = publishers_open(&place->publishers, config, &place->loop, err);
	return r;
}

int agent_once(const struct config *config, struct err *err)
{
	CLEANUP(look_clear) struct look now = {0};
	CLEANUP(place_close) struct place place = {.loop = LOOP_CLOSED};
	int r;

	r = place_open(&place, config, err);
	if (r == 0)
		r = look_take(config, &now, err);
	if (r < 0)
		return r;
	say_notes(&now.verdict.notes);
	return publishers_once(&place.publishers, &now.verdict.labels, err);
}

int agent_clean(const struct config *config, struct err *err)
{
	CLEANUP(place_close) struct place place = {.loop = LOOP_CLOSED};
	const int r = place_open(&place, config, err);

	return r < 0 ? r : publishers_withdraw(&place.publishers, err);
}

int agent_clean_every_node(const struct config *config, struct err *err)
{
	static const struct {
		enum config_output output;
		const char *what;
		int (*clean)(const struct identity_wish *wish, struct every_node_count *ret,
			     struct err *err);
	} sweeps[] = {
		{CONFIG_OUTPUT_NODE, "nodes", every_node_unlabel},
		{CONFIG_OUTPUT_NODE_FEATURE, "NodeFeatures", every_node_delete_features},
	};
	const struct identity_wish wish = {config->kubeconfig, config->context, NULL,
					   config->namespace};
	unsigned int reached = 0;
	int r = 0;

	log_setup(config->log_level, config->log_json);
	for (size_t i = 0; i < ARRAY_SIZE(sweeps); i++)
		reached |= config->outputs & 1U << sweeps[i].output;
	if (reached != config->outputs)
		return err_set(err, -EINVAL,
			       "--every-node: goes with --output node and nodefeature: a file is "
			       "taken away on its own node");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sweeps); i++) {
		struct every_node_count count;

		if (!(reached & 1U << sweeps[i].output))
			continue;
		r = sweeps[i].clean(&wish, &count, err);
		log_line(LEVEL_INFO, NULL, "cleaned %zu of %zu %s", count.cleaned, count.seen,
			 sweeps[i].what);
	}
	return r;
}
