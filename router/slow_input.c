/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_input: packets that the pipelines have taken out. IPv4 ones have passed
 * check_ip4: header, checksum, lengths and addresses are right, and the copy
 * is as the packet came.
 */
#include "router/slow.h"

/* A copy on the heap of the datagram at ip, with room for Ethernet. */
static struct packet *
copy_of(const uint8_t *ip)
{
	unsigned total = load_be16(ip + IP4_TOTAL);
	unsigned len = MAX(ETH_BYTES + total, (unsigned)ETH_MIN_FRAME);
	struct packet *p = packet_new(len);

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_MIN_FRAME);
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP4);
	memcpy(p->bytes + ETH_BYTES, ip, total);
	return p;
}

static void
say(struct slow *s, const uint8_t *ip, unsigned type, unsigned code)
{
	static const enum counter of_code[] = {
		[ICMP_NET_UNREACHABLE] = COUNT_ICMP_NET_UNREACHABLE,
		[ICMP_HOST_UNREACHABLE] = COUNT_ICMP_HOST_UNREACHABLE,
		[ICMP_PROTOCOL_UNREACHABLE] = COUNT_ICMP_PROTOCOL_UNREACHABLE,
		[ICMP_PORT_UNREACHABLE] = COUNT_ICMP_PORT_UNREACHABLE,
	};
	struct icmp_error e = { .type = (uint8_t)type, .code = (uint8_t)code };

	slow_icmp_error(s, ip, &e,
	    type == ICMP_TIME_EXCEEDED ? COUNT_ICMP_TIME_EXCEEDED
				       : of_code[code]);
}

/* --- to ourselves --------------------------------------------------------- */

static void
local_icmp(struct slow *s, const uint8_t *ip)
{
	unsigned header = ip4_header_bytes(ip);
	unsigned bytes = load_be16(ip + IP4_TOTAL) - header;
	struct packet *reply;

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
	count(s->count, COUNT_ICMP_ECHO_REPLY, 1);
	slow_route(s, reply);
}

static void
local_input(struct slow *s, const uint8_t *ip)
{
	if (load_be16(ip + IP4_FRAGMENT) & (IP4_MF | IP4_OFFSET_MASK)) {
		count(s->count, COUNT_LOCAL_FRAGMENT, 1);
		return;
	}
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
	struct packet *p;

	if (ip[IP4_TTL] <= 1) {
		say(s, ip, ICMP_TIME_EXCEEDED, 0);
		return;
	}
	if (load_be16(ip + IP4_TOTAL) > hop->mtu) {
		if (load_be16(ip + IP4_FRAGMENT) & IP4_DF)
			too_big(s, ip, hop);
		else
			count(s->count, COUNT_SLOW_DROPPED, 1);
		return;
	}
	p = copy_of(ip);
	if (!p)
		return;
	p->early = fate == FATE_UNRESOLVED;
	ip4_decrement_ttl(p->bytes + ETH_BYTES);
	count(s->count, COUNT_SLOW_FORWARDED, 1);
	slow_route(s, p);
}

/* Where would the fast path send it, by the tables of now? */
static void
dispatch(struct slow *s, unsigned fate, const uint8_t *ip)
{
	uint32_t dst = load_be32(ip + IP4_DST);
	const struct hop *hop = &s->tables->hop[tables_route(s->tables, dst)];

	switch ((enum hop_kind)hop->kind) {
	case HOP_LOCAL:
		local_input(s, ip);
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
options_input(struct slow *s, const uint8_t *ip)
{
	bool has_source_route;
	unsigned wrong = icmp_check_options(ip, &has_source_route);
	struct icmp_error e = {
		.type = ICMP_PARAMETER_PROBLEM,
		.rest = (uint32_t)wrong << 24,
	};

	if (wrong)
		slow_icmp_error(s, ip, &e, COUNT_ICMP_PARAMETER_PROBLEM);
	else if (has_source_route)
		count(s->count, COUNT_SOURCE_ROUTE, 1);
	else
		dispatch(s, FATE_OPTIONS, ip);
}

void
slow_input(struct slow *s, const struct punt_record *r, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_BYTES;

	switch (r->fate) {
	case FATE_ARP:
		arp_input(s->arp, r->vnic, frame, r->len, s->now_ms);
		break;
	case FATE_OPTIONS:
		options_input(s, ip);
		break;
	default:
		/* the tables may have changed since: ask them again */
		dispatch(s, r->fate, ip);
		break;
	}
}
