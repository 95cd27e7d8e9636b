/* SPDX-License-Identifier: Apache-2.0 */
/* crew: what concerns all workers, see crew.h. */
#include "dataplane/crew.h"

#include "dataplane/worker.h"

#include <sched.h>
#include <time.h>

enum { GRACE_SPINS = 64 };

struct crew {
	unsigned n;
	struct worker *worker[SPREAD_MAX_WORKERS];
	/* frames from one to another; NULL from each to itself */
	struct handover *cross[SPREAD_MAX_WORKERS][SPREAD_MAX_WORKERS];
	uint64_t rounds[SPREAD_MAX_WORKERS]; /* as last seen */
};

static int
introduce(struct crew *c)
{
	int rc = 0;

	for (unsigned a = 0; a < c->n; a++)
		for (unsigned b = 0; rc == 0 && b < c->n; b++)
			if (a != b)
				rc = handover_new(&c->cross[a][b]);
	for (unsigned a = 0; rc == 0 && a < c->n; a++)
		for (unsigned b = 0; b < c->n; b++)
			if (a != b)
				worker_meet(c->worker[a], c->worker[b],
				    c->cross[a][b], c->cross[b][a]);
	return rc;
}

int
crew_new(struct loop *control, unsigned n, struct crew **out)
{
	struct crew *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return -ENOMEM;
	while (rc == 0 && c->n < n) {
		rc = worker_new(control, c->n, n, &c->worker[c->n]);
		c->n += rc == 0;
	}
	if (rc == 0)
		rc = introduce(c);
	if (rc < 0) {
		crew_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

int
crew_start(struct crew *c, const int *core)
{
	for (unsigned i = 0; i < c->n; i++) {
		int rc = worker_start(c->worker[i], core[i]);

		if (rc < 0) {
			crew_stop(c);
			return rc;
		}
	}
	return 0;
}

struct worker *
crew_worker(const struct crew *c, unsigned i)
{
	return c->worker[i];
}

void
crew_stop(struct crew *c)
{
	for (unsigned i = 0; i < c->n; i++)
		worker_ask_stop(c->worker[i]);
	for (unsigned i = 0; i < c->n; i++)
		worker_join(c->worker[i]);
}

void
crew_free(struct crew *c)
{
	if (!c)
		return;
	for (unsigned a = 0; a < c->n; a++) {
		for (unsigned b = 0; b < c->n; b++)
			handover_free(c->cross[a][b]);
		worker_free(c->worker[a]);
	}
	free(c);
}

/* --- plans ---------------------------------------------------------------------- */

static void
linger(unsigned i)
{
	struct timespec nap = { .tv_nsec = 20000 };

	if (i < GRACE_SPINS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

/* Nobody puts frames of an older plan in any more: wait until they are out. */
static void
drain(struct crew *c)
{
	for (unsigned a = 0; a < c->n; a++)
		for (unsigned b = 0; b < c->n; b++) {
			struct handover *h = c->cross[a][b];
			uint64_t published = h ? handover_published(h) : 0;

			for (unsigned i = 0;
			     h && !handover_is_past(h, published); i++)
				linger(i);
		}
}

void
crew_publish(struct crew *c, struct plan *p)
{
	for (unsigned i = 0; i < c->n; i++)
		worker_give_plan(c->worker[i], p);
	if (!worker_runs(c->worker[0]))
		return;
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; !worker_has_seen(c->worker[i], p); k++)
			linger(k);
	drain(c);
}

void
crew_pass(struct crew *c)
{
	uint64_t before[SPREAD_MAX_WORKERS];

	if (!worker_runs(c->worker[0]))
		return;
	for (unsigned i = 0; i < c->n; i++) {
		before[i] = worker_rounds(c->worker[i]);
		worker_wake(c->worker[i]);
	}
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; worker_rounds(c->worker[i]) == before[i];
		     k++)
			linger(k);
}

bool
crew_is_alive(struct crew *c)
{
	bool alive = true;

	for (unsigned i = 0; i < c->n; i++) {
		uint64_t rounds = worker_rounds(c->worker[i]);

		alive &= rounds != c->rounds[i];
		c->rounds[i] = rounds;
		worker_wake(c->worker[i]); /* asleep is no excuse */
	}
	return alive;
}

/* --- who serves what -------------------------------------------------------------- */

static struct worker *
worker_of(const struct crew *c, const struct set_queue *q)
{
	return c->worker[spread_worker(q->index, q->set->n_queues, c->n)];
}

void
crew_wake(struct crew *c, const struct set_queue *q)
{
	worker_wake(worker_of(c, q));
}

void
crew_watch_bell(struct crew *c, struct set_queue *q)
{
	worker_watch_bell(worker_of(c, q), q);
}

void
crew_unwatch_bell(struct crew *c, const struct set_queue *q)
{
	worker_unwatch(worker_of(c, q), q->bell);
}

static bool
polls(const struct port *p, unsigned i)
{
	for (unsigned q = 0; q < p->n_rx; q++)
		if (port_rx_worker(p, q) == i)
			return true;
	return false;
}

/* Which descriptor is which queue's, drivers do not say: all wake all. */
void
crew_watch_port(struct crew *c, const struct port *p)
{
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; polls(p, i) && k < p->n_fds; k++)
			worker_watch_port(c->worker[i], p->fds[k]);
}

void
crew_unwatch_port(struct crew *c, const struct port *p)
{
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; polls(p, i) && k < p->n_fds; k++)
			worker_unwatch(c->worker[i], p->fds[k]);
}
