/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_tx: how packets of the slow path leave. All wait in one bounded queue
 * until the host has granted slots of the control queue: at the end of a turn,
 * or of a later one.
 */
#include "router/fragment.h"
#include "router/slow.h"

void
slow_send(struct slow *s, struct packet *p)
{
	if (s->n_tx == SLOW_MAX_TX) {
		count(s->count, COUNT_SLOW_TX_FULL, 1);
		free(p);
		return;
	}
	p->next = NULL;
	*s->tx_tail = p;
	s->tx_tail = &p->next;
	s->n_tx++;
}

static struct packet *
take_first(struct slow *s)
{
	struct packet *p = s->tx;

	s->tx = p->next;
	if (!s->tx)
		s->tx_tail = &s->tx;
	s->n_tx--;
	return p;
}

/* Copies p into the empty slot and sends it. */
static void
send_in(struct slow *s, struct vnic_frame *slot, const struct packet *p)
{
	if (p->len > slot->len || !s->iface[p->vnic].up) {
		count(s->count, COUNT_SLOW_DROPPED, 1);
		vnic_done(s->queue, slot, 1, VNIC_DONE_UNUSED);
		return;
	}
	memcpy(slot->data, p->bytes, p->len);
	slot->len = p->len;
	vnic_tx(s->queue, p->vnic, slot, 1);
	count(s->count, COUNT_SLOW_SENT, 1);
}

void
slow_flush(struct slow *s)
{
	struct vnic_frame slot[SLOW_BURST];

	while (s->n_tx > 0) {
		unsigned want = MIN(s->n_tx, (unsigned)SLOW_BURST);
		unsigned n = vnic_grant(s->queue, slot, want);

		for (unsigned i = 0; i < n; i++) {
			struct packet *p = take_first(s);

			send_in(s, &slot[i], p);
			free(p);
		}
		if (n < want) {
			count(s->count, COUNT_NO_GRANT, 1);
			s->tx_wait_ms = MIN(2 * s->tx_wait_ms, 64U);
			return;
		}
		s->tx_wait_ms = 1;
	}
}

void
slow_drop_early(struct slow *s)
{
	struct packet **link = &s->tx;

	while (*link) {
		struct packet *p = *link;

		if (!p->early) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		free(p);
		s->n_tx--;
		count(s->count, COUNT_OVERTAKEN, 1);
	}
	s->tx_tail = link;
}

uint32_t
slow_source(const struct slow *s, unsigned i, uint32_t dst)
{
	uint32_t ip = iface_source4(&s->iface[i], dst);

	for (unsigned v = 0; ip == 0 && v < VNIC_MAX_VNICS; v++)
		if (s->iface[v].n)
			ip = s->iface[v].address[0].ip;
	return ip;
}

bool
slow_owns(void *arg, uint32_t ip)
{
	const struct slow *s = arg;

	return s->tables->hop[tables_route(s->tables, ip)].kind == HOP_LOCAL;
}

void
slow_icmp_error(struct slow *s, const uint8_t *ip, const struct icmp_error *e,
    enum counter which)
{
	uint32_t to = load_be32(ip + IP4_SRC);
	const struct hop *hop = &s->tables->hop[tables_route(s->tables, to)];
	uint16_t to_hop = tables_route(s->tables, load_be32(ip + IP4_DST));
	struct icmp_error error = *e;
	struct packet *p;

	/* RFC 1812, 4.3.2.4: from an address of the way that it goes */
	error.src = slow_source(s, hop->vnic, to);
	if (!icmp_may_report(ip) || hop->kind < HOP_GLEAN || error.src == 0 ||
	    s->tables->hop[to_hop].kind == HOP_BROADCAST) {
		count(s->count, COUNT_ICMP_SUPPRESSED, 1);
		return;
	}
	if (!bucket_take(&s->icmp_errors, s->now_ms)) {
		count(s->count, COUNT_ICMP_LIMITED, 1);
		return;
	}
	error.id = s->ip_id++;
	p = icmp_error_make(&error, ip);
	if (!p)
		return;
	count(s->count, which, 1);
	slow_route(s, p);
}

/* Sends p (taken) in pieces of at most mtu bytes. */
static void
route_pieces(struct slow *s, struct packet *p, unsigned mtu)
{
	unsigned n;
	struct packet *piece = fragment4(p->bytes + ETH_BYTES, mtu, &n);

	count(s->count, piece ? COUNT_FRAGMENTED : COUNT_SLOW_DROPPED, 1);
	if (piece)
		count(s->count, COUNT_FRAGMENTS_MADE, n);
	while (piece) {
		struct packet *next = piece->next;

		piece->next = NULL;
		slow_route(s, piece);
		piece = next;
	}
	free(p);
}

void
slow_route(struct slow *s, struct packet *p)
{
	uint32_t dst = load_be32(p->bytes + ETH_BYTES + IP4_DST);
	const struct hop *hop = &s->tables->hop[tables_route(s->tables, dst)];

	if (hop->kind < HOP_GLEAN) {
		count(s->count, COUNT_SLOW_DROPPED, 1);
		free(p);
		return;
	}
	if (load_be16(p->bytes + ETH_BYTES + IP4_TOTAL) > hop->mtu) {
		route_pieces(s, p, hop->mtu);
		return;
	}
	p->vnic = hop->vnic;
	arp_output(s->arp, hop->ip ? hop->ip : dst, p, s->now_ms);
}
