/* SPDX-License-Identifier: Apache-2.0 */
/* access: what whoever asks may do. See access.h. */
#include "agent/access.h"

#include "agent/node.h"
#include "agent/ops.h"
#include "lib/base.h"

#include <stdio.h>

enum api_role
access_role(
    const struct node *n, const struct api_request *rq, const struct project *p)
{
	const struct token *t;

	if (*api_token(rq) == '\0')
		return API_ROLE_ADMIN;
	t = token_by_uid(n, api_token(rq));
	return t ? token_role(t, p) : API_ROLE_NONE;
}

static bool
refuse(struct api_request *rq, const char *whose)
{
	static const char *const needs[] = {
		[API_ROLE_NONE] = "any",
		[API_ROLE_VIEWER] = "viewer",
		[API_ROLE_OPERATOR] = "operator",
		[API_ROLE_ADMIN] = "admin",
	};
	struct problem p;

	problem_init(&p);
	problem_set(&p, 403, "forbidden",
	    "ask with a token that has this role, or over the unix socket",
	    "this wants the role %s of %s", needs[api_role_needed(rq)], whose);
	op_problem(rq, &p);
	return false;
}

/* It has been deleted since the listener let it in. */
static bool
refuse_gone(struct api_request *rq)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 401, "unauthorized", "ask for another token",
	    "the token has been deleted");
	op_problem(rq, &p);
	return false;
}

bool
access_allows(struct node *n, struct api_request *rq)
{
	const struct project *p = op_project(n, rq);
	enum api_scope scope = api_scope(rq);

	if (scope != API_SCOPE_OPEN && *api_token(rq) != '\0' &&
	    !token_by_uid(n, api_token(rq)))
		return refuse_gone(rq);
	/* before a name is looked up: what is not one's to see is not told */
	if (scope == API_SCOPE_NODE &&
	    access_role(n, rq, NULL) < api_role_needed(rq))
		return refuse(rq, "the node (\"*\")");
	/* what is everybody's is of no project: none is told of */
	if (!api_project(rq) || scope == API_SCOPE_ANYONE)
		return true;
	if (!p || access_role(n, rq, p) == API_ROLE_NONE) {
		op_not_found(rq, "project", api_project(rq));
		return false;
	}
	if (scope == API_SCOPE_PROJECT &&
	    access_role(n, rq, p) < api_role_needed(rq))
		return refuse(rq, "the project");
	return true;
}

int
access_template(const struct node *n, const struct api_request *rq,
    const char *template, const char *old, struct problem *p)
{
	if ((old && strcmp(old, template) == 0) ||
	    config_tenants_may_use(&n->cfg, template) ||
	    access_role(n, rq, NULL) == API_ROLE_ADMIN)
		return 0;
	return problem_set(p, 403, "forbidden",
	    "ask with a token that is admin of the node (\"*\"), or name the "
	    "template in tenant_templates of [agent] in europa.conf",
	    "only an admin of the node may use the template %s: "
	    "tenant_templates does not name it",
	    template);
}

void
access_who(
    const struct node *n, const struct api_request *rq, char *buf, size_t size)
{
	const struct token *t = token_by_uid(n, api_token(rq));

	if (t)
		snprintf(buf, size, "token:%s", t->name);
	else
		snprintf(buf, size, "uid:%u", (unsigned)api_uid(rq));
}
