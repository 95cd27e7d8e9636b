/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_conf: router.conf as the node writes it, and as it never should.
 * The plan that comes of it: test_router_plan.c.
 */
#include "router/plan.h"

#include "lib/base.h"
#include "tests/unit/conf_text.h"
#include "tests/unit/frame_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
the_example_of_the_documentation_is_read(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	assert_int_equal(
	    conf_of(
		"# of the node\ngeneration 7\nhostname r1\n" V0 A0
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
	assert_int_equal(conf_of(V0 A0 "end\n", &c, &e), 0);
	assert_int_equal(c.twins, ROUTERCONF_NOT_SAID);
	assert_int_equal(conf_of("twins off\n" V0 A0 "end\n", &c, &e), 0);
	assert_int_equal(c.twins, ROUTERCONF_OFF);
	assert_int_equal(plan_make(&c, &p), 0);
	assert_false(p->twins);
	plan_free(p);
	assert_int_equal(conf_of("twins on\n" V0 A0 "end\n", &c, &e), 0);
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
		assert_int_equal(conf_of(bad[i][0], &c, &e), -EINVAL);
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
	assert_int_equal(conf_of("fast-paths 15\nend\n", &c, &e), 0);
	routerconf_clear(&c);
	assert_int_equal(conf_of("fast-paths 0\nend\n", &c, &e), -EINVAL);
	assert_int_equal(conf_of("fast-paths 16\nend\n", &c, &e), -EINVAL);
	assert_int_equal(conf_of("fast-paths 1 2\nend\n", &c, &e), -EINVAL);
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
	assert_int_equal(conf_of(text, &c, &e), -EINVAL);
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
	assert_int_equal(conf_of(text, &c, &e), -EINVAL);
	assert_string_equal(e.msg, "r:18: too many addresses: eth0");
}

/* Which module does it: the last word counts; nothing said is as ever. */
static void
modules_are_chosen(void **state)
{
	struct routerconf c;
	struct err e;

	(void)state;
	assert_int_equal(conf_of("end\n", &c, &e), 0);
	assert_false(c.rte_fib || routerconf_wants_acl(&c) || c.gather.size);
	assert_int_equal(conf_of("distribute 32 100\nlookup rte_fib 1024\n"
				 "filter acl 2\nfilter 1 deny\nend\n",
			     &c, &e),
	    0);
	assert_int_equal(c.gather.size, 32);
	assert_int_equal(c.gather.us, 100);
	assert_true(c.rte_fib);
	assert_int_equal(c.dpdk_mib, 1024);
	assert_false(routerconf_wants_acl(&c)); /* one rule is not two */
	assert_int_equal(conf_of("filter acl 2\nfilter 1 deny\n"
				 "filter 2 permit\nend\n",
			     &c, &e),
	    0);
	assert_true(routerconf_wants_acl(&c));
	assert_int_equal(conf_of("distribute 32 100\nlookup rte_fib\n"
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
		cmocka_unit_test(modules_are_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
