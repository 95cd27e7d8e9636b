/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_quiet: of many routers those that send and get nothing for long are
 * visited now and then only, while there is work: they are heard all the same, and
 * what their slow path sends leaves before what their fast path sends next.
 */
#include "tests/unit/dp_rig.h"

static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };

enum { N_IDLE = 8 }; /* more than are visited in any case */

/* The worker has work without end; and there are many routers. */
static void
open_busy(struct dp_rig *r, struct dp_router *idle[N_IDLE])
{
	dp_open(r, "");
	dp_port(r, "busy", "net_null0");
	for (uint8_t i = 0; i < N_IDLE; i++)
		idle[i] = dp_router_new(r, i + 2, 1);
}

static void
close_busy(struct dp_rig *r, struct dp_router *idle[N_IDLE])
{
	struct wire_msg m = dp_port_info(r, "busy");

	assert_true(m.u.port_info.count[WIRE_PORT_RX] > 1000);
	for (unsigned i = 0; i < N_IDLE; i++)
		dp_router_free(idle[i]);
	dp_close(r);
}

/* One of n data queues, on port p0. */
static struct dp_router *
router_on_port(struct dp_rig *r, unsigned n_data, uint8_t *mac)
{
	static const struct dp_frames none;
	struct dp_router *t;
	struct wire_msg m;

	dp_pcap_port(r, "p0", &none);
	t = dp_router_new(r, 1, n_data);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	return t;
}

static void
who_was_quiet_is_heard_beside_much_work(void **state)
{
	static struct dp_frames tx, out;
	struct dp_router *t, *idle[N_IDLE];
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	open_busy(&r, idle);
	t = router_on_port(&r, 1, mac);
	tx.n = 0;
	dp_frame(&tx, stranger, mac, 0, 200);
	for (unsigned i = 1; i <= 3; i++) {
		usleep(20000); /* many rounds, in which it is quiet */
		dp_router_send(t, 0, 0, &tx);
		DP_UNTIL(dp_n_out(&r, "p0") == i, t);
	}
	dp_read_pcap(&r, "p0.out", &out);
	assert_memory_equal(out.f[2].bytes, tx.f[0].bytes, 200);
	dp_router_free(t);
	close_busy(&r, idle);
}

enum { PAIRS = 3, SLOW = 100, FAST = 200 };

/* Each pair is of the slow path and then of the fast path; its number is in both. */
static void
send_pairs(struct dp_router *t, unsigned queue, const uint8_t *mac)
{
	static struct dp_frames slow, fast;

	for (unsigned k = 0; k < PAIRS; k++) {
		slow.n = fast.n = 0;
		dp_frame(&slow, stranger, mac, 0, SLOW + k);
		dp_frame(&fast, stranger, mac, 0, FAST + k);
		dp_router_send(t, t->n_queues - 1, 0, &slow);
		dp_router_send(t, queue, 0, &fast);
	}
}

static void
expect_pairs_in_order(const struct dp_frames *out, unsigned first)
{
	unsigned slow = 0, fast = 0;

	for (unsigned i = first; i < first + 2 * PAIRS; i++) {
		if (out->f[i].len < FAST) {
			assert_int_equal(out->f[i].len, SLOW + slow++);
			continue;
		}
		assert_int_equal(out->f[i].len, FAST + fast++);
		assert_true(fast <= slow);
	}
}

/* Of two data queues, and two workers, too. */
static void
who_was_quiet_keeps_the_order_of_its_slow_path(void **state)
{
	enum { ROUNDS = 60 };
	static struct dp_frames out;
	struct dp_router *t, *idle[N_IDLE];
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	open_busy(&r, idle);
	t = router_on_port(&r, 2, mac);
	for (unsigned i = 0; i < ROUNDS; i++) {
		usleep(4000); /* it is quiet */
		send_pairs(t, i % 2, mac);
		DP_UNTIL(dp_n_out(&r, "p0") == 2 * PAIRS * (i + 1), t);
	}
	dp_read_pcap(&r, "p0.out", &out);
	for (unsigned i = 0; i < ROUNDS; i++)
		expect_pairs_in_order(&out, 2 * PAIRS * i);
	dp_router_free(t);
	close_busy(&r, idle);
}

/* Of those to one MAC, has the long one come before the short one? */
static bool
is_overtaken(const struct dp_frames *f, unsigned at)
{
	for (unsigned i = 0; f->f[at].len == SLOW && i < at; i++)
		if (f->f[i].len == FAST &&
		    memcmp(f->f[i].bytes, f->f[at].bytes, 6) == 0)
			return true;
	return false;
}

/* Where both go to the same queue, whichever worker serves it. */
static void
who_was_quiet_keeps_that_order_over_a_link(void **state)
{
	enum { ROUNDS = 120 };
	static struct dp_frames slow, fast;
	uint8_t mac[6], to[6] = { 2, 0, 0, 9, 9, 0 };
	struct dp_router *a, *b, *idle[N_IDLE];
	struct dp_rig r;
	struct wire_msg m;

	(void)state;
	open_busy(&r, idle);
	a = dp_router_new(&r, 1, 2);
	b = dp_router_new(&r, 20, 2);
	m = dp_vnic(a, 0, NULL);
	m.u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m.u.vnic.peer_uid, 20, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m = dp_vnic(b, 0, NULL);
	m.u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m.u.vnic.peer_uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(a, a->n_queues);
	dp_router_run(b, b->n_queues);
	dp_mac(mac, 1, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		to[5] = (uint8_t)i;
		slow.n = fast.n = 0;
		dp_frame(&slow, to, mac, 0, SLOW);
		dp_frame(&fast, to, mac, 0, FAST);
		usleep(4000);
		dp_router_send(a, 2, 0, &slow);
		dp_router_send(a, i % 2, 0, &fast);
		DP_UNTIL(dp_router_got(b) == 2 * (i + 1), a, b);
	}
	for (unsigned q = 0; q < 2; q++)
		for (unsigned i = 0; i < b->got[q].n; i++)
			assert_false(is_overtaken(&b->got[q], i));
	assert_true(b->got[0].n > 0 && b->got[1].n > 0);
	dp_router_free(a);
	dp_router_free(b);
	close_busy(&r, idle);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_quiet_is_heard_beside_much_work),
		cmocka_unit_test(
		    who_was_quiet_keeps_the_order_of_its_slow_path),
		cmocka_unit_test(who_was_quiet_keeps_that_order_over_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
