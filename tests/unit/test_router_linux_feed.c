/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_linux_feed: what the kernel says, told to the fast path; the kernel
 * is a socket pair.
 */
#include "lib/base.h"
#include "router/linux_feed.h"
#include "tests/unit/nl_maker.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct ip6
address(const char *text)
{
	uint8_t b[16];

	if (!strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET, text, b), 1);
		return ip6_of_ip4(load_be32(b));
	}
	assert_int_equal(inet_pton(AF_INET6, text, b), 1);
	return ip6_load(b);
}

#define assert_ip(a, text) assert_true(ip6_is_equal(a, address(text)))

enum { HEARD_MAX = 64 };

struct rig {
	struct linux_feed f;
	int events, requests; /* the kernel's ends */
	uint64_t now_ms;
	bool refuses; /* the sink */
	unsigned n_routes, n_neighbours;
	struct linux_route route[HEARD_MAX];
	struct linux_neighbour neighbour[HEARD_MAX];
};

static bool
take_route(void *arg, const struct linux_route *r)
{
	struct rig *g = arg;

	if (g->refuses)
		return false;
	assert_true(g->n_routes < HEARD_MAX);
	g->route[g->n_routes++] = *r;
	return true;
}

static bool
take_neighbour(void *arg, const struct linux_neighbour *n)
{
	struct rig *g = arg;

	if (g->refuses)
		return false;
	assert_true(g->n_neighbours < HEARD_MAX);
	g->neighbour[g->n_neighbours++] = *n;
	return true;
}

static const struct linux_sink sink = { take_route, take_neighbour };

/* With the vNICs eth0 and eth1. */
static int
set_up(void **state)
{
	char name[VNIC_MAX_VNICS][NETLINK_NAME] = { "eth0", "eth1" };
	struct rig *g = calloc(1, sizeof(*g));
	const int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int e[2], q[2];

	*state = g;
	assert_int_equal(socketpair(AF_UNIX, type, 0, e), 0);
	assert_int_equal(socketpair(AF_UNIX, type, 0, q), 0);
	g->events = e[1];
	g->requests = q[1];
	g->now_ms = 100000;
	assert_int_equal(linux_feed_open(&g->f, e[0], q[0], &sink, g), 0);
	linux_feed_set_names(&g->f, name);
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *g = *state;

	linux_feed_close(&g->f);
	close(g->events);
	close(g->requests);
	free(g);
	return 0;
}

static void
say(int fd, const struct nl_buf *b)
{
	assert_int_equal(send(fd, b->b, b->n, 0), b->n);
}

/* The question for this kind of table; its sequence. */
static uint32_t
expect_question(struct rig *g, unsigned type)
{
	uint8_t b[256];
	struct nlmsghdr h;

	linux_feed_turn(&g->f, g->now_ms);
	assert_true(recv(g->requests, b, sizeof(b), 0) > (int)sizeof(h));
	memcpy(&h, b, sizeof(h));
	assert_int_equal(h.nlmsg_type, type);
	assert_int_equal(h.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	return h.nlmsg_seq;
}

static void
expect_silence(struct rig *g)
{
	uint8_t b[256];

	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(recv(g->requests, b, sizeof(b), 0), -1);
}

/*
 * Answers all four questions: two links, and the routes in s[n]; meanwhile: an
 * event that comes between them.
 */
static void
tell_all_but(struct rig *g, const struct nl_route_spec *s, unsigned n,
    const struct nl_buf *meanwhile)
{
	struct nl_buf b = { 0 };
	uint32_t q = expect_question(g, RTM_GETLINK);

	if (meanwhile)
		say(g->events, meanwhile);
	nl_link(&b, false, 1, "lo", true, q);
	nl_link(&b, false, 5, "eth0", true, q);
	nl_link(&b, false, 6, "eth1", true, q);
	nl_done(&b, q, 0);
	say(g->requests, &b);
	b.n = 0;
	q = expect_question(g, RTM_GETROUTE);
	for (unsigned i = 0; i < n; i++) {
		struct nl_route_spec one = s[i];

		one.sequence = q;
		nl_route(&b, &one);
	}
	nl_done(&b, q, 0);
	say(g->requests, &b);
	b.n = 0;
	q = expect_question(g, RTM_GETROUTE);
	nl_done(&b, q, 0);
	say(g->requests, &b);
	b.n = 0;
	q = expect_question(g, RTM_GETNEIGH);
	nl_done(&b, q, 0);
	say(g->requests, &b);
	linux_feed_turn(&g->f, g->now_ms);
}

static void
tell_all(struct rig *g, const struct nl_route_spec *s, unsigned n)
{
	tell_all_but(g, s, n, NULL);
}

static const struct nl_route_spec to_seven = {
	.prefix = "198.18.7.0", .len = 24, .via = "198.18.0.9", .link = 5
};
static const struct nl_route_spec to_eight = {
	.prefix = "198.18.8.0", .len = 24, .via = "198.18.1.9", .link = 6
};

static void
event_route(struct rig *g, struct nl_route_spec s, bool is_gone)
{
	struct nl_buf b = { 0 };

	s.is_gone = is_gone;
	nl_route(&b, &s);
	say(g->events, &b);
	linux_feed_turn(&g->f, g->now_ms);
}

static void
all_that_is_there_is_told_then_events(void **state)
{
	struct rig *g = *state;

	tell_all(g, &to_seven, 1);
	assert_int_equal(g->n_routes, 1);
	assert_ip(g->route[0].prefix, "198.18.7.0");
	assert_int_equal(g->route[0].vnic, 0);
	expect_silence(g);
	event_route(g, to_eight, false);
	assert_int_equal(g->n_routes, 2);
	assert_int_equal(g->route[1].vnic, 1);
	event_route(g, to_seven, true);
	assert_int_equal(g->n_routes, 3);
	assert_true(g->route[2].is_gone);
	assert_ip(g->route[2].prefix, "198.18.7.0");
	assert_int_equal(linux_feed_timeout(&g->f, g->now_ms), -1);
}

static void
events_wait_while_a_table_is_told(void **state)
{
	struct rig *g = *state;
	struct nl_buf b = { 0 };
	struct nl_route_spec gone = to_seven;

	/* it goes while the table that has it is on its way */
	gone.is_gone = true;
	nl_route(&b, &gone);
	tell_all_but(g, &to_seven, 1, &b);
	linux_feed_turn(&g->f, g->now_ms);
	assert_true(g->n_routes > 0);
	assert_true(g->route[g->n_routes - 1].is_gone);
	assert_int_equal(linux_routes_count(g->f.routes), 0);
}

/* The socket is full: what it says is not all there was. */
static void
lost_events_are_made_up_by_a_whole_table(void **state)
{
	const struct nl_route_spec both[] = { to_seven, to_eight };
	struct rig *g = *state;
	static uint8_t long_one[NETLINK_BUFFER + 64];

	tell_all(g, both, 2);
	assert_int_equal(g->n_routes, 2);
	/* longer than our buffer: cut, as good as lost */
	assert_int_equal(
	    send(g->events, long_one, sizeof(long_one), 0), sizeof(long_one));
	g->now_ms += LINUX_FEED_AGAIN_MS;
	tell_all(g, &to_eight, 1);
	assert_int_equal(g->f.n_lost, 1);
	assert_int_equal(g->f.n_dumps, 2);
	assert_int_equal(g->n_routes, 3);
	assert_true(g->route[2].is_gone);
	assert_ip(g->route[2].prefix, "198.18.7.0");
}

static void
a_link_that_goes_down_makes_us_ask(void **state)
{
	struct rig *g = *state;
	struct nl_buf b = { 0 };

	tell_all(g, &to_seven, 1);
	nl_link(&b, false, 5, "eth0", false, 0);
	say(g->events, &b);
	g->now_ms += LINUX_FEED_AGAIN_MS;
	tell_all(g, NULL, 0); /* the kernel had said nothing of it */
	assert_int_equal(g->n_routes, 2);
	assert_true(g->route[1].is_gone);
}

static void
one_way_of_several_that_goes_makes_us_ask(void **state)
{
	struct {
		struct rtnexthop hop;
		struct nlattr a;
		uint8_t ip[4];
	} ways[2] = { 0 };
	struct nl_route_spec s = { .prefix = "198.18.7.0", .len = 24 };
	struct rig *g = *state;
	struct nl_buf b = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		ways[i].hop.rtnh_len = sizeof(ways[i]);
		ways[i].hop.rtnh_ifindex = (int)(5 + i);
		ways[i].a = (struct nlattr){ 8, RTA_GATEWAY };
		store_be32(ways[i].ip, i ? 0xc6120109 : 0xc6120009);
	}
	tell_all(g, NULL, 0);
	nl_route(&b, &s);
	nl_put(&b, RTA_MULTIPATH, ways, sizeof(ways));
	say(g->events, &b);
	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(g->n_routes, 1);
	assert_int_equal(g->route[0].vnic, 0);
	g->now_ms += LINUX_FEED_AGAIN_MS;
	event_route(g, to_seven, true);
	s.via = "198.18.1.9";
	s.link = 6;
	tell_all(g, &s, 1);
	assert_int_equal(g->route[g->n_routes - 1].vnic, 1);
	assert_false(g->route[g->n_routes - 1].is_gone);
}

static void
who_has_no_room_is_asked_again(void **state)
{
	struct rig *g = *state;

	tell_all(g, NULL, 0);
	g->refuses = true;
	event_route(g, to_seven, false);
	event_route(g, to_eight, false);
	event_route(g, to_seven, true);
	assert_int_equal(g->n_routes, 0);
	g->refuses = false;
	linux_feed_push(&g->f);
	assert_int_equal(g->n_routes, 2);
	assert_true(g->route[0].is_gone);
	assert_ip(g->route[1].prefix, "198.18.8.0");
	assert_false(g->route[1].is_gone);
}

static void
neighbours_are_told_and_static_ones_again(void **state)
{
	struct rig *g = *state;
	struct nl_buf b = { 0 };

	tell_all(g, NULL, 0);
	nl_neighbour(
	    &b, false, 5, "198.18.0.9", "0e:00:00:00:00:09", NUD_REACHABLE);
	nl_neighbour(
	    &b, false, 6, "198.18.1.9", "0e:00:00:00:01:09", NUD_PERMANENT);
	nl_neighbour(
	    &b, false, 99, "198.18.2.9", "0e:00:00:00:02:09", NUD_PERMANENT);
	nl_neighbour(&b, false, 5, "198.18.0.8", NULL, NUD_FAILED);
	say(g->events, &b);
	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(g->n_neighbours, 2);
	assert_int_equal(g->neighbour[0].vnic, 0);
	assert_ip(g->neighbour[0].ip, "198.18.0.9");
	assert_int_equal(g->neighbour[1].vnic, 1);
	assert_int_equal(g->neighbour[1].mac[5], 9);
	g->n_neighbours = 0;
	g->now_ms += LINUX_FEED_REPEAT_MS;
	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(g->n_neighbours, 1);
	assert_ip(g->neighbour[0].ip, "198.18.1.9");
	/* typed out again */
	b.n = 0;
	nl_neighbour(
	    &b, true, 6, "198.18.1.9", "0e:00:00:00:01:09", NUD_PERMANENT);
	say(g->events, &b);
	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(g->n_neighbours, 2);
	assert_true(g->neighbour[1].is_gone);
}

static void
a_vnic_that_comes_later_gets_its_routes(void **state)
{
	char name[VNIC_MAX_VNICS][NETLINK_NAME] = { "eth0", "", "eth9" };
	struct rig *g = *state;
	struct nl_buf b = { 0 };
	struct nl_route_spec s = to_seven;

	tell_all(g, NULL, 0);
	s.link = 9;
	event_route(g, s, false);
	assert_int_equal(g->n_routes, 1);
	assert_true(g->route[0].is_gone);
	linux_feed_set_names(&g->f, name);
	nl_link(&b, false, 9, "eth9", true, 0);
	say(g->events, &b);
	linux_feed_turn(&g->f, g->now_ms);
	assert_int_equal(g->n_routes, 2);
	assert_false(g->route[1].is_gone);
	assert_int_equal(g->route[1].vnic, 2);
}

static void
after_the_end_all_is_gone(void **state)
{
	const struct nl_route_spec both[] = { to_seven, to_eight };
	struct rig *g = *state;

	tell_all(g, both, 2);
	linux_feed_stop(&g->f);
	assert_false(linux_feed_is_open(&g->f));
	assert_int_equal(g->n_routes, 4);
	assert_true(g->route[2].is_gone && g->route[3].is_gone);
}

int
main(void)
{
#define FEED_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FEED_TEST(all_that_is_there_is_told_then_events),
		FEED_TEST(events_wait_while_a_table_is_told),
		FEED_TEST(lost_events_are_made_up_by_a_whole_table),
		FEED_TEST(a_link_that_goes_down_makes_us_ask),
		FEED_TEST(one_way_of_several_that_goes_makes_us_ask),
		FEED_TEST(who_has_no_room_is_asked_again),
		FEED_TEST(neighbours_are_told_and_static_ones_again),
		FEED_TEST(a_vnic_that_comes_later_gets_its_routes),
		FEED_TEST(after_the_end_all_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
