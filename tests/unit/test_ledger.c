/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ledger: what the host does with each descriptor that a router may send,
 * and what it writes into the account.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"

static struct rig rig;

static int
open_rig(void **state)
{
	(void)state;
	rig_open(&rig, 16, 4, 2, 16);
	rig_run(&rig);
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

static uint64_t
packet(uint32_t slot, uint32_t off, uint32_t len)
{
	return vnic_desc(slot, off, len, VNIC_KIND_PACKET, 0);
}

static struct vnic_counters *
counters(unsigned v)
{
	return ledger_counters(rig.l, v);
}

static void
a_packet_crosses(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f;

	(void)state;
	rig_fill(&rig, 0, 100, 0xab);
	assert_int_equal(ledger_filled(rig.l), 1);
	assert_int_equal(vnic_rx(rig.q, 1, &f, 1), 0);
	assert_int_equal(vnic_rx(rig.q, 0, &f, 1), 1);
	assert_int_equal(f.len, 100);
	assert_int_equal(f.data[0], 0xab);
	assert_int_equal(f.data[99], 0xab);
	f.data += 4;
	f.len = 96;
	f.data[0] = 0xcd;
	vnic_tx(rig.q, 1, &f, 1);
	rig_check(&rig);
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_int_equal(rig_take(&rig, 1, out), 1);
	assert_int_equal(out[0].len, 96);
	assert_int_equal(out[0].vnic, 1);
	assert_int_equal(out[0].bytes[0], 0xcd);
	assert_int_equal(ledger_filled(rig.l), 0);
	/* back on the vNIC it came by, sent on the one it left by */
	assert_int_equal(vnic_count(&counters(0)->back), 1);
	assert_int_equal(vnic_count(&counters(0)->filled_bytes), 100);
	assert_int_equal(vnic_count(&counters(1)->back), 0);
	assert_int_equal(vnic_count(&counters(1)->sent), 1);
}

static void
done_is_charged_to_the_vnic_of_the_slot(void **state)
{
	static const unsigned reasons[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 255 };
	struct ledger_frame out[VNIC_BURST];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
		unsigned want = MIN(reasons[i], (unsigned)VNIC_DONE_OTHER);
		uint64_t had = vnic_count(&counters(1)->done[want]);
		struct vnic_frame f;

		rig_fill(&rig, 1, 60, 1);
		assert_int_equal(vnic_rx(rig.q, 1, &f, 1), 1);
		f.vnic = 0; /* by the other ring */
		vnic_done(rig.q, &f, 1, reasons[i]);
		assert_int_equal(rig_take(&rig, 0, out), 0);
		assert_int_equal(vnic_count(&counters(1)->done[want]), had + 1);
		assert_int_equal(vnic_count(&counters(0)->done[want]), 0);
		assert_int_equal(ledger_filled(rig.l), 0);
		rig_check(&rig);
	}
	assert_int_equal(vnic_count(&counters(1)->back), ARRAY_SIZE(reasons));
}

static void
a_grant_comes_back_unused_or_as_a_packet(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[4];

	(void)state;
	ledger_grant(rig.l);
	assert_int_equal(vnic_grant(rig.q, f, 4), 4);
	assert_int_equal(f[0].len, ledger_buffer_bytes(rig.l));
	vnic_done(rig.q, f, 1, VNIC_DONE_UNUSED);
	f[1].len = 42;
	vnic_tx(rig.q, 0, f + 1, 1);
	assert_int_equal(rig_take(&rig, 0, out), 1);
	assert_int_equal(out[0].len, 42);
	assert_int_equal(ledger_granted(rig.l), 2);
	assert_int_equal(vnic_count(&counters(0)->originated), 1);
	assert_int_equal(vnic_count(&counters(0)->done[VNIC_DONE_UNUSED]), 0);
	assert_int_equal(vnic_count(&counters(0)->back), 0);
	ledger_grant(rig.l);
	assert_int_equal(ledger_granted(rig.l), 4);
	/* a faulty packet in a grant is still one that it originated */
	rig_store(&rig, 1, 0, packet(f[2].slot, 0, 13));
	assert_int_equal(rig_take(&rig, 1, out), 0);
	assert_int_equal(vnic_count(&counters(1)->originated), 1);
	assert_int_equal(rig_faults(&rig, 1, VNIC_FAULT_BAD_LEN), 1);
	assert_int_equal(ledger_granted(rig.l), 3);
}

static void
the_reserve_comes_before_traffic(void **state)
{
	(void)state;
	assert_int_equal(ledger_room(rig.l), 12);
	ledger_grant(rig.l);
	assert_int_equal(ledger_granted(rig.l), 4);
	assert_int_equal(ledger_room(rig.l), 12);
	ledger_grant(rig.l);
	assert_int_equal(ledger_granted(rig.l), 4);
	for (unsigned i = 0; i < 12; i++)
		rig_fill(&rig, 0, 64, 1);
	assert_int_equal(ledger_room(rig.l), 0);
}

static void
slots_are_reused_last_in_first_out(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f[3];
	uint32_t last;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		rig_fill(&rig, 0, 64, 1);
	assert_int_equal(vnic_rx(rig.q, 0, f, 3), 3);
	last = f[1].slot;
	vnic_tx(rig.q, 0, f, 2);
	assert_int_equal(rig_take(&rig, 0, out), 2);
	assert_int_equal(rig_fill(&rig, 0, 64, 1), last);
}

static void
a_slot_out_of_range_is_a_fault(void **state)
{
	uint32_t held = rig_fill(&rig, 0, 60, 1);
	/* the last two share their low bits with a slot that is held */
	const uint32_t bad[] = { 16, 17, 31, 32, 0xfffff, 16 + held,
		32 + held };
	struct ledger_frame out[VNIC_BURST];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		rig_store(&rig, 0, i, packet(bad[i], 64, 60));
		assert_int_equal(rig_take(&rig, 0, out), 0);
		assert_int_equal(
		    rig_faults(&rig, 0, VNIC_FAULT_BAD_SLOT), i + 1);
	}
	assert_int_equal(ledger_room(rig.l), 11);
}

static void
a_slot_not_held_is_a_fault_and_stays_where_it_is(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	uint32_t slot;

	(void)state;
	/* never given */
	rig_store(&rig, 0, 0, packet(3, 64, 60));
	rig_store(&rig, 0, 1, vnic_desc(3, 0, 0, VNIC_KIND_DONE, 1));
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_int_equal(rig_faults(&rig, 0, VNIC_FAULT_NOT_HELD), 2);
	assert_int_equal(ledger_room(rig.l), 12);
	/* given once, handed back twice in one burst, then once more */
	slot = rig_fill(&rig, 1, 60, 1);
	rig_store(&rig, 0, 2, packet(slot, 64, 60));
	rig_store(&rig, 0, 3, packet(slot, 64, 60));
	rig_store(&rig, 1, 0, packet(slot, 64, 60));
	assert_int_equal(rig_take(&rig, 0, out), 1);
	assert_int_equal(rig_take(&rig, 1, out), 0);
	assert_int_equal(rig_faults(&rig, 0, VNIC_FAULT_NOT_HELD), 3);
	assert_int_equal(rig_faults(&rig, 1, VNIC_FAULT_NOT_HELD), 1);
	assert_int_equal(vnic_count(&counters(1)->back), 1);
	assert_int_equal(ledger_room(rig.l), 12);
}

/* Sends d for a slot that it holds; returns the number of frames. */
static unsigned
send_held(uint64_t pos, uint32_t off, uint32_t len, uint32_t kind, uint32_t arg)
{
	struct ledger_frame out[VNIC_BURST];
	uint32_t slot = rig_fill(&rig, 0, 60, 1);

	rig_store(&rig, 0, pos, vnic_desc(slot, off, len, kind, arg));
	return rig_take(&rig, 0, out);
}

static void
len_and_off_stay_within_the_slot(void **state)
{
	static const struct {
		uint32_t off, len;
		bool good;
	} cases[] = {
		{ 0, 14, true },
		{ 0, 13, false },
		{ 0, 0, false },
		{ 0, 300, true },
		{ 0, 301, false },
		{ 286, 14, true },
		{ 287, 14, false },
		{ 64, 236, true },
		{ 64, 237, false },
		{ 4095, 14, false },
		{ 4095, 65535, false },
		/* the sum is 65536 + 14: 16 bits would say it fits */
		{ 4095, 61455, false },
		{ 0, 65535, false },
	};
	uint64_t n_bad = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned n = send_held(
		    i, cases[i].off, cases[i].len, VNIC_KIND_PACKET, 0);

		assert_int_equal(n, cases[i].good);
		n_bad += !cases[i].good;
		assert_int_equal(
		    rig_faults(&rig, 0, VNIC_FAULT_BAD_LEN), n_bad);
		/* the slot was its own: it is reclaimed all the same */
		assert_int_equal(ledger_filled(rig.l), 0);
		assert_int_equal(ledger_room(rig.l), 12);
		rig_check(&rig);
	}
}

static void
kind_arg_and_zero_bits_are_checked(void **state)
{
	uint64_t pos = 0, n_bad = 0;

	(void)state;
	for (unsigned kind = 0; kind < 16; kind++) {
		if (kind == VNIC_KIND_PACKET || kind == VNIC_KIND_DONE)
			continue;
		assert_int_equal(send_held(pos++, 64, 60, kind, 0), 0);
		assert_int_equal(
		    rig_faults(&rig, 0, VNIC_FAULT_BAD_KIND), ++n_bad);
	}
	for (unsigned bit = 0; bit < 8; bit++) {
		assert_int_equal(
		    send_held(pos++, 64, 60, VNIC_KIND_PACKET, 1U << bit), 0);
		assert_int_equal(
		    rig_faults(&rig, 0, VNIC_FAULT_BAD_KIND), ++n_bad);
	}
	for (unsigned bits = 1; bits < 4; bits++) {
		assert_int_equal(
		    send_held(pos++, 64, 60, VNIC_KIND_PACKET, bits << 8), 0);
		assert_int_equal(
		    send_held(pos++, 0, 0, VNIC_KIND_DONE, bits << 8), 0);
		n_bad += 2;
		assert_int_equal(
		    rig_faults(&rig, 0, VNIC_FAULT_BAD_KIND), n_bad);
	}
	assert_int_equal(send_held(pos++, 0, 14, VNIC_KIND_DONE, 0), 0);
	assert_int_equal(rig_faults(&rig, 0, VNIC_FAULT_BAD_LEN), 1);
	assert_int_equal(ledger_filled(rig.l), 0);
	assert_int_equal(vnic_count(&counters(0)->back), pos);
}

static void
other_turns_are_not_yet(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	uint32_t slot = rig_fill(&rig, 0, 60, 1);
	unsigned n_taken;

	(void)state;
	for (uint64_t turn = 0; turn < 4; turn++) {
		vnic_desc_t *ring =
		    vnic_tx_ring(&rig.maps.l, rig.router_rw, 0, 0);

		if (turn == 1)
			continue; /* the right one */
		atomic_store_explicit(&ring[0],
		    packet(slot, 64, 60) | turn << VNIC_DESC_TURN_SHIFT,
		    memory_order_relaxed);
		assert_int_equal(
		    ledger_take(rig.l, 0, out, VNIC_BURST, &n_taken), 0);
		assert_int_equal(n_taken, 0);
	}
	/* far ahead of the position, with a hole before it */
	rig_store(&rig, 0, 5, packet(slot, 64, 60));
	assert_int_equal(rig_take(&rig, 0, out), 0);
	rig_store(&rig, 0, 0, packet(slot, 64, 60));
	assert_int_equal(rig_take(&rig, 0, out), 1);
}

static int
open_large(void **state)
{
	(void)state;
	rig_open(&rig, 256, 8, 1, 256);
	rig_run(&rig);
	return 0;
}

static void
a_take_is_bounded(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	unsigned n_taken;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		rig_store(&rig, 0, i, packet(rig_fill(&rig, 0, 60, 1), 64, 60));
	assert_int_equal(ledger_take(rig.l, 0, out, 5, &n_taken), 5);
	assert_int_equal(n_taken, 5);
	vnic_count_add(&counters(0)->sent, 5);
	ledger_release(rig.l, out, 5);
	assert_int_equal(
	    ledger_take(rig.l, 0, out, VNIC_BURST, &n_taken), VNIC_BURST);
	assert_int_equal(n_taken, VNIC_BURST);
	/* taken, but not free before the release */
	assert_int_equal(ledger_filled(rig.l), 100 - 5 - VNIC_BURST);
	assert_int_equal(ledger_room(rig.l), 256 - 64 - 100 + 5);
	vnic_count_add(&counters(0)->sent, VNIC_BURST);
	ledger_release(rig.l, out, VNIC_BURST);
	assert_int_equal(ledger_room(rig.l), 256 - 64 - 100 + 5 + VNIC_BURST);
}

static void
a_slot_in_a_frame_is_not_handed_out_again(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	uint32_t slot = rig_fill(&rig, 0, 60, 1);
	unsigned room = ledger_room(rig.l), n_taken;

	(void)state;
	rig_store(&rig, 0, 0, packet(slot, 64, 60));
	assert_int_equal(ledger_take(rig.l, 0, out, VNIC_BURST, &n_taken), 1);
	for (unsigned i = 0; i < room; i++)
		assert_int_not_equal(rig_fill(&rig, 0, 60, 2), slot);
	assert_int_equal(ledger_room(rig.l), 0);
	vnic_count_add(&counters(0)->sent, 1);
	ledger_release(rig.l, out, 1);
	assert_int_equal(rig_fill(&rig, 0, 60, 2), slot);
}

static void
the_64th_fault_ends_the_epoch(void **state)
{
	struct ledger_frame out[VNIC_BURST];
	uint64_t pos = 0;

	(void)state;
	for (; pos < LEDGER_MAX_FAULTS - 1; pos++)
		rig_store(&rig, 0, pos, packet(0xfffff, 64, 60));
	while (rig_faults(&rig, 0, VNIC_FAULT_BAD_SLOT) < pos)
		rig_take(&rig, 0, out);
	assert_true(ledger_turn(rig.l));
	rig_store(&rig, 0, pos++, packet(0xfffff, 64, 60));
	/* behind it a good one of the same burst: it was taken, it counts */
	rig_store(&rig, 0, pos++, packet(rig_fill(&rig, 0, 60, 1), 64, 60));
	assert_int_equal(rig_take(&rig, 0, out), 1);
	/* and another, which is not looked at any more */
	rig_store(&rig, 0, pos, packet(rig_fill(&rig, 0, 60, 1), 64, 60));
	assert_int_equal(
	    rig_faults(&rig, 0, VNIC_FAULT_BAD_SLOT), LEDGER_MAX_FAULTS);
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_false(ledger_turn(rig.l));
	assert_int_equal(ledger_phase(rig.l), LEDGER_STOPPED);
	assert_true(ledger_was_quarantined(rig.l));
}

static void
a_burst_larger_than_a_put_arrives_in_order(void **state)
{
	uint32_t slots[150];
	uint16_t lens[150];
	struct vnic_frame f[150];

	(void)state;
	assert_true(ledger_room(rig.l) >= 150);
	ledger_claim(rig.l, 0, slots, 150);
	/* counted before the descriptors are there */
	assert_int_equal(vnic_count(&counters(0)->filled), 150);
	assert_int_equal(vnic_rx(rig.q, 0, f, 150), 0);
	for (unsigned i = 0; i < 150; i++)
		lens[i] = (uint16_t)(14 + i);
	ledger_publish(rig.l, 0, slots, lens, 150);
	assert_int_equal(vnic_rx(rig.q, 0, f, 150), 150);
	for (unsigned i = 0; i < 150; i++) {
		assert_int_equal(f[i].slot, slots[i]);
		assert_int_equal(f[i].len, 14 + i);
	}
	ledger_claim(rig.l, 0, slots, 0);
	ledger_publish(rig.l, 0, slots, lens, 0);
	assert_int_equal(vnic_rx(rig.q, 0, f, 150), 0);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
#define LARGE_TEST(f) cmocka_unit_test_setup_teardown(f, open_large, close_rig)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG_TEST(a_packet_crosses),
		RIG_TEST(done_is_charged_to_the_vnic_of_the_slot),
		RIG_TEST(a_grant_comes_back_unused_or_as_a_packet),
		RIG_TEST(the_reserve_comes_before_traffic),
		RIG_TEST(slots_are_reused_last_in_first_out),
		RIG_TEST(a_slot_out_of_range_is_a_fault),
		RIG_TEST(a_slot_not_held_is_a_fault_and_stays_where_it_is),
		RIG_TEST(len_and_off_stay_within_the_slot),
		RIG_TEST(kind_arg_and_zero_bits_are_checked),
		RIG_TEST(other_turns_are_not_yet),
		LARGE_TEST(a_take_is_bounded),
		LARGE_TEST(a_slot_in_a_frame_is_not_handed_out_again),
		LARGE_TEST(the_64th_fault_ends_the_epoch),
		LARGE_TEST(a_burst_larger_than_a_put_arrives_in_order),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
