/* SPDX-License-Identifier: Apache-2.0 */
/*
 * costs: what the single steps cost that a packet's way is made of (Europa
 * paper, tables 1 and 2): copies into and out of a pool, system calls, wake-ups.
 *
 *	costs copies CORE              ns for a frame of each size
 *	costs calls CORE               ns for a call
 *	costs wakes CORE OTHER_CORE    ns from the wake-up to the first instruction
 *
 * Prints lines of NAME SIZE NS for copies, NAME NS for calls, and NAME P50 P99
 * for wake-ups. Copies are those of the data plane (rte_memcpy, exact sizes),
 * between 1024 slots at the stride of a router's pool and as many buffers of
 * 2176 bytes, as mbufs are; "cold" has them in an order that no cache foresees.
 */
#include "lib/vnic_layout.h"
#include "tests/bench/bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <rte_memcpy.h>

enum {
	N_SLOTS = 1024,
	MBUF_STRIDE = 2176,
	HOT_SLOTS = 64, /* a last-in first-out free list under light load */
	ROUNDS = 2000000,
	CALLS = 500000,
	WAKES = 4000,
	SETTLE_NS = 50000, /* by then a waiter sleeps */
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "costs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
pin(const char *core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(strtoul(core, NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die(core);
}

/* --- copies ----------------------------------------------------------------------- */

static uint8_t *
map(size_t bytes, int fd)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, bytes);
	return p;
}

struct side {
	uint8_t *at;
	size_t stride;
};

/* ns of one copy of bytes; each odd step visits every one of n slots. */
static double
time_copies(
    struct side to, struct side from, unsigned bytes, unsigned n, unsigned step)
{
	uint64_t start = bench_now_ns();
	unsigned i = 0;

	for (unsigned k = 0; k < ROUNDS; k++) {
		rte_memcpy(
		    to.at + i * to.stride, from.at + i * from.stride, bytes);
		i = (i + step) & (n - 1);
	}
	return (double)(bench_now_ns() - start) / ROUNDS;
}

static void
copies(void)
{
	static const unsigned sizes[] = { 64, 128, 256, 512, 1024, 1500 };
	struct vnic_geometry g;
	struct side pool, mbufs;
	int fd = memfd_create("costs", 0);

	vnic_geometry_for(&g, 1, 2, N_SLOTS, 1500);
	pool.stride = g.stride;
	mbufs.stride = MBUF_STRIDE;
	if (fd < 0 || ftruncate(fd, (off_t)(N_SLOTS * pool.stride)) < 0)
		die("memfd");
	pool.at = map(N_SLOTS * pool.stride, fd);
	mbufs.at = map(N_SLOTS * mbufs.stride, -1);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned n = sizes[i];

		printf("copy_in_hot %u %.2f\n", n,
		    time_copies(pool, mbufs, n, HOT_SLOTS, 1));
		printf("copy_out_hot %u %.2f\n", n,
		    time_copies(mbufs, pool, n, HOT_SLOTS, 1));
		printf("copy_in_cold %u %.2f\n", n,
		    time_copies(pool, mbufs, n, N_SLOTS, 389));
		printf("copy_out_cold %u %.2f\n", n,
		    time_copies(mbufs, pool, n, N_SLOTS, 389));
	}
}

/* --- system calls ----------------------------------------------------------------- */

struct call_arg {
	_Atomic(uint32_t) word;
	int bell;
};

static void
call_getppid(struct call_arg *a)
{
	(void)a;
	syscall(SYS_getppid);
}

static void
call_clock(struct call_arg *a)
{
	struct timespec t;

	(void)a;
	clock_gettime(CLOCK_MONOTONIC, &t);
}

static void
call_futex_wake(struct call_arg *a)
{
	syscall(SYS_futex, &a->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void
call_bell(struct call_arg *a)
{
	uint64_t one = 1;

	if (write(a->bell, &one, sizeof(one)) < 0)
		die("eventfd");
}

static void
calls(void)
{
	static const struct {
		const char *name;
		void (*call)(struct call_arg *a);
	} list[] = {
		{ "getppid", call_getppid },
		{ "clock_gettime (no system call)", call_clock },
		{ "futex wake, nobody waits", call_futex_wake },
		{ "eventfd write, nobody waits", call_bell },
	};
	struct call_arg a = { .bell = eventfd(0, EFD_NONBLOCK) };

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		uint64_t start = bench_now_ns();

		for (unsigned k = 0; k < CALLS; k++)
			list[i].call(&a);
		printf("%s\t%.1f\n", list[i].name,
		    (double)(bench_now_ns() - start) / CALLS);
	}
}

/* --- wake-ups ---------------------------------------------------------------------- */

struct pair {
	const char *core;
	bool futex;
	int bell, epoll;
	_Atomic(uint32_t) word;
	_Atomic(uint64_t) woken_ns; /* 0: not yet */
	_Atomic(bool) over;
};

static void
wait_once(struct pair *p, uint32_t seen)
{
	struct epoll_event ev;
	uint64_t n;

	if (p->futex) {
		syscall(SYS_futex, &p->word, FUTEX_WAIT, seen, NULL, NULL, 0);
		return;
	}
	if (epoll_wait(p->epoll, &ev, 1, -1) == 1 &&
	    read(p->bell, &n, sizeof(n)) < 0)
		return; /* the edge was old */
}

static void *
sleeper(void *arg)
{
	struct pair *p = arg;
	uint32_t seen = 0;

	pin(p->core);
	while (!atomic_load_explicit(&p->over, memory_order_acquire)) {
		wait_once(p, seen);
		/* pairs with the store in wake() */
		if (seen ==
		    atomic_load_explicit(&p->word, memory_order_acquire))
			continue;
		seen++;
		/* pairs with the load in wake_once() */
		atomic_store_explicit(
		    &p->woken_ns, bench_now_ns(), memory_order_release);
	}
	return NULL;
}

static void
wake(struct pair *p)
{
	uint64_t one = 1;

	atomic_fetch_add_explicit(&p->word, 1, memory_order_release);
	if (p->futex)
		syscall(
		    SYS_futex, &p->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	else if (write(p->bell, &one, sizeof(one)) < 0)
		die("eventfd");
}

static uint64_t
wake_once(struct pair *p)
{
	uint64_t start = bench_now_ns(), woken;

	while (bench_now_ns() - start < SETTLE_NS)
		continue;
	/* relaxed: wake() releases it */
	atomic_store_explicit(&p->woken_ns, 0, memory_order_relaxed);
	start = bench_now_ns();
	wake(p);
	do
		woken =
		    atomic_load_explicit(&p->woken_ns, memory_order_acquire);
	while (woken == 0);
	return woken > start ? woken - start : 0;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
time_wakes(const char *name, bool futex, const char *core)
{
	static uint64_t ns[WAKES];
	struct pair p = { .core = core, .futex = futex };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	pthread_t thread;

	p.bell = eventfd(0, EFD_NONBLOCK);
	p.epoll = epoll_create1(0);
	if (p.bell < 0 || p.epoll < 0 ||
	    epoll_ctl(p.epoll, EPOLL_CTL_ADD, p.bell, &ev) < 0 ||
	    pthread_create(&thread, NULL, sleeper, &p) != 0)
		die(name);
	for (unsigned i = 0; i < WAKES; i++)
		ns[i] = wake_once(&p);
	atomic_store_explicit(&p.over, true, memory_order_release);
	wake(&p);
	pthread_join(thread, NULL);
	qsort(ns, WAKES, sizeof(*ns), compare);
	printf("%s\t%llu\t%llu\n", name, (unsigned long long)ns[WAKES / 2],
	    (unsigned long long)ns[WAKES - WAKES / 100]);
	close(p.bell);
	close(p.epoll);
}

int
main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: costs copies|calls CORE | costs wakes CORE "
		      "OTHER_CORE\n",
		    stderr);
		return 2;
	}
	pin(argv[2]);
	if (strcmp(argv[1], "copies") == 0)
		copies();
	else if (strcmp(argv[1], "calls") == 0)
		calls();
	else if (argc == 4) {
		time_wakes("futex", true, argv[3]);
		time_wakes("eventfd", false, argv[3]);
	}
	return 0;
}
