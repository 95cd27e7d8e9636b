/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set: mapping a router's memory and writing its vNIC table, see set.h.
 *
 * Sizes come from europad's geometry; the memory itself is only asked whether
 * it is sealed and as large as that.
 */
#include "dataplane/set.h"

#include "dataplane/lines.h"
#include "dataplane/sigbus.h"
#include "lib/base.h"
#include "lib/log.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"

#include <stdio.h>
#include <time.h>

enum { CONTROL_SLOTS = 256 }; /* of the control queue, at most */

uint32_t
set_slots_of(const struct set *s, unsigned q, uint32_t slots)
{
	uint32_t n = MIN(slots, s->maps.l.g.max_slots);

	return q + 1 == s->n_queues ? MIN(n, (uint32_t)CONTROL_SLOTS) : n;
}

/* Locked memory is a wish: without the right to it the set works all the same. */
static int
map_region(int fd, size_t bytes, bool writable, void **out)
{
	int rc = region_check(fd, bytes);

	if (rc < 0)
		return rc;
	rc = region_map(
	    fd, bytes, writable ? REGION_RW_LOCKED : REGION_RO_LOCKED, out);
	if (rc == -EPERM || rc == -ENOMEM || rc == -EAGAIN)
		rc = region_map(
		    fd, bytes, writable ? REGION_RW : REGION_RO, out);
	return rc;
}

static void
watch_for_holes(struct set *s)
{
	const struct ledger_maps *m = &s->maps;

	s->sigbus_slot[0] = sigbus_watch(m->host, m->l.host_bytes);
	s->sigbus_slot[1] = sigbus_watch(m->router, m->l.router_bytes);
	s->sigbus_slot[2] = sigbus_watch(m->pool, m->l.pool_bytes);
}

static int
map_all(struct set *s)
{
	struct ledger_maps *m = &s->maps;
	int rc = map_region(s->fds.host, m->l.host_bytes, true, &m->host);

	if (rc == 0)
		rc = map_region(
		    s->fds.router, m->l.router_bytes, false, &m->router);
	if (rc == 0)
		rc = map_region(s->fds.pool, m->l.pool_bytes, true, &m->pool);
	if (rc == 0)
		watch_for_holes(s);
	return rc;
}

static int
make_queues(struct set *s)
{
	for (unsigned q = 0; q < s->n_queues; q++) {
		struct set_queue *sq = &s->queue[q];
		int rc;

		sq->set = s;
		sq->index = q;
		sq->bell = s->fds.bell[q];
		atomic_store_explicit(&sq->down_reason, VNIC_DROP_ROUTER_DOWN,
		    memory_order_relaxed); /* published with the plan */
		rc = ledger_new(&s->maps, q, set_slots_of(s, q, s->info.slots),
		    &sq->ledger);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void
table_changed(struct set *s)
{
	for (unsigned q = 0; q < s->n_queues; q++) {
		struct vnic_host_line *h =
		    vnic_host_line(&s->maps.l, s->maps.host, q);

		/* P4: pairs with the router's load of config */
		vnic_table_store(&h->config, vnic_table_load(&h->config) + 1);
		if (s->queue[q].ledger)
			ledger_nudge(s->queue[q].ledger);
	}
}

/*
 * What a data plane before us left UP stays UP, attached to nothing until
 * europad says to what: a router that saw it go down would forget its
 * neighbours. europad removes what is wanted no more.
 */
static void
adopt_table(struct set *s)
{
	for (uint32_t i = 0; i < s->maps.l.g.max_vnics; i++) {
		struct vnic_entry *e = vnic_entry(&s->maps.l, s->maps.host, i);
		struct set_vnic *mine = &s->vnic[i];

		if (vnic_table_load(&e->state) != VNIC_ENTRY_UP)
			continue;
		mine->up = true;
		memcpy(mine->v.uid, s->info.uid, sizeof(mine->v.uid));
		mine->v.index = i;
		mine->v.mtu = (uint16_t)e->mtu; /* as written: <= 9000 */
		memcpy(mine->v.mac, e->mac, sizeof(mine->v.mac));
		memcpy(mine->v.name, e->name, sizeof(mine->v.name) - 1);
	}
}

static void
take_fds(struct set *s, struct wire_msg *m)
{
	s->fds.host = m->fds[0];
	s->fds.router = m->fds[1];
	s->fds.pool = m->fds[2];
	s->fds.n_bells = s->n_queues;
	for (unsigned q = 0; q < s->n_queues; q++)
		s->fds.bell[q] = m->fds[3 + q];
	m->n_fds = 0;
}

int
set_new(struct wire_msg *m, struct set **out, const char **why)
{
	struct set *s = lines_alloc(1, sizeof(*s));
	const struct wire_set *info = &m->u.set;
	int rc;

	if (!s)
		return -ENOMEM;
	vnic_fds_init(&s->fds);
	for (int i = 0; i < 3; i++)
		s->sigbus_slot[i] = -1;
	*why = "the geometry is out of range";
	rc = vnic_layout_make(&s->maps.l, &info->g);
	if (rc == 0 && (info->slots < 2 || info->slots > info->g.max_slots))
		rc = -EINVAL;
	if (rc == 0 && m->n_fds != 3 + info->g.n_queues) {
		*why = "the number of descriptors does not fit the queues";
		rc = -EINVAL;
	}
	if (rc == 0) {
		s->info = *info;
		s->n_queues = info->g.n_queues;
		take_fds(s, m);
		*why = "the memory is not sealed, or not of the size that the "
		       "geometry needs";
		rc = map_all(s);
	}
	if (rc == 0) {
		*why = "its memory is over (GONE) or there is none for ledgers";
		s->tank = police_tanks(SET_N_TANKS);
		rc = s->tank ? make_queues(s) : -ENOMEM;
	}
	if (rc < 0) {
		set_free(s, false);
		return rc;
	}
	adopt_table(s);
	*out = s;
	return 0;
}

void
set_free(struct set *s, bool says_gone)
{
	if (!s)
		return;
	for (unsigned q = 0; q < s->n_queues; q++) {
		struct set_queue *sq = &s->queue[q];

		loop_del(sq->bell_source);
		if (sq->ledger && says_gone)
			ledger_gone(sq->ledger);
		ledger_free(sq->ledger);
	}
	for (int i = 0; i < 3; i++)
		sigbus_forget(s->sigbus_slot[i]);
	region_unmap(s->maps.host, s->maps.l.host_bytes);
	region_unmap(s->maps.router, s->maps.l.router_bytes);
	region_unmap(s->maps.pool, s->maps.l.pool_bytes);
	vnic_fds_close(&s->fds);
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		for (unsigned way = 0; way < WIRE_N_WAYS; way++)
			impair_free(s->vnic[v].waiting[way]);
	free(s->tank);
	free(s);
}

/* --- the vNIC table ----------------------------------------------------------- */

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/*
 * An index that was removed is free again when no epoch knows it any more. One
 * that has not begun to run ends here, at no cost to anybody.
 */
static int
free_index(struct set *s, uint32_t index)
{
	uint32_t bit = UINT32_C(1) << index;

	for (unsigned q = 0; q < s->n_queues; q++) {
		struct set_queue *sq = &s->queue[q];

		if (!(sq->dead & bit))
			continue;
		if (ledger_phase(sq->ledger) == LEDGER_RUN)
			return -EBUSY;
		ledger_reset(sq->ledger, now_ns());
		set_queue_forget(sq);
	}
	return 0;
}

static bool
entry_is_same(const struct wire_vnic *a, const struct wire_vnic *b)
{
	return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
	       a->mtu == b->mtu && strcmp(a->name, b->name) == 0;
}

static void
write_entry(struct set *s, const struct wire_vnic *v)
{
	struct vnic_entry *e = vnic_entry(&s->maps.l, s->maps.host, v->index);

	e->mtu = v->mtu;
	memcpy(e->mac, v->mac, sizeof(e->mac));
	memset(e->name, 0, sizeof(e->name));
	memcpy(e->name, v->name, strnlen(v->name, sizeof(e->name) - 1));
	vnic_table_store(&e->state, VNIC_ENTRY_UP); /* P4: entry is complete */
	table_changed(s);
}

int
set_vnic_put(struct set *s, const struct wire_vnic *v)
{
	struct set_vnic *mine = &s->vnic[v->index];
	int rc;

	if (mine->up) {
		if (!entry_is_same(&mine->v, v))
			return -EBUSY;
		police_change(
		    &s->tank[SET_TANKS_OF_ROUTER + v->index * POLICE_N_WAYS],
		    &mine->v.rates, &v->rates);
		mine->v = *v;
		return 0;
	}
	rc = free_index(s, v->index);
	if (rc < 0)
		return rc;
	for (unsigned way = 0; way < POLICE_N_WAYS; way++)
		police_fill(&s->tank[SET_TANKS_OF_ROUTER +
				     v->index * POLICE_N_WAYS + way]);
	mine->v = *v;
	mine->up = true;
	write_entry(s, v);
	return 0;
}

void
set_vnic_drop(struct set *s, uint32_t index)
{
	struct set_vnic *mine = &s->vnic[index];
	struct vnic_entry *e = vnic_entry(&s->maps.l, s->maps.host, index);

	if (!mine->up)
		return;
	mine->up = false;
	for (unsigned q = 0; q < s->n_queues; q++)
		if (ledger_phase(s->queue[q].ledger) != LEDGER_STOPPED)
			s->queue[q].dead |= UINT32_C(1) << index;
	vnic_table_store(&e->state, VNIC_ENTRY_DOWN); /* P4 */
	table_changed(s);
}

void
set_refuse(struct set *s, unsigned v, enum set_refusal i, uint64_t n)
{
	/* relaxed: published by any */
	atomic_fetch_add_explicit(&s->refused.n[v][i], n, memory_order_relaxed);
	/* seq_cst: said, then looked whether worker 0 sleeps, which does it the
	 * other way round */
	atomic_store_explicit(&s->refused.any, true, memory_order_seq_cst);
}

void
set_queue_forget(struct set_queue *q)
{
	q->dead = 0;
	q->said_no_ack = false;
	q->said_stalled = false;
	q->still_ms = 0;
	q->hot_until_ms = loop_now_ms() + 20;
	memset(q->wait, 0, sizeof(q->wait));
	if (q->index + 1 < q->set->n_queues)
		return;
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		/* relaxed: handed over with the phase */
		atomic_store_explicit(
		    &q->set->control_done.pos[v], 0, memory_order_relaxed);
}
