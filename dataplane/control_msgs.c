/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_msgs: one function per request. europad is trusted to be europad, but
 * not to be right: every number is checked, every refusal is a sentence that a
 * user of the REST API may read.
 */
#include "dataplane/control.h"

#include "dataplane/control_link.h"
#include "dataplane/control_macs.h"
#include "dataplane/crew.h"
#include "lib/log.h"

#include <stdio.h>

struct request {
	struct node *node;
	struct control *control;
	struct wire_msg *m;
	struct err *e;
};

static int
publish(struct request *r)
{
	int rc = node_publish(r->node);

	return rc < 0 ? err_set(r->e, rc, "no memory for a new plan") : 0;
}

/* Returns NULL with e set if europad has not added one. */
static struct set *
find_set(struct request *r, const uint8_t *uid)
{
	struct set *s = node_set(r->node, uid);

	if (!s)
		err_set(
		    r->e, -ENOENT, "the data plane has no set of this router");
	return s;
}

/* --- sets ------------------------------------------------------------------- */

static int
check_gate(struct request *r, uint8_t gate)
{
	return gate <= WIRE_GATE_STOPPED
		   ? 0
		   : err_set(r->e, -EINVAL, "gate %u is unknown", gate);
}

static int
check_rates(
    struct request *r, const char *whose, const struct wire_rates *rates)
{
	const char *flaw = police_flaw(rates);

	return flaw ? err_set(r->e, -EINVAL, "limits of %s: %s", whose, flaw)
		    : 0;
}

/* The same memory again: take what may change while it runs. */
static int
renew_set(struct request *r, struct set *s)
{
	const struct wire_set *want = &r->m->u.set;

	if (want->slots < 2 || want->slots > s->maps.l.g.max_slots)
		return err_set(r->e, -EINVAL, "slots: want 2 to %u",
		    s->maps.l.g.max_slots);
	s->info.slots = want->slots;
	s->info.gate = want->gate;
	police_change(s->tank, &s->info.rates, &want->rates);
	s->info.rates = want->rates;
	memcpy(s->info.name, want->name, sizeof(s->info.name));
	for (unsigned q = 0; q < s->n_queues; q++)
		ledger_ask_slots(
		    s->queue[q].ledger, set_slots_of(s, q, want->slots));
	return publish(r);
}

static int
on_set_add(struct request *r)
{
	const struct wire_set *want = &r->m->u.set;
	struct set *old = node_set(r->node, want->uid), *s;
	const char *why = NULL;
	char name[sizeof(want->name)];
	int rc = check_gate(r, want->gate);

	if (rc == 0)
		rc = check_rates(r, want->name, &want->rates);
	if (rc < 0)
		return rc;
	if (old && memcmp(old->info.set, want->set, WIRE_UID_BYTES) == 0)
		return renew_set(r, old);
	memcpy(name, want->name, sizeof(name));
	rc = set_new(r->m, &s, &why);
	if (rc < 0)
		return err_set(r->e, rc, "the set of router %s is refused: %s",
		    name, why ? why : strerror(-rc));
	if (old && node_drop_set(r->node, old) < 0) {
		set_free(s, false);
		return err_set(r->e, -ENOMEM, "no memory for a new plan");
	}
	node_add_set(r->node, s);
	loop_wake(r->node->loop); /* its first epoch begins */
	log_info("set is mapped router=%s queues=%u slots=%u", name,
	    s->n_queues, s->info.slots);
	return publish(r);
}

static int
on_set_del(struct request *r)
{
	struct set *s = node_set(r->node, r->m->u.router.uid);

	if (!s)
		return 0;
	log_info("set is given up router=%s", s->info.name);
	if (node_drop_set(r->node, s) < 0)
		return err_set(r->e, -ENOMEM, "no memory for a new plan");
	return 0;
}

static int
on_set_list(struct request *r)
{
	for (const struct set *s = r->node->sets; s; s = s->next) {
		struct wire_msg m = { .type = WIRE_SET_INFO, .id = r->m->id };
		int rc;

		m.u.set = s->info;
		m.n_fds = 3 + s->n_queues;
		m.fds[0] = s->fds.host;
		m.fds[1] = s->fds.router;
		m.fds[2] = s->fds.pool;
		for (unsigned q = 0; q < s->n_queues; q++)
			m.fds[3 + q] = s->fds.bell[q];
		rc = control_send(r->control, &m);
		if (rc < 0)
			return err_set(r->e, rc, "the list was cut off");
	}
	return 0;
}

static int
on_gate(struct request *r)
{
	struct set *s = find_set(r, r->m->u.gate.uid);

	if (!s || check_gate(r, r->m->u.gate.gate) < 0)
		return r->e->no;
	s->info.gate = r->m->u.gate.gate;
	return publish(r);
}

static int
on_died(struct request *r)
{
	struct set *s = find_set(r, r->m->u.router.uid);

	if (!s)
		return r->e->no;
	for (unsigned q = 0; q < s->n_queues; q++) {
		ledger_ask_stop(s->queue[q].ledger);
		crew_wake(r->node->crew, &s->queue[q]);
	}
	return 0;
}

/* --- vNICs ------------------------------------------------------------------ */

static int
check_addresses(struct request *r, const struct wire_vnic *v)
{
	for (uint32_t i = 0; i < v->n_addresses; i++)
		if (v->address[i].family != 4 && v->address[i].family != 6)
			return err_set(r->e, -EINVAL,
			    "vNIC %s: address family %u, want 4 or 6", v->name,
			    v->address[i].family);
	return 0;
}

static int
check_vnic(struct request *r, const struct set *s, const struct wire_vnic *v)
{
	static const uint8_t zeros[6];
	const struct vnic_geometry *g = &s->maps.l.g;

	if (v->index >= g->max_vnics)
		return err_set(r->e, -EINVAL,
		    "vNIC index %u: this router has room for %u", v->index,
		    g->max_vnics);
	if (v->name[0] == '\0')
		return err_set(r->e, -EINVAL, "a vNIC without a name");
	if (v->mtu < PORT_MIN_MTU || v->mtu > PORT_MAX_MTU ||
	    FRAME_HEADER + (uint32_t)v->mtu > g->slot_bytes - g->headroom)
		return err_set(r->e, -EINVAL,
		    "vNIC %s: an MTU of %u does not fit slots of %u bytes",
		    v->name, v->mtu, g->slot_bytes - g->headroom);
	if (v->mac[0] & 1 || memcmp(v->mac, zeros, sizeof(zeros)) == 0)
		return err_set(r->e, -EINVAL,
		    "vNIC %s: its MAC is a group's, or zero", v->name);
	if (v->attach > WIRE_ATTACH_SEGMENT || v->vlan > 4094)
		return err_set(r->e, -EINVAL,
		    "vNIC %s: attachment %u or VLAN %u is out of range",
		    v->name, v->attach, v->vlan);
	if (check_rates(r, v->name, &v->rates) < 0)
		return r->e->no;
	return check_addresses(r, v);
}

/* Do they hear each other? */
static bool
share_a_wire(const struct wire_vnic *a, const struct wire_vnic *b)
{
	if (a->attach != b->attach)
		return false;
	if (a->attach == WIRE_ATTACH_SEGMENT)
		return memcmp(a->peer_uid, b->peer_uid, WIRE_UID_BYTES) == 0;
	return a->attach == WIRE_ATTACH_PORT && strcmp(a->port, b->port) == 0 &&
	       (a->trunk || b->trunk || a->vlan == b->vlan);
}

/* Two vNICs with one MAC on one segment: who would get the packets? */
static int
check_unique(
    struct request *r, const struct set *mine, const struct wire_vnic *v)
{
	if (v->attach != WIRE_ATTACH_PORT && v->attach != WIRE_ATTACH_SEGMENT)
		return 0;
	for (const struct set *s = r->node->sets; s; s = s->next) {
		for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
			const struct wire_vnic *o = &s->vnic[i].v;

			if (!s->vnic[i].up || (s == mine && i == v->index) ||
			    memcmp(o->mac, v->mac, sizeof(v->mac)) != 0 ||
			    !share_a_wire(o, v))
				continue;
			return err_set(r->e, -EEXIST,
			    "vNIC %s: its MAC is in use on %s %s by vNIC %s "
			    "of router %s",
			    v->name, v->port[0] ? "port" : "its segment",
			    v->port, o->name, s->info.name);
		}
	}
	return 0;
}

static int
on_vnic_set(struct request *r)
{
	const struct wire_vnic *v = &r->m->u.vnic;
	struct set *s = find_set(r, v->uid);
	int rc;

	if (!s || check_vnic(r, s, v) < 0 || check_unique(r, s, v) < 0)
		return r->e->no;
	rc = set_vnic_put(s, v);
	if (rc < 0)
		return err_set(r->e, rc,
		    "vNIC %s: index %u is in use with another MAC, MTU or "
		    "name, or was until now: take another index",
		    v->name, v->index);
	return publish(r);
}

static int
on_vnic_del(struct request *r)
{
	struct set *s = find_set(r, r->m->u.vnic_ref.uid);

	if (!s)
		return r->e->no;
	if (r->m->u.vnic_ref.index >= s->maps.l.g.max_vnics)
		return err_set(r->e, -EINVAL, "vNIC index %u is out of range",
		    r->m->u.vnic_ref.index);
	set_vnic_drop(s, r->m->u.vnic_ref.index);
	if (publish(r) < 0)
		return r->e->no;
	control_link_forget(r->node, s, r->m->u.vnic_ref.index);
	control_macs_forget(s, r->m->u.vnic_ref.index);
	return 0;
}

static int
on_vnic_link(struct request *r)
{
	return control_link(r->node, &r->m->u.link, r->e);
}

static int
on_vnic_macs(struct request *r)
{
	return control_macs(r->node, &r->m->u.macs, r->e);
}

/* --- ports ------------------------------------------------------------------ */

static int
add_port(struct request *r, const struct port_spec *spec)
{
	struct port *p = port_new(spec, r->node->workers.n);
	int rc;

	if (!p)
		return err_set(r->e, -ENOMEM, "no memory for a port");
	if (port_needs_start(spec)) {
		p->state = WIRE_PORT_PENDING_RESTART;
		node_add_port(r->node, p);
		return err_set(r->e, -ENOTSUP,
		    "pending-restart: port %s can only be opened when the data "
		    "plane starts",
		    spec->name);
	}
	rc = node_open_port(r->node, p);
	node_add_port(r->node, p);
	if (rc < 0)
		return port_explain(spec, rc, r->e);
	return publish(r);
}

static int
on_port_add(struct request *r)
{
	struct port_spec spec = { .mtu = r->m->u.port.mtu };
	struct port *p = node_port(r->node, r->m->u.port.name);

	memcpy(spec.name, r->m->u.port.name, sizeof(spec.name));
	memcpy(spec.devargs, r->m->u.port.devargs, sizeof(spec.devargs));
	if (!port_name_is_valid(spec.name) || spec.mtu < PORT_MIN_MTU ||
	    spec.mtu > PORT_MAX_MTU || spec.devargs[0] == '\0')
		return err_set(r->e, -EINVAL,
		    "a port wants a name of letters and digits, an MTU from "
		    "%d to %d and a device",
		    PORT_MIN_MTU, PORT_MAX_MTU);
	if (!p)
		return add_port(r, &spec);
	if (strcmp(p->spec.devargs, spec.devargs) != 0 ||
	    p->spec.mtu != spec.mtu)
		return err_set(r->e, -EEXIST,
		    "port %s is there with another device or MTU: remove it "
		    "first",
		    spec.name);
	if (p->state == WIRE_PORT_UP)
		return 0;
	if (node_drop_port(r->node, p) < 0)
		return err_set(r->e, -ENOMEM, "no memory for a new plan");
	return add_port(r, &spec); /* it may open now */
}

static int
on_port_del(struct request *r)
{
	struct port *p = node_port(r->node, r->m->u.name.name);

	if (!p)
		return 0;
	log_info("port is closed port=%s", p->spec.name);
	if (node_drop_port(r->node, p) < 0)
		return err_set(r->e, -ENOMEM, "no memory for a new plan");
	return 0;
}

static int
on_port_list(struct request *r)
{
	for (const struct port *p = r->node->ports; p; p = p->next) {
		struct wire_msg m = { .type = WIRE_PORT_INFO, .id = r->m->id };
		int rc;

		port_describe(p, &m);
		rc = control_send(r->control, &m);
		if (rc < 0)
			return err_set(r->e, rc, "the list was cut off");
	}
	return 0;
}

static int (*const handlers[WIRE_N_TYPES])(struct request *r) = {
	[WIRE_SET_ADD] = on_set_add,
	[WIRE_SET_DEL] = on_set_del,
	[WIRE_SET_LIST] = on_set_list,
	[WIRE_VNIC_SET] = on_vnic_set,
	[WIRE_VNIC_DEL] = on_vnic_del,
	[WIRE_VNIC_LINK] = on_vnic_link,
	[WIRE_VNIC_MACS] = on_vnic_macs,
	[WIRE_GATE] = on_gate,
	[WIRE_DIED] = on_died,
	[WIRE_PORT_ADD] = on_port_add,
	[WIRE_PORT_DEL] = on_port_del,
	[WIRE_PORT_LIST] = on_port_list,
};

int
control_do(struct node *n, struct control *c, struct wire_msg *m, struct err *e)
{
	struct request r = { .node = n, .control = c, .m = m, .e = e };

	if (!handlers[m->type]) /* the codec knows type < WIRE_N_TYPES */
		return err_set(e, -EOPNOTSUPP,
		    "message %d is not for the data plane", m->type);
	return handlers[m->type](&r);
}
