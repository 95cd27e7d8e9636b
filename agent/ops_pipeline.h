/* SPDX-License-Identifier: Apache-2.0 */
/* ops_pipeline: what a pipeline is to clients; for ops_pipeline*.c. */
#ifndef AGENT_OPS_PIPELINE_H
#define AGENT_OPS_PIPELINE_H

#include "agent/ops_live.h"

enum { PIPELINE_SHOW_MS = 3000 };

/* Of what is wanted. */
void pipeline_etag(const struct router *r, char buf[64]);
/* Answers a change with the revision that is wanted now. */
void pipeline_reply_changed(
    struct router *r, struct api_request *rq, int status);
/*
 * The router's own number of the text with this digest, that runs, or ran and
 * did not fail; 0: there is none. said: {"running", "revisions"}.
 */
json_int_t pipeline_number_there(const json_t *said, const char *digest);

#endif
