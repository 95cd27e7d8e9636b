/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_change: routes as lines, and their changes.
 */
#include "router/ctl_int.h"

#include "router/routerconf_internal.h"

#include <stdio.h>

/* --- lines ---------------------------------------------------------------- */

/* What of a line is read where. */
struct line {
	struct ctl *c;
	struct ctl_client *k;
	unsigned number;
	char *word[8];
	unsigned n;
};

static int
refuse(
    const struct line *l, enum ctl_code code, const char *why, const char *what)
{
	ctl_error(l->k, code, l->number, "%s: %s", why, what);
	return -1;
}

static uint8_t
find_vnic(const struct ctl *c, const char *name)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		if (*name && strcmp(ctl_vnic_name(c, i), name) == 0)
			return (uint8_t)i;
	return ROUTE_LOST_DEV;
}

/* PREFIX, without bits behind its length. */
static int
read_prefix(const struct line *l, const char *word, struct route *r)
{
	struct prefix p = { .len = 0 };
	enum prefix_family family = routerconf_prefix(word, &p);

	*r = (struct route){
		.prefix = family == PREFIX_6 ? p.ip6 : ip6_of_ip4(p.ip),
		.is6 = family == PREFIX_6,
		.len = p.len,
		.dev = ROUTE_NO_DEV,
		.source = ROUTE_API,
	};
	if (family == PREFIX_BAD)
		return refuse(l, CTL_INVALID, "no prefix", word);
	if (!route_is_valid(r))
		return refuse(
		    l, CTL_INVALID, "bits set behind the prefix", word);
	return 0;
}

static int
read_via(const struct line *l, const char *word, struct route *r)
{
	uint32_t ip;

	if (r->is6) {
		if (routerconf_ip6(word, &r->via) && ip6_is_host(r->via))
			return 0;
	} else if (routerconf_ip4(word, &ip) && ip >> 24 != 0 &&
		   ip >> 24 != 127 && ip >> 24 < 224) {
		r->via = ip6_of_ip4(ip);
		return 0;
	}
	return refuse(l, CTL_INVALID, "no address of a gateway", word);
}

/* add PREFIX [via ADDRESS] [dev VNIC] */
static int
read_add(const struct line *l, struct route *r)
{
	unsigned i = 2;

	if (l->n < 4 || read_prefix(l, l->word[1], r) < 0)
		goto no_words;
	if (i + 1 < l->n && strcmp(l->word[i], "via") == 0) {
		if (read_via(l, l->word[i + 1], r) < 0)
			return -1;
		i += 2;
	}
	if (i + 1 < l->n && strcmp(l->word[i], "dev") == 0) {
		r->dev = find_vnic(l->c, l->word[i + 1]);
		if (r->dev == ROUTE_LOST_DEV)
			return refuse(l, CTL_INVALID, "no such interface",
			    l->word[i + 1]);
		i += 2;
	}
	if (i != l->n)
		goto no_words;
	if (plan_way_out(l->c->view.feed->conf.vnic, r) == VNIC_MAX_VNICS)
		return refuse(l, CTL_UNREACHABLE,
		    "the gateway is on none of our networks", l->word[3]);
	return 0;
no_words:
	if (l->k->state == CTL_WRITES) /* it has been said */
		return -1;
	return refuse(l, CTL_INVALID, "expected",
	    "add PREFIX [via ADDRESS] [dev INTERFACE]");
}

/* Returns 0, 1 for an empty line, or -1: answered. */
static int
read_line(struct line *l, char *text, struct ctl_change *out)
{
	char *rest;

	l->n = 0;
	for (char *w = strtok_r(text, " \t\r", &rest); w;
	     w = strtok_r(NULL, " \t\r", &rest)) {
		if (l->n == ARRAY_SIZE(l->word))
			return refuse(l, CTL_INVALID, "too many words", w);
		l->word[l->n++] = w;
	}
	if (l->n == 0 || l->word[0][0] == '#')
		return 1;
	out->add = strcmp(l->word[0], "add") == 0;
	if (out->add)
		return read_add(l, &out->route);
	if (strcmp(l->word[0], "delete") == 0 && l->n == 2)
		return read_prefix(l, l->word[1], &out->route);
	return refuse(l, CTL_INVALID, "expected",
	    "add PREFIX [via ADDRESS] [dev INTERFACE], or delete PREFIX");
}

/* The body as changes, in k->change; false: it has been answered. */
static bool
read_body(struct ctl *c, struct ctl_client *k)
{
	struct line l = { .c = c, .k = k };
	enum { LEAST = 12 }; /* "delete ::/0\n" */
	char *at = k->body;

	if (memchr(k->body, '\0', k->body_len)) {
		ctl_error(k, CTL_INVALID, 0, "a zero byte in the lines");
		return false;
	}
	/* the place behind the last may be needed for a line that is none */
	k->change = calloc(k->body_len / LEAST + 2, sizeof(*k->change));
	if (!k->change) {
		ctl_error(k, CTL_FAILED, 0, "no memory");
		return false;
	}
	while (*at) {
		char *end = at + strcspn(at, "\n");
		char *next = *end ? end + 1 : end;
		int rc;

		*end = '\0';
		l.number++;
		rc = read_line(&l, at, &k->change[k->n_changes]);
		if (rc < 0)
			return false;
		k->n_changes += rc == 0;
		at = next;
	}
	return true;
}

static void
fail_with(struct ctl_client *k, unsigned done, int rc)
{
	if (rc == -E2BIG)
		ctl_error(k, CTL_FULL, 0,
		    "more than %d different gateways; %u changes before it are "
		    "carried out",
		    ROUTES_MAX_WAYS, done);
	else if (rc == -ENOSPC)
		ctl_error(k, CTL_FULL, 0,
		    "more than %d routes; %u changes before it are carried out",
		    ROUTES_MAX, done);
	else
		ctl_error(k, CTL_FAILED, 0, "%s; %u changes are carried out",
		    strerror(-rc), done);
}

/* --- change --------------------------------------------------------------- */

static void
answer_change(struct ctl *c, struct ctl_client *k)
{
	struct text *t = &k->answer;

	if (c->view.feed->is_full) {
		ctl_error(k, CTL_FULL, 0,
		    "more than %d gateways in all: changes are not in force",
		    PLAN_MAX_GATEWAYS);
		return;
	}
	text_open(t, NULL, '{');
	text_number(t, "added", k->n_added);
	text_number(t, "changed", k->n_changed);
	text_number(t, "deleted", k->n_deleted);
	text_number(t, "missing", k->n_missing);
	text_close(t, '{');
	ctl_answer(k);
}

/* In force, and there for the next process. */
static bool
is_done(const struct ctl *c, const struct ctl_client *k)
{
	const struct feed *f = c->view.feed;

	return f->n_done >= k->wait_for && !journal_is_behind(&f->journal);
}

static void
await_change(struct ctl *c, struct ctl_client *k)
{
	if (is_done(c, k))
		answer_change(c, k);
}

/* As many as there is room for. */
static void
carry_out(struct ctl *c, struct ctl_client *k)
{
	struct feed *f = c->view.feed;

	for (unsigned i = 0; i < CTL_CHANGES_AT_ONCE; i++, k->at++) {
		const struct ctl_change *d = &k->change[k->at];
		int rc;

		if (k->at == k->n_changes) {
			k->wait_for = f->n_put;
			k->work = await_change;
			await_change(c, k);
			return;
		}
		rc = feed_change(f, &d->route, d->add);
		if (rc == -EAGAIN)
			return;
		if (rc < 0) {
			fail_with(k, k->at, rc);
			return;
		}
		if (d->add)
			*(rc == 1 ? &k->n_changed : &k->n_added) += 1;
		else
			*(rc == 1 ? &k->n_deleted : &k->n_missing) += 1;
	}
}

void
ctl_change(struct ctl *c, struct ctl_client *k)
{
	if (k->n_words != 2 || strcmp(k->word[1], "routes") != 0) {
		ctl_error(k, CTL_UNKNOWN, 0, "expected: change routes LENGTH");
		return;
	}
	if (!read_body(c, k))
		return;
	k->work = carry_out;
	k->state = CTL_WORKS;
	carry_out(c, k);
}

/* --- replace -------------------------------------------------------------- */

void
ctl_forget_replacement(struct ctl_client *k)
{
	k->replacing = false;
	routes_set_clear(&k->set);
}

static void
answer_count(struct ctl_client *k, size_t n)
{
	text_open(&k->answer, NULL, '{');
	text_number(&k->answer, "routes", n);
	text_close(&k->answer, '{');
	ctl_answer(k);
}

static void
begin_replacement(struct ctl *c, struct ctl_client *k)
{
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		if (c->client[i] && c->client[i]->replacing) {
			ctl_error(k, CTL_BUSY, 0,
			    "another table is being made already");
			return;
		}
	k->replacing = true;
	answer_count(k, 0);
}

static void
add_to_replacement(struct ctl *c, struct ctl_client *k)
{
	if (!read_body(c, k))
		return;
	for (unsigned i = 0; i < k->n_changes; i++) {
		int rc = k->change[i].add
			     ? routes_set_add(&k->set, &k->change[i].route)
			     : routes_set_delete(&k->set, &k->change[i].route);

		if (rc < 0 && rc != -ENOENT) {
			fail_with(k, i, rc);
			return;
		}
	}
	answer_count(k, routes_set_count(&k->set));
}

static void
await_replacement(struct ctl *c, struct ctl_client *k)
{
	const struct feed *f = c->view.feed;

	if (is_done(c, k))
		answer_count(k, routes_set_count(&f->routes.of[ROUTE_API]));
}

static void
end_replacement(struct ctl *c, struct ctl_client *k)
{
	struct feed *f = c->view.feed;
	int rc = feed_replace(f, ROUTE_API, &k->set);

	ctl_forget_replacement(k);
	if (rc < 0) {
		ctl_error(k, rc == -E2BIG ? CTL_FULL : CTL_FAILED, 0,
		    "the old routes stay: %s",
		    rc == -E2BIG ? "too many gateways" : strerror(-rc));
		return;
	}
	k->wait_for = f->n_put;
	k->work = await_replacement;
	k->state = CTL_WORKS;
}

void
ctl_replace(struct ctl *c, struct ctl_client *k)
{
	const char *what = k->n_words == 3 ? k->word[2] : "";

	if (k->n_words != 3 || strcmp(k->word[1], "routes") != 0) {
		ctl_error(k, CTL_UNKNOWN, 0,
		    "expected: replace routes begin, add, end or cancel");
	} else if (strcmp(what, "begin") == 0 && !k->replacing) {
		begin_replacement(c, k);
	} else if (!k->replacing) {
		ctl_error(k, CTL_INVALID, 0, "no table is being made");
	} else if (strcmp(what, "add") == 0) {
		add_to_replacement(c, k);
	} else if (strcmp(what, "end") == 0) {
		end_replacement(c, k);
	} else if (strcmp(what, "cancel") == 0) {
		ctl_forget_replacement(k);
		answer_count(k, 0);
	} else {
		ctl_error(k, CTL_INVALID, 0,
		    "expected: replace routes add, end or cancel");
	}
}
