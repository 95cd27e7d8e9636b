/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile: a data plane that wants to harm its host, for tests/system/hostile.bats.
 * It runs in a container as any tenant's program does, without the library: it
 * writes the shared words itself, and wrongly.
 *
 *	hostile MODE
 *
 *	random  descriptors of random bits, in the right turn
 *	twice   each slot handed back again and again
 *	turns   descriptors of any turn anywhere in the rings
 *	length  slots it holds, with lengths, offsets and kinds that do not fit
 *	epoch   acknowledges, and takes it back, as fast as it can
 *	kick    rings the bell without a word, and leaves a ring that nobody serves full
 *	wake    says asleep, awake, asleep; many threads wait to be woken
 *	holes   punches holes into everything that it holds
 *	die     takes packets, and dies with them
 *	agent   plays init to europad: floods, hangs, junk, endless descriptors
 *
 * Most modes never end. What a mode may not do (a system call that is refused)
 * it reports on standard error.
 */
#include "lib/base.h"
#include "lib/vnic_layout.h"
#include "lib/vnic_ring.h"
#include "lib/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { N_WAITERS = 40, N_SAME = 128, HELD = 64, FDS_AT_ONCE = 200 };

struct queue {
	struct vnic_host_line *host;
	struct vnic_router_line *router;
	uint32_t acked;
	uint64_t rx_pos[VNIC_MAX_VNICS + 1];
	uint64_t tx_pos[VNIC_MAX_VNICS];
};

static struct vnic_layout layout;
static struct vnic_fds fds;
static void *host, *router, *pool;
static struct queue queues[VNIC_MAX_QUEUES];

/* --- its place in the world ---------------------------------------------------- */

static uint64_t
dice(void)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void
read_env(void)
{
	const char *s = getenv("EUROPA_VNIC_FDS");
	int *const fixed[] = { &fds.host, &fds.router, &fds.pool };
	char *end;

	vnic_fds_init(&fds);
	for (unsigned i = 0; s && *s && i < 3 + VNIC_MAX_QUEUES; i++) {
		int fd = (int)strtol(s, &end, 10);

		if (i < 3)
			*fixed[i] = fd;
		else
			fds.bell[fds.n_bells++] = fd;
		s = *end == ',' ? end + 1 : end;
	}
}

static void
attach(void)
{
	void *hdr;

	read_env();
	hdr = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fds.host, 0);
	if (hdr == MAP_FAILED || vnic_layout_from_hdr(&layout, hdr) < 0) {
		fprintf(stderr, "hostile: no memory to attack\n");
		exit(1);
	}
	host =
	    mmap(NULL, layout.host_bytes, PROT_READ, MAP_SHARED, fds.host, 0);
	router = mmap(NULL, layout.router_bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fds.router, 0);
	pool = mmap(NULL, layout.pool_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fds.pool, 0);
	for (unsigned q = 0; q < layout.g.n_queues; q++) {
		queues[q].host = vnic_host_line(&layout, host, q);
		queues[q].router = vnic_router_line(&layout, router, q);
	}
}

static void
kick(unsigned q)
{
	uint64_t one = 1, count;

	if (write(fds.bell[q], &one, sizeof(one)) < 0 &&
	    read(fds.bell[q], &count, sizeof(count)) < 0)
		return;
}

/* The epochs as they are meant to be. Returns true in RUN. */
static bool
serve_epoch(unsigned q)
{
	struct queue *x = &queues[q];
	uint32_t h = vnic_epoch_load(&x->host->h), e = vnic_h_epoch(h);

	if (vnic_h_state(h) == VNIC_STATE_RUN && e == x->acked)
		return true;
	if (vnic_h_state(h) == VNIC_STATE_RUN) {
		vnic_epoch_store(&x->router->r, 0);
		kick(q);
	} else if (vnic_h_state(h) == VNIC_STATE_WAIT && e != x->acked) {
		for (unsigned v = 0; v < layout.g.max_vnics; v++)
			vnic_ring_blank(vnic_tx_ring(&layout, router, q, v),
			    layout.g.ring_log2);
		memset(x->rx_pos, 0, sizeof(x->rx_pos));
		memset(x->tx_pos, 0, sizeof(x->tx_pos));
		x->acked = e;
		vnic_epoch_store(&x->router->r, e);
		kick(q);
	}
	return false;
}

static void
put(unsigned q, unsigned v, const uint64_t *d, unsigned n)
{
	vnic_put(vnic_tx_ring(&layout, router, q, v), layout.g.ring_log2,
	    &queues[q].tx_pos[v], d, n);
	kick(q);
}

/* Takes what the host has filled or granted, as whole descriptors. */
static unsigned
take(unsigned q, uint64_t *d, unsigned max)
{
	unsigned n = 0;

	for (unsigned v = 0; v <= layout.g.max_vnics && n < max; v++)
		n += vnic_take(vnic_rx_ring(&layout, host, q, v),
		    layout.g.ring_log2, &queues[q].rx_pos[v], d + n, max - n);
	return n;
}

/* --- attacks on a queue that runs ------------------------------------------------ */

static void
attack_random(unsigned q)
{
	uint64_t d[VNIC_BURST];

	for (unsigned i = 0; i < VNIC_BURST; i++) {
		d[i] = dice() & ((UINT64_C(1) << VNIC_DESC_TURN_SHIFT) - 1);
		if (i % 2) /* a slot that there is: one in a thousand else */
			d[i] = (d[i] & ~UINT64_C(0xfffff)) |
			       vnic_desc_slot(d[i]) % layout.g.max_slots;
	}
	put(q, (unsigned)(dice() % layout.g.max_vnics), d, VNIC_BURST);
}

/* In one burst: a slot of an earlier one may be the router's again. */
static void
attack_twice(unsigned q)
{
	uint64_t d[4], same[VNIC_BURST];
	unsigned n = take(q, d, 4); /* more would overrun the ring */

	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < VNIC_BURST; k++)
			same[k] = vnic_desc(
			    vnic_desc_slot(d[i]), 0, 0, VNIC_KIND_DONE, 0);
		put(q, 0, same, VNIC_BURST);
	}
}

static void
attack_turns(unsigned q)
{
	vnic_desc_t *ring = vnic_tx_ring(
	    &layout, router, q, (unsigned)(dice() % layout.g.max_vnics));
	uint64_t mask = (UINT64_C(1) << layout.g.ring_log2) - 1;

	for (unsigned i = 0; i < 1024; i++)
		atomic_store_explicit(
		    &ring[dice() & mask], dice(), memory_order_relaxed);
	kick(q);
}

static void
attack_length(unsigned q)
{
	uint64_t d[HELD];
	unsigned n = take(q, d, HELD);

	for (unsigned i = 0; i < n; i++)
		d[i] = vnic_desc(vnic_desc_slot(d[i]), (uint32_t)dice() & 0xfff,
		    (uint32_t)dice() & 0xffff,
		    i % 4 ? VNIC_KIND_PACKET : (uint32_t)dice() & 0xf,
		    i % 8 ? 0 : (uint32_t)dice() & 0xff);
	put(q, 0, d, n);
}

static void
attack_epoch(unsigned q)
{
	vnic_epoch_store(&queues[q].router->r, 0);
	kick(q);
	vnic_epoch_store(&queues[q].router->r, queues[q].acked);
	queues[q].acked = 0;
}

/* One descriptor in the last ring, which belongs to no vNIC; then bells. */
static void
attack_kick(unsigned q)
{
	const uint64_t d = vnic_desc(0, 0, 0, VNIC_KIND_DONE, 0);

	if (queues[q].tx_pos[layout.g.max_vnics - 1] == 0)
		put(q, layout.g.max_vnics - 1, &d, 1);
	for (unsigned i = 0; i < 10000; i++)
		kick(q);
}

static void
attack_wake(unsigned q)
{
	uint64_t d[HELD];
	unsigned n = take(q, d, HELD);

	for (unsigned i = 0; i < n; i++)
		d[i] = vnic_desc(vnic_desc_slot(d[i]), 0, 0, VNIC_KIND_DONE, 0);
	put(q, 0, d, n);
	for (unsigned i = 0; i < 100; i++)
		vnic_sleep_begin(&queues[q].router->asleep);
}

static void
refused(const char *what, long rc)
{
	if (rc < 0)
		fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
}

static void
attack_holes(unsigned q)
{
	const int fd[] = { fds.host, fds.router, fds.pool };
	static bool said;

	for (unsigned i = 0; i < ARRAY_SIZE(fd); i++) {
		long punched = fallocate(fd[i],
		    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 65536);
		long cut = ftruncate(fd[i], 0);
		long mode = fchmod(fd[i], 0777);

		if (said)
			continue;
		refused("punch a hole", punched);
		refused("cut short", cut);
		refused("change the mode", mode);
	}
	if (!said)
		refused("remove pages",
		    madvise(pool, layout.pool_bytes, MADV_REMOVE));
	said = true;
	madvise(pool, layout.pool_bytes, MADV_DONTNEED);
	madvise(pool, layout.pool_bytes, MADV_PAGEOUT);
	attack_wake(q);
}

static void
attack_die(unsigned q)
{
	uint64_t d[HELD];

	if (take(q, d, HELD) > HELD / 4)
		kill(getpid(), SIGKILL);
}

/* --- threads that wait to be woken ------------------------------------------------ */

/* Each waits N_SAME times for the same word: all of them are found in a wake. */
static void *
wait_often(void *arg)
{
	static struct futex_waitv w[N_SAME];
	const struct queue *x = arg;
	struct futex_waitv mine[N_SAME];

	for (;;) {
		memcpy(mine, w, sizeof(mine));
		for (unsigned i = 0; i < N_SAME; i++) {
			mine[i].uaddr = (uintptr_t)&x->host->wake;
			mine[i].val = vnic_wake_load(&x->host->wake);
			mine[i].flags = FUTEX_32;
		}
		syscall(SYS_futex_waitv, mine, N_SAME, 0, NULL, 0);
	}
	return NULL;
}

static void
start_waiters(void)
{
	pthread_attr_t small;
	pthread_t t;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (unsigned i = 0; i < N_WAITERS; i++)
		if (pthread_create(&t, &small, wait_often,
			&queues[i % layout.g.n_queues]) != 0)
			return;
}

/* --- europad ---------------------------------------------------------------------- */

static int
call_europad(void)
{
	int fd = wire_connect("/run/europa-node/agent.sock");

	if (fd >= 0) /* it may block: we are in no hurry */
		fcntl(fd, F_SETFL, 0);
	return fd;
}

/* A connection whose close waits for a peer that never reads. */
static int
lingering_socket(void)
{
	static char junk[65536];
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger forever = { .l_onoff = 1, .l_linger = 3600 };
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 1) < 0 ||
	    getsockname(l, (struct sockaddr *)&a, &n) < 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		refused("loopback", -1);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &forever, sizeof(forever));
	return fd; /* l stays open: the peer is there and does not read */
}

static void
send_fds(int to, const int *list, unsigned n)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int) * FDS_AT_ONCE)] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), list, sizeof(int) * n);
	refused("pass descriptors", sendmsg(to, &m, MSG_NOSIGNAL));
}

/* Descriptors that take their time to close: europad would be who closes them. */
static void
give_slow_fds(void)
{
	int list[FDS_AT_ONCE], to = call_europad();
	unsigned n = 0;

	list[n++] = lingering_socket();
	while (n < FDS_AT_ONCE &&
	       (list[n] = socket(AF_PACKET, SOCK_RAW, htons(3))) >= 0)
		n++;
	if (to >= 0 && list[0] >= 0)
		send_fds(to, list, n);
	for (unsigned i = 0; i < n; i++)
		base_close(list[i]);
	base_close(to);
}

/* As init would, but up and down without end, with junk for counters. */
static void
flap(int fd)
{
	struct wire_msg m = { .type = WIRE_INIT_HELLO };

	wire_send(fd, &m);
	for (unsigned i = 0; i < 20000; i++) {
		m = (struct wire_msg){ .type = WIRE_INIT_STATE };
		m.u.process.running = i & 1;
		m.u.process.starts = i;
		if (wire_send(fd, &m) < 0)
			return;
	}
	m = (struct wire_msg){ .type = WIRE_STATS };
	m.u.stats.generation = UINT64_MAX;
	m.u.stats.n = WIRE_MAX_COUNTERS;
	for (unsigned i = 0; i < WIRE_MAX_COUNTERS; i++) {
		memcpy(m.u.stats.counter[i].name, "\xff\xfe\"\\\n\x01{", 7);
		m.u.stats.counter[i].value = UINT64_MAX;
	}
	for (unsigned i = 0; i < 2000 && wire_send(fd, &m) == 0; i++)
		;
}

static void
attack_agent(void)
{
	for (unsigned turn = 0;; turn++) {
		int fd = call_europad();

		if (turn % 8 == 0)
			give_slow_fds();
		if (turn % 8 == 1 && fd >= 0)
			flap(fd);
		if (turn % 8 == 2 && fd >= 0)
			send(fd, "\x45\x57\xff\xff", 4, MSG_NOSIGNAL);
		base_close(fd);
	}
}

/* ------------------------------------------------------------------------------- */

static const struct mode {
	const char *name;
	void (*attack)(unsigned q);
	bool before_run; /* also while the queue does not run */
} modes[] = {
	{ "random", attack_random, false },
	{ "twice", attack_twice, false },
	{ "turns", attack_turns, false },
	{ "length", attack_length, false },
	{ "epoch", attack_epoch, true },
	{ "kick", attack_kick, true },
	{ "wake", attack_wake, false },
	{ "holes", attack_holes, false },
	{ "die", attack_die, false },
};

static void
rest(void)
{
	const struct timespec t = { .tv_nsec = 50000 };

	nanosleep(&t, NULL);
}

static _Noreturn void
attack_queues(const struct mode *m)
{
	for (;;) {
		for (unsigned q = 0; q < layout.g.n_queues; q++)
			if (serve_epoch(q) || m->before_run)
				m->attack(q);
		if (!m->before_run)
			rest();
	}
}

int
main(int argc, char *argv[])
{
	const char *name = argc == 2 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	attach();
	if (strcmp(name, "agent") == 0)
		attack_agent();
	if (strcmp(name, "wake") == 0)
		start_waiters();
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(name, modes[i].name) == 0)
			attack_queues(&modes[i]);
	fprintf(stderr, "usage: hostile MODE\n");
	return 2;
}
