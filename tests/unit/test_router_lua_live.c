/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_lua_live: the whole europa-router while its pipeline changes and
 * fails. The pipeline is the file p.lua beside router.conf; what became of it is
 * read from the list of revisions.
 */
#include "lib/base.h"
#include "lib/loop.h"
#include "tests/unit/router_lab.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define PIPELINE                                \
	"local pipeline = require 'pipeline'\n" \
	"local router = require 'router'\n"     \
	"local C = router.C\n"
/* What to do with packets by their IP identification; the texts know these two,
 * which no rehearsal has. */
enum { THREE = 7003, FOUR = 7004 };

#define AT_ID(what)                                                  \
	PIPELINE                                                     \
	"pipeline.steps:after('check_ip4', 'mine', function(t, b)\n" \
	"   for i in router.frames(b) do\n"                          \
	"      local id = router.be16(b.frame[i].data + 18)\n"       \
	"      " what "\n"                                           \
	"   end\n"                                                   \
	"end)\n"                                                     \
	"return pipeline\n"

/* A sanitizer keeps for some time what has been freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLACK_KIB = 128 << 10 };
#else
enum { SLACK_KIB = 512 };
#endif

static void
write_file(const struct router_rig *r, const char *name, const char *text)
{
	char path[160], new[170];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	snprintf(new, sizeof(new), "%s.new", path);
	f = fopen(new, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(new, path), 0);
}

/* The line of revision n in the list: "STATE ... WHY"; "" if there is none. */
static void
revision(const struct router_rig *r, unsigned n, char line[512])
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pipelines/list", r->dir);
	f = fopen(path, "r");
	while (f && fgets(line, 512, f))
		if (strtoul(line, NULL, 10) == n) {
			fclose(f);
			memmove(line, strchr(line, ' ') + 1,
			    strlen(strchr(line, ' ')));
			line[strcspn(line, "\n")] = '\0';
			return;
		}
	if (f)
		fclose(f);
	line[0] = '\0';
}

static void
await_revision(struct router_rig *r, unsigned n, const char *state)
{
	uint64_t end = loop_now_ms() + 10000;
	char line[512];

	for (;;) {
		revision(r, n, line);
		if (strncmp(line, state, strlen(state)) == 0)
			return;
		if (loop_now_ms() > end)
			fail_msg("revision %u: %s", n, line);
		router_rig_turn(r);
	}
}

static void
expect_why(const struct router_rig *r, unsigned n, const char *why)
{
	char line[512];

	revision(r, n, line);
	if (!strstr(line, why))
		fail_msg("revision %u: %s", n, line);
}

static void
start_with(struct router_rig *r, const char *text)
{
	char conf[2048];

	unsetenv("EUROPA_LAST_END");
	write_file(r, "p.lua", text);
	snprintf(conf, sizeof(conf), "pipeline %s/p.lua\n" CONF END, r->dir);
	router_rig_configure(r, conf);
	lab_start(r);
	await_revision(r, 1, "running");
	lab_resolve_b(r);
}

static int
set_up(void **state)
{
	struct router_rig *r = malloc(sizeof(*r));

	*state = r;
	return router_rig_open(r, 1400);
}

static int
tear_down(void **state)
{
	struct router_rig *r = *state;

	if (r->pid > 0)
		router_rig_check(r);
	router_rig_close(r);
	free(r);
	return 0;
}

static void
send_id(struct router_rig *r, unsigned id)
{
	struct frame_spec s = lab_towards_b();
	struct frame f;

	s.id = (uint16_t)id;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
}

static void
expect_id(struct router_rig *r, unsigned id)
{
	struct rig_out o;

	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(load_be16(o.frame.b + 18), id);
}

static unsigned
rss_kib(const struct router_rig *r)
{
	char path[64], line[128];
	unsigned kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)r->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %u", &kib) == 1)
			break;
	fclose(f);
	assert_true(kib > 0);
	return kib;
}

/* -------------------------------------------------------------------------- */

static void
a_file_is_a_revision_with_author_time_and_digest(void **state)
{
	struct router_rig *r = *state;
	char line[512], what[16], digest[80], author[40];
	unsigned previous;
	long long when;

	start_with(r, "-- author: ada\n" AT_ID(
			  "if id == 7003 then router.drop(b, i) end"));
	for (unsigned id = THREE - 2; id <= THREE + 2; id++)
		send_id(r, id);
	expect_id(r, THREE - 2);
	expect_id(r, THREE - 1);
	expect_id(r, THREE + 1);
	expect_id(r, THREE + 2);
	assert_int_equal(router_rig_await(r, "pipeline_drop", 1), 1);
	revision(r, 1, line);
	assert_int_equal(sscanf(line, "%15s %u %lld %79s %39s", what, &previous,
			     &when, digest, author),
	    5);
	assert_string_equal(author, "ada");
	assert_int_equal(strlen(digest), 64);
	assert_int_equal(previous, 0);
	assert_true(when > 1700000000);
}

static void
a_bad_file_changes_nothing(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(r, "p.lua", PIPELINE "local x == 1\n");
	await_revision(r, 2, "refused");
	expect_why(r, 2, "/p.lua:4: ");
	write_file(r, "p.lua", "require('ffi').cast('int *', 0)[0] = 1\n");
	await_revision(r, 3, "refused");
	expect_why(r, 3, "it crashes");
	await_revision(r, 1, "running");
	for (unsigned id = THREE - 1; id <= THREE + 1; id++)
		send_id(r, id);
	expect_id(r, THREE - 1);
	expect_id(r, THREE + 1);
}

/* A check that says something and does not end keeps nobody waiting. */
static void
a_slow_check_stops_nothing(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(r, "p.lua",
	    "print 'hello' io.stdout:flush()\n"
	    "require('ffi').cdef 'unsigned sleep(unsigned);'\n"
	    "require('ffi').C.sleep(100)\n");
	await_revision(r, 2, "checking");
	router_rig_is_silent(r, 200);
	for (unsigned i = 0; i < 20; i++)
		router_rig_stat(r, NULL);
	send_id(r, FOUR);
	expect_id(r, FOUR);
	expect_why(r, 2, "checking"); /* still */
	await_revision(r, 2, "refused");
	expect_why(r, 2, "it stands still");
}

static void
a_hundred_swaps_lose_nothing_and_leave_nothing(void **state)
{
	enum { SWAPS = 100, WARM = 20 };
	struct router_rig *r = *state;
	unsigned sent = 0, seen = 0, before = 0;
	char text[1024];
	struct rig_out o;

	start_with(r, AT_ID("if id == 70000 then router.drop(b, i) end"));
	for (unsigned n = 2; n <= SWAPS + 1; n++) {
		char line[512] = "";

		snprintf(text, sizeof(text), "-- %u\n%s", n,
		    AT_ID("if id == 70000 then router.drop(b, i) end"));
		write_file(r, "p.lua", text);
		while (strncmp(line, "running", 7) != 0) {
			if (sent - seen < 64)
				send_id(r, sent++);
			router_rig_turn(r);
			while (router_rig_receive(r, 1, IP, 0, &o))
				assert_int_equal(
				    load_be16(o.frame.b + 18), seen++ & 0xffff);
			revision(r, n, line);
			assert_true(strncmp(line, "ref", 3) != 0);
		}
		if (n == WARM)
			before = rss_kib(r);
	}
	while (seen < sent)
		expect_id(r, seen++ & 0xffff);
	assert_int_equal(router_rig_await(r, "forwarded", sent), sent);
	assert_true(sent > SWAPS);
	assert_in_range(rss_kib(r), 0, before + SLACK_KIB);
}

static void
a_throw_brings_back_the_one_before(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(
	    r, "p.lua", AT_ID("if id == 7004 then error('four is bad') end"));
	await_revision(r, 2, "running");
	send_id(r, THREE);
	expect_id(r, THREE);
	send_id(r, FOUR);
	await_revision(r, 2, "failed");
	expect_why(r, 2, "2.lua:7: four is bad");
	await_revision(r, 1, "running");
	assert_int_equal(router_rig_await(r, "pipeline_error", 1), 1);
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
	assert_int_equal(router_rig_await(r, "pipeline_drop", 1), 1);
}

static void
the_first_one_may_throw_too(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7004 then error('four is bad') end"));
	send_id(r, FOUR);
	await_revision(r, 1, "failed");
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

/* Waits for its end and starts the next one, as init would. */
static void
start_after(struct router_rig *r, int signal)
{
	int status = router_rig_wait(r);
	char text[16];

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
	snprintf(text, sizeof(text), "%d", status);
	setenv("EUROPA_LAST_END", text, 1);
	lab_start(r);
	unsetenv("EUROPA_LAST_END");
	lab_resolve_b(r);
}

/* Revision 2 is in a packet that it never ends with. Returns since when, ms. */
static uint64_t
start_stuck(struct router_rig *r)
{
	enum { STUCK_MS = 50 }; /* well before it is noticed */
	uint64_t since, end, cpu;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(r, "p.lua", AT_ID("while id == 7004 do id = id + 0 end"));
	await_revision(r, 2, "running");
	cpu = router_rig_cpu_ms(r);
	since = loop_now_ms();
	end = since + 10000;
	send_id(r, FOUR);
	while (router_rig_cpu_ms(r) - cpu < STUCK_MS) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	return since;
}

/* Its process ends, 2 is blamed, and what runs then is 1. */
static void
expect_end_of_stuck(struct router_rig *r, uint64_t since)
{
	start_after(r, SIGKILL);
	assert_in_range(loop_now_ms() - since, 150, 5000);
	await_revision(r, 2, "failed");
	expect_why(r, 2, "stood still");
	await_revision(r, 1, "running");
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

static void
who_stands_still_ends_and_the_one_before_runs(void **state)
{
	struct router_rig *r = *state;

	expect_end_of_stuck(r, start_stuck(r));
}

/* Who is to take over meanwhile is not the one that failed. */
static void
who_stands_still_is_blamed_and_not_the_next(void **state)
{
	struct router_rig *r = *state;
	uint64_t since = start_stuck(r);

	write_file(r, "pipeline.want", "1\n");
	expect_end_of_stuck(r, since);
}

/* The end waits for nobody who does not come. */
static void
who_stands_still_does_not_outlive_the_end(void **state)
{
	struct router_rig *r = *state;
	uint64_t since = start_stuck(r);

	kill(r->pid, SIGTERM);
	expect_end_of_stuck(r, since);
}

static void
who_sleeps_stands_still(void **state)
{
	struct router_rig *r = *state;

	start_with(r, "require('ffi').cdef 'unsigned sleep(unsigned);'\n" AT_ID(
			  "if id == 7004 then C.sleep(100) end"));
	send_id(r, FOUR);
	start_after(r, SIGKILL);
	await_revision(r, 1, "failed");
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

static void
who_crashes_does_not_run_again(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(r, "p.lua",
	    "local null = require('ffi').cast('int *', 0)\n" AT_ID(
		"if id == 7004 then null[0] = 1 end"));
	await_revision(r, 2, "running");
	send_id(r, FOUR);
	start_after(r, SIGSEGV);
	await_revision(r, 2, "failed");
	expect_why(r, 2, "it crashed: Segmentation fault");
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

static void
a_new_process_goes_on_with_what_ran(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	kill(r->pid, SIGKILL);
	start_after(r, SIGKILL);
	await_revision(r, 1, "running");
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

static void
it_goes_back_when_told(void **state)
{
	struct router_rig *r = *state;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	write_file(
	    r, "p.lua", AT_ID("if id == 7004 then router.drop(b, i) end"));
	await_revision(r, 2, "running");
	send_id(r, THREE);
	expect_id(r, THREE);
	write_file(r, "pipeline.want", "1\n");
	await_revision(r, 2, "replaced");
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
	write_file(r, "pipeline.want", "0\n");
	await_revision(r, 1, "replaced");
	send_id(r, THREE);
	expect_id(r, THREE);
}

static void
the_configuration_chooses_while_packets_flow(void **state)
{
	struct router_rig *r = *state;
	unsigned id = 10;

	start_with(r, AT_ID("if id == 7003 then router.drop(b, i) end"));
	for (unsigned g = 8; g < 20; g++) {
		char conf[2048];

		snprintf(conf, sizeof(conf), CONF "generation %u\n%s" END, g,
		    g % 2 ? "pipeline c\n" : "pipeline lua\n");
		router_rig_configure(r, conf);
		while (router_rig_stat(r, NULL) != g) {
			send_id(r, id);
			expect_id(r, id++);
		}
	}
	await_revision(r, 1, "replaced");
	send_id(r, THREE);
	expect_id(r, THREE);
}

static void
the_owners_file_beside_the_configuration_is_taken(void **state)
{
	struct router_rig *r = *state;

	router_rig_configure(r, CONF END);
	lab_start(r);
	lab_resolve_b(r);
	send_id(r, THREE);
	expect_id(r, THREE);
	write_file(r, "pipeline.lua",
	    AT_ID("if id == 7003 then router.drop(b, i) end"));
	await_revision(r, 1, "running");
	send_id(r, THREE);
	send_id(r, FOUR);
	expect_id(r, FOUR);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_a_revision_with_author_time_and_digest),
		TEST(a_bad_file_changes_nothing),
		TEST(a_slow_check_stops_nothing),
		TEST(a_hundred_swaps_lose_nothing_and_leave_nothing),
		TEST(a_throw_brings_back_the_one_before),
		TEST(the_first_one_may_throw_too),
		TEST(who_stands_still_ends_and_the_one_before_runs),
		TEST(who_stands_still_is_blamed_and_not_the_next),
		TEST(who_stands_still_does_not_outlive_the_end),
		TEST(who_sleeps_stands_still),
		TEST(who_crashes_does_not_run_again),
		TEST(a_new_process_goes_on_with_what_ran),
		TEST(it_goes_back_when_told),
		TEST(the_owners_file_beside_the_configuration_is_taken),
		TEST(the_configuration_chooses_while_packets_flow),
	};

	/* a crash is to be one in a sanitizer's build too */
	setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	setenv("TSAN_OPTIONS", "handle_segv=0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
