/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cross: a router that floods its neighbour while the neighbour's worker is busy
 * does not keep from others what comes by a port; as TAP.
 *
 *	p1 (worker 1's) -- eth0 --> control queue (worker 0's, which does no round)
 *	                   eth1 <-- eth0, ARP without end, from worker 1's queue
 *
 * Both go through the one ring from worker 1 to worker 0.
 */
#include "lib/vnic_ring.h"
#include "tests/bench/packet.h"
#include "tests/guard/node.h"

#include <rte_ring.h>

enum { SLOTS = 512, LONG = 1514, FLOOD_TURNS = 100, N_WIRE = 32 };

struct cross {
	struct guard_node g;
	struct vnic_queue *queue[3]; /* of workers 0 and 1, and for control */
	uint8_t mac[2][6];
	uint8_t arp[BENCH_FRAME_BYTES];
};

static void
set_up(struct cross *t)
{
	struct vnic_fds fds;

	fds = guard_add_set(&t->g, 1, 2, 2, SLOTS);
	for (unsigned i = 0; i < 2; i++) {
		struct wire_msg m = say_vnic(i);

		strcpy(m.u.vnic.port, "p1");
		memcpy(t->mac[i], m.u.vnic.mac, sizeof(t->mac[i]));
		guard_tell(&t->g, m);
	}
	guard_begin(&t->g);
	guard_attach(&fds, t->queue);
	guard_run(&t->g);
}

static void
make_arp(uint8_t *p, unsigned bytes, const uint8_t *to)
{
	bench_datagram(p, bytes, to);
	store_be16(p + 12, FRAME_TYPE_ARP);
}

static void
round_of(struct cross *t, unsigned w)
{
	bool owes;

	worker_round(t->g.worker[w], t->g.node.plan, &owes);
}

/* As much as there are slots for, each turn. */
static void
flood(struct cross *t)
{
	struct vnic_frame f[VNIC_BURST];

	for (unsigned turn = 0; turn < FLOOD_TURNS; turn++) {
		unsigned n;

		vnic_poll(t->queue[1]);
		n = vnic_grant(t->queue[1], f, VNIC_BURST);
		for (unsigned i = 0; i < n; i++) {
			f[i].len = LONG;
			make_arp(f[i].data, LONG, t->mac[1]);
			memcpy(f[i].data + 6, t->mac[0], 6);
		}
		vnic_tx(t->queue[1], 0, f, n);
		vnic_flush(t->queue[1]);
		round_of(t, 1);
	}
}

static uint64_t
sum(struct cross *t, unsigned v, size_t offset)
{
	uint64_t n = 0;

	for (unsigned q = 0; q < 3; q++)
		n += vnic_count(
		    (_Atomic(uint64_t) *)((uint8_t *)ledger_counters(
					      t->g.node.sets->queue[q].ledger,
					      v) +
					  offset));
	return n;
}

#define SUM(t, v, field) sum(t, v, offsetof(struct vnic_counters, field))

static bool
say(unsigned n, bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", n, what);
	return ok;
}

int
main(void)
{
	static struct cross t;
	const uint8_t *frame[N_WIRE];
	struct rte_ring *wire;
	bool ok;

	guard_start(&t.g, 2);
	guard_wire(&t.g, 0);
	wire = guard_wire(&t.g, 1);
	set_up(&t);
	flood(&t);
	ok = say(1, SUM(&t, 1, rx_drop[VNIC_DROP_WORKER_FULL]) > 0,
	    "who floods a neighbour of another worker finds the way full");
	make_arp(t.arp, sizeof(t.arp), t.mac[0]);
	for (unsigned i = 0; i < N_WIRE; i++)
		frame[i] = t.arp;
	guard_feed(&t.g, wire, 1, frame, N_WIRE, sizeof(t.arp));
	round_of(&t, 1);
	round_of(&t, 0);
	ok &= say(2,
	    SUM(&t, 0, offered) == N_WIRE &&
		SUM(&t, 0, rx_drop[VNIC_DROP_WORKER_FULL]) == 0,
	    "what comes by a port still gets through");
	puts("1..2");
	return !ok;
}
