/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: who changed what, when, and what came of it. One entry for each request
 * that is to change something and no dry run, on disk before its answer leaves;
 * also those that were refused, for want of a role or otherwise.
 *
 * Entries are found by the name of their project. Those of one that is gone have
 * its uid behind the name: who makes another of this name does not read them.
 *
 * The last AUDIT_KEPT that were answered with success are kept, and the last
 * AUDIT_KEPT_REFUSED others: who may do nothing cannot push out what was done.
 */
#ifndef AGENT_AUDIT_H
#define AGENT_AUDIT_H

#include "agent/node.h"

enum { AUDIT_KEPT = 10000, AUDIT_KEPT_REFUSED = 1000 };

/* Has the answer to rq recorded, if rq is to change something. */
void audit_begin(struct node *n, struct api_request *rq);

/* Before p goes. Returns 0, or negative errno with e set. */
int audit_forget(struct node *n, const struct project *p, struct err *e);
/* Before a project of this name comes; the same for those that went unnoticed. */
int audit_forget_name(struct node *n, const char *name, struct err *e);

#endif
