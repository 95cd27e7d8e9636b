/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_router: create, read, replace, change, delete, power and restart.
 *
 * Every change takes one way: a whole new spec is checked against the node,
 * stored, and then wished for (op_apply). What is refused leaves nothing.
 */
#include "agent/access.h"
#include "agent/events.h"
#include "agent/ops_again.h"
#include "agent/ops_list.h"
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

static json_t *
make_item(void *arg, const void *object)
{
	(void)arg;
	return router_json(object);
}

void
op_routers_list(struct node *n, struct api_request *rq)
{
	const struct project *project = op_project(n, rq);
	struct op_list list = { 0 };

	for (const struct router *r = n->routers; r; r = r->next)
		if (r->project == project)
			op_list_add(&list, r->spec.name, r->spec.labels, r);
	op_list_reply(&list, rq, make_item, NULL);
}

void
op_router_get(struct node *n, struct api_request *rq)
{
	const struct router *r = op_find_router(n, rq);
	char etag[64];

	if (!r)
		return;
	router_etag(r, etag, sizeof(etag));
	api_reply(rq, 200, router_json(r), etag, NULL);
}

/*
 * MACs that the spec does not give: locally administered, 0a:..., a hash
 * (FNV-1a) of uid and name, so that they stay over restarts and are never those
 * of a kernel interface.
 */
static void
fill_macs(struct model_router *spec, const uint8_t uid[UID_BYTES])
{
	for (unsigned i = 0; i < spec->n_vnics; i++) {
		struct model_vnic *v = &spec->vnic[i];
		uint64_t h = UINT64_C(14695981039346656037);

		if (v->has_mac)
			continue;
		for (unsigned k = 0; k < UID_BYTES; k++)
			h = (h ^ uid[k]) * UINT64_C(1099511628211);
		for (const char *c = v->name; *c; c++)
			h = (h ^ (uint8_t)*c) * UINT64_C(1099511628211);
		v->mac[0] = 0x0a;
		for (unsigned k = 1; k < 6; k++)
			v->mac[k] = (uint8_t)(h >> (8 * k));
		v->has_mac = true;
	}
}

/* The lowest range that no router has, or -1. */
static int64_t
free_id_index(const struct node *n)
{
	for (uint32_t i = 0; i < n->cfg.id_ranges; i++) {
		const struct router *r = n->routers;

		while (r && r->id_index != i)
			r = r->next;
		if (!r)
			return i;
	}
	return -1;
}

static void
create(struct node *n, struct model_router *spec, struct api_request *rq)
{
	struct project *project = op_project(n, rq);
	int64_t index = free_id_index(n);
	uint8_t uid[UID_BYTES];
	struct problem p;
	struct router *r;
	struct err e;
	int rc;

	problem_init(&p);
	if (op_make_uid(rq, uid) < 0) {
		problem_set(&p, 503, "busy", "try again", "no random bytes");
		op_problem(rq, &p);
		return;
	}
	if (index < 0) {
		problem_set(&p, 507, "no-uid-range",
		    "delete a router, or raise id_ranges in europa.conf",
		    "all %u uid ranges are in use", n->cfg.id_ranges);
		op_problem(rq, &p);
		return;
	}
	fill_macs(spec, uid);
	if (access_template(n, rq, spec->template, NULL, &p) < 0 ||
	    check_router(n, project, spec, NULL, &p) < 0) {
		op_problem(rq, &p);
		return;
	}
	r = router_new(n, project, uid, (uint32_t)index, spec);
	if (!r) {
		problem_set(&p, 503, "busy", "try again", "out of memory");
		op_problem(rq, &p);
		return;
	}
	if (router_lease_next(r, &r->spec, rq, &r->lease, &p) < 0) {
		router_free(r);
		op_problem(rq, &p);
		return;
	}
	r->generation = 1;
	r->known = true; /* a new uid: there is nothing to find */
	node_time_text(r->created);
	if (api_dry_run(rq)) {
		api_reply(rq, 200, router_json(r), NULL, NULL);
		router_free(r);
		return;
	}
	rc = router_store(n, r, &r->spec, 1, &e);
	if (rc < 0) {
		router_free(r);
		op_store_failed(rq, rc, &e);
		return;
	}
	log_info("created router=%s uid=%s", r->spec.name, r->uid_text);
	event_router(r, "router.created");
	router_wait(r, rq, 201, true);
	node_kick(n);
}

/* Reads the body as a whole router; answers and returns false if it is none. */
static bool
read_body(struct api_request *rq, const json_t *body, const char *name,
    struct model_router *out)
{
	struct problem p;

	problem_init(&p);
	model_router_init(out);
	if (model_router_read(out, body, name, &p) == 0) {
		problem_clear(&p);
		return true;
	}
	model_router_clear(out);
	op_problem(rq, &p);
	return false;
}

void
op_router_create(struct node *n, struct api_request *rq)
{
	struct model_router spec;
	struct router *same;

	if (!read_body(rq, api_body(rq), NULL, &spec))
		return;
	same = node_router(n, op_project(n, rq), spec.name);
	if (same && !same->deleting && op_has_made(rq, same->uid))
		router_wait(same, rq, 201, true);
	else if (same || op_plane_is_here(n, rq))
		create(n, &spec, rq);
	model_router_clear(&spec);
}

/* vNICs that keep their name keep their MAC. */
static void
keep_macs(struct model_router *spec, const struct model_router *old)
{
	for (unsigned i = 0; i < spec->n_vnics; i++) {
		struct model_vnic *v = &spec->vnic[i];

		for (unsigned k = 0; k < old->n_vnics && !v->has_mac; k++) {
			if (strcmp(v->name, old->vnic[k].name) != 0)
				continue;
			memcpy(v->mac, old->vnic[k].mac, 6);
			v->has_mac = true;
		}
	}
}

/* What rq would be answered with spec, which stays the caller's. */
static json_t *
preview(struct router *r, const struct model_router *spec,
    const struct api_request *rq)
{
	struct model_router now = r->spec;
	json_t *o;

	/* what is only looked at has no generation of its own */
	spec_view_drop(r->spec_view);
	r->spec = *spec;
	o = router_answer_json(r, rq);
	r->spec = now;
	spec_view_drop(r->spec_view);
	return o;
}

void
op_apply(struct router *r, struct model_router *spec, struct api_request *rq,
    int status)
{
	struct router_lease lease, before = r->lease;
	struct node *n = r->node;
	struct problem p;
	struct err e;
	int rc;

	problem_init(&p);
	keep_macs(spec, &r->spec);
	fill_macs(spec, r->uid);
	if (r->deleting)
		problem_set(&p, 409, "wrong-state", "create a new one",
		    "router %s is being deleted", r->spec.name);
	if (p.status != 0 ||
	    access_template(n, rq, spec->template, r->spec.template, &p) < 0 ||
	    check_router(n, r->project, spec, r, &p) < 0 ||
	    router_lease_next(r, spec, rq, &lease, &p) < 0) {
		model_router_clear(spec);
		op_problem(rq, &p);
		return;
	}
	if (api_dry_run(rq)) {
		api_reply(rq, 200, preview(r, spec, rq), NULL, NULL);
		model_router_clear(spec);
		return;
	}
	r->lease = lease;
	rc = router_store(n, r, spec, r->generation + 1, &e);
	if (rc < 0) {
		r->lease = before;
		model_router_clear(spec);
		op_store_failed(rq, rc, &e);
		return;
	}
	r->generation++;
	changes_note(&r->changes, router_wish_json(&r->spec),
	    router_wish_json(spec), r->generation);
	model_router_clear(&r->spec);
	r->spec = *spec;
	r->failed = false;
	faults_forgive(&r->faults);
	r->not_before_ms = 0;
	event_router(r, "router.changed");
	router_wait(r, rq, status, true);
	node_kick(n);
}

void
op_router_put(struct node *n, struct api_request *rq)
{
	struct router *r = node_router(n, op_project(n, rq), api_name(rq));
	struct model_router spec;
	char etag[64] = "";

	if (r)
		router_etag(r, etag, sizeof(etag));
	if (!op_etag_holds(rq, etag, r ? &r->changes : NULL))
		return;
	if (!read_body(rq, api_body(rq), api_name(rq), &spec))
		return;
	if (r) {
		op_apply(r, &spec, rq, 200);
		return;
	}
	if (op_plane_is_here(n, rq))
		create(n, &spec, rq);
	model_router_clear(&spec);
}

void
op_router_patch(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct model_router spec;
	json_t *object;

	if (!r)
		return;
	object = router_json(r);
	json_object_del(object, "status");
	model_merge_patch(&object, api_body(rq));
	router_lease_patch(object, api_body(rq));
	if (read_body(rq, object, r->spec.name, &spec))
		op_apply(r, &spec, rq, 200);
	json_decref(object);
}

void
op_router_delete(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct problem p;
	struct err e;
	int rc;

	if (!r)
		return;
	if (r->spec.is_protected && !r->deleting) {
		problem_init(&p);
		problem_set(&p, 409, "protected",
		    "PATCH {\"spec\": {\"protected\": false}} first",
		    "router %s is protected", r->spec.name);
		op_problem(rq, &p);
		return;
	}
	if (api_dry_run(rq)) {
		api_reply(rq, 204, NULL, NULL, NULL);
		return;
	}
	rc = router_begin_delete(r, &e);
	if (rc < 0) {
		op_store_failed(rq, rc, &e);
		return;
	}
	router_wait(r, rq, 204, false);
	node_kick(n);
}

bool
op_copy_spec(
    const struct router *r, struct api_request *rq, struct model_router *out)
{
	json_t *body = json_pack("{s:O, s:o}", "labels", r->spec.labels, "spec",
	    model_router_spec(&r->spec));
	struct problem p;

	problem_init(&p);
	model_router_init(out);
	if (body && model_router_read(out, body, r->spec.name, &p) == 0) {
		json_decref(body);
		return true;
	}
	json_decref(body);
	model_router_clear(out);
	problem_clear(&p);
	problem_set(&p, 503, "busy", "try again", "out of memory");
	op_problem(rq, &p);
	return false;
}

void
op_router_power(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct model_router spec;
	const char *desired;
	struct problem p;
	int power;

	if (!r)
		return; /* and rq may be gone */
	desired = json_string_value(json_object_get(api_body(rq), "desired"));
	power = desired ? model_power_parse(desired) : -EINVAL;
	if (power < 0 || json_object_size(api_body(rq)) != 1) {
		problem_init(&p);
		problem_add(&p, "/desired",
		    "want {\"desired\": \"running\", \"stopped\" or "
		    "\"paused\"} and nothing else");
		op_problem(rq, &p);
		return;
	}
	if (power == (int)r->spec.power && !r->failed && !r->deleting &&
	    !api_dry_run(rq)) {
		router_wait(r, rq, 200, false);
		return;
	}
	if (power != MODEL_STOPPED && !op_plane_is_here(n, rq))
		return;
	if (!op_copy_spec(r, rq, &spec))
		return;
	spec.power = (enum model_power)power;
	op_apply(r, &spec, rq, 200);
}

/* Returns false if nobody is there to be told: then nothing has changed. */
static bool
restart_process(struct router *r)
{
	router_expect_epoch(r); /* first: the answer may be quick */
	if (initlink_send_restart(r->link) == 0)
		return true;
	memset(r->old_epoch, 0, sizeof(r->old_epoch));
	return false;
}

void
op_router_restart(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	const char *scope;
	struct problem p;
	char etag[64];

	if (!r)
		return; /* and rq may be gone */
	scope = json_string_value(json_object_get(api_body(rq), "scope"));
	problem_init(&p);
	if (!scope || json_object_size(api_body(rq)) != 1 ||
	    (strcmp(scope, "dataplane") != 0 &&
		strcmp(scope, "container") != 0)) {
		problem_add(&p, "/scope",
		    "want {\"scope\": \"dataplane\" or \"container\"}");
	} else if (r->container.state != CONTAINER_RUNNING || r->busy ||
		   r->deleting || r->spec.power != MODEL_RUNNING) {
		problem_set(&p, 409, "wrong-state", "PUT power running first",
		    "router %s is %s", r->spec.name,
		    router_state_text(r->state));
	}
	if (p.status != 0) {
		op_problem(rq, &p);
		return;
	}
	if (api_dry_run(rq)) {
		router_etag(r, etag, sizeof(etag));
		api_reply(rq, 200, router_json(r), etag, NULL);
		return;
	}
	if (strcmp(scope, "container") == 0) {
		r->restarting = true; /* the next step stops it */
	} else if (!restart_process(r)) {
		problem_set(&p, 409, "wrong-state", "try again in a second",
		    "the init of router %s is not there yet", r->spec.name);
		op_problem(rq, &p);
		return;
	}
	router_wait(r, rq, 200, false);
}
