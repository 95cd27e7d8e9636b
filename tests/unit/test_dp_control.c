/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_control: what a running data plane answers to europad's requests,
 * sensible ones and others; see dp_rig.h.
 */
#include "tests/unit/dp_rig.h"

#include "lib/loop.h"
#include "lib/region.h"

#include <fcntl.h>

static void
count_set(void *arg, struct wire_msg *m)
{
	unsigned *n = arg;

	assert_int_equal(m->type, WIRE_SET_INFO);
	assert_int_equal(m->n_fds, 3 + m->u.set.g.n_queues);
	assert_true(fcntl(m->fds[0], F_GET_SEALS) > 0);
	wire_close_fds(m);
	(*n)++;
}

/* A europad that is older or newer is heard; of another major, it is not. */
static void
any_minor_of_the_same_major_will_do(void **state)
{
	static const uint16_t minor[] = { 0, 2, WIRE_MINOR, WIRE_MINOR + 1,
		UINT16_MAX };
	struct wire_msg m = { .type = WIRE_HELLO }, a;
	struct dp_rig r;

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n");
	m.u.hello.major = WIRE_MAJOR;
	for (size_t i = 0; i < ARRAY_SIZE(minor); i++) {
		m.u.hello.minor = minor[i];
		assert_int_equal(dp_ask(&r, &m, &a), 0);
		assert_int_equal(a.type, WIRE_HELLO);
		assert_int_equal(a.u.hello.major, WIRE_MAJOR);
		assert_int_equal(a.u.hello.minor, WIRE_MINOR);
		a = dp_port_info(&r, "p0");
		assert_int_equal(a.u.port_info.state, WIRE_PORT_UP);
	}
	m.u.hello.major = WIRE_MAJOR + 1;
	assert_int_equal(dp_ask(&r, &m, NULL), EPROTONOSUPPORT);
	dp_close(&r);
}

static void
requests_are_checked(void **state)
{
	struct dp_rig r;
	struct dp_router *t, *u;
	struct wire_msg m, del = { .type = WIRE_SET_DEL };
	unsigned n = 0;

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n"
		    "port bad 1500 net_nothing0\n");
	m = dp_port_info(&r, "bad");
	assert_int_equal(m.u.port_info.state, WIRE_PORT_DOWN);
	t = dp_router_new(&r, 1, 1);
	u = dp_router_new(&r, 2, 3);
	dp_router_add(&r, t); /* the same again */
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m.u.vnic.mtu = 1400; /* UP entries do not change */
	assert_int_equal(dp_ask(&r, &m, NULL), EBUSY);
	m = dp_vnic(u, 1, "p0");
	dp_mac(m.u.vnic.mac, 1, 0);
	assert_int_equal(dp_ask(&r, &m, NULL), EEXIST);
	m.u.vnic.vlan = 5; /* another segment */
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m = dp_vnic(t, 9, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), EINVAL);
	m = dp_vnic(t, 1, "p0");
	m.u.vnic.mtu = 9000; /* does not fit the slots */
	assert_int_equal(dp_ask(&r, &m, NULL), EINVAL);
	memset(m.u.vnic.uid, 77, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &m, NULL), ENOENT);
	m = (struct wire_msg){ .type = WIRE_INIT_RESTART };
	assert_int_equal(dp_ask(&r, &m, NULL), EOPNOTSUPP);
	m = (struct wire_msg){ .type = WIRE_PORT_ADD };
	strcpy(m.u.port.name, "x0");
	strcpy(m.u.port.devargs, "net_af_xdp0,iface=lo");
	m.u.port.mtu = 1500;
	assert_int_equal(dp_ask(&r, &m, NULL), ENOTSUP);
	m = dp_port_info(&r, "x0");
	assert_int_equal(m.u.port_info.state, WIRE_PORT_PENDING_RESTART);
	assert_int_equal(dp_list(&r, WIRE_SET_LIST, count_set, &n), 0);
	assert_int_equal(n, 2);
	memset(del.u.router.uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &del, NULL), 0);
	for (unsigned q = 0; q < t->n_queues; q++)
		assert_int_equal(vnic_poll(t->q[q]), VNIC_GONE);
	assert_int_equal(dp_ask(&r, &del, NULL), 0); /* gone is gone */
	m = (struct wire_msg){ .type = WIRE_PORT_DEL };
	strcpy(m.u.name.name, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_port(&r, "p0", "net_null0,no-rx=1");
	dp_router_free(t);
	dp_router_free(u);
	dp_close(&r);
}

/* The first one goes on: it counts what net_null makes without an end. */
static void
a_device_has_one_port(void **state)
{
	uint64_t until = loop_now_ms() + 10000, before, now;
	struct dp_rig r;
	struct wire_msg m = { .type = WIRE_PORT_ADD };

	(void)state;
	dp_open(&r, "port p0 1500 net_null6\n");
	strcpy(m.u.port.name, "p1");
	strcpy(m.u.port.devargs, "net_null6");
	m.u.port.mtu = 1500;
	assert_int_equal(dp_ask(&r, &m, NULL), EBUSY);
	m = (struct wire_msg){ .type = WIRE_PORT_DEL };
	strcpy(m.u.name.name, "p1");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	before = dp_port_info(&r, "p0").u.port_info.count[WIRE_PORT_RX];
	do {
		usleep(20000);
		now = dp_port_info(&r, "p0").u.port_info.count[WIRE_PORT_RX];
	} while (now <= before && loop_now_ms() < until);
	assert_true(now > before);
	dp_close(&r);
}

static void
assert_not_opened(
    struct dp_rig *r, const char *devargs, int rc, const char *why)
{
	struct wire_msg m = { .type = WIRE_PORT_ADD }, answer;

	strcpy(m.u.port.name, "p1");
	strcpy(m.u.port.devargs, devargs);
	m.u.port.mtu = 1500;
	assert_int_equal(dp_ask(r, &m, &answer), rc);
	if (!strstr(answer.u.fail.text, why))
		fail_msg("\"%s\" does not say \"%s\"", answer.u.fail.text, why);
	m = (struct wire_msg){ .type = WIRE_PORT_DEL };
	strcpy(m.u.name.name, "p1");
	assert_int_equal(dp_ask(r, &m, NULL), 0);
}

static void
a_port_that_does_not_open_says_why(void **state)
{
	struct dp_rig r;

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n");
	assert_not_opened(&r, "net_null0,size=64", EBUSY, "another number");
	assert_not_opened(&r, "lo", ENODEV, "\"net_af_packet,iface=lo\"");
	assert_not_opened(
	    &r, "net_af_packet7,iface=nothere", EPERM, "interface nothere");
	assert_not_opened(&r, "net_nothing0", ENODEV, "net_nothing0: No such");
	dp_close(&r);
}

/* Small memory in place of the promised, and descriptors that are no memory. */
static void
wrong_memory_is_refused(void **state)
{
	struct dp_rig r;
	struct wire_msg m = { .type = WIRE_SET_ADD };
	struct vnic_geometry g;
	struct vnic_fds fds;
	int small = region_create("small", 4096);

	(void)state;
	dp_open(&r, "");
	vnic_geometry_for(&g, 1, 2, 64, 1500);
	vnic_fds_init(&fds);
	assert_int_equal(vnic_create(&g, &fds), 0);
	m.u.set.g = g;
	m.u.set.slots = 64;
	m.n_fds = 5;
	memcpy(m.fds,
	    (int[]){ fds.host, fds.router, small, fds.bell[0], fds.bell[1] },
	    5 * sizeof(int));
	assert_int_equal(dp_ask(&r, &m, NULL), EINVAL);
	m.fds[2] = 0; /* whatever our standard input is */
	assert_int_not_equal(dp_ask(&r, &m, NULL), 0);
	m.fds[2] = fds.pool;
	m.u.set.slots = 1 << 20;
	assert_int_equal(dp_ask(&r, &m, NULL), EINVAL);
	m.u.set.slots = 64;
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	close(small);
	vnic_fds_close(&fds);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_checked),
		cmocka_unit_test(any_minor_of_the_same_major_will_do),
		cmocka_unit_test(a_device_has_one_port),
		cmocka_unit_test(a_port_that_does_not_open_says_why),
		cmocka_unit_test(wrong_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
