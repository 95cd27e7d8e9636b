/* SPDX-License-Identifier: Apache-2.0 */
/* nl_maker: see nl_maker.h. */
#include "tests/unit/nl_maker.h"

#include "lib/base.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

static void
close_message(struct nl_buf *m)
{
	uint32_t len = (uint32_t)(m->n - m->message);

	memcpy(m->b + m->message, &len, sizeof(len));
}

static void
add(struct nl_buf *m, const void *data, size_t n)
{
	assert(m->n + n + 8 <= sizeof(m->b));
	if (n > 0)
		memcpy(m->b + m->n, data, n);
	m->n += n;
	while (m->n % 4 != 0)
		m->b[m->n++] = 0;
}

void
nl_begin(struct nl_buf *m, unsigned type, unsigned flags, uint32_t sequence,
    const void *body, size_t n)
{
	struct nlmsghdr h = { .nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)flags,
		.nlmsg_seq = sequence };

	m->message = m->n;
	add(m, &h, sizeof(h));
	add(m, body, n);
	close_message(m);
}

void
nl_put(struct nl_buf *m, unsigned type, const void *data, size_t n)
{
	struct nlattr a = { .nla_type = (uint16_t)type,
		.nla_len = (uint16_t)(sizeof(a) + n) };

	m->attribute = m->n;
	add(m, &a, sizeof(a));
	add(m, data, n);
	close_message(m);
}

void
nl_put_u32(struct nl_buf *m, unsigned type, uint32_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void
nl_put_ip(struct nl_buf *m, unsigned type, const char *ip)
{
	bool is6 = strchr(ip, ':') != NULL;
	uint8_t b[16];

	assert(inet_pton(is6 ? AF_INET6 : AF_INET, ip, b) == 1);
	nl_put(m, type, b, is6 ? 16 : 4);
}

void
nl_route(struct nl_buf *m, const struct nl_route_spec *s)
{
	struct rtmsg r = {
		.rtm_family = s->is6 ? AF_INET6 : AF_INET,
		.rtm_dst_len = (uint8_t)s->len,
		.rtm_table = (uint8_t)(s->table ? s->table : RT_TABLE_MAIN),
		.rtm_type = (uint8_t)(s->type ? s->type : RTN_UNICAST),
		.rtm_protocol = RTPROT_BIRD,
	};

	nl_begin(m, s->is_gone ? RTM_DELROUTE : RTM_NEWROUTE, s->flags,
	    s->sequence, &r, sizeof(r));
	nl_put_u32(m, RTA_TABLE, r.rtm_table);
	if (s->prefix)
		nl_put_ip(m, RTA_DST, s->prefix);
	if (s->metric)
		nl_put_u32(m, RTA_PRIORITY, s->metric);
	if (s->via)
		nl_put_ip(m, RTA_GATEWAY, s->via);
	if (s->link)
		nl_put_u32(m, RTA_OIF, s->link);
}

void
nl_link(struct nl_buf *m, bool is_gone, uint32_t index, const char *name,
    bool is_up, uint32_t sequence)
{
	struct ifinfomsg l = { .ifi_index = (int)index,
		.ifi_flags = is_up ? IFF_UP : 0 };

	nl_begin(
	    m, is_gone ? RTM_DELLINK : RTM_NEWLINK, 0, sequence, &l, sizeof(l));
	nl_put(m, IFLA_IFNAME, name, strlen(name) + 1);
}

void
nl_neighbour(struct nl_buf *m, bool is_gone, uint32_t link, const char *ip,
    const char *mac, unsigned state)
{
	struct ndmsg n = {
		.ndm_family = strchr(ip, ':') ? AF_INET6 : AF_INET,
		.ndm_ifindex = (int)link,
		.ndm_state = (uint16_t)state,
		.ndm_type = RTN_UNICAST,
	};
	unsigned b[6];
	uint8_t bytes[6];

	nl_begin(m, is_gone ? RTM_DELNEIGH : RTM_NEWNEIGH, 0, 0, &n, sizeof(n));
	nl_put_ip(m, NDA_DST, ip);
	if (!mac)
		return;
	assert(sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3],
		   &b[4], &b[5]) == 6);
	for (unsigned i = 0; i < 6; i++)
		bytes[i] = (uint8_t)b[i];
	nl_put(m, NDA_LLADDR, bytes, 6);
}

void
nl_done(struct nl_buf *m, uint32_t sequence, int error)
{
	nl_begin(m, NLMSG_DONE, NLM_F_MULTI, sequence, &error, sizeof(error));
}
