/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_workers: what several workers share, without DPDK, so that
 * ThreadSanitizer sees it: the choice of queues, the handover between workers,
 * and both in miniature with real ledgers and a real router.
 */
#include "dataplane/handover.h"
#include "dataplane/ledger.h"
#include "dataplane/spread.h"
#include "lib/loop.h"
#include "lib/region.h"
#include "lib/vnic.h"
#include "lib/vnic_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the choice of queues --------------------------------------------------------- */

static uint32_t
flow_of(uint32_t i)
{
	return i * UINT32_C(0x9e3779b9);
}

static void
a_queue_has_one_worker_and_worker_0_the_control_queue(void **state)
{
	(void)state;
	for (unsigned n_workers = 1; n_workers <= SPREAD_MAX_WORKERS;
	     n_workers++)
		for (unsigned n = 2; n <= VNIC_MAX_QUEUES; n++) {
			assert_int_equal(spread_worker(n - 1, n, n_workers), 0);
			for (unsigned q = 0; q + 1 < n; q++)
				assert_int_equal(spread_worker(q, n, n_workers),
				    q % n_workers);
		}
}

static void
near_queues_are_the_workers_own_and_the_same_if_they_can_be(void **state)
{
	enum { FLOWS = 2000 };

	(void)state;
	for (unsigned n_workers = 1; n_workers <= 4; n_workers++)
		for (unsigned n_data = n_workers; n_data <= 9; n_data++)
			for (unsigned w = 0; w < n_workers; w++)
				for (uint32_t i = 0; i < FLOWS; i++) {
					uint32_t flow = flow_of(i);
					unsigned any = spread_any(flow, n_data);
					unsigned q = spread_near(
					    flow, n_data, w, n_workers);

					assert_true(any < n_data);
					assert_true(q < n_data);
					assert_int_equal(q % n_workers, w);
					if (any % n_workers == w)
						assert_int_equal(q, any);
				}
}

static void
every_queue_gets_flows(void **state)
{
	enum { FLOWS = 8000, N_DATA = 8, N_WORKERS = 3 };
	unsigned any[N_DATA] = { 0 }, near[N_DATA] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		any[spread_any(flow_of(i), N_DATA)]++;
		near[spread_near(
		    flow_of(i), N_DATA, i % N_WORKERS, N_WORKERS)]++;
	}
	for (unsigned q = 0; q < N_DATA; q++) {
		assert_in_range(any[q], FLOWS / N_DATA / 2, FLOWS / N_DATA * 2);
		assert_in_range(
		    near[q], FLOWS / N_DATA / 3, FLOWS / N_DATA * 3);
	}
}

/* A router that was made when there were fewer workers is served all the same. */
static void
a_worker_without_a_queue_finds_one(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(spread_near(flow_of(i), 1, 3, 4), 0);
		assert_int_equal(spread_near(flow_of(i), 2, 2, 4),
		    spread_any(flow_of(i), 2));
	}
}

/* --- the handover ------------------------------------------------------------------- */

static bool
put(struct handover *h, uint64_t n, uint16_t len)
{
	struct handover_record r = { .len = len, .tci = (uint16_t)n };
	uint8_t *p = handover_put(h, &r);

	if (p)
		memset(p, (uint8_t)n, len);
	return p != NULL;
}

/* The next record is number n, whole. */
static void
assert_takes(struct handover *h, uint64_t n, uint16_t len)
{
	const uint8_t *p;
	const struct handover_record *r = handover_take(h, &p);

	assert_non_null(r);
	assert_int_equal(r->len, len);
	assert_int_equal(r->tci, (uint16_t)n);
	for (unsigned i = 0; i < len; i++)
		assert_int_equal(p[i], (uint8_t)n);
}

static uint16_t
len_of(uint64_t n)
{
	return (uint16_t)(14 + n * 37 % 1500);
}

static void
what_goes_in_comes_out_in_order_lap_after_lap(void **state)
{
	struct handover *h;
	uint64_t in = 0, out = 0;
	const uint8_t *p;

	(void)state;
	assert_int_equal(handover_new(&h), 0);
	while (in < 12000) { /* eight laps */
		for (unsigned k = 0; k < 1 + in % 50; k++, in++)
			assert_true(put(h, in, len_of(in)));
		handover_look(h);
		assert_null(handover_take(h, &p)); /* not published */
		assert_false(handover_has(h));
		assert_true(handover_publish(h));
		assert_false(handover_publish(h));
		assert_true(handover_has(h));
		assert_null(handover_take(h, &p)); /* after the last look */
		assert_false(handover_left(h));
		handover_look(h);
		assert_true(handover_left(h));
		for (; out < in; out++)
			assert_takes(h, out, len_of(out));
		assert_null(handover_take(h, &p));
		assert_false(handover_is_past(h, handover_published(h)));
		handover_release(h);
		assert_true(handover_is_past(h, handover_published(h)));
	}
	handover_free(h);
}

static void
a_full_one_refuses_until_it_is_released(void **state)
{
	struct handover *h;
	unsigned n = 0, again = 0;
	const uint8_t *p;

	(void)state;
	assert_int_equal(handover_new(&h), 0);
	while (put(h, n, 1514))
		n++;
	assert_in_range(n, 600, HANDOVER_BYTES / 1514);
	assert_false(put(h, n, HANDOVER_MAX_FRAME + 1)); /* never fits */
	handover_publish(h);
	handover_look(h);
	for (unsigned i = 0; i < n; i++)
		assert_takes(h, i, 1514);
	assert_null(handover_take(h, &p));
	assert_false(put(h, n, 1514)); /* taken, but not given back */
	handover_release(h);
	while (put(h, again, HANDOVER_MAX_FRAME))
		again++;
	assert_in_range(again, 62, 64);
	handover_publish(h);
	handover_look(h);
	for (unsigned i = 0; i < again; i++)
		assert_takes(h, i, HANDOVER_MAX_FRAME);
	handover_free(h);
}

static void
the_wide_half_ends_before_the_other(void **state)
{
	struct handover *h;
	unsigned n = 0;

	(void)state;
	assert_int_equal(handover_new(&h), 0);
	for (; handover_is_wide(h, 1000); n++)
		assert_true(put(h, n, 1000));
	assert_in_range(
	    n, HANDOVER_BYTES / 2 / 1100, HANDOVER_BYTES / 2 / 1000);
	for (unsigned i = 0; i < n; i++)
		assert_true(put(h, n + i, 1000));
	handover_publish(h);
	handover_look(h);
	for (unsigned i = 0; i < 2 * n; i++)
		assert_takes(h, i, 1000);
	assert_false(handover_is_wide(h, 1000));
	handover_release(h);
	assert_true(handover_is_wide(h, 1000));
	handover_free(h);
}

static void
what_is_rewound_is_taken_again(void **state)
{
	struct handover *h;
	uint64_t mark, from = 0;

	(void)state;
	assert_int_equal(handover_new(&h), 0);
	for (unsigned lap = 0; lap < 100; lap++) {
		for (uint64_t i = 0; i < 32; i++)
			assert_true(put(h, from + i, 1000));
		handover_publish(h);
		handover_look(h);
		for (uint64_t i = 0; i < 10; i++)
			assert_takes(h, from + i, 1000);
		mark = handover_mark(h);
		for (uint64_t i = 10; i < 32; i++)
			assert_takes(h, from + i, 1000);
		handover_rewind(h, mark);
		handover_release(h);
		assert_true(handover_has(h));
		for (uint64_t i = 10; i < 32; i++)
			assert_takes(h, from + i, 1000);
		handover_release(h);
		from += 32;
	}
	handover_free(h);
}

/* --- two workers, in miniature -------------------------------------------------------- */

/*
 *	worker 0 makes packets of FLOWS flows, numbers each, and gives it to the
 *	data queue of its flow: its own (0), or through the handover to worker 1
 *	both      fill their queue and take from it what the router sends back
 *	fast 0, 1 a router's: send back what they get, one queue each
 *
 * Whoever takes a packet checks that it is the next of its flow, or that those
 * between were dropped.
 */
enum { FLOWS = 64, PACKETS = 40000, FRAME = 64, SLOTS = 256, WORKERS = 2 };

struct packet {
	uint8_t ether[14];
	uint16_t flow;
	uint32_t seq; /* of the flow */
};

struct mini {
	struct vnic_fds fds;
	struct ledger_maps maps;
	struct ledger *ledger[WORKERS];
	struct vnic *v;
	struct vnic_queue *q[WORKERS];
	struct handover *h;
	_Atomic(bool) made;          /* (worker 0) all packets */
	_Atomic(bool) done[WORKERS]; /* (worker) it has seen all of its own */
	/* (worker of the flow's queue) */
	uint32_t next[FLOWS];
	uint64_t filled[WORKERS], dropped[WORKERS], back[WORKERS];
	uint64_t wrong[WORKERS];
	uint64_t refused; /* (worker 0) */
};

static void
mini_open(struct mini *m)
{
	struct vnic_geometry g;
	uint64_t now = 1;

	*m = (struct mini){ 0 };
	vnic_geometry_for(&g, WORKERS, 1, SLOTS, 1500);
	vnic_fds_init(&m->fds);
	assert_int_equal(vnic_create(&g, &m->fds), 0);
	assert_int_equal(vnic_layout_make(&m->maps.l, &g), 0);
	assert_int_equal(region_map(m->fds.host, m->maps.l.host_bytes,
			     REGION_RW, &m->maps.host),
	    0);
	assert_int_equal(region_map(m->fds.router, m->maps.l.router_bytes,
			     REGION_RO, &m->maps.router),
	    0);
	assert_int_equal(region_map(m->fds.pool, m->maps.l.pool_bytes,
			     REGION_RW, &m->maps.pool),
	    0);
	assert_int_equal(vnic_attach(&m->fds, &m->v), 0);
	assert_int_equal(handover_new(&m->h), 0);
	for (unsigned q = 0; q < WORKERS; q++) {
		assert_int_equal(
		    ledger_new(&m->maps, q, SLOTS, &m->ledger[q]), 0);
		ledger_reset(m->ledger[q], now);
		assert_int_equal(vnic_queue_open(m->v, q, &m->q[q]), 0);
		assert_int_equal(vnic_poll(m->q[q]), VNIC_FRESH);
		now += 1000000000;
		assert_true(ledger_try_run(m->ledger[q], now));
	}
}

static void
mini_close(struct mini *m)
{
	for (unsigned q = 0; q < WORKERS; q++) {
		vnic_queue_close(m->q[q]);
		ledger_free(m->ledger[q]);
	}
	handover_free(m->h);
	vnic_detach(m->v);
	region_unmap(m->maps.host, m->maps.l.host_bytes);
	region_unmap(m->maps.router, m->maps.l.router_bytes);
	region_unmap(m->maps.pool, m->maps.l.pool_bytes);
	vnic_fds_close(&m->fds);
}

static void
fill(struct mini *m, unsigned w, const uint8_t *bytes)
{
	struct ledger *l = m->ledger[w];
	const uint16_t len = FRAME;
	uint32_t slot;

	if (ledger_room(l) == 0) {
		m->dropped[w]++;
		return;
	}
	ledger_claim(l, 0, &slot, 1);
	memcpy(ledger_buffer(l, slot), bytes, FRAME);
	ledger_publish(l, 0, &slot, &len, 1);
	m->filled[w]++;
}

static void
take(struct mini *m, unsigned w)
{
	struct ledger_frame f[VNIC_BURST];
	unsigned n_taken, n;

	if (!ledger_turn(m->ledger[w]))
		m->wrong[w]++;
	n = ledger_take(m->ledger[w], 0, f, VNIC_BURST, &n_taken);
	for (unsigned i = 0; i < n; i++) {
		struct packet p;

		memcpy(&p, f[i].bytes, sizeof(p));
		if (p.flow >= FLOWS ||
		    spread_any(flow_of(p.flow), WORKERS) != w ||
		    p.seq < m->next[p.flow])
			m->wrong[w]++;
		else
			m->next[p.flow] = p.seq + 1;
		m->back[w]++;
	}
	ledger_release(m->ledger[w], f, n);
	ledger_grant(m->ledger[w]);
	ledger_ring(m->ledger[w], 0);
}

static void
make_packet(struct mini *m, uint32_t i)
{
	struct packet p = { .flow = (uint16_t)(i % FLOWS), .seq = i / FLOWS };
	struct handover_record r = { .len = FRAME };
	uint8_t bytes[FRAME] = { 0 }, *to;

	memcpy(bytes, &p, sizeof(p));
	if (spread_any(flow_of(p.flow), WORKERS) == 0) {
		fill(m, 0, bytes);
		return;
	}
	to = handover_put(m->h, &r);
	if (to)
		memcpy(to, bytes, FRAME);
	else
		m->refused++;
}

static void *
run_worker_0(void *arg)
{
	struct mini *m = arg;
	uint32_t i = 0;

	while (i < PACKETS || m->back[0] < m->filled[0]) {
		for (unsigned k = 0; k < VNIC_BURST && i < PACKETS; k++)
			make_packet(m, i++);
		handover_publish(m->h);
		take(m, 0);
		sched_yield();
	}
	atomic_store(&m->made, true);
	atomic_store(&m->done[0], true);
	return NULL;
}

static void *
run_worker_1(void *arg)
{
	struct mini *m = arg;

	for (;;) {
		bool last = atomic_load(&m->made);
		const struct handover_record *r;
		const uint8_t *p;
		unsigned n = 0;

		handover_look(m->h);
		while (n < VNIC_BURST && (r = handover_take(m->h, &p))) {
			m->wrong[1] += r->len != FRAME;
			fill(m, 1, p);
			n++;
		}
		if (n > 0)
			handover_release(m->h);
		take(m, 1);
		if (n == 0 && last && m->back[1] == m->filled[1])
			break;
		sched_yield();
	}
	atomic_store(&m->done[1], true);
	return NULL;
}

struct fast {
	struct mini *m;
	unsigned q;
};

static void *
run_fast(void *arg)
{
	const struct fast *f = arg;
	struct vnic_queue *q = f->m->q[f->q];

	while (!atomic_load(&f->m->done[f->q])) {
		struct vnic_frame frame[VNIC_BURST];
		enum vnic_status s = vnic_poll(q);
		unsigned n;

		if (s != VNIC_RUN && s != VNIC_FRESH)
			continue;
		n = vnic_rx(q, 0, frame, VNIC_BURST);
		vnic_tx(q, 0, frame, n);
		vnic_flush(q);
		sched_yield();
	}
	return NULL;
}

static void
two_workers_keep_the_order_of_flows_and_lose_nothing_uncounted(void **state)
{
	static struct mini m;
	struct fast fast[WORKERS];
	pthread_t t[2 * WORKERS];

	(void)state;
	mini_open(&m);
	for (unsigned q = 0; q < WORKERS; q++) {
		fast[q] = (struct fast){ &m, q };
		pthread_create(&t[2 + q], NULL, run_fast, &fast[q]);
	}
	pthread_create(&t[1], NULL, run_worker_1, &m);
	pthread_create(&t[0], NULL, run_worker_0, &m);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(m.wrong[0] + m.wrong[1], 0);
	assert_true(m.back[0] > 0 && m.back[1] > 0);
	assert_int_equal(
	    m.refused + m.filled[0] + m.dropped[0] + m.filled[1] + m.dropped[1],
	    PACKETS);
	for (unsigned w = 0; w < WORKERS; w++) {
		struct vnic_counters *c = ledger_counters(m.ledger[w], 0);

		assert_int_equal(vnic_count(&c->filled), m.filled[w]);
		assert_int_equal(vnic_count(&c->back), m.filled[w]);
		assert_int_equal(ledger_filled(m.ledger[w]), 0);
	}
	mini_close(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_queue_has_one_worker_and_worker_0_the_control_queue),
		cmocka_unit_test(
		    near_queues_are_the_workers_own_and_the_same_if_they_can_be),
		cmocka_unit_test(every_queue_gets_flows),
		cmocka_unit_test(a_worker_without_a_queue_finds_one),
		cmocka_unit_test(what_goes_in_comes_out_in_order_lap_after_lap),
		cmocka_unit_test(a_full_one_refuses_until_it_is_released),
		cmocka_unit_test(the_wide_half_ends_before_the_other),
		cmocka_unit_test(what_is_rewound_is_taken_again),
		cmocka_unit_test(
		    two_workers_keep_the_order_of_flows_and_lose_nothing_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
