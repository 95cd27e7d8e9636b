/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4: the tables of fib.h over addresses of 32 bits; the work is done in
 * fib_routes.inc.
 */
#include "router/fib4.h"

#include "lib/base.h"
#include "router/fib_store.h"

typedef uint32_t fib_key;
#define FIB_KEY_BITS 32
#define fib_route fib4_route

static fib_key
key_of(const struct fib4_route *r)
{
	return r->prefix;
}

#include "router/fib_routes.inc"

struct fib4_writer {
	struct fib_store store;
	struct fib_routes *routes; /* NULL: they have moved on */
};

/* Takes t. */
static int
make(struct fib_routes *t, struct fib4 **out)
{
	struct fib4 *f = calloc(1, sizeof(*f));
	int rc = -ENOMEM;

	if (!f)
		return rc;
	f->writer = calloc(1, sizeof(*f->writer));
	if (f->writer)
		rc = table_make(&f->writer->store, &f->fib, t);
	if (rc < 0) {
		fib4_free(f);
		return rc;
	}
	f->writer->routes = t;
	f->n_refs = 1;
	*out = f;
	return 0;
}

int
fib4_build(const struct fib4_route *routes, size_t n, struct fib4 **out)
{
	struct fib_routes *t;
	int rc = routes_make(routes, n, &t);

	if (rc < 0)
		return rc;
	rc = make(t, out);
	if (rc < 0)
		routes_free(t);
	return rc;
}

int
fib4_rebuild(struct fib4 *f, struct fib4 **out)
{
	int rc = make(f->writer->routes, out);

	if (rc == 0)
		f->writer->routes = NULL;
	return rc;
}

void
fib4_free(struct fib4 *f)
{
	if (!f)
		return;
	if (f->writer) {
		routes_free(f->writer->routes);
		fib_store_destroy(&f->writer->store);
	}
	free(f->writer);
	free(f);
}

int
fib4_add(struct fib4 *f, const struct fib4_route *r)
{
	return change_route(&f->writer->store, f->writer->routes, r, true);
}

int
fib4_delete(struct fib4 *f, const struct fib4_route *r)
{
	return change_route(&f->writer->store, f->writer->routes, r, false);
}

void
fib4_seal(struct fib4 *f)
{
	fib_seal(&f->writer->store);
}

void
fib4_release(struct fib4 *f)
{
	fib_release(&f->writer->store);
}

size_t
fib4_bytes(const struct fib4 *f)
{
	return fib_store_bytes(&f->writer->store);
}

size_t
fib4_n_routes(const struct fib4 *f)
{
	const struct fib_routes *t = f->writer->routes;
	size_t n = t->n;

	for (unsigned rank = 0; rank < N_RANKS; rank++)
		n += t->otherwise[rank] != 0;
	return n;
}
