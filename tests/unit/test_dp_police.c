/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_police: limits in a running data plane: what passes is whole and in
 * order, what does not is counted on its vNIC, and every slot comes home. The
 * limits are so low that the time a test takes hardly matters.
 */
#include "tests/unit/dp_rig.h"

static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };

enum { N = 300 };

static void
frames_for(struct dp_frames *f, uint8_t id, unsigned index)
{
	uint8_t mac[6];

	dp_mac(mac, id, index);
	f->n = 0;
	for (unsigned i = 0; i < N; i++)
		dp_frame(f, mac, stranger, 0, 60 + i);
}

static int
set_vnic(struct dp_rig *r, struct dp_router *t, struct wire_rates rates)
{
	struct wire_msg m = dp_vnic(t, 0, "p0");

	m.u.vnic.rates = rates;
	return dp_ask(r, &m, NULL);
}

/* The same set again, with limits for all its vNICs. */
static int
set_router(struct dp_rig *r, struct dp_router *t, struct wire_rates rates)
{
	struct wire_msg m = { .type = WIRE_SET_ADD };

	memset(m.u.set.uid, t->id, WIRE_UID_BYTES);
	memset(m.u.set.set, t->set, WIRE_UID_BYTES);
	strcpy(m.u.set.name, "limited");
	m.u.set.g = t->g;
	m.u.set.slots = t->g.max_slots;
	m.u.set.rates = rates;
	m.n_fds = 3 + t->g.n_queues;
	m.fds[0] = t->fds.host;
	m.fds[1] = t->fds.router;
	m.fds[2] = t->fds.pool;
	for (unsigned q = 0; q < t->g.n_queues; q++)
		m.fds[3 + q] = t->fds.bell[q];
	return dp_ask(r, &m, NULL);
}

static void
refused_limits_change_nothing(void **state)
{
	struct dp_rig r;
	struct dp_router *t;

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	assert_int_equal(
	    set_vnic(&r, t, (struct wire_rates){ .rx_pps = 1 }), EINVAL);
	assert_int_equal(
	    set_vnic(&r, t,
		(struct wire_rates){ .tx_bps = UINT64_MAX, .burst_ms = 1 }),
	    EINVAL);
	assert_int_equal(
	    set_router(&r, t, (struct wire_rates){ .burst_ms = 1001 }), EINVAL);
	assert_int_equal(
	    set_router(&r, t,
		(struct wire_rates){ .rx_pps = 2000000000, .burst_ms = 1 }),
	    EINVAL);
	assert_int_equal(set_router(&r, t, (struct wire_rates){ 0 }), 0);
	dp_router_free(t);
	dp_close(&r);
}

static void
what_may_not_come_in_is_counted(void **state)
{
	static struct dp_frames in;
	struct dp_rig r;
	struct dp_router *t;
	uint64_t n;

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	assert_int_equal(
	    set_vnic(
		&r, t, (struct wire_rates){ .rx_pps = 32, .burst_ms = 1000 }),
	    0);
	dp_router_run(t, t->n_queues);
	frames_for(&in, 1, 0);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(DP_COUNT(t, 0, offered) == N, t);
	DP_UNTIL(DP_COUNT(t, 0, back) == DP_COUNT(t, 0, filled), t);
	n = DP_COUNT(t, 0, filled);
	/* seven eighths of 32, and what flows in during a second */
	assert_in_range(n, 28, 64);
	assert_int_equal(DP_COUNT(t, 0, rx_drop[VNIC_DROP_QUOTA_PPS]), N - n);
	assert_int_equal(DP_COUNT(t, 0, rx_drop[VNIC_DROP_QUOTA_BPS]), 0);
	assert_int_equal(t->got[0].n, n);
	for (unsigned i = 0; i < 28; i++) {
		assert_int_equal(t->got[0].f[i].len, in.f[i].len);
		assert_memory_equal(
		    t->got[0].f[i].bytes, in.f[i].bytes, in.f[i].len);
	}
	dp_router_free(t);
	dp_close(&r);
}

static void
what_may_not_go_out_gives_its_slot_back(void **state)
{
	static struct dp_frames in;
	struct dp_rig r;
	struct dp_router *t;
	uint64_t n;

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	t->echo = true;
	assert_int_equal(set_vnic(&r, t, (struct wire_rates){ 0 }), 0);
	/* of the router: 80,000 bits are about 60 of the first frames */
	assert_int_equal(
	    set_router(&r, t,
		(struct wire_rates){ .tx_bps = 80000, .burst_ms = 1000 }),
	    0);
	dp_router_run(t, t->n_queues);
	frames_for(&in, 1, 0);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(DP_COUNT(t, 0, back) == N, t);
	DP_UNTIL(DP_COUNT(t, 0, sent) +
			 DP_COUNT(t, 0, tx_drop[VNIC_DROP_QUOTA_BPS]) ==
		     N,
	    t);
	n = DP_COUNT(t, 0, sent);
	assert_in_range(n, 60, 200);
	assert_true(DP_COUNT(t, 0, sent_bytes) * 8 <= 160000);
	assert_int_equal(DP_COUNT(t, 0, filled), N);
	assert_int_equal(DP_COUNT(t, 0, tx_drop[VNIC_DROP_QUOTA_PPS]), 0);
	dp_router_free(t);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_limits_change_nothing),
		cmocka_unit_test(what_may_not_come_in_is_counted),
		cmocka_unit_test(what_may_not_go_out_gives_its_slot_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
