/* SPDX-License-Identifier: Apache-2.0 */
/* stress: see stress.h. */
#include "tests/stress/stress.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { NUMBER_AT = 14, ORIGIN_AT = 22, BODY_AT = 24, OWN_PACKET = 0xffff };

#define MUST(x)                                                             \
	do {                                                                \
		if (!(x)) {                                                 \
			fprintf(                                            \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                            \
		}                                                           \
	} while (0)

static uint64_t random_state = 88172645463325252;

void
stress_seed(uint64_t seed)
{
	random_state = seed * 2654435761 + 88172645463325252;
}

uint64_t
stress_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

uint64_t
stress_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- TAP ----------------------------------------------------------------------- */

static unsigned n_checks, n_failed;

void
stress_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	n_failed += !ok;
	printf("%s %u - ", ok ? "ok" : "not ok", ++n_checks);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

int
stress_result(void)
{
	printf("1..%u\n", n_checks);
	return n_failed > 0;
}

/* --- processes ------------------------------------------------------------------- */

pid_t
stress_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1); /* it is dead already */
	}
	return pid;
}

void
stress_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	MUST(waitpid(pid, &status, 0) == pid);
	/* an exit of its own is a check that failed in there */
	MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- the set ----------------------------------------------------------------------- */

void
stress_open(struct stress_set *s)
{
	static const struct vnic_geometry g = {
		.n_queues = 2,
		.max_vnics = STRESS_VNICS,
		.max_slots = STRESS_SLOTS,
		.ring_log2 = 6,
		.stride = 5 * VNIC_LINE,
		.slot_bytes = 5 * VNIC_LINE,
		.headroom = VNIC_LINE,
	};

	*s = (struct stress_set){ .epoll = -1 };
	MUST(vnic_create(&g, &s->fds) == 0);
	MUST(vnic_layout_make(&s->maps.l, &g) == 0);
	s->account = mmap(NULL, sizeof(*s->account), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(s->account != MAP_FAILED);
	MUST(region_map(s->fds.host, s->maps.l.host_bytes, REGION_RW,
		 &s->maps.host) == 0);
}

void
stress_close(struct stress_set *s)
{
	region_unmap(s->maps.host, s->maps.l.host_bytes);
	munmap(s->account, sizeof(*s->account));
	vnic_fds_close(&s->fds);
}

void
stress_host_begin(struct stress_set *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	const struct vnic_layout *l = &s->maps.l;

	MUST(region_map(s->fds.router, l->router_bytes, REGION_RO,
		 &s->maps.router) == 0);
	MUST(region_map(s->fds.pool, l->pool_bytes, REGION_RW, &s->maps.pool) ==
	     0);
	MUST(ledger_new(&s->maps, 0, STRESS_SLOTS, &s->l) == 0);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	MUST(epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->fds.bell[0], &ev) == 0);
}

void
stress_host_end(struct stress_set *s)
{
	base_close(s->epoll);
	ledger_free(s->l);
	region_unmap(s->maps.router, s->maps.l.router_bytes);
	region_unmap(s->maps.pool, s->maps.l.pool_bytes);
}

/* --- packets -------------------------------------------------------------------------- */

static unsigned
length_of(uint64_t number)
{
	return BODY_AT + (unsigned)(number * 7 % (STRESS_MAX_LEN - BODY_AT));
}

static void
write_packet(uint8_t *p, uint64_t number, unsigned origin)
{
	unsigned len = length_of(number);

	memset(p, 0x11, NUMBER_AT);
	memcpy(p + NUMBER_AT, &number, sizeof(number));
	store_be16(p + ORIGIN_AT, (uint16_t)origin);
	for (unsigned i = BODY_AT; i < len; i++)
		p[i] = (uint8_t)(number * 31 + i);
}

/* Returns false if a byte is not as write_packet() made it. */
static bool
read_packet(const uint8_t *p, unsigned len, uint64_t *number, unsigned *origin)
{
	bool ok = true;

	if (len < BODY_AT)
		return false;
	memcpy(number, p + NUMBER_AT, sizeof(*number));
	*origin = load_be16(p + ORIGIN_AT);
	for (unsigned i = 0; i < NUMBER_AT; i++)
		ok = ok && p[i] == 0x11;
	for (unsigned i = BODY_AT; i < len; i++)
		ok = ok && p[i] == (uint8_t)(*number * 31 + i);
	return ok && len == length_of(*number);
}

static void
turn_bits(uint8_t *p, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		p[i] = (uint8_t)~p[i];
}

/* --- host ------------------------------------------------------------------------------- */

static void
check_frame(struct stress_set *s, const struct ledger_frame *f)
{
	struct stress_account *a = s->account;
	uint8_t copy[5 * VNIC_LINE];
	uint64_t number;
	unsigned origin;

	MUST(f->len <= sizeof(copy));
	memcpy(copy, f->bytes, f->len);
	turn_bits(copy, f->len);
	if (!read_packet(copy, f->len, &number, &origin)) {
		vnic_count_add(&a->altered, 1);
	} else if (origin == OWN_PACKET) {
		vnic_count_add(&a->originated, 1);
	} else if (origin >= STRESS_VNICS || f->vnic != (origin ^ 1) ||
		   number <= vnic_count(&a->last[origin])) {
		vnic_count_add(&a->reordered, 1);
	} else {
		vnic_count_add(&a->received, 1);
		vnic_count_add(
		    &a->last[origin], number - vnic_count(&a->last[origin]));
	}
}

static unsigned
take_all(struct stress_set *s)
{
	struct ledger_frame f[VNIC_BURST];
	unsigned n_all = 0;

	for (unsigned v = 0; v < STRESS_VNICS; v++) {
		unsigned n_taken;
		unsigned n = ledger_take(s->l, v, f, VNIC_BURST, &n_taken);

		MUST(n <= n_taken && n_taken <= VNIC_BURST);
		for (unsigned i = 0; i < n; i++)
			check_frame(s, &f[i]);
		vnic_count_add(&ledger_counters(s->l, v)->sent, n);
		ledger_release(s->l, f, n);
		n_all += n_taken;
	}
	return n_all;
}

static unsigned
fill(struct stress_set *s, unsigned burst)
{
	unsigned v = stress_random() & 1;
	unsigned room = MIN(ledger_room(s->l), (unsigned)VNIC_BURST);
	unsigned n = MIN(room, burst);
	uint32_t slots[VNIC_BURST];
	uint16_t lens[VNIC_BURST];

	ledger_claim(s->l, v, slots, n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t number = vnic_count(&s->account->numbered) + 1;

		vnic_count_add(&s->account->numbered, 1);
		lens[i] = (uint16_t)length_of(number);
		write_packet(ledger_buffer(s->l, slots[i]), number, v);
	}
	ledger_publish(s->l, v, slots, lens, n);
	return n;
}

unsigned
stress_host_turn(struct stress_set *s, uint64_t now_ns, unsigned burst)
{
	unsigned n;

	switch (ledger_phase(s->l)) {
	case LEDGER_STOPPED:
		ledger_reset(s->l, now_ns);
		return 1;
	case LEDGER_WAITING:
		if (!ledger_try_run(s->l, now_ns))
			return 0;
		vnic_count_add(&s->account->epochs, 1);
		return 1;
	case LEDGER_GONE:
		return 0;
	case LEDGER_RUN:
		break;
	}
	if (!ledger_turn(s->l))
		return 1;
	n = take_all(s);
	ledger_grant(s->l);
	n += fill(s, burst);
	return n + ledger_ring(s->l, now_ns);
}

void
stress_host_sleep(struct stress_set *s, unsigned limit_ms)
{
	struct epoll_event ev;
	uint64_t begin = loop_now_ms();

	if (ledger_phase(s->l) != LEDGER_RUN) {
		/* a change of r kicks without a look; holds end by time */
		MUST(epoll_wait(s->epoll, &ev, 1, 1) >= 0);
		return;
	}
	ledger_sleep_begin(s->l);
	if (!ledger_has_work(s->l, UINT32_MAX)) {
		MUST(epoll_wait(s->epoll, &ev, 1, (int)limit_ms) >= 0);
		vnic_count_add(&s->account->sleeps, 1);
	}
	ledger_sleep_end(s->l);
	if (loop_now_ms() - begin >= limit_ms)
		vnic_count_add(&s->account->late, 1);
}

/* --- router ------------------------------------------------------------------------------- */

static unsigned
forward(struct stress_set *s, struct vnic_queue *q, unsigned v)
{
	struct vnic_frame f[VNIC_BURST], *out = f;
	unsigned n = vnic_rx(q, v, f, 1 + stress_random() % VNIC_BURST);

	for (unsigned i = 0; i < n; i++) {
		uint64_t number;
		unsigned origin;

		if (!read_packet(f[i].data, f[i].len, &number, &origin) ||
		    origin != v)
			vnic_count_add(&s->account->altered, 1);
		turn_bits(f[i].data, f[i].len);
	}
	if (n > 1 && stress_random() % 8 == 0) {
		vnic_done(q, out++, 1, VNIC_DONE_FILTERED);
		vnic_tx(q, v ^ 1, out, n - 1);
	} else {
		vnic_tx(q, v ^ 1, f, n);
	}
	return n;
}

static void
originate(struct vnic_queue *q)
{
	struct vnic_frame f[4];
	unsigned n = vnic_grant(q, f, ARRAY_SIZE(f));

	for (unsigned i = 0; i < n; i++) {
		uint64_t number = stress_random();

		if (i == 3) {
			vnic_done(q, &f[i], 1, VNIC_DONE_UNUSED);
			continue;
		}
		write_packet(f[i].data, number, OWN_PACKET);
		f[i].len = (uint16_t)length_of(number);
		turn_bits(f[i].data, f[i].len);
		vnic_tx(q, i & 1, &f[i], 1);
	}
}

void
stress_router(struct stress_set *s)
{
	struct vnic_queue *q;
	struct vnic *v;

	MUST(vnic_attach(&s->fds, &v) == 0);
	MUST(vnic_queue_open(v, 0, &q) == 0);
	for (;;) {
		enum vnic_status status = vnic_poll(q);
		unsigned n = 0;

		MUST(status != VNIC_GONE);
		if (status == VNIC_FRESH)
			continue;
		if (status == VNIC_RUN) {
			n = forward(s, q, 0) + forward(s, q, 1);
			if (stress_random() % 64 == 0)
				originate(q);
			vnic_flush(q);
		}
		if (n == 0)
			MUST(vnic_wait_on(&q, 1, NULL, 0, 1000) >= 0);
	}
}

/* --- numbers --------------------------------------------------------------------------------- */

uint64_t
stress_faults(const struct stress_set *s)
{
	uint64_t n = 0;

	for (unsigned v = 0; v < STRESS_VNICS; v++)
		for (unsigned k = 0; k < VNIC_N_FAULT; k++)
			n += vnic_count(
			    &vnic_counters(&s->maps.l, s->maps.host, 0, v)
				 ->fault[k]);
	return n;
}

void
stress_slots(const struct stress_set *s, uint64_t *filled, uint64_t *back,
    uint64_t *in_doubt)
{
	*filled = *back = *in_doubt = 0;
	for (unsigned v = 0; v < STRESS_VNICS; v++) {
		struct vnic_counters *c =
		    vnic_counters(&s->maps.l, s->maps.host, 0, v);

		*filled += vnic_count(&c->filled);
		*back += vnic_count(&c->back);
		*in_doubt += vnic_count(&c->in_doubt);
	}
}
