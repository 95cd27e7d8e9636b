/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_conf: router.conf as the node writes it, and as it never should;
 * and the plan that comes of it.
 */
#include "router/plan.h"

#include "lib/base.h"
#include "tests/unit/frame_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define V0 "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n"
#define V1 "vnic 1 eth1 mac 0a:00:00:00:00:02 mtu 9000\n"
#define A0 "address eth0 198.18.0.1/24\n"
#define A1 "address eth1 198.18.1.1/24\n"

static int
parse(const char *text, struct routerconf *c, struct err *e)
{
	char copy[4096];
	FILE *in;
	int rc;

	snprintf(copy, sizeof(copy), "%s", text);
	in = fmemopen(copy, strlen(copy), "r");
	assert_non_null(in);
	rc = routerconf_parse(in, "r", c, e);
	fclose(in);
	return rc;
}

static void
the_example_of_the_documentation_is_read(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	assert_int_equal(
	    parse("# of the node\ngeneration 7\nhostname r1\n" V0 A0
		  "address eth0 2001:db8::1/64\n\n" V1 A1
		  "route 0.0.0.0/0 via 198.18.1.254\n"
		  "route 198.18.9.0/24 via 198.18.1.7 dev eth1\n"
		  "route 192.0.2.0/24 dev eth1\n"
		  "route 2001:db8:1::/48 via 2001:db8::7\n"
		  "route 2001:db8:2::/48 via fe80::7 dev eth1\n"
		  "route ::/0 dev eth1\n"
		  "dataplane /usr/sbin/europa-router\n"
		  "future statement with many words that nobody knows of yet\n"
		  "end\n",
		&c, &e),
	    0);
	assert_int_equal(c.generation, 7);
	assert_string_equal(c.hostname, "r1");
	assert_true(c.vnic[0].present && c.vnic[1].present);
	assert_false(c.vnic[2].present);
	assert_string_equal(c.vnic[1].name, "eth1");
	assert_int_equal(c.vnic[1].mtu, 9000);
	assert_int_equal(c.vnic[1].mac[5], 2);
	assert_int_equal(c.vnic[0].n_addresses, 1);
	assert_int_equal(c.vnic[0].address[0].ip, frame_ip("198.18.0.1"));
	assert_int_equal(c.vnic[0].address[0].len, 24);
	assert_int_equal(c.n_routes, 3);
	assert_int_equal(c.route[0].len, 0);
	assert_int_equal(c.route[0].dev, ROUTERCONF_NO_DEV);
	assert_int_equal(c.route[1].via, frame_ip("198.18.1.7"));
	assert_int_equal(c.route[1].dev, 1);
	assert_int_equal(c.route[2].via, 0);
	assert_int_equal(c.vnic[0].n_addresses6, 1);
	assert_true(ip6_is_equal(
	    c.vnic[0].address6[0].ip, (struct ip6){ 0x20010db800000000, 1 }));
	assert_int_equal(c.vnic[0].address6[0].len, 64);
	assert_int_equal(c.n_routes6, 3);
	assert_true(ip6_is_equal(
	    c.route6[0].prefix, (struct ip6){ 0x20010db800010000, 0 }));
	assert_true(ip6_is_equal(
	    c.route6[0].via, (struct ip6){ 0x20010db800000000, 7 }));
	assert_int_equal(c.route6[0].len, 48);
	assert_int_equal(c.route6[0].dev, ROUTERCONF_NO_DEV);
	assert_true(ip6_is_equal(
	    c.route6[1].via, (struct ip6){ 0xfe80000000000000, 7 }));
	assert_int_equal(c.route6[1].dev, 1);
	assert_int_equal(c.route6[2].len, 0);
	assert_true(ip6_is_zero(c.route6[2].via));
	routerconf_clear(&c);
}

static void
twins_are_on_off_or_not_said(void **state)
{
	struct routerconf c;
	struct plan *p;
	struct err e;

	(void)state;
	assert_int_equal(parse(V0 A0 "end\n", &c, &e), 0);
	assert_int_equal(c.twins, ROUTERCONF_NOT_SAID);
	assert_int_equal(parse("twins off\n" V0 A0 "end\n", &c, &e), 0);
	assert_int_equal(c.twins, ROUTERCONF_OFF);
	assert_int_equal(plan_make(&c, &p), 0);
	assert_false(p->twins);
	plan_free(p);
	assert_int_equal(parse("twins on\n" V0 A0 "end\n", &c, &e), 0);
	assert_int_equal(c.twins, ROUTERCONF_ON);
	assert_int_equal(plan_make(&c, &p), 0);
	assert_true(p->twins);
	plan_free(p);
}

static const char *const bad[][2] = {
	{ "twins\nend\n", "r:1: expected: twins on or off" },
	{ "twins maybe\nend\n", "r:1: expected: twins on or off" },
	{ "twins on off\nend\n", "r:1: expected: twins on or off" },
	{ V0 A0, "r:2: not complete: no line `end`" },
	{ "end\n" V0, "r:2: more statements after `end`" },
	{ "end now\n", "r:1: expected: end" },
	{ "distribute 32\nend\n",
	    "r:1: expected: distribute PACKETS MICROSECONDS, up to 256 and "
	    "10000" },
	{ "distribute 0 100\nend\n",
	    "r:1: expected: distribute PACKETS MICROSECONDS, up to 256 and "
	    "10000" },
	{ "distribute 257 100\nend\n",
	    "r:1: expected: distribute PACKETS MICROSECONDS, up to 256 and "
	    "10000" },
	{ "lookup rte_lpm\nend\n",
	    "r:1: expected: lookup compact, or: lookup rte_fib [MIB]" },
	{ "lookup\nend\n",
	    "r:1: expected: lookup compact, or: lookup rte_fib [MIB]" },
	{ "lookup compact 64\nend\n",
	    "r:1: expected: lookup compact, or: lookup rte_fib [MIB]" },
	{ "lookup rte_fib 63\nend\n", "r:1: no memory of 64 to 8192 MiB: 63" },
	{ "filter linear 7\nend\n",
	    "r:1: expected: filter linear, or: filter acl [RULES]" },
	{ "filter acl 129\nend\n", "r:1: no number of rules: 129" },
	{ "filter acl 0\nend\n", "r:1: no number of rules: 0" },
	{ "generation\nend\n", "r:1: expected: generation NUMBER" },
	{ "generation 1x\nend\n", "r:1: expected: generation NUMBER" },
	{ "generation 18446744073709551616\nend\n",
	    "r:1: expected: generation NUMBER" },
	{ "vnic 0 eth0 mac 0a:00:00:00:00:01\nend\n",
	    "r:1: expected: vnic INDEX NAME mac MAC mtu MTU" },
	{ "vnic 32 eth0 mac 0a:00:00:00:00:01 mtu 1500\nend\n",
	    "r:1: no index of a vNIC: 32" },
	{ "vnic -1 eth0 mac 0a:00:00:00:00:01 mtu 1500\nend\n",
	    "r:1: no index of a vNIC: -1" },
	{ V0 V0 "end\n", "r:2: vNIC given twice: eth0" },
	{ V0 "vnic 1 eth0 mac 0a:00:00:00:00:02 mtu 1500\nend\n",
	    "r:2: vNIC given twice: eth0" },
	{ "vnic 0 eth0 mac 0b:00:00:00:00:01 mtu 1500\nend\n",
	    "r:1: no unicast MAC: 0b:00:00:00:00:01" },
	{ "vnic 0 eth0 mac 0a:00:00:00:00 mtu 1500\nend\n",
	    "r:1: no unicast MAC: 0a:00:00:00:00" },
	{ "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 67\nend\n",
	    "r:1: no MTU: 67" },
	{ "vnic 0 abcdefghijklmnop mac 0a:00:00:00:00:01 mtu 68\nend\n",
	    "r:1: name too long: abcdefghijklmnop" },
	{ V0 "address eth1 198.18.0.1/24\nend\n", "r:2: no such vNIC: eth1" },
	{ V0 "address eth0 198.18.0.1\nend\n",
	    "r:2: no address of a host: 198.18.0.1" },
	{ V0 "address eth0 198.18.0.1/33\nend\n",
	    "r:2: no address of a host: 198.18.0.1/33" },
	{ V0 "address eth0 224.0.0.1/24\nend\n",
	    "r:2: no address of a host: 224.0.0.1/24" },
	{ V0 "address eth0 2001:db8::1/129\nend\n",
	    "r:2: no address of a host: 2001:db8::1/129" },
	{ V0 "address eth0 ff02::1/64\nend\n",
	    "r:2: no address of a host: ff02::1/64" },
	{ V0 "address eth0 ::1/128\nend\n",
	    "r:2: no address of a host: ::1/128" },
	{ V0 A0 "route 2001:db8:0:1::1/64 dev eth0\nend\n",
	    "r:3: bits set behind the prefix: 2001:db8:0:1::1/64" },
	{ V0 A0 "route 2001:db8::/32 via ::\nend\n", "r:3: no address: ::" },
	{ V0 "filter 0 deny\nend\n",
	    "r:2: expected: filter NUMBER permit|deny|reject ..., and a "
	    "number of 1 to 128" },
	{ V0 "filter 129 deny\nend\n",
	    "r:2: expected: filter NUMBER permit|deny|reject ..., and a "
	    "number of 1 to 128" },
	{ V0 "filter 1 drop\nend\n",
	    "r:2: expected: filter NUMBER permit|deny|reject ..., and a "
	    "number of 1 to 128" },
	{ V0 "filter 1 deny\nfilter 1 deny\nend\n",
	    "r:3: number given twice: 1" },
	{ V0 "filter 1 deny in eth1\nend\n", "r:2: no such vNIC: eth1" },
	{ V0 "filter 1 deny out eth0\nend\n", "r:2: not understood here: out" },
	{ V0 "filter 1 deny in\nend\n", "r:2: not understood here: in" },
	{ V0 "filter 1 deny sport 1 sport 2\nend\n",
	    "r:2: not understood here: sport" },
	{ V0 "filter 1 deny protocol 255\nend\n", "r:2: no protocol: 255" },
	{ V0 "filter 1 deny protocol tpc\nend\n", "r:2: no protocol: tpc" },
	{ V0 "filter 1 deny from 198.18.0.0\nend\n",
	    "r:2: no prefix: 198.18.0.0" },
	{ V0 "filter 1 deny from 198.18.0.0/15 to ::/0\nend\n",
	    "r:2: of another family: ::/0" },
	{ V0 "filter 1 deny dport 5-4\nend\n", "r:2: no ports: 5-4" },
	{ V0 "filter 1 deny dport 65536\nend\n", "r:2: no ports: 65536" },
	{ V0 "filter 1 deny dport -4\nend\n", "r:2: no ports: -4" },
	{ V0 A0 "route 198.18.9.1/24 dev eth0\nend\n",
	    "r:3: bits set behind the prefix: 198.18.9.1/24" },
	{ V0 A0 "route 10/8 dev eth0\nend\n", "r:3: no prefix: 10/8" },
	{ V0 A0 "route 192.0.2.0/24 via 198.18.0\nend\n",
	    "r:3: no address: 198.18.0" },
	{ V0 A0 "route 192.0.2.0/24 via 198.18.0.256\nend\n",
	    "r:3: no address: 198.18.0.256" },
	{ V0 A0 "route 192.0.2.0/24 via 198.18.00.2\nend\n",
	    "r:3: no address: 198.18.00.2" },
	{ V0 A0 "route 192.0.2.0/24 via 198.18..2\nend\n",
	    "r:3: no address: 198.18..2" },
	{ V0 A0 "route 192.0.2.0/24 via 198.18.0.2.\nend\n",
	    "r:3: no address: 198.18.0.2." },
	{ V0 A0 "route 192.0.2.0/24 via 198.18.0.2x\nend\n",
	    "r:3: no address: 198.18.0.2x" },
	{ V0 A0 "route 192.0.2.0/24 via 0.0.0.0\nend\n",
	    "r:3: no address: 0.0.0.0" },
	{ V0 A0 "route 2001:db8::/32 via 198.18.0.2\nend\n",
	    "r:3: no address: 198.18.0.2" },
	{ V0 A0 "route 192.0.2.0/24\nend\n",
	    "r:3: expected: route PREFIX [via ADDRESS] [dev NAME]" },
	{ V0 A0 "route 192.0.2.0/24 dev eth0 via 198.18.0.2\nend\n",
	    "r:3: expected: route PREFIX [via ADDRESS] [dev NAME]" },
};

static void
errors_name_the_line(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(bad[i][0], &c, &e), -EINVAL);
		assert_string_equal(e.msg, bad[i][1]);
	}
}

static unsigned
fast_paths_of(const char *text)
{
	char path[] = "/tmp/erc-test-XXXXXX";
	int fd = mkstemp(path);
	unsigned n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	n = routerconf_fast_paths(path);
	unlink(path);
	return n;
}

static void
fast_paths_are_known_before_the_rest(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	assert_int_equal(fast_paths_of("generation 7\nfast-paths 3\nend\n"), 3);
	assert_int_equal(fast_paths_of("generation 7\n" V0 "end\n"), 0);
	assert_int_equal(fast_paths_of(V0 "fast-paths 3\nend\n"), 0);
	assert_int_equal(fast_paths_of(""), 0);
	assert_int_equal(routerconf_fast_paths("/nonexistent/conf"), 0);
	assert_int_equal(parse("fast-paths 15\nend\n", &c, &e), 0);
	routerconf_clear(&c);
	assert_int_equal(parse("fast-paths 0\nend\n", &c, &e), -EINVAL);
	assert_int_equal(parse("fast-paths 16\nend\n", &c, &e), -EINVAL);
	assert_int_equal(parse("fast-paths 1 2\nend\n", &c, &e), -EINVAL);
	assert_string_equal(e.msg, "r:1: expected: fast-paths NUMBER, 1 to 15");
}

static void
long_lines_and_zero_bytes_are_refused(void **state)
{
	char text[2048];
	struct routerconf c;
	struct err e;
	FILE *in;

	(void)state;
	memset(text, 'x', sizeof(text));
	strcpy(text + 1000, "\nend\n");
	assert_int_equal(parse(text, &c, &e), -EINVAL);
	assert_string_equal(e.msg, "r:1: line too long, or a zero byte in it");
	in = fmemopen((char[]){ "host\0name r1\nend\n" }, 17, "r");
	assert_int_equal(routerconf_parse(in, "r", &c, &e), -EINVAL);
	fclose(in);
	assert_int_equal(routerconf_read("/nonexistent/x", &c, &e), -ENOENT);
}

static void
addresses_are_bounded(void **state)
{
	char text[2048] = V0;
	struct routerconf c;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < ROUTERCONF_MAX_ADDRESSES; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "address eth0 198.18.%u.1/24\n", i);
	strcat(text, "address eth0 198.19.0.1/24\nend\n");
	assert_int_equal(parse(text, &c, &e), -EINVAL);
	assert_string_equal(e.msg, "r:18: too many addresses: eth0");
}

static struct plan *
plan_of(const char *text)
{
	struct routerconf c;
	struct plan *p;
	struct err e;

	assert_int_equal(parse(text, &c, &e), 0);
	assert_int_equal(plan_make(&c, &p), 0);
	routerconf_clear(&c);
	return p;
}

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

/* Which module does it: the last word counts; nothing said is as ever. */
static void
modules_are_chosen(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	assert_int_equal(parse("end\n", &c, &e), 0);
	assert_false(c.rte_fib || routerconf_wants_acl(&c) || c.gather.size);
	assert_int_equal(parse("distribute 32 100\nlookup rte_fib 1024\n"
			       "filter acl 2\nfilter 1 deny\nend\n",
			     &c, &e),
	    0);
	assert_int_equal(c.gather.size, 32);
	assert_int_equal(c.gather.us, 100);
	assert_true(c.rte_fib);
	assert_int_equal(c.dpdk_mib, 1024);
	assert_false(routerconf_wants_acl(&c)); /* one rule is not two */
	assert_int_equal(parse("filter acl 2\nfilter 1 deny\n"
			       "filter 2 permit\nend\n",
			     &c, &e),
	    0);
	assert_true(routerconf_wants_acl(&c));
	assert_int_equal(parse("distribute 32 100\nlookup rte_fib\n"
			       "filter acl 1\nfilter 1 deny\n"
			       "distribute 1 0\nlookup compact\n"
			       "filter linear\nend\n",
			     &c, &e),
	    0);
	assert_false(c.rte_fib || routerconf_wants_acl(&c) || c.gather.size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_documentation_is_read),
		cmocka_unit_test(twins_are_on_off_or_not_said),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(fast_paths_are_known_before_the_rest),
		cmocka_unit_test(long_lines_and_zero_bytes_are_refused),
		cmocka_unit_test(addresses_are_bounded),
		cmocka_unit_test(a_plan_knows_its_networks),
		cmocka_unit_test(gateways_are_shared_and_connected_wins),
		cmocka_unit_test(routes_that_lead_nowhere_are_left_out),
		cmocka_unit_test(too_many_gateways_are_an_error),
		cmocka_unit_test(routes_of_a_plan_in_use_can_be_changed),
		cmocka_unit_test(ipv6_routes_of_a_plan_in_use_can_be_changed),
		cmocka_unit_test(sources_have_an_order),
		cmocka_unit_test(a_plan_has_the_routes_of_all_sources),
		cmocka_unit_test(modules_are_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
