/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_link: links of a running data plane that impair what passes, and
 * segments: what comes is whole, what does not is counted, no slot is held
 * meanwhile. What is measured in time has bounds that a busy machine keeps.
 */
#include "tests/unit/dp_rig.h"

static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

enum { N = 200, QUEUE = 1000 };

/* a:eth0 and b:eth0 are the ends of a link. */
struct pair {
	struct dp_rig r;
	struct dp_router *a, *b;
};

static void
join(struct dp_rig *r, struct dp_router *t, const struct dp_router *peer)
{
	struct wire_msg m = dp_vnic(t, 0, NULL);

	m.u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m.u.vnic.peer_uid, peer->id, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(r, &m, NULL), 0);
}

static void
pair_open(struct pair *p, unsigned n_data)
{
	dp_open(&p->r, "");
	p->a = dp_router_new(&p->r, 1, n_data);
	p->b = dp_router_new(&p->r, 2, n_data);
	join(&p->r, p->a, p->b);
	join(&p->r, p->b, p->a);
	dp_router_run(p->a, p->a->n_queues);
	dp_router_run(p->b, p->b->n_queues);
}

static void
pair_close(struct pair *p)
{
	dp_router_free(p->a);
	dp_router_free(p->b);
	dp_close(&p->r);
}

static int
impair(struct dp_rig *r, const struct dp_router *t, struct wire_impair rx,
    struct wire_impair tx)
{
	struct wire_msg m = { .type = WIRE_VNIC_LINK };

	memset(m.u.link.uid, t->id, WIRE_UID_BYTES);
	m.u.link.impair[WIRE_RX] = rx;
	m.u.link.impair[WIRE_TX] = tx;
	return dp_ask(r, &m, NULL);
}

static const struct wire_impair none = { 0 };

/* n frames from a:eth0 to b:eth0, each of another length. */
static void
frames(struct dp_frames *f, unsigned n)
{
	uint8_t from[6], to[6];

	dp_mac(from, 1, 0);
	dp_mac(to, 2, 0);
	f->n = 0;
	for (unsigned i = 0; i < n; i++)
		dp_frame(f, to, from, 0, 60 + i);
}

/* back + originated + duplicated = sent + tx_drop, of a router that is honest */
static void
expect_balance(const struct dp_router *t, unsigned v)
{
	uint64_t drops = 0;

	for (unsigned i = 0; i < VNIC_N_DROP; i++)
		drops += DP_COUNT(t, v, tx_drop[i]);
	assert_int_equal(
	    DP_COUNT(t, v, originated) + DP_COUNT(t, v, duplicated),
	    DP_COUNT(t, v, sent) + drops);
}

static void
a_delay_is_one(void **state)
{
	static struct dp_frames f;
	struct pair p;
	uint64_t begin;

	(void)state;
	pair_open(&p, 1);
	assert_int_equal(impair(&p.r, p.a, none,
			     (struct wire_impair){
				 .delay_us = 100000, .queue_packets = QUEUE }),
	    0);
	frames(&f, N);
	begin = dp_now_ms();
	dp_router_send(p.a, 0, 0, &f);
	/* all slots are back while the packets wait */
	DP_UNTIL(DP_COUNT(p.a, 0, originated) == N, p.a);
	if (dp_now_ms() - begin < 90)
		assert_int_equal(dp_router_got(p.b), 0);
	DP_UNTIL(dp_router_got(p.b) == N, p.a, p.b);
	assert_true(dp_now_ms() - begin >= 100);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(p.b->got[0].f[i].len, f.f[i].len);
		assert_memory_equal(
		    p.b->got[0].f[i].bytes, f.f[i].bytes, f.f[i].len);
	}
	assert_int_equal(DP_COUNT(p.a, 0, sent), N);
	expect_balance(p.a, 0);
	/* and none the other way */
	f.n = 0;
	dp_frame(&f, (const uint8_t[]){ 2, 0, 0, 0, 1, 0 },
	    (const uint8_t[]){ 2, 0, 0, 0, 2, 0 }, 0, 60);
	dp_router_send(p.b, 0, 0, &f);
	DP_UNTIL(dp_router_got(p.a) == 1, p.a, p.b);
	pair_close(&p);
}

/* Which of N frames come; the same seed, the same ones. */
static void
losses(uint64_t seed, uint8_t *came)
{
	static struct dp_frames f;
	struct pair p;
	uint64_t lost;

	pair_open(&p, 1);
	assert_int_equal(impair(&p.r, p.a, none,
			     (struct wire_impair){ .seed = seed,
				 .loss_ppm = 200000,
				 .duplicate_ppm = 100000,
				 .queue_packets = QUEUE }),
	    0);
	frames(&f, N);
	dp_router_send(p.a, 0, 0, &f);
	DP_UNTIL(DP_COUNT(p.a, 0, sent) +
			 DP_COUNT(p.a, 0, tx_drop[VNIC_DROP_IMPAIR_LOSS]) ==
		     N + DP_COUNT(p.a, 0, duplicated),
	    p.a, p.b);
	lost = DP_COUNT(p.a, 0, tx_drop[VNIC_DROP_IMPAIR_LOSS]);
	assert_in_range(lost, 20, 60);
	assert_in_range(DP_COUNT(p.a, 0, duplicated), 4, 30);
	expect_balance(p.a, 0);
	DP_UNTIL(dp_router_got(p.b) == DP_COUNT(p.a, 0, sent), p.b);
	memset(came, 0, N);
	for (unsigned i = 0; i < p.b->got[0].n; i++)
		came[p.b->got[0].f[i].len - 60]++;
	pair_close(&p);
}

static void
losses_repeat(void **state)
{
	uint8_t a[N], b[N];

	(void)state;
	losses(7, a);
	losses(7, b);
	assert_memory_equal(a, b, N);
	losses(8, b);
	assert_memory_not_equal(a, b, N);
}

static void
what_waits_is_bounded_and_ends_with_the_link(void **state)
{
	static struct dp_frames f;
	struct pair p;

	(void)state;
	pair_open(&p, 1);
	assert_int_equal(impair(&p.r, p.a, none,
			     (struct wire_impair){
				 .delay_us = 10000000, .queue_packets = 50 }),
	    0);
	frames(&f, N);
	dp_router_send(p.a, 0, 0, &f);
	DP_UNTIL(
	    DP_COUNT(p.a, 0, tx_drop[VNIC_DROP_IMPAIR_QUEUE]) == N - 50, p.a);
	assert_int_equal(DP_COUNT(p.a, 0, sent), 0);
	assert_int_equal(impair(&p.r, p.a, none, none), 0);
	DP_UNTIL(
	    DP_COUNT(p.a, 0, tx_drop[VNIC_DROP_LINK_DOWN]) == 50, p.a, p.b);
	expect_balance(p.a, 0);
	/* and it is a wire again */
	f.n = 5;
	dp_router_send(p.a, 0, 0, &f);
	DP_UNTIL(dp_router_got(p.b) == 5, p.a, p.b);
	pair_close(&p);
}

static void
a_port_is_impaired_both_ways(void **state)
{
	static struct dp_frames in;
	const struct wire_impair half = { .seed = 1,
		.loss_ppm = 500000,
		.delay_us = 1000,
		.queue_packets = QUEUE };
	struct dp_rig r;
	struct dp_router *t;
	struct wire_msg m;
	uint64_t n, lost;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	t->echo = true;
	m = dp_vnic(t, 0, "p0");
	m.u.vnic.vlan = 5;
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	assert_int_equal(impair(&r, t, half, half), 0);
	dp_router_run(t, t->n_queues);
	in.n = 0;
	dp_mac(mac, 1, 0);
	for (unsigned i = 0; i < N; i++)
		dp_frame(&in, i % 2 ? mac : broadcast, stranger, 5, 64 + i);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(DP_COUNT(t, 0, offered) == N, t);
	DP_UNTIL(DP_COUNT(t, 0, back) == DP_COUNT(t, 0, filled), t);
	n = DP_COUNT(t, 0, filled);
	lost = DP_COUNT(t, 0, rx_drop[VNIC_DROP_IMPAIR_LOSS]);
	assert_int_equal(n + lost, N);
	assert_in_range(n, 70, 130);
	/* those to all come back from all, as their own: spoofed */
	DP_UNTIL(DP_COUNT(t, 0, sent) +
			 DP_COUNT(t, 0, tx_drop[VNIC_DROP_IMPAIR_LOSS]) +
			 DP_COUNT(t, 0, tx_drop[VNIC_DROP_SPOOFED]) ==
		     n,
	    t);
	assert_in_range(DP_COUNT(t, 0, sent), 10, 90);
	DP_UNTIL(dp_n_out(&r, "p0") == DP_COUNT(t, 0, sent), t);
	dp_router_free(t);
	dp_close(&r);
}

/* --- changes ---------------------------------------------------------------------- */

static uint32_t
random_of(uint64_t *x, uint32_t n)
{
	*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((*x >> 33) % n);
}

static struct wire_impair
random_impair(uint64_t *x)
{
	struct wire_impair i = { .seed = random_of(x, 3) };

	if (random_of(x, 4) == 0)
		return none;
	i.delay_us = random_of(x, 3) * 1000;
	i.jitter_us = i.delay_us / (1 + random_of(x, 3));
	i.reorder_ppm = i.delay_us ? random_of(x, 500000) : 0;
	i.loss_ppm = random_of(x, 100000);
	i.duplicate_ppm = random_of(x, 200000);
	i.rate_bps = random_of(x, 2) * 100000000;
	i.queue_packets = 1 + random_of(x, 300);
	return i;
}

/* Its peer, a segment that both are on, or nothing at all. */
static void
attach_any(struct dp_rig *r, struct dp_router *t, const struct dp_router *peer,
    uint64_t *x)
{
	struct wire_msg m = dp_vnic(t, 0, NULL);

	switch (random_of(x, 5)) {
	case 0:
		break;
	case 1:
		m.u.vnic.attach = WIRE_ATTACH_SEGMENT;
		memset(m.u.vnic.peer_uid, 70, WIRE_UID_BYTES);
		break;
	default:
		m.u.vnic.attach = WIRE_ATTACH_VNIC;
		memset(m.u.vnic.peer_uid, peer->id, WIRE_UID_BYTES);
	}
	assert_int_equal(dp_ask(r, &m, NULL), 0);
}

static uint64_t
n_rx_drops(const struct dp_router *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < VNIC_N_DROP; i++)
		n += DP_COUNT(t, 0, rx_drop[i]);
	return n;
}

static uint64_t
n_tx_drops(const struct dp_router *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < VNIC_N_DROP; i++)
		n += DP_COUNT(t, 0, tx_drop[i]);
	return n;
}

/* However a link changes under the packets, each of them is accounted for. */
static void
changes_lose_no_account(void **state)
{
	enum { ROUNDS = 150, EACH = 8 };
	static struct dp_frames f;
	uint64_t x = 11;
	struct pair p;

	(void)state;
	pair_open(&p, 2);
	frames(&f, EACH);
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* the data queue of each worker, and the control queue */
		dp_router_send(p.a, i % 3, 0, &f);
		assert_int_equal(
		    impair(&p.r, p.a, random_impair(&x), random_impair(&x)), 0);
		assert_int_equal(
		    impair(&p.r, p.b, random_impair(&x), random_impair(&x)), 0);
		attach_any(&p.r, p.a, p.b, &x);
		attach_any(&p.r, p.b, p.a, &x);
		dp_router_turn(p.a);
		dp_router_turn(p.b);
		for (unsigned q = 0; q < 3; q++)
			p.a->got[q].n = p.b->got[q].n = 0;
	}
	assert_int_equal(impair(&p.r, p.a, none, none), 0);
	assert_int_equal(impair(&p.r, p.b, none, none), 0);
	DP_UNTIL(DP_COUNT(p.a, 0, originated) == ROUNDS * EACH, p.a);
	DP_UNTIL(ROUNDS * EACH + DP_COUNT(p.a, 0, duplicated) ==
		     DP_COUNT(p.a, 0, sent) + n_tx_drops(p.a),
	    p.a, p.b);
	DP_UNTIL(DP_COUNT(p.b, 0, offered) ==
		     DP_COUNT(p.b, 0, filled) + n_rx_drops(p.b),
	    p.a, p.b);
	DP_UNTIL(DP_COUNT(p.b, 0, back) == DP_COUNT(p.b, 0, filled), p.b);
	/* what was sent was offered to it, and its own detour makes copies */
	assert_true(DP_COUNT(p.b, 0, offered) >= DP_COUNT(p.a, 0, sent));
	assert_true(DP_COUNT(p.a, 0, sent) > 0);
	assert_true(DP_COUNT(p.a, 0, tx_drop[VNIC_DROP_LINK_DOWN]) > 0);
	pair_close(&p);
}

static void
refusals_change_nothing(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, 1);
	assert_int_equal(impair(&p.r, p.a, none,
			     (struct wire_impair){
				 .loss_ppm = 2000000, .queue_packets = 1 }),
	    EINVAL);
	assert_int_equal(
	    impair(&p.r, p.a, (struct wire_impair){ .delay_us = 1 }, none),
	    EINVAL);
	p.a->id = 9;
	assert_int_equal(impair(&p.r, p.a, none, none), ENOENT);
	p.a->id = 1;
	assert_int_equal(impair(&p.r, p.a, none, none), 0);
	pair_close(&p);
}

/* --- matches ---------------------------------------------------------------------- */

/* Of the port, t gets what goes to 198.18.0.0/16, too. */
static int
match_net(struct dp_rig *r, const struct dp_router *t, uint32_t fields)
{
	struct wire_msg m = { .type = WIRE_VNIC_LINK };
	struct wire_match *w = &m.u.link.match;

	memset(m.u.link.uid, t->id, WIRE_UID_BYTES);
	w->fields = fields;
	w->family = 4;
	w->dst_bits = 16;
	store_be32(w->dst, 0xc6120000);
	return dp_ask(r, &m, NULL);
}

static void
add_ip4(struct dp_frames *f, const uint8_t *dst, uint32_t to)
{
	uint8_t *type = dp_frame(f, dst, stranger, 0, 60);

	store_be16(type, 0x0800);
	memset(type + 2, 0, 20);
	type[2] = 0x45;
	store_be32(type + 18, to);
}

static void
a_match_gets_what_is_for_no_mac(void **state)
{
	static struct dp_frames in;
	struct dp_router *t[2];
	struct dp_rig r;
	uint8_t mac[2][6];

	(void)state;
	dp_open(&r, "");
	for (uint8_t i = 0; i < 2; i++) {
		struct wire_msg m;

		t[i] = dp_router_new(&r, (uint8_t)(i + 1), 1);
		dp_mac(mac[i], (uint8_t)(i + 1), 0);
		m = dp_vnic(t[i], 0, "p0");
		assert_int_equal(dp_ask(&r, &m, NULL), 0);
		dp_router_run(t[i], t[i]->n_queues);
	}
	assert_int_equal(match_net(&r, t[0], 1 << 20), EINVAL);
	assert_int_equal(match_net(&r, t[0], WIRE_MATCH_DST), 0);
	in.n = 0;
	add_ip4(&in, stranger, 0xc6120101); /* for nobody: the match */
	add_ip4(&in, mac[1], 0xc6120102);   /* a MAC goes first */
	add_ip4(&in, stranger, 0xc0000201); /* no match */
	add_ip4(&in, stranger, 0xc612ffff);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(
	    dp_router_got(t[0]) == 2 && dp_router_got(t[1]) == 1, t[0], t[1]);
	/* as if it had been sent to it */
	assert_memory_equal(t[0]->got[0].f[0].bytes, mac[0], 6);
	assert_memory_equal(t[0]->got[0].f[0].bytes + 6, stranger, 6);
	assert_int_equal(
	    dp_port_info(&r, "p0").u.port_info.count[WIRE_PORT_NO_MATCH], 1);
	dp_router_free(t[0]);
	dp_router_free(t[1]);
	dp_close(&r);
}

/* --- segments --------------------------------------------------------------------- */

static int
enter(struct dp_rig *r, const struct dp_router *t, unsigned v, uint8_t segment)
{
	struct wire_msg m = dp_vnic(t, v, NULL);

	m.u.vnic.attach = WIRE_ATTACH_SEGMENT;
	memset(m.u.vnic.peer_uid, segment, WIRE_UID_BYTES);
	return dp_ask(r, &m, NULL);
}

static void
a_segment_is_a_switch(void **state)
{
	static struct dp_frames f;
	struct dp_router *t[4];
	struct dp_rig r;
	struct wire_msg m;
	uint8_t mac[4][6];

	(void)state;
	dp_open(&r, "");
	for (uint8_t i = 0; i < 4; i++) {
		t[i] = dp_router_new(&r, (uint8_t)(i + 1), 1);
		dp_mac(mac[i], (uint8_t)(i + 1), 0);
		/* the last one is on another segment */
		assert_int_equal(enter(&r, t[i], 0, i < 3 ? 70 : 71), 0);
		dp_router_run(t[i], t[i]->n_queues);
	}
	f.n = 0;
	dp_frame(&f, mac[1], mac[0], 0, 60);    /* to one */
	dp_frame(&f, broadcast, mac[0], 0, 61); /* to all */
	dp_frame(&f, mac[2], mac[0], 9, 64);    /* with its tag */
	dp_frame(&f, mac[3], mac[0], 0, 62);    /* to who is elsewhere */
	dp_frame(&f, mac[1], mac[2], 0, 63);    /* not its own source */
	dp_router_send(t[0], 0, 0, &f);
	DP_UNTIL(dp_router_got(t[1]) == 2 && dp_router_got(t[2]) == 2, t[0],
	    t[1], t[2], t[3]);
	DP_UNTIL(DP_COUNT(t[0], 0, tx_drop[VNIC_DROP_SPOOFED]) == 1, t[0]);
	assert_int_equal(DP_COUNT(t[0], 0, tx_drop[VNIC_DROP_NO_MATCH]), 1);
	assert_int_equal(DP_COUNT(t[0], 0, sent), 3);
	assert_int_equal(DP_COUNT(t[0], 0, offered), 0);
	assert_int_equal(DP_COUNT(t[3], 0, offered), 0);
	assert_int_equal(DP_COUNT(t[2], 0, filled_bytes), 61 + 64);
	/* one MAC is there once */
	m = dp_vnic(t[3], 1, NULL);
	m.u.vnic.attach = WIRE_ATTACH_SEGMENT;
	memset(m.u.vnic.peer_uid, 70, WIRE_UID_BYTES);
	memcpy(m.u.vnic.mac, mac[0], 6);
	assert_int_equal(dp_ask(&r, &m, NULL), EEXIST);
	/* one leaves, live */
	m = dp_vnic(t[1], 0, NULL);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	f.n = 1;
	dp_router_send(t[0], 0, 0, &f);
	DP_UNTIL(DP_COUNT(t[0], 0, tx_drop[VNIC_DROP_NO_MATCH]) == 2, t[0]);
	for (unsigned i = 0; i < 4; i++)
		dp_router_free(t[i]);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_is_one),
		cmocka_unit_test(losses_repeat),
		cmocka_unit_test(what_waits_is_bounded_and_ends_with_the_link),
		cmocka_unit_test(a_port_is_impaired_both_ways),
		cmocka_unit_test(changes_lose_no_account),
		cmocka_unit_test(refusals_change_nothing),
		cmocka_unit_test(a_match_gets_what_is_for_no_mac),
		cmocka_unit_test(a_segment_is_a_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
