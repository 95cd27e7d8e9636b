/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sleep: an idle worker costs nothing. It says on every queue that it sleeps,
 * looks at everything once more, and then waits in epoll for ports, the bells
 * of routers, other workers and control. [vNIC protocol, part 5]
 *
 * A bell is only ever in epoll, edge-triggered: its counter and its flags are
 * the tenant's to play with, and a host that read or wrote it could block. A
 * queue that kicks without work is left out of epoll and looked at each ms.
 */
#include "dataplane/worker_internal.h"

#include "lib/log.h"
#include "lib/vnic_ring.h"

#include <sys/epoll.h>
#include <time.h>

enum {
	MAX_EVENTS = 64,
	KICKS_PER_SECOND = 1000, /* of one queue, without work */
	POLL_MS = 1,             /* for what cannot wake us */
};

static const uint64_t second_ns = 1000000000;

static bool
runs(const struct plan_queue *q)
{
	return ledger_phase(q->ledger) == LEDGER_RUN;
}

void
worker_watch_port(struct worker *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		log_warn("a port cannot wake the worker: %s", strerror(errno));
}

void
worker_watch_bell(struct worker *w, struct set_queue *q)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = q };

	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, q->bell, &ev) < 0)
		log_warn("a bell cannot wake the worker: %s router=%s queue=%u",
		    strerror(errno), q->set->info.name, q->index);
}

void
worker_unwatch(struct worker *w, int fd)
{
	/* not there if it is muted */
	(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void
count_kick(struct worker *w, struct set_queue *q)
{
	if (w->now_ns - q->second_ns > second_ns) {
		q->second_ns = w->now_ns;
		q->kicks = 0;
	}
	if (++q->kicks <= KICKS_PER_SECOND)
		return;
	q->muted = true;
	w->n_muted++;
	worker_unwatch(w, q->bell);
}

/* After a second of silence a bell may be heard again. */
static void
unmute(struct worker *w)
{
	w->n_muted = 0;
	for (unsigned i = 0; i < w->part->n_queues; i++) {
		struct set_queue *q = w->part->queue[i].home;

		if (!q->muted)
			continue;
		if (w->now_ns - q->second_ns <= 2 * (uint64_t)second_ns) {
			w->n_muted++;
			continue;
		}
		q->muted = false;
		q->kicks = 0;
		worker_watch_bell(w, q);
	}
}

static bool
anything(const struct worker *w)
{
	const struct plan_part *part = w->part;

	for (unsigned i = 0; i < part->n_queues; i++)
		if (runs(&part->queue[i]) &&
		    ledger_has_work(
			part->queue[i].ledger, part->queue[i].router->serve))
			return true;
	/* a port that takes no more is looked at each ms */
	return cross_has_work(w) || (!w->tx_waits && home_has_work(w));
}

/* The queue that an event is for; NULL if the plan does not have it any more. */
static struct set_queue *
queue_of(const struct plan_part *part, const void *home)
{
	for (unsigned i = 0; i < part->n_queues; i++)
		if (part->queue[i].home == home)
			return part->queue[i].home;
	return NULL;
}

/*
 * What waits on a detour is due to the microsecond. A kernel that cannot wait so
 * does not wait at all: the worker polls.
 */
static int
wait_until_due(struct worker *w, struct epoll_event *ev, int timeout)
{
	struct timespec now, t;
	uint64_t now_ns, ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
	ns = w->due_ns > now_ns ? w->due_ns - now_ns : 0;
	if (timeout >= 0)
		ns = MIN(ns, (uint64_t)timeout * 1000000);
	t.tv_sec = (time_t)(ns / second_ns);
	t.tv_nsec = (long)(ns % second_ns);
	return epoll_pwait2(w->epoll_fd, ev, MAX_EVENTS, &t, NULL);
}

static void
wait_for_events(struct worker *w)
{
	struct epoll_event ev[MAX_EVENTS];
	bool polls = w->part->polls || w->n_muted > 0 || w->tx_waits;
	int timeout = polls ? POLL_MS : -1;
	int n = w->due_ns != IMPAIR_NEVER
		    ? wait_until_due(w, ev, timeout)
		    : epoll_wait(w->epoll_fd, ev, MAX_EVENTS, timeout);

	for (int i = 0; i < n; i++) {
		struct set_queue *q;
		uint64_t count;

		if (ev[i].data.ptr == w) {
			/* ours, and does not block; empty is as good */
			(void)!read(w->wake_fd, &count, sizeof(count));
			continue;
		}
		q = queue_of(w->part, ev[i].data.ptr);
		if (q)
			count_kick(w, q);
	}
}

static void
say_asleep(struct worker *w, bool asleep)
{
	const struct plan_part *part = w->part;

	for (unsigned i = 0; i < part->n_queues; i++) {
		if (!runs(&part->queue[i]))
			continue;
		if (asleep)
			ledger_sleep_begin(part->queue[i].ledger);
		else
			ledger_sleep_end(part->queue[i].ledger);
	}
	if (asleep)
		vnic_sleep_begin(&w->asleep);
	else
		vnic_sleep_end(&w->asleep);
}

void
worker_sleep(struct worker *w, struct plan *p)
{
	if (unlikely(w->n_muted > 0))
		unmute(w);
	say_asleep(w, true);
	if (w->index == 0)
		cross_count_refused(p);
	/*
	 * Ports need no look: what came since their last poll is an edge that
	 * epoll still has. A queue that begins to run now, a new plan and an
	 * end are followed by worker_wake().
	 */
	if (!anything(w))
		wait_for_events(w);
	say_asleep(w, false);
}
