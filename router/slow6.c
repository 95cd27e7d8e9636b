/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow6: IPv6 packets that the pipelines have taken out. They have passed
 * check_ip6, and the copy is as the packet came; what has extension headers is
 * looked at again here.
 */
#include "router/slow6.h"

#include "router/ip6_walk.h"
#include "router/nd.h"

void
slow_unreachable6(struct slow *s, const struct packet *p)
{
	slow6_say(s, p->bytes + ETH_BYTES, p->vnic, ICMP6_UNREACHABLE,
	    ICMP6_ADDRESS_UNREACHABLE);
}

/* --- to ourselves --------------------------------------------------------- */

static void
local_icmp(struct slow *s, const uint8_t *ip, unsigned vnic, unsigned at)
{
	unsigned n = ip6_total(ip) - at;
	struct ip6 src = ip6_load(ip + IP6_DST);
	struct packet *reply;

	if (n < ICMP6_BYTES || icmp6_checksum(ip, ip + at, n) != 0) {
		count(s->count, COUNT_LOCAL_BAD, 1);
		return;
	}
	if (ip[at] != ICMP6_ECHO || ip[at + 1] != 0) {
		count(s->count, COUNT_LOCAL_IGNORED, 1);
		return;
	}
	if (ip6_is_multicast(src)) {
		/* one question, many answers: no more than errors */
		src = slow6_source(s, vnic, ip6_load(ip + IP6_SRC));
		if (!bucket_take(&s->icmp6_errors, s->now_ms)) {
			count(s->count, COUNT_ICMP6_LIMITED, 1);
			return;
		}
	}
	reply = icmp6_reply_make(ip, ip + at, n, src);
	if (!reply)
		return;
	count(s->count, COUNT_ICMP6_ECHO_REPLY, 1);
	slow_route6(s, reply, vnic);
}

/* An extension header of a packet to us; false: it ends here. */
static bool
accept_header(
    struct slow *s, const struct ip6_walk *w, unsigned vnic, unsigned at_n)
{
	unsigned bytes = ip6_walk_bytes(w);
	struct icmp6_error e;
	int rc;

	if (w->next == NEXT_HOP_BY_HOP && at_n > 0) {
		/* it may only come first */
		slow6_problem(s, w->ip, vnic, ICMP6_UNKNOWN_NEXT, w->said);
		return false;
	}
	if (bytes == 0) {
		slow6_problem(s, w->ip, vnic, ICMP6_WRONG_FIELD, w->at + 1);
		return false;
	}
	switch (w->next) {
	case NEXT_DESTINATION:
		rc = icmp6_check_options(w->ip, w->at, bytes, &e);
		if (rc == -EBADMSG)
			slow6_error(s, w->ip, vnic, &e);
		else if (rc < 0)
			count(s->count, COUNT_LOCAL_BAD, 1);
		return rc == 0;
	case NEXT_ROUTING:
		if (w->ip[w->at + 3] == 0)
			return true;
		/* RFC 5095, and RFC 8200, 4.4 of types that are not known */
		slow6_problem(s, w->ip, vnic, ICMP6_WRONG_FIELD, w->at + 2);
		return false;
	default: /* a fragment; hop-by-hop was looked at on the way in */
		return true;
	}
}

static void
local_upper(struct slow *s, const struct ip6_walk *w, unsigned vnic)
{
	switch (w->next) {
	case NEXT_ICMP6:
		local_icmp(s, w->ip, vnic, w->at);
		break;
	case IP_UDP:
		slow6_say(
		    s, w->ip, vnic, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE);
		break;
	case NEXT_NONE:
		count(s->count, COUNT_LOCAL_IGNORED, 1);
		break;
	default:
		slow6_problem(s, w->ip, vnic, ICMP6_UNKNOWN_NEXT, w->said);
		break;
	}
}

static bool
is_piece(const struct ip6_walk *w)
{
	return w->next == NEXT_FRAGMENT &&
	       (load_be16(w->ip + w->at + 2) & ~6U) != 0;
}

/* Walks w to its upper header, or to that of a piece. False: it ends here. */
static bool
accept_headers(struct slow *s, struct ip6_walk *w, unsigned vnic)
{
	for (unsigned n = 0; ip6_is_extension(w->next); n++) {
		if (!accept_header(s, w, vnic, n))
			return false;
		if (is_piece(w) || !ip6_walk_next(w))
			break;
	}
	return true;
}

/* A piece in it would be one in a piece: nobody sends that. */
static void
local_whole(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct ip6_walk w;

	ip6_walk_begin(&w, ip);
	if (!accept_headers(s, &w, vnic))
		return;
	if (w.is_cut || is_piece(&w))
		count(s->count, COUNT_LOCAL_BAD, 1);
	else
		local_upper(s, &w, vnic);
}

static void
local_input(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct packet *p;
	struct ip6_walk w;

	ip6_walk_begin(&w, ip);
	if (!accept_headers(s, &w, vnic))
		return;
	if (!is_piece(&w)) {
		if (w.is_cut)
			count(s->count, COUNT_LOCAL_BAD, 1);
		else
			local_upper(s, &w, vnic);
		return;
	}
	p = slow_join6(s, &w, vnic);
	if (p)
		local_whole(s, p->bytes + ETH_BYTES, vnic);
	free(p);
}

/* Of scope 2 or less; ours, or a group that we are in at this vNIC? */
static bool
is_for_us_on_link(const struct iface *f, struct ip6 dst)
{
	static const struct ip6 all_nodes = { UINT64_C(0xff02) << 48, 1 };
	static const struct ip6 all_routers = { UINT64_C(0xff02) << 48, 2 };

	if (!ip6_is_multicast(dst))
		return iface_has6(f, dst);
	if (f->n6 &&
	    (ip6_is_equal(dst, all_nodes) || ip6_is_equal(dst, all_routers)))
		return true;
	for (unsigned i = 0; i < f->n6; i++)
		if (ip6_is_equal(dst, ip6_solicited(f->address6[i].ip)))
			return true;
	return false;
}

/* --- to be forwarded, but not by the fast path ---------------------------- */

static void
forward(struct slow *s, unsigned fate, const uint8_t *ip, unsigned vnic,
    const struct hop *hop)
{
	unsigned total = ip6_total(ip);
	struct packet *p;

	if (ip[IP6_HOP_LIMIT] <= 1) {
		slow6_say(s, ip, vnic, ICMP6_TIME_EXCEEDED, 0);
		return;
	}
	if (total > hop->mtu) {
		struct icmp6_error e = { .type = ICMP6_PACKET_TOO_BIG,
			.rest = hop->mtu };

		slow6_error(s, ip, vnic, &e);
		return;
	}
	p = slow_copy(ip, total, ETHERTYPE_IP6);
	if (!p)
		return;
	p->early = fate == FATE_UNRESOLVED;
	p->bytes[ETH_BYTES + IP6_HOP_LIMIT]--;
	count(s->count, COUNT_SLOW_FORWARDED, 1);
	slow_route6(s, p, vnic);
}

/* Where would the fast path send it, by the tables of now? */
static void
dispatch(struct slow *s, unsigned fate, const uint8_t *ip, unsigned vnic)
{
	struct ip6 dst = ip6_load(ip + IP6_DST);
	const struct hop *hop = &s->tables->hop[tables_route6(s->tables, dst)];
	bool is_from_link = ip6_is_link_local(ip6_load(ip + IP6_SRC));

	if (is_from_link && hop->kind != HOP_LOCAL) {
		slow6_say(s, ip, vnic, ICMP6_UNREACHABLE, ICMP6_BEYOND_SCOPE);
		return;
	}
	switch ((enum hop_kind)hop->kind) {
	case HOP_LOCAL:
		local_input(s, ip, vnic);
		break;
	case HOP_FORWARD:
		if (fate == FATE_UNRESOLVED) {
			/* the fast path knows it now, younger ones have left */
			count(s->count, COUNT_OVERTAKEN, 1);
			break;
		}
		forward(s, fate, ip, vnic, hop);
		break;
	case HOP_GLEAN:
	case HOP_UNRESOLVED:
		forward(s, fate, ip, vnic, hop);
		break;
	case HOP_NONE:
		slow6_say(s, ip, vnic, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE);
		break;
	case HOP_BROADCAST:
	case HOP_DOWN:
		count(s->count, COUNT_SLOW_DROPPED, 1);
		break;
	}
}

/* Is there a network at f that both are in? */
static bool
are_neighbours(const struct iface *f, struct ip6 a, struct ip6 b)
{
	for (unsigned i = 0; i < f->n6; i++) {
		const struct address6 *own = &f->address6[i];

		if (ip6_is_within(a, own->ip, own->len) &&
		    (ip6_is_within(b, own->ip, own->len) ||
			ip6_is_link_local(b)))
			return true;
	}
	return false;
}

/*
 * The packet has been forwarded to where it came from: its sender should know
 * the shorter way (RFC 4861, 8.2). The copy is as it left. To a host on the link
 * that is the host itself; to one behind a gateway it is the gateway's
 * link-local address, and we know only gateways that are named by it.
 */
static void
redirect(struct slow *s, unsigned vnic, const uint8_t *ip)
{
	struct ip6 src = ip6_load(ip + IP6_SRC);
	struct ip6 dst = ip6_load(ip + IP6_DST);
	uint16_t i = tables_route6(s->tables, dst);
	const struct hop *hop = &s->tables->hop[i];
	struct ip6 next = tables_neighbour6(s->tables, i, dst);
	struct packet *copy, *p;

	if (hop->kind != HOP_FORWARD || hop->vnic != vnic ||
	    !are_neighbours(&s->iface[vnic], src, next) ||
	    (!ip6_is_equal(next, dst) && !ip6_is_link_local(next)))
		return;
	if (!bucket_take(&s->icmp6_errors, s->now_ms)) {
		count(s->count, COUNT_ICMP6_LIMITED, 1);
		return;
	}
	copy = slow_copy(ip, ip6_total(ip), ETHERTYPE_IP6);
	if (!copy)
		return;
	copy->bytes[ETH_BYTES + IP6_HOP_LIMIT]++;
	p = nd_redirect_make(
	    &s->iface[vnic], vnic, copy->bytes + ETH_BYTES, next, hop->eth);
	free(copy);
	if (!p)
		return;
	count(s->count, COUNT_ICMP6_REDIRECT, 1);
	slow_route6(s, p, vnic);
}

static void
on_link(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	if (is_for_us_on_link(&s->iface[vnic], ip6_load(ip + IP6_DST)))
		local_input(s, ip, vnic);
	else
		count(s->count, COUNT_LOCAL_IGNORED, 1);
}

static bool
is_on_link(const uint8_t *ip)
{
	struct ip6 dst = ip6_load(ip + IP6_DST);

	return ip6_is_multicast(dst) || ip6_is_link_local(dst);
}

/* RFC 8200, 4.3: each node on the way looks at these. */
static bool
hop_by_hop_is_right(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct icmp6_error e;
	struct ip6_walk w;
	unsigned bytes;
	int rc;

	if (ip[IP6_NEXT] != NEXT_HOP_BY_HOP)
		return true;
	ip6_walk_begin(&w, ip);
	bytes = ip6_walk_bytes(&w);
	if (bytes == 0) {
		slow6_problem(s, ip, vnic, ICMP6_WRONG_FIELD, IP6_BYTES + 1);
		return false;
	}
	rc = icmp6_check_options(ip, IP6_BYTES, bytes, &e);
	if (rc == -EBADMSG)
		slow6_error(s, ip, vnic, &e);
	else if (rc < 0)
		count(s->count, COUNT_SLOW_DROPPED, 1);
	return rc == 0;
}

void
slow_input6(struct slow *s, const struct punt_record *r, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_BYTES;
	unsigned fate = r->fate;

	if (fate == FATE_ND) {
		nd_input(s->nd, r->vnic, frame, s->now_ms);
		return;
	}
	if (fate == FATE_REDIRECT) {
		redirect(s, r->vnic, ip);
		return;
	}
	if (fate == FATE_OPTIONS || fate == FATE_SCOPE || is_on_link(ip))
		fate = slow_judge(s, fate, r->vnic, ip);
	if (fate == FATE_DENIED)
		count(s->count, COUNT_SLOW_DROPPED, 1);
	else if (fate == FATE_REJECTED)
		slow6_say(s, ip, r->vnic, ICMP6_UNREACHABLE, ICMP6_PROHIBITED);
	else if (!hop_by_hop_is_right(s, ip, r->vnic))
		return;
	else if (is_on_link(ip))
		on_link(s, ip, r->vnic);
	else
		dispatch(s, fate, ip, r->vnic);
}
