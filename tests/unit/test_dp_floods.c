/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_floods: a broadcast reaches a segment that has more vNICs than a
 * round may make copies, from the wire and from a router on it. Neighbours that
 * never hear an ARP request cannot be reached at all.
 */
#include "tests/unit/dp_rig.h"

enum { N_ROUTERS = 17, PER_ROUTER = VNIC_MAX_VNICS };

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

/* What all vNICs were offered, and what of it was one broadcast too many. */
static uint64_t
sum(struct dp_router *const *t, size_t offset)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < N_ROUTERS; i++)
		for (unsigned v = 0; v < PER_ROUTER; v++)
			n += dp_count(t[i], v, offset);
	return n;
}

#define OFFERED offsetof(struct vnic_counters, offered)
#define TOO_MANY offsetof(struct vnic_counters, rx_drop[VNIC_DROP_BROADCAST])

static void
fill_segment(struct dp_rig *r, struct dp_router **t)
{
	for (unsigned i = 0; i < N_ROUTERS; i++) {
		t[i] = dp_router_wide(r, (uint8_t)(i + 1), 1, PER_ROUTER);
		for (unsigned v = 0; v < PER_ROUTER; v++) {
			struct wire_msg m = dp_vnic(t[i], v, "p0");

			assert_int_equal(dp_ask(r, &m, NULL), 0);
		}
	}
}

static void
a_large_segment_hears_broadcasts(void **state)
{
	const uint64_t all = N_ROUTERS * PER_ROUTER;
	static struct dp_frames in, tx;
	struct dp_router *t[N_ROUTERS];
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	fill_segment(&r, t);
	in.n = tx.n = 0;
	dp_frame(&in, broadcast, (const uint8_t *)"\2\0\0\11\11\11", 0, 60);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(sum(t, OFFERED) == all, t[0]);
	assert_int_equal(sum(t, TOO_MANY), 0);

	dp_router_run(t[0], t[0]->n_queues);
	dp_mac(mac, 1, 0);
	dp_frame(&tx, broadcast, mac, 0, 60);
	dp_router_send(t[0], 0, 0, &tx);
	DP_UNTIL(dp_n_out(&r, "p0") == 1, t[0]);
	assert_int_equal(sum(t, OFFERED), 2 * all - 1);
	assert_int_equal(DP_COUNT(t[0], 0, offered), 1);
	assert_int_equal(sum(t, TOO_MANY), 0);
	for (unsigned i = 0; i < N_ROUTERS; i++)
		dp_router_free(t[i]);
	dp_close(&r);
}

/* What all of them cost beyond the budget comes off what follows. */
static void
a_storm_is_counted_and_ends(void **state)
{
	const uint64_t all = N_ROUTERS * PER_ROUTER;
	static struct dp_frames in;
	struct dp_router *t[N_ROUTERS];
	struct dp_rig r;

	(void)state;
	dp_open(&r, "");
	fill_segment(&r, t);
	in.n = 0;
	for (unsigned i = 0; i < 128; i++)
		dp_frame(
		    &in, broadcast, (const uint8_t *)"\2\0\0\11\11\11", 0, 60);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(sum(t, OFFERED) == 128 * all, t[0]);
	assert_true(sum(t, TOO_MANY) > 100 * all);
	assert_int_equal(sum(t, TOO_MANY) % all, 0);
	for (unsigned i = 0; i < N_ROUTERS; i++)
		dp_router_free(t[i]);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_segment_hears_broadcasts),
		cmocka_unit_test(a_storm_is_counted_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
