/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_twins: frames between the slow path and twins whose kernel is a
 * socket pair.
 */
#include "lib/base.h"
#include "lib/loop.h"
#include "router/twins.h"
#include "tests/unit/frame_maker.h"

#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ETH0 "0a:00:00:00:00:01"

enum { LONG_MS = 10000 };

static struct kernel {
	pthread_mutex_t lock;
	int end[VNIC_MAX_VNICS + 1]; /* by index; -1: never made */
	unsigned n_made;
	unsigned n_refused;
	unsigned to_refuse; /* so many of the next ones */
	struct nl_setting set;
	unsigned n_added, n_deleted;
	struct nl_address last;
	bool carrier;
	bool holds; /* set_link waits for go */
	sem_t go;
} kernel = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int
fake_open(const char *name, uint32_t *index)
{
	int pair[2], rc = -EBUSY;

	(void)name;
	pthread_mutex_lock(&kernel.lock);
	if (kernel.to_refuse > 0) {
		kernel.to_refuse--;
		kernel.n_refused++;
	} else if (socketpair(AF_UNIX,
		       SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair) == 0) {
		*index = ++kernel.n_made;
		kernel.end[*index] = pair[1];
		rc = pair[0];
	}
	pthread_mutex_unlock(&kernel.lock);
	return rc;
}

static int
fake_carrier(int fd, bool on)
{
	(void)fd;
	pthread_mutex_lock(&kernel.lock);
	kernel.carrier = on;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static int
fake_set(int netlink, const struct nl_setting *s)
{
	bool holds;

	(void)netlink;
	pthread_mutex_lock(&kernel.lock);
	kernel.set = *s;
	holds = kernel.holds;
	pthread_mutex_unlock(&kernel.lock);
	if (holds)
		sem_wait(&kernel.go);
	return 0;
}

static int
fake_add(int netlink, uint32_t link, const struct nl_address *a)
{
	(void)netlink;
	(void)link;
	pthread_mutex_lock(&kernel.lock);
	kernel.n_added++;
	kernel.last = *a;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static int
fake_delete(int netlink, uint32_t link, const struct nl_address *a)
{
	(void)netlink;
	(void)link;
	pthread_mutex_lock(&kernel.lock);
	kernel.n_deleted++;
	kernel.last = *a;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static const struct taps_io fake = { fake_open, fake_carrier, fake_set,
	fake_add, fake_delete };

struct lab {
	struct twins *twins;
	struct bell bell;
	struct tap_want want[VNIC_MAX_VNICS];
};

static int
set_up(void **state)
{
	struct lab *l = calloc(1, sizeof(*l));

	kernel = (struct kernel){ .lock = PTHREAD_MUTEX_INITIALIZER };
	sem_init(&kernel.go, 0, 0);
	assert_int_equal(twins_start(&fake, -1, &l->bell, &l->twins), 0);
	*state = l;
	return 0;
}

static int
tear_down(void **state)
{
	struct lab *l = *state;

	twins_stop(l->twins);
	for (unsigned i = 1; i <= kernel.n_made; i++)
		base_close(kernel.end[i]);
	free(l);
	return 0;
}

/* eth0 with 198.18.0.1/24 and 2001:db8::1/64, as vNIC 0. */
static void
want_eth0(struct lab *l)
{
	struct iface f = { .up = true, .n = 1, .n6 = 2 };

	frame_mac(ETH0, f.mac);
	f.address[0] = (struct address4){ 0xc6120001, 24 };
	f.address6[0] =
	    (struct address6){ { UINT64_C(0x20010db800000000), 1 }, 64 };
	f.address6[1] = (struct address6){ ip6_link_local(f.mac), 64 };
	taps_want(&l->want[0], &f, "eth0", 1400);
	twins_set(l->twins, l->want);
}

static unsigned
seen(const unsigned *what)
{
	unsigned n;

	pthread_mutex_lock(&kernel.lock);
	n = *what;
	pthread_mutex_unlock(&kernel.lock);
	return n;
}

static void
await(const unsigned *what, unsigned n)
{
	uint64_t end = loop_now_ms() + LONG_MS;

	while (seen(what) < n) {
		assert_true(loop_now_ms() < end);
		usleep(1000);
	}
	assert_int_equal(seen(what), n);
}

static void
a_twin_is_as_its_vnic(void **state)
{
	struct lab *l = *state;
	uint8_t mac[6];

	want_eth0(l);
	/* the link-local address is the kernel's to make */
	await(&kernel.n_added, 2);
	frame_mac(ETH0, mac);
	assert_memory_equal(kernel.set.mac, mac, 6);
	assert_int_equal(kernel.set.mtu, 1400);
	assert_int_equal(kernel.set.index, 1);
	assert_true(kernel.set.is_up && kernel.set.has_ip6);
	assert_int_equal(kernel.n_deleted, 0);
	/* another address */
	l->want[0].address[0].ip.lo++;
	twins_set(l->twins, l->want);
	await(&kernel.n_deleted, 1);
	await(&kernel.n_added, 3);
	assert_int_equal(kernel.n_made, 1);
	/* the vNIC goes: so does the twin */
	l->want[0].present = false;
	twins_set(l->twins, l->want);
	for (uint64_t end = loop_now_ms() + LONG_MS;;) {
		uint8_t b[4];

		if (recv(kernel.end[1], b, sizeof(b), 0) == 0)
			break;
		assert_true(loop_now_ms() < end);
		usleep(1000);
	}
}

static void
a_vnic_that_is_down_has_no_carrier(void **state)
{
	struct lab *l = *state;
	uint64_t end = loop_now_ms() + LONG_MS;
	bool on = true;

	kernel.carrier = true;
	want_eth0(l);
	await(&kernel.n_added, 2);
	assert_true(kernel.carrier);
	l->want[0].up = false;
	twins_set(l->twins, l->want);
	while (on) {
		assert_true(loop_now_ms() < end);
		pthread_mutex_lock(&kernel.lock);
		on = kernel.carrier;
		pthread_mutex_unlock(&kernel.lock);
	}
}

static void
frames_go_up_and_down(void **state)
{
	struct lab *l = *state;
	const struct punt_record *r = NULL;
	struct pollfd p = { .events = POLLIN };
	uint8_t out[128], in[128];
	const uint8_t *frame;

	want_eth0(l);
	await(&kernel.n_added, 2);
	p.fd = kernel.end[1];
	for (unsigned i = 0; i < 1000; i++) {
		memset(out, (int)i, sizeof(out));
		assert_true(twins_give(l->twins, 0, out, 60 + i % 60));
		assert_int_equal(poll(&p, 1, LONG_MS), 1);
		assert_int_equal(recv(p.fd, in, sizeof(in), 0), 60 + i % 60);
		assert_memory_equal(in, out, 60 + i % 60);
	}
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t end = loop_now_ms() + LONG_MS;

		memset(out, (int)i, sizeof(out));
		assert_int_equal(send(p.fd, out, 60 + i % 60, 0), 60 + i % 60);
		while (!(r = twins_take(l->twins, &frame)))
			assert_true(loop_now_ms() < end);
		assert_int_equal(r->vnic, 0);
		assert_int_equal(r->len, 60 + i % 60);
		assert_memory_equal(frame, out, r->len);
		twins_taken(l->twins);
	}
	assert_int_equal(atomic_load(&l->twins->up_lost), 0);
	assert_int_equal(atomic_load(&l->twins->down_lost), 0);
}

/* Nobody takes what comes down: all is counted, nobody waits. */
static void
down_is_bounded_and_counted(void **state)
{
	enum { N = 400, BYTES = 1500 };
	struct lab *l = *state;
	uint64_t end = loop_now_ms() + LONG_MS;
	static uint8_t out[BYTES];
	const uint8_t *frame;
	unsigned n = 0;

	want_eth0(l);
	await(&kernel.n_added, 2);
	for (unsigned i = 0; i < N;) {
		if (send(kernel.end[1], out, BYTES, 0) == BYTES)
			i++;
		assert_true(loop_now_ms() < end);
	}
	while (!atomic_load(&l->twins->down_lost)) /* it has got so far */
		assert_true(loop_now_ms() < end);
	while (n + atomic_load(&l->twins->down_lost) < N) {
		if (twins_take(l->twins, &frame)) {
			twins_taken(l->twins);
			n++;
		}
		assert_true(loop_now_ms() < end);
	}
	assert_int_equal(n + atomic_load(&l->twins->down_lost), N);
	assert_true(n >= PUNT_BYTES / BYTES - 2);
	assert_null(twins_take(l->twins, &frame));
}

/* The thread is held up: the slow path hears no instead of waiting. */
static void
up_is_bounded(void **state)
{
	struct lab *l = *state;
	uint8_t out[1500] = { 0 };
	unsigned n = 0;

	kernel.holds = true;
	want_eth0(l);
	await(&kernel.n_made, 1);
	while (twins_give(l->twins, 0, out, sizeof(out)))
		assert_true(++n <= PUNT_BYTES / sizeof(out));
	assert_true(n > 50);
	kernel.holds = false;
	sem_post(&kernel.go);
	await(&kernel.n_added, 2);
}

static void
what_no_device_takes_is_counted(void **state)
{
	struct lab *l = *state;
	uint64_t end = loop_now_ms() + LONG_MS;
	uint8_t out[60] = { 0 };

	/* there is no twin of vNIC 5 */
	assert_true(twins_give(l->twins, 5, out, sizeof(out)));
	while (atomic_load(&l->twins->up_lost) != 1)
		assert_true(loop_now_ms() < end);
}

static void
a_twin_that_cannot_be_made_is_tried_again(void **state)
{
	struct lab *l = *state;

	kernel.to_refuse = 1;
	want_eth0(l);
	await(&kernel.n_refused, 1);
	await(&kernel.n_added, 2);
	assert_int_equal(kernel.n_made, 1);
}

int
main(void)
{
#define TWINS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TWINS_TEST(a_twin_is_as_its_vnic),
		TWINS_TEST(a_vnic_that_is_down_has_no_carrier),
		TWINS_TEST(frames_go_up_and_down),
		TWINS_TEST(down_is_bounded_and_counted),
		TWINS_TEST(up_is_bounded),
		TWINS_TEST(what_no_device_takes_is_counted),
		TWINS_TEST(a_twin_that_cannot_be_made_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
