/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ledger_slots: a pool that shrinks and grows while packets are under way:
 * no slot is lost or doubled, and there are as many as were asked for.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"

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

static void
slots_shrink_and_grow_live(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[16];

	(void)state;
	rig_run(&rig);
	ledger_grant(rig.l);
	for (unsigned i = 0; i < 12; i++)
		rig_fill(&rig, 0, 60, 1);
	assert_int_equal(vnic_rx(rig.q, 0, f, 16), 12);
	ledger_ask_slots(rig.l, 8);
	assert_true(ledger_has_work(rig.l, UINT32_MAX));
	assert_int_equal(ledger_slots(rig.l), 16);
	assert_true(ledger_turn(rig.l));
	assert_int_equal(ledger_slots(rig.l), 8);
	rig_check(&rig);
	/* they come back once, and then are nobody's */
	vnic_tx(rig.q, 1, f, 12);
	assert_int_equal(rig_take(&rig, 1, out), 12);
	vnic_tx(rig.q, 0, f, 12);
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_int_equal(rig_faults(&rig, 0, VNIC_FAULT_NOT_HELD), 12);
	/* 8, two of them granted, and two old grants beside them */
	assert_int_equal(ledger_granted(rig.l), 4);
	assert_int_equal(ledger_room(rig.l), 6);
	assert_int_equal(vnic_grant(rig.q, f, 3), 3);
	vnic_done(rig.q, f, 3, VNIC_DONE_UNUSED);
	vnic_flush(rig.q);
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_int_equal(ledger_granted(rig.l), 1);
	ledger_grant(rig.l);
	assert_int_equal(ledger_granted(rig.l), 2);
	assert_int_equal(ledger_room(rig.l), 6);
	rig_check(&rig);
	while (ledger_room(rig.l) > 0)
		rig_fill(&rig, 0, 60, 1);
	assert_int_equal(ledger_filled(rig.l) + ledger_granted(rig.l), 8);
	/* growing to more than there is: all there is */
	ledger_ask_slots(rig.l, 1000);
	assert_true(ledger_turn(rig.l));
	assert_int_equal(ledger_slots(rig.l), 16);
	assert_false(ledger_has_work(rig.l, UINT32_MAX));
	ledger_grant(rig.l);
	while (ledger_room(rig.l) > 0)
		rig_fill(&rig, 0, 60, 1);
	assert_int_equal(ledger_filled(rig.l) + ledger_granted(rig.l), 16);
}

static void
slots_shrink_and_grow_while_they_are_away(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[16];

	(void)state;
	rig_run(&rig);
	for (unsigned i = 0; i < 12; i++)
		rig_fill(&rig, 0, 60, 1);
	assert_int_equal(vnic_rx(rig.q, 0, f, 16), 12);
	ledger_ask_slots(rig.l, 0);
	assert_true(ledger_turn(rig.l));
	assert_int_equal(ledger_slots(rig.l), 2);
	ledger_ask_slots(rig.l, 16);
	assert_true(ledger_turn(rig.l));
	vnic_tx(rig.q, 0, f, 12);
	assert_int_equal(rig_take(&rig, 0, out), 12);
	ledger_grant(rig.l);
	assert_int_equal(ledger_granted(rig.l), 4);
	assert_int_equal(ledger_room(rig.l), 12);
	/* asked between epochs: the next one begins with it */
	ledger_ask_slots(rig.l, 4);
	ledger_ask_stop(rig.l);
	assert_false(ledger_turn(rig.l));
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(ledger_slots(rig.l), 4);
	assert_int_equal(ledger_room(rig.l), 3);
	rig_run(&rig);
}

/* Whatever is asked for and whoever has the slots: none is lost or doubled. */
static void
slots_change_at_random(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[32];
	uint64_t seed = 88172645463325252;
	unsigned n = 0, n_grants = 0, slots = 16;

	(void)state;
	rig_run(&rig);
	for (unsigned i = 0; i < 20000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		switch (seed >> 32 & 7) {
		case 0:
			slots = 2 + (unsigned)(seed >> 40) % 15;
			ledger_ask_slots(rig.l, slots);
			assert_true(ledger_turn(rig.l));
			break;
		case 1:
			ledger_grant(rig.l);
			break;
		case 2:
		case 3:
			if (ledger_room(rig.l) > 0)
				rig_fill(&rig, 0, 60, 1);
			n += vnic_rx(rig.q, 0, f + n, 1);
			break;
		case 4:
			n_grants = vnic_grant(rig.q, f + n, 1);
			n += n_grants;
			break;
		default:
			if (n > 0)
				vnic_tx(rig.q, 0, &f[--n], 1);
			vnic_flush(rig.q);
			rig_take(&rig, 0, out);
			break;
		}
		rig_check(&rig);
	}
	/* when all are home, exactly what was asked for is in use */
	vnic_tx(rig.q, 0, f, n);
	rig_take(&rig, 0, out);
	while (vnic_rx(rig.q, 0, f, 1) == 1 || vnic_grant(rig.q, f, 1) == 1) {
		vnic_tx(rig.q, 0, f, 1);
		rig_take(&rig, 0, out);
	}
	assert_int_equal(ledger_filled(rig.l) + ledger_granted(rig.l), 0);
	assert_int_equal(rig_faults(&rig, 0, VNIC_FAULT_NOT_HELD), 0);
	ledger_grant(rig.l);
	assert_int_equal(ledger_room(rig.l) + ledger_granted(rig.l), slots);
	/* and all there are, at last */
	ledger_ask_slots(rig.l, 16);
	assert_true(ledger_turn(rig.l));
	ledger_grant(rig.l);
	assert_int_equal(ledger_room(rig.l) + ledger_granted(rig.l), 16);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(slots_shrink_and_grow_live),
		RIG_TEST(slots_shrink_and_grow_while_they_are_away),
		RIG_TEST(slots_change_at_random),
	};

	return cmocka_run_group_tests_name("ledger_slots", tests, NULL, NULL);
}
