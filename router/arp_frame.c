/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp_frame: ARP for IPv4 over Ethernet (RFC 826), as bytes.
 */
#include "router/arp_internal.h"

enum offset {
	ARP_HTYPE = ETH_BYTES,
	ARP_PTYPE = ETH_BYTES + 2,
	ARP_HLEN = ETH_BYTES + 4,
	ARP_PLEN = ETH_BYTES + 5,
	ARP_OP = ETH_BYTES + 6,
	ARP_SHA = ETH_BYTES + 8,
	ARP_SPA = ETH_BYTES + 14,
	ARP_THA = ETH_BYTES + 18,
	ARP_TPA = ETH_BYTES + 24,
	ARP_END = ETH_BYTES + 28,
};

static bool
mac_is_sane(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

bool
arp_parse(const uint8_t *frame, unsigned len, struct arp_msg *out)
{
	unsigned op;

	if (len < ARP_END || load_be16(frame + ARP_HTYPE) != 1 ||
	    load_be16(frame + ARP_PTYPE) != ETHERTYPE_IP4 ||
	    frame[ARP_HLEN] != 6 || frame[ARP_PLEN] != 4)
		return false;
	op = load_be16(frame + ARP_OP);
	if (op != ARP_REQUEST && op != ARP_REPLY)
		return false;
	/* who speaks for another station is not believed */
	if (!mac_is_sane(frame + ARP_SHA) ||
	    memcmp(frame + ARP_SHA, frame + ETH_SRC, 6) != 0)
		return false;
	out->op = (enum arp_op)op;
	memcpy(out->sender_mac, frame + ARP_SHA, 6);
	out->sender_ip = load_be32(frame + ARP_SPA);
	out->target_ip = load_be32(frame + ARP_TPA);
	/* 0 asks whether an address is free (RFC 5227) */
	return out->sender_ip == 0 || ip4_is_host(out->sender_ip);
}

struct packet *
arp_frame(const struct iface *iface, unsigned vnic, const struct arp_msg *m,
    const uint8_t *to)
{
	struct packet *p = packet_new(ETH_MIN_FRAME);

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_MIN_FRAME);
	p->vnic = (uint16_t)vnic;
	if (to)
		memcpy(p->bytes + ETH_DST, to, 6);
	else
		memset(p->bytes + ETH_DST, 0xff, 6);
	memcpy(p->bytes + ETH_SRC, iface->mac, 6);
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_ARP);
	store_be16(p->bytes + ARP_HTYPE, 1);
	store_be16(p->bytes + ARP_PTYPE, ETHERTYPE_IP4);
	p->bytes[ARP_HLEN] = 6;
	p->bytes[ARP_PLEN] = 4;
	store_be16(p->bytes + ARP_OP, (uint16_t)m->op);
	memcpy(p->bytes + ARP_SHA, iface->mac, 6);
	store_be32(p->bytes + ARP_SPA, m->sender_ip);
	if (to)
		memcpy(p->bytes + ARP_THA, to, 6);
	store_be32(p->bytes + ARP_TPA, m->target_ip);
	return p;
}
