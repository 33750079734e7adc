/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A kubeconfig to an access. Source: the fields of k8s.io/client-go/tools/clientcmd/api/v1. */
struct err;
struct kube_access;

/*
 * files: one, or several with colons between, of which those that are not there are passed over;
 * the first that has a name wins. context: NULL or "" for the current one. Fills an empty *ret.
 * Returns 0, or a negative errno with file:line and what to do.
 */
int kubeconfig_load(const char *files, const char *context, struct kube_access *ret,
		    struct err *err);
