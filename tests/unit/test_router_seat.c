/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_seat: who runs after an offer, a throw, two throws, and when the
 * fast path has left.
 */
#include "lib/base.h"
#include "router/seat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A seat knows scripts by their place only. */
static char places[3];
#define ONE ((struct script *)&places[0])
#define TWO ((struct script *)&places[1])
#define SPARE ((struct script *)&places[2])

static struct seat seat;

static int
make_seat(void **state)
{
	(void)state;
	seat_init(&seat, -1);
	seat_offer(&seat, ONE, SPARE);
	assert_ptr_equal(seat_take(&seat), ONE);
	return 0;
}

static int
remove_seat(void **state)
{
	(void)state;
	seat_destroy(&seat);
	return 0;
}

static void throw(const char *why)
{
	struct err e = { 0 };

	err_set(&e, -EINVAL, "%s", why);
	seat_threw(&seat, &e);
}

static void
who_is_offered_sits_when_it_is_taken(void **state)
{
	(void)state;
	assert_false(seat_changed(&seat));
	seat_offer(&seat, TWO, SPARE);
	assert_true(seat_changed(&seat));
	assert_ptr_equal(seat_now(&seat), ONE);
	assert_false(seat_wait(&seat, 1));
	assert_ptr_equal(seat_take(&seat), TWO);
	assert_ptr_equal(seat_now(&seat), TWO);
	assert_true(seat_wait(&seat, 1));
}

static void
who_throws_gives_way_to_the_spare_one(void **state)
{
	struct err why = { 0 };

	(void)state;
	assert_false(seat_has_thrown(&seat, &why));
	throw("first");
	assert_ptr_equal(seat_take(&seat), SPARE);
	assert_true(seat_has_thrown(&seat, &why));
	assert_string_equal(why.msg, "first");
	assert_false(seat_has_thrown(&seat, &why)); /* told once */
}

static void
when_both_have_thrown_nobody_sits(void **state)
{
	struct err why = { 0 };

	(void)state;
	throw("first");
	assert_ptr_equal(seat_take(&seat), SPARE);
	throw("second");
	assert_null(seat_take(&seat));
	assert_true(seat_has_thrown(&seat, &why));
	assert_string_equal(why.msg, "first");
	seat_offer(&seat, TWO, SPARE);
	assert_ptr_equal(seat_take(&seat), TWO);
}

/* The end of a fast path is no reason to wait for it. */
static void
who_has_left_is_not_waited_for(void **state)
{
	(void)state;
	seat_offer(&seat, TWO, SPARE);
	assert_false(seat_wait(&seat, 1));
	seat_leave(&seat);
	assert_true(seat_wait(&seat, 1));
	seat_offer(&seat, ONE, SPARE);
	assert_true(seat_wait(&seat, 1));
	assert_null(seat_now(&seat));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_seat, remove_seat)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_is_offered_sits_when_it_is_taken),
		CASE(who_throws_gives_way_to_the_spare_one),
		CASE(when_both_have_thrown_nobody_sits),
		CASE(who_has_left_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
