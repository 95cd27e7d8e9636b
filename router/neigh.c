/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neigh: the table of neighbours and its state machine, see neigh.h.
 */
#include "router/neigh.h"

void
neigh_init(struct neigh *n)
{
	n->next_ms = UINT64_MAX;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		n->bucket[i] = (struct bucket){
			.per_second = NEIGH_PER_SECOND,
			.burst = NEIGH_BURST,
		};
	for (unsigned i = 0; i < NEIGH_CHAINS; i++)
		n->chain[i] = NEIGH_MAX;
}

static void
count_one(struct neigh *n, enum neigh_counter which)
{
	count(n->count, n->first_counter + which, 1);
}

/* --- entries -------------------------------------------------------------- */

static uint16_t *
chain_of(struct neigh *n, struct ip6 ip, unsigned vnic)
{
	return &n->chain[ip6_hash(ip, vnic) % NEIGH_CHAINS];
}

struct neigh_entry *
neigh_find(struct neigh *n, struct ip6 ip, unsigned vnic)
{
	uint16_t i = *chain_of(n, ip, vnic);

	for (; i < NEIGH_MAX; i = n->entry[i].next)
		if (ip6_is_equal(n->entry[i].ip, ip) &&
		    n->entry[i].vnic == vnic)
			return &n->entry[i];
	return NULL;
}

/* Takes all packets that wait for e. */
static struct packet *
take_pending(struct neigh *n, struct neigh_entry *e)
{
	struct packet *p = e->pending;

	n->n_pending -= e->n_pending;
	e->n_pending = 0;
	e->pending = NULL;
	return p;
}

static void
drop_pending(struct neigh *n, struct neigh_entry *e)
{
	struct packet *p = take_pending(n, e);

	while (p) {
		struct packet *next = p->next;

		free(p);
		count_one(n, NEIGH_COUNT_PENDING_DROPPED);
		p = next;
	}
}

static void
forget(struct neigh *n, struct neigh_entry *e)
{
	uint16_t self = (uint16_t)(e - n->entry);
	uint16_t *link = chain_of(n, e->ip, e->vnic);

	while (*link != self)
		link = &n->entry[*link].next;
	*link = e->next;
	n->changed |= neigh_is_resolved(e);
	drop_pending(n, e);
	e->state = NEIGH_NONE;
}

void
neigh_destroy(struct neigh *n)
{
	for (unsigned i = 0; i < n->high; i++)
		drop_pending(n, &n->entry[i]);
}

/* What the entries of a vNIC are, while room is looked for. */
struct share {
	unsigned n, n_strangers;      /* strangers: nothing is known of them */
	struct neigh_entry *stranger; /* asked for the longest time ago */
	struct neigh_entry *known;    /* heard of the longest time ago */
};

static void
note(struct share *s, struct neigh_entry *e)
{
	s->n++;
	if (neigh_is_resolved(e)) {
		if (!s->known || e->due_ms < s->known->due_ms)
			s->known = e;
		return;
	}
	s->n_strangers++;
	if (!s->stranger || e->asked_ms < s->stranger->asked_ms)
		s->stranger = e;
}

/*
 * Who makes room in a full table for one at vnic: a stranger of where most of
 * them are, so that whoever asks for a whole network in vain harms nobody but
 * that network; else, for the first few of a vNIC, a neighbour of where there
 * are most, so that one network's cannot keep out all of another.
 */
static struct neigh_entry *
find_victim(const struct share *of, unsigned vnic)
{
	unsigned strange = 0, full = 0;

	for (unsigned i = 1; i < VNIC_MAX_VNICS; i++) {
		if (of[i].n_strangers > of[strange].n_strangers)
			strange = i;
		if (of[i].n > of[full].n)
			full = i;
	}
	if (of[strange].stranger)
		return of[strange].stranger;
	return of[vnic].n < NEIGH_SHARE ? of[full].known : NULL;
}

/* A free entry, or one that makes room; NULL: all are good. */
static struct neigh_entry *
find_room(struct neigh *n, unsigned vnic)
{
	struct share of[VNIC_MAX_VNICS] = { 0 };
	struct neigh_entry *victim;

	for (unsigned i = 0; i < n->high; i++) {
		struct neigh_entry *e = &n->entry[i];

		if (e->state == NEIGH_NONE)
			return e;
		note(&of[e->vnic], e);
	}
	if (n->high < NEIGH_MAX)
		return &n->entry[n->high++];
	victim = find_victim(of, vnic);
	if (victim)
		forget(n, victim);
	return victim;
}

static struct neigh_entry *
add(struct neigh *n, struct ip6 ip, unsigned vnic)
{
	struct neigh_entry *e = find_room(n, vnic);
	uint16_t *chain = chain_of(n, ip, vnic);

	if (!e)
		return NULL;
	*e = (struct neigh_entry){
		.ip = ip,
		.vnic = (uint16_t)vnic,
		.next = *chain,
	};
	*chain = (uint16_t)(e - n->entry);
	return e;
}

static void
set_due(struct neigh *n, struct neigh_entry *e, uint64_t due_ms)
{
	e->due_ms = due_ms;
	n->next_ms = MIN(n->next_ms, due_ms);
}

/* --- asking --------------------------------------------------------------- */

/* One request; the rate limit only puts it off. */
static void
ask(struct neigh *n, struct neigh_entry *e, uint64_t now_ms)
{
	const uint8_t *mac = e->state == NEIGH_PROBING ? e->mac : NULL;
	struct packet *p;
	int rc;

	set_due(n, e, now_ms + NEIGH_RETRY_MS);
	if (!bucket_take(&n->bucket[e->vnic], now_ms)) {
		count_one(n, NEIGH_COUNT_LIMITED);
		set_due(n, e, now_ms + NEIGH_RETRY_MS / 4);
		return;
	}
	rc = n->question(n->self, e->vnic, e->ip, mac, &p);
	if (rc == -EADDRNOTAVAIL) {
		e->tries = NEIGH_TRIES; /* nobody to ask in whose name */
		return;
	}
	e->tries++;
	e->asked_ms = now_ms;
	if (rc < 0)
		return;
	count_one(n, NEIGH_COUNT_ASKED);
	n->io->send(n->arg, p);
}

static void
start_asking(struct neigh *n, struct neigh_entry *e, enum neigh_state state,
    uint64_t now_ms)
{
	e->state = (uint8_t)state;
	e->tries = 0;
	ask(n, e, now_ms);
}

/* Sends p with the Ethernet header for e. */
static void
send_to(struct neigh *n, const struct neigh_entry *e, struct packet *p)
{
	p->vnic = e->vnic;
	memcpy(p->bytes + ETH_DST, e->mac, 6);
	memcpy(p->bytes + ETH_SRC, n->iface[e->vnic].mac, 6);
	n->io->send(n->arg, p);
}

static void
wait_for(struct neigh *n, struct neigh_entry *e, struct packet *p)
{
	struct packet **tail = &e->pending;

	if (e->n_pending == NEIGH_MAX_PENDING ||
	    n->n_pending == NEIGH_MAX_ALL_PENDING) {
		count_one(n, NEIGH_COUNT_PENDING_DROPPED);
		free(p);
		return;
	}
	while (*tail)
		tail = &(*tail)->next;
	p->next = NULL;
	*tail = p;
	e->n_pending++;
	n->n_pending++;
}

void
neigh_output(struct neigh *n, struct ip6 ip, struct packet *p, uint64_t now_ms)
{
	struct neigh_entry *e = neigh_find(n, ip, p->vnic);

	if (!e)
		e = add(n, ip, p->vnic);
	if (!e) {
		count_one(n, NEIGH_COUNT_TABLE_FULL);
		free(p);
		return;
	}
	if (neigh_is_resolved(e)) {
		/* relaxed: a hint that orders nothing */
		__atomic_store_n(&n->used[e - n->entry], 1, __ATOMIC_RELAXED);
		send_to(n, e, p);
		return;
	}
	if (e->state == NEIGH_FAILED && now_ms - e->asked_ms < NEIGH_RETRY_MS) {
		n->io->unreachable(n->arg, p);
		return;
	}
	wait_for(n, e, p);
	if (e->state != NEIGH_ASKING)
		start_asking(n, e, NEIGH_ASKING, now_ms);
}

/* --- hearing -------------------------------------------------------------- */

void
neigh_learn(
    struct neigh *n, struct neigh_entry *e, const uint8_t *mac, uint64_t now_ms)
{
	struct packet *p = take_pending(n, e);

	n->changed |= !neigh_is_resolved(e) || memcmp(e->mac, mac, 6) != 0;
	memmove(e->mac, mac, 6); /* may be its own */
	e->state = NEIGH_KNOWN;
	e->tries = 0;
	set_due(n, e, now_ms + NEIGH_REACHABLE_MS);
	/* relaxed: a hint that orders nothing */
	__atomic_store_n(&n->used[e - n->entry], p != NULL, __ATOMIC_RELAXED);
	while (p) {
		struct packet *next = p->next;

		p->next = NULL;
		send_to(n, e, p);
		p = next;
	}
}

int
neigh_tell(struct neigh *n, struct ip6 ip, unsigned vnic, const uint8_t *mac,
    uint64_t now_ms)
{
	struct neigh_entry *e = neigh_find(n, ip, vnic);

	if (!mac) {
		if (e)
			forget(n, e);
		return e ? 0 : -ENOENT;
	}
	if (!e)
		e = add(n, ip, vnic);
	if (!e)
		return -ENOSPC;
	neigh_learn(n, e, mac, now_ms);
	return 0;
}

unsigned
neigh_snapshot(const struct neigh *n, bool is6, struct snapshot_neighbour *out,
    uint64_t now_ms)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n->high; i++) {
		const struct neigh_entry *e = &n->entry[i];

		if (e->state == NEIGH_NONE)
			continue;
		out[k] = (struct snapshot_neighbour){
			.ip = e->ip,
			.is6 = is6,
			.state = e->state,
			.vnic = (uint8_t)e->vnic, /* < VNIC_MAX_VNICS */
			.n_pending = e->n_pending,
			.due_ms = (uint32_t)(MAX(e->due_ms, now_ms) - now_ms),
		};
		memcpy(out[k++].mac, e->mac, 6);
	}
	return k;
}

/* --- time ----------------------------------------------------------------- */

static void
fail(struct neigh *n, struct neigh_entry *e, uint64_t now_ms)
{
	struct packet *p = take_pending(n, e);

	n->changed |= neigh_is_resolved(e);
	e->state = NEIGH_FAILED;
	set_due(n, e, now_ms + NEIGH_FAILED_MS);
	count_one(n, NEIGH_COUNT_FAILED);
	while (p) {
		struct packet *next = p->next;

		p->next = NULL;
		n->io->unreachable(n->arg, p);
		p = next;
	}
}

/* What is due for e now. */
static void
expire(struct neigh *n, struct neigh_entry *e, uint64_t now_ms)
{
	uint8_t *used = &n->used[e - n->entry];

	switch ((enum neigh_state)e->state) {
	case NEIGH_ASKING:
	case NEIGH_PROBING:
		if (e->tries >= NEIGH_TRIES)
			fail(n, e, now_ms);
		else
			ask(n, e, now_ms);
		break;
	case NEIGH_KNOWN:
		/* relaxed: a hint that orders nothing */
		if (__atomic_exchange_n(used, 0, __ATOMIC_RELAXED))
			start_asking(n, e, NEIGH_PROBING, now_ms);
		else
			forget(n, e);
		break;
	case NEIGH_FAILED:
		forget(n, e);
		break;
	case NEIGH_NONE:
		break;
	}
}

uint64_t
neigh_tick(struct neigh *n, uint64_t now_ms)
{
	if (now_ms < n->next_ms)
		return n->next_ms == UINT64_MAX ? UINT64_MAX
						: n->next_ms - now_ms;
	n->next_ms = UINT64_MAX;
	for (unsigned i = 0; i < n->high; i++) {
		struct neigh_entry *e = &n->entry[i];

		if (e->state != NEIGH_NONE && e->due_ms <= now_ms)
			expire(n, e, now_ms);
		if (e->state != NEIGH_NONE)
			n->next_ms = MIN(n->next_ms, e->due_ms);
	}
	return n->next_ms == UINT64_MAX ? UINT64_MAX
					: MAX(n->next_ms, now_ms) - now_ms;
}

void
neigh_set_ifaces(struct neigh *n, const struct iface *ifaces)
{
	n->iface = ifaces;
	for (unsigned i = 0; i < n->high; i++) {
		struct neigh_entry *e = &n->entry[i];

		if (e->state != NEIGH_NONE && !ifaces[e->vnic].up)
			forget(n, e);
	}
}

bool
neigh_take_changed(struct neigh *n)
{
	bool changed = n->changed;

	n->changed = false;
	return changed;
}
