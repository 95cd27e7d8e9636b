/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow: the turns of the slow path, see slow.h.
 */
#include "router/slow.h"

#include "lib/log.h"
#include "lib/loop.h"

enum {
	MAX_SLEEP_MS = 1000,
	BUSY_SLEEP_MS = 1, /* something waits for readers of old tables */
};

/* --- callbacks of ARP and ND ---------------------------------------------- */

static void
on_send(void *arg, struct packet *p)
{
	slow_send(arg, p);
}

static void
on_unreachable(void *arg, struct packet *p)
{
	struct slow *s = arg;
	struct icmp_error e = {
		.type = ICMP_UNREACHABLE,
		.code = ICMP_HOST_UNREACHABLE,
	};

	slow_icmp_error(
	    s, p->bytes + ETH_BYTES, &e, COUNT_ICMP_HOST_UNREACHABLE);
	free(p);
}

static void
on_unreachable6(void *arg, struct packet *p)
{
	slow_unreachable6(arg, p);
	free(p);
}

static const struct neigh_io arp_io = { on_send, on_unreachable };
static const struct neigh_io nd_io = { on_send, on_unreachable6 };

/* --- tables --------------------------------------------------------------- */

/* What the host says of the vNICs, and our addresses at them. */
static void
read_ports(struct slow *s, struct port *ports)
{
	struct vnic_info info;

	memset(ports, 0, VNIC_MAX_VNICS * sizeof(*ports));
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &s->plan->vnic[i];
		struct iface *f = &s->iface[i];

		*f = (struct iface){ 0 };
		if (!vnic_info(s->vnic, i, &info))
			continue;
		ports[i].up = info.up;
		ports[i].mtu = info.mtu;
		memcpy(ports[i].mac, info.mac, 6);
		iface_fill(f, v, &info);
	}
}

static void
announce_new(struct slow *s, const struct iface *old)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct iface *f = &s->iface[i];

		for (unsigned k = 0; f->up && k < f->n; k++)
			if (!old[i].up ||
			    !iface_has4(&old[i], f->address[k].ip))
				arp_announce(s->arp, i, f->address[k].ip);
		for (unsigned k = 0; f->up && k < f->n6; k++)
			if (!old[i].up ||
			    !iface_has6(&old[i], f->address6[k].ip))
				nd_announce(s->nd, i, f->address6[k].ip);
	}
}

/* True once after those that are resolved have changed. */
static bool
neighbours_changed(struct slow *s)
{
	bool changed = arp_changed(s->arp);

	return nd_changed(s->nd) || changed;
}

/* Returns false if it must be tried again. */
static bool
publish_tables(struct slow *s)
{
	struct iface old[VNIC_MAX_VNICS];
	struct port ports[VNIC_MAX_VNICS];
	struct neighbour *nb;
	struct tables *t;
	unsigned n;

	if (!publish_has_room(&s->publish))
		return false;
	memcpy(old, s->iface, sizeof(old));
	read_ports(s, ports);
	arp_set_ifaces(s->arp, s->iface);
	nd_set_ifaces(s->nd, s->iface);
	announce_new(s, old);
	nb = calloc(2 * NEIGH_MAX, sizeof(*nb));
	if (!nb)
		return false;
	n = arp_list(s->arp, nb);
	n += nd_list(s->nd, NEIGH_MAX, nb + n);
	t = tables_make(s->plan, ports, nb, n, s->used);
	free(nb);
	if (!t)
		return false;
	neighbours_changed(s); /* all of it is in the new tables */
	slow_drop_early(s);
	plan_seal(s->plan);
	publish_swap(&s->publish, t);
	s->tables = t;
	slow_twins_update(s);
	count(s->count, COUNT_TABLES, 1);
	/* release: who reads the generation finds the tables in force */
	atomic_store_explicit(
	    &s->generation, s->plan->generation, memory_order_release);
	return true;
}

static void
take_plan(struct slow *s)
{
	/* pairs with slow_give_plan(): the plan is complete */
	struct plan *p =
	    atomic_exchange_explicit(&s->new_plan, NULL, memory_order_seq_cst);

	if (!p)
		return;
	plan_free(s->plan);
	s->plan = p;
	if (p->filter)
		p->filter->hits = &s->hits;
	s->stale = true;
}

void
slow_give_plan(struct slow *s, struct plan *p)
{
	plan_free(
	    atomic_exchange_explicit(&s->new_plan, p, memory_order_seq_cst));
	bell_ring(&s->bell);
}

static void
update_tables(struct slow *s)
{
	uint32_t config = vnic_config(s->queue);
	/* before the plan: see update.h */
	bool has_update = s->update && update_is_given(s->update);

	take_plan(s);
	if (publish_reclaim(&s->publish) == 0)
		plan_release(s->plan);
	if (has_update)
		slow_update_begin(s);
	if (config != s->config || neighbours_changed(s))
		s->stale = true;
	s->config = config;
	if (s->stale)
		s->stale = !publish_tables(s);
	if (has_update && !s->stale)
		slow_update(s);
}

/* --- life ----------------------------------------------------------------- */

int
slow_init(struct slow *s, struct vnic *v, struct pipeline *paths, unsigned n)
{
	struct routerconf empty = { 0 };
	int rc;

	*s = (struct slow){
		.vnic = v,
		.paths = paths,
		.n_paths = n,
		.count = &paths[n - 1].count,
		.icmp_errors = { .per_second = SLOW_ICMP_PER_SECOND,
		    .burst = SLOW_ICMP_BURST },
		.icmp6_errors = { .per_second = SLOW_ICMP_PER_SECOND,
		    .burst = SLOW_ICMP_BURST },
	};
	s->tx_tail = &s->tx;
	s->tx_wait_ms = 1;
	s->now_ms = loop_now_ms();
	rc = plan_make(&empty, &s->plan);
	if (rc == 0)
		rc = arp_new(&arp_io, s, s->count, s->used, &s->arp);
	if (rc == 0)
		rc = nd_new(&nd_io, s, s->count, s->used + NEIGH_MAX, &s->nd);
	if (rc == 0) {
		s->pieces = reassembly_new();
		rc = s->pieces ? 0 : -ENOMEM;
	}
	if (rc == 0)
		rc = vnic_queue_open(
		    v, vnic_layout(v)->g.n_queues - 1, &s->queue);
	if (rc == 0) {
		s->config = vnic_config(s->queue);
		rc = pipeline_init(&paths[n - 1], v, s->queue);
	}
	if (rc == 0)
		rc = publish_tables(s) ? 0 : -ENOMEM;
	if (rc < 0)
		slow_destroy(s);
	return rc;
}

void
slow_destroy(struct slow *s)
{
	while (s->tx) {
		struct packet *next = s->tx->next;

		free(s->tx);
		s->tx = next;
	}
	publish_destroy(&s->publish);
	plan_free(atomic_load_explicit(&s->new_plan, memory_order_relaxed));
	plan_free(s->plan);
	arp_free(s->arp);
	nd_free(s->nd);
	reassembly_free(s->pieces);
	if (s->queue)
		pipeline_destroy(&s->paths[s->n_paths - 1]);
	vnic_queue_close(s->queue);
	*s = (struct slow){ .vnic = NULL };
}

/* --- turns ---------------------------------------------------------------- */

static void
take_snapshot(struct slow *s)
{
	struct snapshot *t = s->snapshot;

	t->n = arp_snapshot(s->arp, t->neighbour, s->now_ms);
	t->n += nd_snapshot(s->nd, t->neighbour + t->n, s->now_ms);
	snapshot_give(t);
}

static unsigned
drain(struct slow *s, struct punt *q)
{
	const struct punt_record *r;
	const uint8_t *frame;
	unsigned n = 0;

	for (; n < SLOW_BURST && (r = punt_peek(q, &frame)); n++) {
		slow_input(s, r, frame);
		punt_pop(q);
	}
	return n;
}

static bool
has_work(struct slow *s)
{
	for (unsigned i = 0; i < s->n_paths; i++)
		if (punt_has(&s->paths[i].punt))
			return true;
	return slow_twins_have_work(s) ||
	       atomic_load_explicit(&s->stop, memory_order_seq_cst) ||
	       atomic_load_explicit(&s->new_plan, memory_order_seq_cst) ||
	       (s->update && !s->stale && update_is_given(s->update)) ||
	       (s->snapshot && snapshot_is_wanted(s->snapshot)) ||
	       vnic_config(s->queue) != s->config;
}

static void
sleep_for(struct slow *s, uint64_t next_ms)
{
	unsigned ms = (unsigned)MIN(next_ms, (uint64_t)MAX_SLEEP_MS);
	uint32_t seen = bell_sleep(&s->bell);

	if (s->n_tx > 0 && s->running)
		ms = MIN(ms, s->tx_wait_ms);
	if (s->stale || s->publish.n_old > 0)
		ms = MIN(ms, (unsigned)BUSY_SLEEP_MS);
	if (!has_work(s))
		vnic_wait_on(&s->queue, 1, &s->bell.word, seen, ms);
	bell_awake(&s->bell);
}

/* One turn; sleeps in it when idle. False: the set is over. */
static bool
turn(struct slow *s)
{
	enum vnic_status status = vnic_poll(s->queue);
	struct pipeline *own = &s->paths[s->n_paths - 1];
	unsigned work = 0;
	uint64_t next_ms;

	if (status == VNIC_GONE)
		return false;
	s->running = status == VNIC_RUN;
	s->now_ms = loop_now_ms();
	update_tables(s);
	if (s->running)
		work += pipeline_turn(own, s->tables);
	for (unsigned i = 0; i < s->n_paths; i++)
		work += drain(s, &s->paths[i].punt);
	work += slow_twins_drain(s);
	if (s->snapshot && snapshot_is_wanted(s->snapshot))
		take_snapshot(s);
	next_ms = arp_tick(s->arp, s->now_ms);
	next_ms = MIN(next_ms, nd_tick(s->nd, s->now_ms));
	next_ms = MIN(next_ms, slow_expire_pieces(s));
	if (s->running) {
		slow_flush(s);
		vnic_flush(s->queue);
	}
	if (neighbours_changed(s)) {
		s->stale = true;
		work++;
	}
	if (work == 0)
		sleep_for(s, next_ms);
	return true;
}

void
slow_stop(struct slow *s)
{
	atomic_store_explicit(&s->stop, true, memory_order_seq_cst);
	bell_ring(&s->bell);
}

void
slow_run(struct slow *s)
{
	/* relaxed: has_work() looks again before a sleep */
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		if (!turn(s))
			return;
}
