/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keeps the labels of one object of the API server as they should be, whoever changes them: looks
 * at it once, applies what differs, and has it watched from then on. Never blocks; in steady state
 * the watch alone is open. What Node and NodeFeature do not share comes in a table.
 */
#include "output/identity.h"
#include "output/object_watch.h"
#include "output/output.h"
#include "output/repairs.h"

struct kube_pair;
struct keeper;

struct keeper_kind {
	enum kube_labels_at at;
	const char *what;                 /* for a person: "node" */
	const char *accept;               /* what of the object is asked for */
	bool (*is_ours)(const char *key); /* whoever set them; NULL: only what we applied */
	bool makes; /* applying makes the object, and without a label it is deleted */
	/* The body of an apply, the caller's; NULL where memory ran out. */
	char *(*apply)(const struct keeper *keeper, const struct kube_pair *labels, size_t n);
};
struct keeper {
	struct output output;
	const struct keeper_kind *kind;
	struct identity identity; /* owned; its access has gone to the client */
	char *name;               /* owned; of the object */
	char *list_path, *path;   /* owned; where objects of the kind are, where this one is */
	struct kube_client *client;
	struct object_watch watch;
	struct repairs repairs;

	/* What is known. */
	struct kube_object seen; /* as it was last, while has_seen */
	bool has_seen, absent;   /* neither: not looked yet */
	int64_t looked_ms;       /* when all of it was asked for */
	char **refused;          /* owned; output.n_refused keys that the server does not take */
	bool no_apply;           /* the server has no server-side apply */
	char *applied; /* owned; the labels as they were last applied, as text; NULL: never */
	char *settled; /* owned; the labels that stood there when all was well; NULL: never */
	bool wrote;    /* something since then */
	bool drifting; /* somebody else changed them since then, and it was said */
	bool leaving;  /* no object is as good as no labels */

	/* What is under way: one call at a time, beside the watch. */
	struct kube_call call;
	enum keeper_step {
		KEEPER_LOOK,
		KEEPER_LOOK_NODE, /* for the uid of the Node that owns the object */
		KEEPER_APPLY,
		KEEPER_MERGE,
		KEEPER_DELETE,
	} step;
	struct kube_request request;
	char *request_path, *request_body; /* owned */
	char *request_labels;              /* owned; what an apply is to make true, as text */
	unsigned int attempt;              /* failures in a row */
	unsigned int writes;               /* since all was well */
	int64_t wait_until_ms;             /* nothing is asked before */
	int64_t repair_at_ms;              /* what somebody else changed is not put right before */
	int64_t poll_ms;                   /* between two looks where there is no watch */
};

/*
 * Takes over the identity. name, list_path: owned by the keeper afterwards, also where it fails.
 * spread_ms: the first request comes at a random moment within that. 0 or a negative errno.
 */
int keeper_open(const struct keeper_kind *kind, struct identity *identity, char *name,
		char *list_path, int64_t spread_ms, struct output **ret, struct err *err);
