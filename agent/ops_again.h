/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_again: requests that may have come before, by their Idempotency-Key.
 */
#ifndef AGENT_OPS_AGAIN_H
#define AGENT_OPS_AGAIN_H

#include "agent/node.h"

/*
 * Whether rq is to be carried out; its answer is kept then if it has a key. If
 * not, it is answered: as it was the first time, or with what is wrong.
 */
bool op_is_new(struct node *n, struct api_request *rq);

#endif
