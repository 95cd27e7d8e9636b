/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: the node of the guard, in one thread and in step with a router
 * (router.c), with a clock of its own: each run executes the same instructions,
 * so that they can be counted.
 *
 *	host N ROUTER
 *
 * N packets of 64 bytes come in by a port and go out by another one:
 *
 *	net_ring0 --> host_turn() --> net_null1      set up as by europad
 *	               |       ^
 *	            shared memory
 *	               v       |
 *	             router_turn() in ROUTER
 *
 * Who counts looks at host_turn() and router_turn() with all that they call,
 * for N and for 2 N packets: the difference has no start-up in it. Bursts are
 * full ones. Frames are put into the ring outside of both functions. Prints how
 * many packets were forwarded; fails if that is not all of them.
 */
#include "tests/bench/packet.h"
#include "tests/guard/guard.h"
#include "tests/guard/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

enum {
	SLOTS = 512,
	DRAIN_TURNS = 4,
};

struct host {
	struct guard_node g;
	pid_t router;
	int to_router, from_router;
	struct rte_ring *wire;
	uint8_t frame[BENCH_FRAMES][BENCH_FRAME_BYTES];
	unsigned next; /* frame */
};

/* --- the router ------------------------------------------------------------------ */

static void
exec_router(const char *program, const struct vnic_fds *fds, int in, int out)
{
	char text[64];

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	snprintf(text, sizeof(text), "%d,%d,%d,%d,%d", fds->host, fds->router,
	    fds->pool, fds->bell[0], fds->bell[1]);
	setenv("EUROPA_VNIC_FDS", text, 1);
	execl(program, program, (char *)NULL);
	_exit(127);
}

/* Has the router do something, and waits until it has. */
static void
order(const struct host *h, char what)
{
	char c;

	if (write(h->to_router, &what, 1) != 1 ||
	    read(h->from_router, &c, 1) != 1 || c != what)
		guard_die("the router has ended");
}

static void
start_router(struct host *h, const char *program, const struct vnic_fds *fds)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		guard_die("no pipes");
	h->to_router = to[1];
	h->from_router = from[0];
	h->router = fork();
	if (h->router == 0)
		exec_router(program, fds, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	guard_begin(&h->g);
	order(h, 'p');
	guard_run(&h->g);
	order(h, 'p');
}

/* --- packets ---------------------------------------------------------------------- */

static void
make_frames(struct host *h)
{
	uint8_t to[6];

	bench_mac(BENCH_ETH0, to);
	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		uint8_t *p = h->frame[i], *ip = p + BENCH_IP;

		bench_datagram(p, BENCH_FRAME_BYTES, to);
		/* an odd step visits all of the network */
		store_be32(ip + 16, BENCH_DST_NET + (i * 25173 & 0xffff));
		store_be16(ip + 10, 0);
		store_be16(ip + 10, bench_checksum(ip, 20));
		store_be16(p + BENCH_UDP, (uint16_t)(1024 + i));
	}
}

static void
put_on_wire(struct host *h)
{
	const uint8_t *frame[VNIC_BURST];

	for (unsigned i = 0; i < VNIC_BURST; i++) {
		frame[i] = h->frame[h->next];
		h->next = (h->next + 1) % BENCH_FRAMES;
	}
	guard_feed(&h->g, h->wire, 0, frame, VNIC_BURST, BENCH_FRAME_BYTES);
}

static void __attribute__((noipa)) host_turn(struct host *h)
{
	bool owes;

	worker_round(h->g.worker[0], h->g.node.plan, &owes);
}

static uint64_t
n_sent(const struct host *h)
{
	struct ledger *l = h->g.node.sets->queue[0].ledger;

	/* relaxed: our own */
	return atomic_load_explicit(
	    &ledger_counters(l, 1)->sent, memory_order_relaxed);
}

int
main(int argc, char **argv)
{
	static struct host h;
	unsigned long n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	struct vnic_fds fds;

	if (n == 0 || n % VNIC_BURST != 0)
		guard_die("usage: host N ROUTER; N is a number of full bursts");
	guard_start(&h.g, 1);
	fds = guard_add_set(&h.g, 1, N_QUEUES - 1, N_VNICS, SLOTS);
	h.wire = guard_wire(&h.g, 0);
	guard_tell(&h.g, say_port("p1", "net_null1,no-rx=1"));
	for (unsigned i = 0; i < N_VNICS; i++)
		guard_tell(&h.g, say_vnic(i));
	start_router(&h, argv[2], &fds);
	make_frames(&h);
	for (unsigned long i = 0; i < n; i += VNIC_BURST) {
		put_on_wire(&h);
		host_turn(&h);
		order(&h, 't');
	}
	for (unsigned i = 0; i < DRAIN_TURNS; i++)
		host_turn(&h);
	printf("%llu\n", (unsigned long long)n_sent(&h));
	if (n_sent(&h) != n)
		guard_die("packets got lost");
	close(h.to_router);
	waitpid(h.router, NULL, 0);
	return 0;
}
