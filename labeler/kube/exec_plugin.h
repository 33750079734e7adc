/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A credential plugin of a kubeconfig: a program that prints a token or a certificate. It runs
 * without a shell and without a terminal, and is waited for by its fds, never by blocking. Source:
 * client.authentication.k8s.io/v1.
 */
#include "base/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum {
	KUBE_EXEC_LIMIT_MS = 60 * 1000, /* a plugin that takes longer is ended */
};
struct kube_exec {
	char *command;     /* owned; NULL: no plugin. Looked for in PATH where it has no slash */
	char **args;       /* owned, NULL at the end, without the command itself; NULL: none */
	char **env;        /* owned, "NAME=value", NULL at the end, laid over our own; NULL: none */
	char *api_version; /* owned */
	bool wants_cluster; /* it is told which server it is for */
};

/* What it printed. */
struct kube_exec_result {
	char *token, *cert, *key; /* owned; NULL: not given */
	int64_t until_s;          /* seconds of the wall clock; INT64_MAX: it did not say */
};

/* One run of it. */
struct kube_exec_run {
	pid_t pid;  /* 0: not running */
	int pid_fd; /* owned; readable when it has ended; -1: none */
	int out_fd; /* owned; what it prints; -1: none */
	struct strbuf out;
};
#define KUBE_EXEC_NONE ((struct kube_exec_run){.pid_fd = -1, .out_fd = -1})

/* Starts it. cluster: the JSON of its cluster, or NULL. 0 or a negative errno with the reason. */
int kube_exec_start(const struct kube_exec *exec, const char *cluster, struct kube_exec_run *ret,
		    struct err *err);

/*
 * Takes what it has printed. Returns 0 while it runs, 1 when it has ended well, with *ret filled,
 * or a negative errno with the reason; the run is over in the last two cases.
 */
int kube_exec_read(const struct kube_exec *exec, struct kube_exec_run *run,
		   struct kube_exec_result *ret, struct err *err);

/* Ends it, where it runs. */
void kube_exec_stop(struct kube_exec_run *run);
void kube_exec_result_clear(struct kube_exec_result *result);
void kube_exec_clear(struct kube_exec *exec);
