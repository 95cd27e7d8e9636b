/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ledger_epoch: each row of the table of events: who dies, who comes, and
 * what the other side makes of it; holds, quarantine.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"

static const uint64_t MS = 1000000;
static struct rig rig;

static int
open_rig(void **state)
{
	(void)state;
	rig_open(&rig, 16, 4, 2, 16);
	return 0;
}

static int
close_rig(void **state)
{
	(void)state;
	rig_check(&rig);
	rig_close(&rig);
	return 0;
}

static uint32_t
h_word(void)
{
	return vnic_epoch_load(
	    &vnic_host_line(&rig.maps.l, rig.maps.host, 0)->h);
}

static uint32_t
r_word(void)
{
	return vnic_epoch_load(
	    &vnic_router_line(&rig.maps.l, rig.maps.router, 0)->r);
}

static uint32_t
wake_word(void)
{
	return vnic_wake_load(
	    &vnic_host_line(&rig.maps.l, rig.maps.host, 0)->wake);
}

static uint64_t
resets(void)
{
	return vnic_count(
	    &vnic_host_beat(&rig.maps.l, rig.maps.host, 0)->resets);
}

static uint64_t
in_doubt(unsigned v)
{
	return vnic_count(&ledger_counters(rig.l, v)->in_doubt);
}

/* The host waits, the router acknowledges; returns how long RUN is held back. */
static uint64_t
hold_ms(void)
{
	uint64_t ms = 0;

	assert_int_equal(ledger_phase(rig.l), LEDGER_WAITING);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	while (!ledger_try_run(rig.l, rig.now_ns)) {
		assert_true(ms < 20000);
		assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
		rig.now_ns += MS;
		ms++;
	}
	return ms;
}

static void
either_side_may_come_first(void **state)
{
	(void)state;
	/* the router first: nothing to acknowledge yet */
	assert_int_equal(ledger_phase(rig.l), LEDGER_STOPPED);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(r_word(), 0);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(h_word(), vnic_h(1, VNIC_STATE_WAIT));
	/* the host does not run before the router has acknowledged */
	rig.now_ns += 20000 * MS;
	assert_false(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	assert_int_equal(r_word(), 1);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(h_word(), vnic_h(1, VNIC_STATE_RUN));
	assert_int_equal(vnic_poll(rig.q), VNIC_RUN);
	assert_int_equal(resets(), 0);
	assert_false(ledger_try_run(rig.l, rig.now_ns));
}

static void
a_router_dies_and_another_comes(void **state)
{
	(void)state;
	rig_run(&rig);
	for (unsigned i = 0; i < 3; i++)
		rig_fill(&rig, 0, 60, 1);
	rig_fill(&rig, 1, 60, 1);
	rig_router_restart(&rig);
	/* the host does not know yet: it fills on until it has no slots */
	assert_true(ledger_turn(rig.l));
	while (ledger_room(rig.l) > 0)
		rig_fill(&rig, 0, 60, 1);
	/* the new one never takes over an epoch that runs */
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(r_word(), 0);
	assert_false(ledger_turn(rig.l));
	assert_int_equal(ledger_phase(rig.l), LEDGER_STOPPED);
	assert_false(ledger_was_quarantined(rig.l));
	assert_int_equal(in_doubt(0), 0);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(h_word(), vnic_h(2, VNIC_STATE_WAIT));
	assert_int_equal(in_doubt(0), 11);
	assert_int_equal(in_doubt(1), 1);
	assert_int_equal(ledger_filled(rig.l), 0);
	assert_int_equal(ledger_room(rig.l), 12);
	assert_int_equal(resets(), 1);
	rig_run(&rig);
	assert_int_equal(h_word(), vnic_h(2, VNIC_STATE_RUN));
}

static void
nothing_of_an_epoch_is_seen_in_the_next(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[16];

	(void)state;
	/* the rings are full of descriptors of both laps */
	rig_run(&rig);
	for (unsigned lap = 0; lap < 40; lap++) {
		rig_fill(&rig, 0, 60, 1);
		ledger_grant(rig.l);
		assert_int_equal(vnic_rx(rig.q, 0, f, 1), 1);
		vnic_tx(rig.q, lap & 1, f, 1);
		assert_int_equal(vnic_grant(rig.q, f, 1), 1);
		vnic_done(rig.q, f, 1, VNIC_DONE_UNUSED);
		rig_take(&rig, 0, out);
		rig_take(&rig, 1, out);
	}
	rig_fill(&rig, 0, 60, 1);
	assert_int_equal(vnic_rx(rig.q, 0, f, 1), 1);
	vnic_tx(rig.q, 0, f, 1);
	rig_fill(&rig, 0, 60, 1);
	rig_host_restart(&rig, 16);
	rig_run(&rig);
	for (unsigned v = 0; v < 2; v++) {
		assert_int_equal(vnic_rx(rig.q, v, f, 16), 0);
		assert_int_equal(rig_take(&rig, v, out), 0);
	}
	assert_int_equal(vnic_grant(rig.q, f, 16), 0);
	assert_int_equal(in_doubt(0), 2);
	/* a late store of the old epoch was blanked by the router itself */
	rig_fill(&rig, 1, 60, 7);
	assert_int_equal(vnic_rx(rig.q, 1, f, 16), 1);
	assert_int_equal(f[0].data[0], 7);
	for (unsigned k = 0; k < VNIC_N_FAULT; k++)
		assert_int_equal(rig_faults(&rig, 0, (enum vnic_fault)k), 0);
}

/* The first entries of a ring have the same turn in every epoch. */
static void
stale_descriptors_are_blank(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[4];

	(void)state;
	rig_run(&rig);
	ledger_grant(rig.l);
	for (unsigned i = 0; i < 4; i++)
		rig_fill(&rig, i & 1, 60, 1);
	assert_int_equal(vnic_rx(rig.q, 0, f, 2), 2);
	assert_int_equal(vnic_rx(rig.q, 1, f + 2, 2), 2);
	vnic_tx(rig.q, 0, f, 2);
	vnic_done(rig.q, f + 2, 2, VNIC_DONE_TTL);
	rig_host_restart(&rig, 16);
	rig_run(&rig);
	rig_fill(&rig, 0, 60, 1); /* a stale name of it would be believed */
	for (unsigned v = 0; v < 2; v++) {
		assert_int_equal(rig_take(&rig, v, out), 0);
		assert_int_equal(rig_faults(&rig, v, VNIC_FAULT_NOT_HELD), 0);
		assert_int_equal(vnic_rx(rig.q, v, f, 4), v == 0);
	}
	assert_int_equal(ledger_filled(rig.l), 1);
	assert_int_equal(vnic_grant(rig.q, f, 4), 0);
	assert_int_equal(in_doubt(0) + in_doubt(1), 4);
}

/* r is a tenant's word: it is equal, or the epoch is over. */
static void
any_other_epoch_ends_the_epoch(void **state)
{
	static const uint32_t delta[] = { 1, UINT32_MAX, 2, 1U << 30,
		1U << 31 };
	struct vnic_router_line *line =
	    vnic_router_line(&rig.maps.l, rig.router_rw, 0);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(delta); i++) {
		rig_run(&rig);
		assert_false(ledger_has_work(rig.l, UINT32_MAX));
		vnic_epoch_store(&line->r, r_word() + delta[i]);
		assert_true(ledger_has_work(rig.l, UINT32_MAX));
		assert_false(ledger_turn(rig.l));
		ledger_reset(rig.l, rig.now_ns);
		/* nor does a guess begin one */
		vnic_epoch_store(&line->r, vnic_h_epoch(h_word()) + delta[i]);
		rig.now_ns += 20000 * MS;
		assert_false(ledger_try_run(rig.l, rig.now_ns));
	}
}

static void
a_host_restart_needs_no_attach(void **state)
{
	(void)state;
	rig_run(&rig);
	rig_fill(&rig, 0, 60, 1);
	rig_host_restart(&rig, 16);
	/* until the reset the router runs on, into nothing */
	assert_int_equal(vnic_poll(rig.q), VNIC_RUN);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(h_word(), vnic_h(2, VNIC_STATE_WAIT));
	assert_int_equal(in_doubt(0), 1);
	assert_int_equal(resets(), 1);
	rig_run(&rig);
	rig_fill(&rig, 0, 60, 1);
	/* again, in WAIT: the epoch grows, nothing is doubted twice */
	rig_host_restart(&rig, 16);
	ledger_reset(rig.l, rig.now_ns);
	rig_host_restart(&rig, 16);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(h_word(), vnic_h(4, VNIC_STATE_WAIT));
	assert_int_equal(in_doubt(0), 2);
	assert_int_equal(resets(), 3);
	rig_run(&rig);
}

static void
both_die(void **state)
{
	(void)state;
	rig_run(&rig);
	rig_fill(&rig, 0, 60, 1);
	rig_router_restart(&rig);
	rig_host_restart(&rig, 16);
	rig_run(&rig);
	assert_int_equal(h_word(), vnic_h(2, VNIC_STATE_RUN));
	assert_int_equal(in_doubt(0), 1);
}

static void
the_acknowledger_may_be_dead(void **state)
{
	(void)state;
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	rig_router_restart(&rig);
	/* r already says 1, by the dead one: the new one says it for itself */
	assert_int_equal(r_word(), 1);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	rig.now_ns += 2 * MS;
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(vnic_poll(rig.q), VNIC_RUN);
	/* the same, but RUN has begun before the new one looks */
	ledger_ask_stop(rig.l);
	assert_false(ledger_turn(rig.l));
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	rig.now_ns += 2 * MS;
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	rig_router_restart(&rig);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_false(ledger_turn(rig.l));
}

static void
a_router_that_never_acknowledges_costs_a_load(void **state)
{
	(void)state;
	assert_int_equal(ledger_waiting_ns(rig.l, rig.now_ns), 0);
	ledger_reset(rig.l, rig.now_ns);
	for (unsigned i = 0; i < 1000; i++) {
		rig.now_ns += MS;
		assert_false(ledger_try_run(rig.l, rig.now_ns));
	}
	assert_int_equal(ledger_waiting_ns(rig.l, rig.now_ns), 1000 * MS);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	assert_int_equal(ledger_waiting_ns(rig.l, rig.now_ns), 0);
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(ledger_waiting_ns(rig.l, rig.now_ns), 0);
}

/* RUN for ms, then the router leaves and comes again; returns the hold. */
static uint64_t
flap_ms(uint64_t run_ms)
{
	rig.now_ns += run_ms * MS;
	assert_true(ledger_turn(rig.l));
	rig_router_restart(&rig);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_false(ledger_turn(rig.l));
	ledger_reset(rig.l, rig.now_ns);
	return hold_ms();
}

static void
a_storm_of_resets_is_held_down(void **state)
{
	uint64_t want = 1;

	(void)state;
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(hold_ms(), 1);
	assert_int_equal(flap_ms(0), 1);
	for (unsigned i = 0; i < 14; i++) {
		want = MIN(2 * want, UINT64_C(1000));
		assert_int_equal(flap_ms(i), want);
	}
	assert_int_equal(want, 1000);
	/* a RUN of a second is no storm */
	assert_int_equal(flap_ms(999), 1000);
	assert_int_equal(flap_ms(1000), 1);
	assert_int_equal(flap_ms(1), 2);
	assert_int_equal(resets(), 18);
}

static uint64_t
misbehave_ms(uint64_t run_ms)
{
	struct ledger_frame out[VNIC_BURST];

	rig.now_ns += run_ms * MS;
	for (uint64_t pos = 0; pos < LEDGER_MAX_FAULTS; pos++) {
		rig_store(
		    &rig, 0, pos, vnic_desc(9999, 0, 60, VNIC_KIND_PACKET, 0));
		rig_take(&rig, 0, out);
	}
	assert_false(ledger_turn(rig.l));
	assert_true(ledger_was_quarantined(rig.l));
	ledger_reset(rig.l, rig.now_ns);
	assert_true(ledger_was_quarantined(rig.l));
	return hold_ms();
}

static void
faults_are_quarantined_longer_each_time(void **state)
{
	struct vnic_beat_line *beat =
	    vnic_host_beat(&rig.maps.l, rig.maps.host, 0);
	uint64_t want = 100;

	(void)state;
	rig_run(&rig);
	assert_int_equal(misbehave_ms(0), 100);
	for (unsigned i = 0; i < 9; i++) {
		want = MIN(2 * want, UINT64_C(10000));
		assert_int_equal(misbehave_ms(2000), want);
	}
	assert_int_equal(want, 10000);
	assert_int_equal(misbehave_ms(10000), 100);
	assert_int_equal(vnic_count(&beat->quarantines), 11);
	assert_false(ledger_was_quarantined(rig.l));
	/* an ordinary reset does not count as one */
	assert_int_equal(flap_ms(10), 1);
	assert_int_equal(vnic_count(&beat->quarantines), 11);
}

static void
a_quarantine_is_not_cut_short(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	uint64_t begin;

	(void)state;
	rig_run(&rig);
	for (uint64_t pos = 0; pos < LEDGER_MAX_FAULTS; pos++) {
		rig_store(
		    &rig, 0, pos, vnic_desc(9999, 0, 60, VNIC_KIND_PACKET, 0));
		rig_take(&rig, 0, out);
	}
	assert_false(ledger_turn(rig.l));
	begin = rig.now_ns;
	ledger_reset(rig.l, rig.now_ns);
	rig.now_ns += 10 * MS;
	ledger_reset(rig.l, rig.now_ns); /* the process is reported dead */
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	rig.now_ns = begin + 100 * MS - 1;
	assert_false(ledger_try_run(rig.l, rig.now_ns));
	rig.now_ns++;
	assert_true(ledger_try_run(rig.l, rig.now_ns));
}

static void
each_change_of_h_wakes(void **state)
{
	uint32_t w = wake_word();

	(void)state;
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(wake_word(), w + 1);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	rig.now_ns += 2 * MS;
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(wake_word(), w + 2);
	ledger_ask_stop(rig.l);
	assert_false(ledger_turn(rig.l));
	ledger_gone(rig.l);
	assert_int_equal(wake_word(), w + 3);
}

static void
gone_is_the_end(void **state)
{
	struct ledger *again;

	(void)state;
	rig_run(&rig);
	rig_fill(&rig, 0, 60, 1);
	ledger_ask_stop(rig.l);
	assert_int_equal(ledger_phase(rig.l), LEDGER_RUN);
	assert_false(ledger_turn(rig.l));
	ledger_gone(rig.l);
	assert_int_equal(ledger_phase(rig.l), LEDGER_GONE);
	assert_int_equal(vnic_h_state(h_word()), VNIC_STATE_GONE);
	assert_int_equal(vnic_poll(rig.q), VNIC_GONE);
	assert_int_equal(in_doubt(0), 1);
	assert_int_equal(ledger_new(&rig.maps, 0, 16, &again), -ESTALE);
	ledger_free(rig.l);
	rig.l = NULL;
	/* a fresh one for the checks of the end, on the other queue */
	assert_int_equal(ledger_new(&rig.maps, 1, 16, &rig.l), 0);
}

static void
a_request_to_stop_ends_with_its_epoch(void **state)
{
	(void)state;
	rig_run(&rig);
	ledger_ask_stop(rig.l);
	assert_true(ledger_has_work(rig.l, UINT32_MAX));
	assert_false(ledger_turn(rig.l));
	ledger_reset(rig.l, rig.now_ns);
	rig_run(&rig);
	assert_true(ledger_turn(rig.l));
	assert_false(ledger_has_work(rig.l, UINT32_MAX));
}

static void
epochs_go_round_without_zero(void **state)
{
	struct vnic_host_line *line =
	    vnic_host_line(&rig.maps.l, rig.maps.host, 0);

	(void)state;
	vnic_epoch_store(&line->h, vnic_h(0x3fffffff, VNIC_STATE_WAIT));
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(h_word(), vnic_h(1, VNIC_STATE_WAIT));
	rig_run(&rig);
}

static void
bad_arguments_make_no_ledger(void **state)
{
	struct ledger *l;

	(void)state;
	assert_int_equal(ledger_new(&rig.maps, 2, 16, &l), -EINVAL);
	assert_int_equal(ledger_new(&rig.maps, 0, 17, &l), -EINVAL);
	assert_int_equal(ledger_new(&rig.maps, 0, 1, &l), -EINVAL);
	assert_int_equal(ledger_new(&rig.maps, 1, 2, &l), 0);
	assert_int_equal(ledger_room(l), 1);
	ledger_free(l);
	ledger_free(NULL);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG_TEST(either_side_may_come_first),
		RIG_TEST(a_router_dies_and_another_comes),
		RIG_TEST(nothing_of_an_epoch_is_seen_in_the_next),
		RIG_TEST(stale_descriptors_are_blank),
		RIG_TEST(any_other_epoch_ends_the_epoch),
		RIG_TEST(a_host_restart_needs_no_attach),
		RIG_TEST(both_die),
		RIG_TEST(the_acknowledger_may_be_dead),
		RIG_TEST(a_router_that_never_acknowledges_costs_a_load),
		RIG_TEST(a_storm_of_resets_is_held_down),
		RIG_TEST(faults_are_quarantined_longer_each_time),
		RIG_TEST(a_quarantine_is_not_cut_short),
		RIG_TEST(each_change_of_h_wakes),
		RIG_TEST(gone_is_the_end),
		RIG_TEST(a_request_to_stop_ends_with_its_epoch),
		RIG_TEST(epochs_go_round_without_zero),
		RIG_TEST(bad_arguments_make_no_ledger),
	};

	return cmocka_run_group_tests_name("ledger_epoch", tests, NULL, NULL);
}
