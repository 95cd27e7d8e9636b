/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctlclient: europad's questions to a router's own socket, over a real
 * initlink, and a router (ctl_fake.h) that answers well, late, wrongly or never.
 */
#include "agent/ctlclient.h"
#include "agent/routepush.h"
#include "tests/unit/ctl_fake.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { PATIENCE_MS = 5000 };

static struct rig {
	char dir[32];
	struct loop *loop;
	struct loop_source *guard;
	struct initlink *link;
	struct ctlclient *client;
	struct ctl_fake fake;
	bool is_up;
} rig;

struct heard {
	int rc;
	json_t *json;
	unsigned n;
	unsigned order;
};

static unsigned n_heard;

static void
hear(void *arg, int rc, const json_t *json)
{
	struct heard *h = arg;

	h->rc = rc;
	h->json = json_deep_copy(json);
	h->n++;
	h->order = ++n_heard;
	loop_stop(rig.loop, 0);
}

static void
on_hello(void *arg, const uint8_t set[WIRE_UID_BYTES])
{
	(void)arg;
	(void)set;
	rig.is_up = true;
	loop_stop(rig.loop, 0);
}

static void
on_message(void *arg, const struct wire_msg *m)
{
	(void)arg;
	(void)m;
}

static void
on_gone(void *arg)
{
	(void)arg;
	ctlclient_hang_up(rig.client, -ENOTCONN);
}

static void
too_late(void *arg)
{
	(void)arg;
	loop_stop(rig.loop, -ETIMEDOUT);
}

/* Turns the loop until *n is at least want. */
static void
run_until(const unsigned *n, unsigned want)
{
	loop_arm(rig.guard, 2 * PATIENCE_MS);
	while (*n < want)
		if (loop_run(rig.loop) < 0)
			fail_msg("waited for too long");
	loop_disarm(rig.guard);
}

static int
set_up(void **state)
{
	const struct initlink_hooks hooks = {
		.on_hello = on_hello,
		.on_state = on_message,
		.on_stats = on_message,
		.on_gone = on_gone,
	};
	struct err e;
	unsigned up = 0;

	(void)state;
	rig = (struct rig){ .dir = "/tmp/europa-ctl-XXXXXX" };
	assert_non_null(mkdtemp(rig.dir));
	assert_int_equal(loop_new(&rig.loop), 0);
	assert_int_equal(
	    loop_add_timer(rig.loop, too_late, NULL, &rig.guard), 0);
	assert_int_equal(initlink_new(rig.loop, rig.dir, geteuid(), 1, &hooks,
			     &rig.link, &e),
	    0);
	assert_int_equal(ctlclient_new(rig.loop, rig.link, &rig.client), 0);
	snprintf(
	    rig.fake.socket, sizeof(rig.fake.socket), "%s/agent.sock", rig.dir);
	ctl_fake_start(&rig.fake);
	loop_arm(rig.guard, PATIENCE_MS);
	while (!rig.is_up && up == 0)
		up = loop_run(rig.loop) < 0;
	assert_true(rig.is_up);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctlclient_free(rig.client);
	ctl_fake_stop(&rig.fake);
	initlink_free(rig.link);
	loop_free(rig.loop);
	unlink(rig.fake.socket);
	return rmdir(rig.dir);
}

static void
ask_for(
    const char *words, const void *body, size_t n, unsigned ms, struct heard *h)
{
	const struct ctlclient_question q = {
		.words = words,
		.body = body,
		.n = n,
		.timeout_ms = ms,
		.done = hear,
		.arg = h,
	};

	*h = (struct heard){ .rc = 1 };
	assert_int_equal(ctlclient_ask(rig.client, &q), 0);
	assert_int_equal(h->n, 0); /* never from within */
}

static json_int_t
number(struct heard *h)
{
	json_int_t n = json_integer_value(json_object_get(h->json, "n"));

	json_decref(h->json);
	h->json = NULL;
	return n;
}

/* One question, and its end. */
static int
rc_of(const char *words, unsigned ms)
{
	struct heard h;

	ask_for(words, NULL, 0, ms, &h);
	run_until(&h.n, 1);
	json_decref(h.json);
	return h.rc;
}

static void
questions_are_answered_in_order(void **state)
{
	static char body[64 << 10];
	struct heard h[4];

	(void)state;
	memset(body, 'x', sizeof(body));
	ask_for("echo", body, sizeof(body), PATIENCE_MS, &h[0]);
	ask_for("refuse", NULL, 0, PATIENCE_MS, &h[1]);
	ask_for("drip", NULL, 0, PATIENCE_MS, &h[2]);
	ask_for("echo", "ab", 2, PATIENCE_MS, &h[3]);
	for (unsigned i = 0; i < 4; i++)
		run_until(&h[i].n, 1);
	assert_int_equal(h[0].rc, 0);
	assert_int_equal(number(&h[0]), sizeof(body));
	assert_int_equal(h[1].rc, -EREMOTEIO);
	assert_int_equal(
	    json_integer_value(json_object_get(h[1].json, "line")), 2);
	json_decref(h[1].json);
	assert_int_equal(number(&h[2]), 42);
	assert_int_equal(number(&h[3]), 2);
	for (unsigned i = 1; i < 4; i++)
		assert_true(h[i].order > h[i - 1].order);
	assert_int_equal(ctl_fake_get(&rig.fake.n_streams), 1);
}

static void
nonsense_ends_the_stream_and_not_the_client(void **state)
{
	static const char *const bad[] = {
		"say hello!",
		"say ok!",
		"say ok_!",
		"say ok_0!",
		"say ok_007!{\"n\":1}",
		"say ok_+7!{\"n\":1}",
		"say ok_99999999!{",
		"say ok_3!{}}",
		"say ok_2![]",
		"say ok_4!null",
		"say maybe_2!{}",
		"say okokokokokokokokokokokokokokok",
		/* deeper than anybody reads */
		"say ok_76!{\"a\":"
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
	};
	size_t streams = ctl_fake_get(&rig.fake.n_streams);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		int rc = rc_of(bad[i], PATIENCE_MS);

		if (rc != -EPROTO)
			fail_msg("%s gave %d", bad[i], rc);
		assert_int_equal(rc_of("echo", PATIENCE_MS), 0);
	}
	/* each of them had to begin a new one */
	assert_int_equal(
	    ctl_fake_get(&rig.fake.n_streams), streams + ARRAY_SIZE(bad) + 1);
	/* more than was asked for */
	assert_int_equal(rc_of("say ok_3!{}!ok_3!{}!", PATIENCE_MS), 0);
	assert_int_equal(rc_of("close", PATIENCE_MS), -ENOTCONN);
}

static void
silence_has_its_time(void **state)
{
	struct heard silent, behind;

	(void)state;
	/* who waits behind a silent one, waits no longer than it wants */
	ask_for("silent", NULL, 0, 200, &silent);
	ask_for("echo", NULL, 0, 300, &behind);
	run_until(&silent.n, 1);
	assert_int_equal(silent.rc, -ETIMEDOUT);
	run_until(&behind.n, 1);
	assert_int_equal(behind.rc, -ETIMEDOUT);
}

static void
a_late_answer_is_dropped_and_the_next_one_comes(void **state)
{
	struct heard late, next;

	(void)state;
	ask_for("late", NULL, 0, 100, &late);
	ask_for("echo", "abc", 3, PATIENCE_MS, &next);
	run_until(&late.n, 1);
	assert_int_equal(late.rc, -ETIMEDOUT);
	ctl_fake_set(&rig.fake.lets_late, 1);
	run_until(&next.n, 1);
	assert_int_equal(next.rc, 0);
	assert_int_equal(number(&next), 3);
	assert_int_equal(late.n, 1);
	assert_int_equal(ctl_fake_get(&rig.fake.n_streams), 1);
}

static void
nobody_there_is_told_at_once(void **state)
{
	struct heard a, b;

	(void)state;
	ctl_fake_set(&rig.fake.no_router, 1);
	assert_int_equal(rc_of("echo", 60000), -ENOTCONN);
	ctl_fake_set(&rig.fake.no_router, 0);
	assert_int_equal(rc_of("echo", PATIENCE_MS), 0);
	/* and when it ends, whoever waits */
	ask_for("silent", NULL, 0, 60000, &a);
	ask_for("echo", NULL, 0, 60000, &b);
	ctlclient_hang_up(rig.client, -ENOTCONN);
	assert_int_equal(a.rc, -ENOTCONN);
	assert_int_equal(b.rc, -ENOTCONN);
}

static void
only_so_many_wait(void **state)
{
	const struct ctlclient_question q = {
		.words = "echo",
		.timeout_ms = 60000,
		.done = hear,
	};
	struct heard h[CTLCLIENT_MAX_WAITING];

	(void)state;
	for (unsigned i = 0; i < CTLCLIENT_MAX_WAITING; i++)
		ask_for("silent", NULL, 0, 60000, &h[i]);
	assert_int_equal(ctlclient_ask(rig.client, &q), -EBUSY);
	ctlclient_hang_up(rig.client, -ENOTCONN);
	for (unsigned i = 0; i < CTLCLIENT_MAX_WAITING; i++)
		assert_int_equal(h[i].n, 1);
}

/* --- whole tables --------------------------------------------------------- */

static struct pushed {
	unsigned n;
	int rc;
	size_t line, left_out;
} pushed;

static void
push_ends(void *arg, const struct routepush_result *result)
{
	(void)arg;
	pushed.n++;
	pushed.rc = result->rc;
	pushed.line = result->line;
	pushed.left_out = result->n_left_out;
	loop_stop(rig.loop, 0);
}

/* A file of n lines, those in bad say so; then changes. */
static void
push(
    size_t n, const size_t *bad, size_t n_bad, const char *changes, bool strict)
{
	FILE *f = tmpfile();
	struct routepush_config c = {
		.client = rig.client,
		.strict = strict,
		.done = push_ends,
	};

	assert_non_null(f);
	for (size_t i = 1; i <= n; i++) {
		bool is_bad = false;

		for (size_t k = 0; k < n_bad; k++)
			is_bad |= bad[k] == i;
		fprintf(f, "add 10.%zu.%zu.0/24 via 198.18.1.2%s\n", i >> 8,
		    i & 255, is_bad ? " dev bad" : "");
	}
	fflush(f);
	c.table = (size_t)ftell(f);
	fputs("then\n", f);
	c.from = (size_t)ftell(f);
	fputs(changes, f);
	c.end = (size_t)ftell(f);
	fflush(f);
	c.fd = dup(fileno(f));
	fclose(f);
	pushed = (struct pushed){ .rc = 1 };
	assert_int_equal(routepush_new(&c), 0);
	run_until(&pushed.n, 1);
}

static void
a_table_goes_in_pieces(void **state)
{
	(void)state;
	push(10000, NULL, 0, "add 1.2.3.0/24 dev a\ndelete 10.0.1.0/24\n",
	    false);
	assert_int_equal(pushed.rc, 0);
	assert_int_equal(ctl_fake_get(&rig.fake.n_table), 10000);
	assert_int_equal(ctl_fake_get(&rig.fake.n_changes), 2);
	assert_true(ctl_fake_get(&rig.fake.n_questions) > 6);
	push(0, NULL, 0, "", true);
	assert_int_equal(pushed.rc, 0);
	assert_int_equal(ctl_fake_get(&rig.fake.n_table), 0);
}

static void
a_client_hears_which_line_was_wrong(void **state)
{
	static const size_t bad[] = { 7654 };

	(void)state;
	push(10000, bad, 1, "", true);
	assert_int_equal(pushed.rc, -EREMOTEIO);
	assert_int_equal(pushed.line, 7654);
	assert_int_equal(ctl_fake_get(&rig.fake.n_table), 0);
	/* what was begun is forgotten: the next may begin at once */
	push(5, NULL, 0, "", true);
	assert_int_equal(pushed.rc, 0);
	assert_int_equal(ctl_fake_get(&rig.fake.n_table), 5);
}

static void
a_container_is_given_what_it_understands(void **state)
{
	static const size_t bad[] = { 1, 2, 500, 9999, 10000 };

	(void)state;
	push(10000, bad, ARRAY_SIZE(bad),
	    "add 1.2.3.0/24 dev a\nadd 1.2.4.0/24 dev bad\ndelete x\n", false);
	assert_int_equal(pushed.rc, 0);
	assert_int_equal(
	    ctl_fake_get(&rig.fake.n_table), 10000 - ARRAY_SIZE(bad));
	assert_int_equal(ctl_fake_get(&rig.fake.n_changes), 2);
	assert_int_equal(pushed.left_out, ARRAY_SIZE(bad) + 1);
}

/* A vNIC that all routes lead to is gone: each line costs little. */
static void
lines_that_are_all_wrong_are_left_out_cheaply(void **state)
{
	enum { N = 3000, BYTES_EACH = 2000 };
	static size_t bad[N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		bad[i] = 1001 + i;
	push(5000, bad, N, "", false);
	assert_int_equal(pushed.rc, 0);
	assert_int_equal(pushed.left_out, N);
	assert_int_equal(ctl_fake_get(&rig.fake.n_table), 5000 - N);
	assert_in_range(ctl_fake_get(&rig.fake.n_bytes), 1, N * BYTES_EACH);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(questions_are_answered_in_order),
		TEST(nonsense_ends_the_stream_and_not_the_client),
		TEST(silence_has_its_time),
		TEST(a_late_answer_is_dropped_and_the_next_one_comes),
		TEST(nobody_there_is_told_at_once),
		TEST(only_so_many_wait),
		TEST(a_table_goes_in_pieces),
		TEST(a_client_hears_which_line_was_wrong),
		TEST(a_container_is_given_what_it_understands),
		TEST(lines_that_are_all_wrong_are_left_out_cheaply),
	};

	alarm(120);
	return cmocka_run_group_tests_name("ctlclient", tests, NULL, NULL);
}
