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

/*
 * A uid for what rq makes. What is random in it is a hash of the key, if rq has
 * one. Returns 0 or negative errno.
 */
int op_make_uid(const struct api_request *rq, uint8_t uid[UID_BYTES]);

/*
 * Whether what has that uid was made by rq when it came before, with its key, to
 * a europad that died before it could answer. Then it is not made again.
 */
bool op_has_made(const struct api_request *rq, const uint8_t uid[UID_BYTES]);

#endif
