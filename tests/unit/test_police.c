/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_police: limits hold over time and at once, whatever the sizes and rates;
 * what is refused costs no token.
 */
#include "tests/unit/police_rig.h"

#include "lib/base.h"

/* --- rates ---------------------------------------------------------------------- */

static void
no_limit_is_no_level(void **state)
{
	const struct wire_rates none = { 0 };
	const struct wire_rates only_tx = { .tx_bps = 5, .burst_ms = 1 };
	struct police p = { 0 };

	(void)state;
	police_add(&p, &none, POLICE_RX, &police_tank[0]);
	police_add(&p, &none, POLICE_TX, &police_tank[0]);
	police_add(&p, &only_tx, POLICE_RX, &police_tank[0]);
	assert_int_equal(p.n_levels, 0);
	police_add(&p, &only_tx, POLICE_TX, &police_tank[1]);
	assert_int_equal(p.n_levels, 1);
	assert_ptr_equal(p.level[0].tank, &police_tank[1]);
	assert_int_equal(p.level[0].rate[POLICE_PPS], 0);
	assert_int_equal(p.level[0].rate[POLICE_BPS], 5);
}

/* Not by more than a share of it, nor by more than one packet. */
static void
expect_rate(uint64_t got, uint64_t rate, uint64_t duration, uint64_t packet)
{
	double want = (double)rate * (double)duration / 1e9;
	double off =
	    (double)got > want ? (double)got - want : want - (double)got;

	if (off > want * 0.002 && off > (double)packet)
		fail_msg("%llu, not %f", (unsigned long long)got, want);
}

static void
packets_per_second_hold_for_every_step(void **state)
{
	static const uint64_t rates[] = { 1, 7, 100, 5000, 123457, 10000000 };
	static const uint64_t steps[] = { 700, 5000, 33333, 1 * MS, 7 * MS };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
		for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
			const struct police p = one_level((struct wire_rates){
			    .rx_pps = rates[r], .burst_ms = 50 });
			uint64_t duration = 20000 * steps[s];

			if (N * SECOND / steps[s] < rates[r] * 2)
				continue; /* less is offered than allowed */
			police_fill(&police_tank[0]);
			drain(&p, 64, false);
			expect_rate(flood(&p, N, 64, steps[s], duration),
			    rates[r], duration, 1);
		}
}

static void
bits_per_second_hold_for_every_size(void **state)
{
	static const uint64_t rates[] = { 1000000, 10000000, 1000000000,
		10000000000 };
	static const uint16_t lens[] = { 14, 64, 65, 512, 1514, 9022 };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
		for (size_t k = 0; k < ARRAY_SIZE(lens); k++) {
			const struct police p = one_level((struct wire_rates){
			    .rx_bps = rates[r], .burst_ms = 20 });
			uint64_t bits = 8 * (uint64_t)lens[k];
			/* ten times as much as may pass, or more */
			uint64_t step =
			    MIN(bits * N * SECOND / rates[r] / 10, 2 * MS);

			police_fill(&police_tank[0]);
			drain(&p, lens[k], false);
			expect_rate(
			    bits * flood(&p, N, lens[k], step, 20000 * step),
			    rates[r], 20000 * step, bits);
		}
}

static void
sizes_mixed_share_one_tank(void **state)
{
	const struct police p =
	    one_level((struct wire_rates){ .rx_bps = 8000000, .burst_ms = 50 });
	static const uint16_t lens[] = { 64, 1514, 64, 600, 64, 64, 9000, 64 };
	uint64_t bits = 0, small = 0;

	(void)state;
	drain(&p, 64, false);
	for (uint64_t t = 0; t < 10 * SECOND; t += 100000) {
		const struct police_burst burst = { clock_ns + t, lens, 8, 8,
			false };
		struct police_verdict v;

		police_judge(&p, &burst, &v);
		for (unsigned i = 0; i < 8; i++)
			if (v.pass >> i & 1) {
				bits += 8 * (uint64_t)lens[i];
				small += lens[i] == 64;
			}
	}
	expect_within(bits, 80000000, 0.01);
	assert_true(small > 0);
}

/* --- bursts --------------------------------------------------------------------- */

static void
a_burst_is_burst_ms_of_the_rate(void **state)
{
	static const uint32_t ms[] = { 1, 5, 50, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		struct police p = one_level(
		    (struct wire_rates){ .rx_pps = 100000, .burst_ms = ms[i] });

		police_fill(&police_tank[0]);
		assert_int_equal(drain(&p, 64, true), 100 * ms[i]);
		assert_int_equal(drain(&p, 64, true), 0);
		clock_ns += 3600 * SECOND; /* and no more after a rest */
		assert_int_equal(drain(&p, 64, true), 100 * ms[i]);
		p = one_level((struct wire_rates){
		    .rx_bps = 80000000, .burst_ms = ms[i] });
		police_fill(&police_tank[0]);
		assert_int_equal(drain(&p, 100, true), 100 * ms[i]);
	}
}

/* In every window, not only on the average. */
static void
no_window_has_more_than_rate_and_burst(void **state)
{
	enum { ROUNDS = 20000, STEP = 50000 };
	const struct police p = one_level((struct wire_rates){
	    .rx_pps = 200000, .rx_bps = 300000000, .burst_ms = 10 });
	static uint64_t packets[ROUNDS + 1], bits[ROUNDS + 1];
	uint64_t seed = 88172645463325252;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct police_verdict v;
		uint16_t len;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		clock_ns += STEP;
		len = (uint16_t)(64 + seed % 1450);
		v = judge(&p, seed >> 32 & 3 ? (unsigned)(seed >> 40) % N : 0,
		    len, seed >> 60 == 0);
		packets[i + 1] = packets[i] + v.n_pass;
		bits[i + 1] = bits[i] + 8 * (uint64_t)v.n_pass * len;
	}
	assert_true(packets[ROUNDS] > 40000);
	for (unsigned from = 0; from < ROUNDS; from += 7)
		for (unsigned to = from + 1; to <= ROUNDS;
		     to += 1 + (to - from) / 4) {
			uint64_t ns = (uint64_t)(to - from - 1) * STEP;

			ns += 10 * MS;
			assert_true(packets[to] - packets[from] <=
				    200000 * ns / SECOND);
			assert_true(
			    bits[to] - bits[from] <= 300000000 * ns / SECOND);
		}
}

static void
a_packet_larger_than_a_burst_passes_one_at_a_time(void **state)
{
	/* 50 ms are 400 bits: an eighth of one packet of 400 bytes */
	const struct police p =
	    one_level((struct wire_rates){ .rx_bps = 8000, .burst_ms = 50 });

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(judge(&p, N, 400, false).n_pass, 1);
		clock_ns += 370 * MS; /* its 3200 bits take 400 ms */
		assert_int_equal(judge(&p, N, 400, false).n_pass, 0);
		clock_ns += 40 * MS;
	}
}

static void
the_last_of_a_tank_is_for_the_urgent(void **state)
{
	const struct police p =
	    one_level((struct wire_rates){ .rx_pps = 8000, .burst_ms = 100 });

	(void)state;
	assert_int_equal(drain(&p, 64, false), 700);
	assert_int_equal(drain(&p, 64, true), 100);
	clock_ns += 10 * MS; /* 80 tokens, below the reserve */
	assert_int_equal(drain(&p, 64, false), 0);
	assert_int_equal(judge(&p, N, 64, true).n_pass, N);
	/* and it is part of the limit */
	drain(&p, 64, true);
	expect_within(flood(&p, N, 64, MS, 10 * SECOND), 80000, 0.01);
}

/* --- several limits ------------------------------------------------------------- */

static void
the_tighter_of_packets_and_bits_holds_and_is_named(void **state)
{
	const struct police p = one_level((struct wire_rates){
	    .rx_pps = 100000, .rx_bps = 100000000, .burst_ms = 10 });
	struct police_verdict v;

	(void)state;
	drain(&p, 64, true);
	v = judge(&p, N, 64, false);
	assert_int_equal(v.n_drop[POLICE_PPS], N);
	drain(&p, 64, false);
	/* 100 kpps of 64 bytes are 51 Mbit/s; of 1500, 8333 pps suffice */
	expect_within(flood(&p, N, 64, 100000, SECOND), 100000, 0.002);
	police_fill(&police_tank[0]);
	drain(&p, 1500, true);
	v = judge(&p, N, 1500, false);
	assert_int_equal(v.n_drop[POLICE_BPS], N);
	expect_within(flood(&p, N, 1500, 100000, 10 * SECOND), 83333, 0.002);
}

static struct police
two_levels(uint64_t vnic_pps, unsigned vnic_tank, uint64_t router_pps)
{
	const struct wire_rates vnic = { .rx_pps = vnic_pps, .burst_ms = 10 };
	const struct wire_rates all = { .rx_pps = router_pps, .burst_ms = 10 };
	struct police p = { 0 };

	police_add(&p, &vnic, POLICE_RX, &police_tank[vnic_tank]);
	police_add(&p, &all, POLICE_RX, &police_tank[0]);
	assert_int_equal(p.n_levels, 2);
	return p;
}

static void
the_router_shares_what_its_vnics_may(void **state)
{
	const struct police a = two_levels(60000, 2, 100000);
	const struct police b = two_levels(60000, 3, 100000);
	uint64_t n_a = 0, n_b = 0;

	(void)state;
	drain(&a, 64, true);
	drain(&b, 64, true);
	expect_within(flood(&a, N, 64, 100000, SECOND), 60000, 0.002);
	clock_ns += SECOND;
	drain(&a, 64, true);
	drain(&b, 64, true);
	for (unsigned i = 0; i < 10000; i++) {
		clock_ns += 100000;
		if (i % 2)
			n_a += judge(&a, N, 64, false).n_pass;
		n_b += judge(&b, N, 64, false).n_pass;
		if (i % 2 == 0)
			n_a += judge(&a, N, 64, false).n_pass;
	}
	/* in sum as the router may, each as it may alone */
	expect_within(n_a + n_b, 100000, 0.002);
	assert_true(n_a <= 60600 && n_b <= 60600);
}

/* Else the packets that one level refuses would eat up the other's tokens. */
static void
what_is_refused_costs_no_token(void **state)
{
	const struct police tight = two_levels(1000, 2, 100000);
	const struct police wide = two_levels(100000, 3, 100000);
	struct police_verdict v;
	uint16_t lens[N] = { 0 };
	struct police_burst no_room = { 0, lens, N, 5, true };

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		judge(&tight, N, 64, true);
	assert_int_equal(drain(&wide, 64, true), 1000 - 10);
	/* nor does one that finds no room */
	clock_ns += SECOND;
	no_room.now_ns = clock_ns;
	police_fill(&police_tank[0]);
	police_fill(&police_tank[3]);
	police_judge(&wide, &no_room, &v);
	assert_int_equal(v.n_pass, 5);
	assert_int_equal(v.pass, 0x1f);
	assert_int_equal(v.n_rest, N - 5);
	assert_int_equal(drain(&wide, 64, true), 1000 - 5);
}

/* --- changes --------------------------------------------------------------------- */

static void
a_change_keeps_the_fill(void **state)
{
	struct police p =
	    one_level((struct wire_rates){ .rx_pps = 10000, .burst_ms = 100 });

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(judge(&p, N, 64, true).n_pass, N); /* 640 */
	p = one_level((struct wire_rates){ .rx_pps = 100000, .burst_ms = 100 });
	assert_int_equal(drain(&p, 64, true), 1000 - 640);
	assert_int_equal(flood(&p, N, 64, 100000, 100 * MS), 10000 - 1250 + 0);
	clock_ns += SECOND;
	judge(&p, 1, 64, true);
	/* a smaller tank holds no more than itself */
	p = one_level((struct wire_rates){ .rx_pps = 1000, .burst_ms = 100 });
	assert_int_equal(drain(&p, 64, true), 100);
}

static void
a_limit_that_comes_back_begins_full(void **state)
{
	const struct police p =
	    one_level((struct wire_rates){ .rx_pps = 1000, .burst_ms = 100 });

	(void)state;
	assert_int_equal(drain(&p, 64, true), 100);
	clock_ns += 10 * SECOND; /* without a limit meanwhile */
	assert_int_equal(drain(&p, 64, true), 100);
}

/* One of bits is in use; one of packets comes beside it, as a PATCH does. */
static void
a_limit_of_another_kind_begins_full(void **state)
{
	const struct wire_rates old = { .rx_bps = 1000000000, .burst_ms = 10 };
	struct wire_rates r = old;
	struct police p = one_level(old);

	(void)state;
	drain(&p, 1500, true);
	r.rx_pps = 1000;
	r.burst_ms = 100;
	police_change(police_tank, &old, &r);
	p = one_level(r);
	clock_ns += 10 * MS; /* 10 packets, or 10 Mbit */
	assert_int_equal(drain(&p, 64, true), 100);
	/* the other way has none, and what is there keeps its fill */
	police_change(police_tank, &r, &r);
	assert_int_equal(drain(&p, 64, true), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		POLICE_TEST(no_limit_is_no_level),
		POLICE_TEST(packets_per_second_hold_for_every_step),
		POLICE_TEST(bits_per_second_hold_for_every_size),
		POLICE_TEST(sizes_mixed_share_one_tank),
		POLICE_TEST(a_burst_is_burst_ms_of_the_rate),
		POLICE_TEST(no_window_has_more_than_rate_and_burst),
		POLICE_TEST(a_packet_larger_than_a_burst_passes_one_at_a_time),
		POLICE_TEST(the_last_of_a_tank_is_for_the_urgent),
		POLICE_TEST(the_tighter_of_packets_and_bits_holds_and_is_named),
		POLICE_TEST(the_router_shares_what_its_vnics_may),
		POLICE_TEST(what_is_refused_costs_no_token),
		POLICE_TEST(a_change_keeps_the_fill),
		POLICE_TEST(a_limit_that_comes_back_begins_full),
		POLICE_TEST(a_limit_of_another_kind_begins_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
