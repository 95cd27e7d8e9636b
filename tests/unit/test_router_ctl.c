/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_ctl: the socket of a whole europa-router: what it says, what it
 * takes, what packets then do, and who says nonsense to it.
 */
#include "lib/base.h"
#include "router/ctl.h"
#include "tests/unit/ctl_client.h"
#include "tests/unit/router_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HAS(answer, what) assert_non_null(strstr(answer, what))
#define HAS_NOT(answer, what) assert_null(strstr(answer, what))

/* A packet from A to dst must leave at eth1 towards B, or not at all. */
static void
expect_way(struct router_rig *r, const char *dst, bool is_there)
{
	uint64_t n = router_rig_stat(r, "no_route");
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	s.dst = dst;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	if (!is_there) {
		assert_int_equal(router_rig_await(r, "no_route", n + 1), n + 1);
		return;
	}
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

/* What was sent and nobody wanted. */
static void
drain(struct router_rig *r)
{
	struct rig_out o;

	for (unsigned i = 0; i < 2; i++)
		while (router_rig_receive(r, i, ARP, 0, &o) ||
		       router_rig_receive(r, i, IP, 0, &o) ||
		       router_rig_receive(r, i, IP6, 0, &o))
			;
}

static void
routes_of_the_socket_forward_packets(void **state)
{
	struct router_rig *r = *state;
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	expect_way(r, "203.0.113.5", false);
	HAS(ctl_ask(r, fd, true, "change routes",
		"add 203.0.113.0/24 via 198.18.1.7\n"
		"add 2001:db8:5::/48 via 2001:db8::9\n"),
	    "{\"added\":2,\"changed\":0,\"deleted\":0,\"missing\":0}");
	expect_way(r, "203.0.113.5", true);
	HAS(ctl_ask(r, fd, true, "show routes source api", NULL),
	    "{\"prefix\":\"203.0.113.0/24\",\"source\":\"api\",\"gateway\":"
	    "\"198.18.1.7\",\"interface\":\"eth1\",\"active\":true},"
	    "{\"prefix\":\"2001:db8:5::/48\",\"source\":\"api\",\"gateway\":"
	    "\"2001:db8::9\",\"interface\":\"eth0\",\"active\":true}]}");
	HAS(ctl_ask(r, fd, true, "change routes",
		"# a comment, and an empty line\n\n"
		"add 203.0.113.0/24 dev eth0\ndelete 192.0.2.0/30\n"),
	    "{\"added\":0,\"changed\":1,\"deleted\":0,\"missing\":1}");
	HAS(ctl_ask(r, fd, true, "change routes", "delete 203.0.113.0/24"),
	    "\"deleted\":1");
	expect_way(r, "203.0.113.5", false);
	close(fd);
}

/* What the node says stays in force beside what is said here. */
static void
static_routes_are_preferred(void **state)
{
	struct router_rig *r = *state;
	const char *answer;
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	ctl_ask(r, fd, true, "change routes",
	    "add 198.19.0.0/16 via 198.18.0.99\nadd 198.18.1.0/24 via "
	    "198.18.0.99\n");
	expect_way(r, "198.19.0.1", true);
	answer = ctl_ask(r, fd, true, "show routes", NULL);
	HAS(answer, "{\"prefix\":\"198.18.1.0/24\",\"source\":\"connected\","
		    "\"gateway\":null,\"interface\":\"eth1\",\"active\":true}");
	HAS(answer, "{\"prefix\":\"198.19.0.0/16\",\"source\":\"static\","
		    "\"gateway\":\"198.18.1.7\",\"interface\":\"eth1\","
		    "\"active\":true}");
	HAS(answer, "{\"prefix\":\"198.19.0.0/16\",\"source\":\"api\","
		    "\"gateway\":\"198.18.0.99\",\"interface\":\"eth0\","
		    "\"active\":false}");
	HAS(answer, "{\"prefix\":\"198.18.1.0/24\",\"source\":\"api\","
		    "\"gateway\":\"198.18.0.99\",\"interface\":\"eth0\","
		    "\"active\":false}");
	close(fd);
}

/* A new configuration keeps them; a gateway that is gone comes back. */
static void
they_outlive_configurations_and_the_process(void **state)
{
	struct router_rig *r = *state;
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	ctl_ask(r, fd, true, "change routes",
	    "add 203.0.113.0/24 via 198.18.1.7\n");
	router_rig_configure(r,
	    "generation 8\nvnic 0 eth0 mac " ETH0 " mtu 1500\n"
	    "address eth0 198.18.0.1/24\n"
	    "vnic 1 eth1 mac " ETH1 " mtu 1500\nend\n");
	while (router_rig_stat(r, NULL) != 8)
		router_rig_turn(r);
	expect_way(r, "203.0.113.5", false);
	HAS(ctl_ask(r, fd, true, "show routes source api", NULL),
	    "\"interface\":null,\"active\":false");
	router_rig_configure(r, CONF END);
	while (router_rig_stat(r, NULL) != 7)
		router_rig_turn(r);
	close(fd);

	router_rig_kill(r);
	drain(r);
	lab_start(r);
	lab_resolve_b(r);
	expect_way(r, "203.0.113.5", true);
	fd = ctl_connect(r);
	HAS(ctl_ask(r, fd, true, "show routes source api", NULL),
	    "\"prefix\":\"203.0.113.0/24\"");
	close(fd);
}

/* --- whole tables --------------------------------------------------------- */

/* as many as make a large table (slow_update.c) */
enum { N_ROUTES = 24000, PER_CHUNK = 1500 };

/* Adds first..end of 203.i.j.0/24, each towards one of three gateways. */
static void
add_chunk(struct router_rig *r, int fd, const char *words, unsigned first,
    unsigned end)
{
	static char body[CTL_MAX_BODY + 1];
	size_t n = 0;

	for (unsigned i = first; i < end; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n,
		    "add 203.%u.%u.0/24 via 198.18.1.%u\n", i / 256, i % 256,
		    7 + i % 3);
	assert_true(n < CTL_MAX_BODY);
	ctl_ask(r, fd, true, words, body);
}

/* Pages of all routes of source api: how many, each once. */
static unsigned
count_pages(struct router_rig *r, int fd)
{
	static uint8_t seen[N_ROUTES];
	char words[200] = "show routes source api", cursor[100];
	unsigned n = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned pages = 0; pages < N_ROUTES; pages++) {
		const char *answer = ctl_ask(r, fd, true, words, NULL), *next;
		unsigned i, j;

		for (const char *p = answer; (p = strstr(p, "\"203.")); p++) {
			assert_int_equal(sscanf(p, "\"203.%u.%u.", &i, &j), 2);
			n++;
			if (i * 256 + j < N_ROUTES)
				assert_int_equal(seen[i * 256 + j]++, 0);
		}
		next = strstr(answer, "\"next\":\"");
		if (!next)
			return n;
		assert_int_equal(sscanf(next + 8, "%99[^\"]", cursor), 1);
		snprintf(words, sizeof(words),
		    "show routes source api after %s", cursor);
	}
	fail_msg("the pages have no end");
	return 0;
}

static void
whole_tables_are_replaced_at_once(void **state)
{
	struct router_rig *r = *state;
	int fd, other;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	other = ctl_connect(r);
	ctl_ask(
	    r, fd, true, "change routes", "add 192.0.2.64/26 via 198.18.1.7\n");
	HAS(ctl_ask(r, fd, false, "replace routes end", NULL), "invalid");
	ctl_ask(r, fd, true, "replace routes begin", NULL);
	HAS(ctl_ask(r, other, false, "replace routes begin", NULL), "busy");
	for (unsigned i = 0; i < N_ROUTES; i += PER_CHUNK)
		add_chunk(r, fd, "replace routes add", i,
		    MIN(i + PER_CHUNK, (unsigned)N_ROUTES));
	/* nobody sees it yet */
	HAS(ctl_ask(r, other, true, "show routes source api", NULL),
	    "192.0.2.64/26");
	HAS(ctl_ask(r, fd, true, "replace routes end", NULL),
	    "{\"routes\":24000}");
	HAS_NOT(ctl_ask(r, other, true, "show routes source api", NULL),
	    "192.0.2.64/26");
	expect_way(r, "203.0.0.9", true);
	expect_way(r, "203.9.0.9", true); /* 9 * 256 % 3 == 0 */
	assert_int_equal(count_pages(r, other), N_ROUTES);

	/* who goes away leaves nothing behind */
	ctl_ask(r, fd, true, "replace routes begin", NULL);
	add_chunk(r, fd, "replace routes add", 0, 10);
	close(fd);
	for (;;) {
		bool ok;

		ctl_say(other, "replace routes begin 0\n", 23);
		ctl_hear(r, other, &ok);
		if (ok)
			break;
	}
	ctl_ask(r, other, true, "replace routes cancel", NULL);
	assert_int_equal(count_pages(r, other), N_ROUTES);
	close(other);
}

/* kill -9 at the moment of the answer brings no older table back. */
static void
a_table_that_is_answered_outlives_the_process(void **state)
{
	struct router_rig *r = *state;
	int fd = ctl_connect(r);

	ctl_ask(
	    r, fd, true, "change routes", "add 192.0.2.64/26 via 198.18.1.7\n");
	ctl_ask(r, fd, true, "replace routes begin", NULL);
	for (unsigned i = 0; i < N_ROUTES; i += PER_CHUNK)
		add_chunk(r, fd, "replace routes add", i,
		    MIN(i + PER_CHUNK, (unsigned)N_ROUTES));
	HAS(ctl_ask(r, fd, true, "replace routes end", NULL),
	    "{\"routes\":24000}");
	router_rig_kill(r);
	close(fd);

	lab_start(r);
	fd = ctl_connect(r);
	HAS_NOT(ctl_ask(r, fd, true, "show routes source api", NULL),
	    "192.0.2.64/26");
	assert_int_equal(count_pages(r, fd), N_ROUTES);
	close(fd);
}

/* More than one batch of the slow path, and all of them again. */
static void
many_changes_are_all_in_force_when_answered(void **state)
{
	struct router_rig *r = *state;
	char dst[32];
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	for (unsigned i = 0; i < N_ROUTES; i += PER_CHUNK) {
		unsigned last = MIN(i + PER_CHUNK, (unsigned)N_ROUTES) - 1;

		add_chunk(r, fd, "change routes", i, last + 1);
		while (last % 3 != 0)
			last--;
		snprintf(
		    dst, sizeof(dst), "203.%u.%u.1", last / 256, last % 256);
		expect_way(r, dst, true);
	}
	assert_int_equal(count_pages(r, fd), N_ROUTES);
	/* one that covers much is in force then too, like those around it */
	ctl_ask(r, fd, true, "change routes",
	    "add 96.0.0.0/3 via 198.18.1.7\nadd 64.0.0.0/2 via 198.18.1.7\n"
	    "delete 96.0.0.0/3\nadd 2000::/3 via 2001:db8::9\n");
	expect_way(r, "100.64.0.1", true);
	ctl_ask(r, fd, true, "replace routes begin", NULL);
	HAS(ctl_ask(r, fd, true, "replace routes end", NULL), "{\"routes\":0}");
	expect_way(r, "203.0.0.1", false);
	assert_int_equal(count_pages(r, fd), 0);
	close(fd);
}

/* --- the rest of show ------------------------------------------------------- */

static void
it_shows_what_there_is(void **state)
{
	struct router_rig *r = *state;
	const char *answer;
	struct stat st;
	char path[128];
	int fd;

	lab_resolve_b(r);
	snprintf(path, sizeof(path), "%s/" CTL_SOCKET, r->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = ctl_connect(r);
	HAS(ctl_ask(r, fd, true, "show neighbours", NULL),
	    "{\"address\":\"198.18.1.7\",\"interface\":\"eth1\",\"mac\":"
	    "\"" HOST_B "\",\"state\":\"known\",\"waiting\":0,\"due_ms\":");
	answer = ctl_ask(r, fd, true, "show interfaces", NULL);
	HAS(answer, "{\"name\":\"eth0\",\"index\":0,\"mac\":\"" ETH0
		    "\",\"mtu\":1500,\"up\":true,\"addresses\":["
		    "\"198.18.0.1/24\",\"2001:db8::1/64\"]}");
	HAS(answer, "\"mtu\":1400");
	router_rig_vnic(r, 1, false);
	answer = ctl_ask(r, fd, true, "show interfaces", NULL);
	HAS(answer, "\"mtu\":1400,\"up\":false");
	answer = ctl_ask(r, fd, true, "show counters", NULL);
	HAS(answer, "{\"generation\":7,\"counters\":{\"runt\":0,");
	HAS(answer, "\"arp_request_sent\":1,");
	expect_way(r, "203.0.113.5", false);
	HAS(ctl_ask(r, fd, true, "show drops", NULL),
	    "{\"module\":\"lookup\",\"reason\":\"no_route\",\"packets\":1}");
	close(fd);
}

/* --- what is wrong -------------------------------------------------------- */

static void
bad_requests_get_clear_errors(void **state)
{
	static const struct {
		const char *words, *body, *code;
	} bad[] = {
		{ "show", NULL, "unknown" },
		{ "show nothing", NULL, "unknown" },
		{ "show counters now", NULL, "invalid" },
		{ "show routes source here", NULL,
		    "there are connected, static, api and linux" },
		{ "show routes after here", NULL, "invalid" },
		{ "show routes after api/1.2.3.4/8", NULL, "invalid" },
		{ "show routes after connected/1.0.0.0/8", NULL, "invalid" },
		{ "show routes before", NULL, "invalid" },
		{ "show routes source api after static/1.0.0.0/8", NULL,
		    "invalid" },
		{ "show counters", "x", "invalid" },
		{ "open sesame", NULL, "unknown" },
		{ "change everything", NULL, "unknown" },
		{ "change routes", "sub 192.0.2.0/24", "invalid" },
		{ "change routes", "add 192.0.2.0/24", "invalid" },
		{ "change routes", "add 192.0.2.0/24 via", "invalid" },
		{ "change routes", "add 192.0.2.0 via 198.18.0.2", "invalid" },
		{ "change routes", "add 192.0.2.1/24 via 198.18.0.2",
		    "invalid" },
		{ "change routes", "add 192.0.2.0/33 via 198.18.0.2",
		    "invalid" },
		{ "change routes", "add 192.0.2.0/24 via 2001:db8::2",
		    "invalid" },
		{ "change routes", "add 2001:db8::/32 via 198.18.0.2",
		    "invalid" },
		{ "change routes", "add 192.0.2.0/24 via 0.0.0.0", "invalid" },
		{ "change routes", "add 192.0.2.0/24 dev eth9", "invalid" },
		{ "change routes", "add 192.0.2.0/24 dev eth0 via 198.18.0.2",
		    "invalid" },
		{ "change routes", "delete 192.0.2.0/24 now", "invalid" },
		{ "change routes", "delete 192.0.2.0/24\nadd x", "\"line\":2" },
		{ "change routes", "a b c d e f g h i", "invalid" },
		{ "change routes", "add 192.0.2.0/24 via 203.0.113.1",
		    "unreachable" },
		{ "replace routes add", "", "invalid" },
		{ "replace routes", NULL, "unknown" },
		{ "rollback pipeline x", NULL, "invalid" },
		{ "rollback pipeline 99999999999", NULL, "invalid" },
		{ "put pipeline", "x", "unknown" },
		{ "trace packet", "", "invalid" },
		{ "trace packet", "src 198.18.0.2", "invalid" },
		{ "trace packet", "src 198.18.0.2 dst 2001:db8::1", "invalid" },
		{ "trace packet", "src 198.18.0.2 dst 198.18.0.3 len 9",
		    "invalid" },
		{ "trace packet", "src 198.18.0.2 dst 198.18.0.3 ttl 256",
		    "invalid" },
		{ "trace packet", "src 198.18.0.2 dst 198.18.0.3 in eth7",
		    "not understood: in eth7; expected: src ADDRESS" },
		{ "trace packet", "src 198.18.0.2 dst 198.18.0.3 ttl",
		    "invalid" },
		{ "trace packet", "everything", "invalid" },
		{ "trace route", "src 198.18.0.2 dst 198.18.0.3", "unknown" },
	};
	struct router_rig *r = *state;
	int fd;

	fd = ctl_connect(r);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		HAS(ctl_ask(r, fd, false, bad[i].words, bad[i].body),
		    bad[i].code);
	/* none of it did anything, half or whole */
	HAS(ctl_ask(r, fd, true, "show routes source api", NULL),
	    "{\"routes\":[]}");
	close(fd);
}

static void
nonsense_ends_the_connection(void **state)
{
	static const char *const nonsense[] = { "\n", "show\n", " show 0\n",
		"show  routes 0\n", "show routes -1\n", "show routes 00\n",
		"show routes 0 \n", "show routes 99999999999999999999\n",
		"show routes 262145\n", "a b c d e f g h i 0\n", "sh\tow 0\n",
		"show routes 0\r\n" };
	char line[CTL_MAX_LINE + 1];
	struct router_rig *r = *state;
	bool ok;
	int fd;

	for (size_t i = 0; i <= ARRAY_SIZE(nonsense) + 1; i++) {
		fd = ctl_connect(r);
		memset(line, 'x', sizeof(line));
		if (i < ARRAY_SIZE(nonsense))
			ctl_say(fd, nonsense[i], strlen(nonsense[i]));
		else if (i == ARRAY_SIZE(nonsense))
			ctl_say(fd, line, sizeof(line));
		else
			ctl_say(fd, "sh\0w 0\n", 7);
		HAS(ctl_hear(r, fd, &ok), "malformed");
		assert_false(ok);
		assert_null(ctl_hear(r, fd, &ok));
		close(fd);
	}
}

/* As many as there may be; one more is told so, and one less is served. */
static void
clients_are_bounded(void **state)
{
	struct router_rig *r = *state;
	int fd[CTL_MAX_CLIENTS + 1];
	bool ok;

	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		fd[i] = ctl_connect(r);
		/* half a request must not hold up the others */
		ctl_ask(r, fd[i], true, "show routes", NULL);
		ctl_say(fd[i], "change routes 100\nadd", 21);
	}
	fd[CTL_MAX_CLIENTS] = ctl_connect(r);
	HAS(ctl_hear(r, fd[CTL_MAX_CLIENTS], &ok), "busy");
	assert_false(ok);
	close(fd[0]);
	close(fd[CTL_MAX_CLIENTS]);
	for (ok = false; !ok;) {
		fd[0] = ctl_connect(r);
		ctl_say(fd[0], "show counters 0\n", 16);
		ctl_hear(r, fd[0], &ok);
		if (!ok)
			close(fd[0]);
	}
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		close(fd[i]);
}

/* Who asks much and never reads holds nobody up, and gets all when he reads. */
static void
requests_may_be_sent_ahead(void **state)
{
	enum { AHEAD = 200 };
	struct router_rig *r = *state;
	int fd, other;
	bool ok;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	other = ctl_connect(r);
	for (unsigned i = 0; i < AHEAD; i++)
		ctl_say(fd, "show counters 0\n", 16);
	ctl_ask(r, other, true, "change routes",
	    "add 203.0.113.0/24 via 198.18.1.7\n");
	expect_way(r, "203.0.113.5", true);
	for (unsigned i = 0; i < AHEAD; i++) {
		HAS(ctl_hear(r, fd, &ok), "\"counters\"");
		assert_true(ok);
	}
	close(fd);
	close(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(routes_of_the_socket_forward_packets),
		TEST(static_routes_are_preferred),
		TEST(they_outlive_configurations_and_the_process),
		TEST(whole_tables_are_replaced_at_once),
		TEST(a_table_that_is_answered_outlives_the_process),
		TEST(many_changes_are_all_in_force_when_answered),
		TEST(it_shows_what_there_is),
		TEST(bad_requests_get_clear_errors),
		TEST(nonsense_ends_the_connection),
		TEST(clients_are_bounded),
		TEST(requests_may_be_sent_ahead),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
