/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lib_piece: pieces come whole whatever the stream does to them, and what is
 * none is refused.
 */
#include "lib/piece.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Gives r at most n bytes at a time; returns pieces seen, or negative errno. */
static int
feed(struct piece_reader *r, const uint8_t *bytes, size_t n, size_t step)
{
	struct piece p;
	int seen = 0, rc;

	while (n > 0) {
		uint8_t *at;
		size_t room = piece_room(r, &at), want = MIN(n, step);
		size_t k = MIN(want, room);

		assert_true(k > 0); /* or it would never be whole */
		memcpy(at, bytes, k);
		piece_filled(r, k);
		bytes += k;
		n -= k;
		while ((rc = piece_next(r, &p)) == 1) {
			seen++;
			piece_drop(r);
		}
		if (rc < 0)
			return rc;
	}
	return seen;
}

static void
they_come_whole(void **state)
{
	static uint8_t all[3 * (PIECE_HEAD + PIECE_MAX)];
	static struct piece_reader r;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		piece_head(all + n, PIECE_OUT, PIECE_MAX);
		memset(all + n + PIECE_HEAD, 'x', PIECE_MAX);
		n += PIECE_HEAD + PIECE_MAX;
	}
	piece_head(all + n, PIECE_START, 0);
	n += PIECE_HEAD;
	for (size_t step = 1; step < 20000; step = step * 3 + 1) {
		memset(&r, 0, sizeof(r));
		assert_int_equal(feed(&r, all, n, step), 3);
		assert_int_equal(r.n, 0);
	}
}

static void
numbers_return_as_they_were(void **state)
{
	static struct piece_reader r;
	uint8_t *at;
	struct piece p;

	(void)state;
	assert_true(piece_room(&r, &at) >= 8);
	piece_head(at, PIECE_EXIT, 4);
	piece_put_number(at + PIECE_HEAD, UINT32_C(0xfedcba98));
	piece_filled(&r, 8);
	assert_int_equal(piece_next(&r, &p), 1);
	assert_int_equal(p.type, PIECE_EXIT);
	assert_int_equal(piece_number(&p), UINT32_C(0xfedcba98));
}

static void
what_is_none_is_refused(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t n;
	} bad[] = {
		{ { 0, 0, 0, 0 }, 4 },             /* no type */
		{ { PIECE_N_TYPES, 0, 0, 0 }, 4 }, /* nor this */
		{ { PIECE_OUT, 1, 1, 0 }, 4 },     /* a byte that is zero */
		{ { PIECE_OUT, 0, 0, 0 }, 4 },     /* empty */
		{ { PIECE_OUT, 0, 1, 0x20 }, 4 },  /* one more than it may */
		{ { PIECE_START, 0, 1, 0 }, 4 },   /* has no bytes */
		{ { PIECE_EXIT, 0, 3, 0 }, 4 },    /* has four */
		{ { PIECE_EXIT, 0, 5, 0 }, 4 },
		{ { PIECE_ARG, 0, 2, 0, 'a', 0 }, 6 }, /* a zero within */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		static struct piece_reader r;

		memset(&r, 0, sizeof(r));
		assert_int_equal(
		    feed(&r, bad[i].bytes, bad[i].n, bad[i].n), -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_come_whole),
		cmocka_unit_test(numbers_return_as_they_were),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
