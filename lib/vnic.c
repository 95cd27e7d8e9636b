/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic: the router's side of the protocol, see vnic.h and vnic_abi.h.
 *
 * Positions, limits and the acknowledged epoch are private memory, taken once;
 * nothing is believed that lies in shared memory but the descriptors and the
 * epoch word, which only the trusted host writes.
 */
#include "lib/vnic.h"

#include "lib/base.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum { MAX_TX_BURST = 256, MAX_WAIT_MS = 1000, POLL_NS = 20000 };

struct vnic {
	struct vnic_fds fds; /* borrowed */
	struct vnic_layout l;
	void *host; /* read-only mapping */
	void *router;
	void *pool;
};

struct vnic_queue {
	struct vnic *v;
	unsigned index;
	struct vnic_host_line *host;
	struct vnic_router_line *router;
	struct vnic_beat_line *beat;
	uint64_t beat_ms; /* when beat was last stored */
	uint32_t acked;   /* the epoch this process has acknowledged, 0 none */
	uint32_t host_asleep; /* last value of host->asleep that was rung for */
	bool published;       /* since the last flush */
	uint64_t rx_pos[VNIC_MAX_VNICS + 1]; /* the last is the grant ring */
	uint64_t tx_pos[VNIC_MAX_VNICS];
};

static int
read_header(int fd, struct vnic_layout *out)
{
	struct vnic_hdr hdr;
	ssize_t n = pread(fd, &hdr, sizeof(hdr), 0);

	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(hdr))
		return -EPROTO;
	return vnic_layout_from_hdr(out, &hdr);
}

int
vnic_attach(const struct vnic_fds *fds, struct vnic **out)
{
	struct vnic *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->fds = *fds;
	rc = read_header(fds->host, &v->l);
	if (rc < 0)
		goto fail;
	rc = -EINVAL;
	if (fds->n_bells != v->l.g.n_queues)
		goto fail;
	rc = region_check(fds->host, v->l.host_bytes);
	if (rc == 0)
		rc = region_check(fds->router, v->l.router_bytes);
	if (rc == 0)
		rc = region_check(fds->pool, v->l.pool_bytes);
	if (rc == 0)
		rc =
		    region_map(fds->host, v->l.host_bytes, REGION_RO, &v->host);
	if (rc == 0)
		rc = region_map(
		    fds->router, v->l.router_bytes, REGION_RW, &v->router);
	if (rc == 0)
		rc =
		    region_map(fds->pool, v->l.pool_bytes, REGION_RW, &v->pool);
	if (rc < 0)
		goto fail;
	*out = v;
	return 0;
fail:
	vnic_detach(v);
	return rc;
}

/* Parses "3,4,5,6,7": host, router, pool and at least one bell. */
static int
parse_fds(const char *s, struct vnic_fds *out)
{
	int fd[3 + VNIC_MAX_QUEUES];
	unsigned n = 0;

	for (;;) {
		char *end;
		long x = strtol(s, &end, 10);

		if (end == s || x < 0 || x > INT32_MAX || n == ARRAY_SIZE(fd))
			return -EINVAL;
		fd[n++] = (int)x;
		if (*end == '\0')
			break;
		if (*end != ',')
			return -EINVAL;
		s = end + 1;
	}
	if (n < 4)
		return -EINVAL;
	vnic_fds_init(out);
	out->host = fd[0];
	out->router = fd[1];
	out->pool = fd[2];
	out->n_bells = n - 3;
	memcpy(out->bell, fd + 3, out->n_bells * sizeof(fd[0]));
	return 0;
}

int
vnic_attach_env(struct vnic **out)
{
	const char *s = getenv("EUROPA_VNIC_FDS");
	struct vnic_fds fds;
	int rc;

	if (!s)
		return -ENOENT;
	rc = parse_fds(s, &fds);
	return rc < 0 ? rc : vnic_attach(&fds, out);
}

void
vnic_detach(struct vnic *v)
{
	if (!v)
		return;
	region_unmap(v->host, v->l.host_bytes);
	region_unmap(v->router, v->l.router_bytes);
	region_unmap(v->pool, v->l.pool_bytes);
	free(v);
}

const struct vnic_layout *
vnic_layout(const struct vnic *v)
{
	return &v->l;
}

bool
vnic_info(const struct vnic *v, unsigned i, struct vnic_info *out)
{
	struct vnic_entry *e;
	uint32_t state;

	if (i >= v->l.g.max_vnics)
		return false;
	e = vnic_entry(&v->l, v->host, i);
	/* P4: pairs with the host's store of state */
	state = vnic_table_load(&e->state);
	if (state != VNIC_ENTRY_UP && state != VNIC_ENTRY_DOWN)
		return false;
	out->up = state == VNIC_ENTRY_UP;
	out->mtu = e->mtu;
	memcpy(out->mac, e->mac, sizeof(out->mac));
	memcpy(out->name, e->name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	return true;
}

/* A predecessor may have made it blocking: the flag is the file's, not ours. */
static int
bell_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* The lock ends with the process: two processes never serve one queue. */
static int
lock_queue(int fd, unsigned q)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = q,
		.l_len = 1,
	};

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

int
vnic_queue_open(struct vnic *v, unsigned q, struct vnic_queue **out)
{
	struct vnic_queue *vq;
	int rc;

	if (q >= v->l.g.n_queues)
		return -EINVAL;
	vq = calloc(1, sizeof(*vq));
	if (!vq)
		return -ENOMEM;
	rc = bell_prepare(v->fds.bell[q]);
	if (rc == 0)
		rc = lock_queue(v->fds.router, q);
	if (rc < 0) {
		free(vq);
		return rc;
	}
	vq->v = v;
	vq->index = q;
	vq->host = vnic_host_line(&v->l, v->host, q);
	vq->router = vnic_router_line(&v->l, v->router, q);
	vq->beat = vnic_router_beat(&v->l, v->router, q);
	vnic_sleep_end(&vq->router->asleep); /* a predecessor may have slept */
	*out = vq;
	return 0;
}

void
vnic_queue_close(struct vnic_queue *q)
{
	struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (!q)
		return;
	unlock.l_start = q->index;
	unlock.l_len = 1;
	fcntl(q->v->fds.router, F_SETLK, &unlock);
	free(q);
}

/*
 * The host waits for an edge, which a write that finds the counter full does
 * not make. The host never reads a bell; only a predecessor can have filled it.
 */
static void
kick(const struct vnic_queue *q)
{
	int fd = q->v->fds.bell[q->index];
	uint64_t n = 1;

	if (write(fd, &n, sizeof(n)) < 0 && errno == EAGAIN &&
	    read(fd, &n, sizeof(n)) > 0) {
		n = 1;
		if (write(fd, &n, sizeof(n)) < 0)
			return; /* no eventfd: nobody can be rung for */
	}
}

static void
blank_tx(struct vnic_queue *q)
{
	const struct vnic_layout *l = &q->v->l;

	for (unsigned v = 0; v < l->g.max_vnics; v++)
		vnic_ring_blank(
		    vnic_tx_ring(l, q->v->router, q->index, v), l->g.ring_log2);
	memset(q->rx_pos, 0, sizeof(q->rx_pos));
	memset(q->tx_pos, 0, sizeof(q->tx_pos));
	q->published = false;
}

enum vnic_status
vnic_poll(struct vnic_queue *q)
{
	/* P3: pairs with the host's store of WAIT, RUN or GONE */
	uint32_t h = vnic_epoch_load(&q->host->h);
	uint32_t epoch = vnic_h_epoch(h);

	switch (vnic_h_state(h)) {
	case VNIC_STATE_RUN:
		if (likely(epoch == q->acked))
			return VNIC_RUN;
		/* a dead predecessor ran here: have the epoch ended */
		vnic_epoch_store(&q->router->r, 0);
		kick(q);
		return VNIC_WAIT;
	case VNIC_STATE_WAIT:
		if (epoch == q->acked)
			return VNIC_WAIT;
		blank_tx(q);
		q->acked = epoch;
		/* P3: pairs with the host's load of r */
		vnic_epoch_store(&q->router->r, epoch);
		kick(q);
		return VNIC_FRESH;
	case VNIC_STATE_GONE:
		return VNIC_GONE;
	case VNIC_STATE_NONE:
		break;
	}
	return VNIC_WAIT;
}

uint32_t
vnic_config(const struct vnic_queue *q)
{
	return vnic_table_load(&q->host->config);
}

unsigned
vnic_rx(struct vnic_queue *q, unsigned i, struct vnic_frame *out, unsigned max)
{
	const struct vnic_layout *l = &q->v->l;
	vnic_desc_t *ring = vnic_rx_ring(l, q->v->host, q->index, i);
	uint64_t d[MAX_TX_BURST];
	unsigned n;

	n = vnic_take(ring, l->g.ring_log2, &q->rx_pos[i], d,
	    MIN(max, (unsigned)MAX_TX_BURST));
	for (unsigned k = 0; k < n; k++) {
		uint32_t slot = vnic_desc_slot(d[k]);

		out[k].slot = slot;
		out[k].data = vnic_slot(l, q->v->pool, q->index, slot) +
			      vnic_desc_off(d[k]);
		out[k].len = (uint16_t)vnic_desc_len(d[k]);
		out[k].vnic = (uint16_t)i;
		prefetch_write(out[k].data);
	}
	return n;
}

static void
put_all(struct vnic_queue *q, unsigned i, const uint64_t *d, unsigned n)
{
	const struct vnic_layout *l = &q->v->l;

	vnic_put(vnic_tx_ring(l, q->v->router, q->index, i), l->g.ring_log2,
	    &q->tx_pos[i], d, n);
	q->published = true;
}

void
vnic_tx(
    struct vnic_queue *q, unsigned i, const struct vnic_frame *f, unsigned n)
{
	const struct vnic_layout *l = &q->v->l;
	uint64_t d[MAX_TX_BURST];

	while (n > 0) {
		unsigned m = MIN(n, (unsigned)MAX_TX_BURST);

		for (unsigned k = 0; k < m; k++) {
			uint8_t *slot =
			    vnic_slot(l, q->v->pool, q->index, f[k].slot);

			d[k] =
			    vnic_desc(f[k].slot, (uint32_t)(f[k].data - slot),
				f[k].len, VNIC_KIND_PACKET, 0);
		}
		put_all(q, i, d, m);
		f += m;
		n -= m;
	}
}

void
vnic_done(struct vnic_queue *q, const struct vnic_frame *f, unsigned n,
    unsigned reason)
{
	uint64_t d[MAX_TX_BURST];

	/* by the ring of the vNIC that they came from, run by run */
	while (n > 0) {
		unsigned i = f[0].vnic;
		unsigned m = 0;

		for (; m < MIN(n, (unsigned)MAX_TX_BURST) && f[m].vnic == i;
		     m++)
			d[m] = vnic_desc(
			    f[m].slot, 0, 0, VNIC_KIND_DONE, reason & 0xff);
		put_all(q, i, d, m);
		f += m;
		n -= m;
	}
}

unsigned
vnic_grant(struct vnic_queue *q, struct vnic_frame *out, unsigned max)
{
	const struct vnic_layout *l = &q->v->l;
	unsigned i = l->g.max_vnics;
	uint64_t d[MAX_TX_BURST];
	unsigned n;

	n = vnic_take(vnic_rx_ring(l, q->v->host, q->index, i), l->g.ring_log2,
	    &q->rx_pos[i], d, MIN(max, (unsigned)MAX_TX_BURST));
	for (unsigned k = 0; k < n; k++) {
		uint32_t slot = vnic_desc_slot(d[k]);

		out[k].slot = slot;
		out[k].data =
		    vnic_slot(l, q->v->pool, q->index, slot) + l->g.headroom;
		out[k].len = (uint16_t)(l->g.slot_bytes - l->g.headroom);
		out[k].vnic = 0;
	}
	return n;
}

/* CLOCK_MONOTONIC_COARSE: a beat needs no better, and it is cheap. */
static uint64_t
coarse_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
vnic_flush(struct vnic_queue *q)
{
	uint64_t now = coarse_ms();

	/* alive, also when it only looked or keeps what it took */
	if (now != q->beat_ms) {
		q->beat_ms = now;
		vnic_beat(&q->beat->beat);
	}
	if (!q->published)
		return;
	q->published = false;
	/* P2: after the head of the burst */
	if (vnic_peer_sleeps(&q->host->asleep, &q->host_asleep))
		kick(q);
}

static bool
queue_has_work(struct vnic_queue *q)
{
	const struct vnic_layout *l = &q->v->l;
	/* P2: all looks after asleep */
	uint32_t h = vnic_epoch_look(&q->host->h);

	if (h != vnic_h(q->acked, VNIC_STATE_RUN))
		return vnic_h_state(h) != VNIC_STATE_NONE &&
		       h != vnic_h(q->acked, VNIC_STATE_WAIT) &&
		       vnic_h_state(h) != VNIC_STATE_RUN;
	for (unsigned v = 0; v < l->g.max_vnics; v++)
		if (vnic_ring_has(vnic_rx_ring(l, q->v->host, q->index, v),
			l->g.ring_log2, q->rx_pos[v]))
			return true;
	return false;
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* What one thread waits for. */
struct sleep {
	struct futex_waitv on[VNIC_MAX_QUEUES + 1];
	unsigned n;
};

static void
sleep_add(struct sleep *s, _Atomic(uint32_t) *word, uint32_t seen, uint32_t how)
{
	s->on[s->n++] = (struct futex_waitv){
		.uaddr = (uintptr_t)word,
		.val = seen,
		.flags = FUTEX_32 | how,
	};
}

static long
futex_sleep(struct sleep *s, unsigned timeout_ms)
{
	struct timespec t;

	if (s->n == 1) {
		t.tv_sec = timeout_ms / 1000;
		t.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
		return syscall(SYS_futex, (uintptr_t)s->on[0].uaddr, FUTEX_WAIT,
		    (uint32_t)s->on[0].val, &t, NULL, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return syscall(SYS_futex_waitv, s->on, s->n, 0, &t, CLOCK_MONOTONIC);
}

int
vnic_wait_on(struct vnic_queue **qs, unsigned n, _Atomic(uint32_t) *word,
    uint32_t seen, unsigned timeout_ms)
{
	struct sleep s = { .n = 0 };
	bool work = false;
	int no = 0;

	if (n == 0 || n > VNIC_MAX_QUEUES)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		_Atomic(uint32_t) *wake = &qs[i]->host->wake;

		sleep_add(&s, wake, vnic_wake_load(wake), 0);
		vnic_sleep_begin(&qs[i]->router->asleep);
	}
	if (word)
		sleep_add(&s, word, seen, FUTEX_PRIVATE_FLAG);
	for (unsigned i = 0; i < n; i++)
		work |= queue_has_work(qs[i]);
	if (!work &&
	    futex_sleep(&s, MIN(timeout_ms, (unsigned)MAX_WAIT_MS)) < 0)
		no = errno;
	for (unsigned i = 0; i < n; i++)
		vnic_sleep_end(&qs[i]->router->asleep);
	if (no == ETIMEDOUT)
		return 1;
	return no == 0 || no == EAGAIN || no == EINTR ? 0 : -no;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool
comes_soon(struct vnic_queue **qs, unsigned n)
{
	uint64_t end = now_ns() + POLL_NS;

	do
		for (unsigned i = 0; i < n; i++)
			if (queue_has_work(qs[i]))
				return true;
	while (now_ns() < end);
	return false;
}

int
vnic_wait(struct vnic_queue **qs, unsigned n, unsigned timeout_ms)
{
	if (n <= VNIC_MAX_QUEUES && timeout_ms > 0 && comes_soon(qs, n))
		return 0;
	return MIN(vnic_wait_on(qs, n, NULL, 0, timeout_ms), 0);
}
