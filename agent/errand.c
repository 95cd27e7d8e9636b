/* SPDX-License-Identifier: Apache-2.0 */
/* errand: see errand.h. It knows nothing of what init is to do. */
#include "agent/errand.h"

#include "agent/ops.h"
#include "lib/base.h"

int
errand_begin(struct errand *x, struct router *r, struct api_request *rq,
    const struct errand_plan *plan, void *arg)
{
	struct session_config c = plan->session;
	int rc;

	c.link = r->link;
	c.hooks.arg = arg;
	x->rq = rq;
	visit_begin(&x->visit, r, rq, plan->end);
	rc = loop_add_timer(r->node->loop, plan->on_time, arg, &x->timer);
	if (rc == 0)
		rc = session_new(r->node->loop, &c, &x->session);
	if (rc == 0)
		loop_arm(x->timer, ERRAND_START_MS);
	return rc;
}

int
errand_word(struct errand *x, const char *word)
{
	return session_send(x->session, PIECE_ARG, word, strlen(word));
}

void
errand_leave(struct errand *x)
{
	visit_leave(&x->visit);
	session_free(x->session);
	loop_del(x->timer);
}

void
errand_refuse(struct errand *x, int status, const char *code,
    const char *remedy, const char *detail)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, status, code, remedy, "router %s: %s",
	    x->visit.router->spec.name, detail);
	op_problem(x->rq, &p);
}

void
errand_cannot(const struct router *r, struct api_request *rq, int rc)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 503, "busy", "try again in a second",
	    "router %s: its init cannot be asked: %s", r->spec.name,
	    strerror(-rc));
	op_problem(rq, &p);
}
