/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_macs: of the MACs that vNICs ask to use beside their own, those that they
 * have. A wire is a VLAN of a port, or a segment; on each of them a MAC is one
 * vNIC's. One that is somebody's own there is nobody else's, nor is that of a
 * port; of several that ask for one the first has it. europad refuses such
 * wishes before; here what comes in an order that it did not foresee is harmless.
 */
#include "dataplane/plan.h"

#include "dataplane/port.h"
#include "dataplane/set.h"

enum { WIRE_BYTES = 1 + WIRE_UID_BYTES, KEY_BYTES = WIRE_BYTES + 6 };

/* A vNIC's wish for a MAC, or what it has anyhow. */
struct claim {
	uint8_t key[KEY_BYTES]; /* port or segment, then the MAC */
	bool is_wish;
	uint16_t vlan;
	uint32_t vnic;
};

/* VLANs of one wire on which one MAC is somebody's. */
struct taken {
	uint64_t vlans[RULES_N_VLANS / 64];
	bool any, by_trunk;
};

static const struct set_vnic *
wanted(const struct plan_vnic *v)
{
	return &v->router->set->vnic[v->index];
}

static bool
is_of_a_port(const struct plan *p, const uint8_t *mac)
{
	for (unsigned i = 0; i < p->n_ports; i++)
		if (memcmp(p->port[i].port->mac, mac, 6) == 0)
			return true;
	return false;
}

/* --- claims ------------------------------------------------------------------------- */

static uint32_t
count_wishes(const struct plan *p, uint32_t *n_vnics)
{
	uint32_t n = 0;

	*n_vnics = 0;
	for (uint32_t v = 0; v < p->n_vnics; v++) {
		n += wanted(&p->vnic[v])->macs.n;
		*n_vnics += wanted(&p->vnic[v])->macs.n > 0;
	}
	return n;
}

/* false: on a wire between two, or on none; nobody else is there. */
static bool
begin_claim(const struct plan *p, uint32_t vnic, struct claim *out)
{
	const struct plan_vnic *v = &p->vnic[vnic];
	const struct wire_vnic *w = &wanted(v)->v;

	memset(out, 0, sizeof(*out));
	out->vlan = v->vlan;
	out->vnic = vnic;
	out->key[0] = w->attach;
	if (w->attach == WIRE_ATTACH_SEGMENT) {
		memcpy(out->key + 1, w->peer_uid, WIRE_UID_BYTES);
		return true;
	}
	if (v->port)
		store_be32(out->key + 1, (uint32_t)(v->port - p->port));
	return v->port != NULL;
}

static void
grant(struct plan_vnic *v, const uint8_t *mac)
{
	/* each wish is granted once at most: there is room */
	memcpy(&v->macs->mac[v->macs->n++], mac, 6);
}

/* All claims to what is shared; what is not is granted at once. */
static uint32_t
add_claims(struct plan *p, struct claim *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_vnics; i++) {
		struct plan_vnic *v = &p->vnic[i];
		const struct wire_macs *m = &wanted(v)->macs;
		struct claim c;
		bool shared = begin_claim(p, i, &c);

		if (shared) {
			memcpy(c.key + WIRE_BYTES, v->mac, 6);
			out[n++] = c;
		}
		c.is_wish = true;
		for (uint32_t k = 0; k < m->n; k++) {
			if (is_of_a_port(p, m->mac[k]))
				continue;
			if (!shared) {
				grant(v, m->mac[k]);
				continue;
			}
			memcpy(c.key + WIRE_BYTES, m->mac[k], 6);
			out[n++] = c;
		}
	}
	return n;
}

/* --- who has it --------------------------------------------------------------------- */

static int
by_key(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = memcmp(x->key, y->key, KEY_BYTES);

	if (order != 0)
		return order;
	if (x->is_wish != y->is_wish)
		return x->is_wish ? 1 : -1;
	return x->vnic < y->vnic ? -1 : x->vnic > y->vnic;
}

static bool
is_taken(const struct taken *t, uint16_t vlan)
{
	if (vlan == RULES_ANY_VLAN)
		return t->any;
	return t->by_trunk || t->vlans[vlan / 64] >> vlan % 64 & 1;
}

/* The n claims to one MAC on one wire, those that are no wishes first. */
static void
decide(struct plan *p, const struct claim *c, uint32_t n)
{
	struct taken t = { .any = false };

	for (uint32_t i = 0; i < n; i++) {
		if (c[i].is_wish) {
			if (is_taken(&t, c[i].vlan))
				continue;
			grant(&p->vnic[c[i].vnic], c[i].key + WIRE_BYTES);
		}
		t.any = true;
		t.by_trunk |= c[i].vlan == RULES_ANY_VLAN;
		t.vlans[c[i].vlan / 64] |= UINT64_C(1) << c[i].vlan % 64;
	}
}

int
plan_pick_macs(struct plan *p)
{
	uint32_t n_vnics, n = count_wishes(p, &n_vnics), end;
	scoped_free struct claim *c = NULL;
	struct plan_macs *next;

	if (n == 0)
		return 0;
	c = calloc((size_t)p->n_vnics + n, sizeof(*c));
	p->macs = calloc(n_vnics, sizeof(*p->macs));
	if (!c || !p->macs)
		return -ENOMEM;
	next = p->macs;
	for (uint32_t v = 0; v < p->n_vnics; v++)
		if (wanted(&p->vnic[v])->macs.n > 0)
			p->vnic[v].macs = next++;
	n = add_claims(p, c);
	qsort(c, n, sizeof(*c), by_key);
	for (uint32_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (memcmp(c[end].key, c[i].key, KEY_BYTES) != 0)
				break;
		decide(p, c + i, end - i);
	}
	return 0;
}

uint32_t
plan_put_members(
    const struct plan_vnic *v, uint32_t value, struct rules_member *m)
{
	uint32_t n = plan_n_members(v);

	for (uint32_t i = 0; i < n; i++) {
		m[i].vlan = v->vlan;
		m[i].value = value;
		m[i].also = i > 0;
		memcpy(m[i].mac,
		    i > 0 ? (uint8_t *)&v->macs->mac[i - 1] : v->mac,
		    sizeof(m[i].mac));
	}
	return n;
}
