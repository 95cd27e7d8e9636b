/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_routes: routes that come while a router runs, and what it knows of its
 * neighbours.
 *
 *	GET ?source=		a page of the routes that the router has
 *	PUT, lines		its run-time routes are these: given to the router,
 *				in force as a whole, then a file, then answered
 *	PATCH, lines		some of them: the same
 *
 * While it does not run there is nobody to ask: then they are written down, and
 * given when it starts. Routes of the spec are those of ops_vnic.c.
 */
#include "agent/ops_live.h"

#include "agent/routepush.h"
#include "api/route_lines.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

enum { CHANGE_MS = 10000, PAGE_MS = 3000, CURSOR_BYTES = 128 };

struct job {
	struct router *r;
	struct api_request *rq;
	char *lines; /* of a PATCH */
	size_t n;
};

static struct job *
job_new(struct router *r, struct api_request *rq)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j) {
		live_refuse(r, rq, -ENOMEM, NULL);
		return NULL;
	}
	j->r = r;
	j->rq = rq;
	return j;
}

static void
job_free(struct job *j)
{
	free(j->lines);
	free(j);
}

/* --- pages ---------------------------------------------------------------- */

/* Copies a text that may be missing or null. False: it is something else. */
static bool
copy_text(json_t *to, const char *as, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);
	const char *s = live_text(from, key, 64);

	if (!v || json_is_null(v))
		return true;
	if (s)
		json_object_set_new(to, as, json_string(s));
	return s != NULL;
}

/* One entry in our words, or NULL. */
typedef json_t *(*entry_fn)(const json_t *v);

static json_t *
route_entry(const json_t *v)
{
	const json_t *active = json_object_get(v, "active");
	json_t *o = json_object();

	if (live_text(v, "prefix", 64) && live_text(v, "source", 16) &&
	    json_is_boolean(active) && copy_text(o, "prefix", v, "prefix") &&
	    copy_text(o, "via", v, "gateway") &&
	    copy_text(o, "vnic", v, "interface") &&
	    copy_text(o, "source", v, "source")) {
		json_object_set_new(
		    o, "active", json_boolean(json_is_true(active)));
		return o;
	}
	json_decref(o);
	return NULL;
}

static json_t *
neighbour_entry(const json_t *v)
{
	json_t *o = json_object();

	if (live_text(v, "address", 64) && live_text(v, "state", 32) &&
	    copy_text(o, "address", v, "address") &&
	    copy_text(o, "vnic", v, "interface") &&
	    copy_text(o, "mac", v, "mac") && copy_text(o, "state", v, "state"))
		return o;
	json_decref(o);
	return NULL;
}

/* A word of digits, letters and what addresses are written with. */
static bool
is_cursor(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < CURSOR_BYTES &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789.:/_-") == n;
}

static void
reply_page(
    struct job *j, int rc, const json_t *json, const char *key, entry_fn entry)
{
	const json_t *list = json_object_get(json, key), *v;
	const char *next = live_text(json, "next", CURSOR_BYTES);
	json_t *out = json_array(), *o = NULL;
	char etag[64];
	size_t i;

	json_array_foreach(list, i, v)
	{
		o = entry(v);
		if (!o)
			break;
		json_array_append_new(out, o);
	}
	if (rc < 0 || !json_is_array(list) ||
	    (json_array_size(list) > 0 && !o) || (next && !is_cursor(next))) {
		json_decref(out);
		live_refuse_read(j->r, j->rq, rc);
	} else {
		router_etag(j->r, etag, sizeof(etag));
		api_reply(j->rq, 200,
		    json_pack("{s:o, s:s?}", key, out, "next", next), etag,
		    NULL);
	}
	job_free(j);
}

static void
got_routes(void *arg, int rc, const json_t *json)
{
	reply_page(arg, rc, json, "routes", route_entry);
}

static void
got_neighbours(void *arg, int rc, const json_t *json)
{
	reply_page(arg, rc, json, "neighbours", neighbour_entry);
}

/* words and the cursor of rq, if it has one. */
static void
ask_page(struct router *r, struct api_request *rq, const char *words,
    ctlclient_fn done)
{
	const char *cursor = api_query(rq, "cursor");
	char line[CTLCLIENT_WORDS];
	const struct ctlclient_question q = {
		.words = line,
		.timeout_ms = PAGE_MS,
		.done = done,
		.arg = job_new(r, rq),
	};
	int rc;

	if (!q.arg)
		return;
	snprintf(line, sizeof(line), "%s%s%s", words, cursor ? " after " : "",
	    cursor ? cursor : "");
	rc = ctlclient_ask(r->ctl, &q);
	if (rc == 0)
		return;
	live_refuse(r, rq, rc, NULL);
	job_free(q.arg);
}

static bool
cursor_is_good(struct api_request *rq)
{
	const char *cursor = api_query(rq, "cursor");
	struct problem p;

	if (!cursor || is_cursor(cursor))
		return true;
	problem_init(&p);
	problem_set(&p, 400, "bad-query", "send what next was, or leave it out",
	    "cursor is none");
	op_problem(rq, &p);
	return false;
}

void
op_neighbours_get(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);

	if (r && cursor_is_good(rq) && live_is_there(r, rq))
		ask_page(r, rq, "show neighbours", got_neighbours);
}

static void
reply_static(const struct router *r, struct api_request *rq)
{
	char etag[64];

	router_etag(r, etag, sizeof(etag));
	api_reply(rq, 200,
	    json_pack("{s:o}", "routes", model_routes_json(&r->spec)), etag,
	    NULL);
}

void
op_routes_get(struct node *n, struct api_request *rq)
{
	static const char *const sources[] = { "connected", "api", "linux" };
	struct router *r = op_find_router(n, rq);
	const char *source = api_query(rq, "source");
	char words[CTLCLIENT_WORDS];
	struct problem p;

	if (!r || !cursor_is_good(rq))
		return;
	if (!source || strcmp(source, "static") == 0) {
		reply_static(r, rq);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (strcmp(source, sources[i]) != 0)
			continue;
		snprintf(words, sizeof(words), "show routes source %s", source);
		if (live_is_there(r, rq))
			ask_page(r, rq, words, got_routes);
		return;
	}
	problem_init(&p);
	problem_set(&p, 400, "bad-query", "say static, api, linux or connected",
	    "there is no such source");
	op_problem(rq, &p);
}

/* --- changes -------------------------------------------------------------- */

static void
reply_counts(struct job *j, const json_t *said, bool applied)
{
	static const char *const keys[] = { "routes", "added", "changed",
		"deleted", "missing" };
	json_t *o = json_object();
	char etag[64];
	json_int_t n;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (live_number(said, keys[i], &n))
			json_object_set_new(o, keys[i], json_integer(n));
	json_object_set_new(o, "applied", json_boolean(applied));
	router_etag(j->r, etag, sizeof(etag));
	api_reply(j->rq, 200, o, etag, NULL);
}

/*
 * What the router has now is not what is on disk: it gets that again, an empty
 * table where there was none.
 */
static void
give_again(struct router *r)
{
	struct err e;

	if (r->routes.table == 0 && routefile_append(&r->routes, "", 0, &e) < 0)
		log_warn("router %s: %s", r->uid, e.msg);
	router_set_given(r, false);
	r->give_after_ms = loop_now_ms() + 1;
	router_kick(r);
}

/* What it had it has. */
static void
nothing_was_done(struct router *r)
{
	if (r->routes_given)
		router_set_given(r, true);
}

/* False: the change cannot begin, and has been answered. */
static bool
may_begin(struct job *j)
{
	struct err e;
	int rc = router_doubt_given(j->r, &e);

	if (rc == 0)
		return true;
	op_store_failed(j->rq, rc, &e);
	job_free(j);
	return false;
}

static void
job_ends(struct job *j, int rc, const struct err *e, const json_t *said,
    bool applied)
{
	j->r->routes_on_way = false;
	if (rc < 0) {
		op_store_failed(j->rq, rc, e);
		if (applied)
			give_again(j->r);
	} else {
		reply_counts(j, said, applied);
	}
	job_free(j);
}

/* The router has the table, or has refused it. */
static void
table_given(void *arg, const struct routepush_result *result)
{
	struct job *j = arg;
	struct router *r = j->r;
	struct route_lines *lines = api_lines(j->rq);
	bool was_given = r->routes_given;
	json_t *said;
	struct err e;
	int rc;

	if (result->rc < 0) {
		said = json_deep_copy(result->json);
		if (said && result->line > 0)
			json_object_set_new(said, "line",
			    json_integer((json_int_t)result->line));
		live_refuse(r, j->rq, result->rc, said);
		json_decref(said);
		r->routes_on_way = false;
		/* what it has taken, if anything, nobody knows */
		if (result->rc == -EREMOTEIO)
			nothing_was_done(r);
		else if (result->rc != -ECANCELED)
			give_again(r);
		job_free(j);
		return;
	}
	router_set_given(r, false);
	rc = routefile_replace(
	    &r->routes, route_lines_fd(lines), route_lines_bytes(lines), &e);
	if (rc == 0 || was_given)
		router_set_given(r, rc == 0);
	said =
	    json_pack("{s:I}", "routes", (json_int_t)route_lines_count(lines));
	job_ends(j, rc, &e, said, true);
	json_decref(said);
}

/* Nobody is there to be asked: they are there when it starts. */
static void
write_down(struct job *j)
{
	struct router *r = j->r;
	struct route_lines *lines = api_lines(j->rq);
	json_t *said =
	    json_pack("{s:I}", "routes", (json_int_t)route_lines_count(lines));
	struct err e;
	int rc;

	router_set_given(r, false);
	if (j->lines)
		rc = routefile_append(&r->routes, j->lines, j->n, &e);
	else
		rc = routefile_replace(&r->routes, route_lines_fd(lines),
		    route_lines_bytes(lines), &e);
	job_ends(j, rc, &e, j->lines ? NULL : said, false);
	json_decref(said);
	router_kick(r);
}

static void
put_table(struct job *j)
{
	struct routepush_config c = {
		.client = j->r->bulk,
		.fd = dup(route_lines_fd(api_lines(j->rq))),
		.table = route_lines_bytes(api_lines(j->rq)),
		.strict = true,
		.done = table_given,
		.arg = j,
	};
	int rc = c.fd < 0 ? -ENOMEM : routepush_new(&c);

	j->r->routes_on_way = rc == 0;
	if (rc == 0)
		return;
	nothing_was_done(j->r);
	live_refuse(j->r, j->rq, rc, NULL);
	job_free(j);
}

static void
reply_checked(struct router *r, struct api_request *rq)
{
	struct job j = { .r = r, .rq = rq };
	json_t *said = json_pack(
	    "{s:I}", "routes", (json_int_t)route_lines_count(api_lines(rq)));

	reply_counts(&j, said, false);
	json_decref(said);
}

void
op_routes_put_lines(struct router *r, struct api_request *rq)
{
	struct job *j;

	if (!live_is_free(r, rq, r->routes_on_way))
		return;
	if (api_dry_run(rq)) {
		reply_checked(r, rq);
		return;
	}
	j = job_new(r, rq);
	if (!j)
		return;
	if (!router_is_live(r))
		write_down(j);
	else if (may_begin(j))
		put_table(j);
}

/* A refused line is said before anything is done. */
static bool
names_line(int rc, const json_t *said)
{
	json_int_t line;

	return rc == -EREMOTEIO && live_number(said, "line", &line);
}

static void
changed(void *arg, int rc, const json_t *json)
{
	struct job *j = arg;
	struct router *r = j->r;
	struct err e;

	if (rc < 0) {
		live_refuse(r, j->rq, rc, json);
		r->routes_on_way = false;
		/* what is full may have been done in part */
		if (names_line(rc, json))
			nothing_was_done(r);
		else if (rc != -ECANCELED)
			give_again(r);
		job_free(j);
		return;
	}
	rc = routefile_append(&r->routes, j->lines, j->n, &e);
	if (rc == 0 && r->routes_given)
		router_set_given(r, true); /* there may have been no file */
	job_ends(j, rc, &e, json, true);
}

/* The lines of a change, in memory. Returns 0, or negative with p set. */
static int
load_lines(struct job *j, struct problem *p)
{
	struct route_lines *lines = api_lines(j->rq);
	size_t n = route_lines_bytes(lines);

	if (n > CTLCLIENT_BODY)
		return problem_set(p, 413, "too-large",
		    "PUT the whole table, or send the change in parts",
		    "a change has at most %d bytes (it has %zu), so that it is "
		    "done as a whole or not at all",
		    CTLCLIENT_BODY, n);
	if (!routefile_has_room(&j->r->routes, n))
		return problem_set(p, 409, "quota-exceeded",
		    "PUT the whole table",
		    "router %s has %zu bytes of routes on disk, the most is %d",
		    j->r->spec.name, j->r->routes.bytes, ROUTEFILE_MAX_BYTES);
	j->lines = malloc(n + 1);
	if (j->lines &&
	    pread(route_lines_fd(lines), j->lines, n, 0) == (ssize_t)n) {
		j->n = n;
		return 0;
	}
	return problem_set(
	    p, 503, "busy", "try again in a second", "out of memory");
}

static void
send_change(struct job *j)
{
	const struct ctlclient_question q = {
		.words = "change routes",
		.body = j->lines,
		.n = j->n,
		.timeout_ms = CHANGE_MS,
		.done = changed,
		.arg = j,
	};
	int rc = ctlclient_ask(j->r->ctl, &q);

	j->r->routes_on_way = rc == 0;
	if (rc == 0)
		return;
	nothing_was_done(j->r);
	live_refuse(j->r, j->rq, rc, NULL);
	job_free(j);
}

void
op_routes_patch(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct problem p;
	struct job *j;

	/* a change of a table that it does not have yet has no sense */
	if (!r ||
	    !live_is_free(r, rq,
		r->routes_on_way || (router_is_live(r) && !r->routes_given)))
		return;
	j = job_new(r, rq);
	if (!j)
		return;
	problem_init(&p);
	if (load_lines(j, &p) < 0) {
		op_problem(rq, &p);
		job_free(j);
	} else if (api_dry_run(rq)) {
		reply_checked(r, rq);
		job_free(j);
	} else if (!router_is_live(r)) {
		write_down(j);
	} else if (may_begin(j)) {
		send_change(j);
	}
}
