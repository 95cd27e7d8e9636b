/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fibs_ours: fib4 and fib6 as fibs.h wants them, as the router has them: with a
 * table of their own, or with DPDK's (router/dpdk.h). A table that has no more
 * room for changes, or that readers have, is followed by another one; the pause
 * is where the router publishes it.
 */
#include "lib/base.h"
#include "router/dpdk.h"
#include "router/fib4.h"
#include "router/fib6.h"
#include "tests/bench/fibs.h"

static struct fib4 *fib4[FIBS_N], *old4[FIBS_N];
static struct fib6 *fib6[FIBS_N], *old6[FIBS_N];
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

static const struct dpdk *
dpdk(void)
{
	enum { MIB = 2048 }; /* two tables of each */
	struct err e;

	if (dpdk_start(MIB, &e) < 0)
		fibs_die("%s", e.msg);
	return dpdk_get();
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
	if (dst4)
		return; /* both have the same */
	dst4 = calloc(in->n_dst, sizeof(*dst4));
	route4 = calloc(in->n_routes, sizeof(*route4));
	check(dst4 && route4 ? 0 : -ENOMEM);
	for (size_t i = 0; i < in->n_dst; i++)
		dst4[i] = (uint32_t)(in->dst[i].hi >> 32);
	for (size_t i = 0; i < in->n_routes; i++)
		route4[i] = as4(&in->route[i]);
}

static void
build4(enum fibs_who who, const struct fibs_input *in)
{
	check(fib4_build_by(who == FIBS_ROUTER ? &dpdk()->fib4 : NULL, route4,
	    in->n_routes, &fib4[who]));
	fib4[who]->n_refs = 2; /* readers have it */
}

static void
drop_old4(enum fibs_who who)
{
	fib4_free(old4[who]);
	old4[who] = NULL;
}

static void
destroy4(enum fibs_who who)
{
	drop_old4(who);
	fib4_free(fib4[who]);
}

static void
look_up4(enum fibs_who who, size_t i, uint16_t *hop)
{
	fib4_lookup_burst(fib4[who], dst4 + i, hop, FIBS_BURST);
}

static void
after4(enum fibs_who who, int rc)
{
	struct fib4 *more;

	if (rc != -ENOSPC) {
		check(rc);
		return;
	}
	check(fib4_rebuild(fib4[who], &more));
	drop_old4(who);
	old4[who] = fib4[who];
	fib4[who] = more;
}

static void
add4(enum fibs_who who, const struct fibs_route *r)
{
	struct fib4_route route = as4(r);

	after4(who, fib4_add(fib4[who], &route));
}

static void
delete4(enum fibs_who who, const struct fibs_route *r)
{
	struct fib4_route route = as4(r);

	after4(who, fib4_delete(fib4[who], &route));
}

static void
pause4(enum fibs_who who)
{
	drop_old4(who); /* the readers have passed */
	fib4[who]->n_refs = 2;
	fib4_seal(fib4[who]);
	fib4_release(fib4[who]);
}

static size_t
bytes4(enum fibs_who who)
{
	return fib4_bytes(fib4[who]);
}

const struct fibs_engine fibs_ours4 = { FIBS_OURS, prepare4, build4, destroy4,
	look_up4, add4, delete4, pause4, bytes4 };
const struct fibs_engine fibs_router4 = { FIBS_ROUTER, prepare4, build4,
	destroy4, look_up4, add4, delete4, pause4, bytes4 };

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
	if (dst6)
		return; /* both have the same */
	dst6 = calloc(in->n_dst, sizeof(*dst6));
	route6 = calloc(in->n_routes, sizeof(*route6));
	check(dst6 && route6 ? 0 : -ENOMEM);
	for (size_t i = 0; i < in->n_dst; i++)
		dst6[i] = (struct fib6_addr){ in->dst[i].hi, in->dst[i].lo };
	for (size_t i = 0; i < in->n_routes; i++)
		route6[i] = as6(&in->route[i]);
}

static void
build6(enum fibs_who who, const struct fibs_input *in)
{
	check(fib6_build_by(who == FIBS_ROUTER ? &dpdk()->fib6 : NULL, route6,
	    in->n_routes, &fib6[who]));
	fib6[who]->n_refs = 2; /* readers have it */
}

static void
drop_old6(enum fibs_who who)
{
	fib6_free(old6[who]);
	old6[who] = NULL;
}

static void
destroy6(enum fibs_who who)
{
	drop_old6(who);
	fib6_free(fib6[who]);
}

static void
look_up6(enum fibs_who who, size_t i, uint16_t *hop)
{
	fib6_lookup_burst(fib6[who], dst6 + i, hop, FIBS_BURST);
}

static void
after6(enum fibs_who who, int rc)
{
	struct fib6 *more;

	if (rc != -ENOSPC) {
		check(rc);
		return;
	}
	check(fib6_rebuild(fib6[who], &more));
	drop_old6(who);
	old6[who] = fib6[who];
	fib6[who] = more;
}

static void
add6(enum fibs_who who, const struct fibs_route *r)
{
	struct fib6_route route = as6(r);

	after6(who, fib6_add(fib6[who], &route));
}

static void
delete6(enum fibs_who who, const struct fibs_route *r)
{
	struct fib6_route route = as6(r);

	after6(who, fib6_delete(fib6[who], &route));
}

static void
pause6(enum fibs_who who)
{
	drop_old6(who); /* the readers have passed */
	fib6[who]->n_refs = 2;
	fib6_seal(fib6[who]);
	fib6_release(fib6[who]);
}

static size_t
bytes6(enum fibs_who who)
{
	return fib6_bytes(fib6[who]);
}

const struct fibs_engine fibs_ours6 = { FIBS_OURS, prepare6, build6, destroy6,
	look_up6, add6, delete6, pause6, bytes6 };
const struct fibs_engine fibs_router6 = { FIBS_ROUTER, prepare6, build6,
	destroy6, look_up6, add6, delete6, pause6, bytes6 };
