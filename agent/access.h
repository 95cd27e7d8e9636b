/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: what whoever asks may do. Over the unix socket without a token,
 * everything; with a token, what its roles say: viewer reads, operator changes
 * the project's routers, admin its tokens too, and admin of every project the
 * node. Which role an operation wants the table of operations says.
 *
 * A project in which somebody has no role is not there for him: 404. What his
 * role does not reach is 403.
 */
#ifndef AGENT_ACCESS_H
#define AGENT_ACCESS_H

#include "agent/tokens.h"

struct api_request;
struct problem;

/* p NULL: the role with the node itself. */
enum api_role access_role(const struct node *n, const struct api_request *rq,
    const struct project *p);

/* false: it may not, and the request is answered. */
bool access_allows(struct node *n, struct api_request *rq);

/*
 * Whether rq may make a router of the template, or give it to one of another:
 * 0, or negative with p set, 403. What a router has already (old) it keeps.
 */
int access_template(const struct node *n, const struct api_request *rq,
    const char *template, const char *old, struct problem *p);

/* "uid:0" or "token:NAME", one word; for logs and authors. */
void access_who(
    const struct node *n, const struct api_request *rq, char *buf, size_t size);

#endif
