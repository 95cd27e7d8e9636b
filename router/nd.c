/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nd: what is said and heard, see nd.h.
 */
#include "router/nd_internal.h"

struct nd {
	struct neigh neigh;
};

static const struct ip6 all_nodes = { UINT64_C(0xff02) << 48, 1 };

static int
question(void *self, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    struct packet **out)
{
	struct nd *d = self;
	const struct iface *iface = &d->neigh.iface[vnic];
	struct nd_msg m = {
		.type = ND_SOLICITATION,
		.src = iface_source6(iface, ip),
		.dst = mac ? ip : ip6_solicited(ip),
		.target = ip,
	};

	if (ip6_is_zero(m.src))
		return -EADDRNOTAVAIL;
	*out = nd_frame(iface, vnic, &m, mac);
	return *out ? 0 : -ENOMEM;
}

int
nd_new(const struct neigh_io *io, void *arg, struct counters *count,
    uint8_t *used, struct nd **out)
{
	struct nd *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->neigh.io = io;
	d->neigh.arg = arg;
	d->neigh.question = question;
	d->neigh.self = d;
	d->neigh.count = count;
	d->neigh.first_counter = COUNT_ND_SOLICITATION_SENT;
	d->neigh.used = used;
	neigh_init(&d->neigh);
	*out = d;
	return 0;
}

void
nd_free(struct nd *d)
{
	if (d)
		neigh_destroy(&d->neigh);
	free(d);
}

static void
send_frame(struct nd *d, struct packet *p, enum counter which)
{
	if (!p)
		return;
	count(d->neigh.count, which, 1);
	d->neigh.io->send(d->neigh.arg, p);
}

void
nd_announce(struct nd *d, unsigned i, struct ip6 ip)
{
	struct nd_msg m = {
		.type = ND_ADVERTISEMENT,
		.override = true,
		.src = ip,
		.dst = all_nodes,
		.target = ip,
	};

	send_frame(
	    d, nd_frame(&d->neigh.iface[i], i, &m, NULL), COUNT_ND_ANNOUNCED);
}

/* mac is where the question came from. */
static void
answer(
    struct nd *d, unsigned vnic, const struct nd_msg *asked, const uint8_t *mac)
{
	bool is_probe = ip6_is_zero(asked->src); /* is the address free? */
	struct nd_msg m = {
		.type = ND_ADVERTISEMENT,
		.solicited = !is_probe,
		.override = true,
		.src = asked->target,
		.dst = is_probe ? all_nodes : asked->src,
		.target = asked->target,
	};

	send_frame(d, nd_frame(&d->neigh.iface[vnic], vnic, &m, mac),
	    COUNT_ND_ADVERTISEMENT_SENT);
}

static void
hear_solicitation(struct nd *d, unsigned i, const struct nd_msg *m,
    const uint8_t *frame, uint64_t now_ms)
{
	const struct iface *iface = &d->neigh.iface[i];
	struct neigh_entry *e;

	if (iface_has6(iface, m->src)) {
		count(d->neigh.count, COUNT_ND_CONFLICT, 1);
		return;
	}
	e = neigh_find(&d->neigh, m->src, i);
	if (e && e->state != NEIGH_FAILED && m->has_mac)
		neigh_learn(&d->neigh, e, m->mac, now_ms);
	if (iface_has6(iface, m->target))
		answer(d, i, m, m->has_mac ? m->mac : frame + ETH_SRC);
	else if (!e)
		count(d->neigh.count, COUNT_ND_IGNORED, 1);
}

/* RFC 4861, 7.2.5: without the override flag a known MAC is not replaced. */
static void
hear_advertisement(
    struct nd *d, unsigned i, const struct nd_msg *m, uint64_t now_ms)
{
	struct neigh_entry *e = neigh_find(&d->neigh, m->target, i);
	bool is_new;

	if (iface_has6(&d->neigh.iface[i], m->target)) {
		count(d->neigh.count, COUNT_ND_CONFLICT, 1);
		return;
	}
	if (!e || e->state == NEIGH_FAILED ||
	    (!neigh_is_resolved(e) && !m->has_mac)) {
		count(d->neigh.count, COUNT_ND_IGNORED, 1);
		return;
	}
	is_new = !neigh_is_resolved(e) ||
		 (m->has_mac && memcmp(m->mac, e->mac, 6) != 0);
	if (is_new && (m->override || !neigh_is_resolved(e)))
		neigh_learn(&d->neigh, e, m->mac, now_ms);
	else if (!is_new && m->solicited)
		neigh_learn(&d->neigh, e, e->mac, now_ms);
	else
		count(d->neigh.count, COUNT_ND_IGNORED, 1);
}

void
nd_input(struct nd *d, unsigned i, const uint8_t *frame, uint64_t now_ms)
{
	struct counters *c = d->neigh.count;
	struct nd_msg m;
	int rc = nd_parse(frame, &m);

	if (rc < 0 || !d->neigh.iface[i].up) {
		count(c, rc == -EBADMSG ? COUNT_ND_BAD : COUNT_ND_IGNORED, 1);
		return;
	}
	if (m.type == ND_SOLICITATION) {
		count(c, COUNT_ND_SOLICITATION_RECEIVED, 1);
		hear_solicitation(d, i, &m, frame, now_ms);
	} else {
		count(c, COUNT_ND_ADVERTISEMENT_RECEIVED, 1);
		hear_advertisement(d, i, &m, now_ms);
	}
}

void
nd_output(struct nd *d, struct ip6 ip, struct packet *p, uint64_t now_ms)
{
	neigh_output(&d->neigh, ip, p, now_ms);
}

int
nd_tell(struct nd *d, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    uint64_t now_ms)
{
	return neigh_tell(&d->neigh, ip, vnic, mac, now_ms);
}

unsigned
nd_snapshot(const struct nd *d, struct snapshot_neighbour *out, uint64_t now_ms)
{
	return neigh_snapshot(&d->neigh, true, out, now_ms);
}

uint64_t
nd_tick(struct nd *d, uint64_t now_ms)
{
	return neigh_tick(&d->neigh, now_ms);
}

void
nd_set_ifaces(struct nd *d, const struct iface *ifaces)
{
	neigh_set_ifaces(&d->neigh, ifaces);
}

bool
nd_changed(struct nd *d)
{
	return neigh_take_changed(&d->neigh);
}

unsigned
nd_list(const struct nd *d, unsigned base, struct neighbour *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->neigh.high; i++) {
		const struct neigh_entry *e = &d->neigh.entry[i];

		if (!neigh_is_resolved(e))
			continue;
		out[n] = (struct neighbour){
			.ip6 = e->ip,
			.vnic = e->vnic,
			.index = (uint16_t)(base + i),
		};
		memcpy(out[n++].mac, e->mac, 6);
	}
	return n;
}
