/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_list: a list over the API whose items are made into JSON only when they
 * are on the page that was asked for.
 */
#ifndef AGENT_OPS_LIST_H
#define AGENT_OPS_LIST_H

#include "agent/ops.h"
#include "api/list.h"

/* What may be on it; begins as zeros. */
struct op_list {
	struct list_item *items;
	size_t n, room;
	bool is_short; /* something is missing: no memory */
};

/* All is borrowed until the reply. */
void op_list_add(struct op_list *l, const char *name, const json_t *labels,
    const void *object);
/* Answers with the page, sorted by name, and empties the list. */
void op_list_reply(struct op_list *l, struct api_request *rq,
    json_t *(*make)(void *arg, const void *object), void *arg);

#endif
