/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a doctor asks of the cluster about one Node: read, but for a question of rights. */
#include "kube/object.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct kube_client;

/* How a question was answered. Only what is known says anything of what stands below it. */
enum survey_state {
	SURVEY_NOT_ASKED,
	SURVEY_KNOWN,
	SURVEY_ABSENT, /* the server knows no such object */
	SURVEY_FAILED, /* no answer, or a refusal: why tells */
};
struct survey_answer {
	enum survey_state state;
	char *why; /* owned; of a failed one */
};
struct survey_resource {
	char *name, *quantity; /* owned */
};
/* An entry of permittedHostDevices.pciHostDevices. */
struct survey_permit {
	char *selector, *resource; /* owned; 1002:74b5, amd.com/gpu */
	bool external;             /* a device plugin of another provides the resource */
};

/* What to ask; texts are the caller's. */
struct survey_wish {
	const char *node;        /* NULL: of KubeVirt alone */
	const char *namespace;   /* of the agent's objects */
	bool writes_node;        /* ask for the rights and the policy of the output node */
	bool writes_nodefeature; /* likewise */
	bool needs_nfd;
};
struct survey {
	struct survey_answer node;
	struct kube_object object;         /* its labels, and who set each */
	bool has_nfd_mark;                 /* an annotation of NFD's is on the Node */
	struct survey_resource *resources; /* owned; status.allocatable */
	size_t n_resources;

	struct survey_answer kubevirt; /* of its CR, the first in any namespace */
	char *kubevirt_name;           /* owned; namespace/name */
	char **gates;                  /* owned; developerConfiguration.featureGates */
	size_t n_gates;
	struct survey_permit *permits; /* owned */
	size_t n_permits;

	struct survey_answer rights, policy, binding, nfd;
	char *rights_on;   /* owned; "patch nodes/gpu-7" */
	bool may;          /* we have these rights */
	char *policy_name; /* owned */
};

/* Asks one after the other; what fails is an answer. Returns 0 or -ENOMEM. */
int survey_take(struct kube_client *client, const struct survey_wish *wish, struct survey *ret,
		struct err *err);
void survey_clear(struct survey *survey);

/* The allocatable quantity of that resource, NULL where the Node advertises none. */
const char *survey_quantity(const struct survey *survey, const char *resource);

/* The entry for a function of these ids, or NULL. */
const struct survey_permit *survey_permit(const struct survey *survey, unsigned int vendor,
					  unsigned int device);

/* Pure: what the server's answers say, read from JSON. Return 0, -EBADMSG or -ENOMEM. */
int survey_read_node(const char *text, size_t len, struct survey *survey, struct err *err);
int survey_read_kubevirts(const char *text, size_t len, struct survey *survey, struct err *err);
