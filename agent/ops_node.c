/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_node: the node itself: GET /v1, what it is and can, and GET /v1/nodes, what
 * it has, what is promised of that, and which router may run where. There is one
 * node, and its name is local.
 *
 * Whoever has a token sees the capacity, which is not of a project. Routers are
 * told of, and counted, to who has a role in their project.
 */
#include "agent/ops.h"

#include "agent/access.h"
#include "agent/machine.h"
#include "agent/router.h"
#include "lib/base.h"

#include <stdio.h>

static const char node_name[] = "local";

static json_t *
count(uint64_t v)
{
	return json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX));
}

/* --- what it is and can ------------------------------------------------------ */

/* What is in this version, and what there is where it was asked for. */
static json_t *
features_json(const struct node *n)
{
	static const char *const always[] = { "audit", "console", "dry-run",
		"events", "exec", "fields", "files", "idempotency-key",
		"if-match", "impairment", "labels", "lease", "link-match",
		"links", "logs", "metrics", "nodes", "pipeline", "projects",
		"quota", "respond-async", "restart-policy", "routes",
		"segments", "templates", "tokens" };
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		json_array_append_new(list, json_string(always[i]));
	if (n->plane_hugepages && plane_is_up(n->plane))
		json_array_append_new(list, json_string("hugepages"));
	if (n->cfg.tcp_port != 0)
		json_array_append_new(list, json_string("tcp"));
	if (n->api && *api_server_fingerprint(n->api))
		json_array_append_new(list, json_string("https"));
	return list;
}

void
op_node_get(struct node *n, struct api_request *rq)
{
	unsigned routers = 0, ports = 0;
	json_t *o;

	for (const struct router *r = n->routers; r; r = r->next)
		routers += access_role(n, rq, r->project) != API_ROLE_NONE;
	for (const struct port *p = n->ports; p; p = p->next)
		ports += access_role(n, rq, p->project) != API_ROLE_NONE;
	o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:{s:b, s:i, s:b}, s:{s:i, "
		      "s:i}, s:{s:I, s:I, s:i, s:i}}",
	    "kind", "Node", "name", node_name, "api", "v1", "version",
	    EUROPA_VERSION, "features", features_json(n), "dataplane",
	    "connected", plane_is_up(n->plane), "pid", (int)n->plane_pid,
	    "hugepages", n->plane_hugepages, "counts", "routers", (int)routers,
	    "ports", (int)ports, "limits", "mem_bytes",
	    (json_int_t)n->mem_bytes, "cpu_millis", (json_int_t)n->cpu_millis,
	    "routers", (int)n->cfg.id_ranges, "vnics_per_router",
	    MODEL_MAX_VNICS);
	if (n->api && *api_server_fingerprint(n->api))
		json_object_set_new(o, "tls",
		    json_pack("{s:s, s:s, s:s}", "listen", n->cfg.listen_https,
			"fingerprint", api_server_fingerprint(n->api),
			"public_key_pin", api_server_pin(n->api)));
	api_reply(rq, 200, o, NULL, NULL);
}

/* --- what it has, and what is left ------------------------------------------- */

/* The cores that containers may run on. */
static json_t *
router_cpus(const struct node *n)
{
	return n->cfg.router_cpus[0] ? json_string(n->cfg.router_cpus)
				     : machine_cpus();
}

static json_t *
cpus_json(const struct node *n)
{
	uint64_t promised = 0;

	for (const struct router *r = n->routers; r; r = r->next)
		promised += r->spec.quota.cpu_millis;
	return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o}", "online",
	    machine_cpus(), "count", (int)sysconf(_SC_NPROCESSORS_ONLN), "numa",
	    machine_numa(), "routers", router_cpus(n), "workers",
	    plane_is_up(n->plane) ? machine_workers(n->plane_pid)
				  : json_array(),
	    "promised_millis", count(promised));
}

static json_t *
memory_json(const struct node *n)
{
	struct check_reserved sum = check_reserved(n, NULL);
	uint64_t all = sum.mem_bytes + sum.pool_bytes;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "machine_bytes",
	    count(machine_memory_bytes()), "total_bytes", count(n->mem_bytes),
	    "reserved_bytes", count(all), "pool_bytes", count(sum.pool_bytes),
	    "left_bytes", count(n->mem_bytes > all ? n->mem_bytes - all : 0));
}

static json_t *
dataplane_json(const struct node *n)
{
	char messages[32], memory[32];

	snprintf(messages, sizeof(messages), "%d.%u", (int)WIRE_MAJOR,
	    n->plane_minor);
	snprintf(
	    memory, sizeof(memory), "%d.%d", (int)VNIC_MAJOR, (int)VNIC_MINOR);
	if (!plane_is_up(n->plane))
		return json_pack("{s:s, s:s}", "state", "away", "abi", memory);
	return json_pack("{s:s, s:s, s:s, s:i, s:b}", "state", "connected",
	    "abi", memory, "messages", messages, "workers",
	    (int)n->plane_workers, "hugepages", n->plane_hugepages);
}

static json_t *
id_ranges_json(const struct node *n)
{
	unsigned used = 0;

	for (const struct router *r = n->routers; r; r = r->next)
		used++;
	return json_pack(
	    "{s:i, s:i}", "total", (int)n->cfg.id_ranges, "used", (int)used);
}

/* The names of those that routers can be made from now. */
static json_t *
templates_json(const struct node *n)
{
	json_t *items = op_template_items(n), *names = json_array(), *t;
	size_t i;

	json_array_foreach(items, i, t)
	{
		if (json_is_true(json_object_get(t, "available")))
			json_array_append(names, json_object_get(t, "name"));
	}
	json_decref(items);
	return names;
}

/* --- which routers are where -------------------------------------------------- */

static json_t *
states_json(const struct node *n, const struct api_request *rq)
{
	unsigned sum[ROUTER_DELETING + 1] = { 0 };
	json_t *o = json_object();

	for (const struct router *r = n->routers; r; r = r->next)
		if (access_role(n, rq, r->project) != API_ROLE_NONE)
			sum[r->state]++;
	for (int i = 0; i <= ROUTER_DELETING; i++)
		json_object_set_new(o, router_state_text((enum router_state)i),
		    json_integer((json_int_t)sum[i]));
	return o;
}

/* Those of its quota, or all that containers may run on. */
static json_t *
cores_of(const struct router *r, json_t *all)
{
	const char *s = r->spec.quota.cpu_set;

	return *s ? json_string(s) : json_incref(all);
}

/* Threads are not pinned: each may run on all the cores of its container. */
static json_t *
placement_json(const struct node *n, const struct api_request *rq)
{
	json_t *list = json_array(), *cpus = router_cpus(n);

	for (const struct router *r = n->routers; r; r = r->next)
		if (access_role(n, rq, r->project) != API_ROLE_NONE)
			json_array_append_new(
			    list, json_pack("{s:s, s:s, s:s, s:o, s:i, s:o}",
				      "router", r->spec.name, "project",
				      r->project->spec.name, "state",
				      router_state_text(r->state), "cpus",
				      cores_of(r, cpus), "fast_paths",
				      (int)router_fast_paths(r), "cpu_millis",
				      count(r->spec.quota.cpu_millis)));
	json_decref(cpus);
	return list;
}

static json_t *
node_json(const struct node *n, const struct api_request *rq)
{
	return json_pack("{s:s, s:s, s:{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o}}",
	    "kind", "Node", "name", node_name, "status", "version",
	    EUROPA_VERSION, "features", features_json(n), "cpus", cpus_json(n),
	    "memory", memory_json(n), "hugepages", machine_hugepages(),
	    "dataplane", dataplane_json(n), "id_ranges", id_ranges_json(n),
	    "templates", templates_json(n), "routers", states_json(n, rq),
	    "placement", placement_json(n, rq));
}

void
op_nodes_list(struct node *n, struct api_request *rq)
{
	op_reply_list(rq, json_pack("[o]", node_json(n, rq)));
}

void
op_node_one(struct node *n, struct api_request *rq)
{
	if (strcmp(api_name(rq), node_name) == 0)
		api_reply(rq, 200, node_json(n, rq), NULL, NULL);
	else
		op_not_found(rq, "node", api_name(rq));
}
