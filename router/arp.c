/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp: the table of neighbours and its state machine, see arp.h.
 */
#include "router/arp_internal.h"

int
arp_new(const struct arp_ops *ops, void *arg, struct counters *count,
    struct arp **out)
{
	struct arp *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ops = ops;
	a->arg = arg;
	a->count = count;
	a->next_ms = UINT64_MAX;
	a->bucket.per_second = ARP_PER_SECOND;
	a->bucket.burst = ARP_BURST;
	for (unsigned i = 0; i < ARP_CHAINS; i++)
		a->chain[i] = ARP_MAX;
	*out = a;
	return 0;
}

/* --- entries -------------------------------------------------------------- */

static uint16_t *
chain_of(struct arp *a, uint32_t ip, unsigned vnic)
{
	return &a->chain[host_hash(ip, vnic) % ARP_CHAINS];
}

static struct entry *
find(struct arp *a, uint32_t ip, unsigned vnic)
{
	uint16_t i = *chain_of(a, ip, vnic);

	for (; i < ARP_MAX; i = a->entry[i].next)
		if (a->entry[i].ip == ip && a->entry[i].vnic == vnic)
			return &a->entry[i];
	return NULL;
}

static bool
is_resolved(const struct entry *e)
{
	return e->state == ARP_KNOWN || e->state == ARP_PROBING;
}

/* Takes all packets that wait for e. */
static struct packet *
take_pending(struct arp *a, struct entry *e)
{
	struct packet *p = e->pending;

	a->n_pending -= e->n_pending;
	e->n_pending = 0;
	e->pending = NULL;
	return p;
}

static void
drop_pending(struct arp *a, struct entry *e)
{
	struct packet *p = take_pending(a, e);

	while (p) {
		struct packet *next = p->next;

		free(p);
		count(a->count, COUNT_ARP_PENDING_DROPPED, 1);
		p = next;
	}
}

static void
forget(struct arp *a, struct entry *e)
{
	uint16_t self = (uint16_t)(e - a->entry);
	uint16_t *link = chain_of(a, e->ip, e->vnic);

	while (*link != self)
		link = &a->entry[*link].next;
	*link = e->next;
	a->changed |= is_resolved(e);
	drop_pending(a, e);
	e->state = ARP_NONE;
}

void
arp_free(struct arp *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->high; i++)
		drop_pending(a, &a->entry[i]);
	free(a);
}

/* A free entry, or the oldest that nothing is known of; NULL: all are good. */
static struct entry *
find_room(struct arp *a)
{
	struct entry *oldest = NULL;

	for (unsigned i = 0; i < a->high; i++) {
		struct entry *e = &a->entry[i];

		if (e->state == ARP_NONE)
			return e;
		if (!is_resolved(e) &&
		    (!oldest || e->asked_ms < oldest->asked_ms))
			oldest = e;
	}
	if (a->high < ARP_MAX)
		return &a->entry[a->high++];
	if (oldest)
		forget(a, oldest);
	return oldest;
}

static struct entry *
add(struct arp *a, uint32_t ip, unsigned vnic)
{
	struct entry *e = find_room(a);
	uint16_t *chain = chain_of(a, ip, vnic);

	if (!e)
		return NULL;
	*e = (struct entry){
		.ip = ip,
		.vnic = (uint16_t)vnic,
		.next = *chain,
	};
	*chain = (uint16_t)(e - a->entry);
	return e;
}

static void
set_due(struct arp *a, struct entry *e, uint64_t due_ms)
{
	e->due_ms = due_ms;
	a->next_ms = MIN(a->next_ms, due_ms);
}

/* --- asking --------------------------------------------------------------- */

/* Our address to speak with: of the network of ip, or else the first. */
static uint32_t
own_address(const struct iface *iface, uint32_t ip)
{
	for (unsigned i = 0; i < iface->n; i++) {
		const struct address4 *own = &iface->address[i];

		if (own->len == 0 || (own->ip ^ ip) >> (32 - own->len) == 0)
			return own->ip;
	}
	return iface->n ? iface->address[0].ip : 0;
}

/* One request; the rate limit only puts it off. */
static void
ask(struct arp *a, struct entry *e, uint64_t now_ms)
{
	const struct iface *iface = &a->iface[e->vnic];
	struct arp_msg m = { .op = ARP_REQUEST, .target_ip = e->ip };
	struct packet *p;

	m.sender_ip = own_address(iface, e->ip);
	set_due(a, e, now_ms + ARP_RETRY_MS);
	if (m.sender_ip == 0) {
		e->tries = ARP_TRIES; /* nobody to ask in whose name */
		return;
	}
	if (!bucket_take(&a->bucket, now_ms)) {
		count(a->count, COUNT_ARP_LIMITED, 1);
		set_due(a, e, now_ms + ARP_RETRY_MS / 4);
		return;
	}
	e->tries++;
	e->asked_ms = now_ms;
	p = arp_frame(
	    iface, e->vnic, &m, e->state == ARP_PROBING ? e->mac : NULL);
	if (!p)
		return;
	count(a->count, COUNT_ARP_REQUEST_SENT, 1);
	a->ops->send(a->arg, p);
}

static void
start_asking(
    struct arp *a, struct entry *e, enum arp_state state, uint64_t now_ms)
{
	e->state = (uint8_t)state;
	e->tries = 0;
	ask(a, e, now_ms);
}

/* Sends p with the Ethernet header for e. */
static void
send_to(struct arp *a, const struct entry *e, struct packet *p)
{
	p->vnic = e->vnic;
	memcpy(p->bytes + ETH_DST, e->mac, 6);
	memcpy(p->bytes + ETH_SRC, a->iface[e->vnic].mac, 6);
	a->ops->send(a->arg, p);
}

static void
wait_for(struct arp *a, struct entry *e, struct packet *p)
{
	struct packet **tail = &e->pending;

	if (e->n_pending == ARP_MAX_PENDING ||
	    a->n_pending == ARP_MAX_ALL_PENDING) {
		count(a->count, COUNT_ARP_PENDING_DROPPED, 1);
		free(p);
		return;
	}
	while (*tail)
		tail = &(*tail)->next;
	p->next = NULL;
	*tail = p;
	e->n_pending++;
	a->n_pending++;
}

void
arp_output(struct arp *a, uint32_t ip, struct packet *p, uint64_t now_ms)
{
	struct entry *e = find(a, ip, p->vnic);

	if (!e)
		e = add(a, ip, p->vnic);
	if (!e) {
		count(a->count, COUNT_ARP_TABLE_FULL, 1);
		free(p);
		return;
	}
	if (is_resolved(e)) {
		/* relaxed: a hint that orders nothing */
		__atomic_store_n(&a->used[e - a->entry], 1, __ATOMIC_RELAXED);
		send_to(a, e, p);
		return;
	}
	if (e->state == ARP_FAILED && now_ms - e->asked_ms < ARP_RETRY_MS) {
		a->ops->unreachable(a->arg, p);
		return;
	}
	wait_for(a, e, p);
	if (e->state != ARP_ASKING)
		start_asking(a, e, ARP_ASKING, now_ms);
}

/* --- hearing -------------------------------------------------------------- */

static void
learn(struct arp *a, struct entry *e, const uint8_t *mac, uint64_t now_ms)
{
	struct packet *p = take_pending(a, e);

	a->changed |= !is_resolved(e) || memcmp(e->mac, mac, 6) != 0;
	memcpy(e->mac, mac, 6);
	e->state = ARP_KNOWN;
	e->tries = 0;
	set_due(a, e, now_ms + ARP_REACHABLE_MS);
	/* relaxed: a hint that orders nothing */
	__atomic_store_n(&a->used[e - a->entry], p != NULL, __ATOMIC_RELAXED);
	while (p) {
		struct packet *next = p->next;

		p->next = NULL;
		send_to(a, e, p);
		p = next;
	}
}

static bool
is_own(const struct iface *iface, uint32_t ip)
{
	for (unsigned i = 0; i < iface->n; i++)
		if (iface->address[i].ip == ip)
			return true;
	return false;
}

static void
answer(struct arp *a, unsigned vnic, const struct arp_msg *request)
{
	struct arp_msg m = {
		.op = ARP_REPLY,
		.sender_ip = request->target_ip,
		.target_ip = request->sender_ip,
	};
	struct packet *p =
	    arp_frame(&a->iface[vnic], vnic, &m, request->sender_mac);

	if (!p)
		return;
	count(a->count, COUNT_ARP_REPLY_SENT, 1);
	a->ops->send(a->arg, p);
}

void
arp_announce(struct arp *a, unsigned i, uint32_t ip)
{
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sender_ip = ip,
		.target_ip = ip,
	};
	struct packet *p = arp_frame(&a->iface[i], i, &m, NULL);

	if (!p)
		return;
	count(a->count, COUNT_ARP_ANNOUNCED, 1);
	a->ops->send(a->arg, p);
}

void
arp_input(struct arp *a, unsigned i, const uint8_t *frame, unsigned len,
    uint64_t now_ms)
{
	const struct iface *iface = &a->iface[i];
	struct arp_msg m;
	struct entry *e;
	bool for_us;

	if (!arp_parse(frame, len, &m)) {
		count(a->count, COUNT_ARP_BAD, 1);
		return;
	}
	count(a->count,
	    m.op == ARP_REQUEST ? COUNT_ARP_REQUEST_RECEIVED
				: COUNT_ARP_REPLY_RECEIVED,
	    1);
	if (!iface->up || is_own(iface, m.sender_ip)) {
		count(a->count,
		    iface->up ? COUNT_ARP_CONFLICT : COUNT_ARP_IGNORED, 1);
		return;
	}
	e = find(a, m.sender_ip, i);
	/* who has failed is a stranger again */
	if (e && e->state != ARP_FAILED)
		learn(a, e, m.sender_mac, now_ms);
	for_us = m.op == ARP_REQUEST && is_own(iface, m.target_ip);
	if (for_us)
		answer(a, i, &m);
	else if (!e)
		count(a->count, COUNT_ARP_IGNORED, 1);
}

/* --- time ----------------------------------------------------------------- */

static void
fail(struct arp *a, struct entry *e, uint64_t now_ms)
{
	struct packet *p = take_pending(a, e);

	a->changed |= is_resolved(e);
	e->state = ARP_FAILED;
	set_due(a, e, now_ms + ARP_FAILED_MS);
	count(a->count, COUNT_ARP_FAILED, 1);
	while (p) {
		struct packet *next = p->next;

		p->next = NULL;
		a->ops->unreachable(a->arg, p);
		p = next;
	}
}

/* What is due for e now. */
static void
expire(struct arp *a, struct entry *e, uint64_t now_ms)
{
	uint8_t *used = &a->used[e - a->entry];

	switch ((enum arp_state)e->state) {
	case ARP_ASKING:
	case ARP_PROBING:
		if (e->tries >= ARP_TRIES)
			fail(a, e, now_ms);
		else
			ask(a, e, now_ms);
		break;
	case ARP_KNOWN:
		/* relaxed: a hint that orders nothing */
		if (__atomic_exchange_n(used, 0, __ATOMIC_RELAXED))
			start_asking(a, e, ARP_PROBING, now_ms);
		else
			forget(a, e);
		break;
	case ARP_FAILED:
		forget(a, e);
		break;
	case ARP_NONE:
		break;
	}
}

uint64_t
arp_tick(struct arp *a, uint64_t now_ms)
{
	if (now_ms < a->next_ms)
		return a->next_ms == UINT64_MAX ? UINT64_MAX
						: a->next_ms - now_ms;
	a->next_ms = UINT64_MAX;
	for (unsigned i = 0; i < a->high; i++) {
		struct entry *e = &a->entry[i];

		if (e->state != ARP_NONE && e->due_ms <= now_ms)
			expire(a, e, now_ms);
		if (e->state != ARP_NONE)
			a->next_ms = MIN(a->next_ms, e->due_ms);
	}
	return a->next_ms == UINT64_MAX ? UINT64_MAX
					: MAX(a->next_ms, now_ms) - now_ms;
}

void
arp_set_ifaces(struct arp *a, const struct iface *ifaces)
{
	a->iface = ifaces;
	for (unsigned i = 0; i < a->high; i++) {
		struct entry *e = &a->entry[i];

		if (e->state != ARP_NONE && !ifaces[e->vnic].up)
			forget(a, e);
	}
}

bool
arp_changed(struct arp *a)
{
	bool changed = a->changed;

	a->changed = false;
	return changed;
}

unsigned
arp_list(const struct arp *a, struct neighbour *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->high; i++) {
		const struct entry *e = &a->entry[i];

		if (!is_resolved(e))
			continue;
		out[n] = (struct neighbour){
			.ip = e->ip,
			.vnic = e->vnic,
			.index = (uint16_t)i,
		};
		memcpy(out[n++].mac, e->mac, 6);
	}
	return n;
}

uint8_t *
arp_used(struct arp *a)
{
	return a->used;
}
