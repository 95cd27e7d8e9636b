/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmp6: making errors and replies. Every length comes from a header that
 * check_ip6 has found consistent with the frame.
 */
#include "router/icmp6.h"

#include "router/ip6_walk.h"

enum {
	ICMP6_TYPE = 0,
	ICMP6_CODE = 1,
	ICMP6_CHECKSUM = 2,
	ICMP6_REST = 4,
	OPTION_PAD1 = 0,
	OPTION_PADN = 1,
	OPTION_ROUTER_ALERT = 5,
};

/* Is it an error or a redirect, or cannot it be told? */
static bool
is_error(const uint8_t *ip)
{
	struct ip6_walk w;

	ip6_walk_begin(&w, ip);
	while (ip6_walk_next(&w))
		;
	if (w.is_cut || w.next != NEXT_ICMP6)
		return false;
	if (w.is_later_piece || w.at >= w.end)
		return true;
	return ip[w.at] < ICMP6_FIRST_INFORMATION || ip[w.at] == ICMP6_REDIRECT;
}

bool
icmp6_may_report(const struct icmp6_error *e, const uint8_t *ip)
{
	bool is_for_groups = e->type == ICMP6_PACKET_TOO_BIG ||
			     (e->type == ICMP6_PARAMETER_PROBLEM &&
				 e->code == ICMP6_UNKNOWN_OPTION);

	if (!ip6_is_host(ip6_load(ip + IP6_SRC)))
		return false;
	if (ip6_is_multicast(ip6_load(ip + IP6_DST)) && !is_for_groups)
		return false;
	return !is_error(ip);
}

/* A packet of ours with n bytes of ICMPv6, header complete. */
static struct packet *
new_packet(unsigned n, struct ip6 src, struct ip6 dst)
{
	unsigned len = MAX(ETH_BYTES + IP6_BYTES + n, (unsigned)ETH_MIN_FRAME);
	struct packet *p = packet_new(len);
	uint8_t *ip;

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_BYTES + IP6_BYTES);
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP6);
	ip = p->bytes + ETH_BYTES;
	ip[IP6_VERSION] = 0x60;
	store_be16(ip + IP6_PAYLOAD, (uint16_t)n);
	ip[IP6_NEXT] = NEXT_ICMP6;
	ip[IP6_HOP_LIMIT] = ICMP6_HOP_LIMIT;
	ip6_store(ip + IP6_SRC, src);
	ip6_store(ip + IP6_DST, dst);
	return p;
}

static void
put_checksum(struct packet *p, unsigned n)
{
	uint8_t *ip = p->bytes + ETH_BYTES;
	uint8_t *icmp = ip + IP6_BYTES;

	store_be16(icmp + ICMP6_CHECKSUM, 0);
	store_be16(icmp + ICMP6_CHECKSUM, icmp6_checksum(ip, icmp, n));
}

struct packet *
icmp6_error_make(const struct icmp6_error *e, const uint8_t *ip)
{
	unsigned quote = MIN(
	    ip6_total(ip), (unsigned)ICMP6_MAX_ERROR - IP6_BYTES - ICMP6_BYTES);
	unsigned n = ICMP6_BYTES + quote;
	struct packet *p = new_packet(n, e->src, ip6_load(ip + IP6_SRC));
	uint8_t *icmp;

	if (!p)
		return NULL;
	icmp = p->bytes + ETH_BYTES + IP6_BYTES;
	icmp[ICMP6_TYPE] = e->type;
	icmp[ICMP6_CODE] = e->code;
	store_be32(icmp + ICMP6_REST, e->rest);
	memcpy(icmp + ICMP6_BYTES, ip, quote);
	put_checksum(p, n);
	return p;
}

struct packet *
icmp6_reply_make(
    const uint8_t *ip, const uint8_t *echo, unsigned n, struct ip6 src)
{
	struct packet *p = new_packet(n, src, ip6_load(ip + IP6_SRC));
	uint8_t *icmp;

	if (!p)
		return NULL;
	icmp = p->bytes + ETH_BYTES + IP6_BYTES;
	memcpy(icmp, echo, n);
	icmp[ICMP6_TYPE] = ICMP6_ECHO_REPLY;
	put_checksum(p, n);
	return p;
}

/* RFC 8200, 4.2: the two highest bits say what to do with an unknown one. */
static int
judge_unknown(const uint8_t *ip, unsigned at, struct icmp6_error *e)
{
	unsigned action = ip[at] >> 6;

	if (action == 0)
		return 0;
	if (action == 1 ||
	    (action == 3 && ip6_is_multicast(ip6_load(ip + IP6_DST))))
		return -ENOMSG;
	*e = (struct icmp6_error){
		.type = ICMP6_PARAMETER_PROBLEM,
		.code = ICMP6_UNKNOWN_OPTION,
		.rest = at,
	};
	return -EBADMSG;
}

int
icmp6_check_options(
    const uint8_t *ip, unsigned at, unsigned bytes, struct icmp6_error *e)
{
	unsigned end = at + bytes;

	for (at += 2; at < end;) {
		int rc = 0;

		if (ip[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 1 == end || ip[at + 1] > end - at - 2) {
			*e = (struct icmp6_error){
				.type = ICMP6_PARAMETER_PROBLEM,
				.code = ICMP6_WRONG_FIELD,
				.rest = at + 1 == end ? at : at + 1,
			};
			return -EBADMSG;
		}
		if (ip[at] != OPTION_PADN && ip[at] != OPTION_ROUTER_ALERT)
			rc = judge_unknown(ip, at, e);
		if (rc < 0)
			return rc;
		at += 2U + ip[at + 1];
	}
	return 0;
}
