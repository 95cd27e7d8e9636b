/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fibs_rte: rte_fib (DIR-24-8) and rte_fib6 (trie) as fibs.h wants them, each
 * with the smallest next hops and the widest vectors that it has.
 */
#include "lib/base.h"
#include "tests/bench/fibs.h"

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_memory.h>

enum { TBL8_4 = 1 << 14, TBL8_6 = 1 << 18, MORE_ROUTES = 1024 };

static struct rte_fib *fib;
static struct rte_fib6 *fib6;
static uint32_t *dst4;
static uint8_t (*dst6)[16];

static void
check(int rc, const char *what)
{
	if (rc < 0)
		fibs_die("%s: %s", what, strerror(-rc));
}

static void
no_pause(enum fibs_who who)
{
	(void)who;
}

static void
narrow(const uint64_t *from, uint16_t *hop)
{
	for (unsigned i = 0; i < FIBS_BURST; i++)
		hop[i] = (uint16_t)from[i];
}

/* --- IPv4 ----------------------------------------------------------------- */

static void
prepare4(const struct fibs_input *in)
{
	dst4 = calloc(in->n_dst, sizeof(*dst4));
	if (!dst4)
		fibs_die("no memory");
	for (size_t i = 0; i < in->n_dst; i++)
		dst4[i] = (uint32_t)(in->dst[i].hi >> 32);
}

static void
add4(enum fibs_who who, const struct fibs_route *r)
{
	(void)who;
	check(rte_fib_add(fib, (uint32_t)(r->hi >> 32), r->len, r->hop),
	    "rte_fib_add");
}

static void
delete4(enum fibs_who who, const struct fibs_route *r)
{
	(void)who;
	check(rte_fib_delete(fib, (uint32_t)(r->hi >> 32), r->len),
	    "rte_fib_delete");
}

static void
build4(enum fibs_who who, const struct fibs_input *in)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = (int)in->n_routes * 2 + MORE_ROUTES,
		.dir24_8 = { RTE_FIB_DIR24_8_2B, TBL8_4 },
	};

	fib = rte_fib_create("bench4", SOCKET_ID_ANY, &conf);
	if (!fib)
		fibs_die("no memory for rte_fib");
	for (size_t i = 0; i < in->n_routes; i++)
		add4(who, &in->route[i]);
	/* not there on this processor: the scalar one stays */
	rte_fib_select_lookup(fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
}

static void
destroy4(enum fibs_who who)
{
	(void)who;
	rte_fib_free(fib);
}

static void
look_up4(enum fibs_who who, size_t i, uint16_t *hop)
{
	uint64_t wide[FIBS_BURST];

	(void)who;
	rte_fib_lookup_bulk(fib, dst4 + i, wide, FIBS_BURST);
	narrow(wide, hop);
}

/* By its definition: 2 bytes for each /24, 256 of them in each of the others. */
static size_t
bytes4(enum fibs_who who)
{
	(void)who;
	return 2 * ((1 << 24) + TBL8_4 * 256);
}

const struct fibs_engine fibs_rte4 = { FIBS_RTE, prepare4, build4, destroy4,
	look_up4, add4, delete4, no_pause, bytes4 };

/* --- IPv6 ----------------------------------------------------------------- */

static void
as_bytes(const struct fibs_route *r, uint8_t *p)
{
	store_be32(p, (uint32_t)(r->hi >> 32));
	store_be32(p + 4, (uint32_t)r->hi);
	store_be32(p + 8, (uint32_t)(r->lo >> 32));
	store_be32(p + 12, (uint32_t)r->lo);
}

static void
prepare6(const struct fibs_input *in)
{
	dst6 = calloc(in->n_dst, sizeof(*dst6));
	if (!dst6)
		fibs_die("no memory");
	for (size_t i = 0; i < in->n_dst; i++)
		as_bytes(&in->dst[i], dst6[i]);
}

static void
add6(enum fibs_who who, const struct fibs_route *r)
{
	uint8_t ip[16];

	(void)who;
	as_bytes(r, ip);
	check(rte_fib6_add(fib6, ip, r->len, r->hop), "rte_fib6_add");
}

static void
delete6(enum fibs_who who, const struct fibs_route *r)
{
	uint8_t ip[16];

	(void)who;
	as_bytes(r, ip);
	check(rte_fib6_delete(fib6, ip, r->len), "rte_fib6_delete");
}

static void
build6(enum fibs_who who, const struct fibs_input *in)
{
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.max_routes = (int)in->n_routes * 2 + MORE_ROUTES,
		.trie = { RTE_FIB6_TRIE_4B, TBL8_6 },
	};

	fib6 = rte_fib6_create("bench6", SOCKET_ID_ANY, &conf);
	if (!fib6)
		fibs_die("no memory for rte_fib6");
	for (size_t i = 0; i < in->n_routes; i++)
		add6(who, &in->route[i]);
	rte_fib6_select_lookup(fib6, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512);
}

static void
destroy6(enum fibs_who who)
{
	(void)who;
	rte_fib6_free(fib6);
}

static void
look_up6(enum fibs_who who, size_t i, uint16_t *hop)
{
	uint64_t wide[FIBS_BURST];

	(void)who;
	rte_fib6_lookup_bulk(fib6, dst6 + i, wide, FIBS_BURST);
	narrow(wide, hop);
}

static size_t
bytes6(enum fibs_who who)
{
	(void)who;
	return 4 * ((size_t)(1 << 24) + TBL8_6 * 256);
}

const struct fibs_engine fibs_rte6 = { FIBS_RTE, prepare6, build6, destroy6,
	look_up6, add6, delete6, no_pause, bytes6 };
