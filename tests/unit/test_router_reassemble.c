/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_reassemble: pieces that become packets, against scapy and by hand;
 * those that never may; and that all of it is bounded.
 */
#include "router/reassemble.h"

#include "router/fragment.h"
#include "tests/unit/frame_maker.h"
#include "tests/unit/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { START_MS = 5000, VNIC = 3 };

static int
set_up(void **state)
{
	*state = reassembly_new();
	return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
	reassembly_free(*state);
	return 0;
}

/* To the fragment header, that must be there. */
static struct ip6_walk
at_fragment(const uint8_t *ip)
{
	struct ip6_walk w;

	ip6_walk_begin(&w, ip);
	while (w.next != NEXT_FRAGMENT)
		assert_true(ip6_walk_next(&w));
	return w;
}

static int
give(struct reassembly *r, const uint8_t *ip, struct packet **out)
{
	struct ip6_walk w;

	if (ip[0] >> 4 == 4)
		return reassemble4(r, ip, VNIC, START_MS, out);
	w = at_fragment(ip);
	return reassemble6(r, &w, VNIC, START_MS, out);
}

static void
join_golden(struct reassembly *r, const char *kind)
{
	static struct golden g;
	static uint8_t whole[8192], ip[8192];
	unsigned n_cases = 0;

	golden_open(&g, "router_packets_join.txt");
	for (; golden_next(&g, kind, 3); n_cases++) {
		unsigned len = frame_hex(g.word[1], whole, sizeof(whole));
		unsigned n = (unsigned)atoi(g.word[2]);
		struct packet *p = NULL;

		assert_int_equal(g.n, 3 + n);
		for (unsigned i = 0; i < n; i++) {
			frame_hex(g.word[3 + i], ip, sizeof(ip));
			assert_int_equal(give(r, ip, &p), i == n - 1);
		}
		assert_non_null(p);
		assert_int_equal(p->len, MAX(len + ETH_BYTES, 60U));
		assert_int_equal(p->vnic, VNIC);
		assert_int_equal(load_be16(p->bytes + ETH_TYPE),
		    kind[4] == '4' ? 0x0800 : 0x86dd);
		assert_memory_equal(p->bytes + ETH_BYTES, whole, len);
		assert_int_equal(reassembly_bytes(r), 0);
		free(p);
	}
	assert_int_equal(n_cases, 20);
}

static void
pieces_of_scapy_are_joined(void **state)
{
	join_golden(*state, "join4");
	join_golden(*state, "join6");
}

/* A piece of a datagram: n bytes that say where they are. */
static const uint8_t *
piece(unsigned id, unsigned offset, unsigned n, bool more)
{
	static struct frame f;
	struct frame_spec s = {
		.dst_mac = "0a:00:00:00:00:01",
		.src_mac = "0e:00:00:00:00:aa",
		.src = "198.18.0.2",
		.dst = "198.18.0.1",
		.id = (uint16_t)id,
		.fragment = (uint16_t)(offset / 8 | (more ? 0x2000U : 0U)),
		.payload = n,
	};

	frame_ip4(&f, &s);
	for (unsigned i = 0; i < n; i++)
		f.b[34 + i] = (uint8_t)((offset + i) * 7 / 4);
	return f.b + 14;
}

static int
put(struct reassembly *r, unsigned id, unsigned offset, unsigned n, bool more)
{
	struct packet *p = NULL;
	int rc = give(r, piece(id, offset, n, more), &p);

	assert_int_equal(rc == 1, p != NULL);
	free(p);
	return rc;
}

static void
any_order_will_do(void **state)
{
	enum { PIECES = 12, EACH = 64 };
	struct packet *p;

	srand(791);
	for (unsigned round = 0; round < 500; round++) {
		unsigned order[PIECES], at = 0;

		for (unsigned i = 0; i < PIECES; i++)
			order[i] = i;
		for (unsigned i = PIECES - 1; i > 0; i--) {
			unsigned k = (unsigned)rand() % (i + 1),
				 swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
		for (unsigned i = 0; i < PIECES; i++) {
			unsigned k = order[i];

			/* some come twice; only the last is one too many */
			at = k * EACH;
			if (i + 1 < PIECES && i % 3 == 0)
				assert_int_equal(put(*state, round, at, EACH,
						     k + 1 < PIECES),
				    0);
			p = NULL;
			assert_int_equal(
			    give(*state, piece(round, at, EACH, k + 1 < PIECES),
				&p),
			    i == PIECES - 1);
		}
		assert_non_null(p);
		assert_int_equal(load_be16(p->bytes + 16), 20 + PIECES * EACH);
		assert_int_equal(frame_sum(p->bytes + 14, 20), 0);
		for (unsigned i = 0; i < PIECES * EACH; i++)
			assert_int_equal(
			    p->bytes[34 + i], (uint8_t)(i * 7 / 4));
		free(p);
	}
}

static void
not_expected(void *arg, const uint8_t *ip, unsigned vnic)
{
	(void)arg;
	(void)ip;
	(void)vnic;
	fail();
}

/* Also those of it that come later; and nothing is said of them. */
static void
pieces_that_overlap_end_their_datagram(void **state)
{
	static const struct {
		unsigned offset, n;
		bool more;
	} second[] = {
		{ 8, 24, true },   /* the end of the first */
		{ 16, 8, true },   /* within it */
		{ 0, 32, true },   /* over it */
		{ 0, 24, false },  /* the same one, but the last */
		{ 16, 16, false }, /* the last */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(second); i++) {
		assert_int_equal(put(*state, i, 0, 24, true), 0);
		assert_int_equal(put(*state, i, 64, 8, true), 0);
		assert_int_equal(put(*state, i, second[i].offset, second[i].n,
				     second[i].more),
		    -EPERM);
		assert_int_equal(reassembly_bytes(*state), 0);
		assert_int_equal(put(*state, i, 24, 40, true), -EPERM);
		assert_int_equal(put(*state, i, 72, 8, false), -EPERM);
	}
	assert_int_equal(
	    reassembly_tick(*state, START_MS + 59999, not_expected, NULL), 1);
	assert_true(reassembly_tick(*state, START_MS + 60000, not_expected,
			NULL) == UINT64_MAX);
	/* its number may be used again */
	assert_int_equal(put(*state, 0, 0, 24, true), 0);
	assert_int_equal(put(*state, 0, 24, 5, false), 1);
}

static void
the_same_bytes_twice_are_no_overlap_others_are(void **state)
{
	struct packet *p = NULL;
	uint8_t *ip;

	assert_int_equal(put(*state, 1, 8, 8, true), 0);
	assert_int_equal(put(*state, 1, 8, 8, true), 0);
	assert_int_equal(put(*state, 1, 16, 3, false), 0);
	ip = (uint8_t *)(uintptr_t)piece(1, 8, 8, true);
	ip[20] ^= 1;
	assert_int_equal(give(*state, ip, &p), -EPERM);
	assert_null(p);
}

static void
the_end_is_one(void **state)
{
	assert_int_equal(put(*state, 1, 24, 8, false), 0);
	assert_int_equal(put(*state, 1, 40, 8, false), -EPERM);
	assert_int_equal(put(*state, 2, 24, 8, false), 0);
	assert_int_equal(put(*state, 2, 32, 8, true), -EPERM);
	assert_int_equal(put(*state, 3, 40, 8, true), 0);
	assert_int_equal(put(*state, 3, 24, 8, false), -EPERM);
	assert_int_equal(put(*state, 4, 24, 8, true), 0);
	assert_int_equal(put(*state, 4, 16, 8, false), -EPERM);
}

static void
wrong_lengths_are_not_taken(void **state)
{
	assert_int_equal(put(*state, 1, 0, 23, true), -EBADMSG);
	assert_int_equal(put(*state, 1, 8, 0, false), -EBADMSG);
	assert_int_equal(put(*state, 1, 65528, 8, false), -EOVERFLOW);
	assert_int_equal(reassembly_bytes(*state), 0);
	/* they have not spoilt the others */
	assert_int_equal(put(*state, 1, 0, 24, true), 0);
	assert_int_equal(put(*state, 1, 24, 1, false), 1);
}

struct expired {
	unsigned n;
	unsigned n_first;
	unsigned id;
};

static void
on_expired(void *arg, const uint8_t *ip, unsigned vnic)
{
	struct expired *e = arg;

	e->n++;
	if (!ip)
		return;
	e->n_first++;
	e->id = load_be16(ip + IP4_ID);
	assert_int_equal(load_be16(ip + IP4_FRAGMENT), 0x2000);
	assert_int_equal(load_be16(ip + IP4_TOTAL), 20 + 24);
	assert_int_equal(vnic, VNIC);
}

static void
what_is_not_complete_in_time_is_given_up(void **state)
{
	struct expired e = { 0 };

	assert_int_equal(put(*state, 7, 24, 8, true), 0);
	assert_int_equal(put(*state, 7, 0, 24, true), 0);
	assert_int_equal(put(*state, 8, 24, 8, true), 0); /* not the first */
	assert_int_equal(
	    reassembly_tick(*state, START_MS + 59990, on_expired, &e), 10);
	assert_int_equal(e.n, 0);
	assert_true(reassembly_tick(*state, START_MS + 60000, on_expired, &e) ==
		    UINT64_MAX);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.n_first, 1);
	assert_int_equal(e.id, 7);
	assert_int_equal(reassembly_bytes(*state), 0);
	assert_int_equal(put(*state, 7, 32, 8, false), 0); /* a new one */
}

static void
memory_is_bounded_and_the_youngest_win(void **state)
{
	size_t most = 0;

	for (unsigned id = 0; id < 2000; id++) {
		for (unsigned k = 0; k < 1 + id % 40; k++)
			assert_int_equal(
			    put(*state, id, 1400 + 1400 * k, 1400, true), 0);
		most = MAX(most, reassembly_bytes(*state));
	}
	assert_in_range(most, REASSEMBLE_BYTES / 2, REASSEMBLE_BYTES);
	assert_int_equal(put(*state, 1999, 0, 1400, true), 0);
	assert_int_equal(put(*state, 1999, 40 * 1400 + 1400, 8, false), 1);
}

static void
so_are_the_pieces_of_one(void **state)
{
	for (unsigned i = 0; i < REASSEMBLE_PIECES; i++)
		assert_int_equal(put(*state, 1, 16 * i, 8, true), 0);
	assert_int_equal(
	    put(*state, 1, 16 * REASSEMBLE_PIECES, 8, true), -EPERM);
	assert_int_equal(reassembly_bytes(*state), 0);
}

/* The longest packet: what fragment4() cuts is joined again. */
static void
what_was_cut_is_whole_again(void **state)
{
	static uint8_t ip[UINT16_MAX];
	struct packet *list, *next, *p = NULL;
	unsigned n, total = UINT16_MAX - ETH_BYTES;

	memcpy(ip, piece(5, 0, 8, false), 20);
	for (unsigned i = 20; i < total; i++)
		ip[i] = (uint8_t)(i * i >> 7);
	store_be16(ip + IP4_TOTAL, (uint16_t)total);
	store_be16(ip + IP4_CHECKSUM, 0);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, 20));
	for (list = fragment4(ip, 1500, &n); list; list = next) {
		next = list->next;
		assert_null(p);
		give(*state, list->bytes + ETH_BYTES, &p);
		free(list);
	}
	assert_int_equal(n, 45);
	assert_non_null(p);
	assert_int_equal(p->len, UINT16_MAX);
	assert_memory_equal(p->bytes + ETH_BYTES, ip, total);
	free(p);
}

static void
and_so_is_one_of_ip6(void **state)
{
	static struct frame f;
	struct frame_spec s = { .dst_mac = "0a:00:00:00:00:01",
		.src_mac = "0e:00:00:00:00:aa",
		.src = "2001:db8::2",
		.dst = "2001:db8::1",
		.payload = 1900 };
	struct packet *list, *next, *p = NULL;
	unsigned n, i = 0;

	frame_ip6(&f, &s, 17, NULL);
	list = fragment6(f.b + 14, 1280, 0x01020304, &n);
	assert_int_equal(n, 2);
	for (; list; list = next, i++) {
		const uint8_t *ip = list->bytes + ETH_BYTES;

		next = list->next;
		assert_int_equal(ip[6], 44);
		assert_memory_equal(ip + 8, f.b + 22, 32); /* addresses */
		assert_int_equal(ip[40], 17);
		assert_int_equal(load_be32(ip + 44), 0x01020304);
		assert_int_equal(load_be16(ip + 42), i == 0 ? 1 : 1232);
		assert_int_equal(
		    load_be16(ip + 4), 8 + (i == 0 ? 1232 : 1900 - 1232));
		assert_int_equal(give(*state, ip, &p), i);
		free(list);
	}
	assert_memory_equal(p->bytes + 14, f.b + 14, f.len - 14);
	free(p);
	/* no room for 8 bytes behind the headers */
	assert_null(fragment6(f.b + 14, 55, 1, &n));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(pieces_of_scapy_are_joined),
		TEST(any_order_will_do),
		TEST(pieces_that_overlap_end_their_datagram),
		TEST(the_same_bytes_twice_are_no_overlap_others_are),
		TEST(the_end_is_one),
		TEST(wrong_lengths_are_not_taken),
		TEST(what_is_not_complete_in_time_is_given_up),
		TEST(memory_is_bounded_and_the_youngest_win),
		TEST(so_are_the_pieces_of_one),
		TEST(what_was_cut_is_whole_again),
		TEST(and_so_is_one_of_ip6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
