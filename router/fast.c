/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: the loop of a fast path. How it rests, and when, says share.h.
 */
#include "router/fast.h"

#include "lib/base.h"
#include "lib/stage.h"
#include "router/script.h"

enum { MAX_SLEEP_MS = 1000 };

int
fast_add(struct fast *f, struct vnic *v, unsigned q, struct pipeline *p,
    struct bell *slow)
{
	struct vnic_queue *queue;
	int rc = vnic_queue_open(v, q, &queue);

	if (rc < 0)
		return rc;
	rc = pipeline_init(p, v, queue);
	if (rc == 0) {
		rc = pipeline_gather(p);
		if (rc < 0)
			pipeline_destroy(p);
	}
	if (rc < 0) {
		vnic_queue_close(queue);
		return rc;
	}
	p->slow_bell = slow;
	f->pipeline[f->n] = p;
	f->queue[f->n++] = queue;
	return 0;
}

void
fast_destroy(struct fast *f)
{
	while (f->n > 0) {
		struct pipeline *p = f->pipeline[--f->n];

		pipeline_destroy(p);
		vnic_queue_close(p->queue);
		p->queue = NULL;
	}
}

void
fast_stop(struct fast *f)
{
	atomic_store_explicit(&f->stop, true, memory_order_seq_cst);
	bell_ring(&f->bell);
}

void
fast_offer(struct fast *f, struct script *next, struct script *spare)
{
	seat_offer(&f->seat, next, spare);
	bell_ring(&f->bell);
}

static bool
is_over(const struct fast *f)
{
	/* relaxed: sleep_idle() looks again */
	return f->gone || atomic_load_explicit(&f->stop, memory_order_relaxed);
}

static bool
is_wanted_elsewhere(struct fast *f)
{
	return atomic_load_explicit(&f->stop, memory_order_seq_cst) ||
	       seat_changed(&f->seat);
}

/* Who has time to rest has no use for larger batches. */
static void
send_gathered(struct fast *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		pipeline_send_gathered(f->pipeline[i]);
		vnic_flush(f->queue[i]);
	}
}

static void
sleep_idle(struct fast *f)
{
	uint32_t seen;

	send_gathered(f);
	seen = bell_sleep(&f->bell);
	publish_leave(f->publish, f->reader);
	pulse_sleep(&f->pulse);
	/* a look each second, as the protocol wants; nobody else wakes up for it */
	while (!is_wanted_elsewhere(f) &&
	       vnic_wait_on(
		   f->queue, f->n, &f->bell.word, seen, MAX_SLEEP_MS) == 1 &&
	       f->runs)
		;
	pulse_awake(&f->pulse);
	bell_awake(&f->bell);
}

/* Polls queue i. Notes what it is for the round; is it to be served? */
static bool
may_run(struct fast *f, unsigned i)
{
	enum vnic_status status = vnic_poll(f->queue[i]);

	f->gone |= status == VNIC_GONE;
	f->waits &= status == VNIC_WAIT;
	f->runs &= status == VNIC_RUN;
	if (likely(status == VNIC_RUN)) {
		pipeline_late(f->pipeline[i]);
		return true;
	}
	pipeline_forget(f->pipeline[i]);
	return false;
}

static struct probe *
probe_of(struct fast *f)
{
	/* relaxed: sooner or later */
	return unlikely(atomic_load_explicit(&f->probing, memory_order_relaxed))
		   ? &f->probe
		   : NULL;
}

/* A turn on each queue with the pipeline in C. Returns how many packets came. */
static unsigned
turn(struct fast *f)
{
	unsigned n = 0;

	f->waits = true;
	f->runs = true;
	for (unsigned i = 0; i < f->n; i++) {
		if (!may_run(f, i))
			continue;
		f->pipeline[i]->batch.probe = probe_of(f);
		n += pipeline_turn(
		    f->pipeline[i], publish_enter(f->publish, f->reader));
		vnic_flush(f->queue[i]);
		STAGE(FLUSH, n);
	}
	return n;
}

/* After a round that brought n packets. */
static void
rest(struct fast *f, unsigned n)
{
	struct share *s = &f->share;

	if (likely(n > 0)) {
		share_anew(s);
		return;
	}
	switch (f->waits ? SHARE_SLEEP : share_idle(s)) {
	case SHARE_POLL:
		break;
	case SHARE_NAP:
		send_gathered(f);
		share_nap(s);
		break;
	case SHARE_SLEEP:
		sleep_idle(f);
		share_anew(s);
		break;
	}
}

/* --- the pipeline in C ---------------------------------------------------- */

static void
run_c(struct fast *f)
{
	while (!is_over(f) && !seat_changed(&f->seat)) {
		unsigned n;

		STAGE_TURN();
		n = turn(f);
		STAGE_END(n);
		rest(f, n);
	}
	send_gathered(f);
}

/* --- a script, behind path.h ---------------------------------------------- */

static struct fast *
owner_of(struct path *p)
{
	return CONTAINER_OF(p, struct fast, path);
}

/* The next queue; the round ends with the last one. */
static void
go_on(struct fast *f)
{
	if (++f->at < f->n)
		return;
	rest(f, f->n_round);
	f->at = 0;
	f->n_round = 0;
	f->waits = true;
	f->runs = true;
}

static unsigned
receive(struct path *p)
{
	struct fast *f = owner_of(p);

	if (p->tables) { /* the batch before this one is done */
		vnic_flush(f->queue[f->at]);
		p->tables = NULL;
		go_on(f);
	}
	for (; !is_over(f) && !seat_changed(&f->seat); go_on(f)) {
		unsigned n;

		pulse_beat(&f->pulse);
		if (!may_run(f, f->at))
			continue;
		p->batch.probe = probe_of(f);
		if (unlikely(p->batch.probe))
			probe_begin(p->batch.probe);
		n = pipeline_receive(f->pipeline[f->at], &p->batch);
		if (n == 0) {
			vnic_flush(f->queue[f->at]);
			continue;
		}
		f->n_round += n;
		if (unlikely(p->batch.probe)) {
			probe_mark(p->batch.probe, PROBE_RX, n);
			p->batch.probe->n = n;
		}
		p->tables = publish_enter(f->publish, f->reader);
		return n;
	}
	return 0;
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	struct fast *f = owner_of(p);
	struct pipeline *to = f->pipeline[f->at];

	to->gather = p->gather;
	if (vnic < 0)
		pipeline_transmit(to, p->tables, &p->batch, which);
	else
		pipeline_send(to, p->tables, &p->batch, which, (unsigned)vnic);
	if (unlikely(p->batch.probe))
		probe_mark(p->batch.probe, PROBE_TX,
		    (unsigned)__builtin_popcountll(which));
}

static unsigned
gathered(struct path *p, unsigned vnic)
{
	const struct fast *f = owner_of(p);

	return f->pipeline[f->at]->distribute->out[vnic].n;
}

static void
flush(struct path *p)
{
	const struct fast *f = owner_of(p);

	pipeline_send_gathered(f->pipeline[f->at]);
}

static void
give_back(struct path *p, uint64_t which)
{
	struct fast *f = owner_of(p);

	pipeline_give_back(f->pipeline[f->at], &p->batch, which);
	if (unlikely(p->batch.probe))
		probe_mark(p->batch.probe, PROBE_BACK,
		    (unsigned)__builtin_popcountll(which));
}

static const struct path_ops path_ops = {
	.receive = receive,
	.transmit = transmit,
	.give_back = give_back,
	.gathered = gathered,
	.flush = flush,
};

/* All pipelines have thrown: what comes is dropped until main brings another. */
static void
run_closed(struct fast *f)
{
	while (path_receive(&f->path) > 0)
		path_abandon(&f->path, FATE_THROW);
}

static void
run_script(struct fast *f, struct script *s)
{
	struct err why;
	int rc;

	f->path.tables = NULL;
	f->path.gather = (struct gather){ 0 };
	f->path.ops = &path_ops;
	f->at = f->n_round = 0;
	f->waits = true;
	f->runs = true;
	pulse_begin(&f->pulse);
	rc = s ? script_run(s, &f->path, &why) : (run_closed(f), 0);
	if (rc < 0)
		path_abandon(&f->path, FATE_THROW);
	else if (f->path.held)
		path_abandon(&f->path, FATE_PIPELINE);
	if (rc == 0 && !is_over(f) && !seat_changed(&f->seat))
		rc = err_set(
		    &why, -EINVAL, "the pipeline ended its loop by itself");
	for (unsigned i = 0; i < f->n; i++)
		f->pipeline[i]->gather = (struct gather){ 0 };
	send_gathered(f); /* and what was sent: the host is told */
	pulse_end(&f->pulse);
	if (rc < 0)
		seat_threw(&f->seat, &why);
}

void
fast_run(struct fast *f)
{
	share_begin(&f->share);
	while (!is_over(f)) {
		struct script *s = seat_take(&f->seat);

		if (s && script_is_c(s))
			run_c(f);
		else
			run_script(f, s);
	}
	share_end(&f->share);
	STAGE_REPORT("fast");
	seat_leave(&f->seat);
	publish_leave(f->publish, f->reader);
}
