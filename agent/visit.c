/* SPDX-License-Identifier: Apache-2.0 */
/* visit: see visit.h. */
#include "agent/visit.h"

#include "agent/ops.h"
#include "lib/base.h"

static bool
has_token(const struct api_request *rq)
{
	return *api_token(rq) != '\0';
}

/* All, or those by tokens. */
static unsigned
count_of(const struct router *r, bool by_token)
{
	unsigned n = 0;

	for (const struct visit *v = r->visits; v; v = v->next)
		n += v->by_token || !by_token;
	return n;
}

bool
visit_may_begin(const struct router *r, struct api_request *rq)
{
	unsigned here = count_of(r, false), all = 0, tokens = 0, beside = 0;
	struct problem p;

	for (const struct router *x = r->node->routers; x; x = x->next) {
		unsigned n = count_of(x, true);

		all += count_of(x, false);
		tokens += n;
		beside += x->project == r->project ? n : 0;
	}
	if (here < VISIT_MAX_ROUTER && all < VISIT_MAX_NODE &&
	    (!has_token(rq) ||
		(tokens < VISIT_MAX_TOKENS && beside < VISIT_MAX_PROJECT)))
		return true;
	problem_init(&p);
	problem_set(&p, 503, "busy", "end one of them, or try again later",
	    "%u commands, consoles, files and logs of router %s are open, %u "
	    "by tokens in its project, %u on the node",
	    here, r->spec.name, beside, all);
	op_problem(rq, &p);
	return false;
}

bool
visit_may_enter(const struct router *r, struct api_request *rq)
{
	struct problem p;

	if (r->deleting || r->container.state != CONTAINER_RUNNING ||
	    !initlink_is_up(r->link)) {
		problem_init(&p);
		problem_set(&p, 409, "wrong-state", "PUT power running first",
		    "router %s is %s: nothing can be run in its container",
		    r->spec.name, router_state_text(r->state));
		op_problem(rq, &p);
		return false;
	}
	return visit_may_begin(r, rq);
}

void
visit_begin(struct visit *v, struct router *r, const struct api_request *rq,
    void (*end)(struct visit *v))
{
	v->by_token = has_token(rq);
	v->router = r;
	v->end = end;
	v->next = r->visits;
	r->visits = v;
}

void
visit_leave(struct visit *v)
{
	struct visit **at = &v->router->visits;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
}

void
visit_end_all(struct router *r)
{
	while (r->visits)
		r->visits->end(r->visits);
}
