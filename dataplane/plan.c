/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: from lists of what is wanted to arrays of what is. Counted first, made
 * in one piece each, then joined; see plan.h.
 */
#include "dataplane/plan.h"

#include "dataplane/node.h"

static void
count_all(const struct node *n, struct plan *p, unsigned *n_addresses)
{
	*n_addresses = 0;
	for (const struct port *port = n->ports; port; port = port->next)
		p->n_ports += port->state == WIRE_PORT_UP;
	for (const struct set *s = n->sets; s; s = s->next) {
		if (s->broken)
			continue;
		p->n_routers++;
		p->n_queues += s->n_queues;
		for (unsigned v = 0; v < VNIC_MAX_VNICS; v++) {
			if (!s->vnic[v].up)
				continue;
			p->n_vnics++;
			p->n_lanes += s->n_queues;
			*n_addresses += s->vnic[v].v.n_addresses;
		}
	}
}

static int
allocate(struct plan *p, unsigned n_addresses)
{
	/* one more of each: calloc(0) may be NULL */
	p->port = calloc(p->n_ports + 1, sizeof(*p->port));
	p->router = calloc(p->n_routers + 1, sizeof(*p->router));
	p->queue = calloc(p->n_queues + 1, sizeof(*p->queue));
	p->vnic = calloc(p->n_vnics + 1, sizeof(*p->vnic));
	p->lane = calloc(p->n_lanes + 1, sizeof(*p->lane));
	p->touched = calloc(p->n_lanes + 1, sizeof(struct plan_lane *));
	p->address = calloc(n_addresses + 1, sizeof(*p->address));
	p->police = calloc(p->n_vnics * POLICE_N_WAYS + 1, sizeof(*p->police));
	return p->port && p->router && p->queue && p->vnic && p->lane &&
		       p->touched && p->address && p->police
		   ? 0
		   : -ENOMEM;
}

static void
fill_ports(struct plan *p, const struct node *n)
{
	struct plan_port *out = p->port;

	for (struct port *port = n->ports; port; port = port->next) {
		if (port->state != WIRE_PORT_UP)
			continue;
		out->port = port;
		out->id = port->id;
		out->max_frame = port->max_frame;
		p->polls |= port->n_fds == 0;
		out++;
	}
}

static struct plan_port *
find_port(struct plan *p, const char *name)
{
	for (unsigned i = 0; i < p->n_ports; i++)
		if (strcmp(p->port[i].port->spec.name, name) == 0)
			return &p->port[i];
	return NULL;
}

/* Where the next of each kind goes. */
struct cursor {
	struct plan_router *router;
	struct plan_queue *queue;
	struct plan_vnic *vnic;
	struct plan_lane *lane;
	struct wire_address *address;
	struct police *police;
};

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
fill_vnic(struct plan *p, struct cursor *at, const struct set *s,
    const struct wire_vnic *want)
{
	struct plan_vnic *v = at->vnic++;
	uint32_t room = ledger_buffer_bytes(s->queue[0].ledger);

	v->router = at->router;
	v->index = want->index;
	v->max_bytes = FRAME_HEADER + (uint32_t)want->mtu;
	v->room = room;
	memcpy(v->mac, want->mac, sizeof(want->mac));
	/* a link is a wire: it passes what is on it */
	v->trunk = want->trunk || want->attach == WIRE_ATTACH_VNIC;
	v->vlan = v->trunk ? RULES_ANY_VLAN : want->vlan;
	v->max_tx_bytes = v->max_bytes;
	if (want->attach == WIRE_ATTACH_PORT)
		v->port = find_port(p, want->port);
	if (v->port) {
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
		at->lane->queue = &v->router->queue[q];
		at->lane++;
	}
	fill_police(v, at, s);
	v->router->vnic[want->index] = v;
	v->router->serve |= UINT32_C(1) << want->index;
}

static void
fill_router(struct plan *p, struct cursor *at, struct set *s)
{
	struct plan_router *r = at->router;

	r->queue = at->queue;
	r->n_queues = s->n_queues;
	r->gate = s->info.gate;
	for (unsigned q = 0; q < s->n_queues; q++) {
		at->queue->ledger = s->queue[q].ledger;
		at->queue->home = &s->queue[q];
		at->queue->router = r;
		at->queue->index = q;
		r->serve |= s->queue[q].dead;
		at->queue++;
	}
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		if (s->vnic[v].up)
			fill_vnic(p, at, s, &s->vnic[v].v);
	at->router++;
}

static struct plan_vnic *
find_vnic(const struct plan *p, const uint8_t *uid, uint32_t index)
{
	if (index >= VNIC_MAX_VNICS)
		return NULL;
	for (unsigned i = 0; i < p->n_routers; i++)
		if (memcmp(p->router[i].queue[0].home->set->info.uid, uid,
			WIRE_UID_BYTES) == 0)
			return p->router[i].vnic[index];
	return NULL;
}

static const struct wire_vnic *
wanted(const struct plan_vnic *v)
{
	return &v->router->queue[0].home->set->vnic[v->index].v;
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
		    find_vnic(p, w->peer_uid, w->peer_index) == v)
			v->peer = peer;
	}
}

static int
make_rules(struct plan *p)
{
	scoped_free struct rules_member *m = calloc(p->n_vnics + 1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	for (unsigned i = 0; i < p->n_ports; i++) {
		uint32_t n = 0;

		for (uint32_t v = 0; v < p->n_vnics; v++) {
			if (p->vnic[v].port != &p->port[i])
				continue;
			m[n].vlan = p->vnic[v].vlan;
			memcpy(m[n].mac, p->vnic[v].mac, sizeof(m[n].mac));
			m[n++].value = v;
		}
		if (rules_new(m, n, &p->port[i].rules) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
plan_new(const struct node *n, struct plan **out)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct cursor at;
	unsigned n_addresses;

	if (!p)
		return -ENOMEM;
	count_all(n, p, &n_addresses);
	if (allocate(p, n_addresses) < 0)
		goto fail;
	fill_ports(p, n);
	at = (struct cursor){ p->router, p->queue, p->vnic, p->lane, p->address,
		p->police };
	for (struct set *s = n->sets; s; s = s->next)
		if (!s->broken)
			fill_router(p, &at, s);
	join_links(p);
	if (make_rules(p) < 0)
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
	free(p->port);
	free(p->router);
	free(p->queue);
	free(p->vnic);
	free(p->lane);
	free(p->touched);
	free(p->address);
	free(p->police);
	free(p);
}
