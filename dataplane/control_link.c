/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_link: a link's impairments come, change and go while packets pass.
 *
 * What waits is in struct impair, which belongs to the set and outlives plans;
 * how it is treated is in the plan. So a change is a new plan, and nothing that
 * waits is touched; what a shorter queue does not need its worker gives back.
 * Only a link that is a wire again ends an impair, or a queue longer than its
 * memory, where that was scarce: when no plan knows it any more what still waits
 * in it is counted and gone.
 */
#include "dataplane/control_link.h"

#include "dataplane/crew.h"

/* What an impair was and what is to be, of both directions. */
struct change {
	struct impair *old[WIRE_N_WAYS], *fresh[WIRE_N_WAYS];
	struct wire_impair spec[WIRE_N_WAYS];
	struct wire_match match; /* as it was */
};

static uint32_t
frame_bytes(const struct wire_vnic *v)
{
	return FRAME_HEADER + (uint32_t)v->mtu + 2 * FRAME_TAG;
}

/* Makes what c wants; what fits is kept. */
static int
prepare(const struct set_vnic *v, const struct wire_link *l, struct change *c)
{
	int rc = 0;

	c->match = v->match;
	for (unsigned way = 0; way < WIRE_N_WAYS; way++) {
		const struct wire_impair *want = &l->impair[way];
		struct impair *old = v->waiting[way];

		c->old[way] = c->fresh[way] = old;
		c->spec[way] = v->impair[way];
		if (!impair_is_active(want))
			c->fresh[way] = NULL;
		else if (!old || impair_capacity(old) < want->queue_packets) {
			c->fresh[way] = NULL;
			if (rc == 0)
				rc = impair_new(want->queue_packets,
				    frame_bytes(&v->v), &c->fresh[way]);
		}
	}
	return rc;
}

static void
drop_fresh(struct change *c)
{
	for (unsigned way = 0; way < WIRE_N_WAYS; way++)
		if (c->fresh[way] != c->old[way])
			impair_free(c->fresh[way]);
}

/* No plan in force knows im: its packets are no more. */
static void
end_impair(struct node *n, struct set *s, uint32_t index, enum wire_way way,
    struct impair *im, bool link_stays)
{
	static const enum set_refusal why[WIRE_N_WAYS][2] = {
		[WIRE_RX] = { SET_REFUSED_LINK_DOWN, SET_REFUSED_IMPAIR_QUEUE },
		[WIRE_TX] = { SET_LOST_LINK_DOWN, SET_LOST_IMPAIR_QUEUE },
	};
	uint32_t waiting;

	if (!im)
		return;
	waiting = impair_waiting(im);
	if (waiting > 0) {
		set_refuse(s, index, why[way][link_stays], waiting);
		/* worker 0 has the control queue */
		crew_wake(n->crew, &s->queue[s->n_queues - 1]);
	}
	impair_free(im);
}

static int
check(const struct set *s, const struct wire_link *l, struct err *e)
{
	if (l->index >= s->maps.l.g.max_vnics || !s->vnic[l->index].up)
		return err_set(
		    e, -ENOENT, "vNIC index %u is not there", l->index);
	for (unsigned way = 0; way <= WIRE_N_WAYS; way++) {
		const char *flaw = way < WIRE_N_WAYS
				       ? impair_flaw(&l->impair[way])
				       : match_flaw(&l->match);

		if (flaw)
			return err_set(e, -EINVAL, "link of vNIC %s: %s",
			    s->vnic[l->index].v.name, flaw);
	}
	return 0;
}

static bool
is_same(const struct set_vnic *v, const struct wire_link *l)
{
	return memcmp(v->impair, l->impair, sizeof(v->impair)) == 0 &&
	       memcmp(&v->match, &l->match, sizeof(v->match)) == 0;
}

int
control_link(struct node *n, const struct wire_link *l, struct err *e)
{
	struct set *s = node_set(n, l->uid);
	struct set_vnic *v;
	struct change c;

	if (!s)
		return err_set(
		    e, -ENOENT, "the data plane has no set of this router");
	if (check(s, l, e) < 0)
		return e->no;
	v = &s->vnic[l->index];
	if (is_same(v, l))
		return 0; /* europad says all again when it comes back */
	if (prepare(v, l, &c) < 0) {
		drop_fresh(&c);
		return err_set(
		    e, -ENOMEM, "no memory for what waits on a link");
	}
	v->match = l->match;
	memcpy(v->impair, l->impair, sizeof(v->impair));
	memcpy(v->waiting, c.fresh, sizeof(v->waiting));
	if (node_publish(n) < 0) {
		v->match = c.match;
		memcpy(v->impair, c.spec, sizeof(v->impair));
		memcpy(v->waiting, c.old, sizeof(v->waiting));
		drop_fresh(&c);
		return err_set(e, -ENOMEM, "no memory for a new plan");
	}
	for (unsigned way = 0; way < WIRE_N_WAYS; way++)
		if (c.old[way] != c.fresh[way])
			end_impair(n, s, l->index, (enum wire_way)way,
			    c.old[way], c.fresh[way] != NULL);
	return 0;
}

void
control_link_forget(struct node *n, struct set *s, uint32_t index)
{
	struct set_vnic *v = &s->vnic[index];

	for (unsigned way = 0; way < WIRE_N_WAYS; way++) {
		end_impair(
		    n, s, index, (enum wire_way)way, v->waiting[way], false);
		v->waiting[way] = NULL;
	}
	memset(v->impair, 0, sizeof(v->impair));
	memset(&v->match, 0, sizeof(v->match));
}
