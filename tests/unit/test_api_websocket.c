/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_websocket: the examples of RFC 6455, frames in any pieces, and each
 * thing that a client must not send, with the code that it is told.
 */
#include "api/websocket.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct websocket_reader r;

static int
reset(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	return 0;
}

static void
give(const void *bytes, size_t n)
{
	uint8_t *at;

	assert_true(websocket_room(&r, &at) >= n);
	memcpy(at, bytes, n);
	websocket_filled(&r, n);
}

static void
the_handshake_of_the_rfc(void **state)
{
	static const char *const bad[] = { "", "dGhlIHNhbXBsZSBub25jZQ",
		"dGhlIHNhbXBsZSBub25jZQ=a", "dGhlIHNhbXBsZSBub25jZ===",
		"dGhlIHNhbXBsZSBub25j Q==", "dGhlIHNhbXBsZSBub25jZQ==x" };
	char out[WEBSOCKET_ACCEPT];

	(void)state;
	assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", out));
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_false(websocket_accept(NULL, out));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(websocket_accept(bad[i], out));
}

static void
the_frames_of_the_rfc(void **state)
{
	static const uint8_t hello[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
		0x7f, 0x9f, 0x4d, 0x51, 0x58 };
	struct websocket_frame f;
	uint8_t head[WEBSOCKET_HEAD];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(hello); i++) {
		give(hello + i, 1);
		assert_int_equal(websocket_next(&r, &f), 0);
	}
	give(hello + sizeof(hello) - 1, 1);
	assert_int_equal(websocket_next(&r, &f), 1);
	assert_int_equal(f.opcode, WEBSOCKET_TEXT);
	assert_true(f.is_last);
	assert_int_equal(f.n, 5);
	assert_memory_equal(f.bytes, "Hello", 5);
	websocket_drop(&r, &f);
	assert_int_equal(r.n, 0);
	assert_int_equal(websocket_head(head, WEBSOCKET_BINARY, 5), 2);
	assert_memory_equal(head, "\x82\x05", 2);
	assert_int_equal(websocket_head(head, WEBSOCKET_BINARY, 256), 4);
	assert_memory_equal(head, "\x82\x7e\x01\x00", 4);
}

/* A frame with a mask of zeros. */
static void
give_frame(uint8_t first, size_t n)
{
	static const uint8_t zeros[WEBSOCKET_PAYLOAD];
	uint8_t head[8] = { first, (uint8_t)(0x80 | n) };

	if (n < 126) {
		give(head, 6);
	} else {
		head[1] = 0x80 | 126;
		store_be16(head + 2, (uint16_t)n);
		give(head, 8);
	}
	give(zeros, n);
}

static void
expect(enum websocket_opcode opcode, bool is_last, size_t n)
{
	struct websocket_frame f;

	assert_int_equal(websocket_next(&r, &f), 1);
	assert_int_equal(f.opcode, opcode);
	assert_int_equal(f.is_last, is_last);
	assert_int_equal(f.n, n);
	websocket_drop(&r, &f);
}

static void
fragments_are_of_their_message(void **state)
{
	(void)state;
	give_frame(0x02, 3);
	expect(WEBSOCKET_BINARY, false, 3);
	give_frame(0x89, 125); /* a ping between */
	expect(WEBSOCKET_PING, true, 125);
	give_frame(0x00, 126);
	expect(WEBSOCKET_BINARY, false, 126);
	give_frame(0x80, 0);
	expect(WEBSOCKET_BINARY, true, 0);
	give_frame(0x81, WEBSOCKET_PAYLOAD);
	expect(WEBSOCKET_TEXT, true, WEBSOCKET_PAYLOAD);
	assert_int_equal(r.n, 0);
}

static void
what_must_not_be_is_told(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int code;
	} bad[] = {
		{ "\x82\x05", 2, WEBSOCKET_BAD }, /* not masked */
		{ "\xc2\x85", 2, WEBSOCKET_BAD }, /* reserved bits */
		{ "\xa2\x85", 2, WEBSOCKET_BAD },
		{ "\x92\x85", 2, WEBSOCKET_BAD },
		{ "\x83\x85", 2, WEBSOCKET_BAD }, /* opcodes that are none */
		{ "\x8b\x85", 2, WEBSOCKET_BAD },
		{ "\x8f\x85", 2, WEBSOCKET_BAD },
		{ "\x80\x85", 2, WEBSOCKET_BAD }, /* continues nothing */
		{ "\x09\x80", 2, WEBSOCKET_BAD }, /* a ping in pieces */
		{ "\x89\xfe\x00\x7e", 4, WEBSOCKET_BAD }, /* a long one */
		{ "\x82\xfe\x00\x7d", 4, WEBSOCKET_BAD }, /* not shortest */
		{ "\x82\xfe\x40\x01", 4, WEBSOCKET_TOO_LONG },
		{ "\x82\xff", 2, WEBSOCKET_TOO_LONG },
	};
	struct websocket_frame f;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		reset(state);
		give(bad[i].bytes, bad[i].n);
		assert_int_equal(websocket_next(&r, &f), -bad[i].code);
	}
	/* a new message before the end of the one before */
	reset(state);
	give_frame(0x02, 1);
	expect(WEBSOCKET_BINARY, false, 1);
	give_frame(0x82, 1);
	assert_int_equal(websocket_next(&r, &f), -WEBSOCKET_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_handshake_of_the_rfc, reset),
		cmocka_unit_test_setup(the_frames_of_the_rfc, reset),
		cmocka_unit_test_setup(fragments_are_of_their_message, reset),
		cmocka_unit_test_setup(what_must_not_be_is_told, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
