/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_beside: the complete europa-router beside a real kernel, in a
 * network namespace of this test's own. Who may not have one skips it.
 */
#include "lib/base.h"
#include "lib/loop.h"
#include "tests/unit/router_lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { LONG_MS = 10000 };

#define CONF4                                   \
	"generation 7\nhostname r1\ntwins on\n" \
	"vnic 0 eth0 mac " ETH0 " mtu 1500\n"   \
	"address eth0 198.18.0.1/24\n"          \
	"vnic 1 eth1 mac " ETH1 " mtu 1500\n"   \
	"address eth1 198.18.1.1/24\n"

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
router_set_up(void **state)
{
	struct router_rig *r;

	*state = NULL;
	if (!has_namespace)
		return 0;
	*state = r = calloc(1, sizeof(*r));
	router_rig_open(r, 1500);
	router_rig_configure(r, CONF4 END);
	router_rig_start(r, 7);
	return 0;
}

static int
router_tear_down(void **state)
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
	static const char *const mac[] = { ETH0, ETH1 };
	static const char *const ip[] = { "198.18.0.1", "198.18.1.1" };
	struct router_rig *r = *state;
	struct frame expected;
	struct rig_out o;

	if (!r)
		skip();
	for (unsigned i = 0; i < 2; i++) {
		frame_arp(&expected, 1, mac[i], ip[i], NULL, ip[i]);
		assert_true(router_rig_receive(r, i, ARP, SOON_MS, &o));
		assert_memory_equal(o.frame.b, expected.b, expected.len);
	}
	return r;
}

/* A socket of the kernel that is beside the router, once it has the address. */
static int
udp_socket(struct router_rig *r, const char *ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(ip) };
	uint64_t end = loop_now_ms() + LONG_MS;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	while (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	return fd;
}

/* What the host of the rig does not do by itself while we wait. */
static ssize_t
receive(struct router_rig *r, int fd, uint8_t *b, size_t n)
{
	uint64_t end = loop_now_ms() + LONG_MS;
	ssize_t got;

	while ((got = recv(fd, b, n, 0)) < 0 && loop_now_ms() < end)
		router_rig_turn(r);
	return got;
}

static struct frame
to_router(uint8_t protocol, const char *dst_mac, const char *dst)
{
	struct frame_spec s = { .dst_mac = dst_mac,
		.src_mac = HOST_A,
		.src = "198.18.0.2",
		.dst = dst,
		.protocol = protocol,
		.ttl = 1,
		.payload = 64 };
	struct frame f;

	frame_ip4(&f, &s);
	return f;
}

/* The kernel's question for 198.18.0.2, and A's answer. */
static void
answer_kernel(struct router_rig *r)
{
	lab_answer_arp(r, 0, "198.18.0.2", HOST_A);
}

static void
a_daemon_hears_and_speaks(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.0.1", 5000);
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(6000),
		.sin_addr.s_addr = inet_addr("198.18.0.2") };
	struct frame f = to_router(17, ETH0, "198.18.0.1");
	uint8_t b[256];
	struct rig_out o;

	/* the payload is counted up: its first bytes are the ports */
	store_be16(f.b + 36, 5000);
	store_be16(f.b + 38, 64);
	store_be16(f.b + 40, 0); /* no checksum */
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_int_equal(receive(r, fd, b, sizeof(b)), 56);
	assert_memory_equal(b, f.b + 42, 56);
	/* it speaks: the kernel asks for the neighbour itself */
	assert_int_equal(
	    sendto(fd, "hello", 5, 0, (struct sockaddr *)&a, sizeof(a)), 5);
	answer_kernel(r);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(o.queue, RIG_CONTROL);
	assert_memory_equal(o.frame.b + 42, "hello", 5);
	assert_int_equal(load_be16(o.frame.b + 36), 6000);
	assert_true(router_rig_await(r, "twin_down", 2) >= 2);
	close(fd);
}

static void
groups_of_the_link_go_up(void **state)
{
	struct router_rig *r = rig_of(state);
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
		.sll_protocol = htons(IP) };
	struct frame f = to_router(89, "01:00:5e:00:00:05", "224.0.0.5");
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	uint8_t b[256];
	int address = udp_socket(r, "198.18.0.1", 5000);

	if (fd < 0)
		skip();
	a.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	/* a wrong checksum, and a group that is not of the link: not for it */
	f.b[24] ^= 1;
	router_rig_send(r, RIG_CONTROL, 0, &f);
	f = to_router(89, "01:00:5e:00:00:05", "225.0.0.5");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	f = to_router(89, "01:00:5e:00:00:05", "224.0.0.5");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_int_equal(receive(r, fd, b, sizeof(b)), f.len);
	assert_memory_equal(b, f.b, f.len);
	assert_int_equal(router_rig_await(r, "to_slow_control", 3), 3);
	assert_int_equal(router_rig_await(r, "local_ignored", 2), 2);
	assert_int_equal(router_rig_await(r, "twin_up", 1), 1);
	close(fd);
	close(address);
}

static void
a_question_has_one_answer(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.0.1", 5000);
	struct frame f, expected;
	struct rig_out o;

	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.0.1");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_true(router_rig_receive(r, 0, ARP, SOON_MS, &o));
	frame_arp(&expected, 2, ETH0, "198.18.0.1", HOST_A, "198.18.0.2");
	assert_memory_equal(o.frame.b, expected.b, 60);
	/* the kernel has answered too, and that went no further */
	assert_int_equal(router_rig_await(r, "twin_answered", 1), 1);
	assert_false(router_rig_receive(r, 0, ARP, 100, &o));
	/* an echo request is the router's alone */
	f = to_router(1, ETH0, "198.18.0.1");
	frame_icmp(&f, 8, 0);
	router_rig_send(r, RIG_CONTROL, 0, &f);
	lab_resolve_a(r);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(o.frame.b[34], 0);
	assert_false(router_rig_receive(r, 0, IP, 100, &o));
	assert_int_equal(router_rig_await(r, "icmp_echo_reply", 1), 1);
	close(fd);
}

static void
the_kernel_says_that_nobody_listens(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.0.1", 5000);
	struct frame f = to_router(17, ETH0, "198.18.0.1");
	struct rig_out o;

	store_be16(f.b + 38, 64);
	store_be16(f.b + 40, 0);
	router_rig_send(r, RIG_CONTROL, 0, &f);
	answer_kernel(r);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(o.frame.b[34], 3);
	assert_int_equal(o.frame.b[35], 3);
	assert_int_equal(router_rig_stat(r, "icmp_port_unreachable"), 0);
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

/* Until a packet to dst leaves through vNIC 1, asking B first. */
static void
expect_way(struct router_rig *r, const char *dst)
{
	struct frame_spec s = lab_towards_b();
	uint64_t end = loop_now_ms() + LONG_MS;
	struct rig_out o;
	struct frame f;

	s.dst = dst;
	frame_ip4(&f, &s);
	do {
		assert_true(loop_now_ms() < end);
		router_rig_send(r, RIG_DATA, 0, &f);
	} while (!router_rig_receive(r, 1, ARP, 50, &o));
	assert_int_equal(load_be32(o.frame.b + 38), frame_ip("198.18.1.7"));
}

static void
routes_of_the_kernel_are_in_force(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.1.1", 5000);
	struct frame_spec s = lab_towards_b();
	uint64_t end = loop_now_ms() + LONG_MS;
	uint64_t n;
	struct frame f;

	ip("route add 203.0.113.0/24 via 198.18.1.7");
	expect_way(r, "203.0.113.5");
	/* what is dropped without a word */
	ip("route add blackhole 203.0.113.128/25");
	s.dst = "203.0.113.129";
	frame_ip4(&f, &s);
	do {
		assert_true(loop_now_ms() < end);
		router_rig_send(r, RIG_DATA, 0, &f);
		n = router_rig_stat(r, "blackhole");
	} while (n == 0);
	/* an address that somebody gives the kernel is ours too */
	ip("address add 192.0.2.1/32 dev lo");
	ip("link set lo up");
	f = to_router(1, ETH0, "192.0.2.1");
	frame_icmp(&f, 8, 0);
	do {
		assert_true(loop_now_ms() < end);
		router_rig_send(r, RIG_DATA, 0, &f);
	} while (router_rig_stat(r, "icmp_echo_reply") == 0);
	/* gone, gone */
	ip("route del 203.0.113.0/24");
	n = router_rig_stat(r, "no_route");
	s.dst = "203.0.113.5";
	frame_ip4(&f, &s);
	do {
		assert_true(loop_now_ms() < end);
		router_rig_send(r, RIG_DATA, 0, &f);
	} while (router_rig_stat(r, "no_route") == n);
	close(fd);
}

static void
neighbours_of_the_kernel_are_ours(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.1.1", 5000);
	struct frame_spec s = lab_towards_b();
	uint64_t end = loop_now_ms() + LONG_MS;
	uint8_t mac[6];
	struct rig_out o;
	struct frame f;

	ip("neigh add 198.18.1.9 lladdr 0e:00:00:00:00:99 dev eth1 "
	   "nud permanent");
	s.dst = "198.18.1.9";
	frame_ip4(&f, &s);
	do {
		assert_true(loop_now_ms() < end);
		router_rig_send(r, RIG_DATA, 0, &f);
	} while (!router_rig_receive(r, 1, IP, 50, &o));
	frame_mac("0e:00:00:00:00:99", mac);
	assert_memory_equal(o.frame.b, mac, 6);
	close(fd);
}

static void
off_takes_all_away(void **state)
{
	struct router_rig *r = rig_of(state);
	int fd = udp_socket(r, "198.18.1.1", 5000);
	uint64_t end = loop_now_ms() + LONG_MS;

	close(fd);
	router_rig_configure(r, "generation 8\nhostname r1\ntwins off\n"
				"vnic 0 eth0 mac " ETH0 " mtu 1500\n"
				"address eth0 198.18.0.1/24\n" END);
	while (if_nametoindex("eth0") != 0 || if_nametoindex("eth1") != 0) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
}

int
main(void)
{
#define ROUTER_TEST(f) \
	cmocka_unit_test_setup_teardown(f, router_set_up, router_tear_down)
	const struct CMUnitTest tests[] = {
		ROUTER_TEST(a_daemon_hears_and_speaks),
		ROUTER_TEST(groups_of_the_link_go_up),
		ROUTER_TEST(a_question_has_one_answer),
		ROUTER_TEST(the_kernel_says_that_nobody_listens),
		ROUTER_TEST(routes_of_the_kernel_are_in_force),
		ROUTER_TEST(neighbours_of_the_kernel_are_ours),
		ROUTER_TEST(off_takes_all_away),
	};

	has_namespace = enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
