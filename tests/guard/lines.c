/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines: two workers write no cache line of each other, as TAP.
 *
 *	p0 net_ring0 (worker 0's) --+
 *	p1 net_ring1 (worker 1's) --+--> eth0, eth1 of a router of 2 data queues
 *	p2 net_pcap2 (worker 0's) <-+    and one for control, which sends a third
 *	p3 net_pcap3 (worker 1's) <-+    of what it gets by each of eth2 to eth4
 *	p4 net_null4 (both's)     <-+
 *
 * So frames cross between the workers on their way in (of flows that are the
 * other's, and for the control queue) and on their way out (p2 and p3 have one
 * tx queue each). All is one thread, which says whose round it is: nothing
 * depends on chance. Each store is recorded (stores.h); a line with two writers
 * is a failure, and where it was written is told.
 *
 * Under a limit the workers share the tanks, and that is all that they share:
 * this also shows that a shared line is found.
 */
#include "lib/vnic_ring.h"
#include "tests/bench/packet.h"
#include "tests/guard/node.h"
#include "tests/guard/stores.h"

#include <rte_ring.h>

enum {
	N_WORKERS = 2,
	N_WIRES = 2, /* p0 and p1, which receive */
	N_OUT = 3,
	N_VNICS = N_WIRES + N_OUT,
	SLOTS = 512,
	PER_TURN = VNIC_BURST, /* frames to each wire */
	WARM_TURNS = 20,
	TURNS = 200,
	DRAIN_ROUNDS = 8,
	SLEEP_EVERY = 16,
	ARP_EVERY = 8,
	STRANGER_EVERY = 21, /* to nobody who is here */
};

struct lines {
	struct guard_node g;
	struct rte_ring *wire[N_WIRES];
	struct vnic_queue *queue[VNIC_MAX_QUEUES];
	unsigned flow; /* of the next frame */
	unsigned next; /* who gets it from the router */
	uint8_t mac[N_VNICS][6];
	uint8_t frame[PER_TURN][BENCH_FRAME_BYTES];
};

extern char __executable_start;

/* --- traffic ---------------------------------------------------------------------- */

/* Every second turn all of one flow: a batch is as full as it can be. */
static void
feed(struct lines *t, unsigned wire, bool mixed)
{
	const uint8_t *frame[PER_TURN];

	for (unsigned i = 0; i < PER_TURN; i++) {
		uint8_t *p = t->frame[i];

		bench_datagram(p, BENCH_FRAME_BYTES, t->mac[wire]);
		if (t->flow % ARP_EVERY == 0)
			store_be16(p + 12, FRAME_TYPE_ARP);
		if (t->flow % STRANGER_EVERY == 0)
			bench_mac(BENCH_HOP, p);
		store_be16(p + BENCH_UDP, (uint16_t)t->flow);
		t->flow += mixed;
		frame[i] = p;
	}
	guard_feed(
	    &t->g, t->wire[wire], wire, frame, PER_TURN, BENCH_FRAME_BYTES);
}

static void
send_on(struct lines *t, struct vnic_queue *q, struct vnic_frame *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned out = N_WIRES + t->next++ % N_OUT;

		bench_mac(BENCH_HOST, f[i].data);
		memcpy(f[i].data + 6, t->mac[out], 6);
		vnic_tx(q, out, &f[i], 1);
	}
}

static void
router_turn(struct lines *t)
{
	for (unsigned q = 0; q < N_WORKERS + 1; q++) {
		struct vnic_frame f[VNIC_BURST];

		if (vnic_poll(t->queue[q]) != VNIC_RUN)
			continue;
		for (unsigned v = 0; v < N_WIRES; v++)
			send_on(t, t->queue[q], f,
			    vnic_rx(t->queue[q], v, f, VNIC_BURST));
		vnic_flush(t->queue[q]);
	}
}

static void
rounds(struct lines *t, bool recorded, bool sleeps)
{
	for (unsigned w = 0; w < N_WORKERS; w++) {
		bool owes;

		stores_by(recorded ? (int)w : STORES_NOBODY);
		worker_round(t->g.worker[w], t->g.node.plan, &owes);
		if (sleeps)
			worker_sleep(t->g.worker[w], t->g.node.plan);
		stores_by(STORES_NOBODY);
	}
}

/* Afterwards nothing is on its way between workers: the plan may change. */
static void
turns(struct lines *t, unsigned n, bool recorded)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned w = 0; w < N_WIRES; w++)
			feed(t, w, i % 2 == 0);
		t->flow++;
		rounds(t, recorded, i % SLEEP_EVERY == 0);
		router_turn(t);
	}
	for (unsigned i = 0; i < DRAIN_ROUNDS; i++)
		rounds(t, recorded, false);
}

static void
set_up(struct lines *t)
{
	struct vnic_fds fds;

	guard_start(&t->g, N_WORKERS);
	for (unsigned w = 0; w < N_WIRES; w++)
		t->wire[w] = guard_wire(&t->g, w);
	for (unsigned i = N_WIRES; i < N_WIRES + 2; i++)
		guard_single(&t->g, i);
	guard_tell(&t->g, say_port("p4", "net_null4,no-rx=1"));
	fds = guard_add_set(&t->g, 1, N_WORKERS, N_VNICS, SLOTS);
	for (unsigned i = 0; i < N_VNICS; i++) {
		struct wire_msg m = say_vnic(i);

		memcpy(t->mac[i], m.u.vnic.mac, sizeof(t->mac[i]));
		guard_tell(&t->g, m);
	}
	guard_begin(&t->g);
	guard_attach(&fds, t->queue);
	guard_run(&t->g);
}

/* --- what is said of it -------------------------------------------------------------- */

static unsigned n_tests, n_failed;

static void
say(bool ok, const char *what)
{
	n_failed += !ok;
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++n_tests, what);
}

static void
describe(const struct stores_line *l)
{
	printf("# line %#lx is written by both workers; see addr2line: "
	       "worker 0 at %#lx, worker 1 at %#lx\n",
	    (unsigned long)l->line,
	    (unsigned long)((const char *)l->at[0] - &__executable_start),
	    (unsigned long)((const char *)l->at[1] - &__executable_start));
}

static bool
is_tank(const struct lines *t, const struct stores_line *l)
{
	const struct set *s = t->g.node.sets;
	uintptr_t from = (uintptr_t)s->tank;

	return l->line >= from &&
	       l->line < from + SET_N_TANKS * sizeof(*s->tank);
}

/* Returns how many shared lines are tanks; *others, how many are not. */
static unsigned
count_shared(const struct lines *t, unsigned *others)
{
	unsigned n = 0;

	*others = 0;
	for (const struct stores_line *l = stores_shared(NULL); l;
	     l = stores_shared(l)) {
		if (is_tank(t, l)) {
			n++;
			continue;
		}
		describe(l);
		++*others;
	}
	return n;
}

static uint64_t
n_filled(const struct lines *t, unsigned q, unsigned v)
{
	return vnic_count(
	    &ledger_counters(t->g.node.sets->queue[q].ledger, v)->filled);
}

static uint64_t
n_sent(const struct lines *t, unsigned q, unsigned v)
{
	return vnic_count(
	    &ledger_counters(t->g.node.sets->queue[q].ledger, v)->sent);
}

/* Did frames take every way that there is? */
static bool
all_ways_were_taken(struct lines *t)
{
	bool all = node_port(&t->g.node, "p0")->home == 0 &&
		   node_port(&t->g.node, "p1")->home == 1;

	for (unsigned q = 0; q < N_WORKERS + 1; q++) {
		for (unsigned v = 0; v < N_WIRES; v++)
			all &= n_filled(t, q, v) > TURNS;
		for (unsigned v = N_WIRES; v < N_VNICS; v++)
			all &= n_sent(t, q, v) > TURNS;
	}
	/* out by the port at the other's home */
	for (unsigned i = 2; i < 4; i++) {
		const struct port *p =
		    node_port(&t->g.node, i == 2 ? "p2" : "p3");
		const struct handover *h = p->share[1 - p->home].home;

		all &= p->n_tx == 1 && handover_published(h) > 0;
	}
	return all;
}

/* So wide that they drop nothing. */
static void
limit(struct lines *t)
{
	for (unsigned i = 0; i < N_VNICS; i++) {
		struct wire_msg m = say_vnic(i);

		m.u.vnic.rates = (struct wire_rates){
			.rx_pps = POLICE_MAX_PPS,
			.tx_bps = POLICE_MAX_BPS,
			.burst_ms = POLICE_MAX_BURST_MS,
		};
		guard_tell(&t->g, m);
	}
}

int
main(void)
{
	static struct lines t;
	unsigned tanks, others;

	set_up(&t);
	turns(&t, WARM_TURNS, false);
	turns(&t, TURNS, true);
	tanks = count_shared(&t, &others);
	say(all_ways_were_taken(&t),
	    "frames took every way between two workers");
	printf("# worker 0 wrote %u lines, worker 1 %u\n", stores_lines(0),
	    stores_lines(1));
	say(tanks + others == 0 && stores_lines(0) > SLOTS &&
		stores_lines(1) > SLOTS,
	    "no cache line is written by two workers");
	limit(&t);
	stores_forget();
	turns(&t, TURNS, true);
	tanks = count_shared(&t, &others);
	/* of each vNIC and direction that has a limit and traffic of both */
	say(tanks == N_WIRES + N_OUT && others == 0,
	    "but the tanks of what has a limit, which is one of both in sum");
	printf("1..%u\n", n_tests);
	return n_failed > 0;
}
