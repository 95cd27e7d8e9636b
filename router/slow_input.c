/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_input: packets that the pipelines have taken out. IPv4 ones have passed
 * check_ip4: header, checksum, lengths and addresses are right, and the copy
 * is as the packet came.
 */
#include "router/slow.h"

#include "router/options.h"

#include <time.h>

struct packet *
slow_copy(const uint8_t *ip, unsigned total, unsigned type)
{
	unsigned len = MAX(ETH_BYTES + total, (unsigned)ETH_MIN_FRAME);
	struct packet *p = packet_new(len);

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_MIN_FRAME);
	store_be16(p->bytes + ETH_TYPE, (uint16_t)type);
	memcpy(p->bytes + ETH_BYTES, ip, total);
	return p;
}

unsigned
slow_judge(struct slow *s, unsigned fate, unsigned vnic, const uint8_t *ip)
{
	switch (filter_judge(s->tables->filter, ip, vnic)) {
	case FILTER_DENY:
		return FATE_DENIED;
	case FILTER_REJECT:
		return FATE_REJECTED;
	case FILTER_PERMIT:
		break;
	}
	return fate;
}

static void
say(struct slow *s, const uint8_t *ip, unsigned type, unsigned code)
{
	static const enum counter of_code[] = {
		[ICMP_NET_UNREACHABLE] = COUNT_ICMP_NET_UNREACHABLE,
		[ICMP_HOST_UNREACHABLE] = COUNT_ICMP_HOST_UNREACHABLE,
		[ICMP_PROTOCOL_UNREACHABLE] = COUNT_ICMP_PROTOCOL_UNREACHABLE,
		[ICMP_PORT_UNREACHABLE] = COUNT_ICMP_PORT_UNREACHABLE,
		[ICMP_SOURCE_ROUTE_FAILED] = COUNT_ICMP_SOURCE_ROUTE_FAILED,
		[ICMP_PROHIBITED] = COUNT_ICMP_PROHIBITED,
	};
	struct icmp_error e = { .type = (uint8_t)type, .code = (uint8_t)code };

	slow_icmp_error(s, ip, &e,
	    type == ICMP_TIME_EXCEEDED ? COUNT_ICMP_TIME_EXCEEDED
				       : of_code[code]);
}

/* --- to ourselves --------------------------------------------------------- */

/* Returns the offset of the octet that is wrong, or 0. */
static unsigned
stamp(struct slow *s, uint8_t *ip, uint32_t address)
{
	struct options o;
	struct options_stamp stamp = {
		.address = address,
		.is_own = slow_owns,
		.arg = s,
	};
	struct timespec now;
	unsigned wrong;

	if (ip[IP4_VERSION_IHL] == 0x45)
		return 0;
	wrong = options_read(ip, &o);
	if (wrong || (!o.record_route && !o.timestamp))
		return wrong;
	clock_gettime(CLOCK_REALTIME, &now);
	stamp.ms =
	    (uint32_t)(now.tv_sec % 86400 * 1000 + now.tv_nsec / 1000000);
	return options_write(ip, &o, &stamp);
}

static void
parameter_problem(struct slow *s, const uint8_t *ip, unsigned wrong)
{
	struct icmp_error e = {
		.type = ICMP_PARAMETER_PROBLEM,
		.rest = (uint32_t)wrong << 24,
	};

	slow_icmp_error(s, ip, &e, COUNT_ICMP_PARAMETER_PROBLEM);
}

static void
local_icmp(struct slow *s, const uint8_t *ip)
{
	unsigned header = ip4_header_bytes(ip);
	unsigned bytes = load_be16(ip + IP4_TOTAL) - header;
	struct packet *reply;
	unsigned wrong;

	if (bytes < ICMP_BYTES || ip_checksum(ip + header, bytes) != 0) {
		count(s->count, COUNT_LOCAL_BAD, 1);
		return;
	}
	if (ip[header] != ICMP_ECHO) {
		count(s->count, COUNT_LOCAL_IGNORED, 1);
		return;
	}
	reply = icmp_reply_make(ip, s->ip_id++);
	if (!reply) {
		count(s->count, COUNT_LOCAL_BAD, 1);
		return;
	}
	wrong = stamp(s, reply->bytes + ETH_BYTES, load_be32(ip + IP4_DST));
	if (wrong) {
		parameter_problem(s, ip, wrong);
		free(reply);
		return;
	}
	count(s->count, COUNT_ICMP_ECHO_REPLY, 1);
	slow_route(s, reply);
}

static void
local_whole(struct slow *s, const uint8_t *ip)
{
	switch (ip[IP4_PROTOCOL]) {
	case IP_ICMP:
		local_icmp(s, ip);
		break;
	case IP_UDP:
		say(s, ip, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE);
		break;
	default:
		say(s, ip, ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE);
		break;
	}
}

static void
local_input(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct packet *p;

	if (!(load_be16(ip + IP4_FRAGMENT) & (IP4_MF | IP4_OFFSET_MASK))) {
		local_whole(s, ip);
		return;
	}
	p = slow_join4(s, ip, vnic);
	if (p)
		local_whole(s, p->bytes + ETH_BYTES);
	free(p);
}

/* --- to be forwarded, but not by the fast path ---------------------------- */

static void
too_big(struct slow *s, const uint8_t *ip, const struct hop *hop)
{
	struct icmp_error e = {
		.type = ICMP_UNREACHABLE,
		.code = ICMP_FRAG_NEEDED,
		.rest = hop->mtu, /* RFC 1191 */
	};

	slow_icmp_error(s, ip, &e, COUNT_ICMP_FRAG_NEEDED);
}

static void
forward(struct slow *s, unsigned fate, const uint8_t *ip, const struct hop *hop)
{
	unsigned total = load_be16(ip + IP4_TOTAL);
	struct packet *p;
	unsigned wrong;

	if (ip[IP4_TTL] <= 1) {
		say(s, ip, ICMP_TIME_EXCEEDED, 0);
		return;
	}
	if (total > hop->mtu && load_be16(ip + IP4_FRAGMENT) & IP4_DF) {
		too_big(s, ip, hop);
		return;
	}
	p = slow_copy(ip, total, ETHERTYPE_IP4);
	if (!p)
		return;
	p->early = fate == FATE_UNRESOLVED;
	ip4_decrement_ttl(p->bytes + ETH_BYTES);
	wrong = stamp(s, p->bytes + ETH_BYTES,
	    slow_source(s, hop->vnic, load_be32(ip + IP4_DST)));
	if (wrong) {
		parameter_problem(s, ip, wrong);
		free(p);
		return;
	}
	count(s->count, COUNT_SLOW_FORWARDED, 1);
	slow_route(s, p);
}

/* Where would the fast path send it, by the tables of now? */
static void
dispatch(struct slow *s, unsigned fate, const uint8_t *ip, unsigned vnic)
{
	uint32_t dst = load_be32(ip + IP4_DST);
	const struct hop *hop = &s->tables->hop[tables_route(s->tables, dst)];

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
		forward(s, fate, ip, hop);
		break;
	case HOP_GLEAN:
	case HOP_UNRESOLVED:
		forward(s, fate, ip, hop);
		break;
	case HOP_NONE:
		say(s, ip, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE);
		break;
	case HOP_BROADCAST:
	case HOP_DOWN:
		count(s->count, COUNT_SLOW_DROPPED, 1);
		break;
	}
}

static void
options_input(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct options o;
	unsigned wrong = options_read(ip, &o);

	if (wrong) {
		parameter_problem(s, ip, wrong);
	} else if (o.source_route) {
		count(s->count, COUNT_SOURCE_ROUTE, 1);
		say(s, ip, ICMP_UNREACHABLE, ICMP_SOURCE_ROUTE_FAILED);
	} else {
		dispatch(s, FATE_OPTIONS, ip, vnic);
	}
}

/* Is there a network at f that both are in? */
static bool
are_neighbours(const struct iface *f, uint32_t a, uint32_t b)
{
	for (unsigned i = 0; i < f->n; i++) {
		const struct address4 *own = &f->address[i];
		uint32_t host =
		    own->len ? UINT32_MAX >> (own->len - 1) >> 1 : UINT32_MAX;

		if (((own->ip ^ a) & ~host) == 0 &&
		    ((own->ip ^ b) & ~host) == 0)
			return true;
	}
	return false;
}

/*
 * The packet has been forwarded to where it came from: its sender should know
 * the shorter way (RFC 1812, 5.2.7.2). The copy is as it left.
 */
static void
redirect(struct slow *s, const struct punt_record *r, const uint8_t *ip)
{
	uint32_t src = load_be32(ip + IP4_SRC), dst = load_be32(ip + IP4_DST);
	const struct hop *hop = &s->tables->hop[tables_route(s->tables, dst)];
	struct icmp_error e = {
		.type = ICMP_REDIRECT,
		.code = ICMP_REDIRECT_HOST,
		.rest = hop->ip,
	};
	struct packet *p;
	uint8_t *was;

	if (hop->kind != HOP_FORWARD || hop->vnic != r->vnic ||
	    !are_neighbours(&s->iface[r->vnic], src, hop->ip))
		return;
	p = slow_copy(ip, load_be16(ip + IP4_TOTAL), ETHERTYPE_IP4);
	if (!p)
		return;
	was = p->bytes + ETH_BYTES;
	was[IP4_TTL]++;
	store_be16(was + IP4_CHECKSUM, 0);
	store_be16(was + IP4_CHECKSUM, ip_checksum(was, IP4_BYTES));
	slow_icmp_error(s, was, &e, COUNT_ICMP_REDIRECT);
	free(p);
}

static void
input4(struct slow *s, const struct punt_record *r, const uint8_t *ip)
{
	unsigned fate = r->fate;

	if (fate == FATE_OPTIONS)
		fate = slow_judge(s, fate, r->vnic, ip);
	switch (fate) {
	case FATE_OPTIONS:
		options_input(s, ip, r->vnic);
		break;
	case FATE_DENIED:
		count(s->count, COUNT_SLOW_DROPPED, 1);
		break;
	case FATE_REJECTED:
		say(s, ip, ICMP_UNREACHABLE, ICMP_PROHIBITED);
		break;
	case FATE_REDIRECT:
		redirect(s, r, ip);
		break;
	default:
		/* the tables may have changed since: ask them again */
		dispatch(s, fate, ip, r->vnic);
		break;
	}
}

void
slow_input(struct slow *s, const struct punt_record *r, const uint8_t *frame)
{
	if (r->fate == FATE_ARP)
		arp_input(s->arp, r->vnic, frame, r->len, s->now_ms);
	else if (load_be16(frame + ETH_TYPE) == ETHERTYPE_IP6)
		slow_input6(s, r, frame);
	else
		input4(s, r, frame + ETH_BYTES);
}
