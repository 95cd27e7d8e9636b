/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project: a tenant. Every router, port, link and segment is of one project, for
 * life, and its name is its own there; "default" is always there.
 *
 * What the routers of a project may have in sum, and how many links and segments
 * there may be, is checked when one of them is made or changed, against what is
 * promised to the others, whether they run or not. A limit that was lowered takes
 * nothing away: it refuses more.
 */
#ifndef AGENT_PROJECT_H
#define AGENT_PROJECT_H

#include "agent/changes.h"
#include "agent/store.h"
#include "agent/uid.h"
#include "agent/usage.h"
#include "api/model_project.h"

#include <stddef.h>

struct node;
struct router;

#define PROJECT_DEFAULT "default"

/* Each change looks at all the others: there are never too many of them. */
enum project_limits {
	PROJECT_LINKS = 1024, /* where the quota says nothing */
	PROJECT_SEGMENTS = 256,
	NODE_WIRING = 4096, /* links and segments, of all projects */
	TENANTS_WIRING =
	    NODE_WIRING / 4 * 3, /* the rest for the node's admin */
};

struct project {
	struct project *next;
	uint8_t uid[UID_BYTES];
	char uid_text[UID_TEXT];
	char created[32];
	uint64_t generation;
	struct changes changes;
	struct model_project spec;
	struct usage_account usage;
};

/* Reads all of them; makes "default" if it is not there. */
int projects_load(struct node *n, struct err *e);
void projects_free(struct node *n);

/* The object, new, in no list. NULL: e says why. Takes spec. */
struct project *project_new(struct model_project *spec, struct err *e);
void project_free(struct project *p);
int project_store(struct node *n, const struct project *p,
    const struct model_project *spec, uint64_t generation, struct err *e);

/*
 * May spec be a router of pr, in place of old (NULL: beside all the others)?
 * Returns 0, or negative with p set, a 409 that names each key.
 */
int project_admits(const struct node *n, const struct project *pr,
    const struct model_router *spec, const struct router *old,
    struct problem *p);

/* May pr have another link, or segment? As project_admits(). */
int project_admits_wiring(const struct node *n, const struct project *pr,
    enum model_wiring_kind kind, bool is_tenant, struct problem *p);

/* What is promised in sum; UINT64_MAX: some router has no limit there. */
uint64_t project_sum(const struct node *n, const struct project *pr,
    enum model_sum sum, const struct router *without);

/* "?project=NAME", or "" for the default one; for the ends of paths. */
void project_query(const struct project *p, char *buf, size_t size);

#endif
