/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twins: see twins.h.
 */
#include "router/twins.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <poll.h>
#include <sys/eventfd.h>

static void
wake(struct twins *t)
{
	uint64_t one = 1;

	/* pairs with get_ready(): it says that it sleeps, then looks */
	if (atomic_load_explicit(&t->asleep, memory_order_seq_cst) &&
	    write(t->event, &one, sizeof(one)) < 0) {
		/* it is awake already: the counter is full */
	}
}

/* --- of the slow path ----------------------------------------------------- */

bool
twins_give(struct twins *t, unsigned vnic, const uint8_t *frame, unsigned len)
{
	struct punt_record r = {
		.vnic = (uint16_t)vnic, /* < VNIC_MAX_VNICS */
		.len = (uint16_t)len,   /* of a frame */
	};

	if (!punt_put(&t->up, &r, frame))
		return false;
	wake(t);
	return true;
}

void
twins_set(struct twins *t, const struct tap_want *want)
{
	pthread_mutex_lock(&t->lock);
	memcpy(t->want, want, sizeof(t->want));
	pthread_mutex_unlock(&t->lock);
	atomic_store_explicit(&t->is_new, true, memory_order_seq_cst);
	wake(t);
}

/* --- turns ---------------------------------------------------------------- */

static void
change(struct twins *t)
{
	pthread_mutex_lock(&t->lock);
	/* before the copy: what comes later is seen later */
	atomic_store_explicit(&t->is_new, false, memory_order_seq_cst);
	memcpy(t->wanted, t->want, sizeof(t->wanted));
	pthread_mutex_unlock(&t->lock);
	t->retry_ms = taps_change(&t->taps, t->wanted)
			  ? loop_now_ms() + TWINS_RETRY_MS
			  : 0;
}

/* From the slow path to the devices; all that is there, it is bounded. */
static void
write_up(struct twins *t)
{
	const struct punt_record *r;
	const uint8_t *frame;

	for (; (r = punt_peek(&t->up, &frame)); punt_pop(&t->up)) {
		int fd = t->taps.tap[r->vnic].fd;

		/* relaxed: a counter */
		if (fd < 0 || write(fd, frame, r->len) != r->len)
			atomic_fetch_add_explicit(
			    &t->up_lost, 1, memory_order_relaxed);
	}
}

/* From one device to the slow path; what is left makes the next poll() return. */
static void
read_down(struct twins *t, unsigned i)
{
	struct punt_record r = { .vnic = (uint16_t)i };
	unsigned n = 0;

	for (; n < TWINS_BURST; n++) {
		ssize_t len = read(t->taps.tap[i].fd, t->frame,
		    sizeof(t->frame) - 1); /* the longest is a mark of punt */

		if (len < 0 && errno == EBADFD) {
			/* somebody has deleted it: it comes back */
			taps_lose(&t->taps, i);
			t->retry_ms = loop_now_ms();
		}
		if (len <= 0)
			break;
		r.len = (uint16_t)len; /* < 65535 */
		/* relaxed: a counter */
		if (!punt_put(&t->down, &r, t->frame))
			atomic_fetch_add_explicit(
			    &t->down_lost, 1, memory_order_relaxed);
	}
	if (n > 0)
		bell_ring(t->slow_bell);
}

/* Says that we sleep, then looks whether there is work. */
static bool
get_ready(struct twins *t)
{
	atomic_store_explicit(&t->asleep, 1, memory_order_seq_cst);
	return punt_has(&t->up) ||
	       atomic_load_explicit(&t->is_new, memory_order_seq_cst) ||
	       atomic_load_explicit(&t->stop, memory_order_seq_cst);
}

static void
sleep_on(struct twins *t, struct pollfd *fds)
{
	int ms = -1;
	uint64_t n;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		fds[i] = (struct pollfd){ .fd = t->taps.tap[i].fd,
			.events = POLLIN };
	fds[VNIC_MAX_VNICS] =
	    (struct pollfd){ .fd = t->event, .events = POLLIN };
	if (t->retry_ms > 0) {
		uint64_t now = loop_now_ms();

		ms = (int)(MAX(t->retry_ms, now) - now);
	}
	if (get_ready(t))
		ms = 0;
	poll(fds, VNIC_MAX_VNICS + 1, ms);
	/* relaxed: an event too many harms nobody */
	atomic_store_explicit(&t->asleep, 0, memory_order_relaxed);
	if (fds[VNIC_MAX_VNICS].revents && read(t->event, &n, sizeof(n)) < 0) {
		/* it was for nothing */
	}
}

static void *
run(void *arg)
{
	struct twins *t = arg;

	/* relaxed: get_ready() looks again before a sleep */
	while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
		struct pollfd fds[VNIC_MAX_VNICS + 1];

		sleep_on(t, fds);
		if (atomic_load_explicit(&t->is_new, memory_order_seq_cst) ||
		    (t->retry_ms > 0 && loop_now_ms() >= t->retry_ms))
			change(t);
		write_up(t);
		for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
			if (fds[i].fd >= 0 && fds[i].revents &&
			    t->taps.tap[i].fd == fds[i].fd)
				read_down(t, i);
	}
	return NULL;
}

/* --- life ----------------------------------------------------------------- */

static void
destroy(struct twins *t)
{
	taps_close(&t->taps);
	base_close(t->event);
	punt_destroy(&t->up);
	punt_destroy(&t->down);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int
twins_start(const struct taps_io *io, int netlink, struct bell *slow_bell,
    struct twins **out)
{
	struct twins *t = calloc(1, sizeof(*t));
	int rc;

	if (!t) {
		base_close(netlink);
		return -ENOMEM;
	}
	pthread_mutex_init(&t->lock, NULL);
	taps_init(&t->taps, io, netlink);
	t->slow_bell = slow_bell;
	t->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = t->event < 0 ? -errno : punt_init(&t->up);
	if (rc == 0)
		rc = punt_init(&t->down);
	if (rc == 0)
		rc = -pthread_create(&t->thread, NULL, run, t);
	if (rc < 0) {
		destroy(t);
		return rc;
	}
	pthread_setname_np(t->thread, "twins");
	*out = t;
	return 0;
}

void
twins_stop(struct twins *t)
{
	if (!t)
		return;
	atomic_store_explicit(&t->stop, true, memory_order_seq_cst);
	wake(t);
	pthread_join(t->thread, NULL);
	destroy(t);
}
