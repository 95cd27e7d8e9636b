/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow6_tx: how IPv6 packets of the slow path leave, and the errors among them:
 * whether one may be sent, in whose name, and how often.
 */
#include "router/fragment.h"
#include "router/slow6.h"

struct ip6
slow6_source(const struct slow *s, unsigned i, struct ip6 dst)
{
	struct ip6 a = iface_source6(&s->iface[i], dst);

	for (unsigned v = 0; ip6_is_zero(a) && v < VNIC_MAX_VNICS; v++)
		if (s->iface[v].n6)
			a = s->iface[v].address6[0].ip;
	return a;
}

/* The hop to dst; *vnic is the way out: of link-local ones it is given. */
static enum hop_kind
way_to(const struct slow *s, struct ip6 dst, unsigned *vnic, struct ip6 *next)
{
	uint16_t hop;

	*next = dst;
	if (ip6_is_link_local(dst))
		return HOP_GLEAN;
	hop = tables_route6(s->tables, dst);
	*vnic = s->tables->hop[hop].vnic;
	*next = tables_neighbour6(s->tables, hop, dst);
	return (enum hop_kind)s->tables->hop[hop].kind;
}

/* One of ours, e.g. the answer to what came in pieces itself. */
static void
route_pieces(struct slow *s, struct packet *p, unsigned vnic, unsigned mtu)
{
	const uint8_t *ip = p->bytes + ETH_BYTES;
	unsigned n;
	struct packet *piece = fragment6(ip, mtu, s->ip6_id++, &n);

	count(s->count, piece ? COUNT_FRAGMENTED : COUNT_SLOW_DROPPED, 1);
	if (piece)
		count(s->count, COUNT_FRAGMENTS_MADE, n);
	while (piece) {
		struct packet *next = piece->next;

		piece->next = NULL;
		slow_route6(s, piece, vnic);
		piece = next;
	}
	free(p);
}

void
slow_route6(struct slow *s, struct packet *p, unsigned vnic)
{
	struct ip6 dst = ip6_load(p->bytes + ETH_BYTES + IP6_DST);
	struct ip6 next;

	if (way_to(s, dst, &vnic, &next) < HOP_GLEAN) {
		count(s->count, COUNT_SLOW_DROPPED, 1);
		free(p);
		return;
	}
	if (ip6_total(p->bytes + ETH_BYTES) > s->tables->vnic[vnic].mtu) {
		route_pieces(s, p, vnic, s->tables->vnic[vnic].mtu);
		return;
	}
	p->vnic = (uint16_t)vnic; /* < VNIC_MAX_VNICS */
	nd_output(s->nd, next, p, s->now_ms);
}

static enum counter
counter_of(const struct icmp6_error *e)
{
	static const enum counter of_code[] = {
		[ICMP6_NO_ROUTE] = COUNT_ICMP6_NO_ROUTE,
		[ICMP6_PROHIBITED] = COUNT_ICMP6_PROHIBITED,
		[ICMP6_BEYOND_SCOPE] = COUNT_ICMP6_BEYOND_SCOPE,
		[ICMP6_ADDRESS_UNREACHABLE] = COUNT_ICMP6_ADDRESS_UNREACHABLE,
		[ICMP6_PORT_UNREACHABLE] = COUNT_ICMP6_PORT_UNREACHABLE,
	};

	switch ((enum icmp6_type)e->type) {
	case ICMP6_PACKET_TOO_BIG:
		return COUNT_ICMP6_PACKET_TOO_BIG;
	case ICMP6_TIME_EXCEEDED:
		return COUNT_ICMP6_TIME_EXCEEDED;
	case ICMP6_PARAMETER_PROBLEM:
		return COUNT_ICMP6_PARAMETER_PROBLEM;
	default:
		return of_code[e->code];
	}
}

void
slow6_error(struct slow *s, const uint8_t *ip, unsigned vnic,
    const struct icmp6_error *e)
{
	struct ip6 to = ip6_load(ip + IP6_SRC), next;
	struct icmp6_error error = *e;
	struct packet *p;

	if (!icmp6_may_report(e, ip) ||
	    way_to(s, to, &vnic, &next) < HOP_GLEAN) {
		count(s->count, COUNT_ICMP6_SUPPRESSED, 1);
		return;
	}
	error.src = slow6_source(s, vnic, to);
	if (ip6_is_zero(error.src)) {
		count(s->count, COUNT_ICMP6_SUPPRESSED, 1);
		return;
	}
	if (!bucket_take(&s->icmp6_errors, s->now_ms)) {
		count(s->count, COUNT_ICMP6_LIMITED, 1);
		return;
	}
	p = icmp6_error_make(&error, ip);
	if (!p)
		return;
	count(s->count, counter_of(e), 1);
	slow_route6(s, p, vnic);
}

void
slow6_say(struct slow *s, const uint8_t *ip, unsigned vnic, unsigned type,
    unsigned code)
{
	struct icmp6_error e = { .type = (uint8_t)type, .code = (uint8_t)code };

	slow6_error(s, ip, vnic, &e);
}

void
slow6_problem(struct slow *s, const uint8_t *ip, unsigned vnic, unsigned code,
    unsigned at)
{
	struct icmp6_error e = {
		.type = ICMP6_PARAMETER_PROBLEM,
		.code = (uint8_t)code,
		.rest = at,
	};

	slow6_error(s, ip, vnic, &e);
}
