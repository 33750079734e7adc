/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Standard output as a place for labels: each set that is published, and an empty line behind it.
 */
#include "output/output.h"

/* Returns 0 or -ENOMEM. */
int stream_open(struct output **ret, struct err *err);
