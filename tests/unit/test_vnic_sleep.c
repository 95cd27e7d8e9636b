/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vnic_sleep: no sleep for what comes soon; a sleep that a packet comes in
 * between of, at the worst moment; and two threads, each of which sleeps whenever
 * it has nothing to do, that pass packets to and fro. A lost wake-up shows as a
 * sleep that only its time limit ends: there no side polls, so that every packet
 * needs two wake-ups.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { ROUNDS = 10000, LIMIT_MS = 1000, PATIENCE_MS = 10000 };

static struct rig rig;

static int
open_rig(void **state)
{
	(void)state;
	rig_open(&rig, 16, 4, 2, 16);
	return 0;
}

static int
close_rig(void **state)
{
	(void)state;
	rig_check(&rig);
	rig_close(&rig);
	return 0;
}

/*
 * When a side had rung for all that it has published; NOT_YET from before it
 * publishes something until it has.
 */
#define NOT_YET UINT64_MAX
static _Atomic(uint64_t) host_rang_ms, router_rang_ms;
static _Atomic(uint64_t) n_lost;

/*
 * A sleep that began at begin_ms ended by its time limit, and there is work. If
 * it was rung for before that, a wake-up was lost; not if it came only now.
 */
static void
count_if_lost(_Atomic(uint64_t) *rang_ms, uint64_t begin_ms)
{
	if (atomic_load(rang_ms) < begin_ms + LIMIT_MS)
		atomic_fetch_add(&n_lost, 1);
}

struct peer {
	unsigned burst;
	uint64_t n_done;
	bool gone;
};

static void *
router_thread(void *arg)
{
	struct peer *p = arg;
	struct vnic_frame f[VNIC_BURST];
	uint64_t begin = 0;
	int timed_out = 0;

	for (;;) {
		enum vnic_status status = vnic_poll(rig.q);
		unsigned n = 0;

		if (status == VNIC_FRESH)
			continue;
		if (status == VNIC_RUN)
			n = vnic_rx(rig.q, 0, f, p->burst);
		if (timed_out && (n > 0 || status == VNIC_GONE))
			count_if_lost(&host_rang_ms, begin);
		timed_out = 0;
		if (status == VNIC_GONE) {
			p->gone = true;
			return NULL;
		}
		if (n > 0) {
			atomic_store(&router_rang_ms, NOT_YET);
			vnic_tx(rig.q, p->n_done++ & 1, f, n);
			vnic_flush(rig.q);
			atomic_store(&router_rang_ms, loop_now_ms());
			continue;
		}
		begin = loop_now_ms();
		timed_out = vnic_wait_on(&rig.q, 1, NULL, 0, LIMIT_MS);
		assert_true(timed_out >= 0);
	}
}

/* One sleep of the host on the bell, as a worker does it. */
static void
host_sleep(int epoll)
{
	struct epoll_event ev;
	uint64_t begin = loop_now_ms();
	int n = 1;

	ledger_sleep_begin(rig.l);
	if (!ledger_has_work(rig.l, UINT32_MAX))
		n = epoll_wait(epoll, &ev, 1, LIMIT_MS);
	assert_true(n >= 0);
	if (n == 0 && ledger_has_work(rig.l, UINT32_MAX))
		count_if_lost(&router_rang_ms, begin);
	ledger_sleep_end(rig.l);
}

/* Fills n, and sleeps until all are back. */
static void
round_trip(int epoll, unsigned n)
{
	struct ledger_frame out[VNIC_BURST];

	atomic_store(&host_rang_ms, NOT_YET);
	for (unsigned i = 0; i < n; i++)
		rig_fill(&rig, 0, 60, (uint8_t)i);
	while (ledger_ring(rig.l, 0))
		;
	atomic_store(&host_rang_ms, loop_now_ms());
	while (ledger_filled(rig.l) > 0) {
		unsigned got = rig_take(&rig, 0, out) + rig_take(&rig, 1, out);

		assert_true(ledger_turn(rig.l));
		if (got == 0)
			host_sleep(epoll);
	}
}

static void
ping_pong(unsigned burst, unsigned rounds)
{
	struct peer p = { .burst = burst };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pthread_t thread;

	assert_int_equal(
	    epoll_ctl(epoll, EPOLL_CTL_ADD, rig.fds.bell[0], &ev), 0);
	atomic_store(&host_rang_ms, NOT_YET);
	atomic_store(&router_rang_ms, NOT_YET);
	atomic_store(&n_lost, 0);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(pthread_create(&thread, NULL, router_thread, &p), 0);
	rig.now_ns += 2000000;
	/* the acknowledgement kicks; the host has no asleep word here */
	while (!ledger_try_run(rig.l, rig.now_ns))
		assert_true(epoll_wait(epoll, &ev, 1, PATIENCE_MS) == 1);
	for (unsigned i = 0; i < rounds && atomic_load(&n_lost) == 0; i++)
		round_trip(epoll, 1 + i % burst);
	atomic_store(&host_rang_ms, NOT_YET);
	ledger_ask_stop(rig.l);
	assert_false(ledger_turn(rig.l));
	ledger_gone(rig.l);
	atomic_store(&host_rang_ms, loop_now_ms());
	pthread_join(thread, NULL);
	assert_true(p.gone);
	assert_int_equal(atomic_load(&n_lost), 0);
	close(epoll);
}

static void
no_wake_up_is_lost_one_by_one(void **state)
{
	(void)state;
	ping_pong(1, ROUNDS);
}

static void
no_wake_up_is_lost_in_bursts(void **state)
{
	(void)state;
	ping_pong(12, ROUNDS / 2);
}

/* The views of the router's region that the router may store into. */
struct views {
	void *at[4];
	size_t bytes[4];
	unsigned n;
};

static struct views views;

static void
find_views(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t from, to;
	unsigned long inode;
	struct stat st;
	char line[512];

	assert_non_null(maps);
	assert_int_equal(fstat(rig.fds.router, &st), 0);
	views.n = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " rw-s %*s %*s %lu",
			&from, &to, &inode) != 3 ||
		    inode != st.st_ino)
			continue;
		assert_true(views.n < ARRAY_SIZE(views.at));
		views.at[views.n] = (void *)from;
		views.bytes[views.n++] = to - from;
	}
	fclose(maps);
	assert_true(views.n > 0);
}

static void
protect_views(int prot)
{
	for (unsigned i = 0; i < views.n; i++)
		assert_int_equal(
		    mprotect(views.at[i], views.bytes[i], prot), 0);
}

/* The store that says "asleep": the host, which has not seen it, publishes. */
static void
publish_before_the_store(int sig)
{
	(void)sig;
	protect_views(PROT_READ | PROT_WRITE);
	rig_fill(&rig, 0, 60, 7);
	assert_false(ledger_ring(rig.l, 0));
}

static void
who_says_that_he_sleeps_looks_again(void **state)
{
	struct sigaction sa = { .sa_handler = publish_before_the_store }, old;
	struct vnic_frame f[VNIC_BURST];

	(void)state;
	rig_run(&rig);
	find_views();
	assert_int_equal(sigaction(SIGSEGV, &sa, &old), 0);
	protect_views(PROT_READ);
	/* 1 would be the end of the time */
	assert_int_equal(vnic_wait_on(&rig.q, 1, NULL, 0, LIMIT_MS), 0);
	assert_int_equal(sigaction(SIGSEGV, &old, NULL), 0);
	assert_int_equal(vnic_rx(rig.q, 0, f, VNIC_BURST), 1);
}

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

/* At the clock, which stands still meanwhile, until a packet comes; 0 = none. */
static unsigned looks_left;

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (looks_left == 0)
		return __real_clock_gettime(id, t);
	*t = (struct timespec){ .tv_sec = 1 };
	if (--looks_left == 0)
		rig_fill(&rig, 0, 60, 7);
	return 0;
}

static void
what_comes_soon_needs_no_sleep(void **state)
{
	const struct vnic_router_line *line;
	struct vnic_frame f[VNIC_BURST];
	uint32_t asleep;

	(void)state;
	rig_run(&rig);
	line = vnic_router_line(&rig.maps.l, rig.maps.router, 0);
	asleep = atomic_load_explicit(&line->asleep, memory_order_relaxed);
	looks_left = 2;
	assert_int_equal(vnic_wait(&rig.q, 1, LIMIT_MS), 0);
	assert_int_equal(looks_left, 0);
	assert_int_equal(
	    atomic_load_explicit(&line->asleep, memory_order_relaxed), asleep);
	assert_int_equal(vnic_rx(rig.q, 0, f, VNIC_BURST), 1);
	/* but it does sleep, and not for longer than it may */
	assert_int_equal(vnic_wait(&rig.q, 1, 1), 0);
	assert_true(
	    atomic_load_explicit(&line->asleep, memory_order_relaxed) > asleep);
	vnic_done(rig.q, f, 1, VNIC_DONE_DELIVERED);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG_TEST(what_comes_soon_needs_no_sleep),
		RIG_TEST(who_says_that_he_sleeps_looks_again),
		RIG_TEST(no_wake_up_is_lost_one_by_one),
		RIG_TEST(no_wake_up_is_lost_in_bursts),
	};

	return cmocka_run_group_tests_name("vnic_sleep", tests, NULL, NULL);
}
