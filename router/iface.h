/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iface: a vNIC of ours as the slow path sees it: is it up, who are we there?
 * Where there is an IPv6 address there is also a link-local one, the last.
 */
#ifndef ROUTER_IFACE_H
#define ROUTER_IFACE_H

#include "lib/vnic.h"
#include "router/routerconf.h"

#include <string.h>

struct iface {
	bool up;
	uint8_t mac[6];
	unsigned n;
	unsigned n6;
	struct address4 address[ROUTERCONF_MAX_ADDRESSES];
	struct address6 address6[ROUTERCONF_MAX_ADDRESSES + 1];
};

/* What v says of the vNIC that is i for the host. */
static inline void
iface_fill(
    struct iface *f, const struct routerconf_vnic *v, const struct vnic_info *i)
{
	*f = (struct iface){
		.up = i->up, .n = v->n_addresses, .n6 = v->n_addresses6
	};
	memcpy(f->mac, i->mac, sizeof(f->mac));
	memcpy(f->address, v->address, sizeof(f->address));
	memcpy(f->address6, v->address6, sizeof(v->address6));
	if (f->n6)
		f->address6[f->n6++] =
		    (struct address6){ ip6_link_local(f->mac), 64 };
}

static inline bool
iface_has4(const struct iface *f, uint32_t ip)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->address[i].ip == ip)
			return true;
	return false;
}

static inline bool
iface_has6(const struct iface *f, struct ip6 ip)
{
	for (unsigned i = 0; i < f->n6; i++)
		if (ip6_is_equal(f->address6[i].ip, ip))
			return true;
	return false;
}

/* Our address to speak to ip with: of its network, or else the first; 0. */
static inline uint32_t
iface_source4(const struct iface *f, uint32_t ip)
{
	for (unsigned i = 0; i < f->n; i++) {
		const struct address4 *a = &f->address[i];

		if (a->len == 0 || (a->ip ^ ip) >> (32 - a->len) == 0)
			return a->ip;
	}
	return f->n ? f->address[0].ip : 0;
}

/* Of its network (for link-local ones that is the link), or the first; ::. */
static inline struct ip6
iface_source6(const struct iface *f, struct ip6 ip)
{
	for (unsigned i = 0; i < f->n6; i++)
		if (ip6_is_within(ip, f->address6[i].ip, f->address6[i].len))
			return f->address6[i].ip;
	return f->n6 ? f->address6[0].ip : (struct ip6){ 0, 0 };
}

#endif
