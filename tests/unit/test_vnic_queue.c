/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vnic_queue: the router's library in front of a host that the test plays:
 * what it stores, when it kicks, when it sleeps.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

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

static struct vnic_host_line *
host_line(void)
{
	return vnic_host_line(&rig.maps.l, rig.maps.host, 0);
}

static struct vnic_router_line *
router_line(void)
{
	return vnic_router_line(&rig.maps.l, rig.maps.router, 0);
}

/* Kicks since the last call; the host never reads a bell, the test may. */
static uint64_t
kicks(void)
{
	eventfd_t n = 0;

	return eventfd_read(rig.fds.bell[0], &n) == 0 ? n : 0;
}

static uint32_t
beat(void)
{
	return vnic_beat_load(
	    &vnic_router_beat(&rig.maps.l, rig.maps.router, 0)->beat);
}

static void
each_change_of_r_kicks(void **state)
{
	(void)state;
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(kicks(), 0);
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	assert_int_equal(kicks(), 1);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(kicks(), 0);
	rig.now_ns += 2000000;
	assert_true(ledger_try_run(rig.l, rig.now_ns));
	assert_int_equal(vnic_poll(rig.q), VNIC_RUN);
	assert_int_equal(kicks(), 0);
	/* the store of 0 may have been done by a dead one that did not kick */
	rig_router_restart(&rig);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(kicks(), 1);
	rig_router_restart(&rig);
	assert_int_equal(vnic_poll(rig.q), VNIC_WAIT);
	assert_int_equal(kicks(), 1);
	assert_int_equal(vnic_epoch_load(&router_line()->r), 0);
}

static void
a_flush_kicks_a_sleeping_host_once_per_sleep(void **state)
{
	struct vnic_frame f;

	(void)state;
	rig_run(&rig);
	kicks();
	for (unsigned i = 0; i < 3; i++) {
		struct ledger_frame out[VNIC_BURST];

		rig_fill(&rig, 0, 60, 1);
		assert_int_equal(vnic_rx(rig.q, 0, &f, 1), 1);
		vnic_tx(rig.q, 0, &f, 1);
		vnic_flush(rig.q);
		assert_int_equal(kicks(), 0);
		rig_take(&rig, 0, out);

		ledger_sleep_begin(rig.l);
		vnic_flush(rig.q);
		assert_int_equal(kicks(), 0); /* nothing published */
		assert_false(ledger_has_work(rig.l, UINT32_MAX));
		rig_fill(&rig, 0, 60, 1);
		assert_int_equal(vnic_rx(rig.q, 0, &f, 1), 1);
		vnic_done(rig.q, &f, 1, VNIC_DONE_TTL);
		assert_true(ledger_has_work(rig.l, UINT32_MAX));
		/* what lies in a ring that nobody serves is no work */
		assert_false(ledger_has_work(rig.l, ~UINT32_C(1)));
		assert_int_equal(kicks(), 0); /* not before the turn ends */
		vnic_flush(rig.q);
		assert_int_equal(kicks(), 1);
		rig_fill(&rig, 0, 60, 1);
		assert_int_equal(vnic_rx(rig.q, 0, &f, 1), 1);
		vnic_tx(rig.q, 1, &f, 1);
		vnic_flush(rig.q);
		assert_int_equal(kicks(), 0); /* it was rung for */
		ledger_sleep_end(rig.l);
		rig_take(&rig, 0, out);
		rig_take(&rig, 1, out);
	}
}

static void
a_host_wakes_a_sleeping_router_once_per_sleep(void **state)
{
	uint32_t w;

	(void)state;
	rig_run(&rig);
	w = vnic_wake_load(&host_line()->wake);
	assert_false(ledger_ring(rig.l, 0));
	rig_fill(&rig, 0, 60, 1);
	assert_false(ledger_ring(rig.l, 0));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w);
	for (unsigned i = 1; i < 4; i++) {
		vnic_sleep_begin(
		    &vnic_router_line(&rig.maps.l, rig.router_rw, 0)->asleep);
		assert_false(ledger_ring(rig.l, 0));
		assert_int_equal(vnic_wake_load(&host_line()->wake), w + i - 1);
		rig_fill(&rig, 0, 60, 1);
		assert_false(ledger_ring(rig.l, 0));
		assert_int_equal(vnic_wake_load(&host_line()->wake), w + i);
		rig_fill(&rig, 0, 60, 1);
		assert_false(ledger_ring(rig.l, 0));
		assert_int_equal(vnic_wake_load(&host_line()->wake), w + i);
	}
}

static void
wakes_are_limited_and_a_due_one_is_kept(void **state)
{
	_Atomic(uint32_t) *asleep =
	    &vnic_router_line(&rig.maps.l, rig.router_rw, 0)->asleep;
	uint64_t t = 7000000000;
	uint32_t w;

	(void)state;
	rig_run(&rig);
	w = vnic_wake_load(&host_line()->wake);
	vnic_sleep_begin(asleep);
	rig_fill(&rig, 0, 60, 1);
	assert_false(ledger_ring(rig.l, t));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w + 1);
	vnic_sleep_begin(asleep);
	rig_fill(&rig, 0, 60, 1);
	assert_true(ledger_ring(rig.l, t + 1000));
	assert_true(ledger_ring(rig.l, t + 49999));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w + 1);
	assert_false(ledger_ring(rig.l, t + 50000));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w + 2);
	assert_false(ledger_ring(rig.l, t + 200000));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w + 2);
}

static void
grants_count_as_publishing(void **state)
{
	uint32_t w;

	(void)state;
	rig_run(&rig);
	w = vnic_wake_load(&host_line()->wake);
	vnic_sleep_begin(
	    &vnic_router_line(&rig.maps.l, rig.router_rw, 0)->asleep);
	ledger_grant(rig.l);
	assert_false(ledger_ring(rig.l, 0));
	assert_int_equal(vnic_wake_load(&host_line()->wake), w + 1);
}

static void
a_wait_returns_at_once_if_there_is_work(void **state)
{
	(void)state;
	/* an epoch to acknowledge; 1 would be the end of the time */
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(vnic_wait_on(&rig.q, 1, NULL, 0, 10000), 0);
	assert_int_equal(vnic_wait(&rig.q, 1, 10000), 0);
	rig_run(&rig);
	rig_fill(&rig, 1, 60, 1);
	assert_int_equal(vnic_wait_on(&rig.q, 1, NULL, 0, 10000), 0);
	assert_int_equal(vnic_wait(&rig.q, 1, 10000), 0);
	/* and is awake behind it */
	assert_int_equal(vnic_epoch_load(&router_line()->asleep) & 1, 0);
}

static void
a_wait_without_work_times_out(void **state)
{
	uint64_t begin;

	(void)state;
	rig_run(&rig);
	ledger_grant(rig.l); /* an unused grant is no work */
	begin = loop_now_ms();
	assert_int_equal(vnic_wait(&rig.q, 1, 30), 0);
	assert_true(loop_now_ms() - begin >= 29);
	assert_int_equal(vnic_wait(&rig.q, 0, 1), -EINVAL);
	assert_int_equal(vnic_wait(&rig.q, VNIC_MAX_QUEUES + 1, 1), -EINVAL);
}

static void
a_wait_for_two_queues_sees_either(void **state)
{
	struct vnic_queue *qs[2] = { rig.q, NULL };
	struct ledger *second;
	uint64_t begin;

	(void)state;
	assert_int_equal(vnic_queue_open(rig.v, 1, &qs[1]), 0);
	rig_run(&rig);
	begin = loop_now_ms();
	assert_int_equal(vnic_wait(qs, 2, 30), 0);
	assert_true(loop_now_ms() - begin >= 29);
	assert_int_equal(ledger_new(&rig.maps, 1, 16, &second), 0);
	ledger_reset(second, rig.now_ns);
	assert_int_equal(vnic_wait_on(qs, 2, NULL, 0, 10000), 0);
	assert_int_equal(vnic_wait(qs, 2, 10000), 0);
	assert_int_equal(vnic_poll(qs[1]), VNIC_FRESH);
	ledger_free(second);
	vnic_queue_close(qs[1]);
}

static void
an_alive_router_beats(void **state)
{
	uint32_t before = beat();
	uint64_t begin = loop_now_ms();

	(void)state;
	rig_run(&rig);
	/* it publishes nothing, and is alive all the same */
	while (beat() - before < 3) {
		assert_true(loop_now_ms() - begin < 5000);
		vnic_flush(rig.q);
	}
	before = beat();
	for (unsigned i = 0; i < 100; i++)
		vnic_flush(rig.q);
	assert_true(beat() - before <= loop_now_ms() - begin + 1);
}

static void
bursts_of_any_size_pass(void **state)
{
	struct vnic_frame f[VNIC_BURST];
	struct ledger_frame out[VNIC_BURST];
	unsigned n = 0;

	(void)state;
	rig_run(&rig);
	for (unsigned i = 0; i < 12; i++)
		rig_fill(&rig, i % 2, (uint16_t)(60 + i), 1);
	n += vnic_rx(rig.q, 0, f, VNIC_BURST);
	n += vnic_rx(rig.q, 1, f + n, VNIC_BURST - n);
	assert_int_equal(n, 12);
	/* each by the ring of the vNIC that it came from */
	vnic_done(rig.q, f, 12, VNIC_DONE_FILTERED);
	assert_int_equal(rig_take(&rig, 0, out), 0);
	assert_int_equal(ledger_filled(rig.l), 6);
	assert_int_equal(rig_take(&rig, 1, out), 0);
	assert_int_equal(ledger_filled(rig.l), 0);
	vnic_tx(rig.q, 0, f, 0);
	vnic_done(rig.q, f, 0, 0);
	assert_int_equal(rig_take(&rig, 0, out), 0);
}

static void
the_table_says_what_is_up(void **state)
{
	struct vnic_entry *e = vnic_entry(&rig.maps.l, rig.maps.host, 1);
	struct vnic_info info;
	uint32_t config = vnic_config(rig.q);

	(void)state;
	assert_false(vnic_info(rig.v, 1, &info));
	e->mtu = 1500;
	memcpy(e->mac, "\x02\0\0\0\0\1", 6);
	memset(e->name, 'x', sizeof(e->name)); /* no final zero */
	vnic_table_store(&e->state, VNIC_ENTRY_UP);
	vnic_table_store(&host_line()->config, config + 1);
	assert_int_equal(vnic_config(rig.q), config + 1);
	assert_true(vnic_info(rig.v, 1, &info));
	assert_true(info.up);
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(strlen(info.name), VNIC_NAME_BYTES - 1);
	vnic_table_store(&e->state, VNIC_ENTRY_DOWN);
	assert_true(vnic_info(rig.v, 1, &info));
	assert_false(info.up);
	vnic_table_store(&e->state, 77);
	assert_false(vnic_info(rig.v, 1, &info));
}

/* What a dead or malicious predecessor of the same router may have left. */
static void
a_full_and_blocking_bell_still_rings(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = rig.fds.bell[0];

	(void)state;
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev), 0);
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(epoll_wait(epoll, &ev, 1, 0), 1);
	assert_int_equal(epoll_wait(epoll, &ev, 1, 0), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	rig_router_restart(&rig);
	alarm(10); /* a write that blocks is the end of the test */
	ledger_reset(rig.l, rig.now_ns);
	assert_int_equal(vnic_poll(rig.q), VNIC_FRESH);
	alarm(0);
	assert_int_equal(epoll_wait(epoll, &ev, 1, 0), 1);
	close(epoll);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG_TEST(each_change_of_r_kicks),
		RIG_TEST(a_flush_kicks_a_sleeping_host_once_per_sleep),
		RIG_TEST(a_host_wakes_a_sleeping_router_once_per_sleep),
		RIG_TEST(wakes_are_limited_and_a_due_one_is_kept),
		RIG_TEST(grants_count_as_publishing),
		RIG_TEST(a_wait_returns_at_once_if_there_is_work),
		RIG_TEST(a_wait_without_work_times_out),
		RIG_TEST(a_wait_for_two_queues_sees_either),
		RIG_TEST(an_alive_router_beats),
		RIG_TEST(bursts_of_any_size_pass),
		RIG_TEST(the_table_says_what_is_up),
		RIG_TEST(a_full_and_blocking_bell_still_rings),
	};

	return cmocka_run_group_tests_name("vnic_queue", tests, NULL, NULL);
}
