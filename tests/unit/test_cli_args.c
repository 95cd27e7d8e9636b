/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cli_args: what a command line of europactl is read as, and the path and
 * body of the request that it makes.
 */
#include "cli/body.h"
#include "cli/request.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX_WORDS = 24 };

/* Reads line, words with single spaces between; the texts live in buf. */
static int
read_line(const char *line, char *buf, struct globals *g, struct call *call,
    struct err *e)
{
	char *argv[MAX_WORDS], *save = NULL;
	int argc = 0;

	*g = (struct globals){ 0 };
	strcpy(buf, line);
	for (char *w = strtok_r(buf, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return args_read(argc, argv, g, call, e);
}

static void
expect_body(const char *line, const char *path, const char *body)
{
	struct globals g;
	struct call call;
	struct err e = { .msg = "" };
	char buf[512];
	json_t *doc = NULL;
	scoped_free char *text = NULL;
	scoped_free char *at = NULL;

	if (read_line(line, buf, &g, &call, &e) < 0 ||
	    body_build(&call, &doc, &e) < 0)
		fail_msg("%s: %s", line, e.msg);
	at = request_path(&call, &e);
	assert_string_equal(at, path);
	if (doc)
		text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
	if (body)
		assert_string_equal(text, body);
	else
		assert_null(doc);
	json_decref(doc);
	args_free(&call);
}

static void
rows_make_requests(void **state)
{
	(void)state;
	expect_body("router list", "/v1/routers", NULL);
	expect_body("router get r1", "/v1/routers/r1", NULL);
	expect_body("router get a/../b", "/v1/routers/a%2F..%2Fb", NULL);
	expect_body("router create r1", "/v1/routers", "{\"name\":\"r1\"}");
	expect_body("router stop r1", "/v1/routers/r1/power",
	    "{\"desired\":\"stopped\"}");
	expect_body("router restart r1 --scope dataplane",
	    "/v1/routers/r1/restart", "{\"scope\":\"dataplane\"}");
	expect_body("quota set r1 rx_pps=1M pids=64 tx_bps=null",
	    "/v1/routers/r1/quota",
	    "{\"limit\":{\"pids\":64,\"rx_pps\":\"1M\",\"tx_bps\":null}}");
	expect_body("route list r1 --source api",
	    "/v1/routers/r1/routes?source=api", NULL);
	expect_body("route add r1 192.0.2.0/24 --via 198.18.0.2",
	    "/v1/routers/r1/routes",
	    "{\"op\":\"add\",\"prefix\":\"192.0.2.0/24\","
	    "\"via\":\"198.18.0.2\"}");
	expect_body(
	    "pipeline rollback r1", "/v1/routers/r1/pipeline/rollback", "{}");
	expect_body("pipeline rollback r1 3",
	    "/v1/routers/r1/pipeline/rollback", "{\"revision\":3}");
	expect_body("pipeline revision r1 3",
	    "/v1/routers/r1/pipeline/revisions/3", NULL);
	expect_body("port create p0 net_af_packet0,iface=eth1 --mtu 9000",
	    "/v1/ports",
	    "{\"name\":\"p0\",\"spec\":{\"devargs\":"
	    "\"net_af_packet0,iface=eth1\",\"mtu\":9000}}");
}

static void
options_make_members(void **state)
{
	(void)state;
	expect_body("router create r1 "
		    "--vnic eth0,port=p0,vlan=42,address=198.18.0.1/24,"
		    "address=2001:db8::1/64,rx_pps=10k "
		    "--vnic up,router=r2,vnic=lan,mac=02:00:00:00:00:01 "
		    "--vnic t,port=p1,trunk --route 0.0.0.0/0,via=198.18.0.9",
	    "/v1/routers",
	    "{\"name\":\"r1\",\"spec\":{\"routes\":[{\"prefix\":"
	    "\"0.0.0.0/0\",\"via\":\"198.18.0.9\"}],\"vnics\":["
	    "{\"addresses\":[\"198.18.0.1/24\",\"2001:db8::1/64\"],"
	    "\"attach\":{\"match\":{\"vlan\":42},\"port\":\"p0\"},"
	    "\"name\":\"eth0\",\"quota\":{\"rx_pps\":\"10k\"}},"
	    "{\"attach\":{\"router\":\"r2\",\"vnic\":\"lan\"},"
	    "\"mac\":\"02:00:00:00:00:01\",\"name\":\"up\"},"
	    "{\"attach\":{\"port\":\"p1\",\"trunk\":true},\"name\":\"t\"}"
	    "]}}");
	expect_body("router set r1 --label a=5 --label b- --label x/y~z=w "
		    "--quota cpu_millis=500,mem_bytes=64MiB "
		    "--set spec.power=stopped --set spec.restart.max=3",
	    "/v1/routers/r1",
	    "{\"labels\":{\"a\":\"5\",\"b\":null,\"x/y~z\":\"w\"},"
	    "\"spec\":{\"power\":\"stopped\",\"quota\":{\"cpu_millis\":500,"
	    "\"mem_bytes\":\"64MiB\"},\"restart\":{\"max\":3}}}");
	expect_body("vnic add r1 eth2,port=p1,mac=02:00:00:00:00:09",
	    "/v1/routers/r1/vnics",
	    "{\"attach\":{\"port\":\"p1\"},\"mac\":\"02:00:00:00:00:09\","
	    "\"name\":\"eth2\"}");
	expect_body("vnic set r1 eth0 rx_pps=5k mtu=1400 address=192.0.2.1/24",
	    "/v1/routers/r1/vnics/eth0",
	    "{\"spec\":{\"addresses\":[\"192.0.2.1/24\"],\"mtu\":1400,"
	    "\"quota\":{\"rx_pps\":\"5k\"}}}");
}

static void
what_was_said_before_is_kept(void **state)
{
	struct globals g;
	struct call call;
	struct err e;
	char buf[256];

	(void)state;
	assert_int_equal(
	    read_line("--format json --project=blue router --debug get r1 "
		      "--timeout 7 --dry-run --fields name,uid --async",
		buf, &g, &call, &e),
	    0);
	assert_int_equal(g.format, FORMAT_JSON);
	assert_string_equal(g.project, "blue");
	assert_string_equal(g.fields, "name,uid");
	assert_int_equal(g.timeout_s, 7);
	assert_true(g.debug && g.dry_run && g.async && !g.quiet);
	assert_string_equal(call.command->verb, "get");
	assert_int_equal(call.n_words, 1);
	args_free(&call);
	assert_int_equal(read_line("node", buf, &g, &call, &e), 0);
	assert_null(call.command->verb);
	args_free(&call);
	assert_int_equal(read_line("node stop", buf, &g, &call, &e), 0);
	assert_string_equal(call.command->verb, "stop");
	args_free(&call);
	/* behind --, nothing is an option */
	assert_int_equal(read_line("api GET -- --x", buf, &g, &call, &e), 0);
	assert_string_equal(args_word(&call, 1), "--x");
	assert_null(args_word(&call, 2));
	args_free(&call);
	/* - alone is a word */
	assert_int_equal(read_line("route put r1 -", buf, &g, &call, &e), 0);
	assert_string_equal(args_word(&call, 1), "-");
	args_free(&call);
	assert_int_equal(read_line("top --count 3", buf, &g, &call, &e), 0);
	unsigned n = 0;

	assert_int_equal(args_number(&call, "--count", 5, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(args_number(&call, "--count", 2, &n, &e), -EINVAL);
	n = 9;
	assert_int_equal(args_number(&call, "--interval", 5, &n, &e), 0);
	assert_int_equal(n, 9);
	args_free(&call);
}

static void
wrong_lines_say_why(void **state)
{
	static const struct {
		const char *line, *words;
	} wrong[] = {
		{ "", "what is to be done" },
		{ "rooter list", "unknown command rooter" },
		{ "router", "wants a verb" },
		{ "router lst", "has no verb lst" },
		{ "router get", "usage: europactl router get ROUTER" },
		{ "router get a b", "usage: europactl router get ROUTER" },
		{ "stats", "usage: europactl stats ROUTER" },
		{ "quota set r1", "usage: europactl quota set ROUTER LIMIT" },
		{ "router list --nonsense", "unknown option --nonsense" },
		{ "router list --source api", "unknown option --source" },
		{ "router list --format", "--format wants FORMAT" },
		{ "router list --format=xml", "--format xml: want table" },
		{ "router list --debug=1", "--debug takes no value" },
		{ "router list --timeout x", "want seconds" },
	};
	static const char *const bad_bodies[] = { "quota set r1 nonsense",
		"router create r1 --vnic eth0,port", "vnic add r1 ,port=p0",
		"router create r1 --vnic eth0,colour=red",
		"vnic add r1 eth2,port=p1,match.mac=02:00:00:00:00:09",
		"router create r1 --label a", "router create r1 --set x",
		"router create r1 --set =5", "router set r1 --label -",
		"router create r1 -f /nonexistent" };
	struct globals g;
	struct call call;
	struct err e;
	char buf[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(
		    read_line(wrong[i].line, buf, &g, &call, &e), -EINVAL);
		if (!strstr(e.msg, wrong[i].words))
			fail_msg("%s: %s", wrong[i].line, e.msg);
		args_free(&call);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_bodies); i++) {
		json_t *doc = NULL;

		assert_int_equal(
		    read_line(bad_bodies[i], buf, &g, &call, &e), 0);
		e.msg[0] = '\0';
		if (body_build(&call, &doc, &e) >= 0 || doc || !e.msg[0])
			fail_msg("%s is taken", bad_bodies[i]);
		args_free(&call);
	}
}

/* The rows promise things of each other that no compiler sees. */
static void
rows_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];
		struct word w;

		assert_non_null(c->help);
		assert_true((c->run != NULL) != (c->method != NULL));
		if (c->method)
			assert_non_null(c->columns);
		assert_ptr_equal(c->verb ? command_find(c->noun, c->verb)
					 : command_alone(c->noun),
		    c);
		for (unsigned k = 0; command_word(c, k, &w); k++)
			assert_true(*w.name >= 'A' && *w.name <= 'Z');
		/* every part of a path is one of its words */
		for (const char *p = c->path ? strchr(c->path, '{') : NULL; p;
		     p = strchr(p + 1, '{')) {
			char name[WORD_SIZE] = "";
			bool found = false;

			assert_int_equal(sscanf(p, "{%31[A-Z_]}", name), 1);
			for (unsigned k = 0; command_word(c, k, &w); k++)
				found = found || strcmp(w.name, name) == 0;
			assert_true(found);
		}
		for (const struct option *o = c->options; o && o->name; o++) {
			assert_non_null(o->help);
			assert_ptr_equal(command_option(c, o->name), o);
			assert_true(*o->name != '-' || o->meta ||
				    o->kind == OPTION_OWN ||
				    o->kind == OPTION_QUERY);
		}
	}
}

static void
pointers_lead_there(void **state)
{
	json_t *doc = json_object();
	char *text;

	(void)state;
	assert_int_equal(body_put(doc, "/a/b", json_integer(1)), 0);
	assert_int_equal(body_put(doc, "/a/c/-", json_integer(2)), 0);
	assert_int_equal(body_put(doc, "/a/c/-", json_integer(3)), 0);
	assert_int_equal(body_put(doc, "/~0x~1y", json_true()), 0);
	assert_int_equal(body_put(doc, "/z", NULL), -EINVAL);
	assert_int_equal(body_put(doc, "", json_true()), -EINVAL);
	text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(
	    text, "{\"a\":{\"b\":1,\"c\":[2,3]},\"~x/y\":true}");
	free(text);
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_make_requests),
		cmocka_unit_test(options_make_members),
		cmocka_unit_test(what_was_said_before_is_kept),
		cmocka_unit_test(wrong_lines_say_why),
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(pointers_lead_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
