/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_hostile [seconds]: a host process that serves two routers. One is at
 * times a process that does to its memory and descriptors all that a tenant can
 * do, and at times an honest one; the other is always honest. The host must
 * live, count faults, quarantine, give the first one's honest successor a clean
 * epoch, and the neighbour must notice nothing.
 *
 * The ledger's clock runs 1000 times as fast, so that quarantines are short.
 */
#include "tests/stress/stress.h"

#include "lib/base.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { SPEED = 1000 };

/* --- the tenant at its worst ------------------------------------------------------ */

struct tenant {
	const struct stress_set *s;
	uint8_t *router;
	uint8_t *pool;
	uint8_t *host; /* read-only */
	uint64_t pos[STRESS_VNICS];
};

/* A descriptor that could be good, with one thing wrong at times. */
static uint64_t
plausible(void)
{
	uint64_t x = stress_random();
	uint32_t slot = (uint32_t)(x % STRESS_SLOTS);
	uint32_t kind = (x >> 8) % 4 ? VNIC_KIND_PACKET : VNIC_KIND_DONE;
	uint32_t len = 0;
	uint32_t off = 64;

	if (kind == VNIC_KIND_PACKET)
		len = 14 + (uint32_t)(x >> 16) % 250;
	switch ((x >> 32) % 10) {
	case 0:
		slot = (uint32_t)(x >> 40) & 0xfffff;
		break;
	case 1:
		len = (uint32_t)(x >> 40) & 0xffff;
		break;
	case 2:
		off = (uint32_t)(x >> 40) & 0xfff;
		break;
	case 3:
		kind = (uint32_t)(x >> 40) & 0xf;
		break;
	case 4:
		off = 4095;
		len = 65536 - 4095 + (uint32_t)((x >> 40) % 64);
		break;
	default:
		break;
	}
	return vnic_desc(slot, off, len & 0xffff, kind, 0);
}

static void
store_descriptors(struct tenant *t)
{
	const struct vnic_layout *l = &t->s->maps.l;
	unsigned v = stress_random() & 1;
	vnic_desc_t *ring = vnic_tx_ring(l, t->router, 0, v);
	unsigned n = (unsigned)(stress_random() % 40);

	for (unsigned i = 0; i < n; i++) {
		uint64_t pos = t->pos[v]++;
		uint64_t d = plausible() | vnic_turn(pos, l->g.ring_log2);

		if (stress_random() % 32 == 0)
			d = stress_random(); /* any turn, any bits */
		atomic_store_explicit(
		    &ring[pos % STRESS_SLOTS], d, memory_order_release);
		if (stress_random() % 64 == 0)
			t->pos[v] = stress_random(); /* far ahead */
	}
}

static void
flip_words(struct tenant *t)
{
	const struct vnic_layout *l = &t->s->maps.l;
	struct vnic_router_line *line = vnic_router_line(l, t->router, 0);
	uint32_t h = vnic_epoch_load(&vnic_host_line(l, t->host, 0)->h);

	switch (stress_random() % 6) {
	case 0:
		vnic_epoch_store(&line->r, (uint32_t)stress_random());
		break;
	case 1:
		vnic_epoch_store(&line->r, 0);
		break;
	case 2:
		atomic_store_explicit(&line->asleep, (uint32_t)stress_random(),
		    memory_order_relaxed);
		break;
	default: /* so that epochs do begin */
		if (vnic_epoch_load(&line->r) != vnic_h_epoch(h)) {
			memset(t->pos, 0, sizeof(t->pos));
			vnic_epoch_store(&line->r, vnic_h_epoch(h));
		}
		break;
	}
}

static void
scribble(struct tenant *t)
{
	const struct vnic_layout *l = &t->s->maps.l;

	for (unsigned i = 0; i < 64; i++) {
		uint64_t x = stress_random();
		bool pool = x & 1;
		size_t n = pool ? l->pool_bytes : l->router_bytes;
		_Atomic(uint64_t) *at =
		    (_Atomic(uint64_t) *)(void *)((pool ? t->pool : t->router) +
						  (x >> 1) % n / 8 * 8);

		atomic_store_explicit(
		    at, stress_random(), memory_order_relaxed);
	}
}

static void
punch(struct tenant *t)
{
	const struct vnic_layout *l = &t->s->maps.l;
	bool pool = stress_random() & 1;
	size_t n = pool ? l->pool_bytes : l->router_bytes;
	off_t at = (off_t)(stress_random() % n / 4096 * 4096);
	int fd = pool ? t->s->fds.pool : t->s->fds.router;

	if (stress_random() & 1)
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
		    stress_random() % 16384 + 1);
	else
		madvise((pool ? t->pool : t->router) + at, 4096, MADV_REMOVE);
	/* and what the seals forbid */
	if (ftruncate(fd, 0) == 0 || ftruncate(fd, 1 << 30) == 0)
		_exit(1);
}

static void
abuse_bell(struct tenant *t)
{
	int fd = t->s->fds.bell[0];
	eventfd_t n;

	switch (stress_random() % 4) {
	case 0: /* the open file description is shared with the host */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) ^ O_NONBLOCK);
		break;
	case 1:
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		eventfd_write(fd, UINT64_MAX - 1); /* full */
		break;
	case 2:
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		eventfd_read(fd, &n);
		break;
	default:
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		for (unsigned i = 0; i < 50; i++)
			eventfd_write(fd, 1);
		break;
	}
}

static void __attribute__((noreturn)) hostile_main(const struct stress_set *s)
{
	const struct vnic_layout *l = &s->maps.l;
	struct tenant t = { .s = s };
	void *m[3];

	if (region_map(s->fds.router, l->router_bytes, REGION_RW, &m[0]) ||
	    region_map(s->fds.pool, l->pool_bytes, REGION_RW, &m[1]) ||
	    region_map(s->fds.host, l->host_bytes, REGION_RO, &m[2]))
		_exit(1);
	t.router = m[0];
	t.pool = m[1];
	t.host = m[2];
	for (;;) {
		switch (stress_random() % 40) {
		case 0:
			punch(&t);
			break;
		case 1:
			abuse_bell(&t);
			break;
		case 2:
			scribble(&t);
			break;
		case 3:
		case 4:
		case 5:
			flip_words(&t);
			break;
		default:
			store_descriptors(&t);
			break;
		}
		/* dies midway, now and then of its own will */
		if (stress_random() % 100000 == 0)
			raise(SIGKILL);
	}
}

/* --- the host ------------------------------------------------------------------------ */

static pid_t
start(struct stress_set *s, bool honest)
{
	pid_t pid;

	stress_seed(stress_random());
	pid = stress_fork();
	if (pid == 0) {
		if (honest)
			stress_router(s);
		hostile_main(s);
	}
	return pid;
}

/* Serves both until the end, or until the first has received n more packets. */
static bool
serve(struct stress_set *first, struct stress_set *second, uint64_t ms,
    uint64_t n)
{
	uint64_t begin = stress_now_ns();
	uint64_t want = vnic_count(&first->account->received) + n;

	while (stress_now_ns() - begin < ms * 1000000) {
		unsigned idle = 0;

		if (vnic_count(&first->account->received) >= want)
			return true;
		idle += !stress_host_turn(first, stress_now_ns() * SPEED, 8);
		idle += !stress_host_turn(second, stress_now_ns() * SPEED, 8);
		if (idle == 2)
			stress_host_sleep(second, 1);
	}
	return false;
}

/* The account of one queue at any time: what came back is somewhere. */
static bool
balances(const struct stress_set *s)
{
	uint64_t filled, back, in_doubt, in = 0, out = 0;

	stress_slots(s, &filled, &back, &in_doubt);
	for (unsigned v = 0; v < STRESS_VNICS; v++) {
		struct vnic_counters *c = ledger_counters(s->l, v);

		in += vnic_count(&c->back) + vnic_count(&c->originated);
		out += vnic_count(&c->sent) +
		       vnic_count(&c->fault[VNIC_FAULT_BAD_LEN]) +
		       vnic_count(&c->fault[VNIC_FAULT_BAD_KIND]);
		for (unsigned i = 0; i < VNIC_N_DONE; i++)
			out += vnic_count(&c->done[i]);
	}
	return in == out && filled == back + in_doubt + ledger_filled(s->l) &&
	       ledger_filled(s->l) + ledger_granted(s->l) <= STRESS_SLOTS;
}

struct totals {
	unsigned n_rounds, n_hostile_epochs;
	unsigned n_unbalanced, n_no_flow, n_blamed;
};

/*
 * An epoch that the liar acknowledged may run, or begin after its death, and
 * bring more faults. They are not its successor's: nothing runs before that one
 * has acknowledged an epoch itself.
 */
static void
end_epoch_of_the_dead(struct stress_set *bad, struct stress_set *good)
{
	const struct vnic_layout *l = &bad->maps.l;
	void *router;

	if (region_map(bad->fds.router, l->router_bytes, REGION_RW, &router))
		abort();
	vnic_epoch_store(&vnic_router_line(l, router, 0)->r, 0);
	region_unmap(router, l->router_bytes);
	do
		serve(bad, good, 1, UINT64_MAX / 2);
	while (ledger_phase(bad->l) != LEDGER_WAITING);
}

/* A hostile router for a while, and an honest one behind it. */
static void
round_of(struct stress_set *bad, struct stress_set *good, struct totals *t)
{
	uint64_t epochs = vnic_count(&bad->account->epochs);
	uint64_t faults;
	pid_t pid = start(bad, false);

	serve(bad, good, 20 + stress_random() % 30, UINT64_MAX / 2);
	t->n_hostile_epochs += vnic_count(&bad->account->epochs) != epochs;
	t->n_unbalanced += !balances(bad);
	stress_kill(pid);
	/* the numbers that a liar made up are no measure for its successor */
	for (unsigned v = 0; v < STRESS_VNICS; v++)
		atomic_store_explicit(
		    &bad->account->last[v], 0, memory_order_relaxed);
	end_epoch_of_the_dead(bad, good);
	faults = stress_faults(bad);
	pid = start(bad, true);
	t->n_no_flow += !serve(bad, good, 10000, 500);
	t->n_blamed += stress_faults(bad) != faults;
	t->n_unbalanced += !balances(bad) || !balances(good);
	stress_kill(pid);
	t->n_rounds++;
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	uint64_t end = stress_now_ns() + (uint64_t)(seconds * 1e9);
	struct stress_set bad, good;
	struct vnic_beat_line *beat;
	struct totals t = { 0 };
	struct stress_account *a;
	pid_t neighbour;

	stress_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : stress_now_ns());
	stress_open(&bad);
	stress_open(&good);
	a = good.account;
	stress_host_begin(&bad);
	stress_host_begin(&good);
	neighbour = start(&good, true);
	beat = vnic_host_beat(&bad.maps.l, bad.maps.host, 0);
	/* longer where a machine is too slow for a liar to reach 64 lies */
	while (stress_now_ns() < end ||
	       (vnic_count(&beat->quarantines) == 0 &&
		   stress_now_ns() < end + UINT64_C(30000000000)))
		round_of(&bad, &good, &t);
	printf("# rounds %u, hostile epochs %u, faults %lu, quarantines %lu, "
	       "resets %lu; neighbour: packets %lu\n",
	    t.n_rounds, t.n_hostile_epochs, stress_faults(&bad),
	    vnic_count(&beat->quarantines), vnic_count(&beat->resets),
	    vnic_count(&a->received));
	stress_ok(t.n_rounds > 0 && t.n_hostile_epochs > 0, "the host lives");
	stress_ok(stress_faults(&bad) >= LEDGER_MAX_FAULTS &&
		      vnic_count(&beat->quarantines) > 0,
	    "faults are counted and end in quarantine");
	stress_ok(t.n_unbalanced == 0, "the accounts balance");
	stress_ok(t.n_no_flow == 0, "an honest successor is served");
	stress_ok(t.n_blamed == 0, "and is not blamed");
	stress_ok(vnic_count(&a->epochs) == 1 && vnic_count(&a->received) > 0,
	    "the neighbour runs on in one epoch");
	stress_ok(vnic_count(&a->altered) + vnic_count(&a->reordered) == 0 &&
		      stress_faults(&good) == 0,
	    "nothing of the neighbour is altered, and it is not blamed");
	stress_kill(neighbour);
	stress_host_end(&bad);
	stress_host_end(&good);
	stress_close(&bad);
	stress_close(&good);
	return stress_result();
}
