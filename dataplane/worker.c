/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: the round, see worker.h. Its steps are cross.c, home.c, tx.c,
 * tx_queue.c, rx.c, lane.c, detour.c and sleep.c.
 */
#include "dataplane/worker_internal.h"

#include "dataplane/lines.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/stage.h"

#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

enum {
	IDLE_NS = 20000, /* polls this long without work before it sleeps */
	BEAT_NS = 1000000,
	ROUNDS_PER_SECOND = 10000, /* a router may take 100 us of a round */
	ROUTERS_PER_BURST = 4,     /* more of them, more bursts in a round */
	FEW_ROUTERS = 4,           /* all are visited in each round */
	QUIET_AFTER_NS = 2000000,  /* longer than most answers take */
	QUIET_VISIT_NS = 200000,   /* between visits of a quiet one */
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/*
 * Excess of earlier rounds comes off this one; not without end: the worker may have
 * been without a core.
 */
static void
give_budget(const struct worker *w, struct plan_share *r)
{
	int64_t cycles = MAX(r->cycles_left, -DEBT_ROUNDS * w->round_cycles);

	r->copies_left =
	    MIN(r->copies_left + ROUND_COPIES, (int32_t)ROUND_COPIES);
	r->cycles_left = MIN(cycles + w->round_cycles, w->round_cycles);
	r->floods_left =
	    MIN(r->floods_left + ROUND_FLOODS, (int32_t)ROUND_FLOODS);
}

/* What the look at the next router waits for comes during the one before. */
static void
serve_soon(const struct plan_share *r)
{
	for (unsigned i = 0; i < r->n_queues; i++) {
		const struct ledger *l = r->queue[i].ledger;

		if (likely(ledger_phase(l) == LEDGER_RUN))
			ledger_turn_soon(l, r->router->serve);
	}
}

/* Begins a turn of each queue; before that nothing of it is out (w->taken). */
static void
begin_turns(struct worker *w, struct plan_share *r)
{
	for (unsigned i = 0; i < r->n_queues; i++) {
		struct ledger *l = r->queue[i].ledger;

		if (ledger_phase(l) == LEDGER_RUN && unlikely(!ledger_turn(l)))
			loop_wake(w->control); /* it resets the queue */
	}
}

static unsigned
serve_router(struct worker *w, struct plan *p, struct plan_share *r)
{
	unsigned n = 0;

	/* the control queue first: a data flood shall not starve it */
	for (unsigned i = r->n_queues; i-- > 0;) {
		struct plan_queue *q = &r->queue[i];

		if (ledger_phase(q->ledger) != LEDGER_RUN)
			continue;
		n += tx_queue(w, p, q);
		ledger_grant(q->ledger);
	}
	return n;
}

/*
 * Of many routers most have nothing to send for long. While there is work, those
 * that have neither been offered nor sent anything lately are visited now and then,
 * some in each round; without work all are, until the worker sleeps.
 */
static void
choose_due(struct worker *w, uint64_t elapsed_ns)
{
	const unsigned n = w->part->n_shares;

	if (n <= FEW_ROUTERS || w->n_moved == 0) {
		w->first_due = 0;
		w->n_due = n;
		return;
	}
	w->first_due = (w->first_due + w->n_due) % n;
	w->due_parts += MIN(elapsed_ns, (uint64_t)QUIET_VISIT_NS) * n;
	w->n_due = (unsigned)(w->due_parts / QUIET_VISIT_NS); /* <= n */
	w->due_parts %= QUIET_VISIT_NS;
}

static bool
is_due(const struct worker *w, unsigned i)
{
	unsigned after = i - w->first_due;

	if (i < w->first_due)
		after += w->part->n_shares;
	return after < w->n_due;
}

static bool
is_quiet(const struct worker *w, const struct plan_share *r)
{
	return w->now_ns - r->lively_ns >= QUIET_AFTER_NS;
}

static bool
is_left_out(const struct worker *w, unsigned i)
{
	const struct plan_share *r = &w->part->share[i];

	return is_quiet(w, r) && !is_due(w, i) && !r->is_asked_for;
}

/* A burst of each ring. Its router is noted if it may have more. */
static unsigned
serve_noting(struct worker *w, struct plan *p, struct plan_share *r)
{
	unsigned n = serve_router(w, p, r);

	if (n >= VNIC_BURST)
		w->part->more[w->part->n_more++] = r;
	if (n > 0)
		r->lively_ns = w->now_ns;
	return n;
}

static unsigned
visit_router(struct worker *w, struct plan *p, struct plan_share *r)
{
	w->n_lively += !is_quiet(w, r);
	give_budget(w, r);
	begin_turns(w, r);
	if (r->is_asked_for)
		tx_begin_look(r);
	return serve_noting(w, p, r);
}

/*
 * All routers that are not left out; then again those that may have more, while the
 * round has room for a burst of each of them.
 */
static unsigned
serve_routers(struct worker *w, struct plan *p)
{
	struct plan_part *part = w->part;
	unsigned n = 0, first;

	part->n_more = 0;
	for (unsigned i = 0; i < part->n_shares; i++) {
		if (is_left_out(w, i))
			continue;
		if (i + 1 < part->n_shares && !is_left_out(w, i + 1))
			serve_soon(&part->share[i + 1]);
		n += visit_router(w, p, &part->share[i]);
	}
	first = n;
	for (unsigned pass = 1; pass < w->round_bursts; pass++) {
		unsigned n_these = part->n_more;

		if (n_these == 0 || n - first + n_these * VNIC_BURST > GATHER)
			break;
		part->n_more = 0; /* never more than have been read */
		for (unsigned i = 0; i < n_these; i++)
			n += serve_noting(w, p, part->more[i]);
	}
	return n;
}

/* Returns true while a wake-up is owed; such a router is not left out. */
static bool
ring_router(struct worker *w, struct plan_share *r, bool beat)
{
	bool owes = false;

	for (unsigned i = 0; i < r->n_queues; i++) {
		struct ledger *l = r->queue[i].ledger;

		if (ledger_phase(l) != LEDGER_RUN)
			continue;
		owes |= ledger_ring(l, w->now_ns);
		if (unlikely(beat))
			ledger_beat(l);
	}
	if (unlikely(owes))
		r->lively_ns = w->now_ns;
	return owes;
}

/* Returns true while a wake-up is owed to somebody. */
static bool
ring_all(struct worker *w, struct plan *p)
{
	bool beat = w->now_ns - w->beat_ns >= BEAT_NS;
	bool owes = false;

	for (unsigned i = 0; i < w->part->n_shares; i++) {
		if (beat || !is_left_out(w, i))
			owes |= ring_router(w, &w->part->share[i], beat);
	}
	if (unlikely(w->given))
		cross_ring(w);
	if (unlikely(beat)) {
		w->beat_ns = w->now_ns;
		if (w->index == 0)
			cross_count_refused(p);
	}
	return owes;
}

static unsigned
poll_ports(struct worker *w, struct plan *p)
{
	const struct plan_part *part = w->part;
	unsigned n = 0;

	for (unsigned i = 0; i < part->n_rx; i++) {
		n += rx_port(w, p, &part->rx[i]);
		tx_finish(w, p);
	}
	return n;
}

/*
 * A visit costs the same whether a burst brought a router one packet or ten:
 * where many are not quiet, a round takes more bursts. Where few are, it does not:
 * they would wait for their packets, then for slots.
 */
static unsigned
round_bursts(unsigned n_lively)
{
	return MIN(
	    1 + n_lively / ROUTERS_PER_BURST, (unsigned)MAX_ROUND_BURSTS);
}

/* What others handed over goes first: it may be older than what is here. */
unsigned
worker_round(struct worker *w, struct plan *p, bool *owes)
{
	uint64_t before_ns = w->now_ns;
	unsigned n = 0;

	w->part = &p->part[w->index];
	w->now_ns = now_ns();
	choose_due(w, w->now_ns - before_ns);
	w->floods_left =
	    MIN(w->floods_left + ROUND_RX_FLOODS, (int32_t)ROUND_RX_FLOODS);
	w->tx_waits = false;
	w->round_bursts = round_bursts(w->n_lively);
	w->n_lively = 0;
	if (p->n_workers > 1)
		n += cross_take(w);
	if (unlikely(w->due_ns <= w->now_ns))
		n += detour_end(w, p);
	n += home_send(w);
	n += serve_routers(w, p);
	n += poll_ports(w, p);
	tx_finish(w, p); /* there may be no port */
	*owes = ring_all(w, p);
	w->n_moved = n;
	return n;
}

static void
run_rounds(struct worker *w)
{
	uint64_t busy_ns = now_ns();
	uint64_t rounds = 0;
	const struct plan *last = NULL;

	/* relaxed: worker_ask_stop() wakes us after the store */
	while (!atomic_load_explicit(&w->stopping, memory_order_relaxed)) {
		/* pairs with the release in worker_give_plan(): it is made */
		struct plan *p =
		    atomic_load_explicit(&w->plan, memory_order_acquire);
		unsigned n;
		bool owes;

		/* a link may have changed: look at what waits, all of it */
		if (unlikely(p != last))
			w->due_ns = 0;
		last = p;
		STAGE_TURN();
		/* pairs with worker_has_seen(): no older plan is in use */
		atomic_store_explicit(
		    &w->seen, p->generation, memory_order_release);
		/* pairs with worker_rounds(): what was sent has been sent */
		atomic_store_explicit(
		    &w->rounds, ++rounds, memory_order_release);
		n = worker_round(w, p, &owes);
		if (n > 0)
			busy_ns = w->now_ns;
		STAGE_END(n);
		if (w->now_ns - busy_ns < IDLE_NS || owes)
			continue;
		worker_sleep(w, p);
		busy_ns = now_ns() - IDLE_NS / 2;
	}
}

static void
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		log_warn("a worker stays on any core: core %d: %s", core,
		    strerror(errno));
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "worker%u", w->index);
	pthread_setname_np(pthread_self(), name);
	if (w->core >= 0)
		pin(w->core);
	/* DPDK gives mbuf caches to the threads that it knows */
	if (rte_thread_register() < 0)
		log_warn("a worker has no mbuf cache, it will be slow");
	run_rounds(w);
	STAGE_REPORT("worker");
	rte_thread_unregister();
	return NULL;
}

int
worker_new(struct loop *control, unsigned index, unsigned n_workers,
    struct worker **out)
{
	struct worker *w = lines_alloc(1, sizeof(*w));
	struct epoll_event ev = { .events = EPOLLIN };

	if (!w)
		return -ENOMEM;
	w->control = control;
	w->index = index;
	w->n_workers = n_workers;
	w->due_ns = IMPAIR_NEVER;
	w->round_cycles = (int64_t)(rte_get_tsc_hz() / ROUNDS_PER_SECOND);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev.data.ptr = w;
	if (w->epoll_fd < 0 || w->wake_fd < 0 ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &ev) < 0) {
		int no = -errno;

		worker_free(w);
		return no;
	}
	*out = w;
	return 0;
}

void
worker_meet(struct worker *w, struct worker *peer, struct handover *to_peer,
    struct handover *from_peer)
{
	w->peer[peer->index] = peer;
	w->to[peer->index] = to_peer;
	w->from[peer->index] = from_peer;
}

int
worker_start(struct worker *w, int core)
{
	int rc;

	w->core = core;
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	w->started = rc == 0;
	return -rc;
}

void
worker_ask_stop(struct worker *w)
{
	/* relaxed: the wake-up follows it */
	atomic_store_explicit(&w->stopping, true, memory_order_relaxed);
	worker_wake(w);
}

void
worker_join(struct worker *w)
{
	if (!w->started)
		return;
	pthread_join(w->thread, NULL);
	w->started = false;
}

void
worker_free(struct worker *w)
{
	if (!w)
		return;
	base_close(w->epoll_fd);
	base_close(w->wake_fd);
	free(w);
}

bool
worker_runs(const struct worker *w)
{
	return w->started;
}

void
worker_wake(struct worker *w)
{
	uint64_t one = 1;

	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

void
worker_give_plan(struct worker *w, struct plan *p)
{
	/* pairs with the acquire in run_rounds() */
	atomic_store_explicit(&w->plan, p, memory_order_release);
	if (w->started)
		worker_wake(w);
}

bool
worker_has_seen(const struct worker *w, const struct plan *p)
{
	/* pairs with the release in run_rounds(): it has let go of the old */
	return atomic_load_explicit(&w->seen, memory_order_acquire) ==
	       p->generation;
}

uint64_t
worker_rounds(const struct worker *w)
{
	/* pairs with the release in run_rounds() */
	return atomic_load_explicit(&w->rounds, memory_order_acquire);
}
