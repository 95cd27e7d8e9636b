/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmp: making errors and replies. Every length comes from a header that
 * check_ip4 has found consistent with the frame.
 */
#include "router/icmp.h"

enum icmp_offset {
	ICMP_TYPE = 0,
	ICMP_CODE = 1,
	ICMP_CHECKSUM = 2,
	ICMP_REST = 4,
};

enum {
	TOS_INTERNETWORK_CONTROL = 0xc0, /* RFC 1812, 4.3.2.5 */
};

static bool
is_error(uint8_t type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETER_PROBLEM;
}

bool
icmp_may_report(const uint8_t *ip)
{
	unsigned header = ip4_header_bytes(ip);

	if (load_be16(ip + IP4_FRAGMENT) & IP4_OFFSET_MASK)
		return false;
	if (!ip4_is_host(load_be32(ip + IP4_SRC)) ||
	    !ip4_is_host(load_be32(ip + IP4_DST)))
		return false;
	if (ip[IP4_PROTOCOL] != IP_ICMP)
		return true;
	/* one too short to tell might be an error */
	return load_be16(ip + IP4_TOTAL) > header && !is_error(ip[header]);
}

/* A header of ours for total bytes, its checksum included. */
static void
put_header(uint8_t *ip, unsigned total, uint8_t tos, uint16_t id)
{
	ip[IP4_VERSION_IHL] = 0x45;
	ip[IP4_TOS] = tos;
	store_be16(ip + IP4_TOTAL, (uint16_t)total);
	store_be16(ip + IP4_ID, id);
	store_be16(ip + IP4_FRAGMENT, 0);
	ip[IP4_TTL] = ICMP_TTL;
	ip[IP4_PROTOCOL] = IP_ICMP;
}

static void
put_addresses(uint8_t *ip, uint32_t src, uint32_t dst)
{
	store_be32(ip + IP4_SRC, src);
	store_be32(ip + IP4_DST, dst);
	store_be16(ip + IP4_CHECKSUM, 0);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, ip4_header_bytes(ip)));
}

/* A packet for total bytes of IP; too short a frame is filled with zeros. */
static struct packet *
new_packet(unsigned total)
{
	unsigned frame = MAX(ETH_BYTES + total, (unsigned)ETH_MIN_FRAME);
	struct packet *p = packet_new(frame);

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_MIN_FRAME);
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP4);
	return p;
}

struct packet *
icmp_error_make(const struct icmp_error *e, const uint8_t *ip)
{
	unsigned quote = MIN((unsigned)load_be16(ip + IP4_TOTAL),
	    (unsigned)ICMP_MAX_ERROR - IP4_BYTES - ICMP_BYTES);
	unsigned total = IP4_BYTES + ICMP_BYTES + quote;
	struct packet *p = new_packet(total);
	uint8_t *out, *icmp;

	if (!p)
		return NULL;
	out = p->bytes + ETH_BYTES;
	icmp = out + IP4_BYTES;
	put_header(out, total, TOS_INTERNETWORK_CONTROL, e->id);
	put_addresses(out, e->src, load_be32(ip + IP4_SRC));
	icmp[ICMP_TYPE] = e->type;
	icmp[ICMP_CODE] = e->code;
	store_be16(icmp + ICMP_CHECKSUM, 0);
	store_be32(icmp + ICMP_REST, e->rest);
	memcpy(icmp + ICMP_BYTES, ip, quote);
	store_be16(icmp + ICMP_CHECKSUM, ip_checksum(icmp, ICMP_BYTES + quote));
	return p;
}

struct packet *
icmp_reply_make(const uint8_t *ip, uint16_t id)
{
	unsigned header = ip4_header_bytes(ip);
	unsigned bytes = load_be16(ip + IP4_TOTAL) - header;
	const uint8_t *request = ip + header;
	struct packet *p;
	uint8_t *out, *icmp;

	if (bytes < ICMP_BYTES || request[ICMP_TYPE] != ICMP_ECHO ||
	    request[ICMP_CODE] != 0 || ip_checksum(request, bytes) != 0)
		return NULL;
	p = new_packet(header + bytes);
	if (!p)
		return NULL;
	out = p->bytes + ETH_BYTES;
	icmp = out + header;
	/* RFC 1812, 4.3.3.6: the options go back with it */
	memcpy(out + IP4_OPTIONS, ip + IP4_OPTIONS, header - IP4_BYTES);
	put_header(out, header + bytes, ip[IP4_TOS], id);
	out[IP4_VERSION_IHL] = (uint8_t)(0x40 | header / 4);
	put_addresses(out, load_be32(ip + IP4_DST), load_be32(ip + IP4_SRC));
	memcpy(icmp, request, bytes);
	icmp[ICMP_TYPE] = ICMP_ECHO_REPLY;
	store_be16(icmp + ICMP_CHECKSUM, 0);
	store_be16(icmp + ICMP_CHECKSUM, ip_checksum(icmp, bytes));
	return p;
}
