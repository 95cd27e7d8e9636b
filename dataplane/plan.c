/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: from lists of what is wanted to arrays of what is. Counted first, made
 * in one piece each, then joined; see plan.h.
 */
#include "dataplane/plan.h"

#include "dataplane/lines.h"
#include "dataplane/node.h"
#include "lib/loop.h"

/* --- how many of each ----------------------------------------------------------- */

static unsigned
worker_of(const struct plan *p, const struct set *s, unsigned q)
{
	return spread_worker(q, s->n_queues, p->n_workers);
}

static bool
serves_any(const struct plan *p, const struct set *s, unsigned w)
{
	for (unsigned q = 0; q < s->n_queues; q++)
		if (worker_of(p, s, q) == w)
			return true;
	return false;
}

static void
count_set(const struct set *s, struct plan *p, unsigned *n_addresses)
{
	unsigned n_vnics = 0;

	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++) {
		if (!s->vnic[v].up)
			continue;
		n_vnics++;
		*n_addresses += s->vnic[v].v.n_addresses;
		plan_count_detours(p, s, v);
	}
	p->n_routers++;
	p->n_vnics += n_vnics;
	p->n_lanes += n_vnics * s->n_queues;
	for (unsigned q = 0; q < s->n_queues; q++) {
		struct plan_part *part = &p->part[worker_of(p, s, q)];

		part->n_queues++;
		part->n_lanes += n_vnics;
	}
	for (unsigned w = 0; w < p->n_workers; w++)
		p->part[w].n_shares += serves_any(p, s, w);
}

static void
count_port(const struct port *port, struct plan *p)
{
	p->n_ports++;
	for (unsigned q = 0; q < port->n_rx; q++)
		p->part[port_rx_worker(port, q)].n_rx++;
	p->part[port->home].n_tx += port->n_tx < p->n_workers;
}

static void
count_all(const struct node *n, struct plan *p, unsigned *n_addresses)
{
	*n_addresses = 0;
	for (const struct port *port = n->ports; port; port = port->next)
		if (port->state == WIRE_PORT_UP)
			count_port(port, p);
	for (const struct set *s = n->sets; s; s = s->next)
		if (!s->broken)
			count_set(s, p, n_addresses);
}

static int
allocate_part(struct plan_part *part)
{
	part->share = lines_alloc(part->n_shares, sizeof(*part->share));
	part->more = lines_alloc(part->n_shares, sizeof(struct plan_share *));
	part->queue = lines_alloc(part->n_queues, sizeof(*part->queue));
	part->rx = lines_alloc(part->n_rx, sizeof(*part->rx));
	part->tx = lines_alloc(part->n_tx, sizeof(struct plan_port *));
	/* beside our own, a burst handed over under the plan before */
	part->touched =
	    lines_alloc(part->n_lanes + part->n_detours + VNIC_BURST,
		sizeof(struct plan_lane *));
	return part->share && part->more && part->queue && part->rx &&
		       part->tx && part->touched
		   ? 0
		   : -ENOMEM;
}

static int
allocate(struct plan *p, unsigned n_addresses)
{
	int rc = 0;

	p->port = lines_alloc(p->n_ports, sizeof(*p->port));
	p->router = lines_alloc(p->n_routers, sizeof(*p->router));
	p->vnic = lines_alloc(p->n_vnics, sizeof(*p->vnic));
	p->lane = lines_alloc(p->n_lanes, sizeof(*p->lane));
	p->address = lines_alloc(n_addresses, sizeof(*p->address));
	p->police = lines_alloc(p->n_vnics * POLICE_N_WAYS, sizeof(*p->police));
	if (!p->port || !p->router || !p->vnic || !p->lane || !p->address ||
	    !p->police)
		return -ENOMEM;
	for (unsigned w = 0; rc == 0 && w < p->n_workers; w++)
		rc = allocate_part(&p->part[w]);
	return rc;
}

/* --- ports ---------------------------------------------------------------------- */

/* Where the next of each kind goes; of a part's kinds, for each worker. */
struct cursor {
	struct plan_router *router;
	struct plan_vnic *vnic;
	struct plan_lane *lane;
	struct wire_address *address;
	struct police *police;
	struct {
		unsigned share, queue, rx, tx;
	} part[SPREAD_MAX_WORKERS];
};

static void
fill_port(
    struct plan *p, struct cursor *at, struct plan_port *out, struct port *port)
{
	out->port = port;
	out->id = port->id;
	out->max_frame = port->max_frame;
	out->spreads = port_spreads(port);
	for (unsigned q = 0; q < port->n_rx; q++) {
		unsigned w = port_rx_worker(port, q);
		struct plan_rx *rx = &p->part[w].rx[at->part[w].rx++];

		rx->port = out;
		rx->queue = (uint16_t)q;
		p->part[w].polls |= port->n_fds == 0;
	}
	if (port->n_tx < p->n_workers)
		p->part[port->home].tx[at->part[port->home].tx++] = out;
}

static void
fill_ports(struct plan *p, struct cursor *at, const struct node *n)
{
	struct plan_port *out = p->port;

	for (struct port *port = n->ports; port; port = port->next)
		if (port->state == WIRE_PORT_UP)
			fill_port(p, at, out++, port);
}

static struct plan_port *
find_port(struct plan *p, const char *name)
{
	for (unsigned i = 0; i < p->n_ports; i++)
		if (strcmp(p->port[i].port->spec.name, name) == 0)
			return &p->port[i];
	return NULL;
}

/* --- routers and their vNICs ------------------------------------------------------ */

/* Of both levels; one without any limit costs the worker nothing. */
static void
fill_police(struct plan_vnic *v, struct cursor *at, const struct set *s)
{
	unsigned own = SET_TANKS_OF_ROUTER + v->index * POLICE_N_WAYS;

	for (unsigned way = 0; way < POLICE_N_WAYS; way++) {
		struct police *police = at->police++;

		police_add(police, &s->vnic[v->index].v.rates,
		    (enum police_way)way, &s->tank[own + way]);
		police_add(police, &s->info.rates, (enum police_way)way,
		    &s->tank[way]);
		v->police[way] = police->n_levels > 0 ? police : NULL;
	}
}

static void
fill_vnic(struct plan *p, struct cursor *at, struct plan_queue *const *queue,
    const struct wire_vnic *want)
{
	struct set *s = at->router->set;
	struct plan_vnic *v = at->vnic++;
	uint32_t room = ledger_buffer_bytes(s->queue[0].ledger);

	v->router = at->router;
	v->index = want->index;
	v->max_bytes = FRAME_HEADER + (uint32_t)want->mtu;
	v->room = room;
	memcpy(v->mac, want->mac, sizeof(want->mac));
	v->is_odd = s->n_queues != 2;
	/* a link is a wire: it passes what is on it */
	v->trunk = want->trunk || want->attach == WIRE_ATTACH_VNIC ||
		   want->attach == WIRE_ATTACH_SEGMENT;
	v->vlan = v->trunk ? RULES_ANY_VLAN : want->vlan;
	v->max_tx_bytes = v->max_bytes;
	if (want->attach == WIRE_ATTACH_PORT)
		v->port = find_port(p, want->port);
	if (v->port) {
		v->way = PLAN_TO_PORT;
		v->port->n_vnics++;
		v->max_tx_bytes = MIN(v->max_bytes,
		    FRAME_HEADER + (uint32_t)v->port->port->spec.mtu);
	}
	v->address = at->address;
	v->n_addresses = want->n_addresses;
	memcpy(at->address, want->address,
	    want->n_addresses * sizeof(*want->address));
	at->address += want->n_addresses;
	v->lane = at->lane;
	for (unsigned q = 0; q < s->n_queues; q++) {
		at->lane->vnic = v;
		at->lane->queue = queue[q];
		at->lane->worker = (uint8_t)worker_of(p, s, q);
		at->lane++;
	}
	fill_police(v, at, s);
	at->router->vnic[want->index] = v;
	at->router->serve |= UINT32_C(1) << want->index;
}

/* The queues of one worker stand together, in their order. */
static void
fill_share(struct plan *p, struct cursor *at, unsigned w,
    struct plan_queue *queue[VNIC_MAX_QUEUES])
{
	struct plan_part *part = &p->part[w];
	struct plan_share *share = &part->share[at->part[w].share++];
	struct set *s = at->router->set;

	share->router = at->router;
	share->lively_ns = loop_now_ms() * 1000000;
	share->queue = &part->queue[at->part[w].queue];
	for (unsigned q = 0; q < s->n_queues; q++) {
		if (worker_of(p, s, q) != w)
			continue;
		queue[q] = &share->queue[share->n_queues++];
		queue[q]->ledger = s->queue[q].ledger;
		queue[q]->home = &s->queue[q];
		queue[q]->share = share;
		queue[q]->router = at->router;
		queue[q]->index = q;
	}
	if (worker_of(p, s, s->n_queues - 1) == w) {
		share->control = queue[s->n_queues - 1];
		share->is_asked_for = share->n_queues < s->n_queues;
	}
	at->part[w].queue += share->n_queues;
}

static void
fill_router(struct plan *p, struct cursor *at, struct set *s)
{
	struct plan_queue *queue[VNIC_MAX_QUEUES] = { NULL };
	struct plan_router *r = at->router;

	r->set = s;
	r->n_queues = s->n_queues;
	r->gate = s->info.gate;
	for (unsigned q = 0; q < s->n_queues; q++)
		r->serve |= s->queue[q].dead;
	for (unsigned w = 0; w < p->n_workers; w++)
		if (serves_any(p, s, w))
			fill_share(p, at, w, queue);
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		if (s->vnic[v].up)
			fill_vnic(p, at, queue, &s->vnic[v].v);
	at->router++;
}

static struct plan_vnic *
find_vnic(const struct plan *p, const uint8_t *uid, uint32_t index)
{
	if (index >= VNIC_MAX_VNICS)
		return NULL;
	for (unsigned i = 0; i < p->n_routers; i++)
		if (memcmp(p->router[i].set->info.uid, uid, WIRE_UID_BYTES) ==
		    0)
			return p->router[i].vnic[index];
	return NULL;
}

static const struct wire_vnic *
wanted(const struct plan_vnic *v)
{
	return &v->router->set->vnic[v->index].v;
}

/* A link exists when each end names the other one. */
static void
join_links(struct plan *p)
{
	for (unsigned i = 0; i < p->n_vnics; i++) {
		struct plan_vnic *v = &p->vnic[i], *peer;
		const struct wire_vnic *w = wanted(v);

		if (w->attach != WIRE_ATTACH_VNIC)
			continue;
		peer = find_vnic(p, w->peer_uid, w->peer_index);
		if (!peer || peer == v)
			continue;
		w = wanted(peer);
		if (w->attach == WIRE_ATTACH_VNIC &&
		    find_vnic(p, w->peer_uid, w->peer_index) == v) {
			v->peer = peer;
			v->way = PLAN_TO_PEER;
		}
	}
}

static int
make_rules(struct plan *p)
{
	scoped_free struct rules_member *m = NULL;
	uint32_t n_members = 0;

	for (uint32_t v = 0; v < p->n_vnics; v++)
		n_members += plan_n_members(&p->vnic[v]);
	m = calloc(n_members + 1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	for (unsigned i = 0; i < p->n_ports; i++) {
		uint32_t n = 0;

		for (uint32_t v = 0; v < p->n_vnics; v++) {
			if (p->vnic[v].port == &p->port[i])
				n += plan_put_members(&p->vnic[v], v, m + n);
		}
		if (rules_new(m, n, &p->port[i].rules) < 0)
			return -ENOMEM;
	}
	for (uint32_t v = 0; v < p->n_vnics; v++)
		if (p->vnic[v].port)
			p->vnic[v].rules = p->vnic[v].port->rules;
	return 0;
}

int
plan_new(const struct node *n, struct plan **out)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct cursor at = { 0 };
	unsigned n_addresses;

	if (!p)
		return -ENOMEM;
	p->n_workers = n->workers.n;
	p->part = lines_alloc(p->n_workers, sizeof(*p->part));
	if (!p->part)
		goto fail;
	count_all(n, p, &n_addresses);
	if (allocate(p, n_addresses) < 0)
		goto fail;
	at.router = p->router;
	at.vnic = p->vnic;
	at.lane = p->lane;
	at.address = p->address;
	at.police = p->police;
	fill_ports(p, &at, n);
	for (struct set *s = n->sets; s; s = s->next)
		if (!s->broken)
			fill_router(p, &at, s);
	join_links(p);
	if (plan_pick_macs(p) < 0 || make_rules(p) < 0 ||
	    plan_add_segments(p) < 0 || plan_add_detours(p) < 0 ||
	    plan_add_matches(p) < 0)
		goto fail;
	*out = p;
	return 0;
fail:
	plan_free(p);
	return -ENOMEM;
}

void
plan_free(struct plan *p)
{
	if (!p)
		return;
	for (unsigned i = 0; p->port && i < p->n_ports; i++)
		rules_free(p->port[i].rules);
	for (unsigned w = 0; p->part && w < p->n_workers; w++) {
		free(p->part[w].share);
		free(p->part[w].more);
		free(p->part[w].queue);
		free(p->part[w].rx);
		free(p->part[w].tx);
		free(p->part[w].touched);
	}
	plan_free_links(p);
	free(p->part);
	free(p->port);
	free(p->router);
	free(p->vnic);
	free(p->lane);
	free(p->address);
	free(p->police);
	free(p->macs);
	free(p);
}
