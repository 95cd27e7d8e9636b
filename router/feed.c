/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed: see feed.h.
 */
#include "router/feed.h"

#include "lib/log.h"

/* --- plans ---------------------------------------------------------------- */

/* Of all that is known. */
static int
make_plan(struct feed *f, struct plan **out)
{
	int rc = plan_build(&f->conf, &f->routes, out);

	f->is_full = rc == -E2BIG;
	if (rc == 0)
		f->n_inactive = (*out)->n_inactive;
	return rc;
}

/* Some changes are in force only in a plan that is made anew. */
static void
remake(struct feed *f)
{
	struct plan *p;
	int rc = make_plan(f, &p);

	f->n_remade++;
	if (rc == 0)
		slow_give_plan(f->slow, p);
	else
		log_err("routes: no new table: %s",
		    rc == -E2BIG ? "too many gateways" : strerror(-rc));
}

static struct route
of_conf4(const struct routerconf_route *r)
{
	return (struct route){
		.prefix = ip6_of_ip4(r->prefix),
		.via = r->via ? ip6_of_ip4(r->via) : (struct ip6){ 0 },
		.len = r->len,
		.dev = r->dev,
		.source = ROUTE_STATIC,
	};
}

static struct route
of_conf6(const struct routerconf_route6 *r)
{
	return (struct route){
		.prefix = r->prefix,
		.via = r->via,
		.is6 = true,
		.len = r->len,
		.dev = r->dev,
		.source = ROUTE_STATIC,
	};
}

/* The routes of a configuration, which has none afterwards. */
static int
take_routes(struct routerconf *c, struct routes_set *s)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_routes && rc >= 0; i++) {
		struct route r = of_conf4(&c->route[i]);

		rc = routes_set_add(s, &r);
	}
	for (size_t i = 0; i < c->n_routes6 && rc >= 0; i++) {
		struct route r = of_conf6(&c->route6[i]);

		rc = routes_set_add(s, &r);
	}
	routerconf_clear(c);
	return MIN(rc, 0);
}

int
feed_conf(struct feed *f, struct routerconf *c)
{
	struct routerconf old_conf = f->conf;
	struct routes_set new = { 0 }, old = f->routes.of[ROUTE_STATIC];
	struct plan *p;
	int rc = take_routes(c, &new);

	f->conf = *c;
	f->routes.of[ROUTE_STATIC] = new;
	if (rc == 0)
		rc = make_plan(f, &p);
	if (rc < 0) {
		f->conf = old_conf;
		f->routes.of[ROUTE_STATIC] = old;
		f->is_full = false;
		routes_set_clear(&new);
		return rc;
	}
	routes_set_clear(&old);
	slow_give_plan(f->slow, p);
	return 0;
}

int
feed_replace(struct feed *f, enum route_source source, struct routes_set *s)
{
	struct routes_set old = f->routes.of[source];
	struct plan *p;
	int rc;

	f->routes.of[source] = *s;
	rc = make_plan(f, &p);
	if (rc < 0) {
		f->routes.of[source] = old;
		f->is_full = false;
		return rc;
	}
	*s = (struct routes_set){ 0 };
	routes_set_clear(&old);
	f->n_put++; /* in force when a batch is, empty or not */
	if (source == ROUTE_API)
		journal_rewrite(&f->journal);
	slow_give_plan(f->slow, p);
	return 0;
}

/* --- changes -------------------------------------------------------------- */

unsigned
feed_room(const struct feed *f)
{
	return update_is_back(&f->update) ? UPDATE_MAX - f->update.n : 0;
}

static void
put(struct feed *f, enum update_kind kind, const struct route *r,
    const uint8_t *mac)
{
	struct update_op *op = &f->update.op[f->update.n++];

	*op = (struct update_op){ .route = *r, .kind = (uint8_t)kind };
	if (mac)
		memcpy(op->mac, mac, sizeof(op->mac));
	f->n_put++;
}

static void
give(struct feed *f)
{
	update_give(&f->update);
	bell_ring(&f->slow->bell);
}

/* What came back, once. */
static void
take_back(struct feed *f)
{
	struct update *u = &f->update;
	bool all = true;

	if (f->n_done == f->n_given || !update_is_back(u))
		return;
	for (unsigned i = 0; i < u->n; i++) {
		int rc = u->op[i].rc;

		/* what leads nowhere waits for another configuration */
		all &= rc != -ENOSPC && rc != -E2BIG && rc != -ENOMEM;
	}
	if (!all && !f->again) {
		f->again = true;
		remake(f);
		give(
		    f); /* behind the plan, so it tells when that is in force */
		return;
	}
	f->again = false;
	u->n = 0;
	f->n_done = f->n_given;
}

int
feed_change(struct feed *f, const struct route *r, bool add)
{
	struct routes_set *s = &f->routes.of[r->source];
	int rc;

	take_back(f);
	if (feed_room(f) == 0)
		return -EAGAIN;
	rc = add ? routes_set_add(s, r) : routes_set_delete(s, r);
	if (rc < 0)
		return !add && rc == -ENOENT ? 0 : rc;
	if (r->source == ROUTE_API)
		journal_put(&f->journal, r, add);
	put(f, add ? UPDATE_ADD : UPDATE_DELETE, r, NULL);
	return add ? rc : 1;
}

int
feed_neighbour(
    struct feed *f, unsigned vnic, bool is6, struct ip6 ip, const uint8_t *mac)
{
	struct route r = { .via = ip, .is6 = is6, .dev = (uint8_t)vnic };

	take_back(f);
	if (feed_room(f) == 0)
		return -EAGAIN;
	put(f, mac ? UPDATE_NEIGHBOUR : UPDATE_NO_NEIGHBOUR, &r, mac);
	return 0;
}

/* --- turns ---------------------------------------------------------------- */

void
feed_turn(struct feed *f)
{
	uint64_t n;

	if (read(f->update.event, &n, sizeof(n)) < 0) {
		/* it was not that */
	}
	take_back(f);
	if (f->n_put != f->n_given && update_is_back(&f->update)) {
		f->n_given = f->n_put;
		give(f);
	}
	journal_turn(&f->journal, &f->routes.of[ROUTE_API]);
}

bool
feed_is_busy(const struct feed *f)
{
	return f->journal.rewriting ||
	       (f->n_put != f->n_given && update_is_back(&f->update));
}

/* --- life ----------------------------------------------------------------- */

static int
read_one(void *arg, struct route *r, bool add)
{
	struct routes_set *s = &((struct feed *)arg)->routes.of[ROUTE_API];
	int rc = add ? routes_set_add(s, r) : routes_set_delete(s, r);

	return rc == -ENOENT ? 0 : MIN(rc, 0);
}

int
feed_open(struct feed *f, const char *conf, struct slow *slow)
{
	int rc = update_init(&f->update);

	if (rc < 0)
		return rc;
	f->slow = slow;
	slow->update = &f->update;
	rc = journal_open(&f->journal, conf, read_one, f);
	if (rc < 0) /* then they live as long as this process */
		log_warn("routes: no journal: %s", strerror(-rc));
	return 0;
}

void
feed_close(struct feed *f)
{
	if (!f->slow)
		return;
	journal_close(&f->journal);
	update_destroy(&f->update);
	routes_clear(&f->routes);
	f->slow = NULL;
}
