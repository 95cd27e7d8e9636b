/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ledger: what the host does with each descriptor that a router may send,
 * and what it writes into the account.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"

static int
open_small(void **state)
{
	static struct rig r;

	rig_open(&r, 16, 4, 2, 16);
	rig_run(&r);
	*state = &r;
	return 0;
}

static int
close_small(void **state)
{
	rig_check(*state);
	rig_close(*state);
	return 0;
}

static uint64_t
count_of(_Atomic(uint64_t) *c)
{
	return vnic_count(c);
}

static void
a_packet_crosses(void **state)
{
	struct rig *r = *state;
	struct ledger_frame out[VNIC_BURST];
	struct vnic_frame f;

	rig_fill(r, 0, 100, 0xab);
	assert_int_equal(ledger_filled(r->l), 1);
	assert_int_equal(vnic_rx(r->q, 1, &f, 1), 0);
	assert_int_equal(vnic_rx(r->q, 0, &f, 1), 1);
	assert_int_equal(f.len, 100);
	assert_int_equal(f.data[0], 0xab);
	assert_int_equal(f.data[99], 0xab);
	f.data += 4;
	f.len = 96;
	f.data[0] = 0xcd;
	vnic_tx(r->q, 1, &f, 1);
	rig_check(r);
	assert_int_equal(rig_take(r, 0, out), 0);
	assert_int_equal(rig_take(r, 1, out), 1);
	assert_int_equal(out[0].len, 96);
	assert_int_equal(out[0].vnic, 1);
	assert_int_equal(out[0].bytes[0], 0xcd);
	assert_int_equal(ledger_filled(r->l), 0);
	/* back on the vNIC it came by, sent on the one it left by */
	assert_int_equal(count_of(&ledger_counters(r->l, 0)->back), 1);
	assert_int_equal(
	    count_of(&ledger_counters(r->l, 0)->filled_bytes), 100);
	assert_int_equal(count_of(&ledger_counters(r->l, 1)->back), 0);
	assert_int_equal(count_of(&ledger_counters(r->l, 1)->sent), 1);
}

static void
the_reserve_comes_before_traffic(void **state)
{
	struct rig *r = *state;
	struct vnic_frame f[16];

	assert_int_equal(ledger_room(r->l), 12);
	ledger_grant(r->l);
	assert_int_equal(ledger_granted(r->l), 4);
	assert_int_equal(ledger_room(r->l), 12);
	ledger_grant(r->l);
	assert_int_equal(ledger_granted(r->l), 4);
	for (unsigned i = 0; i < 12; i++)
		rig_fill(r, 0, 64, 1);
	assert_int_equal(ledger_room(r->l), 0);
	assert_int_equal(vnic_grant(r->q, f, 16), 4);
	assert_int_equal(f[0].len, ledger_buffer_bytes(r->l));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    a_packet_crosses, open_small, close_small),
	cmocka_unit_test_setup_teardown(
	    the_reserve_comes_before_traffic, open_small, close_small),
};

int
main(void)
{
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
