/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_arp: the table of neighbours with a clock that the test moves and
 * a wire that keeps what was sent.
 */
#include "router/arp.h"

#include "tests/unit/frame_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OWN_MAC "0a:00:00:00:00:01"
#define MAC_B "0e:00:00:00:00:bb"
#define MAC_C "0e:00:00:00:00:cc"
#define OWN_IP "198.18.0.1"
#define IP_B "198.18.0.7"

struct fixture {
	struct arp *a;
	uint8_t used[NEIGH_MAX];
	struct counters count;
	struct iface iface[VNIC_MAX_VNICS];
	uint64_t now;
	unsigned n_sent;
	unsigned n_unreachable;
	struct frame last; /* sent */
	unsigned last_vnic;
};

static void
on_send(void *arg, struct packet *p)
{
	struct fixture *x = arg;

	x->n_sent++;
	x->last.len = p->len;
	memcpy(x->last.b, p->bytes, p->len);
	x->last_vnic = p->vnic;
	free(p);
}

static void
on_unreachable(void *arg, struct packet *p)
{
	((struct fixture *)arg)->n_unreachable++;
	free(p);
}

static const struct neigh_io ops = { on_send, on_unreachable };

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	x->now = 1000000;
	for (unsigned i = 0; i < 2; i++) {
		x->iface[i].up = true;
		frame_mac(OWN_MAC, x->iface[i].mac);
		x->iface[i].mac[5] = (uint8_t)(i + 1);
		x->iface[i].n = 1;
		x->iface[i].address[0] =
		    (struct address4){ frame_ip(OWN_IP) + (i << 8), 24 };
	}
	assert_int_equal(arp_new(&ops, x, &x->count, x->used, &x->a), 0);
	arp_set_ifaces(x->a, x->iface);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	arp_free(x->a);
	free(x);
	return 0;
}

/* A packet for ip at vNIC 0, marked by n. */
static void
output(struct fixture *x, const char *ip, uint8_t n)
{
	struct packet *p = packet_new(60);

	memset(p->bytes, n, 60);
	arp_output(x->a, frame_ip(ip), p, x->now);
}

static void
hear(struct fixture *x, int op, const char *mac, const char *ip,
    const char *to_ip)
{
	struct frame f;

	frame_arp(&f, op, mac, ip, op == 2 ? OWN_MAC : NULL, to_ip);
	arp_input(x->a, 0, f.b, f.len, x->now);
}

static uint64_t
advance(struct fixture *x, uint64_t ms)
{
	x->now += ms;
	return arp_tick(x->a, x->now);
}

static uint64_t
counted(const struct fixture *x, enum counter which)
{
	return count_read(&x->count, which);
}

static unsigned
n_known(const struct fixture *x)
{
	struct neighbour nb[NEIGH_MAX];

	return arp_list(x->a, nb);
}

static void
make_known(struct fixture *x)
{
	output(x, IP_B, 1);
	hear(x, 2, MAC_B, IP_B, OWN_IP);
	assert_int_equal(n_known(x), 1);
	assert_true(arp_changed(x->a));
	assert_false(arp_changed(x->a));
}

static void
a_packet_asks_and_is_sent_when_answered(void **state)
{
	struct fixture *x = *state;
	struct neighbour nb[NEIGH_MAX];
	struct frame expected;
	uint8_t mac[6];

	output(x, IP_B, 0x55);
	assert_int_equal(x->n_sent, 1);
	frame_arp(&expected, 1, OWN_MAC, OWN_IP, NULL, IP_B);
	assert_memory_equal(x->last.b, expected.b, 60);
	output(x, IP_B, 0x66);
	assert_int_equal(x->n_sent, 1); /* one question is enough */
	assert_false(arp_changed(x->a));
	hear(x, 2, MAC_B, IP_B, OWN_IP);
	assert_int_equal(x->n_sent, 3);
	frame_mac(MAC_B, mac);
	assert_memory_equal(x->last.b, mac, 6);
	frame_mac(OWN_MAC, mac);
	assert_memory_equal(x->last.b + 6, mac, 6);
	assert_int_equal(x->last.b[20], 0x66); /* in their order */
	assert_true(arp_changed(x->a));
	assert_int_equal(arp_list(x->a, nb), 1);
	assert_int_equal(nb[0].ip, frame_ip(IP_B));
	assert_int_equal(nb[0].vnic, 0);
	output(x, IP_B, 0x77);
	assert_int_equal(x->n_sent, 4);
}

static void
strangers_are_not_learned(void **state)
{
	struct fixture *x = *state;

	hear(x, 2, MAC_B, IP_B, OWN_IP);
	hear(x, 2, MAC_B, IP_B, IP_B);
	assert_int_equal(counted(x, COUNT_ARP_IGNORED), 2);
	hear(x, 1, MAC_B, IP_B, OWN_IP); /* answered, not learned */
	assert_int_equal(x->n_sent, 1);
	assert_int_equal(counted(x, COUNT_ARP_REPLY_SENT), 1);
	assert_int_equal(n_known(x), 0);
	/* at the wrong vNIC */
	output(x, IP_B, 1);
	frame_arp(&x->last, 2, MAC_B, IP_B, OWN_MAC, OWN_IP);
	arp_input(x->a, 1, x->last.b, 60, x->now);
	assert_int_equal(n_known(x), 0);
}

static void
a_known_neighbour_may_move(void **state)
{
	struct fixture *x = *state;
	struct neighbour nb[NEIGH_MAX];
	uint8_t mac[6];

	make_known(x);
	hear(x, 1, MAC_C, IP_B, IP_B); /* gratuitous */
	assert_true(arp_changed(x->a));
	assert_int_equal(arp_list(x->a, nb), 1);
	frame_mac(MAC_C, mac);
	assert_memory_equal(nb[0].mac, mac, 6);
	hear(x, 1, MAC_C, IP_B, IP_B);
	assert_false(arp_changed(x->a)); /* nothing new */
}

static void
bad_frames_are_counted(void **state)
{
	struct fixture *x = *state;
	struct frame f, good;

	frame_arp(&good, 2, MAC_B, IP_B, OWN_MAC, OWN_IP);
	output(x, IP_B, 1);
	for (unsigned len = 14; len < 42; len++)
		arp_input(x->a, 0, good.b, len, x->now);
	for (unsigned at = 14; at < 22; at++) { /* types, sizes, operation */
		f = good;
		f.b[at] ^= 0x80;
		arp_input(x->a, 0, f.b, f.len, x->now);
	}
	f = good; /* speaks for another */
	f.b[22] ^= 2;
	arp_input(x->a, 0, f.b, f.len, x->now);
	f = good;
	f.b[6] = f.b[22] = 0x0f; /* a group */
	arp_input(x->a, 0, f.b, f.len, x->now);
	f = good;
	f.b[28] = 224;
	arp_input(x->a, 0, f.b, f.len, x->now);
	assert_int_equal(counted(x, COUNT_ARP_BAD), 28 + 8 + 3);
	hear(x, 2, MAC_B, OWN_IP, OWN_IP);
	assert_int_equal(counted(x, COUNT_ARP_CONFLICT), 1);
	assert_int_equal(n_known(x), 0);
	arp_input(x->a, 0, good.b, 42, x->now);
	assert_int_equal(n_known(x), 1);
}

static void
three_questions_and_then_it_has_failed(void **state)
{
	struct fixture *x = *state;

	output(x, IP_B, 1);
	output(x, IP_B, 2);
	assert_int_equal(advance(x, 0), 1000);
	advance(x, 999);
	assert_int_equal(x->n_sent, 1);
	advance(x, 1);
	assert_int_equal(x->n_sent, 2);
	advance(x, 1000);
	assert_int_equal(x->n_sent, 3);
	assert_int_equal(x->n_unreachable, 0);
	assert_int_equal(advance(x, 1000), NEIGH_FAILED_MS);
	assert_int_equal(x->n_sent, 3);
	assert_int_equal(x->n_unreachable, 2);
	assert_int_equal(counted(x, COUNT_ARP_FAILED), 1);
	/* the last question is 1 s old: one more may be asked */
	output(x, IP_B, 3);
	assert_int_equal(x->n_sent, 4);
	hear(x, 2, MAC_B, IP_B, OWN_IP);
	assert_int_equal(n_known(x), 1);
	assert_int_equal(x->n_sent, 5);
}

static void
a_failed_one_is_a_stranger_and_is_forgotten(void **state)
{
	struct fixture *x = *state;

	output(x, IP_B, 1);
	for (unsigned i = 0; i < 3; i++)
		advance(x, 1000);
	hear(x, 2, MAC_B, IP_B, OWN_IP);
	assert_int_equal(n_known(x), 0);
	assert_int_equal(advance(x, NEIGH_FAILED_MS), UINT64_MAX);
}

static void
one_question_per_second_at_most(void **state)
{
	struct fixture *x = *state;

	for (unsigned ms = 0; ms < 60000; ms += 10) {
		output(x, IP_B, 1);
		advance(x, 10);
	}
	assert_in_range(counted(x, COUNT_ARP_REQUEST_SENT), 50, 60);
	assert_int_equal(x->n_sent, counted(x, COUNT_ARP_REQUEST_SENT));
}

static void
who_is_used_is_asked_again_alone(void **state)
{
	struct fixture *x = *state;
	uint8_t mac[6];

	make_known(x);
	x->used[0] = 1;
	x->n_sent = 0;
	advance(x, 59999);
	assert_int_equal(x->n_sent, 0);
	advance(x, 1);
	assert_int_equal(x->n_sent, 1);
	frame_mac(MAC_B, mac);
	assert_memory_equal(x->last.b, mac, 6); /* unicast */
	assert_int_equal(n_known(x), 1);        /* and in use all the time */
	assert_false(arp_changed(x->a));
	advance(x, 1000);
	hear(x, 2, MAC_B, IP_B, OWN_IP);
	assert_false(arp_changed(x->a));
	x->used[0] = 1;
	for (unsigned i = 0; i < 3; i++)
		advance(x, i ? 1000 : 60000);
	assert_int_equal(n_known(x), 1);
	advance(x, 1000);
	assert_int_equal(n_known(x), 0);
	assert_true(arp_changed(x->a));
	assert_int_equal(counted(x, COUNT_ARP_FAILED), 1);
}

static void
who_is_not_used_is_forgotten(void **state)
{
	struct fixture *x = *state;

	make_known(x);
	x->used[0] = 0;
	x->n_sent = 0;
	assert_int_equal(advance(x, 60000), UINT64_MAX);
	assert_int_equal(x->n_sent, 0);
	assert_int_equal(n_known(x), 0);
	assert_true(arp_changed(x->a));
}

static void
waiting_packets_are_bounded(void **state)
{
	struct fixture *x = *state;
	char ip[32];

	for (unsigned i = 0; i < 20; i++)
		output(x, IP_B, 1);
	assert_int_equal(counted(x, COUNT_ARP_PENDING_DROPPED), 12);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(ip, sizeof(ip), "198.18.0.%u", 10 + i % 200);
		output(x, ip, 1);
	}
	assert_int_equal(counted(x, COUNT_ARP_PENDING_DROPPED),
	    12 + 1000 - (NEIGH_MAX_ALL_PENDING - NEIGH_MAX_PENDING));
}

static void
the_table_is_bounded_and_keeps_the_good(void **state)
{
	struct fixture *x = *state;

	make_known(x);
	x->n_sent = 0;
	for (unsigned i = 0; i < 3 * NEIGH_MAX; i++) {
		struct packet *p = packet_new(60);

		x->now++;
		arp_output(x->a, 0xc6130000 + i, p, x->now);
	}
	assert_int_equal(n_known(x), 1);
	/* questions are limited too: 500 per second and a burst of 100 */
	assert_in_range(x->n_sent, 2000, 100 + 3 * NEIGH_MAX / 2 + 1);
	assert_true(counted(x, COUNT_ARP_LIMITED) > 0);
	output(x, IP_B, 9);
	assert_int_equal(x->last.b[20], 9);
}

/* For ip at vNIC 1. */
static void
output_at_1(struct fixture *x, uint32_t ip)
{
	struct packet *p = packet_new(60);

	memset(p->bytes, 7, 60);
	p->vnic = 1;
	arp_output(x->a, ip, p, x->now);
}

static void
answer_at(struct fixture *x, unsigned vnic, uint32_t ip)
{
	char text[16];
	struct frame f;

	snprintf(text, sizeof(text), "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
	    ip >> 8 & 255, ip & 255);
	frame_arp(&f, 2, MAC_B, text, OWN_MAC, OWN_IP);
	arp_input(x->a, vnic, f.b, f.len, x->now);
}

/* Somebody sends to all addresses of the network at vNIC 0. */
static void
a_flood_at_one_vnic_delays_nobody_at_another(void **state)
{
	struct fixture *x = *state;
	const uint32_t ip = frame_ip("198.18.1.7");

	for (unsigned i = 0; i < 4 * NEIGH_MAX; i++) {
		struct packet *p = packet_new(60);

		memset(p->bytes, 0, 60);
		arp_output(x->a, 0xc6140000 + i, p, x->now);
		if (i != 2 * NEIGH_MAX)
			continue;
		x->n_sent = 0;
		output_at_1(x, ip);
		assert_int_equal(x->n_sent, 1); /* asked at once */
		assert_int_equal(x->last_vnic, 1);
	}
	/* it was not pushed out meanwhile */
	answer_at(x, 1, ip);
	assert_int_equal(n_known(x), 1);
}

/* Somebody at vNIC 0 says to be all of them. */
static void
neighbours_at_one_vnic_leave_room_for_another(void **state)
{
	struct fixture *x = *state;
	unsigned n = 0;

	for (unsigned i = 0; i < NEIGH_MAX; i++) {
		struct packet *p = packet_new(60);

		memset(p->bytes, 0, 60);
		x->now += 2;
		arp_output(x->a, 0xc6140001 + i, p, x->now);
		answer_at(x, 0, 0xc6140001 + i);
	}
	assert_int_equal(n_known(x), NEIGH_MAX);
	for (unsigned i = 0; i < 200; i++, x->now += 2) {
		output_at_1(x, frame_ip("198.18.1.7") + i);
		n += counted(x, COUNT_ARP_TABLE_FULL) == 0;
		answer_at(x, 1, frame_ip("198.18.1.7") + i);
	}
	assert_int_equal(n, NEIGH_SHARE);
	assert_int_equal(n_known(x), NEIGH_MAX);
}

static void
a_vnic_that_goes_down_takes_its_neighbours(void **state)
{
	struct fixture *x = *state;

	make_known(x);
	output(x, "198.18.0.8", 1);
	x->iface[0].up = false;
	arp_set_ifaces(x->a, x->iface);
	assert_true(arp_changed(x->a));
	assert_int_equal(n_known(x), 0);
	assert_int_equal(counted(x, COUNT_ARP_PENDING_DROPPED), 1);
	hear(x, 1, MAC_B, IP_B, OWN_IP);
	assert_int_equal(counted(x, COUNT_ARP_REPLY_SENT), 0);
}

static void
an_address_probe_is_answered(void **state)
{
	struct fixture *x = *state;

	hear(x, 1, MAC_B, "0.0.0.0", OWN_IP); /* RFC 5227 */
	assert_int_equal(counted(x, COUNT_ARP_REPLY_SENT), 1);
	assert_int_equal(n_known(x), 0);
}

static void
an_announcement_names_us_twice(void **state)
{
	struct fixture *x = *state;
	struct frame expected;

	arp_announce(x->a, 1, frame_ip("198.18.1.1"));
	assert_int_equal(x->n_sent, 1);
	assert_int_equal(x->last_vnic, 1);
	frame_arp(&expected, 1, "0a:00:00:00:00:02", "198.18.1.1", NULL,
	    "198.18.1.1");
	assert_memory_equal(x->last.b, expected.b, 60);
	assert_int_equal(counted(x, COUNT_ARP_ANNOUNCED), 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_packet_asks_and_is_sent_when_answered),
		TEST(strangers_are_not_learned),
		TEST(a_known_neighbour_may_move),
		TEST(bad_frames_are_counted),
		TEST(three_questions_and_then_it_has_failed),
		TEST(a_failed_one_is_a_stranger_and_is_forgotten),
		TEST(one_question_per_second_at_most),
		TEST(who_is_used_is_asked_again_alone),
		TEST(who_is_not_used_is_forgotten),
		TEST(waiting_packets_are_bounded),
		TEST(the_table_is_bounded_and_keeps_the_good),
		TEST(a_flood_at_one_vnic_delays_nobody_at_another),
		TEST(neighbours_at_one_vnic_leave_room_for_another),
		TEST(a_vnic_that_goes_down_takes_its_neighbours),
		TEST(an_address_probe_is_answered),
		TEST(an_announcement_names_us_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
