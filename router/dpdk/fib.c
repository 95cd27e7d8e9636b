/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib: rte_fib (DIR-24-8) and rte_fib6 (a trie) as fib_engine.h wants them, with
 * the smallest next hops that there is room in, and the widest vectors that the
 * processor has.
 *
 *	bytes = (2^24 + 256 * groups) * 2, or * 4 if there are many groups
 *
 * DPDK 22.11 loses count where a route ends with the last of
 * all addresses and one within it does too: it then fills the whole table. So it
 * is never given such routes. The default route is kept beside the table; routes
 * within 224.0.0.0/3 and ff00::/8 are left out, for no packet with such a
 * destination is looked up (check_ip4, check_ip6); and those around these, such
 * as 128.0.0.0/1, are given as their lower halves (struct top).
 */
#include "router/dpdk/parts.h"

#include "router/fib6.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_memory.h>

enum {
	FIRST = 1 << 24, /* slots of the first level, */
	GROUP = 256,     /* and of each other */
	MORE_ROUTES = 1024,
	MORE_GROUPS = 256,
	MAX_NARROW = INT16_MAX, /* groups, and results, of 2 bytes */
	BURST = 64,
	TOP4 = 3, /* 224.0.0.0/3 */
	TOP6 = 8, /* ff00::/8 */
};

/*
 * The routes that end with the last of all addresses, by their length: whole[k]
 * has k bits, all set. half[k] is the result that DPDK has for k bits that are
 * set and one that is not: that of a route of its own, own[k], or else of the
 * longest of whole[1..k].
 */
struct top {
	unsigned bits; /* so many bits that are set: no destination */
	uint16_t whole[8], own[8], half[8];
};

struct table {
	struct rte_fib *fib;
	struct rte_fib6 *fib6;
	unsigned n_groups;
	unsigned slot_bytes;
	uint16_t otherwise; /* of the default route */
	struct top top;
};

struct family {
	/* gives a route to DPDK, takes it away if result is 0 */
	int (*give)(const struct table *t, const void *prefix, unsigned len,
	    uint16_t result);
	/* an address with this first byte, all others 0 */
	void (*begin)(uint8_t first, void *out);
};

/* The first byte of k bits that are set. */
static uint8_t
ones(unsigned k)
{
	return (uint8_t)(0xff00U >> k);
}

static int
settle_top(struct table *t, const struct family *f)
{
	_Alignas(8) uint8_t prefix[sizeof(struct fib6_addr)];
	struct top *top = &t->top;
	uint16_t whole = 0;

	for (unsigned k = 1; k < top->bits; k++) {
		uint16_t result;
		int rc = 0;

		whole = top->whole[k] ? top->whole[k] : whole;
		result = top->own[k] ? top->own[k] : whole;
		f->begin(ones(k), prefix);
		if (result != top->half[k])
			rc = f->give(t, prefix, k + 1, result);
		if (rc < 0)
			return rc;
		top->half[k] = result;
	}
	return 0;
}

struct route {
	const void *prefix;
	uint8_t first; /* its first byte */
	uint8_t len;
	uint16_t result;
};

static int
change(struct table *t, const struct family *f, const struct route *r)
{
	struct top *top = &t->top;

	if (r->len == 0) {
		t->otherwise = r->result;
		return 0;
	}
	if (r->len >= top->bits && r->first >= ones(top->bits))
		return 0;
	if (r->len < top->bits && r->first == ones(r->len))
		top->whole[r->len] = r->result;
	else if (r->len > 1 && r->len <= top->bits &&
		 r->first == ones(r->len - 1U))
		top->own[r->len - 1] = r->result;
	else
		return f->give(t, r->prefix, r->len, r->result);
	return settle_top(t, f);
}

/* Changes need some more than there are. */
static struct table *
new_table(const struct fib_room *room, unsigned top_bits)
{
	size_t n = room->n_groups + room->n_groups / 4 + MORE_GROUPS;
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->slot_bytes = room->is_wide || n > MAX_NARROW ? 4 : 2;
	t->n_groups = (unsigned)MIN(n, (size_t)FIRST);
	t->top.bits = top_bits;
	return t;
}

static int
routes_of(const struct fib_room *room)
{
	size_t n = room->n_routes + room->n_routes / 4 + MORE_ROUTES;

	return (int)MIN(n, (size_t)INT32_MAX / 4);
}

/* DPDK knows its tables by names. */
static void
name(char *out, size_t size)
{
	static _Atomic(unsigned) n; /* several threads make tables */

	/* relaxed: a number and nothing else */
	snprintf(out, size, "europa%u",
	    atomic_fetch_add_explicit(&n, 1, memory_order_relaxed));
}

static int
end_make(struct table *t, void **out)
{
	if (t->fib || t->fib6) {
		*out = t;
		return 0;
	}
	free(t);
	return -ENOMEM;
}

static void
narrow(const struct table *t, const uint64_t *from, uint16_t *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = from[i] ? (uint16_t)from[i] : t->otherwise;
}

static size_t
bytes(const struct table *t)
{
	return ((size_t)FIRST + (size_t)t->n_groups * GROUP) * t->slot_bytes;
}

/* --- IPv4 ----------------------------------------------------------------- */

int
dpdk_fib4_make(const struct fib_room *room, void **out)
{
	struct table *t = new_table(room, TOP4);
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = routes_of(room),
	};
	char id[24];

	if (!t)
		return -ENOMEM;
	conf.dir24_8.nh_sz =
	    t->slot_bytes == 2 ? RTE_FIB_DIR24_8_2B : RTE_FIB_DIR24_8_4B;
	conf.dir24_8.num_tbl8 = t->n_groups;
	name(id, sizeof(id));
	t->fib = rte_fib_create(id, SOCKET_ID_ANY, &conf);
	/* not there on this processor: the scalar one stays */
	if (t->fib)
		rte_fib_select_lookup(
		    t->fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
	return end_make(t, out);
}

void
dpdk_fib4_free(void *table)
{
	struct table *t = table;

	rte_fib_free(t->fib);
	free(t);
}

static int
give4(const struct table *t, const void *prefix, unsigned len, uint16_t result)
{
	const uint32_t *ip = prefix;

	return result ? rte_fib_add(t->fib, *ip, (uint8_t)len, result)
		      : rte_fib_delete(t->fib, *ip, (uint8_t)len);
}

static void
begin4(uint8_t first, void *out)
{
	*(uint32_t *)out = (uint32_t)first << 24;
}

static const struct family family4 = { give4, begin4 };

int
dpdk_fib4_add(void *table, const void *prefix, unsigned len, uint16_t result)
{
	const uint32_t *ip = prefix;
	const struct route r = { prefix, (uint8_t)(*ip >> 24), (uint8_t)len,
		result };

	return change(table, &family4, &r);
}

int
dpdk_fib4_remove(void *table, const void *prefix, unsigned len)
{
	return dpdk_fib4_add(table, prefix, len, 0);
}

void
dpdk_fib4_look_up(
    const void *table, const void *addresses, uint16_t *results, unsigned n)
{
	const struct table *t = table;
	const uint32_t *ip = addresses;
	uint64_t wide[BURST];

	while (n > 0) {
		unsigned k = MIN(n, (unsigned)BURST);

		/* it does not write to them, and does not say so */
		rte_fib_lookup_bulk(
		    t->fib, (uint32_t *)(uintptr_t)ip, wide, (int)k);
		narrow(t, wide, results, k);
		ip += k;
		results += k;
		n -= k;
	}
}

size_t
dpdk_fib4_bytes(const void *table)
{
	return bytes(table);
}

/* --- IPv6 ----------------------------------------------------------------- */

static void
as_bytes(const struct fib6_addr *a, uint8_t *out)
{
	uint64_t hi = __builtin_bswap64(a->hi), lo = __builtin_bswap64(a->lo);

	static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	    "addresses are turned round");
	memcpy(out, &hi, sizeof(hi));
	memcpy(out + sizeof(hi), &lo, sizeof(lo));
}

int
dpdk_fib6_make(const struct fib_room *room, void **out)
{
	struct table *t = new_table(room, TOP6);
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.max_routes = routes_of(room),
	};
	char id[24];

	if (!t)
		return -ENOMEM;
	conf.trie.nh_sz =
	    t->slot_bytes == 2 ? RTE_FIB6_TRIE_2B : RTE_FIB6_TRIE_4B;
	conf.trie.num_tbl8 = t->n_groups;
	name(id, sizeof(id));
	t->fib6 = rte_fib6_create(id, SOCKET_ID_ANY, &conf);
	if (t->fib6)
		rte_fib6_select_lookup(
		    t->fib6, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512);
	return end_make(t, out);
}

void
dpdk_fib6_free(void *table)
{
	struct table *t = table;

	rte_fib6_free(t->fib6);
	free(t);
}

static int
give6(const struct table *t, const void *prefix, unsigned len, uint16_t result)
{
	uint8_t ip[16];

	as_bytes(prefix, ip);
	return result ? rte_fib6_add(t->fib6, ip, (uint8_t)len, result)
		      : rte_fib6_delete(t->fib6, ip, (uint8_t)len);
}

static void
begin6(uint8_t first, void *out)
{
	*(struct fib6_addr *)out =
	    (struct fib6_addr){ .hi = (uint64_t)first << 56 };
}

static const struct family family6 = { give6, begin6 };

int
dpdk_fib6_add(void *table, const void *prefix, unsigned len, uint16_t result)
{
	const struct fib6_addr *a = prefix;
	const struct route r = { prefix, (uint8_t)(a->hi >> 56), (uint8_t)len,
		result };

	return change(table, &family6, &r);
}

int
dpdk_fib6_remove(void *table, const void *prefix, unsigned len)
{
	return dpdk_fib6_add(table, prefix, len, 0);
}

void
dpdk_fib6_look_up(
    const void *table, const void *addresses, uint16_t *results, unsigned n)
{
	const struct table *t = table;
	const struct fib6_addr *a = addresses;
	uint8_t ip[BURST][16];
	uint64_t wide[BURST];

	while (n > 0) {
		unsigned k = MIN(n, (unsigned)BURST);

		for (unsigned i = 0; i < k; i++)
			as_bytes(&a[i], ip[i]);
		rte_fib6_lookup_bulk(t->fib6, ip, wide, (int)k);
		narrow(t, wide, results, k);
		a += k;
		results += k;
		n -= k;
	}
}

size_t
dpdk_fib6_bytes(const void *table)
{
	return bytes(table);
}
