/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nd_frame: messages of Neighbour Discovery over Ethernet (RFC 4861 section 4,
 * RFC 2464), as bytes.
 */
#include "router/nd_internal.h"

enum {
	ND_TYPE = 0,
	ND_CODE = 1,
	ND_CHECKSUM = 2,
	ND_FLAGS = 4, /* of an advertisement */
	ND_TARGET = 8,
	ND_OPTIONS = 24,
	ND_DESTINATION = 24, /* of a redirect */
	ND_REDIRECT_OPTIONS = 40,
	OPTION_BYTES = 8,
	OPTION_SOURCE = 1,
	OPTION_TARGET = 2,
	OPTION_REDIRECTED = 4,
	FLAG_ROUTER = 0x80,
	FLAG_SOLICITED = 0x40,
	FLAG_OVERRIDE = 0x20,
};

static bool
mac_is_sane(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

/* Options are known by their lengths; one of length 0 is a mistake. */
static bool
read_options(const uint8_t *p, unsigned n, struct nd_msg *m)
{
	unsigned wanted =
	    m->type == ND_SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;

	while (n >= OPTION_BYTES) {
		unsigned bytes = 8U * p[1];

		if (bytes == 0 || bytes > n)
			return false;
		if (p[0] == wanted && bytes == OPTION_BYTES) {
			if (!mac_is_sane(p + 2))
				return false;
			memcpy(m->mac, p + 2, 6);
			m->has_mac = true;
		}
		p += bytes;
		n -= bytes;
	}
	return n == 0;
}

/* What a sender without an address may ask (RFC 4861, 7.1.1 and 7.1.2). */
static bool
addresses_are_right(const struct nd_msg *m)
{
	if (ip6_is_multicast(m->target))
		return false;
	if (m->type == ND_ADVERTISEMENT)
		return ip6_is_host(m->src) &&
		       !(ip6_is_multicast(m->dst) && m->solicited);
	if (!ip6_is_zero(m->src))
		return ip6_is_host(m->src);
	return !m->has_mac && ip6_is_equal(m->dst, ip6_solicited(m->target));
}

int
nd_parse(const uint8_t *frame, struct nd_msg *out)
{
	const uint8_t *ip = frame + ETH_BYTES;
	const uint8_t *p = ip + IP6_BYTES;
	unsigned n = load_be16(ip + IP6_PAYLOAD);
	struct nd_msg m = { 0 };

	if (n < 8 || ip[IP6_HOP_LIMIT] != 255 || p[ND_CODE] != 0 ||
	    icmp6_checksum(ip, p, n) != 0)
		return -EBADMSG;
	if (p[ND_TYPE] != ND_SOLICITATION && p[ND_TYPE] != ND_ADVERTISEMENT)
		return -ENOMSG;
	if (n < ND_OPTIONS)
		return -EBADMSG;
	m.type = (enum nd_type)p[ND_TYPE];
	m.src = ip6_load(ip + IP6_SRC);
	m.dst = ip6_load(ip + IP6_DST);
	m.target = ip6_load(p + ND_TARGET);
	if (m.type == ND_ADVERTISEMENT) {
		m.solicited = p[ND_FLAGS] & FLAG_SOLICITED;
		m.override = p[ND_FLAGS] & FLAG_OVERRIDE;
	}
	if (!read_options(p + ND_OPTIONS, n - ND_OPTIONS, &m) ||
	    !addresses_are_right(&m))
		return -EBADMSG;
	*out = m;
	return 0;
}

static void
put_ethernet(uint8_t *frame, const struct iface *iface, struct ip6 dst,
    const uint8_t *to)
{
	if (ip6_is_multicast(dst)) {
		store_be16(frame + ETH_DST, 0x3333);
		store_be32(frame + ETH_DST + 2, (uint32_t)dst.lo);
	} else {
		memcpy(frame + ETH_DST, to, 6);
	}
	memcpy(frame + ETH_SRC, iface->mac, 6);
	store_be16(frame + ETH_TYPE, ETHERTYPE_IP6);
}

/* The IPv6 header of a message of n bytes. */
static void
put_header(uint8_t *ip, unsigned n, struct ip6 src, struct ip6 dst)
{
	ip[IP6_VERSION] = 0x60;
	store_be16(ip + IP6_PAYLOAD, (uint16_t)n);
	ip[IP6_NEXT] = NEXT_ICMP6;
	ip[IP6_HOP_LIMIT] = 255;
	ip6_store(ip + IP6_SRC, src);
	ip6_store(ip + IP6_DST, dst);
}

struct packet *
nd_frame(const struct iface *iface, unsigned vnic, const struct nd_msg *m,
    const uint8_t *to)
{
	enum { BYTES = ND_OPTIONS + OPTION_BYTES };
	struct packet *p = packet_new(ETH_BYTES + IP6_BYTES + BYTES);
	uint8_t *ip, *nd;

	if (!p)
		return NULL;
	memset(p->bytes, 0, p->len);
	p->vnic = (uint16_t)vnic;
	put_ethernet(p->bytes, iface, m->dst, to);
	ip = p->bytes + ETH_BYTES;
	nd = ip + IP6_BYTES;
	put_header(ip, BYTES, m->src, m->dst);
	nd[ND_TYPE] = (uint8_t)m->type;
	if (m->type == ND_ADVERTISEMENT)
		nd[ND_FLAGS] = (uint8_t)(FLAG_ROUTER |
					 (m->solicited ? FLAG_SOLICITED : 0) |
					 (m->override ? FLAG_OVERRIDE : 0));
	ip6_store(nd + ND_TARGET, m->target);
	nd[ND_OPTIONS] =
	    m->type == ND_SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
	nd[ND_OPTIONS + 1] = 1;
	memcpy(nd + ND_OPTIONS + 2, iface->mac, 6);
	store_be16(nd + ND_CHECKSUM, icmp6_checksum(ip, nd, BYTES));
	return p;
}

/* A link-local address is the only one that a redirect may come from. */
struct packet *
nd_redirect_make(const struct iface *iface, unsigned i, const uint8_t *ip,
    struct ip6 next, const uint8_t *mac)
{
	enum { HEAD = ND_REDIRECT_OPTIONS + 2 * OPTION_BYTES, MOST = 1280 };
	unsigned quote =
	    MIN(ip6_total(ip), (unsigned)MOST - IP6_BYTES - HEAD) & ~7U;
	unsigned n = HEAD + quote;
	struct packet *p = packet_new(ETH_BYTES + IP6_BYTES + n);
	uint8_t *out, *nd, *option;

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_BYTES + IP6_BYTES + HEAD);
	p->vnic = (uint16_t)i; /* < VNIC_MAX_VNICS */
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP6);
	out = p->bytes + ETH_BYTES;
	nd = out + IP6_BYTES;
	put_header(out, n, ip6_link_local(iface->mac), ip6_load(ip + IP6_SRC));
	nd[ND_TYPE] = ND_REDIRECT;
	ip6_store(nd + ND_TARGET, next);
	memcpy(nd + ND_DESTINATION, ip + IP6_DST, 16);
	option = nd + ND_REDIRECT_OPTIONS;
	option[0] = OPTION_TARGET;
	option[1] = 1;
	memcpy(option + 2, mac, 6);
	option += OPTION_BYTES;
	option[0] = OPTION_REDIRECTED;
	option[1] = (uint8_t)((OPTION_BYTES + quote) / 8); /* <= 1280 / 8 */
	memcpy(option + OPTION_BYTES, ip, quote);
	store_be16(nd + ND_CHECKSUM, icmp6_checksum(out, nd, n));
	return p;
}
