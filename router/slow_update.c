/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_update: changes of routes in the plan that is in use, see update.h. A few
 * in each turn, so that packets do not wait for a long batch. Gateways that the
 * tables in force do not know come first, in tables made anew.
 */
#include "router/slow.h"

enum {
	AT_ONCE = 64,          /* changes of a turn */
	REPUBLISH_AFTER = 256, /* changes: memory is to come back */
	/* a prefix that is shorter, in a table of more routes, takes too long */
	SHORT4 = 8,
	SHORT6 = 16,
	LARGE = 20000,
};

/* Would it change so much that packets had to wait? Then main makes a plan. */
static bool
is_too_much(const struct plan *p, const struct route *r)
{
	if (r->len == 0)
		return false;
	if (r->is6)
		return r->len < SHORT6 && fib6_n_routes(p->fib6) > LARGE;
	return r->len < SHORT4 && fib4_n_routes(p->fib) > LARGE;
}

/* Gateways of the next changes. */
static void
prepare(struct slow *s, unsigned end)
{
	struct update *u = s->update;

	for (; u->prepared < end; u->prepared++) {
		const struct update_op *op = &u->op[u->prepared];

		if (op->kind == UPDATE_ADD &&
		    plan_prepare(s->plan, &op->route) == 1)
			s->stale = true;
	}
}

static int
carry_out(struct slow *s, const struct update_op *op)
{
	const struct route *r = &op->route;

	switch ((enum update_kind)op->kind) {
	case UPDATE_ADD:
	case UPDATE_DELETE:
		return is_too_much(s->plan, r)
			   ? -ENOSPC
			   : plan_change(s->plan, r, op->kind == UPDATE_ADD);
	case UPDATE_NEIGHBOUR:
	case UPDATE_NO_NEIGHBOUR:
		break;
	}
	if (r->dev >= VNIC_MAX_VNICS || !s->iface[r->dev].up)
		return -ENODEV;
	if (r->is6)
		return nd_tell(s->nd, r->dev, r->via,
		    op->kind == UPDATE_NEIGHBOUR ? op->mac : NULL, s->now_ms);
	return arp_tell(s->arp, r->dev, r->via,
	    op->kind == UPDATE_NEIGHBOUR ? op->mac : NULL, s->now_ms);
}

void
slow_update_begin(struct slow *s)
{
	struct update *u = s->update;

	u->prepared = u->at; /* a plan may have come meanwhile */
	prepare(s, MIN(u->n, u->at + AT_ONCE));
}

void
slow_update(struct slow *s)
{
	struct update *u = s->update;

	for (; u->at < u->prepared; u->at++) {
		struct update_op *op = &u->op[u->at];

		op->rc = carry_out(s, op);
		if (op->rc == -EAGAIN) { /* it was prepared: never */
			s->stale = true;
			return;
		}
		if (op->rc == 1) {
			op->rc = 0;
			s->stale = true;
		}
		s->n_changed++;
	}
	if (s->n_changed >= REPUBLISH_AFTER) {
		s->n_changed = 0;
		s->stale = true;
	}
	/* what is to be in force is in the tables */
	if (u->at == u->n && !s->stale)
		update_end(u);
}
