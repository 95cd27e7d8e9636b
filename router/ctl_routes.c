/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_routes: routes as JSON, a page at a time. The cursor is the last route that
 * was shown, so that changes between two pages do no harm.
 */
#include "router/ctl_int.h"

#include "router/routerconf_internal.h"

#include <stdio.h>

static const char *const source_names[N_ROUTE_SOURCES + 1] = {
	[ROUTE_LINUX] = "linux",
	[ROUTE_API] = "api",
	[ROUTE_STATIC] = "static",
	[N_ROUTE_SOURCES] = "connected",
};

static bool
is_own_network(const struct ctl *c, const struct route *r)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &c->view.feed->conf.vnic[i];

		for (unsigned k = 0; !r->is6 && k < v->n_addresses; k++)
			if (v->address[k].len == r->len &&
			    ip6_is_within(ip6_of_ip4(v->address[k].ip),
				r->prefix, 96U + r->len))
				return true;
		for (unsigned k = 0; r->is6 && k < v->n_addresses6; k++)
			if (v->address6[k].len == r->len &&
			    ip6_is_within(v->address6[k].ip, r->prefix, r->len))
				return true;
	}
	return false;
}

static bool
leads_somewhere(const struct ctl *c, const struct route *r)
{
	return route_ends_here(r) ||
	       plan_way_out(c->view.feed->conf.vnic, r) != VNIC_MAX_VNICS;
}

static bool
is_active(const struct ctl *c, const struct route *r, unsigned source)
{
	const struct feed *f = c->view.feed;

	if (!leads_somewhere(c, r) || is_own_network(c, r))
		return false;
	while (++source < N_ROUTE_SOURCES) {
		struct route other = *r;

		if (routes_set_find(&f->routes.of[source], &other) &&
		    leads_somewhere(c, &other))
			return false;
	}
	return true;
}

static void
put_route(struct ctl *c, struct text *t, const struct route *r, unsigned source)
{
	unsigned out = plan_way_out(c->view.feed->conf.vnic, r);
	char ip[48], prefix[64];

	text_open(t, NULL, '{');
	snprintf(prefix, sizeof(prefix), "%s/%u",
	    ctl_address(r->is6, r->prefix, ip), r->len);
	text_string(t, "prefix", prefix);
	text_string(t, "source", source_names[source]);
	if (ip6_is_zero(r->via))
		text_null(t, "gateway");
	else
		text_string(t, "gateway", ctl_address(r->is6, r->via, ip));
	if (out < VNIC_MAX_VNICS)
		text_string(t, "interface", ctl_vnic_name(c, out));
	else
		text_null(t, "interface");
	text_bool(
	    t, "active", source == N_ROUTE_SOURCES || is_active(c, r, source));
	text_close(t, '{');
}

static void
put_connected(struct ctl *c, struct text *t)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &c->view.feed->conf.vnic[i];
		struct route r = { .dev = (uint8_t)i };

		for (unsigned k = 0; k < v->n_addresses; k++) {
			r.len = v->address[k].len;
			r.prefix = ip6_prefix(
			    ip6_of_ip4(v->address[k].ip), 96U + r.len);
			put_route(c, t, &r, N_ROUTE_SOURCES);
		}
		r.is6 = true;
		for (unsigned k = 0; k < v->n_addresses6; k++) {
			r.len = v->address6[k].len;
			r.prefix = ip6_prefix(v->address6[k].ip, r.len);
			put_route(c, t, &r, N_ROUTE_SOURCES);
		}
	}
}

/* Where a page begins and ends. */
struct page {
	unsigned source; /* N_ROUTE_SOURCES: connected */
	bool only;       /* this source alone */
	struct route at; /* the last one that was shown of it */
	unsigned left;
};

/* The next route of the page's source; IPv6 comes behind IPv4. */
static bool
next_route(const struct ctl *c, struct page *g)
{
	const struct routes_set *s =
	    &c->view.feed->routes.of[g->source % N_ROUTE_SOURCES];

	if (routes_set_next(s, &g->at))
		return true;
	if (g->at.is6)
		return false;
	g->at = (struct route){ .is6 = true, .len = ROUTES_BEFORE_ALL };
	return routes_set_next(s, &g->at);
}

static void
put_page(struct ctl *c, struct text *t, struct page *g)
{
	bool more = true;
	char ip[48];

	text_open(t, NULL, '{');
	text_open(t, "routes", '[');
	if (g->source == N_ROUTE_SOURCES) {
		put_connected(c, t);
		more = !g->only;
		g->source -= more;
	}
	while (more && g->left > 0) {
		if (next_route(c, g)) {
			put_route(c, t, &g->at, g->source);
			g->left--;
			continue;
		}
		more = !g->only && g->source > 0;
		g->source -= more;
		g->at = (struct route){ .len = ROUTES_BEFORE_ALL };
	}
	text_close(t, '[');
	if (more) {
		text_key(t, "next");
		text_printf(t, "\"%s/%s/%u\"", source_names[g->source],
		    ctl_address(g->at.is6, g->at.prefix, ip), g->at.len);
	}
	text_close(t, '{');
}

static bool
read_source(const char *word, size_t n, unsigned *out)
{
	for (unsigned i = 0; i <= N_ROUTE_SOURCES; i++)
		if (strlen(source_names[i]) == n &&
		    memcmp(source_names[i], word, n) == 0) {
			*out = i;
			return true;
		}
	return false;
}

/* SOURCE/ADDRESS/LENGTH; a length of ROUTES_BEFORE_ALL is none at all. */
static bool
read_cursor(char *word, struct page *g)
{
	size_t n = strcspn(word, "/");
	char *slash = strrchr(word, '/');
	struct prefix p = { .len = 0 };
	unsigned source;

	if (word[n] == '\0' || !read_source(word, n, &source) ||
	    source == N_ROUTE_SOURCES || (g->only && g->source != source))
		return false;
	g->source = source;
	if (strcmp(slash, "/255") == 0)
		strcpy(slash, "/0");
	else
		slash = NULL;
	switch (routerconf_prefix(word + n + 1, &p)) {
	case PREFIX_4:
		g->at.prefix = ip6_of_ip4(p.ip);
		g->at.is6 = false;
		break;
	case PREFIX_6:
		g->at.prefix = p.ip6;
		g->at.is6 = true;
		break;
	case PREFIX_BAD:
		return false;
	}
	g->at.len = slash ? ROUTES_BEFORE_ALL : p.len;
	return slash || route_is_valid(&g->at);
}

void
ctl_show_routes(struct ctl *c, struct ctl_client *k)
{
	struct page g = { .source = N_ROUTE_SOURCES,
		.at.len = ROUTES_BEFORE_ALL,
		.left = CTL_PAGE };
	unsigned i = 2;

	if (i + 1 < k->n_words && strcmp(k->word[i], "source") == 0) {
		g.only = read_source(
		    k->word[i + 1], strlen(k->word[i + 1]), &g.source);
		if (!g.only) {
			ctl_error(k, CTL_INVALID, 0,
			    "no source of routes: %s; there are connected, "
			    "static, api and linux",
			    k->word[i + 1]);
			return;
		}
		i += 2;
	}
	if (i + 1 < k->n_words && strcmp(k->word[i], "after") == 0) {
		if (!read_cursor(k->word[i + 1], &g)) {
			ctl_error(k, CTL_INVALID, 0, "not a cursor of ours");
			return;
		}
		i += 2;
	}
	if (i != k->n_words) {
		ctl_error(k, CTL_INVALID, 0,
		    "expected: show routes [source SOURCE] [after CURSOR]");
		return;
	}
	put_page(c, &k->answer, &g);
	ctl_answer(k);
}
