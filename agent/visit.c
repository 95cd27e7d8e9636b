/* SPDX-License-Identifier: Apache-2.0 */
/* visit: see visit.h. */
#include "agent/visit.h"

#include "agent/ops.h"
#include "lib/base.h"

static unsigned
count_of(const struct router *r)
{
	unsigned n = 0;

	for (const struct visit *v = r->visits; v; v = v->next)
		n++;
	return n;
}

bool
visit_may_begin(const struct router *r, struct api_request *rq)
{
	unsigned here = count_of(r), beside = 0, all = 0;
	bool has_token = *api_token(rq) != '\0';
	struct problem p;

	for (const struct router *x = r->node->routers; x; x = x->next) {
		all += count_of(x);
		beside += x->project == r->project ? count_of(x) : 0;
	}
	if (here < VISIT_MAX_ROUTER && all < VISIT_MAX_NODE &&
	    (!has_token || beside < VISIT_MAX_PROJECT))
		return true;
	problem_init(&p);
	problem_set(&p, 503, "busy", "end one of them, or try again later",
	    "%u commands, consoles, files and logs of router %s are open, %u "
	    "of its project, %u on the node",
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
visit_begin(struct visit *v, struct router *r, void (*end)(struct visit *v))
{
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
