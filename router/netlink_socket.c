/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink_socket: what is said to the kernel, and how its words come in. Only
 * the kernel is listened to: a process of the container that sends to our port
 * is not.
 */
#include "router/netlink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

enum { ANSWER_MS = 1000, REQUEST_BYTES = 256 };

int
netlink_open(bool events)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_NEIGH,
		RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int room = NETLINK_RECEIVE;
	scoped_close int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (events)
		/* who may not have more has what the system gives */
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	for (unsigned i = 0; events && i < ARRAY_SIZE(groups); i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			&groups[i], sizeof(groups[i])) < 0)
			return -errno;
	return steal_fd(fd);
}

int
netlink_receive(int fd, uint8_t *buf)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	struct iovec io = { .iov_base = buf, .iov_len = NETLINK_BUFFER };
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &io,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(fd, &m, 0);
	while (n >= 0 && m.msg_namelen == sizeof(from) && from.nl_pid != 0);
	if (n < 0)
		return -errno;
	if (m.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return (int)n; /* at most NETLINK_BUFFER */
}

/* A message that is being made; more does not fit than all requests need. */
struct request {
	union {
		struct nlmsghdr head;
		uint8_t bytes[REQUEST_BYTES];
	} u;
};

static void
begin(struct request *q, unsigned type, unsigned flags, const void *body,
    size_t n)
{
	*q = (struct request){ 0 };
	q->u.head.nlmsg_type = (uint16_t)type;
	q->u.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	q->u.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(n);
	memcpy(q->u.bytes + NLMSG_HDRLEN, body, n);
}

/* Returns where it begins: of one that holds others, for end_nest(). */
static uint32_t
put(struct request *q, unsigned type, const void *data, size_t n)
{
	uint32_t at = NLMSG_ALIGN(q->u.head.nlmsg_len);
	struct nlattr a = { .nla_type = (uint16_t)type,
		.nla_len = (uint16_t)(sizeof(a) + n) };

	assert(at + sizeof(a) + n <= sizeof(q->u.bytes));
	memcpy(q->u.bytes + at, &a, sizeof(a));
	if (n > 0)
		memcpy(q->u.bytes + at + sizeof(a), data, n);
	q->u.head.nlmsg_len = (uint32_t)(at + sizeof(a) + n);
	return at;
}

static void
end_nest(struct request *q, uint32_t at)
{
	uint16_t len =
	    (uint16_t)(NLMSG_ALIGN(q->u.head.nlmsg_len) - at); /* < 256 */

	memcpy(q->u.bytes + at, &len, sizeof(len)); /* nla_len is first */
}

static int
send_request(int fd, struct request *q, uint32_t sequence)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	q->u.head.nlmsg_seq = sequence;
	if (sendto(fd, q->u.bytes, q->u.head.nlmsg_len, 0,
		(struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

int
netlink_dump(int fd, enum nl_table which, uint32_t sequence)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		uint8_t body;
	} ask[] = {
		[NL_LINKS] = { RTM_GETLINK, AF_UNSPEC,
		    sizeof(struct ifinfomsg) },
		[NL_ROUTES4] = { RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
		[NL_ROUTES6] = { RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg) },
		[NL_NEIGHBOURS] = { RTM_GETNEIGH, AF_UNSPEC,
		    sizeof(struct ndmsg) },
	};
	/* the family is the first byte of all three bodies */
	uint8_t body[32] = { ask[which].family };
	struct request q;

	begin(&q, ask[which].type, NLM_F_DUMP, body, ask[which].body);
	return send_request(fd, &q, sequence);
}

/* Sends q and reads until its answer is there. */
static int
carry_out(int fd, struct request *q)
{
	static _Thread_local uint32_t last;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[NETLINK_BUFFER];
	uint32_t sequence = ++last;
	int rc = send_request(fd, q, sequence);

	while (rc == 0) {
		struct nl_reader r = { .at = buf };
		struct nl_msg m;

		if (poll(&p, 1, ANSWER_MS) == 0)
			return -ETIMEDOUT;
		rc = netlink_receive(fd, buf);
		if (rc == -EAGAIN || rc == -EINTR) {
			rc = 0;
			continue;
		}
		if (rc < 0)
			return rc;
		r.left = (size_t)rc;
		while ((rc = netlink_next(&r, &m)) > 0)
			if (m.kind == NL_ERROR && m.sequence == sequence)
				return m.error;
	}
	return rc;
}

int
netlink_set_link(int fd, const struct nl_setting *s)
{
	const struct ifinfomsg body = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)s->index,
		.ifi_flags = s->is_up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};
	const uint8_t mode =
	    s->has_ip6 ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
	uint32_t families, family;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	put(&q, IFLA_MTU, &s->mtu, sizeof(s->mtu));
	put(&q, IFLA_ADDRESS, s->mac, sizeof(s->mac));
	families = put(&q, IFLA_AF_SPEC | NLA_F_NESTED, NULL, 0);
	family = put(&q, AF_INET6 | NLA_F_NESTED, NULL, 0);
	put(&q, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	end_nest(&q, family);
	end_nest(&q, families);
	q.u.head.nlmsg_len = NLMSG_ALIGN(q.u.head.nlmsg_len);
	return carry_out(fd, &q);
}

static int
change_address(int fd, unsigned type, unsigned flags, uint32_t link,
    const struct nl_address *a)
{
	const struct ifaddrmsg body = {
		.ifa_family = a->is6 ? AF_INET6 : AF_INET,
		.ifa_prefixlen = a->len,
		.ifa_index = link,
	};
	/* whether it is free was asked by nobody, as of the router's own */
	const uint32_t no_dad = IFA_F_NODAD;
	struct request q;
	uint8_t ip[16];

	ip6_store(ip, a->ip);
	begin(&q, type, NLM_F_ACK | flags, &body, sizeof(body));
	if (a->is6) {
		put(&q, IFA_LOCAL, ip, 16);
		put(&q, IFA_FLAGS, &no_dad, sizeof(no_dad));
	} else {
		put(&q, IFA_LOCAL, ip + 12, 4);
		put(&q, IFA_ADDRESS, ip + 12, 4);
	}
	return carry_out(fd, &q);
}

int
netlink_add_address(int fd, uint32_t link, const struct nl_address *a)
{
	return change_address(
	    fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, link, a);
}

int
netlink_delete_address(int fd, uint32_t link, const struct nl_address *a)
{
	return change_address(fd, RTM_DELADDR, 0, link, a);
}

static int
change_route(int fd, unsigned type, unsigned flags, unsigned scope,
    const struct nl_route *r)
{
	bool has_via = r->via.hi || r->via.lo;
	const struct rtmsg body = {
		.rtm_family = r->is6 ? AF_INET6 : AF_INET,
		.rtm_dst_len = r->len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = (uint8_t)scope, /* of rtnetlink.h */
		.rtm_type = RTN_UNICAST,
	};
	unsigned from = r->is6 ? 0 : 12; /* of ::ffff:a.b.c.d */
	struct request q;
	uint8_t ip[16];

	begin(&q, type, NLM_F_ACK | flags, &body, sizeof(body));
	ip6_store(ip, r->prefix);
	if (r->len > 0)
		put(&q, RTA_DST, ip + from, 16 - from);
	ip6_store(ip, r->via);
	if (has_via)
		put(&q, RTA_GATEWAY, ip + from, 16 - from);
	if (r->link)
		put(&q, RTA_OIF, &r->link, sizeof(r->link));
	return carry_out(fd, &q);
}

int
netlink_add_route(int fd, const struct nl_route *r)
{
	bool is_on_link = !r->is6 && !r->via.hi && !r->via.lo;

	return change_route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
	    is_on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, r);
}

int
netlink_delete_route(int fd, const struct nl_route *r)
{
	return change_route(fd, RTM_DELROUTE, 0, RT_SCOPE_NOWHERE, r);
}
