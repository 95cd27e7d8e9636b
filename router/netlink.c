/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink: what is heard, see netlink.h. Structs of the kernel are copied out
 * of the bytes, never pointed to: their place need not be aligned.
 */
#include "router/netlink.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Attributes, one after the other. */
struct attributes {
	const uint8_t *at;
	size_t left;
};

struct attribute {
	uint16_t type;
	const uint8_t *data;
	size_t len;
};

static size_t
aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* False: that was all, or what follows is no attribute. */
static bool
next_attribute(struct attributes *all, struct attribute *out)
{
	struct nlattr a;
	size_t whole;

	if (all->left < sizeof(a))
		return false;
	memcpy(&a, all->at, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > all->left)
		return false;
	out->type = (uint16_t)(a.nla_type & (uint16_t)NLA_TYPE_MASK);
	out->data = all->at + sizeof(a);
	out->len = a.nla_len - sizeof(a);
	whole = MIN(aligned(a.nla_len), all->left);
	all->at += whole;
	all->left -= whole;
	return true;
}

static bool
read_u32(const struct attribute *a, uint32_t *out)
{
	if (a->len != sizeof(*out))
		return false;
	memcpy(out, a->data, sizeof(*out));
	return true;
}

static bool
read_address(const struct attribute *a, bool is6, struct ip6 *out)
{
	if (a->len != (is6 ? 16U : 4U))
		return false;
	*out = is6 ? ip6_load(a->data) : ip6_of_ip4(load_be32(a->data));
	return true;
}

/* The fixed part of a message, and its attributes behind it. */
static bool
split(const uint8_t *body, size_t n, void *head, size_t size,
    struct attributes *rest)
{
	size_t used = aligned(size);

	if (n < size)
		return false;
	memcpy(head, body, size);
	rest->at = body + MIN(used, n);
	rest->left = n - MIN(used, n);
	return true;
}

/* --- routes --------------------------------------------------------------- */

/* Of several ways the first one is ours: there is no sharing among them. */
static bool
read_ways(const struct attribute *all, struct nl_route *r)
{
	struct rtnexthop first;
	struct attributes rest;
	struct attribute a;

	if (all->len < sizeof(first))
		return false;
	memcpy(&first, all->data, sizeof(first));
	if (first.rtnh_len < sizeof(first) || first.rtnh_len > all->len ||
	    first.rtnh_ifindex < 0)
		return false;
	r->link = (uint32_t)first.rtnh_ifindex;
	r->is_shared = aligned(first.rtnh_len) < all->len;
	rest.at = all->data + sizeof(first);
	rest.left = first.rtnh_len - sizeof(first);
	while (next_attribute(&rest, &a)) {
		if (a.type == RTA_VIA)
			return false;
		if (a.type == RTA_GATEWAY && !read_address(&a, r->is6, &r->via))
			return false;
	}
	return true;
}

static bool
read_route_attribute(
    const struct attribute *a, struct nl_route *r, uint32_t *table)
{
	switch (a->type) {
	case RTA_DST:
		return read_address(a, r->is6, &r->prefix);
	case RTA_GATEWAY:
		return read_address(a, r->is6, &r->via);
	case RTA_OIF:
		return read_u32(a, &r->link);
	case RTA_PRIORITY:
		return read_u32(a, &r->metric);
	case RTA_TABLE:
		return read_u32(a, table);
	case RTA_MULTIPATH:
		return read_ways(a, r);
	case RTA_VIA: /* a gateway of the other family: not here */
		return false;
	default:
		return true;
	}
}

static bool
read_way(unsigned type, uint8_t *out)
{
	switch (type) {
	case RTN_UNICAST:
		*out = NL_VIA;
		return true;
	case RTN_LOCAL:
		*out = NL_LOCAL;
		return true;
	case RTN_BLACKHOLE:
		*out = NL_BLACKHOLE;
		return true;
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		*out = NL_UNREACHABLE;
		return true;
	default:
		return false;
	}
}

/* Groups, link-local and loopback addresses are in no table of ours. */
static bool
is_for_tables(const struct nl_route *r)
{
	uint8_t first = (uint8_t)(r->prefix.lo >> 24); /* of IPv4 */

	if (!r->is6)
		return r->len == 0 || (first != 127 && first < 224);
	if (r->len == 0)
		return true;
	return !ip6_is_multicast(r->prefix) && !ip6_is_link_local(r->prefix) &&
	       !(r->len == 128 && r->prefix.hi == 0 && r->prefix.lo == 1);
}

static bool
read_route(const uint8_t *body, size_t n, struct nl_route *r)
{
	struct attributes rest;
	struct attribute a;
	struct rtmsg head;
	uint32_t table;

	if (!split(body, n, &head, sizeof(head), &rest))
		return false;
	if ((head.rtm_family != AF_INET && head.rtm_family != AF_INET6) ||
	    head.rtm_flags & RTM_F_CLONED || head.rtm_tos != 0 ||
	    head.rtm_src_len != 0)
		return false;
	*r = (struct nl_route){ .is6 = head.rtm_family == AF_INET6,
		.len = head.rtm_dst_len };
	if (r->len > (r->is6 ? 128 : 32) || !read_way(head.rtm_type, &r->way))
		return false;
	if (!r->is6)
		r->prefix = ip6_of_ip4(0);
	table = head.rtm_table;
	while (next_attribute(&rest, &a))
		if (!read_route_attribute(&a, r, &table))
			return false;
	if (table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL)
		return false;
	r->prefix = ip6_prefix(r->prefix, r->len + (r->is6 ? 0U : 96U));
	return is_for_tables(r);
}

/* --- neighbours and links ------------------------------------------------- */

static bool
read_neighbour(const uint8_t *body, size_t n, struct nl_neighbour *nb)
{
	bool has_ip = false, has_mac = false;
	struct attributes rest;
	struct attribute a;
	struct ndmsg head;

	if (!split(body, n, &head, sizeof(head), &rest))
		return false;
	if ((head.ndm_family != AF_INET && head.ndm_family != AF_INET6) ||
	    head.ndm_type != RTN_UNICAST || head.ndm_flags & NTF_PROXY ||
	    head.ndm_ifindex <= 0)
		return false;
	*nb = (struct nl_neighbour){ .link = (uint32_t)head.ndm_ifindex };
	while (next_attribute(&rest, &a)) {
		if (a.type == NDA_DST)
			has_ip = read_address(
			    &a, head.ndm_family == AF_INET6, &nb->ip);
		if (a.type == NDA_LLADDR && a.len == sizeof(nb->mac)) {
			memcpy(nb->mac, a.data, sizeof(nb->mac));
			has_mac = true;
		}
	}
	nb->is_static = head.ndm_state & NUD_PERMANENT;
	nb->is_usable = has_mac && !(nb->mac[0] & 1) &&
			head.ndm_state & (NUD_PERMANENT | NUD_REACHABLE);
	return has_ip;
}

static bool
read_link(const uint8_t *body, size_t n, struct nl_link *l)
{
	struct attributes rest;
	struct ifinfomsg head;
	struct attribute a;

	if (!split(body, n, &head, sizeof(head), &rest) || head.ifi_index <= 0)
		return false;
	/* a bridge speaks of its ports in the same words */
	if (head.ifi_family != AF_UNSPEC)
		return false;
	*l = (struct nl_link){
		.index = (uint32_t)head.ifi_index,
		.is_up = head.ifi_flags & IFF_UP,
	};
	while (next_attribute(&rest, &a)) {
		if (a.type != IFLA_IFNAME)
			continue;
		if (a.len == 0 || a.len > sizeof(l->name) ||
		    a.data[a.len - 1] != '\0')
			return false;
		memcpy(l->name, a.data, a.len);
	}
	return l->name[0] != '\0';
}

/* --- messages ------------------------------------------------------------- */

static enum nl_kind
read_body(uint16_t type, const uint8_t *body, size_t n, struct nl_msg *m)
{
	int32_t error = 0;

	switch (type) {
	case RTM_DELROUTE:
	case RTM_NEWROUTE:
		m->is_gone = type == RTM_DELROUTE;
		return read_route(body, n, &m->u.route) ? NL_ROUTE : NL_SKIPPED;
	case RTM_DELNEIGH:
	case RTM_NEWNEIGH:
		m->is_gone = type == RTM_DELNEIGH;
		return read_neighbour(body, n, &m->u.neighbour) ? NL_NEIGHBOUR
								: NL_SKIPPED;
	case RTM_DELLINK:
	case RTM_NEWLINK:
		m->is_gone = type == RTM_DELLINK;
		return read_link(body, n, &m->u.link) ? NL_LINK : NL_SKIPPED;
	case RTM_DELADDR:
	case RTM_NEWADDR:
		m->is_gone = type == RTM_DELADDR;
		return NL_ADDRESS;
	case NLMSG_DONE:
	case NLMSG_ERROR:
		if (n < sizeof(error) && type == NLMSG_ERROR)
			return NL_SKIPPED;
		if (n >= sizeof(error))
			memcpy(&error, body, sizeof(error));
		m->error = error > 0 || error < -4095 ? -EPROTO : error;
		return type == NLMSG_DONE ? NL_DONE : NL_ERROR;
	default:
		return NL_SKIPPED;
	}
}

int
netlink_next(struct nl_reader *r, struct nl_msg *out)
{
	struct nlmsghdr head;
	size_t whole;

	if (r->left == 0)
		return 0;
	if (r->left < sizeof(head))
		return -EBADMSG;
	memcpy(&head, r->at, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > r->left)
		return -EBADMSG;
	*out = (struct nl_msg){ .sequence = head.nlmsg_seq,
		.is_instead = head.nlmsg_flags & NLM_F_REPLACE,
		.is_cut = head.nlmsg_flags & NLM_F_DUMP_INTR };
	out->kind = read_body(head.nlmsg_type, r->at + sizeof(head),
	    head.nlmsg_len - sizeof(head), out);
	whole = MIN(aligned(head.nlmsg_len), r->left);
	r->at += whole;
	r->left -= whole;
	return 1;
}
