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

/* What an answer is to; an index of a vNIC may stand above it. */
enum tag { TAG_SET, TAG_VNIC, TAG_GATE, TAG_OTHER, TAG_SHIFT = 8 };

enum { RESET_LOOK_MS = 10 };

static void
replied(void *arg, const uint8_t uid[WIRE_UID_BYTES], uint32_t tag_and_index,
    const struct wire_msg *reply)
{
	struct router *r = node_router_by_uid(arg, uid);
	uint32_t tag = tag_and_index & ((1U << TAG_SHIFT) - 1);

	if (!r || !reply)
		return;
	if (r->n_unanswered > 0)
		r->n_unanswered--;
	if (reply->type == WIRE_FAIL && tag == TAG_VNIC &&
	    reply->u.fail.no == EBUSY) {
		/* its epoch has not ended, or a europad before us used it */
		router_burn_index(r, tag_and_index >> TAG_SHIFT);
		/* what init was told names that index */
		r->config_sent = r->config_in_force = 0;
	} else if (reply->type == WIRE_FAIL) {
		log_err("the data plane refused: %s router=%s",
		    reply->u.fail.text, r->spec.name);
		wiring_refused(r->node, r, reply->u.fail.text);
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
say(struct router *r, struct wire_msg *m, uint32_t tag)
{
	struct plane_ask ask = { .fn = replied, .arg = r->node, .tag = tag };

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

/* What else it may be; said once to a data plane that we do not know. */
static void
sync_macs(struct router *r, unsigned index, const struct model_vnic *v)
{
	struct wire_msg m = { .type = WIRE_VNIC_MACS };
	struct router_vnic *x = &r->vnic[index];
	struct wire_macs *w = &m.u.macs;

	if (r->node->plane_minor < 4)
		return; /* it would hang up */
	memset(w, 0, sizeof(*w));
	memcpy(w->uid, r->uid, sizeof(w->uid));
	w->index = index;
	w->n = v->n_allow_macs;
	memcpy(w->mac, v->allow_mac, w->n * sizeof(w->mac[0]));
	if (x->macs_sent && memcmp(w, &x->macs, sizeof(*w)) == 0)
		return;
	if (say(r, &m, TAG_OTHER) < 0)
		return;
	memcpy(&x->macs, w, sizeof(*w));
	x->macs_sent = true;
}

static void
say_vnic(struct router *r, unsigned index, const struct wire_vnic *w)
{
	struct wire_msg m = { .type = WIRE_VNIC_SET };

	m.u.vnic = *w;
	if (say(r, &m, TAG_VNIC | index << TAG_SHIFT) < 0)
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
	router_burn_index(r, index);
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

int
router_end_epochs(struct router *r)
{
	struct wire_msg m = { .type = WIRE_DIED };

	if (!r->set_sent || !plane_is_up(r->node->plane))
		return -ENOTCONN;
	memcpy(m.u.router.uid, r->uid, sizeof(m.u.router.uid));
	return say(r, &m, TAG_OTHER);
}

/*
 * Every index is used or burnt, and a vNIC waits for one: the epochs in which
 * they were used are ended, the router's process attaches anew. Its packets in
 * flight are lost, those of nobody else.
 */
static void
say_reset(struct router *r)
{
	loop_arm_sooner(r->timer, RESET_LOOK_MS); /* has it happened by now? */
	if (r->reset_said || router_end_epochs(r) < 0)
		return;
	log_info("no index is left for a vNIC, its epochs are ended "
		 "router=%s",
	    r->spec.name);
	r->reset_said = true;
	r->attached_ms = loop_now_ms(); /* its process has to come again */
}

static void
sync_vnics(struct router *r)
{
	bool waits = false;

	for (unsigned i = 0; i < r->layout.g.max_vnics; i++)
		if (r->vnic[i].used ? !find_spec(r, &r->vnic[i].wire)
				    : is_stray(r, i))
			remove_vnic(r, i);
	for (unsigned k = 0; k < r->spec.n_vnics; k++) {
		const struct model_vnic *v = &r->spec.vnic[k];
		int i = router_vnic_index(r, v->name);
		struct wire_vnic w;

		if (i < 0)
			i = router_take_index(r, v);
		waits |= i < 0;
		if (i < 0)
			continue;
		describe(r, v, (unsigned)i, &w);
		if (!r->vnic[i].sent ||
		    memcmp(&w, &r->vnic[i].wire, sizeof(w)) != 0)
			say_vnic(r, (unsigned)i, &w);
		sync_link(r, (unsigned)i, v);
		sync_macs(r, (unsigned)i, v);
	}
	if (waits && router_has_burnt_index(r))
		say_reset(r);
	else
		r->reset_said = false;
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
	r->reset_said = false;
	r->n_unanswered = 0;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		r->vnic[i].sent = r->vnic[i].link_sent = r->vnic[i].macs_sent =
		    false;
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
