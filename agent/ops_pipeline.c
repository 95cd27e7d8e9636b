/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_pipeline: the pipeline of a router. A change goes to the router first,
 * which checks it, swaps it in and says so; then it is written down; then the
 * client is answered. What the router refuses leaves nothing.
 *
 *	show pipeline  ->  it runs already:          nothing to do
 *	                   it has run, as number N:  rollback pipeline N
 *	                   else:                     put pipeline
 *
 * The router's numbers are those of its container, which forgets; ours stay. The
 * digest says what is the same text in both.
 */
#include "agent/ops_pipeline.h"

#include "agent/access.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

enum { CHECK_MS = 15000 }; /* the router's own limit is 5 s of its time */

struct job {
	struct router *r;
	struct api_request *rq;
	bool is_put;
	unsigned number; /* rollback: to it */
	char *text;
	size_t n;
	struct pipeline_revision v; /* put: what it will be */
};

/* --- a change ------------------------------------------------------------- */

static void
job_free(struct job *j)
{
	j->r->pipeline_on_way = false;
	free(j->text);
	free(j);
}

static void
job_fails(struct job *j, int rc, const json_t *json)
{
	live_refuse(j->r, j->rq, rc, json);
	job_free(j);
}

/* The router runs it: it is written down, and answered. */
static void
job_done(struct job *j)
{
	struct router *r = j->r;
	const struct pipeline_revision *now =
	    pipelines_find(&r->pipelines, r->pipelines.wanted);
	int status = 200, rc;
	struct err e;

	if (!j->is_put) {
		rc = pipelines_want(&r->pipelines, j->number, &e);
	} else if (now && strcmp(now->digest, j->v.digest) == 0) {
		rc = 0; /* said once more */
	} else {
		status = 201;
		rc = pipelines_add(&r->pipelines, &j->v, j->text, j->n, &e);
	}
	if (rc < 0) {
		op_store_failed(j->rq, rc, &e);
	} else {
		log_info("pipeline revision=%u router=%s", r->pipelines.wanted,
		    r->spec.name);
		pipeline_reply_changed(r, j->rq, status);
	}
	job_free(j);
}

/* "pipeline.lua:3: unexpected symbol": the line, or 0. */
static int
line_of(const char *why)
{
	const char *at = strstr(why, ".lua:");
	int line = at ? atoi(at + 5) : 0;

	return line > 0 ? line : 0;
}

static void
job_refused(struct job *j, const char *why)
{
	char words[300];
	struct problem p;
	int line = line_of(why);

	snprintf(words, sizeof(words), "%s", why);
	problem_clean_text(words);
	problem_init(&p);
	problem_set(&p, 422, "pipeline-refused",
	    "correct it and send it again; europa-router --check tries it "
	    "without a router",
	    "%s", words);
	if (line > 0)
		p.extra = json_pack("{s:i}", "line", line);
	op_problem(j->rq, &p);
	job_free(j);
}

/* The REVISION that the router says is in force now, or is refused. */
static void
swapped(void *arg, int rc, const json_t *json)
{
	struct job *j = arg;
	const char *state = rc == 0 ? live_text(json, "state", 16) : NULL;
	const char *why = rc == 0 ? live_text(json, "why", 512) : NULL;

	if (rc < 0 || !state) {
		job_fails(j, rc, json);
	} else if (strcmp(state, "running") == 0) {
		snprintf(
		    j->v.report, sizeof(j->v.report), "%s", why ? why : "");
		problem_clean_text(j->v.report);
		job_done(j);
	} else if (strcmp(state, "refused") == 0 ||
		   strcmp(state, "failed") == 0) {
		job_refused(j, why && *why ? why : "the router refuses it");
	} else {
		job_fails(j, 0, NULL);
	}
}

static void
job_ask(struct job *j, const char *words, bool with_text)
{
	const struct ctlclient_question q = {
		.words = words,
		.body = j->text,
		.n = with_text ? j->n : 0,
		.timeout_ms = CHECK_MS,
		.done = swapped,
		.arg = j,
	};
	int rc = ctlclient_ask(j->r->ctl, &q);

	if (rc < 0)
		job_fails(j, rc, NULL);
}

static void
shown(void *arg, int rc, const json_t *json)
{
	struct job *j = arg;
	json_int_t running, there = 0;
	char words[CTLCLIENT_WORDS];

	if (rc < 0 || !live_number(json, "running", &running)) {
		job_fails(j, rc, json);
		return;
	}
	router_note_pipelines(j->r, json);
	if (j->text)
		there = pipeline_number_there(json, j->v.digest);
	if (running == there && (there > 0 || !j->text)) {
		job_done(j);
	} else if (there > 0 || !j->text) {
		snprintf(words, sizeof(words), "rollback pipeline %lld",
		    (long long)there);
		job_ask(j, words, false);
	} else {
		snprintf(words, sizeof(words), "put pipeline %s", j->v.author);
		job_ask(j, words, true);
	}
}

/* Takes j. */
static void
job_begin(struct job *j)
{
	const struct ctlclient_question q = {
		.words = "show pipeline",
		.timeout_ms = PIPELINE_SHOW_MS,
		.done = shown,
		.arg = j,
	};
	int rc = ctlclient_ask(j->r->ctl, &q);

	j->r->pipeline_on_way = true;
	if (rc < 0)
		job_fails(j, rc, NULL);
}

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

/* "-- author: NAME" as the first line, else who asks; one word. */
static void
find_author(const struct node *n, const struct api_request *rq,
    const char *text, char out[32])
{
	static const char key[] = "-- author: ";

	if (strncmp(text, key, sizeof(key) - 1) == 0 &&
	    text[sizeof(key) - 1] > ' ')
		snprintf(out, 32, "%.*s", (int)strcspn(text + 11, "\r\n"),
		    text + 11);
	else
		access_who(n, rq, out, 32);
	for (char *c = out; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
}

static bool
etag_fits(const struct router *r, struct api_request *rq)
{
	char etag[64];

	pipeline_etag(r, etag);
	return op_etag_holds(rq, etag, NULL);
}

void
op_pipeline_put(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	const char *text;
	struct job *j;
	size_t size;

	if (!r || !etag_fits(r, rq) ||
	    !live_is_free(r, rq, r->pipeline_on_way) || !live_is_there(r, rq))
		return;
	if (api_dry_run(rq)) {
		pipeline_reply_changed(r, rq, 200);
		return;
	}
	j = job_new(r, rq);
	if (!j)
		return;
	text = api_text(rq, &size);
	j->is_put = true;
	j->text = strndup(text, size);
	j->n = size;
	if (!j->text) {
		job_fails(j, -ENOMEM, NULL);
		return;
	}
	sha256_hex(text, size, j->v.digest);
	find_author(j->r->node, rq, j->text, j->v.author);
	node_time_text(j->v.time);
	job_begin(j);
}

/* {"revision": N}, or the one before the present one. */
static bool
read_target(const struct router *r, struct api_request *rq, unsigned *out)
{
	const struct pipeline_revision *now =
	    pipelines_find(&r->pipelines, r->pipelines.wanted);
	const json_t *body = api_body(rq), *v;
	struct problem p;

	*out = now ? now->previous : 0;
	v = json_object_get(body, "revision");
	problem_init(&p);
	if (body &&
	    (!json_is_object(body) || json_object_size(body) != (v != NULL)))
		problem_add(&p, "", "want {\"revision\": N}, {} or nothing");
	else if (v && (!json_is_integer(v) || json_integer_value(v) < 0 ||
			  json_integer_value(v) > INT32_MAX))
		problem_add(&p, "/revision", "is no number of a revision");
	else if (v)
		*out = (unsigned)json_integer_value(v);
	if (p.status == 0 && *out != 0 && !pipelines_find(&r->pipelines, *out))
		problem_add(&p, "/revision", "there is no revision %u", *out);
	if (p.status == 0)
		return true;
	op_problem(rq, &p);
	return false;
}

/* The router sleeps: it begins with that one. */
static void
want_later(struct router *r, struct api_request *rq, unsigned number)
{
	struct err e;
	int rc = pipelines_want(&r->pipelines, number, &e);

	if (rc < 0)
		op_store_failed(rq, rc, &e);
	else
		pipeline_reply_changed(r, rq, 200);
}

void
op_pipeline_rollback(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	unsigned number;
	struct job *j;

	if (!r || !etag_fits(r, rq) || !read_target(r, rq, &number) ||
	    !live_is_free(r, rq, r->pipeline_on_way))
		return;
	if (api_dry_run(rq)) {
		pipeline_reply_changed(r, rq, 200);
		return;
	}
	if (r->container.state == CONTAINER_STOPPED) {
		want_later(r, rq, number);
		return;
	}
	j = live_is_there(r, rq) ? job_new(r, rq) : NULL;
	if (!j)
		return;
	j->number = number;
	if (number > 0) {
		j->v = *pipelines_find(&r->pipelines, number);
		j->text = pipelines_text(&r->pipelines, number, &j->n);
		if (!j->text) {
			job_fails(j, -ENOMEM, NULL);
			return;
		}
	}
	job_begin(j);
}
