/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_link: what of a plan is about links that are more than a wire between
 * two: segments of many vNICs, detours of links that impair, and matches of
 * links to ports.
 */
#include "dataplane/plan.h"

#include "dataplane/lines.h"
#include "dataplane/set.h"
#include "dataplane/spread.h"

/* --- segments --------------------------------------------------------------------- */

struct member {
	const uint8_t *segment; /* its uid */
	uint32_t vnic;
};

static const struct wire_vnic *
wanted(const struct plan_vnic *v)
{
	return &v->router->set->vnic[v->index].v;
}

static int
by_segment(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = memcmp(x->segment, y->segment, WIRE_UID_BYTES);

	if (order != 0)
		return order;
	return x->vnic < y->vnic ? -1 : x->vnic > y->vnic;
}

static uint32_t
find_members(const struct plan *p, struct member *out)
{
	uint32_t n = 0;

	for (uint32_t v = 0; v < p->n_vnics; v++) {
		const struct wire_vnic *w = wanted(&p->vnic[v]);

		if (w->attach != WIRE_ATTACH_SEGMENT)
			continue;
		out[n++] = (struct member){ w->peer_uid, v };
	}
	return n;
}

/* The n vNICs of one segment: every one of them passes tags. */
static int
add_segment(struct plan *p, const struct member *m, uint32_t n)
{
	scoped_free struct rules_member *r = NULL;
	struct rules **out = &p->segment[p->n_segments];
	uint32_t n_members = 0, at = 0;

	for (uint32_t i = 0; i < n; i++)
		n_members += plan_n_members(&p->vnic[m[i].vnic]);
	r = calloc(n_members, sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		at += plan_put_members(&p->vnic[m[i].vnic], m[i].vnic, r + at);
	if (rules_new(r, n_members, out) < 0)
		return -ENOMEM;
	p->n_segments++;
	for (uint32_t i = 0; i < n; i++) {
		p->vnic[m[i].vnic].rules = *out;
		p->vnic[m[i].vnic].way = PLAN_TO_SEGMENT;
	}
	return 0;
}

int
plan_add_segments(struct plan *p)
{
	scoped_free struct member *m = calloc(p->n_vnics + 1, sizeof(*m));
	uint32_t n, end;

	if (!m)
		return -ENOMEM;
	n = find_members(p, m);
	if (n == 0)
		return 0;
	p->segment = calloc(n, sizeof(struct rules *));
	if (!p->segment)
		return -ENOMEM;
	qsort(m, n, sizeof(*m), by_segment);
	for (uint32_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (memcmp(m[end].segment, m[i].segment,
				WIRE_UID_BYTES) != 0)
				break;
		if (add_segment(p, m + i, end - i) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- detours ------------------------------------------------------------------------ */

/* The data queue that counts what the links of vNIC v lose. */
static unsigned
home_queue(const struct set *s, unsigned v)
{
	return v % (s->n_queues - 1);
}

void
plan_count_detours(struct plan *p, const struct set *s, unsigned v)
{
	unsigned home =
	    spread_worker(home_queue(s, v), s->n_queues, p->n_workers);

	for (unsigned way = 0; way < WIRE_N_WAYS; way++) {
		p->n_detours += s->vnic[v].waiting[way] != NULL;
		p->part[home].n_detours += s->vnic[v].waiting[way] != NULL;
	}
}

static void
fill_detour(struct plan_detour *d, struct plan_vnic *v, enum wire_way way)
{
	const struct set *s = v->router->set;
	const struct plan_lane *home = &v->lane[home_queue(s, v->index)];

	d->lane.vnic = v;
	d->lane.queue = home->queue;
	d->lane.worker = home->worker;
	d->lane.detour = d;
	d->spec = s->vnic[v->index].impair[way];
	d->waiting = s->vnic[v->index].waiting[way];
	d->way = way;
	v->detour[way] = d;
	if (way == WIRE_RX) {
		v->is_odd = true;
	} else if (v->way != PLAN_TO_NOTHING) {
		/* else nothing begins, and what waits is lost */
		v->onward = v->way;
		v->way = PLAN_TO_DETOUR;
	}
}

int
plan_add_detours(struct plan *p)
{
	unsigned at[SPREAD_MAX_WORKERS] = { 0 };
	struct plan_detour *next;

	if (p->n_detours == 0)
		return 0;
	p->detour = lines_alloc(p->n_detours, sizeof(*p->detour));
	if (!p->detour)
		return -ENOMEM;
	for (unsigned w = 0; w < p->n_workers; w++) {
		struct plan_part *part = &p->part[w];

		part->detour =
		    lines_alloc(part->n_detours, sizeof(struct plan_detour *));
		if (!part->detour)
			return -ENOMEM;
	}
	next = p->detour;
	for (unsigned i = 0; i < p->n_vnics; i++) {
		struct plan_vnic *v = &p->vnic[i];
		const struct set_vnic *s = &v->router->set->vnic[v->index];

		for (unsigned way = 0; way < WIRE_N_WAYS; way++) {
			unsigned w;

			if (!s->waiting[way])
				continue;
			fill_detour(next, v, (enum wire_way)way);
			w = next->lane.worker;
			p->part[w].detour[at[w]++] = next++;
		}
	}
	return 0;
}

/* --- matches ------------------------------------------------------------------------ */

static const struct wire_match *
match_of(const struct plan_vnic *v)
{
	return &v->router->set->vnic[v->index].match;
}

static int
add_match(struct plan *p, struct plan_port *port, struct match_rule *r)
{
	uint32_t n = 0;

	for (uint32_t v = 0; v < p->n_vnics; v++)
		if (p->vnic[v].port == port && match_of(&p->vnic[v])->fields)
			match_rule_make(
			    match_of(&p->vnic[v]), p->vnic[v].vlan, v, &r[n++]);
	return n > 0 ? match_new(r, n, &port->match) : 0;
}

int
plan_add_matches(struct plan *p)
{
	scoped_free struct match_rule *r = NULL;
	bool any = false;

	for (uint32_t v = 0; v < p->n_vnics && !any; v++)
		any = match_of(&p->vnic[v])->fields != 0;
	if (!any)
		return 0;
	r = calloc(p->n_vnics, sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (unsigned i = 0; i < p->n_ports; i++)
		if (add_match(p, &p->port[i], r) < 0)
			return -ENOMEM;
	return 0;
}

void
plan_free_links(struct plan *p)
{
	for (unsigned i = 0; p->port && i < p->n_ports; i++)
		match_free(p->port[i].match);
	for (unsigned i = 0; i < p->n_segments; i++)
		rules_free(p->segment[i]);
	for (unsigned w = 0; p->part && w < p->n_workers; w++)
		free(p->part[w].detour);
	free(p->segment);
	free(p->detour);
}
