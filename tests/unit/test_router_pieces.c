/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_pieces: packets cut in pieces and options that are written,
 * against scapy (tests/golden/router_packets6.txt) and by hand.
 */
#include "router/fragment.h"
#include "router/options.h"

#include "tests/unit/frame_maker.h"
#include "tests/unit/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct frame_spec
spec(void)
{
	return (struct frame_spec){ .dst_mac = "0a:00:00:00:00:01",
		.src_mac = "0e:00:00:00:00:aa",
		.src = "198.18.0.2",
		.dst = "198.19.3.4",
		.payload = 40 };
}

/* Takes the first of list, and asserts that it is the packet expected. */
static struct packet *
expect(struct packet *list, const uint8_t *ip, unsigned len)
{
	struct packet *next;

	assert_non_null(list);
	assert_int_equal(list->len, MAX(len + ETH_BYTES, 60U));
	assert_int_equal(load_be16(list->bytes + ETH_TYPE), 0x0800);
	assert_memory_equal(list->bytes + ETH_BYTES, ip, len);
	next = list->next;
	free(list);
	return next;
}

static void
pieces_are_those_of_scapy(void **state)
{
	static struct golden g;
	static uint8_t in[4096], out[4096];
	unsigned n_cases = 0;

	(void)state;
	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "fragment", 4); n_cases++) {
		unsigned mtu = (unsigned)atoi(g.word[1]);
		unsigned wanted = (unsigned)atoi(g.word[2]), n;
		struct packet *list;

		frame_hex(g.word[3], in, sizeof(in));
		list = fragment4(in, mtu, &n);
		assert_int_equal(n, wanted);
		for (unsigned i = 0; i < n; i++)
			list = expect(list, out,
			    frame_hex(g.word[4 + i], out, sizeof(out)));
		assert_null(list);
	}
	assert_int_equal(n_cases, 12);
}

/* Options that are copied are in each piece, the others in the first alone. */
static void
pieces_carry_the_options_that_they_must(void **state)
{
	struct frame_spec s = spec();
	struct packet *p, *list;
	unsigned n, bytes = 0;
	struct frame f;

	(void)state;
	s.payload = 100;
	s.options = "0707040000000001"
		    "94040000"; /* record route, nop; router alert */
	frame_ip4(&f, &s);
	list = fragment4(f.b + 14, 68, &n);
	assert_int_equal(n, 3);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *ip = list->bytes + 14;
		unsigned header = (ip[0] & 15U) * 4;

		assert_int_equal(header, i == 0 ? 32 : 24);
		assert_memory_equal(ip + 20, i == 0 ? "\7\7\4" : "\x94\4\0", 3);
		assert_int_equal(frame_sum(ip, header), 0);
		assert_int_equal(
		    load_be16(ip + 6), bytes / 8 | (i == n - 1 ? 0 : 0x2000));
		assert_memory_equal(ip + header, f.b + 14 + 32 + bytes,
		    load_be16(ip + 2) - header);
		bytes += load_be16(ip + 2) - header;
		assert_true(load_be16(ip + 2) <= 68);
		p = list->next;
		free(list);
		list = p;
	}
	assert_int_equal(bytes, 100);
	/* no room for 8 bytes behind 32 */
	assert_null(fragment4(f.b + 14, 39, &n));
	assert_null(fragment4(f.b + 14, 20, &n));
}

static void
options_are_walked_to_their_end(void **state)
{
	static const struct {
		const char *options;
		unsigned wrong;
		bool source_route;
	} cases[] = {
		{ "00000000", 0, false },
		{ "01010101", 0, false },
		{ "94040000", 0, false },
		{ "8307040a00000100", 0, true },
		{ "8907040a00000100", 0, true },
		{ "8307080a00000100", 0, false }, /* we are its last place */
		{ "8903040000000000", 0, false },
		{ "83070300", 21, false },
		{ "8307030a00000100", 22, false }, /* points at itself */
		{ "0107040000000000", 23, false }, /* points nowhere */
		{ "07030400", 0, false },
		{ "07030300", 22, false },
		{ "4404050044040400", 26, false },
		{ "01010107", 23, false }, /* no length */
		{ "07000000", 21, false }, /* length 0 */
		{ "07010000", 21, false }, /* length 1 */
		{ "07050000", 21, false }, /* beyond the header */
		{ "0000ffff", 0, false },  /* behind the end */
		{ "0707040000000001", 0, false },
		{ "0102ff00", 22, false },
		{ "0101ff00", 23, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame_spec s = spec();
		struct options o;
		struct frame f;

		s.options = cases[i].options;
		frame_ip4(&f, &s);
		assert_int_equal(options_read(f.b + 14, &o), cases[i].wrong);
		if (!cases[i].wrong)
			assert_int_equal(o.source_route, cases[i].source_route);
	}
}

static bool
is_own(void *arg, uint32_t ip)
{
	return ip == *(const uint32_t *)arg;
}

static void
stamps_are_those_of_scapy(void **state)
{
	static struct golden g;
	uint8_t in[256], out[256];
	unsigned n = 0;

	(void)state;
	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "stamp", 3); n++) {
		uint32_t own = frame_ip(g.word[1]);
		struct options_stamp stamp = {
			.address = own,
			.ms = ((12 * 60 + 34) * 60 + 56) * 1000 + 789,
			.is_own = is_own,
			.arg = &own,
		};
		struct options o;
		unsigned len = frame_hex(g.word[2], in, sizeof(in));

		assert_int_equal(frame_hex(g.word[3], out, sizeof(out)), len);
		assert_int_equal(options_read(in, &o), 0);
		assert_int_equal(options_write(in, &o, &stamp), 0);
		assert_memory_equal(in, out, len);
	}
	assert_int_equal(n, 10);
}

static void
a_stamp_without_room_is_a_problem(void **state)
{
	static const struct {
		const char *options;
		unsigned wrong;
	} cases[] = {
		{ "07060400000000ff", 22 }, /* 3 bytes left */
		{ "0707080000000000", 0 },  /* full is no mistake */
		{ "4407050000000000", 22 }, /* 3 bytes left */
		{ "44080501000000000000000000000000", 22 }, /* 4 of 8 */
		{ "4408050200000000", 23 }, /* an unknown kind */
		{ "440809f000000000", 23 }, /* too many had no room */
		{ "440809e000000000", 0 },
	};
	uint32_t own = 1;
	struct options_stamp stamp = { .is_own = is_own, .arg = &own };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame_spec s = spec();
		struct frame f, before;
		struct options o;

		s.options = cases[i].options;
		frame_ip4(&f, &s);
		before = f;
		assert_int_equal(options_read(f.b + 14, &o), 0);
		assert_int_equal(
		    options_write(f.b + 14, &o, &stamp), cases[i].wrong);
		if (cases[i].wrong)
			assert_memory_equal(f.b, before.b, f.len);
	}
}

/* Each header lies in memory of just its size: AddressSanitizer looks on. */
static void
hostile_options_are_read_within_their_bounds(void **state)
{
	uint32_t own = 1;
	struct options_stamp stamp = { .is_own = is_own, .arg = &own };

	(void)state;
	srand(791);
	for (unsigned i = 0; i < 100000; i++) {
		static const uint8_t types[] = { 0, 1, 7, 68, 131, 137, 148 };
		unsigned header = 24 + (unsigned)rand() % 10 * 4, n;
		uint8_t *ip = calloc(1, header + 40);
		struct options o;

		assert_non_null(ip);
		ip[0] = (uint8_t)(0x40 | header / 4);
		store_be16(ip + 2, (uint16_t)(header + 40));
		for (unsigned k = 20; k < header; k++)
			ip[k] = (uint8_t)(rand() % (i % 2 ? 256 : 16));
		ip[20] = types[rand() % 7];
		if (options_read(ip, &o) == 0) {
			struct packet *p;

			(void)options_write(ip, &o, &stamp);
			p = fragment4(ip, 68, &n);
			while (p) {
				struct packet *next = p->next;

				free(p);
				p = next;
			}
		}
		free(ip);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_those_of_scapy),
		cmocka_unit_test(pieces_carry_the_options_that_they_must),
		cmocka_unit_test(options_are_walked_to_their_end),
		cmocka_unit_test(stamps_are_those_of_scapy),
		cmocka_unit_test(a_stamp_without_room_is_a_problem),
		cmocka_unit_test(hostile_options_are_read_within_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
