/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet: where things are in a frame, and the Internet checksum. Bytes are
 * never cast to structs; the caller has checked the length.
 */
#ifndef ROUTER_PACKET_H
#define ROUTER_PACKET_H

#include "router/ip6.h"
#ifndef VNIC_FFI
#include "lib/base.h"
#endif

enum eth {
	ETH_DST = 0,
	ETH_SRC = 6,
	ETH_TYPE = 12,
	ETH_BYTES = 14,
	ETH_MIN_FRAME = 60, /* without the frame check sequence */
};

enum ethertype {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_IP6 = 0x86dd,
};

enum ip4 {
	IP4_VERSION_IHL = 0,
	IP4_TOS = 1,
	IP4_TOTAL = 2,
	IP4_ID = 4,
	IP4_FRAGMENT = 6,
	IP4_TTL = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECKSUM = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_BYTES = 20,
	IP4_OPTIONS = 20,

	IP4_DF = 0x4000,
	IP4_OFFSET_MASK = 0x1fff,
	IP4_MF = 0x2000,
};

enum ip_protocol {
	IP_ICMP = 1,
	IP_TCP = 6,
	IP_UDP = 17,
};

#ifndef VNIC_FFI
static inline unsigned
ip4_header_bytes(const uint8_t *ip)
{
	return (ip[IP4_VERSION_IHL] & 15U) * 4;
}

static inline uint64_t
ip_sum(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (; n >= 2; p += 2, n -= 2)
		sum += load_be16(p);
	if (n)
		sum += (uint32_t)p[0] << 8;
	return sum;
}

static inline uint16_t
ip_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* What to store in a checksum field that was 0; 0 if it is there and right. */
static inline uint16_t
ip_checksum(const uint8_t *p, size_t n)
{
	return ip_fold(ip_sum(p, n));
}

/* The same for n bytes of ICMPv6 in the packet at ip (RFC 8200, 8.1). */
static inline uint16_t
icmp6_checksum(const uint8_t *ip, const uint8_t *p, size_t n)
{
	return ip_fold(
	    ip_sum(ip + IP6_SRC, 32) + n + NEXT_ICMP6 + ip_sum(p, n));
}

/* RFC 1624 for a TTL that goes down by one: the field grows by 0x0100. */
static inline void
ip4_decrement_ttl(uint8_t *ip)
{
	uint32_t sum = (uint32_t)load_be16(ip + IP4_CHECKSUM) + 0x0100;

	ip[IP4_TTL]--;
	store_be16(ip + IP4_CHECKSUM, (uint16_t)(sum + (sum >= 0xffff)));
}

/* 0/8, 127/8, 224/4 and 240/4 are no hosts. */
static inline bool
ip4_is_host(uint32_t ip)
{
	uint32_t net = ip >> 24;

	return net != 0 && net != 127 && net < 224;
}

/* A frame of the slow path, on the heap; owned by whoever holds it. */
struct packet {
	struct packet *next;
	uint16_t vnic; /* where it came in, later where it goes out */
	uint16_t len;  /* of the frame */
	bool early;    /* of a flow that the fast path soon forwards itself */
	uint8_t bytes[];
};

/* Returns a frame of len bytes, not initialised, or NULL. */
static inline struct packet *
packet_new(unsigned len)
{
	struct packet *p = malloc(sizeof(*p) + len);

	if (p) {
		p->next = NULL;
		p->vnic = 0;
		p->len = (uint16_t)len;
		p->early = false;
	}
	return p;
}

#endif

#endif
