/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fibs_ours: fib4 and fib6 as fibs.h wants them. A table that has no more room
 * for changes is built anew, as the router would.
 */
#include "lib/base.h"
#include "router/fib4.h"
#include "router/fib6.h"
#include "tests/bench/fibs.h"

static struct fib4 *fib4;
static struct fib6 *fib6;
static uint32_t *dst4;
static struct fib6_addr *dst6;
static struct fib4_route *route4;
static struct fib6_route *route6;

static void
check(int rc)
{
	if (rc < 0)
		fibs_die("ours: %s", strerror(-rc));
}

/* --- IPv4 ----------------------------------------------------------------- */

static struct fib4_route
as4(const struct fibs_route *r)
{
	return (struct fib4_route){ .prefix = (uint32_t)(r->hi >> 32),
		.len = r->len,
		.result = r->hop };
}

static void
prepare4(const struct fibs_input *in)
{
	dst4 = calloc(in->n_dst, sizeof(*dst4));
	route4 = calloc(in->n_routes, sizeof(*route4));
	check(dst4 && route4 ? 0 : -ENOMEM);
	for (size_t i = 0; i < in->n_dst; i++)
		dst4[i] = (uint32_t)(in->dst[i].hi >> 32);
	for (size_t i = 0; i < in->n_routes; i++)
		route4[i] = as4(&in->route[i]);
}

static void
build4(const struct fibs_input *in)
{
	check(fib4_build(route4, in->n_routes, &fib4));
}

static void
destroy4(void)
{
	fib4_free(fib4);
}

static void
look_up4(size_t i, uint16_t *hop)
{
	fib4_lookup_burst(fib4, dst4 + i, hop, FIBS_BURST);
}

static void
after4(int rc)
{
	struct fib4 *more;

	if (rc != -ENOSPC) {
		check(rc);
		return;
	}
	check(fib4_rebuild(fib4, &more));
	fib4_free(fib4);
	fib4 = more;
}

static void
add4(const struct fibs_route *r)
{
	struct fib4_route route = as4(r);

	after4(fib4_add(fib4, &route));
}

static void
delete4(const struct fibs_route *r)
{
	struct fib4_route route = as4(r);

	after4(fib4_delete(fib4, &route));
}

static void
pause4(void)
{
	fib4_seal(fib4);
	fib4_release(fib4);
}

static size_t
bytes4(void)
{
	return fib4_bytes(fib4);
}

const struct fibs_engine fibs_ours4 = { prepare4, build4, destroy4, look_up4,
	add4, delete4, pause4, bytes4 };

/* --- IPv6 ----------------------------------------------------------------- */

static struct fib6_route
as6(const struct fibs_route *r)
{
	return (struct fib6_route){
		.prefix = { r->hi, r->lo }, .len = r->len, .result = r->hop
	};
}

static void
prepare6(const struct fibs_input *in)
{
	dst6 = calloc(in->n_dst, sizeof(*dst6));
	route6 = calloc(in->n_routes, sizeof(*route6));
	check(dst6 && route6 ? 0 : -ENOMEM);
	for (size_t i = 0; i < in->n_dst; i++)
		dst6[i] = (struct fib6_addr){ in->dst[i].hi, in->dst[i].lo };
	for (size_t i = 0; i < in->n_routes; i++)
		route6[i] = as6(&in->route[i]);
}

static void
build6(const struct fibs_input *in)
{
	check(fib6_build(route6, in->n_routes, &fib6));
}

static void
destroy6(void)
{
	fib6_free(fib6);
}

static void
look_up6(size_t i, uint16_t *hop)
{
	fib6_lookup_burst(fib6, dst6 + i, hop, FIBS_BURST);
}

static void
after6(int rc)
{
	struct fib6 *more;

	if (rc != -ENOSPC) {
		check(rc);
		return;
	}
	check(fib6_rebuild(fib6, &more));
	fib6_free(fib6);
	fib6 = more;
}

static void
add6(const struct fibs_route *r)
{
	struct fib6_route route = as6(r);

	after6(fib6_add(fib6, &route));
}

static void
delete6(const struct fibs_route *r)
{
	struct fib6_route route = as6(r);

	after6(fib6_delete(fib6, &route));
}

static void
pause6(void)
{
	fib6_seal(fib6);
	fib6_release(fib6);
}

static size_t
bytes6(void)
{
	return fib6_bytes(fib6);
}

const struct fibs_engine fibs_ours6 = { prepare6, build6, destroy6, look_up6,
	add6, delete6, pause6, bytes6 };
