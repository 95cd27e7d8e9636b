/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip6: an IPv6 address as two words in host order, where the fields of a
 * header are (RFC 8200), and what kind of address it is (RFC 4291). Bytes are
 * never cast to structs; the caller has checked the length.
 */
#ifndef ROUTER_IP6_H
#define ROUTER_IP6_H

#ifndef VNIC_FFI
#include "lib/base.h"
#endif

struct ip6 {
	uint64_t hi, lo; /* host order: the first byte is the highest of hi */
};

enum ip6_offset {
	IP6_VERSION = 0,
	IP6_PAYLOAD = 4, /* bytes behind the header */
	IP6_NEXT = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_BYTES = 40,
};

enum ip6_next {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_ICMP6 = 58,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
};

#ifndef VNIC_FFI
static inline uint64_t
load_be64(const uint8_t *p)
{
	return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline struct ip6
ip6_load(const uint8_t *p)
{
	return (struct ip6){ load_be64(p), load_be64(p + 8) };
}

static inline void
ip6_store(uint8_t *p, struct ip6 a)
{
	store_be32(p, (uint32_t)(a.hi >> 32));
	store_be32(p + 4, (uint32_t)a.hi);
	store_be32(p + 8, (uint32_t)(a.lo >> 32));
	store_be32(p + 12, (uint32_t)a.lo);
}

static inline bool
ip6_is_equal(struct ip6 a, struct ip6 b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static inline bool
ip6_is_less(struct ip6 a, struct ip6 b)
{
	return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

static inline bool
ip6_is_zero(struct ip6 a)
{
	return (a.hi | a.lo) == 0;
}

static inline struct ip6
ip6_mask(unsigned len)
{
	struct ip6 m = { UINT64_MAX, 0 };

	if (len < 64)
		m.hi = len ? UINT64_MAX << (64 - len) : 0;
	else if (len > 64)
		m.lo = UINT64_MAX << (128 - len);
	return m;
}

static inline struct ip6
ip6_prefix(struct ip6 a, unsigned len)
{
	struct ip6 m = ip6_mask(len);

	return (struct ip6){ a.hi & m.hi, a.lo & m.lo };
}

static inline bool
ip6_is_within(struct ip6 a, struct ip6 network, unsigned len)
{
	return ip6_is_equal(ip6_prefix(a, len), ip6_prefix(network, len));
}

static inline bool
ip6_is_multicast(struct ip6 a)
{
	return a.hi >> 56 == 0xff;
}

/* fe80::/10 */
static inline bool
ip6_is_link_local(struct ip6 a)
{
	return a.hi >> 54 == 0xfe80 >> 6;
}

/* Not ::, ::1, ::ffff:0:0/96 (IPv4 in disguise) or multicast. */
static inline bool
ip6_is_host(struct ip6 a)
{
	if (likely(a.hi))
		return !ip6_is_multicast(a);
	return a.lo > 1 && a.lo >> 32 != 0xffff;
}

/* ::ffff:a.b.c.d; never on a wire, it stands for ip where both may be. */
static inline struct ip6
ip6_of_ip4(uint32_t ip)
{
	return (struct ip6){ 0, UINT64_C(0xffff) << 32 | ip };
}

/* ff02::1:ffxx:xxxx, where those who have a listen (RFC 4291, 2.7.1). */
static inline struct ip6
ip6_solicited(struct ip6 a)
{
	return (struct ip6){ UINT64_C(0xff02) << 48,
		UINT64_C(0x1ff) << 24 | (a.lo & 0xffffff) };
}

/* fe80:: and the MAC as an interface identifier (RFC 4291, appendix A). */
static inline struct ip6
ip6_link_local(const uint8_t *mac)
{
	uint64_t high = (uint64_t)load_be16(mac) << 8 | mac[2];
	uint64_t low = (uint64_t)mac[3] << 16 | load_be16(mac + 4);

	return (struct ip6){ UINT64_C(0xfe80) << 48,
		(high << 40 ^ UINT64_C(2) << 56) | UINT64_C(0xfffe) << 24 |
		    low };
}

static inline uint32_t
ip6_hash(struct ip6 a, uint32_t vnic)
{
	uint64_t h = (a.hi ^ (a.lo + vnic) * UINT64_C(0x9e3779b97f4a7c15)) *
		     UINT64_C(0xff51afd7ed558ccd);

	return (uint32_t)(h >> 32);
}

static inline unsigned
ip6_total(const uint8_t *ip)
{
	return IP6_BYTES + (unsigned)load_be16(ip + IP6_PAYLOAD);
}
#endif

#endif
