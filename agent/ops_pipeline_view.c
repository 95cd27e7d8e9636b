/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_pipeline_view: which pipeline runs, and the revisions there are.
 *
 * What runs the router says; the text is ours if the digest is that of one of
 * our revisions. One that was put in place within the container has no number
 * here, and is asked for.
 */
#include "agent/ops_pipeline.h"

#include "lib/base.h"

#include <stdio.h>

struct look {
	struct router *r;
	struct api_request *rq;
	json_int_t number; /* the router's own, that its text is asked for */
};

void
pipeline_etag(const struct router *r, char buf[64])
{
	const struct pipeline_revision *v =
	    pipelines_find(&r->pipelines, r->pipelines.wanted);

	snprintf(buf, 64, "%s-p%u-%.8s", r->uid_text, r->pipelines.wanted,
	    v ? v->digest : "0");
}

static void
name_object(json_t *o, const struct router *r, const char *kind)
{
	json_object_set_new(o, "kind", json_string(kind));
	json_object_set_new(o, "router", json_string(r->spec.name));
}

/* NULL: what the template brings along. */
static json_t *
revision_json(const struct pipeline_revision *v)
{
	return v ? pipelines_json(v)
		 : json_pack("{s:i, s:s, s:n, s:n, s:s, s:n, s:s}", "revision",
		       0, "state", "running", "previous", "digest", "author",
		       "template", "time", "report", "");
}

void
pipeline_reply_changed(struct router *r, struct api_request *rq, int status)
{
	json_t *o =
	    revision_json(pipelines_find(&r->pipelines, r->pipelines.wanted));
	char etag[64], location[256], query[96];

	name_object(o, r, "PipelineRevision");
	json_object_set_new(o, "in_force", json_boolean(router_is_live(r)));
	pipeline_etag(r, etag);
	project_query(r->project, query, sizeof(query));
	snprintf(location, sizeof(location),
	    "/v1/routers/%s/pipeline/revisions/%u%s", r->spec.name,
	    r->pipelines.wanted, query);
	api_reply(rq, status, o, etag, status == 201 ? location : NULL);
}

json_int_t
pipeline_number_there(const json_t *said, const char *digest)
{
	json_int_t number = 0, n, running;
	const json_t *v;
	size_t i;

	if (!live_number(said, "running", &running))
		return 0;
	json_array_foreach(json_object_get(said, "revisions"), i, v)
	{
		const char *s = live_text(v, "sha256", SHA256_HEX);
		const char *state = live_text(v, "state", 16);

		if (!s || !state || strcmp(s, digest) != 0 ||
		    !live_number(v, "number", &n))
			continue;
		if (n == running)
			return n;
		if (strcmp(state, "replaced") == 0)
			number = n;
	}
	return number;
}

/* The text, as an object or as it is; NULL: not known. */
static void
reply_text(struct api_request *rq, json_t *o, const char *text, size_t n,
    const char *etag)
{
	if (api_wants_text(rq)) {
		json_decref(o);
		api_reply_text(rq, text ? text : "", text ? n : 0, etag);
		return;
	}
	json_object_set_new(
	    o, "text", text ? json_stringn(text, n) : json_null());
	api_reply(rq, 200, o, etag, NULL);
}

/* One of ours, or NULL for the template's. */
static void
reply_ours(struct router *r, struct api_request *rq,
    const struct pipeline_revision *v, bool in_force)
{
	scoped_free char *text = NULL;
	json_t *o = revision_json(v);
	char etag[64];
	size_t n = 0;

	name_object(o, r, "Pipeline");
	json_object_set_new(o, "in_force", json_boolean(in_force));
	if (v)
		text = pipelines_text(&r->pipelines, v->number, &n);
	pipeline_etag(r, etag);
	reply_text(rq, o, text, n, etag);
}

/* What the router says of one that is not ours; NULL: it makes no sense. */
static json_t *
foreign_json(const json_t *said)
{
	const char *digest = live_text(said, "sha256", SHA256_HEX);
	const char *author = live_text(said, "author", 64);

	if (!digest || !author)
		return NULL;
	return json_pack("{s:n, s:s, s:n, s:s, s:s, s:n, s:s}", "revision",
	    "state", "running", "previous", "digest", digest, "author", author,
	    "time", "report", "");
}

/* One that did not come from here: from within, or 0, the template's. */
static void
reply_theirs(void *arg, int rc, const json_t *json)
{
	struct look *k = arg;
	const json_t *text = json_object_get(json, "text");
	json_t *o = NULL;
	char etag[64];

	if (rc == 0 && (json_is_string(text) || json_is_null(text)))
		o = k->number > 0 ? foreign_json(json) : revision_json(NULL);
	if (!o) {
		live_refuse_read(k->r, k->rq, rc);
	} else {
		name_object(o, k->r, "Pipeline");
		json_object_set_new(o, "in_force", json_true());
		pipeline_etag(k->r, etag);
		reply_text(k->rq, o, json_string_value(text),
		    json_string_length(text), etag);
	}
	free(k);
}

/* Takes k. */
static void
ask_theirs(struct look *k)
{
	char words[CTLCLIENT_WORDS];
	const struct ctlclient_question q = {
		.words = words,
		.max_answer = CTLCLIENT_MAX_ANSWER,
		.timeout_ms = PIPELINE_SHOW_MS,
		.done = reply_theirs,
		.arg = k,
	};
	int rc;

	snprintf(
	    words, sizeof(words), "show revision %lld", (long long)k->number);
	rc = ctlclient_ask(k->r->ctl, &q);
	if (rc == 0)
		return;
	live_refuse_read(k->r, k->rq, rc);
	free(k);
}

/* The digest of what runs, or "". */
static const char *
running_digest(const json_t *said, json_int_t running)
{
	const json_t *v;
	json_int_t n;
	size_t i;

	json_array_foreach(json_object_get(said, "revisions"), i, v)
	{
		const char *s = live_text(v, "sha256", SHA256_HEX);

		if (s && live_number(v, "number", &n) && n == running)
			return s;
	}
	return "";
}

static void
heard(void *arg, int rc, const json_t *json)
{
	struct look *k = arg;
	struct router *r = k->r;
	const struct pipeline_revision *v;

	if (rc < 0 || !live_number(json, "running", &k->number)) {
		live_refuse_read(r, k->rq, rc);
		free(k);
		return;
	}
	if (!r->pipeline_on_way)
		router_note_pipelines(r, json);
	v = k->number == 0 ? NULL
			   : pipelines_find_digest(&r->pipelines,
				 running_digest(json, k->number));
	if (!v) {
		ask_theirs(k);
		return;
	}
	reply_ours(r, k->rq, v, true);
	free(k);
}

void
op_pipeline_get(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	struct ctlclient_question q = {
		.words = "show pipeline",
		.timeout_ms = PIPELINE_SHOW_MS,
		.done = heard,
	};
	struct look *k;
	int rc = -ENOMEM;

	if (!r)
		return;
	if (!router_is_live(r)) {
		reply_ours(r, rq,
		    pipelines_find(&r->pipelines, r->pipelines.wanted), false);
		return;
	}
	q.arg = k = malloc(sizeof(*k));
	if (k) {
		*k = (struct look){ .r = r, .rq = rq };
		rc = ctlclient_ask(r->ctl, &q);
	}
	if (rc < 0) {
		live_refuse_read(r, rq, rc);
		free(k);
	}
}

void
op_revisions_list(struct node *n, struct api_request *rq)
{
	const struct router *r = op_find_router(n, rq);
	json_t *items;

	if (!r)
		return;
	items = json_array();
	for (unsigned i = r->pipelines.n; i-- > 0;)
		json_array_append_new(
		    items, pipelines_json(&r->pipelines.list[i]));
	op_reply_list_as_it_is(rq, items, "revision");
}

void
op_revision_get(struct node *n, struct api_request *rq)
{
	const struct router *r = op_find_router(n, rq);
	const struct pipeline_revision *v;
	scoped_free char *text = NULL;
	char etag[SHA256_HEX];
	size_t size = 0;
	json_t *o;

	if (!r)
		return;
	v = pipelines_find(&r->pipelines, api_number(rq));
	if (!v) {
		snprintf(etag, sizeof(etag), "%u", api_number(rq));
		op_not_found(rq, "revision", etag);
		return;
	}
	text = pipelines_text(&r->pipelines, v->number, &size);
	o = pipelines_json(v);
	name_object(o, r, "PipelineRevision");
	snprintf(etag, sizeof(etag), "%s", v->digest);
	reply_text(rq, o, text, size, etag);
}
