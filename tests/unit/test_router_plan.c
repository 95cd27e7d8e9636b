/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_plan: what of a configuration forwarding needs: networks, routes of
 * all sources by gateway, and their changes in place.
 */
#include "router/plan.h"

#include "lib/base.h"
#include "tests/unit/conf_text.h"
#include "tests/unit/frame_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static unsigned
result(const struct plan *p, const char *dst)
{
	return fib4_lookup(p->fib, frame_ip(dst));
}

static void
a_plan_knows_its_networks(void **state)
{
	struct plan *p =
	    plan_of(V0 A0 V1 A1 "address eth1 198.19.0.0/31\n"
				"address eth1 198.19.0.9/32\nend\n");

	(void)state;
	assert_int_equal(result(p, "198.18.0.1"), HOP_I_LOCAL);
	assert_int_equal(result(p, "198.18.0.2"), HOP_I_GLEAN);
	assert_int_equal(result(p, "198.18.0.0"), HOP_I_BROADCAST);
	assert_int_equal(result(p, "198.18.0.255"), HOP_I_BROADCAST);
	assert_int_equal(result(p, "198.18.1.9"), HOP_I_GLEAN + 1);
	assert_int_equal(result(p, "198.18.2.0"), HOP_I_NONE);
	/* RFC 3021: both are hosts */
	assert_int_equal(result(p, "198.19.0.0"), HOP_I_LOCAL);
	assert_int_equal(result(p, "198.19.0.1"), HOP_I_GLEAN + 1);
	assert_int_equal(result(p, "198.19.0.9"), HOP_I_LOCAL);
	assert_int_equal(result(p, "198.19.0.8"), HOP_I_NONE);
	plan_free(p);
}

static void
gateways_are_shared_and_connected_wins(void **state)
{
	struct plan *p = plan_of(
	    V0 A0 V1 A1 "route 0.0.0.0/0 via 198.18.1.254\n"
			"route 192.0.2.0/24 via 198.18.1.254\n"
			"route 198.51.100.0/24 via 198.18.0.9 dev eth1\n"
			"route 198.18.0.0/24 via 198.18.1.254\n"
			"route 203.0.113.0/24 dev eth0\nend\n");

	(void)state;
	assert_int_equal(p->n_gateways, 2);
	assert_int_equal(p->n_inactive, 0);
	assert_int_equal(p->gateway[0].ip, frame_ip("198.18.1.254"));
	assert_int_equal(p->gateway[0].vnic, 1);
	assert_int_equal(p->gateway[1].vnic, 1);
	assert_int_equal(result(p, "8.8.8.8"), HOP_I_GATEWAY);
	assert_int_equal(result(p, "192.0.2.1"), HOP_I_GATEWAY);
	assert_int_equal(result(p, "198.51.100.1"), HOP_I_GATEWAY + 1);
	assert_int_equal(result(p, "198.18.0.77"), HOP_I_GLEAN);
	assert_int_equal(result(p, "203.0.113.7"), HOP_I_GLEAN);
	plan_free(p);
}

static void
routes_that_lead_nowhere_are_left_out(void **state)
{
	struct plan *p = plan_of(V0 A0 "route 192.0.2.0/24 via 198.18.7.1\n"
				       "route 198.51.100.0/24 dev eth7\n"
				       "route 203.0.113.0/24 via 198.18.0.1\n"
				       "route 203.0.113.0/25 via 198.18.0.2\n"
				       "end\n");

	(void)state;
	assert_int_equal(p->n_inactive, 3);
	assert_int_equal(result(p, "192.0.2.1"), HOP_I_NONE);
	assert_int_equal(result(p, "203.0.113.200"), HOP_I_NONE);
	assert_int_equal(result(p, "203.0.113.1"), HOP_I_GATEWAY);
	plan_free(p);
}

static void
too_many_gateways_are_an_error(void **state)
{
	struct routerconf c = { 0 };
	struct plan *p;

	(void)state;
	c.vnic[0].present = true;
	c.n_routes = PLAN_MAX_GATEWAYS + 1;
	c.route = calloc(c.n_routes, sizeof(*c.route));
	assert_non_null(c.route);
	for (uint32_t i = 0; i < c.n_routes; i++)
		c.route[i] = (struct routerconf_route){
			.prefix = i << 8, .len = 24, .via = 1 + i, .dev = 0
		};
	assert_int_equal(plan_make(&c, &p), -E2BIG);
	c.n_routes--;
	assert_int_equal(plan_make(&c, &p), 0);
	plan_free(p);
	routerconf_clear(&c);
}

static struct route
route_via(const char *prefix, unsigned len, const char *via)
{
	return (struct route){ .prefix = ip6_of_ip4(frame_ip(prefix)),
		.via = ip6_of_ip4(frame_ip(via)),
		.len = (uint8_t)len,
		.dev = ROUTE_NO_DEV,
		.source = ROUTE_STATIC };
}

static void
routes_of_a_plan_in_use_can_be_changed(void **state)
{
	struct plan *p =
	    plan_of(V0 A0 V1 A1 "route 192.0.2.0/24 via 198.18.1.254\nend\n");
	struct route r = route_via("192.0.2.64", 26, "198.18.1.254");

	(void)state;
	assert_int_equal(plan_change(p, &r, true), 0);
	r = route_via("192.0.2.128", 26, "198.18.0.9");
	/* the tables in force do not know this gateway */
	assert_int_equal(plan_change(p, &r, true), -EAGAIN);
	assert_int_equal(result(p, "192.0.2.129"), HOP_I_GATEWAY);
	assert_int_equal(p->n_gateways, 2);
	assert_int_equal(plan_change(p, &r, true), 0);
	assert_int_equal(result(p, "192.0.2.129"), HOP_I_GATEWAY + 1);
	assert_int_equal(result(p, "192.0.2.65"), HOP_I_GATEWAY);
	assert_int_equal(plan_change(p, &r, false), 0);
	assert_int_equal(result(p, "192.0.2.129"), HOP_I_GATEWAY);
	assert_int_equal(plan_change(p, &r, false), -ENOENT);
	/* it leads elsewhere now, which is nowhere: it is gone */
	r = route_via("192.0.2.0", 24, "203.0.113.1");
	assert_int_equal(result(p, "192.0.2.65"), HOP_I_GATEWAY);
	assert_int_equal(plan_change(p, &r, true), -ENETUNREACH);
	assert_int_equal(result(p, "192.0.2.1"), HOP_I_NONE);
	/* what is connected stays */
	r = route_via("198.18.0.0", 24, "198.18.1.254");
	assert_int_equal(plan_change(p, &r, true), 0);
	assert_int_equal(result(p, "198.18.0.7"), HOP_I_GLEAN);
	plan_free(p);
}

static struct route
route6_via(uint64_t hi, unsigned len, uint64_t via)
{
	return (struct route){ .prefix = { hi, 0 },
		.via = { UINT64_C(0x20010db800000000), via },
		.is6 = true,
		.len = (uint8_t)len,
		.dev = ROUTE_NO_DEV,
		.source = ROUTE_API };
}

static uint16_t
result6(const struct plan *p, uint64_t hi)
{
	return fib6_lookup(p->fib6, (struct fib6_addr){ hi, 1 });
}

static void
ipv6_routes_of_a_plan_in_use_can_be_changed(void **state)
{
	const uint64_t net = UINT64_C(0x20010db8ffff0000);
	struct plan *p = plan_of(V0 "address eth0 2001:db8::1/64\nend\n");
	struct route r = route6_via(net, 48, 9), longer;

	(void)state;
	assert_int_equal(p->n_gateways6, 0);
	assert_int_equal(plan_prepare(p, &r), 1);
	assert_int_equal(plan_prepare(p, &r), 0);
	assert_int_equal(plan_change(p, &r, true), 0);
	assert_int_equal(result6(p, net), PLAN_FIRST6);
	/* the tables in force do not know this gateway */
	longer = route6_via(net | 0x8000, 49, 10);
	assert_int_equal(plan_change(p, &longer, true), -EAGAIN);
	assert_int_equal(plan_change(p, &longer, true), 0);
	assert_int_equal(result6(p, net | 0x8001), PLAN_FIRST6 + 1);
	assert_int_equal(result6(p, net | 1), PLAN_FIRST6);
	assert_int_equal(plan_change(p, &longer, false), 0);
	assert_int_equal(plan_change(p, &longer, false), -ENOENT);
	assert_int_equal(result6(p, net | 0x8001), PLAN_FIRST6);
	r.via.hi = 1;
	assert_int_equal(plan_change(p, &r, true), -ENETUNREACH);
	assert_int_equal(result6(p, net), HOP_I_NONE);
	r.len = 129;
	assert_int_equal(plan_change(p, &r, true), -EINVAL);
	plan_free(p);
}

/* Of equal prefixes: static, api, linux, whatever comes first. */
static void
sources_have_an_order(void **state)
{
	struct plan *p = plan_of(V0 A0 "end\n");
	struct route r[N_ROUTE_SOURCES];

	(void)state;
	for (unsigned s = 0; s < N_ROUTE_SOURCES; s++) {
		unsigned source = (s + 1) % N_ROUTE_SOURCES;

		r[source] = route_via("192.0.2.0", 24, "198.18.0.9");
		r[source].via.lo += source;
		r[source].source = (uint8_t)source;
		plan_prepare(p, &r[source]);
		assert_int_equal(plan_change(p, &r[source], true), 0);
	}
	for (unsigned s = N_ROUTE_SOURCES; s-- > 0;) {
		uint32_t via =
		    p->gateway[result(p, "192.0.2.1") - HOP_I_GATEWAY].ip;

		assert_int_equal(via, frame_ip("198.18.0.9") + s);
		assert_int_equal(plan_change(p, &r[s], false), 0);
	}
	assert_int_equal(result(p, "192.0.2.1"), HOP_I_NONE);
	plan_free(p);
}

/* What comes beside a configuration, and what of it leads nowhere. */
static void
a_plan_has_the_routes_of_all_sources(void **state)
{
	struct route r = route_via("192.0.2.0", 24, "198.18.0.9");
	struct route r6 = route6_via(UINT64_C(0x20010db8ffff0000), 48, 9);
	struct routes more = { 0 };
	struct routerconf c = { 0 };
	struct plan *p;

	(void)state;
	c.vnic[0] = (struct routerconf_vnic){ .present = true,
		.n_addresses = 1,
		.n_addresses6 = 1,
		.address = { { frame_ip("198.18.0.1"), 24 } },
		.address6 = { { { UINT64_C(0x20010db800000000), 1 }, 64 } } };
	assert_int_equal(routes_set_add(&more.of[ROUTE_API], &r), 0);
	assert_int_equal(routes_set_add(&more.of[ROUTE_LINUX], &r6), 0);
	r = route_via("203.0.113.0", 24, "192.0.2.77");
	assert_int_equal(routes_set_add(&more.of[ROUTE_STATIC], &r), 0);
	assert_int_equal(plan_build(&c, &more, &p), 0);
	assert_int_equal(result(p, "192.0.2.1"), HOP_I_GATEWAY);
	assert_int_equal(result6(p, r6.prefix.hi), PLAN_FIRST6);
	assert_int_equal(result(p, "203.0.113.1"), HOP_I_NONE);
	assert_int_equal(p->n_inactive, 1);
	plan_free(p);
	routes_clear(&more);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_knows_its_networks),
		cmocka_unit_test(gateways_are_shared_and_connected_wins),
		cmocka_unit_test(routes_that_lead_nowhere_are_left_out),
		cmocka_unit_test(too_many_gateways_are_an_error),
		cmocka_unit_test(routes_of_a_plan_in_use_can_be_changed),
		cmocka_unit_test(ipv6_routes_of_a_plan_in_use_can_be_changed),
		cmocka_unit_test(sources_have_an_order),
		cmocka_unit_test(a_plan_has_the_routes_of_all_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
