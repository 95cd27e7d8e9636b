/* SPDX-License-Identifier: Apache-2.0 */
/* tend: looking after queues, see tend.h. */
#include "dataplane/tend.h"

#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "dataplane/port_watch.h"
#include "dataplane/sigbus.h"
#include "lib/log.h"
#include "lib/ready.h"
#include "lib/vnic_ring.h"

#include <sys/epoll.h>

enum {
	MAX_BELLS = 1000,  /* in one WAITING; an honest router rings twice */
	HOT_MS = 20,       /* how long a reset or a bell makes us look often */
	TICK_HOT_MS = 1,   /* something is about to happen */
	TICK_HELD_MS = 10, /* the router is there, its hold is not over */
	TICK_AWAY_MS = 50, /* the router has not come yet */
	TICK_LOST_MS = 1000, /* it is away for long; its bell is heard */
	WATCH_MS = 1000,
	NS_PER_MS = 1000000,
};

struct tend {
	struct node *node;
	struct loop_source *tick;
	struct loop_source *watch;
	struct loop_source *watchdog;
};

/* --- epochs ------------------------------------------------------------------- */

static void look(void *arg);

/* It rings without end: the tick alone looks at it, until the next epoch. */
static void
count_bell(struct set_queue *q)
{
	if (++q->n_bells < MAX_BELLS)
		return;
	loop_del(q->bell_source);
	q->bell_source = NULL;
}

/* Its node is found by the set's queue only while the loop calls us. */
static void
on_bell(void *arg, int fd, uint32_t events)
{
	struct tend *t = arg;

	(void)events;
	for (struct set *s = t->node->sets; s; s = s->next)
		for (unsigned q = 0; q < s->n_queues; q++)
			if (s->queue[q].bell == fd) {
				s->queue[q].hot_until_ms =
				    loop_now_ms() + HOT_MS;
				count_bell(&s->queue[q]);
			}
	look(t);
}

static void
listen_to_bell(struct tend *t, struct set_queue *q)
{
	if (!q->bell_source)
		loop_add_fd(t->node->loop, q->bell, EPOLLIN | EPOLLET, on_bell,
		    t, &q->bell_source); /* else the tick finds it */
}

static void
set_down_reason(struct set_queue *q, enum vnic_drop why)
{
	/* relaxed: a reason for a counter */
	atomic_store_explicit(
	    &q->down_reason, (uint8_t)why, memory_order_relaxed);
}

static void
begin_epoch(struct tend *t, struct set_queue *q, uint64_t now_ms)
{
	bool ill = ledger_was_quarantined(q->ledger);

	set_down_reason(q, ill ? VNIC_DROP_QUARANTINED : VNIC_DROP_ROUTER_DOWN);
	ledger_reset(q->ledger, now_ms * NS_PER_MS);
	set_queue_forget(q);
	q->n_bells = 0;
	listen_to_bell(t, q);
	if (!ill)
		return;
	log_warn("router broke the protocol %d times, it is held off "
		 "router=%s queue=%u",
	    LEDGER_MAX_FAULTS, q->set->info.name, q->index);
	control_event(t->node->control, q, WIRE_EVENT_QUARANTINED);
}

static void
began_to_run(struct tend *t, struct set_queue *q)
{
	struct vnic_beat_line *b =
	    vnic_router_beat(&q->set->maps.l, q->set->maps.router, q->index);

	loop_del(q->bell_source);
	q->bell_source = NULL;
	q->beat = vnic_beat_load(&b->beat);
	set_down_reason(q, VNIC_DROP_ROUTER_DOWN);
	crew_wake(t->node->crew, q); /* it may sleep without this queue */
	log_debug("queue runs router=%s queue=%u", q->set->info.name, q->index);
	control_event(t->node->control, q, WIRE_EVENT_RUNNING);
}

/* Returns in how many ms it is to be looked at again. */
static uint64_t
tend_waiting(struct tend *t, struct set_queue *q, uint64_t now_ms)
{
	uint64_t waiting_ms;

	if (ledger_try_run(q->ledger, now_ms * NS_PER_MS)) {
		began_to_run(t, q);
		return WATCH_MS;
	}
	waiting_ms =
	    ledger_waiting_ns(q->ledger, now_ms * NS_PER_MS) / NS_PER_MS;
	if (waiting_ms >= WATCH_MS && !q->said_no_ack) {
		q->said_no_ack = true;
		control_event(t->node->control, q, WIRE_EVENT_NO_ACK);
	}
	if (now_ms < q->hot_until_ms)
		return TICK_HOT_MS;
	if (waiting_ms == 0)
		return TICK_HELD_MS;
	return waiting_ms < WATCH_MS ? TICK_AWAY_MS : TICK_LOST_MS;
}

/* --- memory that went away ------------------------------------------------------ */

static bool
was_hit(const struct set *s)
{
	for (int i = 0; i < 3; i++)
		if (sigbus_was_hit(s->sigbus_slot[i]))
			return true;
	return false;
}

/* Router and host share some pages no more: this set is over. */
static void
retire_broken(struct tend *t, struct set *s)
{
	s->broken = true;
	if (node_publish(t->node) < 0) {
		s->broken = false; /* tried again at the next look */
		return;
	}
	for (unsigned q = 0; q < s->n_queues; q++)
		crew_unwatch_bell(t->node->crew, &s->queue[q]);
	log_err("memory of a router went away under us, its set is given up "
		"router=%s",
	    s->info.name);
	control_event(t->node->control, &s->queue[0], WIRE_EVENT_SIGBUS);
}

/* --- the look ------------------------------------------------------------------- */

static void
look(void *arg)
{
	struct tend *t = arg;
	uint64_t now_ms = loop_now_ms();
	uint64_t next_ms = UINT64_MAX;

	for (struct set *s = t->node->sets; s; s = s->next) {
		if (!s->broken && was_hit(s))
			retire_broken(t, s);
		for (unsigned i = 0; !s->broken && i < s->n_queues; i++) {
			struct set_queue *q = &s->queue[i];
			enum ledger_phase phase = ledger_phase(q->ledger);
			uint64_t ms;

			if (phase == LEDGER_STOPPED)
				begin_epoch(t, q, now_ms);
			if (phase == LEDGER_RUN)
				continue;
			ms = tend_waiting(t, q, now_ms);
			next_ms = MIN(next_ms, ms);
		}
	}
	if (next_ms == UINT64_MAX)
		loop_disarm(t->tick);
	else
		loop_arm(t->tick, next_ms);
}

/* --- stalled routers -------------------------------------------------------------- */

static uint64_t
slots_back(const struct set_queue *q)
{
	uint64_t n = 0;

	for (unsigned v = 0; v < q->set->maps.l.g.max_vnics; v++)
		n += vnic_count(&ledger_counters(q->ledger, v)->back);
	return n;
}

/* It holds packets, and neither it nor they have moved for a second. */
static void
watch_queue(struct tend *t, struct set_queue *q, uint64_t now_ms)
{
	uint32_t beat = vnic_beat_load(
	    &vnic_router_beat(&q->set->maps.l, q->set->maps.router, q->index)
		 ->beat);
	uint64_t back = slots_back(q);

	if (ledger_filled(q->ledger) == 0 || beat != q->beat ||
	    back != q->back || q->still_ms == 0) {
		q->beat = beat;
		q->back = back;
		q->still_ms = now_ms;
		if (q->said_stalled)
			control_event(t->node->control, q, WIRE_EVENT_RUNNING);
		q->said_stalled = false;
		return;
	}
	if (now_ms - q->still_ms < WATCH_MS || q->said_stalled)
		return;
	q->said_stalled = true;
	control_event(t->node->control, q, WIRE_EVENT_STALLED);
}

static void
on_watch(void *arg)
{
	struct tend *t = arg;
	uint64_t now_ms = loop_now_ms();

	for (struct set *s = t->node->sets; s; s = s->next)
		for (unsigned i = 0; !s->broken && i < s->n_queues; i++)
			if (ledger_phase(s->queue[i].ledger) == LEDGER_RUN)
				watch_queue(t, &s->queue[i], now_ms);
	port_watch(t->node);
	loop_arm(t->watch, WATCH_MS);
}

/* The manager hears of us only if all have moved since the last time. */
static void
on_watchdog(void *arg)
{
	struct tend *t = arg;

	if (crew_is_alive(t->node->crew))
		ready_alive();
	else
		log_err("a worker stands still");
	loop_arm(t->watchdog, ready_watchdog_ms() / 2);
}

int
tend_new(struct node *n, struct tend **out)
{
	struct tend *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->node = n;
	rc = loop_add_timer(n->loop, look, t, &t->tick);
	if (rc == 0)
		rc = loop_add_timer(n->loop, on_watch, t, &t->watch);
	if (rc == 0)
		rc = loop_add_timer(n->loop, on_watchdog, t, &t->watchdog);
	if (rc < 0) {
		tend_free(t);
		return rc;
	}
	loop_on_wake(n->loop, look, t);
	loop_arm(t->watch, WATCH_MS);
	if (ready_watchdog_ms() > 0)
		loop_arm(t->watchdog, ready_watchdog_ms() / 2);
	*out = t;
	return 0;
}

void
tend_free(struct tend *t)
{
	if (!t)
		return;
	loop_on_wake(t->node->loop, NULL, NULL);
	loop_del(t->tick);
	loop_del(t->watch);
	loop_del(t->watchdog);
	free(t);
}
