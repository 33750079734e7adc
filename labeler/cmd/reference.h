/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The flags of AMD's node labeller, so that the arguments of its DaemonSet work unchanged: -vram,
 * --vram=true, -driver_type=container. Source: its flag package takes one dash or two.
 */

/* Puts ours in the place of those that argv has: --labels=vram, --driver-type=container. */
void reference_flags(int argc, char **argv);
