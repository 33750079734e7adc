/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The topology of KFD, the compute driver: one node for each GPU, or for each partition of one. */
struct host;
struct inventory;

/*
 * Adds the nodes that are GPUs, and those that can't be read (a container needs the GPU's render
 * node in its device cgroup for that). Returns 0 or -ENOMEM.
 */
int scan_kfd(const struct host *host, struct inventory *inventory);
