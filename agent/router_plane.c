/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_plane: what the data plane has to know of one router.
 *
 * Everything is said again after the data plane came back, and each sentence is
 * idempotent, so that nothing depends on what it has heard before. What was said
 * is kept, and only a difference is said again.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/vnic_ring.h"

#include <stdio.h>

enum tag { TAG_SET, TAG_VNIC, TAG_GATE, TAG_OTHER };

static void
replied(void *arg, const uint8_t uid[WIRE_UID_BYTES], uint32_t tag,
    const struct wire_msg *reply)
{
	struct router *r = node_router_by_uid(arg, uid);

	if (!r || !reply)
		return;
	if (r->n_unanswered > 0)
		r->n_unanswered--;
	if (reply->type == WIRE_FAIL) {
		log_err("the data plane refused: %s router=%s",
		    reply->u.fail.text, r->spec.name);
		if (tag == TAG_SET || tag == TAG_VNIC)
			router_fail(r,
			    "correct the spec with PUT or PATCH, or delete "
			    "the router",
			    "the data plane refused: %s", reply->u.fail.text);
	} else if (tag == TAG_SET) {
		r->set_known = true;
	}
	router_kick(r);
}

static int
say(struct router *r, struct wire_msg *m, enum tag tag)
{
	struct plane_ask ask = {
		.fn = replied, .arg = r->node, .tag = (uint32_t)tag
	};

	int rc;

	memcpy(ask.uid, r->uid, sizeof(ask.uid));
	rc = plane_send(r->node->plane, m, &ask);
	if (rc == 0)
		r->n_unanswered++;
	return rc;
}

static enum wire_gate
gate_wanted(const struct router *r)
{
	if (r->deleting || r->failed || r->node->halting ||
	    r->spec.power == MODEL_STOPPED)
		return WIRE_GATE_STOPPED;
	return r->spec.power == MODEL_PAUSED ? WIRE_GATE_PAUSED
					     : WIRE_GATE_OPEN;
}

/* Field by field into zeros: what was said is compared as memory. */
static void
describe_rates(const struct model_rates *in, struct wire_rates *out)
{
	memset(out, 0, sizeof(*out));
	out->rx_pps = in->rx_pps;
	out->tx_pps = in->tx_pps;
	out->rx_bps = in->rx_bps;
	out->tx_bps = in->tx_bps;
	out->burst_ms = in->burst_ms;
}

static bool
set_is_said(const struct router *r)
{
	struct wire_rates want;

	describe_rates(&r->spec.quota.rates, &want);
	return r->set_sent && r->slots_sent == r->spec.quota.pool_slots &&
	       memcmp(&want, &r->rates_sent, sizeof(want)) == 0;
}

static void
say_set(struct router *r)
{
	struct wire_msg m = { .type = WIRE_SET_ADD };
	struct wire_set *s = &m.u.set;

	memcpy(s->uid, r->uid, sizeof(s->uid));
	memcpy(s->set, r->set, sizeof(s->set));
	snprintf(s->name, sizeof(s->name), "%s", r->spec.name);
	s->g = r->layout.g;
	s->slots = r->spec.quota.pool_slots;
	s->gate = (uint8_t)gate_wanted(r);
	describe_rates(&r->spec.quota.rates, &s->rates);
	m.fds[0] = r->fds.host;
	m.fds[1] = r->fds.router;
	m.fds[2] = r->fds.pool;
	memcpy(m.fds + 3, r->fds.bell, r->fds.n_bells * sizeof(int));
	m.n_fds = 3 + r->fds.n_bells;
	if (say(r, &m, TAG_SET) < 0)
		return;
	r->set_sent = true;
	r->gate_sent = s->gate;
	r->slots_sent = s->slots;
	r->rates_sent = s->rates;
}

static void
say_gate(struct router *r)
{
	struct wire_msg m = { .type = WIRE_GATE };

	memcpy(m.u.gate.uid, r->uid, sizeof(m.u.gate.uid));
	m.u.gate.gate = (uint8_t)gate_wanted(r);
	if (say(r, &m, TAG_GATE) == 0)
		r->gate_sent = m.u.gate.gate;
}

/* --- vNICs ---------------------------------------------------------------------- */

int
router_vnic_index(const struct router *r, const char *name)
{
	if (!r->has_memory)
		return -1;
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++)
		if (r->vnic[i].used && strcmp(r->vnic[i].wire.name, name) == 0)
			return (int)i;
	return -1;
}

static uint32_t
epoch_of(const struct router *r, unsigned q)
{
	return vnic_h_epoch(
	    vnic_epoch_load(&vnic_host_line(&r->layout, r->host, q)->h));
}

/* An index is used again only after every queue has begun another epoch. */
static bool
index_is_free(const struct router *r, unsigned i)
{
	const struct router_vnic *v = &r->vnic[i];

	if (v->used)
		return false;
	for (unsigned q = 0; q < r->layout.g.n_queues; q++)
		if (v->burnt[q] != 0 && v->burnt[q] == epoch_of(r, q))
			return false;
	return true;
}

static int
allocate_index(struct router *r, const struct model_vnic *v)
{
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++) {
		struct router_vnic *x = &r->vnic[i];

		if (!index_is_free(r, i))
			continue;
		memset(x, 0, sizeof(*x));
		x->used = true;
		memcpy(x->wire.name, v->name, sizeof(v->name));
		memcpy(x->wire.mac, v->mac, 6);
		x->wire.mtu = v->mtu;
		node_kick(
		    r->node); /* the other end of a link may wait for it */
		return (int)i;
	}
	return -1;
}

/* The other end of a link, if it is there; else the link is down. */
static void
resolve_peer(
    const struct router *r, const struct model_vnic *v, struct wire_vnic *w)
{
	const struct router *peer = node_router(r->node, r->project, v->router);
	int i = peer ? router_vnic_index(peer, v->peer) : -1;

	if (i < 0 || peer->deleting)
		return;
	w->attach = WIRE_ATTACH_VNIC;
	memcpy(w->peer_uid, peer->uid, sizeof(w->peer_uid));
	w->peer_index = (uint32_t)i;
}

/* Its project's port alone, whatever the names of others are. */
static void
resolve_port(
    const struct router *r, const struct model_vnic *v, struct wire_vnic *w)
{
	const struct port *port = node_port(r->node, r->project, v->port);

	if (!port)
		return;
	w->attach = WIRE_ATTACH_PORT;
	memcpy(w->port, port->wire_name, sizeof(port->wire_name));
	w->vlan = v->vlan;
	w->trunk = v->trunk;
}

static void
resolve_segment(
    const struct router *r, const struct model_vnic *v, struct wire_vnic *w)
{
	w->attach = WIRE_ATTACH_SEGMENT;
	wiring_segment_uid(r->node, r->project, v->port, w->peer_uid);
}

static void
describe(const struct router *r, const struct model_vnic *spec, unsigned index,
    struct wire_vnic *w)
{
	struct model_vnic buf;
	const struct model_vnic *v =
	    wiring_attach(r->node, r->project, r->spec.name, spec, &buf);

	memset(w, 0, sizeof(*w));
	memcpy(w->uid, r->uid, sizeof(w->uid));
	w->index = index;
	memcpy(w->name, v->name, sizeof(v->name));
	memcpy(w->mac, v->mac, 6);
	w->mtu = v->mtu;
	describe_rates(&v->rates, &w->rates);
	w->n_addresses = v->n_addresses;
	for (unsigned i = 0; i < v->n_addresses; i++) {
		w->address[i].family = v->address[i].family;
		memcpy(w->address[i].bytes, v->address[i].bytes, 16);
	}
	if (v->attach == MODEL_ATTACH_PORT)
		resolve_port(r, v, w);
	else if (v->attach == MODEL_ATTACH_VNIC)
		resolve_peer(r, v, w);
	else if (v->attach == MODEL_ATTACH_SEGMENT)
		resolve_segment(r, v, w);
}

/* How its link behaves; said once to a data plane that we do not know. */
static void
sync_link(struct router *r, unsigned index, const struct model_vnic *v)
{
	struct wire_msg m = { .type = WIRE_VNIC_LINK };
	struct router_vnic *x = &r->vnic[index];
	struct wire_link *l = &m.u.link;

	if (r->node->plane_minor < 2)
		return; /* it would hang up */
	memset(l, 0, sizeof(*l));
	memcpy(l->uid, r->uid, sizeof(l->uid));
	l->index = index;
	wiring_impair(r->node, r->project, r->spec.name, v->name, l->impair);
	wiring_match(r->node, r->project, r->spec.name, v->name, &l->match);
	if (x->link_sent && memcmp(l, &x->link, sizeof(*l)) == 0)
		return;
	if (say(r, &m, TAG_OTHER) < 0)
		return;
	memcpy(&x->link, l, sizeof(*l));
	x->link_sent = true;
}

static void
say_vnic(struct router *r, unsigned index, const struct wire_vnic *w)
{
	struct wire_msg m = { .type = WIRE_VNIC_SET };

	m.u.vnic = *w;
	if (say(r, &m, TAG_VNIC) < 0)
		return;
	r->vnic[index].wire = *w;
	r->vnic[index].sent = true;
}

static void
remove_vnic(struct router *r, unsigned index)
{
	struct wire_msg m = { .type = WIRE_VNIC_DEL };

	memcpy(m.u.vnic_ref.uid, r->uid, sizeof(m.u.vnic_ref.uid));
	m.u.vnic_ref.index = index;
	if (say(r, &m, TAG_OTHER) < 0)
		return;
	for (unsigned q = 0; q < r->layout.g.n_queues; q++)
		r->vnic[index].burnt[q] = epoch_of(r, q);
	r->vnic[index].used = false;
	r->vnic[index].sent = r->vnic[index].link_sent = false;
	node_kick(r->node);
}

static const struct model_vnic *
find_spec(const struct router *r, const struct wire_vnic *w)
{
	for (unsigned i = 0; i < r->spec.n_vnics; i++) {
		const struct model_vnic *v = &r->spec.vnic[i];

		if (strcmp(v->name, w->name) == 0 && v->mtu == w->mtu &&
		    memcmp(v->mac, w->mac, 6) == 0)
			return v;
	}
	return NULL;
}

/* UP in the table, though it was removed: the data plane died over it. */
static bool
is_stray(const struct router *r, unsigned i)
{
	struct vnic_entry *e = vnic_entry(&r->layout, r->host, i);

	return vnic_table_load(&e->state) == VNIC_ENTRY_UP;
}

static void
sync_vnics(struct router *r)
{
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++)
		if (r->vnic[i].used ? !find_spec(r, &r->vnic[i].wire)
				    : is_stray(r, i))
			remove_vnic(r, i);
	for (unsigned k = 0; k < r->spec.n_vnics; k++) {
		const struct model_vnic *v = &r->spec.vnic[k];
		int i = router_vnic_index(r, v->name);
		struct wire_vnic w;

		if (i < 0)
			i = allocate_index(r, v);
		if (i < 0)
			continue; /* every index is used or burnt: wait */
		describe(r, v, (unsigned)i, &w);
		if (!r->vnic[i].sent ||
		    memcmp(&w, &r->vnic[i].wire, sizeof(w)) != 0)
			say_vnic(r, (unsigned)i, &w);
		sync_link(r, (unsigned)i, v);
	}
}

void
router_sync_plane(struct router *r)
{
	if (!r->has_memory || !plane_is_up(r->node->plane))
		return;
	if (!set_is_said(r))
		say_set(r);
	if (!r->set_sent)
		return;
	if (r->gate_sent != (int)gate_wanted(r))
		say_gate(r);
	sync_vnics(r);
}

void
router_plane_lost(struct router *r)
{
	r->set_sent = r->set_known = false;
	r->gate_sent = -1;
	r->n_unanswered = 0;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		r->vnic[i].sent = r->vnic[i].link_sent = false;
}

bool
router_plane_owes(const struct router *r)
{
	return r->n_unanswered > 0 || !set_is_said(r);
}

void
router_expect_epoch(struct router *r)
{
	for (unsigned q = 0; r->has_memory && q < r->layout.g.n_queues; q++) {
		uint32_t h =
		    vnic_epoch_load(&vnic_host_line(&r->layout, r->host, q)->h);

		/* one that waits, as in quarantine, is the new process's */
		r->old_epoch[q] =
		    vnic_h_state(h) == VNIC_STATE_RUN ? vnic_h_epoch(h) : 0;
	}
}

bool
router_is_attached(const struct router *r)
{
	if (!r->has_memory)
		return false;
	for (unsigned q = 0; q < r->layout.g.n_queues; q++) {
		uint32_t h =
		    vnic_epoch_load(&vnic_host_line(&r->layout, r->host, q)->h);

		if (vnic_h_state(h) != VNIC_STATE_RUN ||
		    vnic_h_epoch(h) == r->old_epoch[q])
			return false;
	}
	return true;
}
