/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The values of container mode's hardware kinds. Source: the reference labeller's formulas, out of
 * sysfs and KFD's topology instead of device nodes. Empty: it is not known.
 */
#include "rules/mode.h"
#include "rules/validity.h"

struct card;
struct function;
struct inventory;
struct kfd_node;
struct notes;
struct picks;
struct rule_options;
struct possible;
struct possibles;
struct verdict;

/* What a value function may look at. */
struct view {
	const struct inventory *inventory;
	const struct rule_options *options;
	enum mode mode;
	const struct picks *gpus; /* that serve the mode */
};

/* The GPU function that a node of KFD belongs to, as an index into gpus; SIZE_MAX: none. */
size_t container_gpu_of(const struct inventory *inventory, const struct kfd_node *node);

/* Of a card. */
struct label_value container_product_name(const struct view *view, const struct function *gpu);
struct label_value container_family(const struct view *view, const struct function *gpu);

/* Of a node of KFD; node NULL: of a GPU that KFD does not show. */
struct label_value container_vram(const struct card *card, const struct kfd_node *node);
struct label_value container_simd_count(const struct card *card, const struct kfd_node *node);
struct label_value container_cu_count(const struct card *card, const struct kfd_node *node);

/* Of the machine: where all cards agree. */
struct label_value container_partition(const struct view *view, struct notes *notes);
struct label_value container_compute_partitioning(const struct view *view, struct notes *notes);
struct label_value container_memory_partitioning(const struct view *view, struct notes *notes);

/* beta.amd.com/gpu.firmware.<block>.fw.<version>=<count>, and .feat. likewise */
void container_firmware(const struct view *view, struct verdict *verdict);

/* Their keys; row: what all of them share. */
void container_firmware_possible(struct possible row, struct possibles *out);
