/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: the counters of the node as OpenMetrics text, for GET /metrics.
 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include "agent/node.h"

/* Answers with all of them; those of ports as the data plane told them last. */
void metrics_answer(struct node *n, struct api_request *rq);

#endif
