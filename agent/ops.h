/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops: what each operation of openapi.yaml does to the node. One function per
 * operation, on the loop's thread; each answers its request exactly once, now
 * or through router_wait().
 */
#ifndef AGENT_OPS_H
#define AGENT_OPS_H

#include "agent/node.h"

typedef void (*op_fn)(struct node *n, struct api_request *rq);

void op_node_get(struct node *n, struct api_request *rq);
void op_nodes_list(struct node *n, struct api_request *rq);
void op_node_one(struct node *n, struct api_request *rq);
void op_openapi_get(struct node *n, struct api_request *rq);
void op_events_get(struct node *n, struct api_request *rq);
void op_metrics_get(struct node *n, struct api_request *rq);
void op_healthz(struct node *n, struct api_request *rq);
void op_readyz(struct node *n, struct api_request *rq);

void op_routers_list(struct node *n, struct api_request *rq);
void op_router_create(struct node *n, struct api_request *rq);
void op_router_get(struct node *n, struct api_request *rq);
void op_router_put(struct node *n, struct api_request *rq);
void op_router_patch(struct node *n, struct api_request *rq);
void op_router_delete(struct node *n, struct api_request *rq);
void op_router_power(struct node *n, struct api_request *rq);
void op_router_restart(struct node *n, struct api_request *rq);

void op_vnics_list(struct node *n, struct api_request *rq);
void op_vnic_create(struct node *n, struct api_request *rq);
void op_vnic_get(struct node *n, struct api_request *rq);
void op_vnic_patch(struct node *n, struct api_request *rq);
void op_vnic_delete(struct node *n, struct api_request *rq);
void op_routes_get(struct node *n, struct api_request *rq);
void op_routes_put(struct node *n, struct api_request *rq);
void op_routes_patch(struct node *n, struct api_request *rq);
void op_neighbours_get(struct node *n, struct api_request *rq);
void op_pipeline_get(struct node *n, struct api_request *rq);
void op_pipeline_put(struct node *n, struct api_request *rq);
void op_revisions_list(struct node *n, struct api_request *rq);
void op_revision_get(struct node *n, struct api_request *rq);
void op_pipeline_rollback(struct node *n, struct api_request *rq);
void op_quota_get(struct node *n, struct api_request *rq);
void op_quota_patch(struct node *n, struct api_request *rq);
void op_stats_get(struct node *n, struct api_request *rq);

void op_projects_list(struct node *n, struct api_request *rq);
void op_project_create(struct node *n, struct api_request *rq);
void op_project_get(struct node *n, struct api_request *rq);
void op_project_patch(struct node *n, struct api_request *rq);
void op_project_delete(struct node *n, struct api_request *rq);
void op_project_quota_get(struct node *n, struct api_request *rq);
void op_project_quota_patch(struct node *n, struct api_request *rq);

void op_audit_list(struct node *n, struct api_request *rq);
void op_project_usage_get(struct node *n, struct api_request *rq);
void op_tokens_list(struct node *n, struct api_request *rq);
void op_token_create(struct node *n, struct api_request *rq);
void op_token_get(struct node *n, struct api_request *rq);
void op_token_patch(struct node *n, struct api_request *rq);
void op_token_delete(struct node *n, struct api_request *rq);

void op_exec(struct node *n, struct api_request *rq);
void op_templates_list(struct node *n, struct api_request *rq);
void op_template_get(struct node *n, struct api_request *rq);
/* What the list of templates has: objects of kind Template, in any order. */
json_t *op_template_items(const struct node *n);
void op_console(struct node *n, struct api_request *rq);
void op_logs_get(struct node *n, struct api_request *rq);
void op_file_get(struct node *n, struct api_request *rq);
void op_file_put(struct node *n, struct api_request *rq);

void op_ports_list(struct node *n, struct api_request *rq);
void op_port_create(struct node *n, struct api_request *rq);
void op_port_get(struct node *n, struct api_request *rq);
void op_port_put(struct node *n, struct api_request *rq);
void op_port_patch(struct node *n, struct api_request *rq);
void op_port_delete(struct node *n, struct api_request *rq);
/* Links and segments: the operation says which. */
void op_wiring_list(struct node *n, struct api_request *rq);
void op_wiring_create(struct node *n, struct api_request *rq);
void op_wiring_get(struct node *n, struct api_request *rq);
void op_wiring_patch(struct node *n, struct api_request *rq);
void op_wiring_delete(struct node *n, struct api_request *rq);
/* Answers those who wait for the data plane's word on a new port. */
void ports_settle(struct node *n);

/* Shared by the operations. */

/* 404; the request is answered. */
void op_not_found(struct api_request *rq, const char *kind, const char *name);
/*
 * The project of the URL. While an operation begins it is never NULL for one
 * that has a project; later, it may have been deleted.
 */
struct project *op_project(struct node *n, const struct api_request *rq);
/* The router of the URL, or NULL: then the request is answered. */
struct router *op_find_router(struct node *n, struct api_request *rq);
/* The same, and If-Match holds. */
struct router *op_find_to_change(struct node *n, struct api_request *rq);
/*
 * If-Match: false if it does not hold; then the request is answered. etag is ""
 * for an object that is not there, which nothing matches; changes is what is
 * known of its members, or NULL.
 */
struct changes;
bool op_etag_holds(
    struct api_request *rq, const char *etag, const struct changes *changes);
/* 503 while the data plane is away; false: the request is answered. */
bool op_plane_is_here(struct node *n, struct api_request *rq);
/* 507 disk-full or 503 for what the store said; the request is answered. */
void op_store_failed(struct api_request *rq, int rc, const struct err *e);
/* Answers with the page of items (taken) that rq asks for, sorted by name. */
void op_reply_list(struct api_request *rq, json_t *items);
/* The same in the order of items; the member key names one. */
void op_reply_list_as_it_is(
    struct api_request *rq, json_t *items, const char *key);
/* Answers with p, and clears it. */
void op_problem(struct api_request *rq, struct problem *p);

/* A copy of r's spec; false without memory: the request is answered. */
bool op_copy_spec(
    const struct router *r, struct api_request *rq, struct model_router *out);

/*
 * Makes spec (taken) the wish for r: checks, stores, reconciles, answers with
 * status when done. The request is answered in every case.
 */
void op_apply(struct router *r, struct model_router *spec,
    struct api_request *rq, int status);

#endif
