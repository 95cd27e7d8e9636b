/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4: how the trie is built. Routes sorted by address and then length come
 * parents first, so that filling slots in that order lets the longer prefix
 * win, and the routes that go on below a slot lie side by side.
 */
#include "router/fib4.h"

#include "lib/base.h"

enum { ROOT_SLOTS = 1 << FIB4_ROOT_BITS, SLOTS = 1 << FIB4_BITS };

#define LEAF (UINT32_C(1) << 31)

struct builder {
	struct fib4 *f;
	const struct fib4_route *routes;
	size_t node_cap;
	size_t leaf_cap;
};

/* Routes first..first + n; all below one slot. */
struct slice {
	uint32_t first;
	uint32_t n;
};

/* A node to be: its slots before they are packed. */
struct spread {
	uint16_t *result;
	struct slice *below;
	unsigned depth; /* bits consumed above it */
	unsigned bits;
};

static int
compare(const void *x, const void *y)
{
	const struct fib4_route *a = x;
	const struct fib4_route *b = y;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->rank - b->rank;
}

static void
spread_routes(const struct builder *b, struct slice s, const struct spread *o)
{
	unsigned end = o->depth + o->bits;

	for (uint32_t k = s.first; k < s.first + s.n; k++) {
		const struct fib4_route *r = &b->routes[k];
		uint32_t slot = r->prefix << o->depth >> (32 - o->bits);

		if (r->len <= end) {
			for (uint32_t i = 0; i < 1U << (end - r->len); i++)
				o->result[slot + i] = r->result;
			continue;
		}
		if (o->below[slot].n++ == 0)
			o->below[slot].first = k;
	}
}

static int
reserve(void **array, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap;
	void *p;

	if (want <= n)
		return 0;
	while (n < want)
		n = n ? n * 2 : 64;
	p = reallocarray(*array, n, size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = n;
	return 0;
}

/* Makes n nodes side by side; returns the index of the first in *out. */
static int
new_nodes(struct builder *b, unsigned n, uint32_t *out)
{
	struct fib4 *f = b->f;
	void *p = f->node;
	int rc = reserve(&p, &b->node_cap, f->n_nodes + n, sizeof(*f->node));

	f->node = p;
	if (rc < 0)
		return rc;
	*out = f->n_nodes;
	f->n_nodes += n;
	return 0;
}

static int
pack_leaves(struct builder *b, struct fib4_node *node, const uint16_t *result)
{
	struct fib4 *f = b->f;
	void *p = f->leaf;
	int rc =
	    reserve(&p, &b->leaf_cap, f->n_leaves + SLOTS, sizeof(*f->leaf));

	f->leaf = p;
	if (rc < 0)
		return rc;
	node->leaf0 = f->n_leaves;
	for (unsigned v = 0; v < SLOTS; v++) {
		if (node->children >> v & 1)
			continue;
		if (f->n_leaves > node->leaf0 &&
		    f->leaf[f->n_leaves - 1] == result[v])
			continue;
		f->leaf[f->n_leaves++] = result[v];
		node->starts |= UINT64_C(1) << v;
	}
	return 0;
}

/* Fills in node i, at depth, from routes s; above is the match so far. */
static int
build_node(struct builder *b, uint32_t i, struct slice s, unsigned depth,
    uint16_t above)
{
	struct fib4_node node = { 0 };
	uint16_t result[SLOTS];
	struct slice below[SLOTS] = { 0 };
	uint32_t child;
	int rc;

	for (unsigned v = 0; v < SLOTS; v++)
		result[v] = above;
	spread_routes(
	    b, s, &(struct spread){ result, below, depth, FIB4_BITS });
	for (unsigned v = 0; v < SLOTS; v++)
		node.children |= (uint64_t)(below[v].n > 0) << v;
	rc = pack_leaves(b, &node, result);
	if (rc < 0)
		return rc;
	rc = new_nodes(
	    b, (unsigned)__builtin_popcountll(node.children), &node.child0);
	if (rc < 0)
		return rc;
	child = node.child0;
	for (unsigned v = 0; v < SLOTS && rc == 0; v++)
		if (below[v].n > 0)
			rc = build_node(
			    b, child++, below[v], depth + FIB4_BITS, result[v]);
	b->f->node[i] = node;
	return rc;
}

static int
build_root(struct builder *b, struct slice all)
{
	scoped_free uint16_t *result = calloc(ROOT_SLOTS, sizeof(*result));
	scoped_free struct slice *below = calloc(ROOT_SLOTS, sizeof(*below));
	int rc = 0;

	if (!result || !below)
		return -ENOMEM;
	spread_routes(
	    b, all, &(struct spread){ result, below, 0, FIB4_ROOT_BITS });
	for (unsigned v = 0; v < ROOT_SLOTS && rc == 0; v++) {
		uint32_t node;

		b->f->root[v] = LEAF | result[v];
		if (below[v].n == 0)
			continue;
		rc = new_nodes(b, 1, &node);
		if (rc < 0)
			break;
		b->f->root[v] = node;
		rc = build_node(b, node, below[v], FIB4_ROOT_BITS, result[v]);
	}
	return rc;
}

/* Gives back what the doubling took too much; failing is harmless. */
static void
shrink(struct fib4 *f)
{
	void *p = reallocarray(f->node, f->n_nodes + 1, sizeof(*f->node));

	if (p)
		f->node = p;
	p = reallocarray(f->leaf, f->n_leaves + 1, sizeof(*f->leaf));
	if (p)
		f->leaf = p;
}

int
fib4_build(struct fib4_route *routes, size_t n, struct fib4 **out)
{
	struct fib4 *f = calloc(1, sizeof(*f));
	struct builder b = { .f = f, .routes = routes };
	int rc;

	if (!f || n > UINT32_MAX)
		goto fail;
	f->root = malloc(ROOT_SLOTS * sizeof(*f->root));
	if (!f->root)
		goto fail;
	if (n > 0)
		qsort(routes, n, sizeof(*routes), compare);
	rc = build_root(&b, (struct slice){ 0, (uint32_t)n });
	if (rc < 0)
		goto fail;
	shrink(f);
	f->n_refs = 1;
	*out = f;
	return 0;
fail:
	fib4_free(f);
	return -ENOMEM;
}

void
fib4_free(struct fib4 *f)
{
	if (!f)
		return;
	free(f->root);
	free(f->node);
	free(f->leaf);
	free(f);
}

size_t
fib4_bytes(const struct fib4 *f)
{
	return sizeof(*f) + ROOT_SLOTS * sizeof(*f->root) +
	       f->n_nodes * sizeof(*f->node) + f->n_leaves * sizeof(*f->leaf);
}
