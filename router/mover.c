/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mover: see mover.h. No step of a turn waits: writes and reads of twins do not
 * block, each is bounded by a burst, and what the kernel says is only measured.
 */
#include "router/mover.h"

#include "lib/base.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>

enum {
	MAX_SLEEP_MS = 1000,
	STARVED_SLEEP_MS = 1, /* slots come back without a word */
	MIN_FRAME = 60,       /* of Ethernet, without its checksum */
	PASS_NS = 20000,
};

static void
count(struct mover *m, enum mover_count which, uint64_t n)
{
	/* relaxed: one writer, and nobody orders anything by it */
	atomic_store_explicit(
	    &m->count[which], mover_count(m, which) + n, memory_order_relaxed);
}

static void
tell(const struct mover *m)
{
	uint64_t one = 1;

	if (write(m->news, &one, sizeof(one)) < 0) {
		/* it is full: main will look anyway */
	}
}

static int
twin_of(struct mover *m, unsigned i)
{
	/* seq_cst: after turns; pairs with mover_hide() */
	return atomic_load_explicit(&m->fd[i], memory_order_seq_cst);
}

/* --- from a vNIC to the kernel -------------------------------------------- */

/* The slots of what was taken are held. Returns how many came by vNIC i. */
static unsigned
move_up(struct mover *m, struct vnic_queue *q, unsigned i)
{
	struct vnic_frame f[MOVER_BURST];
	unsigned n = vnic_rx(q, i, f, MOVER_BURST);
	int fd = n > 0 ? twin_of(m, i) : -1;

	m->n_held = 0;
	for (unsigned k = 0; k < n; k++) {
		if (fd >= 0 && write(fd, f[k].data, f[k].len) == f[k].len)
			m->held[m->n_held++] = f[k];
		else
			vnic_done(q, &f[k], 1, VNIC_DONE_OTHER);
	}
	if (n > 0) {
		count(m, MOVER_RX, n);
		count(m, MOVER_UP, m->n_held);
		count(m, fd < 0 ? MOVER_UP_ABSENT : MOVER_UP_REFUSED,
		    n - m->n_held);
	}
	return n;
}

/* --- from the kernel to a vNIC -------------------------------------------- */

/* An empty slot: of a frame that has just gone up, or a granted one; NULL. */
static struct vnic_frame *
find_slot(struct mover *m, unsigned q)
{
	if (m->n_held > 0)
		return &m->held[m->n_held - 1];
	if (!m->has_spare[q])
		m->has_spare[q] = vnic_grant(m->queue[q], &m->spare[q], 1) == 1;
	return m->has_spare[q] ? &m->spare[q] : NULL;
}

/* That one goes out. */
static void
use_slot(struct mover *m, unsigned q)
{
	if (m->n_held > 0)
		m->n_held--;
	else
		m->has_spare[q] = false;
}

/* Somebody has deleted it; main makes another one. */
static void
lose(struct mover *m, unsigned i)
{
	uint32_t bit = UINT32_C(1) << i;

	/* relaxed: main asks the kernel, this only says of which */
	if (!(atomic_fetch_or_explicit(&m->lost, bit, memory_order_relaxed) &
		bit))
		tell(m);
}

/*
 * The next frame from twin i into slot. Returns its length, 0: there is none, or
 * negative: there was one that cannot be sent.
 */
static int
read_frame(struct mover *m, unsigned i, int fd, struct vnic_frame *slot)
{
	uint8_t more;
	/* one byte more than there is room for: what is longer shows */
	struct iovec to[] = { { slot->data, m->room }, { &more, 1 } };
	ssize_t len = readv(fd, to, ARRAY_SIZE(to));

	if (len < 0 && errno == EBADFD)
		lose(m, i);
	if (len <= 0)
		return 0;
	if ((size_t)len > m->room || len < VNIC_MIN_FRAME) {
		count(m,
		    len < VNIC_MIN_FRAME ? MOVER_DOWN_RUNT
					 : MOVER_DOWN_OVERSIZE,
		    1);
		return -1;
	}
	if (len < MIN_FRAME && m->room >= MIN_FRAME) {
		memset(slot->data + len, 0, (size_t)(MIN_FRAME - len));
		len = MIN_FRAME;
	}
	return (int)len; /* at most room */
}

/* Up to a burst of twin i, by queue q. Returns how many were sent. */
static unsigned
move_down(struct mover *m, unsigned q, unsigned i, int fd)
{
	struct vnic_frame f[MOVER_BURST];
	unsigned n = 0;

	for (unsigned k = 0; k < MOVER_BURST; k++) {
		struct vnic_frame *slot = find_slot(m, q);
		int len;

		if (!slot) {
			m->starved = true;
			break;
		}
		len = read_frame(m, i, fd, slot);
		if (len == 0)
			break;
		if (len < 0)
			continue;
		f[n] = *slot;
		f[n++].len = (uint16_t)len; /* of a slot */
		use_slot(m, q);
	}
	vnic_tx(m->queue[q], i, f, n);
	count(m, MOVER_DOWN, n);
	return n;
}

/* From all twins, by queue q; what is held after it goes back. */
static unsigned
drain(struct mover *m, unsigned q)
{
	struct epoll_event ready[VNIC_MAX_VNICS];
	int n = epoll_wait(m->twins, ready, VNIC_MAX_VNICS, 0);
	unsigned sent = 0;

	for (int k = 0; k < n; k++) {
		unsigned i = ready[k].data.u32;
		int fd = twin_of(m, i);

		if (fd >= 0)
			sent += move_down(m, q, i, fd);
	}
	vnic_done(m->queue[q], m->held, m->n_held, VNIC_DONE_DELIVERED);
	m->n_held = 0;
	return sent;
}

/* --- turns ---------------------------------------------------------------- */

/* Notes what queue q is for the turn; is it to be served? */
static bool
may_run(struct mover *m, unsigned q)
{
	enum vnic_status status = vnic_poll(m->queue[q]);

	/* relaxed: tell() orders it */
	if (status == VNIC_GONE)
		atomic_store_explicit(&m->gone, true, memory_order_relaxed);
	m->waits &= status == VNIC_WAIT;
	if (likely(status == VNIC_RUN))
		return true;
	m->has_spare[q] = false;
	return false;
}

static void
look_at_config(struct mover *m)
{
	uint32_t config = vnic_config(m->queue[m->n - 1]);

	if (likely(config == m->config))
		return;
	m->config = config;
	tell(m);
}

/* Returns how many frames were moved. */
static unsigned
turn(struct mover *m)
{
	unsigned n = 0;

	/* seq_cst: pairs with mover_hide() */
	atomic_fetch_add_explicit(&m->turns, 1, memory_order_seq_cst);
	m->waits = true;
	m->starved = m->hears = false;
	for (unsigned q = 0; q < m->n; q++) {
		if (!may_run(m, q))
			continue;
		for (unsigned i = 0; i < m->n_vnics; i++) {
			unsigned came = move_up(m, m->queue[q], i);

			if (came > 0)
				n += came + drain(m, q);
		}
		/* what the kernel says by itself, too */
		if (q == m->n - 1) {
			n += drain(m, q);
			m->hears = !m->starved;
		}
		vnic_flush(m->queue[q]);
	}
	count(m, MOVER_NO_GRANT, m->starved);
	look_at_config(m);
	return n;
}

/* Is main to hear of the twins? */
static void
listen_to_twins(struct mover *m, bool on)
{
	struct epoll_event e = { .events = on ? EPOLLIN | EPOLLONESHOT : 0 };

	/* it is there, and nothing is allocated */
	(void)epoll_ctl(m->ear, EPOLL_CTL_MOD, m->twins, &e);
}

static bool
is_over(const struct mover *m)
{
	return atomic_load_explicit(&m->gone, memory_order_relaxed) ||
	       atomic_load_explicit(&m->stop, memory_order_seq_cst);
}

static void
sleep_idle(struct mover *m)
{
	uint32_t seen = bell_sleep(&m->bell);
	/* frames that cannot be sent now are no reason to wake up */
	bool listens = m->hears;

	if (listens)
		listen_to_twins(m, true);
	if (!is_over(m))
		vnic_wait_on(m->queue, m->n, &m->bell.word, seen,
		    m->starved ? STARVED_SLEEP_MS : MAX_SLEEP_MS);
	bell_awake(&m->bell);
	if (listens)
		listen_to_twins(m, false);
}

void
mover_run(struct mover *m)
{
	share_begin(&m->share);
	while (!is_over(m)) {
		if (likely(turn(m) > 0)) {
			share_anew(&m->share);
			continue;
		}
		switch (m->waits ? SHARE_SLEEP : share_idle(&m->share)) {
		case SHARE_POLL:
			break;
		case SHARE_NAP:
			share_nap(&m->share);
			break;
		case SHARE_SLEEP:
			sleep_idle(m);
			share_anew(&m->share);
			break;
		}
	}
	share_end(&m->share);
	/* nothing is touched any more: pairs with mover_hide() */
	atomic_store_explicit(&m->gone, true, memory_order_seq_cst);
	tell(m);
}

/* --- of main -------------------------------------------------------------- */

void
mover_stop(struct mover *m)
{
	atomic_store_explicit(&m->stop, true, memory_order_seq_cst);
	bell_ring(&m->bell);
}

int
mover_show(struct mover *m, unsigned i, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };

	if (epoll_ctl(m->twins, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	atomic_store_explicit(&m->fd[i], fd, memory_order_seq_cst);
	return 0;
}

void
mover_hide(struct mover *m, unsigned i)
{
	struct timespec t = { .tv_nsec = PASS_NS };
	int fd = atomic_exchange_explicit(&m->fd[i], -1, memory_order_seq_cst);
	/* a turn that begins after this one sees that it is gone */
	uint64_t seen = atomic_load_explicit(&m->turns, memory_order_seq_cst);

	if (fd < 0)
		return;
	(void)epoll_ctl(m->twins, EPOLL_CTL_DEL, fd, NULL);
	while (!atomic_load_explicit(&m->gone, memory_order_seq_cst) &&
	       atomic_load_explicit(&m->turns, memory_order_seq_cst) == seen) {
		bell_ring(&m->bell);
		nanosleep(&t, NULL);
	}
}

void
mover_wake(struct mover *m)
{
	struct epoll_event e;

	if (epoll_wait(m->ear, &e, 1, 0) > 0)
		bell_ring(&m->bell);
}

/* --- life ----------------------------------------------------------------- */

static int
open_events(struct mover *m)
{
	struct epoll_event e = { .events = 0 };

	m->twins = epoll_create1(EPOLL_CLOEXEC);
	m->ear = epoll_create1(EPOLL_CLOEXEC);
	m->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->twins < 0 || m->ear < 0 || m->news < 0)
		return -errno;
	return epoll_ctl(m->ear, EPOLL_CTL_ADD, m->twins, &e) < 0 ? -errno : 0;
}

int
mover_open(struct mover *m, struct vnic *v)
{
	const struct vnic_geometry *g = &vnic_layout(v)->g;
	int rc;

	*m = (struct mover){ .vnic = v, .n_vnics = g->max_vnics };
	m->room = g->slot_bytes - g->headroom;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		atomic_init(&m->fd[i], -1);
	rc = open_events(m);
	for (; rc == 0 && m->n < g->n_queues; m->n++) {
		rc = vnic_queue_open(v, m->n, &m->queue[m->n]);
		if (rc < 0)
			break;
	}
	if (rc < 0)
		mover_close(m);
	else
		m->config = vnic_config(m->queue[m->n - 1]);
	return rc;
}

void
mover_close(struct mover *m)
{
	while (m->n > 0)
		vnic_queue_close(m->queue[--m->n]);
	base_close(m->twins);
	base_close(m->ear);
	base_close(m->news);
	m->twins = m->ear = m->news = -1;
}

const char *
mover_count_name(enum mover_count which)
{
	static const char *const names[MOVER_N_COUNTS] = {
		[MOVER_RX] = "rx",
		[MOVER_UP] = "twin_up",
		[MOVER_UP_ABSENT] = "twin_up_absent",
		[MOVER_UP_REFUSED] = "twin_up_refused",
		[MOVER_DOWN] = "twin_down",
		[MOVER_DOWN_RUNT] = "twin_down_runt",
		[MOVER_DOWN_OVERSIZE] = "twin_down_oversize",
		[MOVER_NO_GRANT] = "no_grant",
	};

	return names[which];
}
