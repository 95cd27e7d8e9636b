/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_project: projects over the API. A project that has objects stays; the
 * default one always does.
 */
#include "agent/access.h"
#include "agent/audit.h"
#include "agent/events.h"
#include "agent/ops_again.h"
#include "agent/ops_list.h"
#include "agent/router.h"
#include "agent/wiring.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

static json_t *
count(uint64_t v)
{
	return v == UINT64_MAX ? json_null() : json_integer((json_int_t)v);
}

static unsigned
n_ports(const struct node *n, const struct project *p)
{
	unsigned i = 0;

	for (const struct port *x = n->ports; x; x = x->next)
		i += x->project == p;
	return i;
}

static unsigned
n_wiring(const struct node *n, const struct project *p)
{
	unsigned i = 0;

	for (const struct wiring *w = n->wiring; w; w = w->next)
		i += w->project == p;
	return i;
}

static json_t *
project_json(const struct node *n, const struct project *p,
    const struct model_project *m)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:O, s:o, s:{s:o, s:o}}",
	    "kind", "Project", "name", m->name, "uid", p->uid_text,
	    "generation", count(p->generation), "created", p->created, "labels",
	    m->labels, "spec", model_project_spec(m), "status", "routers",
	    count(project_sum(n, p, MODEL_SUM_ROUTERS, NULL)), "ports",
	    count(n_ports(n, p)));
}

static json_t *
quota_json(const struct node *n, const struct project *p,
    const struct model_project *m)
{
	json_t *sums = json_object();

	for (enum model_sum i = 0; i < MODEL_N_SUMS; i++)
		json_object_set_new(
		    sums, model_sum_name(i), count(project_sum(n, p, i, NULL)));
	return json_pack("{s:s, s:s, s:o, s:o}", "kind", "ProjectQuota",
	    "project", m->name, "limit", model_project_quota_json(m), "usage",
	    sums);
}

static void
project_etag(const struct project *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%llu", p->uid_text,
	    (unsigned long long)p->generation);
}

/* The project of the path, or NULL: then the request is answered. */
static struct project *
find(struct node *n, struct api_request *rq)
{
	struct project *p = node_project(n, api_name(rq));

	if (p && access_role(n, rq, p) == API_ROLE_NONE)
		p = NULL;
	if (!p)
		op_not_found(rq, "project", api_name(rq));
	return p;
}

/* The same, and If-Match holds. */
static struct project *
find_to_change(struct node *n, struct api_request *rq)
{
	struct project *p = find(n, rq);
	char etag[64];

	if (!p)
		return NULL;
	project_etag(p, etag, sizeof(etag));
	return op_etag_holds(rq, etag, &p->changes) ? p : NULL;
}

static json_t *
make_item(void *arg, const void *object)
{
	const struct project *p = object;

	return project_json(arg, p, &p->spec);
}

void
op_projects_list(struct node *n, struct api_request *rq)
{
	struct op_list list = { 0 };

	for (const struct project *p = n->projects; p; p = p->next)
		if (access_role(n, rq, p) != API_ROLE_NONE)
			op_list_add(&list, p->spec.name, p->spec.labels, p);
	op_list_reply(&list, rq, make_item, n);
}

void
op_project_get(struct node *n, struct api_request *rq)
{
	const struct project *p = find(n, rq);
	char etag[64];

	if (!p)
		return;
	project_etag(p, etag, sizeof(etag));
	api_reply(rq, 200, project_json(n, p, &p->spec), etag, NULL);
}

static void
answer_made(
    const struct node *n, const struct project *p, struct api_request *rq)
{
	char etag[64], location[128];

	project_etag(p, etag, sizeof(etag));
	snprintf(location, sizeof(location), "/v1/projects/%s", p->spec.name);
	api_reply(rq, 201, project_json(n, p, &p->spec), etag, location);
}

/* Takes spec, which is a good one. */
static void
create(struct node *n, struct model_project *spec, struct api_request *rq)
{
	struct err e;
	struct project *p = project_new(spec, &e), **at = &n->projects;
	int rc;

	if (!p) {
		op_store_failed(rq, -ENOMEM, &e);
		return;
	}
	op_make_uid(rq, p->uid); /* or it keeps the one that it has */
	uid_text(p->uid, p->uid_text);
	if (api_dry_run(rq)) {
		api_reply(rq, 200, project_json(n, p, &p->spec), NULL, NULL);
		project_free(p);
		return;
	}
	rc = audit_forget_name(n, p->spec.name, &e);
	if (rc == 0)
		rc = project_store(n, p, &p->spec, 1, &e);
	if (rc < 0) {
		project_free(p);
		op_store_failed(rq, rc, &e);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = p;
	log_info("created project=%s", p->spec.name);
	event_project(n, p, "project.created");
	answer_made(n, p, rq);
}

void
op_project_create(struct node *n, struct api_request *rq)
{
	const struct project *same = NULL;
	struct model_project spec;
	struct problem p;

	problem_init(&p);
	model_project_init(&spec);
	if (model_project_read(&spec, api_body(rq), NULL, &p) == 0)
		same = node_project(n, spec.name);
	if (same && !op_has_made(rq, same->uid))
		problem_set(&p, 409, "exists", "choose another name",
		    "project %s exists", spec.name);
	if (p.status != 0)
		op_problem(rq, &p);
	else if (same)
		answer_made(n, same, rq);
	else
		create(n, &spec, rq);
	model_project_clear(&spec);
}

/* Takes spec. The answer is the project, or its quota. */
static void
apply(struct node *n, struct project *p, struct model_project *spec,
    struct api_request *rq)
{
	json_t *(*show)(const struct node *, const struct project *,
	    const struct model_project *) =
	    api_op(rq) == API_PROJECT_QUOTA_PATCH ? quota_json : project_json;
	char etag[64];
	struct err e;
	int rc;

	if (api_dry_run(rq)) {
		project_etag(p, etag, sizeof(etag));
		api_reply(rq, 200, show(n, p, spec), etag, NULL);
		model_project_clear(spec);
		return;
	}
	rc = project_store(n, p, spec, p->generation + 1, &e);
	if (rc < 0) {
		model_project_clear(spec);
		op_store_failed(rq, rc, &e);
		return;
	}
	p->generation++;
	changes_note(&p->changes, project_json(n, p, &p->spec),
	    project_json(n, p, spec), p->generation);
	model_project_clear(&p->spec);
	p->spec = *spec;
	event_project(n, p, "project.changed");
	project_etag(p, etag, sizeof(etag));
	api_reply(rq, 200, show(n, p, &p->spec), etag, NULL);
}

void
op_project_patch(struct node *n, struct api_request *rq)
{
	struct project *p = find_to_change(n, rq);
	struct model_project want;
	struct problem problem;
	json_t *object;

	if (!p)
		return;
	problem_init(&problem);
	model_project_init(&want);
	object = project_json(n, p, &p->spec);
	model_merge_patch(&object, api_body(rq));
	if (model_project_read(&want, object, p->spec.name, &problem) == 0) {
		apply(n, p, &want, rq);
	} else {
		model_project_clear(&want);
		op_problem(rq, &problem);
	}
	json_decref(object);
}

void
op_project_quota_get(struct node *n, struct api_request *rq)
{
	const struct project *p = find(n, rq);
	char etag[64];

	if (!p)
		return;
	project_etag(p, etag, sizeof(etag));
	api_reply(rq, 200, quota_json(n, p, &p->spec), etag, NULL);
}

void
op_project_usage_get(struct node *n, struct api_request *rq)
{
	struct project *p = find(n, rq);

	if (p)
		api_reply(rq, 200, usage_account_json(n, p), NULL, NULL);
}

void
op_project_quota_patch(struct node *n, struct api_request *rq)
{
	struct project *p = find_to_change(n, rq);
	struct model_project want;
	struct problem problem;
	json_t *object;

	if (!p)
		return;
	problem_init(&problem);
	want = p->spec;
	json_incref(want.labels);
	object = quota_json(n, p, &p->spec);
	model_merge_patch(&object, api_body(rq));
	if (model_project_quota_read(&want, object, &problem) == 0) {
		apply(n, p, &want, rq);
	} else {
		model_project_clear(&want);
		op_problem(rq, &problem);
	}
	json_decref(object);
}

static void
remove_project(struct node *n, struct project *p)
{
	struct project **at = &n->projects;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	project_free(p);
}

void
op_project_delete(struct node *n, struct api_request *rq)
{
	struct project *p = find_to_change(n, rq);
	struct problem problem;
	struct err e;
	int rc;

	if (!p)
		return;
	problem_init(&problem);
	if (strcmp(p->spec.name, PROJECT_DEFAULT) == 0)
		problem_set(&problem, 409, "protected", "leave it",
		    "the project " PROJECT_DEFAULT " is always there");
	else if (project_sum(n, p, MODEL_SUM_ROUTERS, NULL) + n_ports(n, p) +
		     n_wiring(n, p) + tokens_count(n, p) >
		 0)
		problem_set(&problem, 409, "in-use",
		    "delete its routers, links, segments, ports and tokens "
		    "first",
		    "project %s has %u routers, %u links and segments, %u "
		    "ports and %u tokens",
		    p->spec.name,
		    (unsigned)project_sum(n, p, MODEL_SUM_ROUTERS, NULL),
		    n_wiring(n, p), n_ports(n, p), tokens_count(n, p));
	if (problem.status != 0) {
		op_problem(rq, &problem);
		return;
	}
	if (!api_dry_run(rq)) {
		/* first: a stop in between hides too much, not too little */
		rc = audit_forget(n, p, &e);
		if (rc == 0)
			rc = store_delete_object(n->store, p->uid_text, &e);
		if (rc < 0) {
			op_store_failed(rq, rc, &e);
			return;
		}
		usage_forget(n, p);
		api_events_forget(n->api, p->spec.name);
		log_info("deleted project=%s", p->spec.name);
		remove_project(n, p);
	}
	api_reply(rq, 204, NULL, NULL, NULL);
}
