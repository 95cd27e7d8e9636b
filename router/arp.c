/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp: what is said and heard, see arp.h.
 */
#include "router/arp_internal.h"

struct arp {
	struct neigh neigh;
};

static int
question(void *self, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    struct packet **out)
{
	struct arp *a = self;
	const struct iface *iface = &a->neigh.iface[vnic];
	struct arp_msg m = { .op = ARP_REQUEST,
		.target_ip = (uint32_t)ip.lo }; /* the low word is all of it */

	m.sender_ip = iface_source4(iface, m.target_ip);
	if (m.sender_ip == 0)
		return -EADDRNOTAVAIL;
	*out = arp_frame(iface, vnic, &m, mac);
	return *out ? 0 : -ENOMEM;
}

int
arp_new(const struct neigh_io *io, void *arg, struct counters *count,
    uint8_t *used, struct arp **out)
{
	struct arp *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->neigh.io = io;
	a->neigh.arg = arg;
	a->neigh.question = question;
	a->neigh.self = a;
	a->neigh.count = count;
	a->neigh.first_counter = COUNT_ARP_REQUEST_SENT;
	a->neigh.used = used;
	neigh_init(&a->neigh);
	*out = a;
	return 0;
}

void
arp_free(struct arp *a)
{
	if (a)
		neigh_destroy(&a->neigh);
	free(a);
}

static void
send_frame(struct arp *a, struct packet *p, enum counter which)
{
	if (!p)
		return;
	count(a->neigh.count, which, 1);
	a->neigh.io->send(a->neigh.arg, p);
}

static void
answer(struct arp *a, unsigned vnic, const struct arp_msg *request)
{
	struct arp_msg m = {
		.op = ARP_REPLY,
		.sender_ip = request->target_ip,
		.target_ip = request->sender_ip,
	};

	send_frame(a,
	    arp_frame(&a->neigh.iface[vnic], vnic, &m, request->sender_mac),
	    COUNT_ARP_REPLY_SENT);
}

void
arp_announce(struct arp *a, unsigned i, uint32_t ip)
{
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sender_ip = ip,
		.target_ip = ip,
	};

	send_frame(
	    a, arp_frame(&a->neigh.iface[i], i, &m, NULL), COUNT_ARP_ANNOUNCED);
}

void
arp_input(struct arp *a, unsigned i, const uint8_t *frame, unsigned len,
    uint64_t now_ms)
{
	const struct iface *iface = &a->neigh.iface[i];
	struct counters *c = a->neigh.count;
	struct neigh_entry *e;
	struct arp_msg m;

	if (!arp_parse(frame, len, &m)) {
		count(c, COUNT_ARP_BAD, 1);
		return;
	}
	count(c,
	    m.op == ARP_REQUEST ? COUNT_ARP_REQUEST_RECEIVED
				: COUNT_ARP_REPLY_RECEIVED,
	    1);
	if (!iface->up || iface_has4(iface, m.sender_ip)) {
		count(c, iface->up ? COUNT_ARP_CONFLICT : COUNT_ARP_IGNORED, 1);
		return;
	}
	e = neigh_find(&a->neigh, ip6_of_ip4(m.sender_ip), i);
	/* who has failed is a stranger again */
	if (e && e->state != NEIGH_FAILED)
		neigh_learn(&a->neigh, e, m.sender_mac, now_ms);
	if (m.op == ARP_REQUEST && iface_has4(iface, m.target_ip))
		answer(a, i, &m);
	else if (!e)
		count(c, COUNT_ARP_IGNORED, 1);
}

void
arp_output(struct arp *a, uint32_t ip, struct packet *p, uint64_t now_ms)
{
	neigh_output(&a->neigh, ip6_of_ip4(ip), p, now_ms);
}

int
arp_tell(struct arp *a, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    uint64_t now_ms)
{
	return neigh_tell(&a->neigh, ip, vnic, mac, now_ms);
}

unsigned
arp_snapshot(
    const struct arp *a, struct snapshot_neighbour *out, uint64_t now_ms)
{
	return neigh_snapshot(&a->neigh, false, out, now_ms);
}

uint64_t
arp_tick(struct arp *a, uint64_t now_ms)
{
	return neigh_tick(&a->neigh, now_ms);
}

void
arp_set_ifaces(struct arp *a, const struct iface *ifaces)
{
	neigh_set_ifaces(&a->neigh, ifaces);
}

bool
arp_changed(struct arp *a)
{
	return neigh_take_changed(&a->neigh);
}

unsigned
arp_list(const struct arp *a, struct neighbour *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->neigh.high; i++) {
		const struct neigh_entry *e = &a->neigh.entry[i];

		if (!neigh_is_resolved(e))
			continue;
		out[n] = (struct neighbour){
			.ip = (uint32_t)e->ip.lo, /* all of an IPv4 address */
			.vnic = e->vnic,
			.index = (uint16_t)i,
		};
		memcpy(out[n++].mac, e->mac, 6);
	}
	return n;
}
