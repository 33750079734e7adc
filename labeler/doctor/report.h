/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A diagnosis for a person, or as JSON for a program. */
struct diagnosis;
struct strbuf;

/* What passed in a line each; the rest with what was read, and what to do. */
void report_text(const struct diagnosis *diagnosis, struct strbuf *out);

/* The text is the caller's; NULL where memory runs out. */
char *report_json(const struct diagnosis *diagnosis);
