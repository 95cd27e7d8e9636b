/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_nd: Neighbour Discovery with a clock that the test moves and a
 * wire that keeps what was sent; its frames against those that scapy made. The
 * table is that of test_router_arp, where its states are tested.
 */
#include "router/nd_internal.h"

#include "tests/unit/frame_maker.h"
#include "tests/unit/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OWN_MAC "0a:00:00:00:00:01"
#define MAC_A "0e:00:00:00:00:aa"
#define MAC_C "0e:00:00:00:00:cc"
#define OWN "2001:db8::1"
#define OWN_LINK "fe80::800:ff:fe00:1"
#define A "2001:db8::2"
#define ASKED_A "ff02::1:ff00:2"
#define ASKED_OWN "ff02::1:ff00:1"

struct fixture {
	struct nd *d;
	uint8_t used[NEIGH_MAX];
	struct counters count;
	struct iface iface[VNIC_MAX_VNICS];
	uint64_t now;
	unsigned n_sent;
	unsigned n_unreachable;
	struct frame last; /* sent */
};

static struct ip6
address(const char *text)
{
	uint8_t bytes[16];

	frame_ip6_address(text, bytes);
	return ip6_load(bytes);
}

static void
on_send(void *arg, struct packet *p)
{
	struct fixture *x = arg;

	x->n_sent++;
	x->last.len = p->len;
	memcpy(x->last.b, p->bytes, p->len);
	free(p);
}

static void
on_unreachable(void *arg, struct packet *p)
{
	((struct fixture *)arg)->n_unreachable++;
	free(p);
}

static const struct neigh_io io = { on_send, on_unreachable };

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct iface *f = &x->iface[0];

	x->now = 1000000;
	f->up = true;
	frame_mac(OWN_MAC, f->mac);
	f->n6 = 2;
	f->address6[0] = (struct address6){ address(OWN), 64 };
	f->address6[1] = (struct address6){ ip6_link_local(f->mac), 64 };
	assert_int_equal(nd_new(&io, x, &x->count, x->used, &x->d), 0);
	nd_set_ifaces(x->d, x->iface);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	nd_free(x->d);
	free(x);
	return 0;
}

static void
output(struct fixture *x, const char *ip)
{
	struct packet *p = packet_new(60);

	memset(p->bytes, 0, 60);
	nd_output(x->d, address(ip), p, x->now);
}

static void
hear(struct fixture *x, const struct frame *f)
{
	nd_input(x->d, 0, f->b, x->now);
}

static uint64_t
counted(const struct fixture *x, enum counter which)
{
	return count_read(&x->count, which);
}

static unsigned
n_known(const struct fixture *x, const char *mac)
{
	static struct neighbour nb[NEIGH_MAX];
	uint8_t bytes[6];
	unsigned n = nd_list(x->d, NEIGH_MAX, nb);

	for (unsigned i = 0; i < n; i++) {
		frame_mac(mac, bytes);
		assert_memory_equal(nb[i].mac, bytes, 6);
		assert_int_equal(nb[i].ip, 0);
		assert_true(nb[i].index >= NEIGH_MAX);
	}
	return n;
}

/* --- frames --------------------------------------------------------------- */

static void
frames_are_those_of_scapy(void **state)
{
	struct fixture *x = *state;
	static struct golden g;
	unsigned n = 0;

	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "nd", 6); n++) {
		struct nd_msg m = {
			.type = (enum nd_type)atoi(g.word[1]),
			.solicited = strcmp(g.word[4], "ff02::1") != 0,
			.override = true,
			.src = address(g.word[3]),
			.dst = address(g.word[4]),
			.target = address(g.word[5]),
		};
		uint8_t mac[6] = { 0 };
		struct packet *p;
		struct frame f;

		if (g.word[2][0] != '-')
			frame_mac(g.word[2], mac);
		f.len = frame_hex(g.word[6], f.b, FRAME_MAX);
		p = nd_frame(&x->iface[0], 0, &m, mac);
		assert_non_null(p);
		assert_int_equal(p->len, f.len);
		assert_memory_equal(p->bytes, f.b, f.len);
		free(p);
	}
	assert_int_equal(n, 4);
}

static void
frames_of_scapy_are_understood(void **state)
{
	static struct golden g;
	unsigned n = 0;

	(void)state;
	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "hear", 6); n++) {
		uint8_t mac[6];
		struct nd_msg m;
		struct frame f;

		frame_hex(g.word[6], f.b, FRAME_MAX);
		assert_int_equal(nd_parse(f.b, &m), 0);
		assert_int_equal(m.type, atoi(g.word[1]));
		assert_int_equal(m.has_mac, g.word[2][0] != '-');
		if (m.has_mac) {
			frame_mac(g.word[2], mac);
			assert_memory_equal(m.mac, mac, 6);
		}
		assert_true(ip6_is_equal(m.src, address(g.word[3])));
		assert_true(ip6_is_equal(m.dst, address(g.word[4])));
		assert_true(ip6_is_equal(m.target, address(g.word[5])));
	}
	assert_int_equal(n, 3);
}

/* RFC 4861, 7.1.1 and 7.1.2. */
static void
wrong_messages_are_not_believed(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} wrong[] = {
		{ 21, 254 },  /* hop limit */
		{ 55, 1 },    /* code */
		{ 62, 0xff }, /* target: a group */
		{ 79, 0 },    /* an option without a length */
		{ 79, 2 },    /* and one that is too long */
		{ 80, 1 },    /* its MAC: a group's */
		{ 22, 0xff }, /* source: a group */
	};
	struct fixture *x = *state;
	struct frame f;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		frame_nd(&f, 135, MAC_A, A, ASKED_OWN, OWN);
		f.b[wrong[i].at] = wrong[i].value;
		frame_fix_icmp6(&f);
		hear(x, &f);
		assert_int_equal(counted(x, COUNT_ND_BAD), ++n);
	}
	frame_nd(&f, 135, MAC_A, A, ASKED_OWN, OWN);
	f.b[70] ^= 1; /* checksum */
	hear(x, &f);
	/* who has no address has no option, and asks the group */
	frame_nd(&f, 135, MAC_A, "::", ASKED_OWN, OWN);
	hear(x, &f);
	frame_nd(&f, 135, NULL, "::", OWN, OWN);
	hear(x, &f);
	/* an answer to everybody answers nobody */
	frame_nd(&f, 136, MAC_A, A, "ff02::1", A);
	hear(x, &f);
	frame_nd(&f, 135, MAC_A, A, ASKED_OWN, OWN);
	f.b[19] = 23; /* too short */
	frame_fix_icmp6(&f);
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_BAD), n + 5);
	assert_int_equal(x->n_sent, 0);
	/* router solicitations and the like are for others */
	frame_nd(&f, 133, MAC_A, A, "ff02::2", A);
	hear(x, &f);
	/* and a redirect is nobody's who is a router */
	frame_nd(&f, 137, MAC_A, "fe80::2", OWN, A);
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_IGNORED), 2);
	assert_int_equal(n_known(x, MAC_A), 0);
}

/* --- what is said --------------------------------------------------------- */

static void
our_addresses_are_told_to_who_asks(void **state)
{
	struct fixture *x = *state;
	struct frame f;

	frame_nd(&f, 135, MAC_A, A, ASKED_OWN, OWN);
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_ADVERTISEMENT_SENT), 1);
	assert_int_equal(x->last.b[54], 136);
	assert_int_equal(x->last.b[58], 0xe0); /* router, solicited, override */
	assert_memory_equal(x->last.b, f.b + 6, 6);
	assert_memory_equal(x->last.b + 38, f.b + 22, 16);
	assert_memory_equal(x->last.b + 62, f.b + 62, 16);
	assert_int_equal(frame_sum6(&x->last), 0);
	/* is the address free? No; and this is told to all */
	frame_nd(&f, 135, NULL, "::", ASKED_OWN, OWN);
	hear(x, &f);
	assert_int_equal(x->last.b[58], 0xa0);
	assert_memory_equal(x->last.b, "\x33\x33\0\0\0\1", 6);
	frame_nd(&f, 135, MAC_A, "fe80::2", OWN_LINK, OWN_LINK);
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_ADVERTISEMENT_SENT), 3);
	frame_nd(&f, 135, MAC_A, A, "ff02::1:ff00:9", "2001:db8::9");
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_IGNORED), 1);
	/* nobody is learned from a question */
	assert_int_equal(n_known(x, MAC_A), 0);
	/* somebody has our address */
	frame_nd(&f, 135, MAC_A, OWN, ASKED_A, A);
	hear(x, &f);
	frame_nd(&f, 136, MAC_A, A, OWN, OWN);
	hear(x, &f);
	assert_int_equal(counted(x, COUNT_ND_CONFLICT), 2);
}

static void
a_neighbour_is_asked_for_and_then_known(void **state)
{
	struct fixture *x = *state;
	struct frame f;

	output(x, A);
	assert_int_equal(counted(x, COUNT_ND_SOLICITATION_SENT), 1);
	assert_memory_equal(x->last.b, "\x33\x33\xff\0\0\2", 6);
	assert_int_equal(frame_sum6(&x->last), 0);
	/* an answer without a MAC says nothing */
	frame_nd(&f, 136, NULL, A, OWN, A);
	hear(x, &f);
	assert_int_equal(x->n_sent, 1);
	frame_nd(&f, 136, MAC_A, A, OWN, A);
	hear(x, &f);
	assert_int_equal(x->n_sent, 2); /* the packet */
	assert_memory_equal(x->last.b, f.b + 6, 6);
	assert_true(nd_changed(x->d));
	assert_int_equal(n_known(x, MAC_A), 1);
	/* the same from a stranger that was not asked */
	frame_nd(&f, 136, MAC_C, "2001:db8::9", OWN, "2001:db8::9");
	hear(x, &f);
	assert_int_equal(n_known(x, MAC_A), 1);
	/* used: it is asked alone, and an answer without a MAC is enough */
	x->used[0] = 1;
	x->now += NEIGH_REACHABLE_MS;
	nd_tick(x->d, x->now);
	assert_int_equal(counted(x, COUNT_ND_SOLICITATION_SENT), 2);
	frame_mac(MAC_A, f.b);
	assert_memory_equal(x->last.b, f.b, 6);
	frame_nd(&f, 136, NULL, A, OWN, A);
	hear(x, &f);
	for (unsigned i = 0; i < 5; i++) {
		x->now += NEIGH_RETRY_MS;
		nd_tick(x->d, x->now);
	}
	assert_int_equal(counted(x, COUNT_ND_SOLICITATION_SENT), 2);
	assert_int_equal(n_known(x, MAC_A), 1);
}

/* RFC 4861, 7.2.5. */
static void
only_an_override_changes_a_mac(void **state)
{
	struct fixture *x = *state;
	struct frame f;

	output(x, A);
	frame_nd(&f, 136, MAC_A, A, OWN, A);
	hear(x, &f);
	frame_nd(&f, 136, MAC_C, A, OWN, A);
	f.b[58] = 0x40;
	frame_fix_icmp6(&f);
	hear(x, &f);
	assert_int_equal(n_known(x, MAC_A), 1);
	f.b[58] = 0x20;
	frame_fix_icmp6(&f);
	hear(x, &f);
	assert_int_equal(n_known(x, MAC_C), 1);
}

static void
who_does_not_answer_is_unreachable(void **state)
{
	struct fixture *x = *state;

	output(x, A);
	output(x, "fe80::7"); /* asked in the name of our link-local one */
	assert_memory_equal(x->last.b + 22, "\xfe\x80", 2);
	for (unsigned i = 0; i < 3; i++) {
		x->now += NEIGH_RETRY_MS;
		nd_tick(x->d, x->now);
	}
	assert_int_equal(x->n_unreachable, 2);
	assert_int_equal(counted(x, COUNT_ND_SOLICITATION_SENT), 6);
	assert_int_equal(counted(x, COUNT_ND_FAILED), 2);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frames_are_those_of_scapy),
		TEST(frames_of_scapy_are_understood),
		TEST(wrong_messages_are_not_believed),
		TEST(our_addresses_are_told_to_who_asks),
		TEST(a_neighbour_is_asked_for_and_then_known),
		TEST(only_an_override_changes_a_mac),
		TEST(who_does_not_answer_is_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
