/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_dpdk: what a router asks of DPDK, behind its modules, in its plans
 * and as a process: rules find what the row of rules finds, routes come at run
 * time, and nobody loads it who does not ask. A build without
 * europa-router-dpdk.so has one of these tests.
 */
#include "lib/base.h"
#include "router/modules.h"
#include "router/packet.h"
#include "router/plan.h"
#include "tests/unit/conf_text.h"
#include "tests/unit/router_dpdk.h"
#include "tests/unit/router_lab.h"

/* --- rules ----------------------------------------------------------------- */

enum { ROUNDS = 60, PACKETS = 640 };

static struct ip6
random_net_address(unsigned family)
{
	if (family == 4)
		return ip6_of_ip4(0xc6120000 | (random32() & 0x10103));
	return (
	    struct ip6){ UINT64_C(0x20010db800000000) | (random32() & 0x10001),
		(uint64_t)(random32() & 1) << 63 | (random32() & 3) };
}

static struct filter_net
random_net(unsigned family)
{
	struct filter_net net = { .len = 0 };

	if (random32() % 3 == 0)
		return net;
	net.len =
	    (uint8_t)(family == 4 ? 96 + random32() % 33 : random32() % 129);
	net.ip = ip6_prefix(random_net_address(family), net.len);
	return net;
}

static void
random_ports(uint16_t *range)
{
	unsigned a = random32() % 5, b = random32() % 5;

	range[0] = 0;
	range[1] = UINT16_MAX;
	if (random32() % 3 != 0)
		return;
	range[0] = (uint16_t)(MIN(a, b) * 100);
	range[1] = (uint16_t)(MAX(a, b) * 100);
}

static struct filter_rule
random_rule(unsigned number)
{
	static const uint8_t families[] = { 0, 4, 6 },
			     protocols[] = { FILTER_ANY_PROTOCOL, IP_TCP,
				     IP_UDP, IP_ICMP, NEXT_ICMP6 };
	struct filter_rule r = {
		.number = (uint8_t)number,
		.action = (uint8_t)(random32() % 3),
		.family = families[random32() % 3],
		.vnic = random32() % 3 ? FILTER_ANY_VNIC
				       : (uint8_t)(random32() % 2),
		.protocol = protocols[random32() % ARRAY_SIZE(protocols)],
	};

	if (r.family) {
		r.src = random_net(r.family);
		r.dst = random_net(r.family);
	}
	random_ports(r.sport);
	random_ports(r.dport);
	return r;
}

/* n different numbers, in any order. */
static unsigned
random_rules(struct filter_rule *rule)
{
	unsigned n = 0, want = 1 + random32() % FILTER_MAX_RULES;

	for (unsigned number = FILTER_MAX_RULES; number > 0; number--)
		if (random32() % FILTER_MAX_RULES < want)
			rule[n++] = random_rule(number);
	return n;
}

static void
random_packet(struct frame *f, bool is_ip4)
{
	static const uint8_t protocols[] = { IP_TCP, IP_UDP, IP_ICMP, 47 };
	uint8_t *ip = f->b + ETH_BYTES, *upper = ip + IP4_BYTES;
	struct ip6 src = random_net_address(is_ip4 ? 4 : 6);
	struct ip6 dst = random_net_address(is_ip4 ? 4 : 6);
	uint8_t protocol = protocols[random32() % ARRAY_SIZE(protocols)];

	memset(f, 0, 128);
	f->len = 90;
	if (is_ip4) {
		ip[0] = 0x45;
		store_be16(ip + IP4_TOTAL, 76);
		/* now and then a later piece, without ports */
		if (random32() % 8 == 0)
			store_be16(ip + IP4_FRAGMENT, 5);
		ip[IP4_PROTOCOL] = protocol;
		store_be32(ip + IP4_SRC, (uint32_t)src.lo);
		store_be32(ip + IP4_DST, (uint32_t)dst.lo);
	} else {
		upper = ip + IP6_BYTES;
		ip[0] = 0x60;
		store_be16(ip + IP6_PAYLOAD, 36);
		ip[IP6_NEXT] = random32() % 4 ? protocol : NEXT_ICMP6;
		ip6_store(ip + IP6_SRC, src);
		ip6_store(ip + IP6_DST, dst);
	}
	store_be16(upper, (uint16_t)(random32() % 5 * 100));
	store_be16(upper + 2, (uint16_t)(random32() % 5 * 100));
}

static void
judge(const struct filter *f, struct batch *b, struct frame *frame, unsigned n,
    uint64_t is6)
{
	struct tables t = { .filter = f };

	for (unsigned i = 0; i < n; i++) {
		b->frame[i] = (struct vnic_frame){
			.data = frame[i].b,
			.len = (uint16_t)frame[i].len,
			.vnic = (uint16_t)(i % 3),
		};
		b->fate[i] = N_FATES;
	}
	batch_begin(b, n);
	b->alive6 = b->alive & is6;
	b->alive &= ~is6;
	filter(&t, b);
}

static void
compare_filters(const struct filter *x, const struct filter *y)
{
	static struct frame frame[BATCH_MAX];
	static struct batch a, b;
	uint64_t is6 = (uint64_t)random32() << 32 | random32();
	unsigned n = 1 + random32() % BATCH_MAX;

	for (unsigned i = 0; i < n; i++)
		random_packet(&frame[i], !(is6 >> i & 1));
	judge(x, &a, frame, n, is6);
	judge(y, &b, frame, n, is6);
	assert_int_equal(a.alive, b.alive);
	assert_int_equal(a.alive6, b.alive6);
	assert_memory_equal(a.fate, b.fate, n);
}

static void
rte_acl_says_what_the_row_says(void **state)
{
	static struct filter_rule rule[FILTER_MAX_RULES];
	static struct filter_hits hits[2];
	const struct dpdk *d = dpdk();
	uint64_t n_hits = 0;

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		unsigned n = random_rules(rule);
		struct filter *x, *y;

		if (n == 0)
			continue;
		assert_int_equal(filter_make(rule, n, &x), 0);
		assert_int_equal(filter_make_by(&d->acl, rule, n, &y), 0);
		/* what rules have counted outlives them */
		x->hits = &hits[0];
		y->hits = &hits[1];
		for (unsigned i = 0; i < PACKETS / BATCH_MAX; i++)
			compare_filters(x, y);
		filter_put(x);
		filter_put(y);
	}
	for (unsigned i = 0; i <= FILTER_MAX_RULES; i++) {
		uint64_t x = atomic_load_explicit(
		    &hits[0].packets[i], memory_order_relaxed);
		uint64_t y = atomic_load_explicit(
		    &hits[1].packets[i], memory_order_relaxed);

		assert_int_equal(x, y);
		n_hits += x;
	}
	assert_true(n_hits > 5000);
}

/* --- plans ------------------------------------------------------------------ */

static const char plan_text[] = "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n"
				"address eth0 198.18.0.1/24\n"
				"address eth0 2001:db8::1/64\n"
				"route 198.19.0.0/16 via 198.18.0.7\n"
				"route 2001:db8:9::/48 via 2001:db8::7\n"
				"lookup rte_fib\n"
				"end\n";

static struct route
route_to(const char *prefix, unsigned len, bool is6)
{
	struct route r = { .is6 = is6,
		.len = (uint8_t)len,
		.dev = ROUTERCONF_NO_DEV,
		.source = ROUTE_API };
	uint8_t bytes[16];

	if (is6) {
		frame_ip6_address(prefix, bytes);
		r.prefix = ip6_load(bytes);
		frame_ip6_address("2001:db8::7", bytes);
		r.via = ip6_load(bytes);
	} else {
		r.prefix = ip6_of_ip4(frame_ip(prefix));
		r.via = ip6_of_ip4(frame_ip("198.18.0.7"));
	}
	return r;
}

static struct tables *
tables_of(const struct plan *p)
{
	static const struct port ports[VNIC_MAX_VNICS] = { { .up = 1,
	    .mtu = 1500 } };
	static uint8_t used[1];
	struct tables *t = tables_make(p, ports, NULL, 0, used);

	assert_non_null(t);
	return t;
}

/* A route at run time: those who look up see it in the next tables. */
static void
a_route_is_in_the_next_tables(void **state)
{
	static const struct {
		const char *prefix;
		unsigned len;
		bool is6;
	} routes[] = { { "198.20.0.0", 16, false },
		{ "2001:db8:a::", 48, true } };
	struct tables *before, *after;
	struct plan *p;
	uint16_t hop4, hop6;
	struct ip6 dst6;

	(void)state;
	dpdk();
	p = plan_of(plan_text);
	before = tables_of(p);
	dst6 = route_to("2001:db8:9::", 48, true).prefix;
	hop4 = tables_route(before, frame_ip("198.19.1.2"));
	hop6 = tables_route6(before, dst6);
	assert_true(hop4 != HOP_I_NONE && hop6 != HOP_I_NONE);
	for (unsigned i = 0; i < ARRAY_SIZE(routes); i++) {
		struct route r =
		    route_to(routes[i].prefix, routes[i].len, routes[i].is6);

		assert_int_equal(plan_prepare(p, &r), 0);
		assert_int_equal(plan_change(p, &r, true), 1);
		/* nobody has the new table yet */
		assert_int_equal(plan_change(p, &r, true), 0);
	}
	after = tables_of(p);
	dst6 = route_to("2001:db8:a::", 48, true).prefix;
	assert_int_equal(tables_route(before, frame_ip("198.20.1.2")), 0);
	assert_int_equal(tables_route6(before, dst6), 0);
	assert_int_equal(tables_route(after, frame_ip("198.20.1.2")), hop4);
	assert_int_equal(tables_route6(after, dst6), hop6);
	tables_free(before);
	plan_free(p);
	assert_int_equal(tables_route(after, frame_ip("198.20.1.2")), hop4);
	tables_free(after);
}

/* --- in a router ------------------------------------------------------------ */

static bool
has_dpdk(const struct router_rig *r)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)r->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, "dpdk") || strstr(line, "librte");
	fclose(f);
	return found;
}

static void
forward_one(struct router_rig *r)
{
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
a_router_loads_it_when_it_is_asked_to(void **state)
{
	struct router_rig r;

	(void)state;
	dpdk();
	router_rig_open(&r, 1400);
	router_rig_configure(&r, CONF END);
	lab_start(&r);
	lab_resolve_b(&r);
	forward_one(&r);
	assert_false(has_dpdk(&r));
	router_rig_configure(&r, "lookup rte_fib 96\nfilter acl 1\n" CONF
				 "filter 3 deny protocol udp dport 9\n" END);
	assert_true(router_rig_await(&r, "tables_published", 3) >= 3);
	forward_one(&r);
	assert_true(has_dpdk(&r));
	router_rig_check(&r);
	router_rig_close(&r);
}

/* Not the same again at once: packets flow. */
static void
who_was_killed_begins_without_it(void **state)
{
	struct router_rig r;

	(void)state;
	assert_int_equal(
	    setenv("EUROPA_ROUTER_DPDK", "/nonexistent/x.so", 1), 0);
	assert_int_equal(setenv("EUROPA_LAST_END", "9", 1), 0);
	router_rig_open(&r, 1400);
	router_rig_configure(&r, "lookup rte_fib\n" CONF END);
	lab_start(&r);
	assert_int_equal(unsetenv("EUROPA_LAST_END"), 0);
	lab_resolve_b(&r);
	forward_one(&r);
	router_rig_check(&r);
	router_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_killed_begins_without_it),
		/* of DPDK: */
		cmocka_unit_test(rte_acl_says_what_the_row_says),
		cmocka_unit_test(a_route_is_in_the_next_tables),
		cmocka_unit_test(a_router_loads_it_when_it_is_asked_to),
	};
	size_t n = ARRAY_SIZE(tests) - (TEST_DPDK ? 0 : 3);

	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
