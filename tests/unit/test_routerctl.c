/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_routerctl: the command line of a router: what it prints, how it ends, and
 * what it makes of answers that are none.
 */
#include "router/routerctl.h"

#include "lib/base.h"
#include "tests/unit/router_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { MAX_OUT = 1 << 20 };

static char out[MAX_OUT];

/* --- JSON ----------------------------------------------------------------- */

static void
answers_are_read(void **state)
{
	char text[] = " {\"a\": [1, -2.5e3, true , null],\n"
		      "\"b\\n\": {\"c\":\"x\\u00e9\\\\\\\"\\/\"}, \"d\":[],"
		      "\"e\":{}, \"f\":7}\n";
	const struct json_node *all, *list, *c;
	static const char *const expected[] = { "1", "-2.5e3", "true", "" };
	struct json j;
	unsigned n = 0;

	(void)state;
	assert_int_equal(json_read(&j, text), 0);
	all = &j.node[0];
	list = json_get(&j, all, "a");
	assert_non_null(list);
	for (c = json_first(&j, list); c; c = json_next(&j, list, c))
		assert_string_equal(c->text, expected[n++]);
	assert_int_equal(n, ARRAY_SIZE(expected));
	c = json_get(&j, all, "b\n");
	assert_non_null(c);
	assert_string_equal(json_text(&j, c, "c", "-"), "x\u00e9\\\"/");
	assert_string_equal(json_text(&j, c, "d", "-"), "-");
	assert_null(json_first(&j, json_get(&j, all, "d")));
	assert_null(json_first(&j, json_get(&j, all, "e")));
	assert_string_equal(json_text(&j, all, "f", "-"), "7");
	json_free(&j);
}

static void
what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = { "", "x", "[]", "{", "{\"a\"",
		"{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}",
		"{a:1}", "{\"a\":1}x", "{\"a\":tru}", "{\"a\":\"x}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u0000\"}",
		"{\"a\":\"\n\"}", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{\"a\":]}",
		"{\"a\":[[[[[[[[[[]]]]]]]]]]}", "{\"a\":'x'}", "{,}" };
	char text[64];
	struct json j;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(text, bad[i]);
		assert_int_equal(json_read(&j, text), -EBADMSG);
		json_free(&j);
	}
}

/* --- the program ---------------------------------------------------------- */

/* Runs it with what the shell makes of args. Returns its exit status. */
static int
run(const char *socket, const char *args)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char line[1024];
	size_t n;
	FILE *in;
	int status;

	snprintf(line, sizeof(line), "{ '%s/routerctl' -s %s %s\n} 2>&1",
	    build ? build : ".", socket, args);
	in = popen(line, "re");
	assert_non_null(in);
	n = fread(out, 1, sizeof(out) - 1, in);
	out[n] = '\0';
	status = pclose(in);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
ctl(const struct router_rig *r, const char *args)
{
	char socket[128];

	snprintf(socket, sizeof(socket), "%s/" CTL_SOCKET, r->dir);
	return run(socket, args);
}

#define SAYS(what) assert_non_null(strstr(out, what))

static void
routes_are_changed_and_shown(void **state)
{
	struct router_rig *r = *state;

	assert_int_equal(ctl(r, "add route 203.0.113.0/24 via 198.18.1.7"), 0);
	assert_string_equal(out, "");
	assert_int_equal(ctl(r, "show routes api"), 0);
	assert_string_equal(out,
	    "PREFIX                   GATEWAY                  INTERFACE  "
	    "SOURCE     ACTIVE\n"
	    "203.0.113.0/24           198.18.1.7               eth1       "
	    "api        yes\n");
	assert_int_equal(ctl(r, "-j show routes static"), 0);
	SAYS("{\"routes\":[{\"prefix\":\"192.0.2.0/24\",\"source\":\"static\"");
	assert_int_equal(ctl(r, "delete route 203.0.113.0/24"), 0);
	assert_int_equal(ctl(r, "delete route 203.0.113.0/24"), 1);
	SAYS("routerctl: no such route: 203.0.113.0/24\n");
	assert_int_equal(ctl(r, "add route 203.0.113.0/24 via 192.0.2.1"), 1);
	SAYS("the gateway is on none of our networks: 192.0.2.1");
}

/* More than a request takes, and more than a page shows. */
static void
many_lines_are_many_requests(void **state)
{
	struct router_rig *r = *state;

	assert_int_equal(
	    ctl(r, "change routes << END\n$(seq -f 'add 203.0.%g.0/24 via "
		   "198.18.1.7' 0 255; seq -f 'add 10.%g.0.0/16 via "
		   "198.18.1.8' 0 255)\nEND\n"),
	    0);
	SAYS("512 added, 0 changed, 0 deleted, 0 not there\n");
	assert_int_equal(ctl(r, "-j show routes api"), 0);
	SAYS("\"prefix\":\"10.0.0.0/16\"");
	SAYS("\"prefix\":\"203.0.255.0/24\"");
	assert_int_equal(
	    ctl(r, "replace routes << END\n$(for i in $(seq 0 15); do seq -f "
		   "\"add 10.$i.%g.0/24 via 198.18.1.8\" 0 255; done)\nEND\n"),
	    0);
	assert_int_equal(ctl(r, "show routes api | wc -l"), 0);
	SAYS("4097\n");
	assert_int_equal(
	    ctl(r, "add route -f - << END\n$(for i in $(seq 0 9); do seq -f "
		   "\"10.$i.%g.0/24 via 198.18.1.9\" 0 255; done)\n10.0.0.0/9\n"
		   "END\n"),
	    1);
	SAYS("routerctl: line 2561: expected: add PREFIX");
}

static void
everything_can_be_shown(void **state)
{
	struct router_rig *r = *state;
	char line[80];

	lab_resolve_b(r);
	assert_int_equal(ctl(r, "show neighbours"), 0);
	SAYS("198.18.1.7                   eth1       " HOST_B "  known");
	assert_int_equal(ctl(r, "show interfaces"), 0);
	SAYS("eth0     up     " ETH0 "   1500 198.18.0.1/24 2001:db8::1/64\n");
	assert_int_equal(ctl(r, "show counters"), 0);
	snprintf(line, sizeof(line), "\n%-32s %20s\n", "rx", "2");
	SAYS(line);
	assert_int_equal(ctl(r, "show drops"), 0);
	SAYS("MODULE");
	assert_int_equal(ctl(r, "show pipeline"), 0);
	SAYS("0 running    -                     europa-router");
	assert_int_equal(ctl(r, "show pipeline --time 10"), 0);
	SAYS("\nhop_limit6 ");
	assert_int_equal(ctl(r, "show revision 0 | head -n 1"), 0);
	assert_string_equal(out, "-- SPDX-License-Identifier: Apache-2.0\n");
	assert_int_equal(ctl(r, "trace src 198.18.0.2 dst 198.19.0.1"), 0);
	SAYS("ttl4                 goes on, ttl 63\n");
	SAYS("forwarded interface eth1 gateway 198.18.1.7 mac " HOST_B "\n");
	assert_int_equal(
	    ctl(r, "pipeline put - me << END\nreturn 1\nEND\n"), 1);
	SAYS("routerctl: revision 1 is refused: ");
	assert_int_equal(ctl(r, "pipeline rollback 0"), 0);
	SAYS("revision 0 is running\n");
}

static void
it_ends_with_what_went_wrong(void **state)
{
	struct router_rig *r = *state;
	static const char *const usage[] = { "", "x", "show", "show x",
		"show routes api now", "add", "add route", "add route -f",
		"delete x y", "change", "pipeline", "pipeline put",
		"pipeline put /dev/null me", "trace", "-x show routes",
		"change routes /nonexistent", "show pipeline --time 1 2" };

	for (size_t i = 0; i < ARRAY_SIZE(usage); i++)
		if (ctl(r, usage[i]) != 2)
			fail_msg("%s: %s", usage[i], out);
	assert_int_equal(ctl(r, "show revision 77"), 1);
	SAYS("routerctl: revision 77 is not there");
	assert_int_equal(run("/nonexistent/socket", "show routes"), 3);
	SAYS("routerctl: /nonexistent/socket: No such file or directory");
}

/* --- a router that is none ------------------------------------------------ */

/* Answers one request with this, in a process of its own. */
static pid_t
impostor(const char *path, const char *answer)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[256];
	pid_t pid;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int c = accept(fd, NULL, NULL);

		if (recv(c, request, sizeof(request), 0) > 0)
			(void)send(c, answer, strlen(answer), MSG_NOSIGNAL);
		_exit(0);
	}
	close(fd);
	return pid;
}

static void
answers_that_are_none_end_it(void **state)
{
	static const char *const bad[] = {
		"", "ok", "ok \n", "ok 3\n", "ok x\n", "ok -1\n",
		"ok 99999999\n", "maybe 3\n{}\n", "ok 3\n{]\n", "ok 3 \n{}\n",
		"ok 4\n[1]\n",
		"oooooooooooooooooooooooooooooooooooooooooooooooooooooook 3\n"
	};
	struct router_rig *r = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/false.sock", r->dir);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		pid_t pid = impostor(path, bad[i]);

		if (run(path, "show drops") != 3)
			fail_msg("%s: %s", bad[i], out);
		waitpid(pid, NULL, 0);
	}
}

/* What a router says commands no terminal. */
static void
control_characters_are_not_printed(void **state)
{
	static const char answer[] =
	    "ok 66\n{\"drops\":[{\"module\":\"a\\u001b[2J\",\"reason\":\"b\","
	    "\"packets\":1}]}     \n";
	struct router_rig *r = *state;
	char path[128];
	pid_t pid;

	assert_int_equal(strlen(strchr(answer, '\n') + 1), 66);
	snprintf(path, sizeof(path), "%s/false.sock", r->dir);
	pid = impostor(path, answer);
	assert_int_equal(run(path, "show drops"), 0);
	SAYS("a?[2J");
	waitpid(pid, NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(what_is_no_json_is_refused),
		TEST(routes_are_changed_and_shown),
		TEST(many_lines_are_many_requests),
		TEST(everything_can_be_shown),
		TEST(it_ends_with_what_went_wrong),
		TEST(answers_that_are_none_end_it),
		TEST(control_characters_are_not_printed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
