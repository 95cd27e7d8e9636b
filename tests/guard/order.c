/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order: what a router's slow path has sent leaves before what its fast path sends
 * after that, wherever the two meet; as TAP.
 *
 *	queue 0 ---- worker 0 --+--> p0, whose home is worker 0
 *	queue 1 ---- worker 1 --+--> p1               worker 1
 *	queue 2 ---- worker 2 --+--> p2               worker 2
 *	control ---- worker 0 --+--> a router of two data queues, by a link
 *
 * Pairs are sent without end, of the control queue and then of a data queue. What
 * comes next, a pair or a round of one of the workers, is drawn, and it may come in
 * the midst of another worker's round, wherever that looks at what it shares with
 * others; and now and then the routers owe worker 0 a few rounds, as after one that
 * was long. The same in each run.
 */
#include "dataplane/port.h"
#include "tests/bench/packet.h"
#include "tests/guard/node.h"

#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

enum {
	N_WORKERS = 3,
	CONTROL = N_WORKERS, /* behind the data queues */
	N_QUEUES,
	LINKED = N_WORKERS, /* vNIC; those before are on ports */
	N_VNICS,
	N_THERE = 2, /* data queues of the router behind the link */
	SLOTS = 512,
	STEPS = 50000,
	DEEP = 3,           /* rounds in the midst of one another, at most */
	OWES_ONCE_IN = 100, /* steps */
	FLOWS = 64,
	PAYLOAD = BENCH_UDP + 8,
};

/* Where a pair may meet: the ports, and the data queues behind the link. */
enum { N_PATHS = N_WORKERS + N_THERE };

enum { HERE = 1, THERE = 2 }; /* uids */

static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };

struct path {
	uint32_t last_slow; /* the pair of the newest that the slow path sent */
	uint32_t met, overtaken;
};

static struct order {
	struct guard_node g;
	struct vnic_queue *queue[N_QUEUES];
	struct vnic_frame spare[N_QUEUES];
	bool has_spare[N_QUEUES];
	struct vnic_queue *there[N_THERE + 1];
	uint8_t mac[N_VNICS][6];
	bool in_round[N_WORKERS];
	unsigned depth;
	bool ends; /* no more pairs */
	unsigned short seed[3];
	uint32_t n_pairs, n_slow, n_fast;
	struct path path[N_PATHS];
	struct path *slow_way[N_VNICS][FLOWS]; /* of a flow that a vNIC sent */
} t = { .seed = { 1, 2, 3 } };

static unsigned
draw(unsigned n)
{
	return (unsigned)nrand48(t.seed) % n;
}

/* --- what arrives ----------------------------------------------------------------- */

/*
 * Behind the headers: the number of the pair and which of its two it is. Over a link
 * the data queues have flows of their own choice, and not each pair meets.
 */
static void
note(struct path *p, const uint8_t *frame)
{
	struct path **way =
	    &t.slow_way[frame[11]][load_be16(frame + BENCH_UDP)];
	uint32_t pair = load_be32(frame + PAYLOAD);

	if (frame[PAYLOAD + 4] == CONTROL) {
		t.n_slow++;
		p->last_slow = pair;
		*way = p;
		return;
	}
	t.n_fast++;
	if (*way != p)
		return;
	p->met++;
	p->overtaken += p->last_slow < pair;
}

static uint16_t
note_sent(
    uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, void *path)
{
	(void)port;
	(void)queue;
	for (unsigned i = 0; i < n; i++)
		note(path, rte_pktmbuf_mtod(m[i], const uint8_t *));
	return n;
}

static void
note_received(void)
{
	for (unsigned q = 0; q < N_THERE; q++) {
		struct vnic_frame f[VNIC_BURST];
		unsigned n;

		if (vnic_poll(t.there[q]) != VNIC_RUN)
			continue;
		n = vnic_rx(t.there[q], 0, f, VNIC_BURST);
		for (unsigned i = 0; i < n; i++)
			note(&t.path[N_WORKERS + q], f[i].data);
		vnic_done(t.there[q], f, n, VNIC_DONE_DELIVERED);
		vnic_flush(t.there[q]);
	}
}

/* --- what is done ------------------------------------------------------------------ */

static bool
has_slot(unsigned q)
{
	if (!t.has_spare[q] && vnic_poll(t.queue[q]) == VNIC_RUN)
		t.has_spare[q] = vnic_grant(t.queue[q], &t.spare[q], 1) == 1;
	return t.has_spare[q];
}

static void
send_one(unsigned q, unsigned vnic)
{
	struct vnic_frame *f = &t.spare[q];

	bench_datagram(f->data, BENCH_FRAME_BYTES, stranger);
	memcpy(f->data + 6, t.mac[vnic], 6);
	store_be16(f->data + BENCH_UDP, (uint16_t)(t.n_pairs % FLOWS));
	store_be32(f->data + PAYLOAD, t.n_pairs);
	f->data[PAYLOAD + 4] = (uint8_t)q;
	f->len = BENCH_FRAME_BYTES;
	vnic_tx(t.queue[q], vnic, f, 1);
	vnic_flush(t.queue[q]);
	t.has_spare[q] = false;
}

static void
send_pair(void)
{
	unsigned q = draw(N_WORKERS), vnic = draw(N_VNICS);

	if (t.ends || !has_slot(CONTROL) || !has_slot(q))
		return;
	t.n_pairs++;
	send_one(CONTROL, vnic);
	send_one(q, vnic);
}

static void
round_of(unsigned i)
{
	struct worker *w = t.g.worker[i];
	bool owes;

	if (t.in_round[i])
		return;
	t.in_round[i] = true;
	t.depth++;
	/* relaxed: there is one thread */
	atomic_fetch_add_explicit(&w->rounds, 1, memory_order_relaxed);
	worker_round(w, t.g.node.plan, &owes);
	t.depth--;
	t.in_round[i] = false;
}

/* Worker 0 lost its core while it sent for them. */
static void
owe(void)
{
	struct plan_part *part = &t.g.node.plan->part[0];

	for (unsigned i = 0; i < part->n_shares; i++)
		part->share[i].cycles_left = -2 * t.g.worker[0]->round_cycles;
}

static void
step(void)
{
	unsigned what = draw(N_WORKERS + 1);

	if (what == N_WORKERS)
		send_pair();
	else
		round_of(what);
	if (draw(OWES_ONCE_IN) == 0)
		owe();
	note_received();
}

/* In the midst of a round, by the thread of somebody else. */
static void
meanwhile(void)
{
	while (t.depth > 0 && t.depth < DEEP && draw(4) == 0)
		step();
}

#define BEFORE(type, name, parameters, arguments) \
	type __real_##name parameters;            \
	type __wrap_##name parameters;            \
	type __wrap_##name parameters             \
	{                                         \
		meanwhile();                      \
		return __real_##name arguments;   \
	}

BEFORE(void, handover_look, (struct handover * h), (h))
BEFORE(unsigned, ledger_take,
    (struct ledger * l, unsigned v, struct ledger_frame *out, unsigned max,
	unsigned *n_taken),
    (l, v, out, max, n_taken))

/* --- set-up ------------------------------------------------------------------------- */

static void
link_to(struct wire_msg *m, uint8_t uid)
{
	m->u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m->u.vnic.peer_uid, uid, WIRE_UID_BYTES);
}

static void
add_vnic(unsigned i)
{
	struct wire_msg m = say_vnic(i);

	memcpy(t.mac[i], m.u.vnic.mac, sizeof(t.mac[i]));
	if (i == LINKED)
		link_to(&m, THERE);
	guard_tell(&t.g, m);
}

static void
add_vnic_there(void)
{
	struct wire_msg m = say_vnic(0);

	memset(m.u.vnic.uid, THERE, WIRE_UID_BYTES);
	link_to(&m, HERE);
	m.u.vnic.peer_index = LINKED;
	guard_tell(&t.g, m);
}

static void
open_port(unsigned i)
{
	char name[8];
	const struct port *p;

	guard_single(&t.g, i);
	snprintf(name, sizeof(name), "p%u", i);
	p = node_port(&t.g.node, name);
	if (p->home != i || p->n_tx != 1 ||
	    !rte_eth_add_tx_callback(p->id, 0, note_sent, &t.path[i]))
		guard_die("a port is not what is wanted here");
}

static void
set_up(void)
{
	struct vnic_fds here, there;

	guard_start(&t.g, N_WORKERS);
	for (unsigned i = 0; i < N_WORKERS; i++)
		open_port(i);
	here = guard_add_set(&t.g, HERE, N_WORKERS, N_VNICS, SLOTS);
	there = guard_add_set(&t.g, THERE, N_THERE, 1, SLOTS);
	for (unsigned i = 0; i < N_VNICS; i++)
		add_vnic(i);
	add_vnic_there();
	guard_begin(&t.g);
	guard_attach(&here, t.queue);
	guard_attach(&there, t.there);
	guard_run(&t.g);
}

static bool
say(unsigned n, bool ok, const char *what, unsigned i)
{
	printf("%s %u - %s %u\n", ok ? "ok" : "not ok", n, what, i);
	return ok;
}

int
main(void)
{
	bool ok = true;

	set_up();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	t.ends = true;
	for (unsigned i = 0; i < STEPS / 100; i++)
		step();
	for (unsigned i = 0; i < N_PATHS; i++) {
		const struct path *p = &t.path[i];

		ok &= say(i + 1, p->overtaken == 0 && p->met > STEPS / 20,
		    i < N_WORKERS ? "order is kept at the home of port"
				  : "and behind a link in data queue",
		    i % N_WORKERS);
		printf("# %u of %u pairs overtaken\n", p->overtaken, p->met);
	}
	ok &= say(N_PATHS + 1, t.n_slow == t.n_pairs && t.n_fast == t.n_pairs,
	    "nothing was lost, of pairs", t.n_pairs);
	printf("1..%u\n", N_PATHS + 1);
	return !ok;
}
