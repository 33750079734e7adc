/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The cluster that the settings name, asked once. */
struct config;
struct err;
struct survey;

/*
 * Fills an empty survey. A cluster that cannot be asked is an answer too: the Node's says why.
 * Returns 0 or -ENOMEM.
 */
int cluster_survey(const struct config *config, struct survey *ret, struct err *err);

/* Of KubeVirt's CR alone, which is wanted: what cannot be asked is an error. 0 or a negative errno.
 */
int cluster_kubevirt(const struct config *config, struct survey *ret, struct err *err);
