/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc_update: see inproc.h. A third of the changes gives a route another next
 * hop, a third announces a longer prefix in it, also with another next hop, and a
 * third withdraws the oldest of these. So there is always a way, and a packet
 * that finds none is a mistake. Changes come in bursts, one a millisecond; after
 * each the tables are published anew, so that memory is used again.
 */
#include "lib/base.h"
#include "router/plan.h"
#include "router/publish.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"
#include "tests/bench/inproc.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { LONGER = 3000 }; /* announced at a time */

static struct updater {
	struct plan *plan;
	struct publish *publish;
	struct routerconf_route *route;
	size_t n_routes;
	unsigned per_second;
	unsigned core;
	uint32_t random;
	struct routerconf_route longer[LONGER];
	uint64_t n_longer; /* announced so far */
	unsigned step;     /* which of the three comes next */
	uint64_t n;        /* changes */
	uint64_t n_built;  /* the table was built anew */
	uint64_t max_ns;   /* of a change, to when lookups see it */
	uint64_t start_ns;
	_Atomic(bool) stop;
	pthread_t thread;
} u = { .random = 7 };

static void
publish_tables(void)
{
	while (!publish_has_room(u.publish))
		publish_reclaim(u.publish);
	plan_seal(u.plan);
	publish_swap(u.publish, inproc_tables(u.plan));
}

/* The same routes in a table with room for changes. */
static void
build_anew(void)
{
	struct fib4 *old = u.plan->fib;
	int rc = fib4_rebuild(old, &u.plan->fib);

	if (rc < 0)
		inproc_die("no table: %s", strerror(-rc));
	if (--old->n_refs == 0)
		fib4_free(old);
	publish_tables();
	u.n_built++;
}

static void
change(const struct routerconf_route *r, bool add)
{
	struct route route = {
		.prefix = ip6_of_ip4(r->prefix),
		.via = ip6_of_ip4(r->via),
		.len = r->len,
		.dev = r->dev,
		.source = ROUTE_STATIC,
	};
	uint64_t start = bench_now_ns(), ns;
	int rc = plan_change(u.plan, &route, add);

	if (rc == -ENOSPC)
		build_anew();
	/* the same longer prefix may have been announced twice */
	else if (rc < 0 && (add || rc != -ENOENT))
		inproc_die("a route is not changed: %s", strerror(-rc));
	ns = bench_now_ns() - start;
	u.max_ns = MAX(u.max_ns, ns);
	u.n++;
}

static void
change_one(void)
{
	struct routerconf_route *r =
	    &u.route[frame_random(&u.random) % u.n_routes];
	struct routerconf_route *longer = &u.longer[u.n_longer % LONGER];
	uint32_t via =
	    BENCH_HOP_IP - (frame_random(&u.random) >> 8) % BENCH_HOPS;

	switch (u.step++ % 3) {
	case 0:
		r->via = via;
		change(r, true);
		return;
	case 1:
		if (longer->via != 0)
			change(longer, false);
		return;
	default:
		/* not one that is in the table for good */
		while (r->len > 24)
			r = &u.route[frame_random(&u.random) % u.n_routes];
		*longer = *r;
		longer->len = (uint8_t)(r->len < 24 ? 25 : 26);
		longer->via = via;
		change(longer, true);
		u.n_longer++;
	}
}

static void *
update(void *arg)
{
	cpu_set_t set;

	(void)arg;
	CPU_ZERO(&set);
	CPU_SET(u.core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	u.start_ns = bench_now_ns();
	/* relaxed: a flag */
	while (!atomic_load_explicit(&u.stop, memory_order_relaxed)) {
		uint64_t due =
		    (bench_now_ns() - u.start_ns) * u.per_second / 1000000000;

		while (u.n < due)
			change_one();
		publish_tables();
		bench_sleep_ms(1);
		if (publish_reclaim(u.publish) == 0)
			plan_release(u.plan);
	}
	return NULL;
}

void
inproc_update_start(const struct routerconf *c, struct plan *plan,
    struct publish *p, unsigned per_second, unsigned core)
{
	u.plan = plan;
	u.publish = p;
	u.per_second = per_second;
	u.core = core;
	u.n_routes = c->n_routes;
	u.route = calloc(c->n_routes, sizeof(*u.route));
	if (!u.route)
		inproc_die("no memory");
	memcpy(u.route, c->route, c->n_routes * sizeof(*u.route));
	if (pthread_create(&u.thread, NULL, update, NULL) != 0)
		inproc_die("no thread");
}

void
inproc_update_stop(void)
{
	double s = (double)(bench_now_ns() - u.start_ns) / 1e9;

	atomic_store_explicit(&u.stop, true, memory_order_relaxed);
	pthread_join(u.thread, NULL);
	printf(", \"updates\": %.1f, \"update_max_us\": %.1f, "
	       "\"built_anew\": %llu",
	    (double)u.n / s, (double)u.max_ns / 1000,
	    (unsigned long long)u.n_built);
	plan_free(u.plan);
	free(u.route);
}
