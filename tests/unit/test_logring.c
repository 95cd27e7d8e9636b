/* SPDX-License-Identifier: Apache-2.0 */
/* test_logring: the last of a log, in bounded room, for who comes late. */
#include "agent/logring.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { BLOCK = 10000 };

static char dir[64], router[80];

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-log-XXXXXX");
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

/* Byte i of the log is i, in a way. */
static uint8_t
byte_at(uint64_t i)
{
	return (uint8_t)(i * 31 + (i >> 11));
}

static void
append(struct logring *g, uint64_t from, size_t n)
{
	static uint8_t block[BLOCK];

	assert_true(n <= sizeof(block));
	for (size_t i = 0; i < n; i++)
		block[i] = byte_at(from + i);
	assert_int_equal(logring_append(g, block, n), 0);
}

/* Reads all from a place; the log began at base. Returns bytes. */
static uint64_t
read_all(const struct logring *g, uint64_t from, uint64_t base)
{
	uint64_t place = from, total = 0;
	uint8_t block[4097];
	ssize_t n;

	while ((n = logring_read(g, &place, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(block[i],
			    byte_at(base + place - (uint64_t)(n - i)));
		total += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(place, g->end);
	return total;
}

static void
the_last_mebibyte_is_kept(void **state)
{
	struct logring g;
	uint64_t end = 0;

	(void)state;
	logring_open(&g, router);
	assert_int_equal(read_all(&g, 0, 0), 0);
	while (end < 5 * LOGRING_BYTES) {
		append(&g, end, BLOCK);
		end += BLOCK;
		assert_true(g.n_now + g.n_before <= LOGRING_BYTES);
	}
	assert_int_equal(g.end, end);
	/* never less than half of it */
	assert_true(read_all(&g, 0, 0) >= LOGRING_BYTES / 2 - BLOCK);
	/* who has a place in it gets what is behind that */
	assert_int_equal(read_all(&g, end - 12345, 0), 12345);
	assert_int_equal(read_all(&g, end, 0), 0);
}

static void
it_is_found_again(void **state)
{
	struct logring g, again;
	uint64_t end = 0;

	(void)state;
	logring_open(&g, router);
	for (; end < LOGRING_BYTES; end += BLOCK)
		append(&g, end, BLOCK);
	logring_open(&again, router);
	assert_int_equal(again.n_now, g.n_now);
	assert_int_equal(again.n_before, g.n_before);
	read_all(&again, 0, g.end - again.end);
	append(&again, g.end, 100);
	read_all(&again, 0, g.end + 100 - again.end);
}

static void
what_is_gone_is_an_error_and_no_crash(void **state)
{
	struct logring g;
	uint64_t place = 0;
	char c;

	(void)state;
	logring_open(&g, router);
	append(&g, 0, 10);
	durable_remove(router);
	assert_true(logring_read(&g, &place, &c, 1) < 0);
	append(&g, 10, 10); /* the folder is made again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_last_mebibyte_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    it_is_found_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_gone_is_an_error_and_no_crash, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
