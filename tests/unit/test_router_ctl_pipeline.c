/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_ctl_pipeline: the socket of a whole europa-router: pipelines that
 * are put and rolled back, what their steps cost, and what they do to an
 * imaginary packet.
 */
#include "tests/unit/ctl_client.h"
#include "tests/unit/router_lab.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HAS(answer, what) assert_non_null(strstr(answer, what))
#define HAS_NOT(answer, what) assert_null(strstr(answer, what))

/* A packet from A to behind B comes out. */
static void
expect_packet(struct router_rig *r)
{
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
pipelines_are_put_and_rolled_back(void **state)
{
	static const char good[] = "local pipeline = require \"pipeline\"\n"
				   "pipeline.steps:remove(\"filter\")\n"
				   "return pipeline\n";
	struct router_rig *r = *state;
	int fd = ctl_connect(r);

	HAS(ctl_ask(r, fd, true, "show pipeline", NULL),
	    "{\"running\":0,\"revisions\":[{\"number\":0,\"state\":"
	    "\"running\"");
	HAS(ctl_ask(r, fd, true, "put pipeline alice", good),
	    "{\"number\":1,\"state\":\"running\",\"previous\":0,");
	HAS(ctl_ask(r, fd, true, "put pipeline bob", "return 1\n"),
	    "\"state\":\"refused\"");
	HAS(ctl_ask(r, fd, true, "put pipeline bob", "this is no Lua\n"),
	    "pipeline.lua:1: ");
	HAS(ctl_ask(r, fd, true, "show pipeline", NULL), "{\"running\":1,");
	HAS(ctl_ask(r, fd, true, "show revision 1", NULL),
	    "0 given up\",\"text\":\"local pipeline = "
	    "require \\\"pipeline\\\"\\npipeline.steps:remove");
	/* whatever a text is, the answer is JSON in UTF-8 */
	ctl_ask(r, fd, true, "put pipeline bob",
	    "-- \xff\xc3\xa9\xc3 \"\\\x01\xed\xa0\x80\n");
	HAS(ctl_ask(r, fd, true, "show revision 4", NULL),
	    "\"text\":\"-- ?\xc3\xa9? \\\"\\\\\\u0001???\\n\"}\n");
	HAS(ctl_ask(r, fd, false, "show revision 9", NULL), "missing");
	HAS(ctl_ask(r, fd, false, "rollback pipeline 2", NULL), "missing");
	HAS(ctl_ask(r, fd, true, "rollback pipeline 0", NULL),
	    "{\"number\":0,\"state\":\"running\"");
	HAS(ctl_ask(r, fd, true, "rollback pipeline 1", NULL),
	    "{\"number\":1,\"state\":\"running\"");
	HAS(ctl_ask(r, fd, false, "put pipeline bob", NULL), "invalid");
	close(fd);
}

/* --- what steps do -------------------------------------------------------- */

static void
a_traced_packet_tells_its_way(void **state)
{
	struct router_rig *r = *state;
	const char *answer;
	uint64_t rx;
	int fd;

	lab_resolve_b(r);
	rx = router_rig_stat(r, "rx");
	fd = ctl_connect(r);
	answer = ctl_ask(r, fd, true, "trace packet",
	    "src 198.18.0.2 dst 198.19.3.4 udp 53 in eth0 ttl 9");
	HAS(answer, "{\"step\":\"check_ip4\",\"result\":\"goes on\"}");
	HAS(answer, "{\"step\":\"ttl4\",\"result\":\"goes on, ttl 8\"}");
	HAS(answer, "{\"step\":\"rewrite\",\"result\":\"changes it\"}");
	HAS(answer, "\"fate\":\"forwarded\",\"by\":\"transmit\","
		    "\"interface\":\"eth1\",\"gateway\":\"198.18.1.7\","
		    "\"mac\":\"" HOST_B "\"}");
	answer = ctl_ask(r, fd, true, "trace packet",
	    "dst 198.19.3.4 src 198.18.0.2 ttl 1 icmp");
	HAS(answer, "{\"step\":\"ttl4\",\"result\":\"to the slow path: "
		    "ttl_expired\"}],\"fate\":\"ttl_expired\"");
	HAS(ctl_ask(r, fd, true, "trace packet",
		"src 127.0.0.1 dst 198.19.3.4 tcp 80"),
	    "\"result\":\"drops it: martian_source\"");
	HAS(ctl_ask(r, fd, true, "trace packet",
		"src 198.18.0.2 dst 203.0.113.1 len 1000 df"),
	    "\"fate\":\"no_route\",\"by\":\"lookup\"");
	HAS(ctl_ask(r, fd, true, "trace packet",
		"src 198.18.0.2 dst 198.19.3.4 len 1450 df"),
	    "\"fate\":\"too_big_df\"");
	answer = ctl_ask(r, fd, true, "trace packet",
	    "src 2001:db8::5 dst 2001:db8::77 proto 89");
	HAS(answer, "\"fate\":\"to_slow_unresolved\"");
	HAS(answer, "\"gateway\":\"2001:db8::77\",\"mac\":null}");
	/* nothing of it was counted or sent */
	assert_int_equal(router_rig_stat(r, "rx"), rx);
	assert_int_equal(router_rig_stat(r, "no_route"), 0);
	close(fd);
}

/* Steps of the owner's do what they do elsewhere, in another process. */
static void
own_steps_are_traced(void **state)
{
	static const char text[] =
	    "local pipeline = require \"pipeline\"\n"
	    "local router = require \"router\"\n"
	    "pipeline.steps:after(\"check_ip4\", \"mine\",\n"
	    "   function(tables, batch)\n"
	    "      for i in router.frames(batch) do\n"
	    "         local ip = batch.frame[i].data + 14\n"
	    "         local port = router.be16(ip + 22)\n"
	    "         if port == 1 then router.drop(batch, i) end\n"
	    "         if port == 2 then error(\"two\") end\n"
	    "         while port == 3 do end\n"
	    "      end\n"
	    "   end)\n"
	    "return pipeline\n";
	struct router_rig *r = *state;
	const char *answer;
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	HAS(ctl_ask(r, fd, true, "put pipeline me", text), "\"running\"");
	answer = ctl_ask(r, fd, true, "trace packet",
	    "src 198.18.0.2 dst 198.19.3.4 udp 53");
	HAS(answer, "{\"pipeline\":1,");
	HAS(answer, "{\"step\":\"mine\",\"result\":\"goes on\"}");
	HAS(answer, "\"fate\":\"forwarded\"");
	answer = ctl_ask(
	    r, fd, true, "trace packet", "src 198.18.0.2 dst 198.19.3.4 udp 1");
	HAS(answer, "{\"step\":\"mine\",\"result\":\"drops it: "
		    "pipeline_drop\"}],\"fate\":\"pipeline_drop\"");
	answer = ctl_ask(
	    r, fd, true, "trace packet", "src 198.18.0.2 dst 198.19.3.4 udp 2");
	HAS(answer, "\"fate\":\"pipeline_error\"");
	HAS(answer, "1.lua:9: two");
	answer = ctl_ask(
	    r, fd, true, "trace packet", "src 198.18.0.2 dst 198.19.3.4 udp 3");
	HAS(answer, "\"why\":\"it ");
	/* the router is as it was */
	expect_packet(r);
	HAS(ctl_ask(r, fd, true, "show pipeline", NULL), "{\"running\":1,");
	close(fd);
}

/* One after another until there is an answer; how many. */
static unsigned
packets_until_answered(struct router_rig *r, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned n;

	for (n = 0; poll(&p, 1, 0) == 0; n++)
		expect_packet(r);
	return n;
}

/* Measured while somebody asks, for the packets that come then. */
static void
steps_tell_their_time(void **state)
{
	struct router_rig *r = *state;
	unsigned long n, n_sent;
	const char *at;
	bool ok;
	int fd;

	lab_resolve_b(r);
	fd = ctl_connect(r);
	for (unsigned lua = 0; lua < 2; lua++) {
		router_rig_configure(r,
		    lua ? CONF "pipeline lua\n" END : CONF "pipeline c\n" END);
		for (const char *what = NULL;
		     !what ||
		     !strstr(what, lua ? "pipeline in Lua" : "pipeline in C");)
			what = ctl_ask(r, fd, true, "show pipeline", NULL);
		ctl_say(fd, "time pipeline 1000 0\n", 21);
		n_sent = packets_until_answered(r, fd);
		at = ctl_hear(r, fd, &ok);
		assert_true(ok);
		at = strstr(at, "{\"step\":\"lookup4\",\"packets\":");
		assert_non_null(at);
		n = strtoul(strstr(at, "packets\":") + 9, NULL, 10);
		/* some of them came before it began, or after its end */
		assert_in_range(n, 1, n_sent);
		at = strstr(at, "ns_per_packet");
		assert_true(strtod(at + 15, NULL) > 0);
	}
	HAS(ctl_ask(r, fd, true, "time pipeline 0", NULL),
	    "\"packets\":0,\"steps\":[{\"step\":\"receive\"");
	HAS(ctl_ask(r, fd, false, "time pipeline 10001", NULL), "invalid");
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipelines_are_put_and_rolled_back),
		TEST(a_traced_packet_tells_its_way),
		TEST(own_steps_are_traced),
		TEST(steps_tell_their_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
