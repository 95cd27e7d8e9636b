/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults: what went wrong with a router is known to whoever looks next, and
 * how often it was started again is counted by the hour.
 */
#include "agent/faults.h"
#include "agent/router_care.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

enum { HOUR_MS = 3600000 };

static char dir[64];
static char router[80];

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-faults-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(router, sizeof(router), "%s/uid", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	durable_remove(router);
	return rmdir(dir);
}

static void
save_and_open(struct faults *f)
{
	f->written_ms = 0; /* it is time */
	assert_int_equal(faults_write(f), 0);
	faults_open(f, router);
}

static void
the_last_twenty_are_kept(void **state)
{
	struct faults f;
	char text[32];

	(void)state;
	faults_open(&f, router);
	assert_int_equal(f.n, 0);
	for (int i = 0; i < FAULTS_KEPT + 5; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		faults_add(&f, "failed", i << 8, "a remedy", text);
	}
	save_and_open(&f);
	assert_int_equal(f.n, FAULTS_KEPT);
	assert_string_equal(f.list[0].detail, "number 24");
	assert_string_equal(f.list[0].remedy, "a remedy");
	assert_int_equal(f.list[0].status, 24 << 8);
	assert_string_equal(f.list[FAULTS_KEPT - 1].detail, "number 5");
	assert_int_equal(strlen(f.list[0].time), 20);
}

static void
what_repeats_is_counted(void **state)
{
	struct faults f;

	(void)state;
	faults_open(&f, router);
	for (int i = 0; i < 1000; i++)
		faults_add(&f, "dataplane-ended", 11, "", "signal 11");
	faults_add(&f, "dataplane-ended", 9, "", "signal 9");
	save_and_open(&f);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.list[1].count, 1000);
	assert_int_equal(f.list[0].count, 1);
}

static void
clients_see_code_or_signal(void **state)
{
	struct faults f;
	json_t *list;

	(void)state;
	faults_open(&f, router);
	faults_add(&f, "container-ended", 3 << 8, "", "a");
	faults_add(&f, "container-ended", 9, "", "b");
	faults_add(&f, "container-ended", -1, "", "c");
	list = faults_json(&f);
	assert_true(json_is_null(
	    json_object_get(json_array_get(list, 0), "exit_code")));
	assert_true(
	    json_is_null(json_object_get(json_array_get(list, 0), "signal")));
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(list, 1), "signal")),
	    9);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(list, 2), "exit_code")),
	    3);
	json_decref(list);
}

static void
the_file_is_not_written_at_the_tenants_pace(void **state)
{
	struct faults f;

	(void)state;
	faults_open(&f, router);
	faults_add(&f, "failed", -1, "", "one");
	assert_int_equal(faults_write(&f), 0);
	faults_add(&f, "failed", -1, "", "two");
	assert_true(faults_write(&f) > 0);
	faults_open(&f, router);
	assert_int_equal(f.n, 1);
}

static void
restarts_are_counted_by_the_hour(void **state)
{
	struct faults f;
	uint64_t t = 1000;

	(void)state;
	faults_open(&f, router);
	assert_true(faults_count_restart(&f, 2, t));
	assert_true(faults_count_restart(&f, 2, t + 1));
	assert_false(faults_count_restart(&f, 2, t + HOUR_MS - 1));
	save_and_open(&f);
	assert_false(faults_count_restart(&f, 2, t + HOUR_MS - 1));
	/* the first is an hour ago */
	assert_true(faults_count_restart(&f, 2, t + HOUR_MS));
	assert_false(faults_count_restart(&f, 2, t + HOUR_MS));
	/* no limit: any number, in the same room */
	for (int i = 0; i < 500; i++)
		assert_true(faults_count_restart(&f, 0, t + HOUR_MS));
	assert_false(faults_count_restart(&f, MODEL_MAX_RESTARTS, t + HOUR_MS));
}

static void
it_stays_down_in_this_life_of_the_machine(void **state)
{
	struct faults f;

	(void)state;
	faults_open(&f, router);
	faults_set_up(&f, true);
	save_and_open(&f);
	assert_true(f.up);
	faults_set_down(&f, "start it", "it ended");
	save_and_open(&f);
	assert_true(f.down);
	assert_false(f.up);
	assert_string_equal(f.why.detail, "it ended");
	assert_string_equal(f.why.remedy, "start it");
	faults_forgive(&f);
	save_and_open(&f);
	assert_false(f.down);
}

static void
put_text(const char *text)
{
	struct err e;

	assert_int_equal(durable_folder(router, &e), 0);
	assert_int_equal(
	    durable_write(router, "faults.json", text, strlen(text), &e), 0);
}

static void
another_boot_begins_anew_but_for_the_faults(void **state)
{
	struct faults f;

	(void)state;
	put_text("{\"boot\": \"another\", \"up\": true, \"restarts\": [1, 2],"
		 " \"down\": {\"detail\": \"x\"}, \"faults\": [{\"what\": "
		 "\"failed\", \"detail\": \"kept\", \"status\": 9}]}");
	faults_open(&f, router);
	assert_false(f.up);
	assert_false(f.down);
	assert_int_equal(f.n_restarts, 0);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].detail, "kept");
}

static void
a_broken_file_is_no_faults(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "7",
		"{\"faults\": 3, \"restarts\": {}, \"down\": []}",
		"{\"faults\": [1, null, \"a\", {\"count\": -5}]}" };
	struct faults f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put_text(texts[i]);
		faults_open(&f, router);
		assert_false(f.down);
		for (unsigned k = 0; k < f.n; k++)
			assert_int_equal(f.list[k].count, 1);
	}
}

/* What a lease in the store becomes: seconds left, or -1. */
static int64_t
left_of(const char *boot, int64_t end_ms, int64_t end_s, int64_t granted_s)
{
	json_t *row = json_pack("{s:s, s:I, s:I, s:I}", "boot", boot, "end_ms",
	    (json_int_t)end_ms, "end_s", (json_int_t)end_s, "granted_ms",
	    (json_int_t)granted_s * 1000);
	struct router_lease l;
	json_t *o;
	int64_t left;

	router_lease_load(&l, row);
	o = router_lease_json(&l);
	left = json_is_null(o) ? -1
			       : json_integer_value(
				     json_object_get(o, "remaining_seconds"));
	json_decref(o);
	json_decref(row);
	return left;
}

static void
about(int64_t value, int64_t wanted)
{
	assert_true(value <= wanted && value >= wanted - 5);
}

static void
a_lease_heeds_no_step_of_the_clock(void **state)
{
	const char *boot = faults_boot_id();
	int64_t now = (int64_t)faults_boot_ms(), wall = time(NULL);

	(void)state;
	/* the same boot: whatever the clock on the wall says */
	about(left_of(boot, now + 100000, wall - 5000, 200), 100);
	about(left_of(boot, now + 100000, wall + 999999, 200), 100);
	assert_int_equal(left_of(boot, now - 1, wall + 999999, 200), 0);
	/* another boot: the wall, but never more than was granted */
	about(left_of("another", 5, wall + 100, 200), 100);
	about(left_of("another", 5, wall + 999999, 200), 200);
	assert_int_equal(left_of("another", 5, wall - 1, 200), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_last_twenty_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_repeats_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    clients_see_code_or_signal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_file_is_not_written_at_the_tenants_pace, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    restarts_are_counted_by_the_hour, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    it_stays_down_in_this_life_of_the_machine, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    another_boot_begins_anew_but_for_the_faults, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_broken_file_is_no_faults, set_up, tear_down),
		cmocka_unit_test(a_lease_heeds_no_step_of_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
