/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_process: packets through the complete europa-router, started as
 * an init would start it, and what comes out; configurations, restarts, ends.
 */
#include "tests/unit/router_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
the_first_packet_waits_for_arp_and_the_next_are_fast(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	for (unsigned i = 0; i < 100; i++) {
		s.id = (uint16_t)i;
		s.payload = i * 13;
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		assert_int_equal(o.queue, RIG_DATA);
		lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	}
	assert_int_equal(router_rig_await(r, "forwarded", 100), 100);
	assert_int_equal(router_rig_await(r, "to_slow_unresolved", 1), 1);
	assert_int_equal(router_rig_await(r, "slow_forwarded", 1), 1);
}

static void
a_host_on_a_connected_network_becomes_a_hop(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	s.dst = "198.18.1.99";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_answer_arp(r, 1, "198.18.1.99", "0e:00:00:00:00:99");
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, "0e:00:00:00:00:99", ETH1);
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.queue, RIG_DATA);
	lab_expect_forwarded(&o, &f, "0e:00:00:00:00:99", ETH1);
}

static void
padding_is_cut_off(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	frame_ip4(&f, &s);
	f.len += 300;
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.frame.len, 134);
}

static void
a_new_configuration_is_taken_without_loss(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	unsigned seen = 0, sent = 0;
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	frame_ip4(&f, &s);
	for (unsigned g = 8; g < 40; g++) {
		char text[2048];

		snprintf(text, sizeof(text),
		    "%sroute 203.0.113.0/24 via 198.18.1.7\ngeneration %u\n"
		    "route 198.18.128.0/17 via 198.18.1.%u\nend\n",
		    CONF, g, g);
		router_rig_configure(r, text);
		for (unsigned i = 0; i < 16; i++, sent++)
			router_rig_send(r, RIG_DATA, 0, &f);
		while (router_rig_stat(r, NULL) != g)
			router_rig_turn(r);
		while (router_rig_receive(r, 1, IP, 0, &o))
			seen++;
	}
	while (seen < sent && router_rig_receive(r, 1, IP, SOON_MS, &o))
		seen++;
	assert_int_equal(seen, sent);
	s.dst = "203.0.113.1";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
a_broken_configuration_changes_nothing(void **state)
{
	struct router_rig *r = *state;

	lab_resolve_b(r);
	router_rig_configure(r, "generation 8\nroute 10/8 via nowhere\nend\n");
	router_rig_is_silent(r, 50);
	assert_int_equal(router_rig_stat(r, NULL), 7);
	router_rig_configure(r, CONF "generation 9\n"); /* no end */
	router_rig_is_silent(r, 50);
	assert_int_equal(router_rig_stat(r, NULL), 7);
	router_rig_configure(r, CONF "generation 10\n" END);
	assert_int_equal(router_rig_await(r, NULL, 10), 10);
}

static void
a_vnic_that_goes_down_is_noticed(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	router_rig_vnic(r, 1, false);
	/* the slow path is woken by a packet, or within its second */
	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.0.1");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_true(router_rig_receive(r, 0, ARP, SOON_MS, &o));
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "vnic_down", 1), 1);
	assert_true(router_rig_is_silent(r, 20));
}

/* How often its main thread has slept. */
static unsigned long
sleeps_of(pid_t pid)
{
	unsigned long n = 0;
	char line[256];
	bool found = false;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/status", (int)pid);
	f = fopen(line, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1;
	fclose(f);
	assert_true(found);
	return n;
}

static void
who_has_nothing_to_do_sleeps(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	unsigned long before;
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	router_rig_is_silent(r, 500);
	before = sleeps_of(r->pid);
	router_rig_is_silent(r, 2500);
	/* the paths' looks of each second are nothing that it hears of */
	assert_in_range(sleeps_of(r->pid) - before, 0, 1);
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
a_restarted_host_finds_the_router_ready(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 20; i++) {
		router_rig_send(r, RIG_DATA, 0, &f); /* lost, or not */
		router_rig_host_restart(r);
		while (router_rig_receive(r, 1, IP, 0, &o))
			;
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	}
}

static void
a_killed_router_is_replaced(void **state)
{
	struct router_rig *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		lab_resolve_b(r);
		router_rig_kill(r);
		lab_start(r);
	}
	lab_resolve_b(r);
}

static void
end_set(struct router_rig *r)
{
	for (unsigned q = 0; q < RIG_QUEUES; q++) {
		ledger_ask_stop(r->l[q]);
		ledger_turn(r->l[q]);
		ledger_gone(r->l[q]);
	}
}

static void
it_ends_with_its_set(void **state)
{
	struct router_rig *r = *state;

	end_set(r);
	assert_int_equal(router_rig_wait(r), 0);
}

/* examples/vnic-echo, which any data plane may be put in the place of */
static void
the_example_echoes(void **state)
{
	struct frame_spec s = lab_towards_b();
	struct router_rig r;
	struct rig_out o;
	struct frame f;
	int status;

	(void)state;
	router_rig_open(&r, 1500);
	r.program = "examples/vnic-echo";
	router_rig_start(&r, 0);
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 300; i++) {
		unsigned q = i % RIG_QUEUES, v = i / 2 % 2;

		f.b[40] = (uint8_t)i;
		router_rig_send(&r, q, v, &f);
		assert_true(router_rig_receive(&r, v, IP, SOON_MS, &o));
		assert_int_equal(o.queue, q);
		assert_int_equal(o.frame.len, f.len);
		assert_memory_equal(o.frame.b, f.b + 6, 6);
		assert_memory_equal(o.frame.b + 6, f.b, 6);
		assert_memory_equal(o.frame.b + 12, f.b + 12, f.len - 12);
	}
	router_rig_check(&r);
	end_set(&r);
	status = router_rig_wait(&r);
	assert_int_equal(status, 0);
	router_rig_close(&r);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_packet_waits_for_arp_and_the_next_are_fast),
		TEST(a_host_on_a_connected_network_becomes_a_hop),
		TEST(padding_is_cut_off),
		TEST(a_new_configuration_is_taken_without_loss),
		TEST(a_broken_configuration_changes_nothing),
		TEST(a_vnic_that_goes_down_is_noticed),
		TEST(who_has_nothing_to_do_sleeps),
		TEST(a_restarted_host_finds_the_router_ready),
		TEST(a_killed_router_is_replaced),
		TEST(it_ends_with_its_set),
		cmocka_unit_test(the_example_echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
