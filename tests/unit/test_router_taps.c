/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_taps: the complete europa-taps with a real kernel that forwards, in
 * a network namespace of this test's own. Who may not have one skips it. And what
 * it tells the kernel of routes, to one that only writes it down.
 */
#include "lib/base.h"
#include "lib/loop.h"
#include "router/kernel_routes.h"
#include "router/kernel_stats.h"
#include "tests/unit/router_lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

enum { LONG_MS = 10000, SOME = 200 };

#define VNICS                                 \
	"vnic 0 eth0 mac " ETH0 " mtu 1500\n" \
	"address eth0 198.18.0.1/24\n"        \
	"vnic 1 eth1 mac " ETH1 " mtu 1500\n" \
	"address eth1 198.18.1.1/24\n"
#define CONF7 "generation 7\n" VNICS "route 198.19.0.0/16 via 198.18.1.7\n"

static bool has_namespace;

static bool
write_text(const char *path, const char *text)
{
	scoped_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0;
}

/* A network namespace where we are root, if the system lets us. */
static bool
enter_namespace(void)
{
	char map[64];
	unsigned uid = getuid();

	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return false;
	if (uid == 0 && unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_text("/proc/self/uid_map", map);
}

static int
set_up(void **state)
{
	struct router_rig *r;

	*state = NULL;
	if (!has_namespace)
		return 0;
	*state = r = calloc(1, sizeof(*r));
	router_rig_open(r, 1500);
	r->program = "europa-taps";
	router_rig_configure(r, CONF7 END);
	router_rig_start(r, 7);
	return 0;
}

static int
tear_down(void **state)
{
	struct router_rig *r = *state;

	if (!r)
		return 0;
	router_rig_check(r);
	router_rig_close(r);
	free(r);
	return 0;
}

/* cmocka cannot skip in a set-up. */
static struct router_rig *
rig_of(void **state)
{
	if (!*state)
		skip();
	return *state;
}

/* The kernel asks at vNIC i who has ip; mac says that it has. */
static void
answer(struct router_rig *r, unsigned i, const char *ip, const char *mac)
{
	static const char *const own[] = { ETH0, ETH1 };
	static const char *const own_ip[] = { "198.18.0.1", "198.18.1.1" };
	struct frame expected, reply;
	struct rig_out o;

	assert_true(router_rig_receive(r, i, ARP, LONG_MS, &o));
	frame_arp(&expected, 1, own[i], own_ip[i], NULL, ip);
	assert_int_equal(o.frame.len, expected.len);
	assert_memory_equal(o.frame.b, expected.b, expected.len);
	frame_arp(&reply, 2, mac, ip, own[i], own_ip[i]);
	router_rig_send(r, RIG_CONTROL, i, &reply);
}

/* A packet from A to behind B, which is known then. */
static struct frame
reach_b(struct router_rig *r)
{
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer(r, 1, "198.18.1.7", HOST_B);
	assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	return f;
}

static void
the_kernel_forwards(void **state)
{
	struct router_rig *r = rig_of(state);
	struct frame f = reach_b(r);
	unsigned in_its_slot = 0;
	struct rig_out o;
	uint64_t rx;

	for (unsigned i = 0; i < SOME; i++) {
		store_be16(f.b + 18, (uint16_t)i);
		frame_fix_checksum(&f);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
		in_its_slot += o.queue == RIG_DATA;
		lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	}
	/* what a busy kernel leaves to ksoftirqd comes when that slot is back */
	assert_true(in_its_slot > 0);
	assert_true(router_rig_await(r, "kernel_forwarded", SOME + 1) > SOME);
	rx = router_rig_await(r, "rx", SOME + 1);
	assert_true(rx > SOME);
	assert_int_equal(router_rig_await(r, "twin_up", rx), rx);
	/* TTL 1: the kernel says so */
	f.b[22] = 1;
	frame_fix_checksum(&f);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer(r, 0, "198.18.0.2", HOST_A);
	assert_true(router_rig_receive(r, 0, IP, LONG_MS, &o));
	assert_int_equal(o.frame.b[34], 11);
	assert_int_equal(frame_sum(o.frame.b + 34, o.frame.len - 34), 0);
	assert_true(router_rig_await(r, "kernel_bad_header", 1) > 0);
}

static void
the_slot_of_what_the_kernel_keeps_goes_back(void **state)
{
	struct router_rig *r = rig_of(state);
	struct frame_spec s = lab_towards_b();
	struct frame f;

	frame_ip4(&f, &s);
	store_be16(f.b + 12, 0x88b5); /* nobody understands it */
	for (unsigned i = 1; i <= 10 * SOME; i++) {
		router_rig_send(r, RIG_DATA, 0, &f);
		/* one after the other: each finds the slot of another one */
		if (i % 16 == 0)
			assert_true(router_rig_await(r, "twin_up", i) >= i);
	}
	reach_b(r);
}

/* A socket that sends frames by the twin with this name. */
static int
packet_socket(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
		.sll_protocol = htons(IP),
		.sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void
a_burst_of_the_kernel_waits_for_slots(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = packet_socket("eth1");
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	s.src_mac = ETH1;
	s.dst_mac = HOST_B;
	for (unsigned i = 0; i < SOME; i++) {
		s.id = (uint16_t)i;
		frame_ip4(&f, &s);
		assert_int_equal(write(fd, f.b, f.len), f.len);
	}
	/* more than there are grants; the host gives others when it turns */
	for (unsigned i = 0; i < SOME; i++) {
		assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
		assert_int_equal(load_be16(o.frame.b + 18), i);
		assert_int_equal(o.queue, RIG_CONTROL);
	}
	assert_true(router_rig_await(r, "twin_down", SOME) >= SOME);
	assert_true(router_rig_await(r, "no_grant", 1) > 0);
	assert_int_equal(router_rig_stat(r, "twin_queue_full"), 0);
	close(fd);
}

/* Runs the host's ip in our namespace. */
static void
ip(const char *words)
{
	char command[256];

	snprintf(command, sizeof(command), "PATH=$PATH:/sbin:/usr/sbin ip %s",
	    words);
	/* NOLINTNEXTLINE(cert-env33-c) words are this file's */
	assert_int_equal(system(command), 0);
}

static void
what_does_not_fit_is_dropped_and_what_is_short_grows(void **state)
{
	static const uint8_t zeros[60] = { 0 };
	struct router_rig *r = rig_of(state);
	uint8_t long_one[4000] = { 0 };
	struct rig_out o;
	struct frame f;
	int fd;

	ip("link set eth1 mtu 9000");
	fd = packet_socket("eth1");
	frame_mac(HOST_B, long_one);
	frame_mac(ETH1, long_one + 6);
	store_be16(long_one + 12, IP);
	assert_int_equal(
	    write(fd, long_one, sizeof(long_one)), sizeof(long_one));
	assert_int_equal(router_rig_await(r, "twin_down_oversize", 1), 1);
	assert_false(router_rig_receive(r, 1, IP, 50, &o));
	/* what lay in the slots before goes nowhere */
	f = reach_b(r);
	for (unsigned i = 0; i < 64; i++) {
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
	}
	memcpy(f.b, long_one, 14);
	f.b[14] = 0x77;
	assert_int_equal(write(fd, f.b, 15), 15);
	assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
	assert_int_equal(o.frame.len, 60);
	assert_memory_equal(o.frame.b, f.b, 15);
	assert_memory_equal(o.frame.b + 15, zeros, 45);
	close(fd);
}

/* What the kernel says of a packet to dst: 0, or negative errno. */
static int
way_to(const char *dst)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = inet_addr(dst) };
	scoped_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

static void
await_generation(struct router_rig *r, uint64_t generation)
{
	uint64_t end = loop_now_ms() + LONG_MS;

	while (router_rig_stat(r, NULL) != generation) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
}

static void
a_new_configuration_is_the_kernels(void **state)
{
	struct router_rig *r = rig_of(state);
	struct frame_spec s = lab_towards_b();
	struct frame f;

	assert_int_equal(way_to("198.19.1.1"), 0);
	assert_int_equal(way_to("203.0.113.1"), -ENETUNREACH);
	/* eth1 has another network, and with it goes its route */
	router_rig_configure(r,
	    "generation 8\nvnic 0 eth0 mac " ETH0 " mtu 1500\n"
	    "address eth0 198.18.0.1/24\n"
	    "vnic 1 eth1 mac " ETH1 " mtu 1500\n"
	    "address eth1 192.0.2.1/24\n"
	    "route 203.0.113.0/24 via 192.0.2.7\n"
	    "route 198.51.100.0/24 via 198.18.0.9 dev eth0\n" END);
	await_generation(r, 8);
	assert_int_equal(way_to("198.19.1.1"), -ENETUNREACH);
	assert_int_equal(way_to("203.0.113.1"), 0);
	assert_int_equal(way_to("198.51.100.1"), 0);
	/* the first vNIC goes, the second has its old address */
	router_rig_configure(r,
	    "generation 9\nvnic 1 eth1 mac " ETH1 " mtu 1500\n"
	    "address eth1 198.18.1.1/24\n"
	    "route 198.19.0.0/16 via 198.18.1.7\n" END);
	await_generation(r, 9);
	assert_int_equal(if_nametoindex("eth0"), 0);
	assert_int_equal(way_to("198.51.100.1"), -ENETUNREACH);
	assert_int_equal(way_to("198.19.1.1"), 0);
	/* what still comes by the one that is gone is counted */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "twin_up_absent", 1), 1);
}

static bool
has_carrier(const char *name)
{
	struct ifreq q = { .ifr_flags = 0 };
	scoped_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(q.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &q), 0);
	return q.ifr_flags & IFF_RUNNING;
}

static void
a_link_that_is_down_has_no_carrier(void **state)
{
	struct router_rig *r = rig_of(state);
	uint64_t end = loop_now_ms() + LONG_MS;

	assert_true(has_carrier("eth1"));
	router_rig_vnic(r, 1, false);
	while (has_carrier("eth1")) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	router_rig_vnic(r, 1, true);
	while (!has_carrier("eth1")) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	reach_b(r);
}

static void
a_twin_that_is_deleted_comes_back(void **state)
{
	struct router_rig *r = rig_of(state);
	unsigned index = if_nametoindex("eth1");
	uint64_t end = loop_now_ms() + LONG_MS;

	ip("link del eth1");
	while (way_to("198.19.1.1") != 0) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	assert_int_not_equal(if_nametoindex("eth1"), index);
	reach_b(r);
}

static void
packets_pass_again_after_the_host_has_started_anew(void **state)
{
	struct router_rig *r = rig_of(state);
	struct rig_out o;
	struct frame f;

	f = reach_b(r);
	router_rig_host_restart(r);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
who_has_nothing_to_do_sleeps_and_the_kernel_wakes_it(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = packet_socket("eth1");
	struct frame_spec s = lab_towards_b();
	struct timespec pause = { .tv_nsec = 300000000 };
	uint64_t before, late = 0;
	struct rig_out o;
	struct frame f;

	s.src_mac = ETH1;
	s.dst_mac = HOST_B;
	frame_ip4(&f, &s);
	reach_b(r);
	before = router_rig_cpu_ms(r);
	nanosleep(&pause, NULL);
	assert_true(router_rig_cpu_ms(r) - before < 100);
	/* nobody but the ear wakes it before its second is over */
	for (unsigned i = 0; i < 8; i++) {
		uint64_t begin = loop_now_ms();

		assert_int_equal(write(fd, f.b, f.len), f.len);
		assert_true(router_rig_receive(r, 1, IP, LONG_MS, &o));
		late += loop_now_ms() - begin >= 400;
		pause.tv_nsec = 20000000;
		nanosleep(&pause, NULL);
	}
	assert_true(late < 4);
	close(fd);
}

/* --- without a kernel ----------------------------------------------------- */

static char said[1024];

static int
say(const char *word, const struct nl_route *r)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s %s%x/%u@%u ", word,
	    r->is6 ? "6:" : "", (unsigned)r->prefix.lo, (unsigned)r->len,
	    (unsigned)r->link);
	return r->len == 32 ? -ENETUNREACH : 0;
}

static int
say_add(int netlink, const struct nl_route *r)
{
	(void)netlink;
	return say("+", r);
}

static int
say_delete(int netlink, const struct nl_route *r)
{
	(void)netlink;
	return say("-", r);
}

static void
only_prefixes_that_are_gone_are_deleted(void **state)
{
	struct routerconf_route route[] = { { 0xc6130000, 0xc6120107, 16,
						ROUTERCONF_NO_DEV },
		{ 0xc0000200, 0, 24, 1 }, { 0xc0000201, 0, 32, 1 },
		{ 0xcb007100, 0, 24, 5 } };
	struct routerconf_route6 route6[] = { { { 0, 2 }, { 0, 7 }, 64, 1 } };
	struct routerconf c = { .route = route, .n_routes = 4 };
	struct kernel_routes k = { .add = say_add, .delete = say_delete };
	uint32_t link[VNIC_MAX_VNICS] = { 3, 4 };
	int why = 0;

	(void)state;
	c.route6 = route6;
	c.n_routes6 = 1;
	/* sorted; the one whose vNIC is not there is left out */
	assert_int_equal(kernel_routes_set(&k, &c, link, &why), 1);
	assert_int_equal(why, -ENETUNREACH);
	assert_string_equal(said, "+ c0000200/24@4 + c0000201/32@4 "
				  "+ c6130000/16@0 + 6:2/64@4 ");
	/* another way to one of them, two are gone */
	said[0] = '\0';
	route[0] = (struct routerconf_route){ 0xc0000200, 0, 24, 0 };
	route[1] = route[3];
	c.n_routes = 2;
	assert_int_equal(kernel_routes_set(&k, &c, link, &why), 0);
	assert_string_equal(said, "+ c0000200/24@3 + 6:2/64@4 "
				  "- c0000201/32@4 - c6130000/16@0 ");
	/* a link that has another index */
	said[0] = '\0';
	link[0] = 9;
	link[1] = 0;
	assert_int_equal(kernel_routes_set(&k, &c, link, &why), 0);
	assert_string_equal(said, "+ c0000200/24@9 - 6:2/64@4 ");
	kernel_routes_clear(&k);
}

static void
put_file(const char *root, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/net/%s", root, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static uint64_t
find(const struct wire_msg *m, const char *name)
{
	for (unsigned i = 0; i < m->u.stats.n; i++)
		if (strcmp(m->u.stats.counter[i].name, name) == 0)
			return m->u.stats.counter[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void
the_kernels_counters_are_found(void **state)
{
	char root[] = "/tmp/europa-test-XXXXXX", path[64];
	static struct wire_msg m;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/proc", root);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/net");
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(root, "snmp",
	    "Ip: Forwarding InHdrErrors InAddrErrors ForwDatagrams\n"
	    "Ip: 1 5 6 18446744073709551615\nIcmp: InMsgs\nIcmp: 3\n");
	put_file(root, "snmp6",
	    "Ip6OutForwDatagrams             \t44\nnonsense\n"
	    "Ip6InTooBigErrors \t2\n");
	put_file(root, "dev",
	    "Inter-|   Receive |  Transmit\n face |bytes\n"
	    "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	    "  eth0: 1 2 3 4 5 6 7 8 9 10 11 30 13 14 15 16\n eth1: 1\n");
	kernel_stats_add(&m, root);
	assert_int_equal(find(&m, "kernel_forwarded"), UINT64_MAX);
	assert_int_equal(find(&m, "kernel_bad_header"), 5);
	assert_int_equal(find(&m, "kernel_bad_address"), 6);
	assert_int_equal(find(&m, "kernel_forwarded6"), 44);
	assert_int_equal(find(&m, "kernel_too_big6"), 2);
	assert_int_equal(find(&m, "twin_queue_full"), 42);
	assert_int_equal(m.u.stats.n, 6);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "snmp", "snmp6", "dev" };

		snprintf(path, sizeof(path), "%s/proc/net/%s", root, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	snprintf(path, sizeof(path), "%s/proc/net", root);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/proc", root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(root), 0);
}

int
main(void)
{
#define TAPS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_prefixes_that_are_gone_are_deleted),
		cmocka_unit_test(the_kernels_counters_are_found),
		TAPS_TEST(the_kernel_forwards),
		TAPS_TEST(the_slot_of_what_the_kernel_keeps_goes_back),
		TAPS_TEST(a_burst_of_the_kernel_waits_for_slots),
		TAPS_TEST(what_does_not_fit_is_dropped_and_what_is_short_grows),
		TAPS_TEST(a_new_configuration_is_the_kernels),
		TAPS_TEST(a_link_that_is_down_has_no_carrier),
		TAPS_TEST(a_twin_that_is_deleted_comes_back),
		TAPS_TEST(packets_pass_again_after_the_host_has_started_anew),
		TAPS_TEST(who_has_nothing_to_do_sleeps_and_the_kernel_wakes_it),
	};

	has_namespace = enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
