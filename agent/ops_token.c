/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_token: tokens over the API. The secret is in the answer that made it and
 * nowhere else. Nobody gives away more than he has: each role wants the admin of
 * that project, also when a token is changed.
 */
#include "agent/access.h"
#include "agent/ops_list.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

static json_t *
make_item(void *arg, const void *object)
{
	return token_json(arg, object);
}

void
op_tokens_list(struct node *n, struct api_request *rq)
{
	const struct project *p = op_project(n, rq);
	struct op_list list = { 0 };

	for (const struct token *t = n->tokens.first; t; t = t->next)
		if (t->project == p)
			op_list_add(&list, t->name, t->labels, t);
	op_list_reply(&list, rq, make_item, n);
}

/* The token of the path, or NULL: then the request is answered. */
static struct token *
find(struct node *n, struct api_request *rq)
{
	struct token *t = token_find(n, op_project(n, rq), api_name(rq));

	if (!t)
		op_not_found(rq, "token", api_name(rq));
	return t;
}

static void
etag_of(const struct token *t, char buf[64])
{
	snprintf(
	    buf, 64, "%s-%llu", t->uid_text, (unsigned long long)t->generation);
}

void
op_token_get(struct node *n, struct api_request *rq)
{
	const struct token *t = find(n, rq);
	char etag[64];

	if (!t)
		return;
	etag_of(t, etag);
	api_reply(rq, 200, token_json(n, t), etag, NULL);
}

/* A project that one cannot see is like one that is not there. */
static void
check_roles(const struct node *n, const struct api_request *rq,
    const struct model_token *m, struct problem *p)
{
	for (unsigned i = 0; i < m->n_roles && p->status != 403; i++) {
		const char *name = m->role[i].project;
		bool is_every = strcmp(name, MODEL_EVERY_PROJECT) == 0;
		const struct project *project = node_project(n, name);
		enum api_role own =
		    is_every || project
			? access_role(n, rq, is_every ? NULL : project)
			: API_ROLE_NONE;
		char at[128];

		snprintf(at, sizeof(at), "/spec/roles/%s", name);
		if (own == API_ROLE_NONE && !is_every)
			problem_add(p, at, "there is no project %s", name);
		else if (own < API_ROLE_ADMIN)
			problem_set(p, 403, "forbidden",
			    "ask somebody who is admin there",
			    "only its admin gives roles in %s",
			    is_every ? "every project" : name);
	}
}

static void
check_token(const struct node *n, const struct api_request *rq,
    const struct project *project, const struct model_token *m,
    struct problem *p)
{
	check_roles(n, rq, m, p);
	if (p->status != 0)
		return;
	if (token_find(n, project, m->name))
		problem_set(p, 409, "exists", "choose another name",
		    "token %s exists", m->name);
	else if (tokens_count(n, project) >= TOKENS_PER_PROJECT)
		problem_set(p, 409, "quota-exceeded",
		    "delete those that are not used",
		    "the project has %d tokens", (int)TOKENS_PER_PROJECT);
}

static void
create(struct node *n, const struct model_token *m, struct api_request *rq)
{
	struct project *project = op_project(n, rq);
	bool is_dry = api_dry_run(rq);
	char secret[TOKEN_SECRET_BYTES], location[192], query[96], who[80];
	char etag[64];
	struct token *t;
	struct err e;
	json_t *o;
	int rc = token_make(n, project, m, !is_dry, secret, &t, &e);

	if (rc < 0) {
		op_store_failed(rq, rc, &e);
		return;
	}
	o = token_json(n, t);
	if (is_dry) {
		token_free(t);
		api_reply(rq, 200, o, NULL, NULL);
		return;
	}
	json_object_set_new(o, "secret", json_string(secret));
	explicit_bzero(secret, sizeof(secret));
	access_who(n, rq, who, sizeof(who));
	log_info("created token=%s project=%s by=%s", t->name,
	    project->spec.name, who);
	project_query(project, query, sizeof(query));
	snprintf(location, sizeof(location), "/v1/tokens/%s%s", t->name, query);
	etag_of(t, etag);
	api_reply(rq, 201, o, etag, location);
}

void
op_token_create(struct node *n, struct api_request *rq)
{
	struct model_token m;
	struct problem p;

	problem_init(&p);
	model_token_init(&m);
	if (model_token_read(&m, api_body(rq), NULL, &p) == 0)
		check_token(n, rq, op_project(n, rq), &m, &p);
	if (p.status != 0)
		op_problem(rq, &p);
	else
		create(n, &m, rq);
	model_token_clear(&m);
}

/*
 * t as the request wants it. What is said of its spec is as if it were made anew:
 * a token cannot be given, and its life not be made longer, by who is not admin
 * of all that it may do.
 */
static void
read_change(const struct node *n, const struct api_request *rq,
    const struct token *t, struct model_token *m, struct problem *p)
{
	const json_t *spec = json_object_get(api_body(rq), "spec");
	json_t *o = token_json(n, t);

	model_merge_patch(&o, api_body(rq));
	/* that its time is over is no mistake of who changes something else */
	if (!json_object_get(spec, "expires"))
		json_object_del(json_object_get(o, "spec"), "expires");
	if (model_token_read(m, o, t->name, p) == 0) {
		if (!json_object_get(spec, "expires"))
			m->expires = t->expires;
		if (spec)
			check_roles(n, rq, m, p);
	}
	json_decref(o);
}

static void
change(struct node *n, struct token *t, const struct model_token *m,
    struct api_request *rq)
{
	char etag[64], who[80];
	struct token next;
	struct err e;
	json_t *was;
	int rc;

	if (api_dry_run(rq)) {
		token_as(n, t, m, &next);
		etag_of(t, etag);
		api_reply(rq, 200, token_json(n, &next), etag, NULL);
		return;
	}
	was = token_json(n, t);
	rc = token_change(n, t, m, &e);
	if (rc < 0) {
		json_decref(was);
		op_store_failed(rq, rc, &e);
		return;
	}
	changes_note(&t->changes, was, token_json(n, t), t->generation);
	access_who(n, rq, who, sizeof(who));
	log_info("changed token=%s project=%s by=%s", t->name,
	    t->project->spec.name, who);
	etag_of(t, etag);
	api_reply(rq, 200, token_json(n, t), etag, NULL);
}

/* The token of the path, and If-Match holds; or NULL, and it is answered. */
static struct token *
find_to_change(struct node *n, struct api_request *rq)
{
	struct token *t = find(n, rq);
	char etag[64];

	if (!t)
		return NULL;
	etag_of(t, etag);
	return op_etag_holds(rq, etag, &t->changes) ? t : NULL;
}

void
op_token_patch(struct node *n, struct api_request *rq)
{
	struct token *t = find_to_change(n, rq);
	struct model_token m;
	struct problem p;

	if (!t)
		return;
	problem_init(&p);
	model_token_init(&m);
	read_change(n, rq, t, &m, &p);
	if (p.status != 0)
		op_problem(rq, &p);
	else
		change(n, t, &m, rq);
	model_token_clear(&m);
}

void
op_token_delete(struct node *n, struct api_request *rq)
{
	struct token *t = find_to_change(n, rq);
	struct err e;
	int rc;

	if (!t)
		return;
	if (!api_dry_run(rq)) {
		log_info("deleting token=%s project=%s", t->name,
		    t->project->spec.name);
		rc = token_delete(n, t, &e);
		if (rc < 0) {
			op_store_failed(rq, rc, &e);
			return;
		}
	}
	api_reply(rq, 204, NULL, NULL, NULL);
}
