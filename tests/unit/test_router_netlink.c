/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_netlink: what the kernel says, understood, and kept as a table.
 */
#include "lib/base.h"
#include "lib/vnic_abi.h"
#include "router/linux_routes.h"
#include "tests/unit/nl_maker.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the parser ----------------------------------------------------------- */

static struct nl_msg
parse_one(const struct nl_buf *b)
{
	struct nl_reader r = { b->b, b->n };
	struct nl_msg m;

	assert_int_equal(netlink_next(&r, &m), 1);
	assert_int_equal(r.left, 0);
	return m;
}

static struct ip6
address(const char *text)
{
	uint8_t b[16];

	if (!strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET, text, b), 1);
		return ip6_of_ip4(load_be32(b));
	}
	assert_int_equal(inet_pton(AF_INET6, text, b), 1);
	return ip6_load(b);
}

#define assert_ip(a, text) assert_true(ip6_is_equal(a, address(text)))

static void
a_route_is_understood(void **state)
{
	struct nl_buf b = { 0 };
	struct nl_msg m;

	(void)state;
	nl_route(&b, &(struct nl_route_spec){ .prefix = "198.18.7.0",
			 .len = 24,
			 .via = "198.18.0.9",
			 .link = 5,
			 .metric = 32,
			 .sequence = 77 });
	m = parse_one(&b);
	assert_int_equal(m.kind, NL_ROUTE);
	assert_false(m.is_gone);
	assert_int_equal(m.sequence, 77);
	assert_ip(m.u.route.prefix, "198.18.7.0");
	assert_ip(m.u.route.via, "198.18.0.9");
	assert_int_equal(m.u.route.len, 24);
	assert_int_equal(m.u.route.link, 5);
	assert_int_equal(m.u.route.metric, 32);
	assert_int_equal(m.u.route.way, NL_VIA);
	b.n = 0;
	nl_route(&b, &(struct nl_route_spec){ .prefix = "2001:db8:7::",
			 .len = 48,
			 .via = "fe80::9",
			 .link = 6,
			 .is6 = true,
			 .is_gone = true });
	m = parse_one(&b);
	assert_int_equal(m.kind, NL_ROUTE);
	assert_true(m.is_gone && m.u.route.is6);
	assert_ip(m.u.route.prefix, "2001:db8:7::");
	assert_ip(m.u.route.via, "fe80::9");
}

static enum nl_kind
kind_of(const struct nl_route_spec *s)
{
	struct nl_buf b = { 0 };

	nl_route(&b, s);
	return parse_one(&b).kind;
}

static void
what_is_in_no_table_of_ours_is_skipped(void **state)
{
	struct nl_route_spec s = {
		.prefix = "198.18.7.0", .len = 24, .link = 5
	};

	(void)state;
	assert_int_equal(kind_of(&s), NL_ROUTE);
	s.table = 7;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s.table = RT_TABLE_LOCAL;
	s.type = RTN_BROADCAST;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s.type = RTN_LOCAL;
	assert_int_equal(kind_of(&s), NL_ROUTE);
	s.prefix = "127.0.0.0";
	s.len = 8;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s = (struct nl_route_spec){
		.prefix = "fe80::", .len = 64, .is6 = true
	};
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s.prefix = "ff00::";
	s.len = 8;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s.prefix = "2001:db8::";
	s.len = 129;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
	s = (struct nl_route_spec){ .len = 0, .link = 5 };
	assert_int_equal(kind_of(&s), NL_ROUTE);
	s.len = 33;
	assert_int_equal(kind_of(&s), NL_SKIPPED);
}

static void
ways_that_lead_nowhere_are_known(void **state)
{
	static const struct {
		unsigned type;
		enum nl_way way;
	} cases[] = { { RTN_BLACKHOLE, NL_BLACKHOLE },
		{ RTN_UNREACHABLE, NL_UNREACHABLE },
		{ RTN_PROHIBIT, NL_UNREACHABLE }, { RTN_LOCAL, NL_LOCAL } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nl_buf b = { 0 };
		struct nl_msg m;

		nl_route(&b, &(struct nl_route_spec){ .prefix = "192.0.2.0",
				 .len = 24,
				 .type = cases[i].type });
		m = parse_one(&b);
		assert_int_equal(m.kind, NL_ROUTE);
		assert_int_equal(m.u.route.way, cases[i].way);
	}
}

static void
of_several_ways_the_first_one_is_taken(void **state)
{
	struct nl_route_spec s = { .prefix = "198.18.7.0", .len = 24 };
	struct {
		struct rtnexthop hop;
		struct nlattr a;
		uint8_t ip[4];
	} ways[2] = { 0 };
	struct nl_buf b = { 0 };
	struct nl_msg m;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ways[i].hop.rtnh_len = sizeof(ways[i]);
		ways[i].hop.rtnh_ifindex = (int)(5 + i);
		ways[i].a = (struct nlattr){ 8, RTA_GATEWAY };
		store_be32(ways[i].ip, 0xc6120009 + i);
	}
	nl_route(&b, &s);
	nl_put(&b, RTA_MULTIPATH, ways, sizeof(ways));
	m = parse_one(&b);
	assert_int_equal(m.kind, NL_ROUTE);
	assert_true(m.u.route.is_shared);
	assert_int_equal(m.u.route.link, 5);
	assert_ip(m.u.route.via, "198.18.0.9");
	/* a way that says to be longer than all of them */
	ways[0].hop.rtnh_len = sizeof(ways) + 1;
	b.n = 0;
	nl_route(&b, &s);
	nl_put(&b, RTA_MULTIPATH, ways, sizeof(ways));
	assert_int_equal(parse_one(&b).kind, NL_SKIPPED);
}

static void
lengths_are_checked(void **state)
{
	struct nl_buf b = { 0 };
	struct nl_reader r;
	struct nl_msg m;
	uint32_t len;

	(void)state;
	nl_route(&b, &(struct nl_route_spec){ .prefix = "198.18.7.0",
			 .len = 24,
			 .via = "198.18.0.9",
			 .link = 5 });
	/* every cut of it: refused as bytes, not read beyond */
	for (size_t n = 1; n < b.n; n++) {
		r = (struct nl_reader){ b.b, n };
		assert_int_equal(netlink_next(&r, &m), -EBADMSG);
	}
	for (len = 0; len < sizeof(struct nlmsghdr); len++) {
		memcpy(b.b, &len, sizeof(len));
		r = (struct nl_reader){ b.b, b.n };
		assert_int_equal(netlink_next(&r, &m), -EBADMSG);
	}
	len = (uint32_t)b.n;
	memcpy(b.b, &len, sizeof(len));
	/* an address of the wrong length */
	nl_put(&b, RTA_GATEWAY, "abc", 3);
	assert_int_equal(parse_one(&b).kind, NL_SKIPPED);
}

static void
neighbours_count_when_they_are_confirmed(void **state)
{
	struct nl_buf b = { 0 };
	struct nl_msg m;

	(void)state;
	nl_neighbour(
	    &b, false, 5, "198.18.0.9", "0e:00:00:00:00:09", NUD_REACHABLE);
	m = parse_one(&b);
	assert_int_equal(m.kind, NL_NEIGHBOUR);
	assert_true(m.u.neighbour.is_usable && !m.u.neighbour.is_static);
	assert_ip(m.u.neighbour.ip, "198.18.0.9");
	b.n = 0;
	nl_neighbour(
	    &b, false, 5, "2001:db8::9", "0e:00:00:00:00:09", NUD_PERMANENT);
	m = parse_one(&b);
	assert_true(m.u.neighbour.is_usable && m.u.neighbour.is_static);
	b.n = 0;
	nl_neighbour(
	    &b, false, 5, "198.18.0.9", "0e:00:00:00:00:09", NUD_STALE);
	assert_false(parse_one(&b).u.neighbour.is_usable);
	b.n = 0;
	nl_neighbour(&b, false, 5, "198.18.0.9", NULL, NUD_REACHABLE);
	assert_false(parse_one(&b).u.neighbour.is_usable);
	b.n = 0;
	nl_neighbour(
	    &b, false, 5, "198.18.0.9", "01:00:5e:00:00:09", NUD_PERMANENT);
	assert_false(parse_one(&b).u.neighbour.is_usable);
}

/* --- the table ------------------------------------------------------------ */

static uint8_t
links_are_vnics(const void *arg, uint32_t link)
{
	(void)arg;
	return link < VNIC_MAX_VNICS ? (uint8_t)link : LINUX_NO_VNIC;
}

static struct nl_route
route(const char *prefix, unsigned len, const char *via, uint32_t link,
    uint32_t metric)
{
	return (struct nl_route){
		.prefix = address(prefix),
		.via = address(via),
		.metric = metric,
		.link = link,
		.is6 = strchr(prefix, ':') != NULL,
		.len = (uint8_t)len,
	};
}

static struct linux_route
next_change(struct linux_routes *k)
{
	struct linux_route r;

	assert_true(linux_routes_next(k, links_are_vnics, NULL, &r));
	linux_routes_pop(k);
	return r;
}

static void
assert_no_change(struct linux_routes *k)
{
	struct linux_route r;

	assert_false(linux_routes_next(k, links_are_vnics, NULL, &r));
}

static void
the_lowest_metric_wins(void **state)
{
	struct nl_route a = route("198.18.7.0", 24, "198.18.0.9", 1, 32);
	struct nl_route b = route("198.18.7.0", 24, "198.18.1.9", 2, 20);
	struct linux_routes *k;
	struct linux_route r;

	(void)state;
	assert_int_equal(linux_routes_new(&k), 0);
	assert_no_change(k);
	assert_int_equal(linux_routes_put(k, &a, false), 0);
	r = next_change(k);
	assert_false(r.is_gone);
	assert_int_equal(r.vnic, 1);
	assert_ip(r.via, "198.18.0.9");
	assert_no_change(k);
	/* said again: nothing new */
	assert_int_equal(linux_routes_put(k, &a, false), 0);
	assert_no_change(k);
	assert_int_equal(linux_routes_put(k, &b, false), 0);
	assert_int_equal(next_change(k).vnic, 2);
	assert_int_equal(linux_routes_count(k), 2);
	assert_false(linux_routes_remove(k, &b));
	assert_int_equal(next_change(k).vnic, 1);
	assert_false(linux_routes_remove(k, &a));
	r = next_change(k);
	assert_true(r.is_gone);
	assert_ip(r.prefix, "198.18.7.0");
	assert_no_change(k);
	assert_int_equal(linux_routes_count(k), 0);
	linux_routes_free(k);
}

static void
a_route_in_place_of_another_leaves_one(void **state)
{
	struct nl_route a = route("198.18.7.0", 24, "198.18.0.9", 1, 32);
	struct nl_route b = route("198.18.7.0", 24, "198.18.1.9", 2, 32);
	struct linux_routes *k;

	(void)state;
	assert_int_equal(linux_routes_new(&k), 0);
	linux_routes_put(k, &a, false);
	next_change(k);
	linux_routes_put(k, &b, true);
	assert_int_equal(next_change(k).vnic, 2);
	assert_int_equal(linux_routes_count(k), 1);
	/* the kernel says also that the old one went: it did */
	assert_false(linux_routes_remove(k, &a));
	linux_routes_free(k);
}

static void
a_link_that_is_no_vnic_is_no_way(void **state)
{
	struct nl_route a = route("198.18.7.0", 24, "198.18.0.9", 99, 1);
	struct nl_route b = route("198.18.7.0", 24, "198.18.1.9", 2, 32);
	struct linux_routes *k;

	(void)state;
	assert_int_equal(linux_routes_new(&k), 0);
	linux_routes_put(k, &a, false);
	assert_true(next_change(k).is_gone);
	linux_routes_put(k, &b, false);
	assert_int_equal(next_change(k).vnic, 2);
	linux_routes_free(k);
}

static void
many_changes_of_a_prefix_are_told_once(void **state)
{
	struct nl_route a = route("198.18.7.0", 24, "198.18.0.9", 1, 32);
	struct linux_routes *k;

	(void)state;
	assert_int_equal(linux_routes_new(&k), 0);
	for (unsigned i = 0; i < 1000; i++) {
		linux_routes_put(k, &a, false);
		linux_routes_remove(k, &a);
	}
	linux_routes_put(k, &a, false);
	assert_false(next_change(k).is_gone);
	assert_no_change(k);
	linux_routes_free(k);
}

static void
what_a_whole_table_does_not_say_is_gone(void **state)
{
	enum { N = 5000 };
	struct nl_route a = route("198.18.0.0", 32, "198.18.0.9", 1, 32);
	struct linux_routes *k;
	unsigned n = 0;
	struct linux_route r;

	(void)state;
	assert_int_equal(linux_routes_new(&k), 0);
	for (unsigned i = 0; i < N; i++, a.prefix.lo++)
		assert_int_equal(linux_routes_put(k, &a, false), 0);
	while (linux_routes_next(k, links_are_vnics, NULL, &r)) {
		assert_false(r.is_gone);
		linux_routes_pop(k);
		n++;
	}
	assert_int_equal(n, N);
	linux_routes_begin(k);
	a.prefix = address("198.18.0.0");
	for (unsigned i = 0; i < N; i++, a.prefix.lo++)
		if (i % 2)
			linux_routes_put(k, &a, false);
	assert_no_change(k);
	linux_routes_end(k);
	for (n = 0; linux_routes_next(k, links_are_vnics, NULL, &r); n++) {
		assert_true(r.is_gone);
		assert_int_equal(r.prefix.lo % 2, 0);
		linux_routes_pop(k);
	}
	assert_int_equal(n, N / 2);
	assert_int_equal(linux_routes_count(k), N / 2);
	linux_routes_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_is_understood),
		cmocka_unit_test(what_is_in_no_table_of_ours_is_skipped),
		cmocka_unit_test(ways_that_lead_nowhere_are_known),
		cmocka_unit_test(of_several_ways_the_first_one_is_taken),
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(neighbours_count_when_they_are_confirmed),
		cmocka_unit_test(the_lowest_metric_wins),
		cmocka_unit_test(a_route_in_place_of_another_leaves_one),
		cmocka_unit_test(a_link_that_is_no_vnic_is_no_way),
		cmocka_unit_test(many_changes_of_a_prefix_are_told_once),
		cmocka_unit_test(what_a_whole_table_does_not_say_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
