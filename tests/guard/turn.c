/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turn: what begins a turn may end the epoch, and then the queue is another
 * thread's: no frame of the queue is out at that moment; as TAP. One of many
 * routers has so much to send that a round comes to it again and again.
 */
#include "tests/bench/packet.h"
#include "tests/guard/node.h"

enum {
	N_ROUTERS = 16, /* enough that a round has bursts to give */
	SLOTS = 512,
	N_ROUNDS = 200,
};

static struct turn {
	struct guard_node g;
	struct vnic_fds fds[N_ROUTERS];
	struct vnic_queue *queue[N_ROUTERS][2]; /* data, control */
	struct ledger *busy;                    /* of router 0 */
	unsigned n_turns, n_bursts, n_out;
} t;

/* --- the routers -------------------------------------------------------------------- */

static void
mac_of(unsigned router, uint8_t *mac)
{
	bench_mac(BENCH_ETH0, mac);
	mac[5] = (uint8_t)router;
}

static void
send_up_to(unsigned router, unsigned n)
{
	struct vnic_queue *q = t.queue[router][0];
	struct vnic_frame f;
	uint8_t mac[6];

	mac_of(router, mac);
	vnic_poll(q);
	while (n-- > 0 && vnic_grant(q, &f, 1) == 1) {
		bench_datagram(f.data, BENCH_FRAME_BYTES, mac);
		memcpy(f.data + 6, mac, 6);
		f.len = BENCH_FRAME_BYTES;
		vnic_tx(q, 0, &f, 1);
	}
	vnic_flush(q);
}

static void
set_up(void)
{
	guard_start(&t.g, 1);
	guard_single(&t.g, 0);
	for (unsigned i = 0; i < N_ROUTERS; i++) {
		struct wire_msg m = say_vnic(0);
		uint8_t uid = (uint8_t)(i + 1);

		t.fds[i] = guard_add_set(&t.g, uid, 1, 1, SLOTS);
		memset(m.u.vnic.uid, uid, WIRE_UID_BYTES);
		mac_of(i, m.u.vnic.mac);
		guard_tell(&t.g, m);
		if (i == 0)
			t.busy = t.g.node.sets->queue[0].ledger;
	}
	guard_begin(&t.g);
	for (unsigned i = 0; i < N_ROUTERS; i++)
		guard_attach(&t.fds[i], t.queue[i]);
	guard_run(&t.g);
}

/* --- what the worker does ------------------------------------------------------------ */

bool __real_ledger_turn(struct ledger *l);
bool __wrap_ledger_turn(struct ledger *l);
unsigned __real_ledger_take(struct ledger *l, unsigned v,
    struct ledger_frame *out, unsigned max, unsigned *n_taken);
unsigned __wrap_ledger_take(struct ledger *l, unsigned v,
    struct ledger_frame *out, unsigned max, unsigned *n_taken);

bool
__wrap_ledger_turn(struct ledger *l)
{
	const struct tx_burst *b = t.g.worker[0]->taken;

	t.n_turns++;
	t.n_out += b && b->queue->ledger == l;
	return __real_ledger_turn(l);
}

/* The busy one sends in the midst of a round, too. */
unsigned
__wrap_ledger_take(struct ledger *l, unsigned v, struct ledger_frame *out,
    unsigned max, unsigned *n_taken)
{
	unsigned n;

	if (l == t.busy)
		send_up_to(0, VNIC_BURST);
	n = __real_ledger_take(l, v, out, max, n_taken);
	t.n_bursts += l == t.busy && n == VNIC_BURST;
	return n;
}

static bool
say(unsigned n, bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", n, what);
	return ok;
}

int
main(void)
{
	bool ok;

	set_up();
	for (unsigned i = 0; i < N_ROUNDS; i++) {
		bool owes;

		for (unsigned k = 0; k < N_ROUTERS; k++)
			send_up_to(k, 1);
		worker_round(t.g.worker[0], t.g.node.plan, &owes);
	}
	ok = say(1, t.n_bursts > 2 * N_ROUNDS,
	    "a round takes many bursts of who has them");
	ok &= say(2, t.n_turns >= N_ROUNDS * N_ROUTERS && t.n_out == 0,
	    "no frame of a queue is out when its turn begins");
	printf("# %u turns, %u bursts, %u out\n1..2\n", t.n_turns, t.n_bursts,
	    t.n_out);
	return !ok;
}
