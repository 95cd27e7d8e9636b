/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline: rx of all vNICs, the modules, tx grouped by vNIC; what dropped out
 * is copied to the slow path if it concerns it, and its slot goes back at once.
 */
#include "router/pipeline.h"

#include "lib/base.h"
#include "lib/stage.h"
#include "router/clock.h"
#include "router/modules.h"

/* Rings of vNICs that went down are served too, to the end of the epoch. */
static void
count_vnics(struct pipeline *p)
{
	struct vnic_info info;

	p->config = vnic_config(p->queue);
	p->n_vnics = 0;
	p->first_vnic = 0;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		if (vnic_info(p->vnic, i, &info))
			p->n_vnics = i + 1;
}

int
pipeline_init(
    struct pipeline *p, const struct vnic *v, struct vnic_queue *queue)
{
	p->vnic = v;
	p->queue = queue;
	count_vnics(p);
	return punt_init(&p->punt);
}

static void
on_distributed(void *arg, unsigned vnic, const struct vnic_frame *f, unsigned n)
{
	struct pipeline *p = arg;

	vnic_tx(p->queue, vnic, f, n);
	count(&p->count, COUNT_FORWARDED, n);
}

int
pipeline_gather(struct pipeline *p)
{
	p->distribute = distribute_new(on_distributed, p);
	return p->distribute ? 0 : -ENOMEM;
}

void
pipeline_late(struct pipeline *p)
{
	if (unlikely(distribute_holds(p->distribute)))
		distribute_turn(p->distribute, clock_now_ns());
}

void
pipeline_send_gathered(struct pipeline *p)
{
	if (unlikely(distribute_holds(p->distribute)))
		distribute_flush(p->distribute);
}

void
pipeline_forget(struct pipeline *p)
{
	if (unlikely(distribute_holds(p->distribute)))
		count(&p->count, COUNT_GATHERED_LOST,
		    distribute_forget(p->distribute));
}

void
pipeline_destroy(struct pipeline *p)
{
	distribute_free(p->distribute);
	p->distribute = NULL;
	punt_destroy(&p->punt);
}

/* Here the compiler is to see the loops: a turn has no call to spare. */
static inline __attribute__((always_inline)) unsigned
receive(struct pipeline *p, struct batch *b)
{
	unsigned i;
	unsigned n = 0;

	if (unlikely(vnic_config(p->queue) != p->config))
		count_vnics(p);
	i = p->first_vnic;
	b->came = 0;
	for (unsigned k = 0; k < p->n_vnics && n < BATCH_MAX; k++) {
		unsigned had = n;

		n += vnic_rx(p->queue, i, b->frame + n, BATCH_MAX - n);
		b->came |= (uint32_t)(n > had) << i;
		i = i + 1 < p->n_vnics ? i + 1 : 0;
	}
	p->first_vnic = i;
	return n;
}

/*
 * Of the packets that leave where they came in the slow path sees one now and
 * then, to say so to its sender; it does not matter which.
 */
static void
punt_turned(
    struct pipeline *p, const struct vnic_frame *f, unsigned n, unsigned vnic)
{
	enum { EVERY = 64 };
	struct punt_record r = {
		.fate = FATE_REDIRECT,
		.vnic = (uint16_t)vnic, /* < VNIC_MAX_VNICS */
	};

	for (; n > 0 && f->vnic != vnic; n--)
		f++;
	if (n == 0)
		return;
	r.len = f->len;
	if (p->n_turned++ % EVERY == 0 && punt_put(&p->punt, &r, f->data) &&
	    p->slow_bell)
		bell_ring(p->slow_bell);
}

/* How batches are to be made; NULL: not at all. */
static inline const struct gather *
how_to_gather(const struct pipeline *p, const struct tables *t)
{
	if (likely(!p->distribute ||
		   !(p->gather.size | t->gather.size | p->distribute->waiting)))
		return NULL;
	return p->gather.size ? &p->gather : &t->gather;
}

static inline void
send_out(struct pipeline *p, const struct gather *how, unsigned vnic,
    const struct vnic_frame *f, unsigned n)
{
	if (unlikely(how))
		distribute_put(p->distribute, how, vnic, f, n, clock_now_ns());
	else
		on_distributed(p, vnic, f, n);
}

static inline __attribute__((always_inline)) void
transmit(
    struct pipeline *p, const struct tables *t, struct batch *b, uint64_t left)
{
	const struct gather *how = how_to_gather(p, t);
	struct vnic_frame out[BATCH_MAX];

	while (left) {
		unsigned vnic = t->hop[b->hop[__builtin_ctzll(left)]].vnic;
		unsigned n = 0;

		for (uint64_t mask = left; mask;) {
			unsigned i = batch_pop(&mask);

			if (t->hop[b->hop[i]].vnic != vnic)
				continue;
			out[n++] = b->frame[i];
			left &= ~(UINT64_C(1) << i);
		}
		if (unlikely(b->came >> vnic & 1))
			punt_turned(p, out, n, vnic);
		send_out(p, how, vnic, out, n);
	}
}

/* What the host is told of a packet that ends here. */
static const uint8_t done_of_fate[N_FATES] = {
	[FATE_RUNT] = VNIC_DONE_BAD_HEADER,
	[FATE_FOREIGN_MAC] = VNIC_DONE_FILTERED,
	[FATE_GROUP_MAC] = VNIC_DONE_FILTERED,
	[FATE_ETHERTYPE] = VNIC_DONE_OTHER,
	[FATE_SHORT] = VNIC_DONE_BAD_HEADER,
	[FATE_CHECKSUM] = VNIC_DONE_BAD_HEADER,
	[FATE_VERSION] = VNIC_DONE_BAD_HEADER,
	[FATE_IHL] = VNIC_DONE_BAD_HEADER,
	[FATE_TOTAL_LENGTH] = VNIC_DONE_BAD_HEADER,
	[FATE_MARTIAN_SOURCE] = VNIC_DONE_FILTERED,
	[FATE_MARTIAN_DESTINATION] = VNIC_DONE_FILTERED,
	[FATE_MULTICAST] = VNIC_DONE_NO_ROUTE,
	[FATE_BROADCAST] = VNIC_DONE_FILTERED,
	[FATE_VNIC_DOWN] = VNIC_DONE_NO_ROUTE,
	[FATE_BLACKHOLE] = VNIC_DONE_NO_ROUTE,
	[FATE_DENIED] = VNIC_DONE_FILTERED,
	[FATE_PIPELINE] = VNIC_DONE_FILTERED,
	[FATE_THROW] = VNIC_DONE_OTHER,
	/* only if the slow path's queue is full */
	[FATE_ARP] = VNIC_DONE_NO_SLOT,
	[FATE_ND] = VNIC_DONE_NO_SLOT,
	[FATE_CONTROL] = VNIC_DONE_NO_SLOT,
	[FATE_LOCAL] = VNIC_DONE_NO_SLOT,
	[FATE_OPTIONS] = VNIC_DONE_NO_SLOT,
	[FATE_REJECTED] = VNIC_DONE_FILTERED,
	[FATE_SCOPE] = VNIC_DONE_FILTERED,
	[FATE_TTL] = VNIC_DONE_TTL,
	[FATE_NO_ROUTE] = VNIC_DONE_NO_ROUTE,
	[FATE_UNRESOLVED] = VNIC_DONE_NO_SLOT,
	[FATE_OVERSIZE] = VNIC_DONE_OTHER,
	[FATE_TOO_BIG] = VNIC_DONE_OTHER,
};

/* Returns the reason to hand frame i back with. */
static unsigned
settle(struct pipeline *p, const struct batch *b, unsigned i)
{
	const struct vnic_frame *f = &b->frame[i];
	uint8_t fate = b->fate[i];
	struct punt_record r = {
		.fate = fate,
		.vnic = f->vnic,
		.len = f->len,
	};

	count(&p->count, fate, 1);
	if (fate < FATE_N_DROPS)
		return done_of_fate[fate];
	if (punt_put(&p->punt, &r, f->data))
		return VNIC_DONE_DELIVERED;
	count(&p->count, COUNT_SLOW_OVERFLOW, 1);
	return done_of_fate[fate];
}

/* Frames with the same reason go back in one call. */
void
pipeline_give_back(struct pipeline *p, const struct batch *b, uint64_t dead)
{
	struct vnic_frame out[BATCH_MAX];
	unsigned reason = 0;
	unsigned n = 0;

	while (dead) {
		unsigned i = batch_pop(&dead);
		unsigned why = settle(p, b, i);

		if (why != reason) {
			vnic_done(p->queue, out, n, reason);
			n = 0;
			reason = why;
		}
		out[n++] = b->frame[i];
	}
	vnic_done(p->queue, out, n, reason);
	if (p->slow_bell)
		bell_ring(p->slow_bell);
}

unsigned
pipeline_receive(struct pipeline *p, struct batch *b)
{
	unsigned n = receive(p, b);

	if (n > 0) {
		batch_begin(b, n);
		count(&p->count, COUNT_RX, n);
	}
	return n;
}

void
pipeline_transmit(
    struct pipeline *p, const struct tables *t, struct batch *b, uint64_t which)
{
	transmit(p, t, b, which);
}

void
pipeline_send(struct pipeline *p, const struct tables *t, const struct batch *b,
    uint64_t which, unsigned vnic)
{
	struct vnic_frame out[BATCH_MAX];
	unsigned n = 0;

	if (vnic >= p->n_vnics) { /* a script may ask for anything */
		pipeline_give_back(p, b, which);
		return;
	}
	while (which)
		out[n++] = b->frame[batch_pop(&which)];
	send_out(p, how_to_gather(p, t), vnic, out, n);
}

const char pipeline_step_names[] =
    "ether_in\ncheck_ip4\ncheck_ip6\nfilter\nlookup4\nlookup6\nttl4\n"
    "hop_limit6\nrewrite";

bool
pipeline_probed(const struct tables *t, struct batch *b)
{
	static bool (*const steps[])(const struct tables *,
	    struct batch *) = { ether_in, check_ip4, check_ip6, filter, lookup4,
		lookup6, ttl4, hop_limit6, rewrite };

	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		bool goes_on = steps[i](t, b);

		probe_step(b, i);
		if (!goes_on)
			return false;
	}
	return true;
}

/* pipeline_turn() for who wants to know. */
static __attribute__((noinline)) unsigned
turn_probed(struct pipeline *p, const struct tables *t)
{
	struct batch *b = &p->batch;
	uint64_t all;
	unsigned n;

	probe_begin(b->probe);
	n = pipeline_receive(p, b);
	if (n == 0)
		return 0;
	probe_mark(b->probe, PROBE_RX, n);
	b->probe->n = n;
	all = b->alive;
	if (pipeline_probed(t, b)) {
		transmit(p, t, b, b->alive);
		probe_mark(b->probe, PROBE_TX,
		    (unsigned)__builtin_popcountll(b->alive));
	}
	if (b->alive != all) {
		pipeline_give_back(p, b, all & ~b->alive);
		probe_mark(b->probe, PROBE_BACK,
		    (unsigned)__builtin_popcountll(all & ~b->alive));
	}
	return n;
}

unsigned
pipeline_turn(struct pipeline *p, const struct tables *t)
{
	struct batch *b = &p->batch;
	unsigned n;
	uint64_t all;
	bool any;

	if (unlikely(b->probe))
		return turn_probed(p, t);
	n = receive(p, b);
	STAGE(VNIC_RX, n);
	if (n == 0)
		return 0;
	batch_begin(b, n);
	all = b->alive;
	count(&p->count, COUNT_RX, n);
	any = ether_in(t, b);
	STAGE(ETHER_IN, n);
	any = any && check_ip4(t, b) && check_ip6(t, b) && filter(t, b);
	STAGE(CHECK_IP4, n);
	any = any && lookup4(t, b) && lookup6(t, b);
	STAGE(LOOKUP4, n);
	any = any && ttl4(t, b) && hop_limit6(t, b);
	STAGE(TTL4, n);
	any = any && rewrite(t, b);
	STAGE(REWRITE, n);
	if (any)
		transmit(p, t, b, b->alive);
	STAGE(VNIC_TX, n);
	if (b->alive != all)
		pipeline_give_back(p, b, all & ~b->alive);
	STAGE(GIVE_BACK, n);
	return n;
}

void
pipeline_run(struct path *path)
{
	struct batch *b = &path->batch;

	while (path_receive(path) > 0) {
		const struct tables *t = path->tables;

		if (ether_in(t, b) && check_ip4(t, b) && check_ip6(t, b) &&
		    filter(t, b) && lookup4(t, b) && lookup6(t, b) &&
		    ttl4(t, b) && hop_limit6(t, b) && rewrite(t, b))
			path_transmit(path);
		path_give_back(path);
	}
}
