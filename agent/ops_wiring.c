/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_wiring: links and segments over the API. A change is stored, said to the
 * data plane, and answered when that has agreed (wiring_wait.c); routers need
 * not be there, nor run. A change is never more than its difference: packets
 * that wait on a link stay there.
 */
#include "agent/access.h"
#include "agent/events.h"
#include "agent/ops_again.h"
#include "agent/ops_list.h"
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

static enum model_wiring_kind
kind_of(const struct api_request *rq)
{
	return api_op(rq) >= API_SEGMENTS_LIST ? MODEL_SEGMENT : MODEL_LINK;
}

/* The one of the URL, or NULL: then the request is answered. */
static struct wiring *
find(struct node *n, struct api_request *rq)
{
	struct wiring *w =
	    wiring_by_name(n, op_project(n, rq), kind_of(rq), api_name(rq));

	if (!w)
		op_not_found(rq, wiring_kind_text(kind_of(rq)), api_name(rq));
	return w;
}

/* The same, and If-Match holds. */
static struct wiring *
find_to_change(struct node *n, struct api_request *rq)
{
	struct wiring *w = find(n, rq);
	char etag[64];

	if (!w)
		return NULL;
	wiring_etag(w, etag, sizeof(etag));
	return op_etag_holds(rq, etag, &w->changes) ? w : NULL;
}

static json_t *
make_item(void *arg, const void *object)
{
	return wiring_json(arg, object);
}

void
op_wiring_list(struct node *n, struct api_request *rq)
{
	const struct project *project = op_project(n, rq);
	struct op_list list = { 0 };

	for (const struct wiring *w = n->wiring; w; w = w->next)
		if (w->project == project && w->spec.kind == kind_of(rq))
			op_list_add(&list, w->spec.name, w->spec.labels, w);
	op_list_reply(&list, rq, make_item, n);
}

void
op_wiring_get(struct node *n, struct api_request *rq)
{
	const struct wiring *w = find(n, rq);

	if (w)
		wiring_answer(n, w, rq, 200);
}

static void
create(struct node *n, struct model_wiring *spec, struct api_request *rq)
{
	uint8_t uid[UID_BYTES];
	struct wiring *w = NULL;
	struct problem p;
	struct err e;
	int rc;

	problem_init(&p);
	if (op_make_uid(rq, uid) == 0)
		w = wiring_new(n, op_project(n, rq), uid, spec);
	if (!w) {
		problem_set(&p, 503, "busy", "try again", "out of memory");
		op_problem(rq, &p);
		return;
	}
	node_time_text(w->created);
	w->generation = 1;
	if (api_dry_run(rq)) {
		api_reply(rq, 200, wiring_json(n, w), NULL, NULL);
		wiring_free(n, w);
		return;
	}
	rc = wiring_store(n, w, &w->spec, 1, &e);
	if (rc < 0) {
		wiring_free(n, w);
		op_store_failed(rq, rc, &e);
		return;
	}
	log_info("created %s=%s", wiring_kind_text(w->spec.kind), w->spec.name);
	event_wiring(n, w, "created");
	wiring_wait(n, rq, w->uid, 201);
}

/* Unless this request has made it before. */
static void
create_once(struct node *n, struct model_wiring *spec, struct api_request *rq)
{
	struct project *project = op_project(n, rq);
	const struct wiring *same =
	    wiring_by_name(n, project, spec->kind, spec->name);
	bool is_tenant = access_role(n, rq, NULL) != API_ROLE_ADMIN;
	struct problem p;

	problem_init(&p);
	if (same && op_has_made(rq, same->uid))
		wiring_wait(n, rq, same->uid, 201);
	else if ((!same && project_admits_wiring(
			       n, project, spec->kind, is_tenant, &p) < 0) ||
		 wiring_check(n, project, spec, NULL, &p) < 0)
		op_problem(rq, &p);
	else
		create(n, spec, rq);
}

void
op_wiring_create(struct node *n, struct api_request *rq)
{
	struct model_wiring spec;
	struct problem p;

	problem_init(&p);
	model_wiring_init(&spec, kind_of(rq));
	if (model_wiring_read(&spec, api_body(rq), NULL, &p) < 0)
		op_problem(rq, &p);
	else
		create_once(n, &spec, rq);
	model_wiring_clear(&spec);
}

/* Takes what spec holds, and gives what w held. */
static void
swap(struct wiring *w, struct model_wiring *spec)
{
	struct model_wiring old = w->spec;

	w->spec = *spec;
	*spec = old;
}

static void
change(struct node *n, struct wiring *w, struct model_wiring *spec,
    struct api_request *rq)
{
	struct err e;
	json_t *was;
	int rc;

	if (api_dry_run(rq)) {
		swap(w, spec);
		api_reply(rq, 200, wiring_json(n, w), NULL, NULL);
		swap(w, spec);
		return;
	}
	rc = wiring_store(n, w, spec, w->generation + 1, &e);
	if (rc < 0) {
		op_store_failed(rq, rc, &e);
		return;
	}
	was = wiring_json(n, w);
	swap(w, spec);
	w->generation++;
	changes_note(&w->changes, was, wiring_json(n, w), w->generation);
	event_wiring(n, w, "changed");
	wiring_wait(n, rq, w->uid, 200);
}

void
op_wiring_patch(struct node *n, struct api_request *rq)
{
	struct wiring *w = find_to_change(n, rq);
	struct model_wiring spec;
	struct problem p;
	json_t *object;

	if (!w)
		return;
	problem_init(&p);
	model_wiring_init(&spec, w->spec.kind);
	object = json_pack("{s:s, s:o, s:o}", "name", w->spec.name, "labels",
	    json_deep_copy(w->spec.labels), "spec",
	    model_wiring_spec(&w->spec));
	model_merge_patch(&object, api_body(rq));
	if (model_wiring_read(&spec, object, w->spec.name, &p) < 0 ||
	    wiring_check(n, w->project, &spec, w, &p) < 0)
		op_problem(rq, &p);
	else
		change(n, w, &spec, rq);
	model_wiring_clear(&spec);
	json_decref(object);
}

void
op_wiring_delete(struct node *n, struct api_request *rq)
{
	struct wiring *w = find_to_change(n, rq);
	uint8_t uid[UID_BYTES];
	struct err e;
	int rc;

	if (!w)
		return;
	if (api_dry_run(rq)) {
		api_reply(rq, 204, NULL, NULL, NULL);
		return;
	}
	rc = store_delete_object(n->store, w->uid_text, &e);
	if (rc < 0) {
		op_store_failed(rq, rc, &e);
		return;
	}
	log_info("deleted %s=%s", wiring_kind_text(w->spec.kind), w->spec.name);
	event_wiring(n, w, "deleted");
	memcpy(uid, w->uid, UID_BYTES);
	wiring_free(n, w);
	wiring_wait(n, rq, uid, 204);
}
