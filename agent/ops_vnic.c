/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_vnic: the parts of a router that have addresses of their own in the API:
 * vNICs, static routes and quota. A change is a PATCH of the router's spec.
 */
#include "agent/ops_live.h"

#include "lib/base.h"

#include <stdio.h>

/* Applies {"spec": {key: value}} to r; takes value. */
static void
apply_member(struct router *r, struct api_request *rq, const char *key,
    json_t *value, int status)
{
	json_t *spec = model_router_spec(&r->spec);
	json_t *body;
	struct model_router want;
	struct problem p;

	problem_init(&p);
	model_router_init(&want);
	json_object_set_new(spec, key, value);
	body = json_pack("{s:O, s:o}", "labels", r->spec.labels, "spec", spec);
	if (model_router_read(&want, body, r->spec.name, &p) == 0) {
		problem_clear(&p);
		op_apply(r, &want, rq, status);
	} else {
		model_router_clear(&want);
		op_problem(rq, &p);
	}
	json_decref(body);
}

void
op_vnics_list(struct node *n, struct api_request *rq)
{
	const struct router *r = op_find_router(n, rq);
	json_t *items;

	if (!r)
		return;
	items = json_array();
	for (unsigned i = 0; i < r->spec.n_vnics; i++)
		json_array_append_new(
		    items, router_vnic_object(r, &r->spec.vnic[i]));
	op_reply_list_as_it_is(rq, items, "name");
}

void
op_vnic_get(struct node *n, struct api_request *rq)
{
	const struct router *r = op_find_router(n, rq);
	const struct model_vnic *v;

	if (!r)
		return;
	v = router_find_vnic(r, api_subname(rq));
	if (!v) {
		op_not_found(rq, "vNIC", api_subname(rq));
		return;
	}
	api_reply(rq, 200, router_vnic_object(r, v), NULL, NULL);
}

static json_t *
vnics_json(const struct router *r, const char *without)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < r->spec.n_vnics; i++)
		if (!without || strcmp(r->spec.vnic[i].name, without) != 0)
			json_array_append_new(
			    a, model_vnic_json(&r->spec.vnic[i]));
	return a;
}

void
op_vnic_create(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct model_vnic v = { 0 };
	struct problem p;
	json_t *vnics;

	if (!r)
		return;
	problem_init(&p);
	if (model_vnic_read(&v, api_body(rq), "", &p) < 0) {
		op_problem(rq, &p);
		return;
	}
	if (router_find_vnic(r, v.name)) {
		problem_set(&p, 409, "exists", "choose another name",
		    "router %s has a vNIC %s", r->spec.name, v.name);
		op_problem(rq, &p);
		return;
	}
	vnics = vnics_json(r, NULL);
	json_array_append(vnics, (json_t *)(uintptr_t)api_body(rq));
	apply_member(r, rq, "vnics", vnics, 201);
}

void
op_vnic_delete(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);

	if (!r)
		return;
	if (!router_find_vnic(r, api_subname(rq))) {
		op_not_found(rq, "vNIC", api_subname(rq));
		return;
	}
	apply_member(r, rq, "vnics", vnics_json(r, api_subname(rq)), 204);
}

void
op_routes_put(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct model_router want;
	struct problem p;

	if (!r)
		return;
	if (api_lines(rq)) {
		op_routes_put_lines(r, rq);
		return;
	}
	if (!op_copy_spec(r, rq, &want))
		return;
	problem_init(&p);
	if (model_routes_read(&want, api_body(rq), &p) < 0) {
		model_router_clear(&want);
		op_problem(rq, &p);
		return;
	}
	op_apply(r, &want, rq, 200);
}

/*
 * A merge patch of what GET shows; what concerns several vNICs is checked with
 * the whole router.
 */
void
op_vnic_patch(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	const struct model_vnic *old;
	struct model_vnic want;
	struct problem p;
	json_t *object, *vnics;
	size_t i = 0;

	if (!r)
		return;
	old = router_find_vnic(r, api_subname(rq));
	if (!old) {
		op_not_found(rq, "vNIC", api_subname(rq));
		return;
	}
	problem_init(&p);
	object = router_vnic_object(r, old);
	model_merge_patch(&object, api_body(rq));
	if (model_vnic_object_read(&want, object, old->name, &p) < 0) {
		op_problem(rq, &p);
	} else {
		vnics = vnics_json(r, NULL);
		i = (size_t)(old - r->spec.vnic);
		json_array_set_new(vnics, i, model_vnic_json(&want));
		apply_member(r, rq, "vnics", vnics, 200);
	}
	json_decref(object);
}

void
op_quota_get(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);

	if (r)
		router_wait_usage(r, rq);
}

void
op_quota_patch(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_to_change(n, rq);
	struct model_router want;
	struct problem p;
	json_t *object;

	if (!r || !op_copy_spec(r, rq, &want))
		return;
	problem_init(&p);
	object = json_pack("{s:o}", "limit", model_quota_json(&want.quota));
	model_merge_patch(&object, api_body(rq));
	if (model_quota_read(&want.quota, object, &p) < 0) {
		model_router_clear(&want);
		op_problem(rq, &p);
	} else {
		op_apply(r, &want, rq, 200);
	}
	json_decref(object);
}
