/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops: from a request to its operation, and what the operations share.
 *
 * Listener threads put requests into the inbox; the loop takes them out, so
 * that nothing else in the agent needs a lock.
 */
#include "agent/ops.h"

#include "agent/access.h"
#include "agent/audit.h"
#include "agent/changes.h"
#include "agent/ops_again.h"
#include "agent/router.h"
#include "api/list.h"
#include "api/openapi_json.h"
#include "lib/base.h"
#include "lib/log.h"

#include <pthread.h>
#include <stdio.h>

static const op_fn ops[API_N_OPS] = {
	[API_NODE_GET] = op_node_get,
	[API_NODES_LIST] = op_nodes_list,
	[API_NODE_ONE] = op_node_one,
	[API_ROUTERS_LIST] = op_routers_list,
	[API_ROUTER_CREATE] = op_router_create,
	[API_ROUTER_GET] = op_router_get,
	[API_ROUTER_PUT] = op_router_put,
	[API_ROUTER_PATCH] = op_router_patch,
	[API_ROUTER_DELETE] = op_router_delete,
	[API_ROUTER_POWER] = op_router_power,
	[API_ROUTER_RESTART] = op_router_restart,
	[API_QUOTA_GET] = op_quota_get,
	[API_QUOTA_PATCH] = op_quota_patch,
	[API_VNICS_LIST] = op_vnics_list,
	[API_VNIC_CREATE] = op_vnic_create,
	[API_VNIC_GET] = op_vnic_get,
	[API_VNIC_PATCH] = op_vnic_patch,
	[API_VNIC_DELETE] = op_vnic_delete,
	[API_ROUTES_GET] = op_routes_get,
	[API_ROUTES_PUT] = op_routes_put,
	[API_ROUTES_PATCH] = op_routes_patch,
	[API_NEIGHBOURS_GET] = op_neighbours_get,
	[API_PIPELINE_GET] = op_pipeline_get,
	[API_PIPELINE_PUT] = op_pipeline_put,
	[API_REVISIONS_LIST] = op_revisions_list,
	[API_REVISION_GET] = op_revision_get,
	[API_PIPELINE_ROLLBACK] = op_pipeline_rollback,
	[API_STATS_GET] = op_stats_get,
	[API_PROJECTS_LIST] = op_projects_list,
	[API_PROJECT_CREATE] = op_project_create,
	[API_PROJECT_GET] = op_project_get,
	[API_PROJECT_PATCH] = op_project_patch,
	[API_PROJECT_DELETE] = op_project_delete,
	[API_PROJECT_QUOTA_GET] = op_project_quota_get,
	[API_PROJECT_QUOTA_PATCH] = op_project_quota_patch,
	[API_PROJECT_USAGE_GET] = op_project_usage_get,
	[API_AUDIT_LIST] = op_audit_list,
	[API_TOKENS_LIST] = op_tokens_list,
	[API_TOKEN_CREATE] = op_token_create,
	[API_TOKEN_GET] = op_token_get,
	[API_TOKEN_PATCH] = op_token_patch,
	[API_TOKEN_DELETE] = op_token_delete,
	[API_EXEC] = op_exec,
	[API_TEMPLATES_LIST] = op_templates_list,
	[API_TEMPLATE_GET] = op_template_get,
	[API_CONSOLE] = op_console,
	[API_LOGS_GET] = op_logs_get,
	[API_FILE_GET] = op_file_get,
	[API_FILE_PUT] = op_file_put,
	[API_PORTS_LIST] = op_ports_list,
	[API_PORT_CREATE] = op_port_create,
	[API_PORT_GET] = op_port_get,
	[API_PORT_PUT] = op_port_put,
	[API_PORT_PATCH] = op_port_patch,
	[API_PORT_DELETE] = op_port_delete,
	[API_LINKS_LIST] = op_wiring_list,
	[API_LINK_CREATE] = op_wiring_create,
	[API_LINK_GET] = op_wiring_get,
	[API_LINK_PATCH] = op_wiring_patch,
	[API_LINK_DELETE] = op_wiring_delete,
	[API_SEGMENTS_LIST] = op_wiring_list,
	[API_SEGMENT_CREATE] = op_wiring_create,
	[API_SEGMENT_GET] = op_wiring_get,
	[API_SEGMENT_PATCH] = op_wiring_patch,
	[API_SEGMENT_DELETE] = op_wiring_delete,
	[API_OPENAPI_GET] = op_openapi_get,
	[API_EVENTS_GET] = op_events_get,
	[API_METRICS_GET] = op_metrics_get,
	[API_HEALTHZ] = op_healthz,
	[API_READYZ] = op_readyz,
};

/* --- inbox: any thread puts, the loop drains ------------------------------------- */

/* Of one turn of the loop: routers and the data plane have to be heard, too. */
enum { TURN_REQUESTS = 16, TURN_MS = 20 };

struct letter {
	struct letter *next;
	struct api_request *request;
};

static struct {
	pthread_mutex_t lock;
	struct letter *first, **last;
} inbox = { .lock = PTHREAD_MUTEX_INITIALIZER, .last = &inbox.first };

void
node_accept(void *arg, struct api_request *rq)
{
	struct node *n = arg;
	struct letter *x = malloc(sizeof(*x));

	if (!x) {
		struct problem p;

		problem_init(&p);
		problem_set(&p, 503, "busy", "try again in a second",
		    "no memory for the request");
		op_problem(rq, &p);
		return;
	}
	x->next = NULL;
	x->request = rq;
	pthread_mutex_lock(&inbox.lock);
	*inbox.last = x;
	inbox.last = &x->next;
	pthread_mutex_unlock(&inbox.lock);
	loop_wake(n->loop);
}

struct project *
op_project(struct node *n, const struct api_request *rq)
{
	const char *name = api_project(rq);

	return name ? node_project(n, name) : NULL;
}

static void
dispatch(struct node *n, struct api_request *rq)
{
	audit_begin(n, rq);
	if (access_allows(n, rq) && op_is_new(n, rq))
		ops[api_op(rq)](n, rq);
}

/* The one that has waited longest, or NULL. */
static struct letter *
take_letter(void)
{
	struct letter *x;

	pthread_mutex_lock(&inbox.lock);
	x = inbox.first;
	if (x)
		inbox.first = x->next;
	if (!inbox.first)
		inbox.last = &inbox.first;
	pthread_mutex_unlock(&inbox.lock);
	return x;
}

void
node_drain_inbox(void *arg)
{
	struct node *n = arg;
	uint64_t begun = loop_now_ms();
	struct letter *x;

	for (unsigned i = 0; (x = take_letter()) != NULL; i++) {
		if (n->stopping) /* it has been told so by the server */
			api_reply(x->request, 503, NULL, NULL, NULL);
		else
			dispatch(n, x->request);
		free(x);
		if (!n->stopping && (i + 1 >= TURN_REQUESTS ||
					loop_now_ms() - begun >= TURN_MS)) {
			loop_wake(n->loop); /* there may be more */
			return;
		}
	}
}

/* --- shared ---------------------------------------------------------------------- */

void
op_problem(struct api_request *rq, struct problem *p)
{
	api_reply_problem(rq, p);
	problem_clear(p);
}

static void
reply_page(
    struct api_request *rq, json_t *items, const char *key, bool is_sorted)
{
	struct problem p;
	json_t *page;

	problem_init(&p);
	page = list_page(items, api_query_all(rq), key, is_sorted, &p);
	if (page)
		api_reply(rq, 200, page, NULL, NULL);
	else
		op_problem(rq, &p);
}

void
op_reply_list(struct api_request *rq, json_t *items)
{
	reply_page(rq, items, "name", true);
}

void
op_reply_list_as_it_is(struct api_request *rq, json_t *items, const char *key)
{
	reply_page(rq, items, key, false);
}

void
op_not_found(struct api_request *rq, const char *kind, const char *name)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 404, "not-found", "GET the list to see what is there",
	    "no %s named %s", kind, name);
	op_problem(rq, &p);
}

struct router *
op_find_router(struct node *n, struct api_request *rq)
{
	struct router *r = node_router(n, op_project(n, rq), api_name(rq));

	if (!r)
		op_not_found(rq, "router", api_name(rq));
	return r;
}

/* What is not as it was at the ETag want; null if nobody knows. */
static json_t *
changed_since(const char *want, const char *etag, const struct changes *c)
{
	const char *digits = strrchr(etag, '-');
	size_t n_uid = digits ? (size_t)(digits - etag) + 1 : 0;
	char *end = NULL;
	uint64_t generation;

	if (!c || n_uid == 0 || strncmp(want, etag, n_uid) != 0)
		return json_null();
	generation = strtoull(want + n_uid, &end, 10);
	/* one of a time that has not come was never given */
	if (*end != '\0' || generation == 0 ||
	    generation > strtoull(digits + 1, NULL, 10))
		return json_null();
	return changes_since(c, generation);
}

bool
op_etag_holds(
    struct api_request *rq, const char *etag, const struct changes *changes)
{
	const char *want = api_if_match(rq);
	struct problem p;

	if (!want || strcmp(want, etag) == 0 ||
	    (strcmp(want, "*") == 0 && *etag != '\0'))
		return true;
	problem_init(&p);
	problem_set(&p, 412, "stale",
	    "GET it again, make your change to that, and send its ETag",
	    "If-Match is \"%s\", %s%s", want,
	    *etag ? "the object is at " : "there is no such object", etag);
	if (*etag)
		p.extra = json_pack("{s:s, s:o}", "etag", etag, "changed",
		    changed_since(want, etag, changes));
	op_problem(rq, &p);
	return false;
}

bool
op_plane_is_here(struct node *n, struct api_request *rq)
{
	struct problem p;

	if (plane_is_up(n->plane))
		return true;
	problem_init(&p);
	problem_set(&p, 503, "dataplane-away",
	    "try again in a second; if it stays away: systemctl status "
	    "europa-dataplane",
	    "the data plane does not answer at %s", n->cfg.dataplane_socket);
	op_problem(rq, &p);
	return false;
}

void
op_store_failed(struct api_request *rq, int rc, const struct err *e)
{
	struct problem p;

	problem_init(&p);
	if (rc == -ENOSPC)
		problem_set(&p, 507, "disk-full",
		    "free space in the state folder, then try again", "%s",
		    e->msg);
	else
		problem_set(&p, 503, "state-unwritable",
		    "make the state folder writable, then try again", "%s",
		    e->msg);
	log_err("%s", e->msg);
	op_problem(rq, &p);
}

struct router *
op_find_to_change(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	char etag[64];

	if (!r)
		return NULL;
	router_etag(r, etag, sizeof(etag));
	return op_etag_holds(rq, etag, &r->changes) ? r : NULL;
}

/* --- the node --------------------------------------------------------------------- */

void
op_openapi_get(struct node *n, struct api_request *rq)
{
	(void)n;
	api_reply_media(rq, "application/json", (const char *)api_openapi_json,
	    api_openapi_json_bytes);
}

void
op_healthz(struct node *n, struct api_request *rq)
{
	(void)n;
	api_reply(rq, 200, json_pack("{s:s}", "status", "ok"), NULL, NULL);
}

void
op_readyz(struct node *n, struct api_request *rq)
{
	if (!op_plane_is_here(n, rq))
		return;
	api_reply(rq, 200, json_pack("{s:s}", "status", "ready"), NULL, NULL);
}
