/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_port: ports over the API. A new port is opened first and stored then, so
 * that a device that does not work is refused and leaves nothing; the kinds
 * that only the start of the data plane can open are stored and wait for it.
 */
#include "agent/events.h"
#include "agent/metrics.h"
#include "agent/ops_again.h"
#include "agent/ops_list.h"
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

static const char *const count_names[WIRE_N_PORT_COUNTERS] = {
	[WIRE_PORT_RX] = "rx",
	[WIRE_PORT_RX_BYTES] = "rx_bytes",
	[WIRE_PORT_TX] = "tx",
	[WIRE_PORT_TX_BYTES] = "tx_bytes",
	[WIRE_PORT_NO_MATCH] = "no_match",
	[WIRE_PORT_RUNT] = "runt",
	[WIRE_PORT_RX_MISSED] = "port_rx_missed",
	[WIRE_PORT_RX_DELIVERED] = "rx_delivered",
};

static const char *
remedy(const struct port *p)
{
	if (p->cure)
		return p->cure;
	switch (p->state) {
	case PORT_PENDING_RESTART:
		return "systemctl restart europa-dataplane: this kind of port "
		       "opens at its start; routers keep running";
	case PORT_FAILED:
	case PORT_DOWN:
		return "check that the device exists and is free, then delete "
		       "the port and create it again";
	default:
		return "";
	}
}

static json_t *
port_json(const struct port *p)
{
	json_t *counters = json_object();
	char mac[32];

	for (unsigned i = 0; i < WIRE_N_PORT_COUNTERS; i++)
		json_object_set_new(counters, count_names[i],
		    json_integer((json_int_t)p->count[i]));
	model_mac_text(p->mac, mac, sizeof(mac));
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:O, s:o,"
			 " s:{s:s, s:s, s:s, s:o, s:s, s:s}}",
	    "kind", "Port", "name", p->spec.name, "project",
	    p->project->spec.name, "uid", p->uid_text, "generation",
	    (json_int_t)p->generation, "created", p->created, "labels",
	    p->spec.labels, "spec", model_port_spec(&p->spec), "status",
	    "state", port_state_text(p->state), "driver", p->driver, "mac", mac,
	    "counters", counters, "detail", p->detail, "remedy", remedy(p));
}

static void
port_etag(const struct port *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%llu", p->uid_text,
	    (unsigned long long)p->generation);
}

/* --- reading: counters come from the data plane ------------------------------------ */

struct port_read {
	struct node *n;
	struct api_request *rq;
};

static json_t *
make_item(void *arg, const void *object)
{
	(void)arg;
	return port_json(object);
}

static void
answer_list(struct node *n, struct api_request *rq)
{
	const struct project *project = op_project(n, rq);
	struct op_list list = { 0 };

	for (const struct port *p = n->ports; p; p = p->next)
		if (p->project == project)
			op_list_add(&list, p->spec.name, p->spec.labels, p);
	op_list_reply(&list, rq, make_item, NULL);
}

static void
answer_port(struct node *n, struct api_request *rq)
{
	const struct port *p = node_port(n, op_project(n, rq), api_name(rq));
	char etag[64];

	if (!p) {
		op_not_found(rq, "port", api_name(rq));
		return;
	}
	port_etag(p, etag, sizeof(etag));
	api_reply(rq, 200, port_json(p), etag, NULL);
}

static void
answer(struct node *n, struct api_request *rq)
{
	if (api_op(rq) == API_METRICS_GET)
		metrics_answer(n, rq);
	else if (api_op(rq) == API_PORTS_LIST)
		answer_list(n, rq);
	else
		answer_port(n, rq);
}

static void
refreshed(void *arg, const uint8_t uid[WIRE_UID_BYTES], uint32_t tag,
    const struct wire_msg *reply)
{
	struct port_read *x = arg;

	(void)uid;
	(void)tag;
	if (reply && reply->type == WIRE_PORT_INFO) {
		ports_take_info(x->n, reply);
		return;
	}
	answer(x->n, x->rq);
	free(x);
}

/* Asks for fresh counters and answers then; without a data plane, at once. */
static void
read_ports(struct node *n, struct api_request *rq)
{
	struct wire_msg m = { .type = WIRE_PORT_LIST };
	struct plane_ask ask = { .fn = refreshed };
	struct port_read *x = malloc(sizeof(*x));

	if (x) {
		*x = (struct port_read){ .n = n, .rq = rq };
		ask.arg = x;
		if (plane_send(n->plane, &m, &ask) == 0)
			return;
		free(x);
	}
	answer(n, rq);
}

void
op_ports_list(struct node *n, struct api_request *rq)
{
	read_ports(n, rq);
}

void
op_port_get(struct node *n, struct api_request *rq)
{
	read_ports(n, rq);
}

void
op_metrics_get(struct node *n, struct api_request *rq)
{
	read_ports(n, rq);
}

/* --- writing --------------------------------------------------------------------- */

static void
unlink_port(struct node *n, struct port *p)
{
	struct port **at = &n->ports;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	port_free(p);
}

static void
close_port(struct node *n, const struct port *p)
{
	struct wire_msg m = { .type = WIRE_PORT_DEL };

	snprintf(m.u.name.name, sizeof(m.u.name.name), "%s", p->wire_name);
	if (plane_is_up(n->plane))
		plane_send(n->plane, &m, NULL);
}

static void
answer_made(const struct port *p, struct api_request *rq, int status)
{
	char etag[64], location[192], query[96];

	port_etag(p, etag, sizeof(etag));
	project_query(p->project, query, sizeof(query));
	snprintf(
	    location, sizeof(location), "/v1/ports/%s%s", p->spec.name, query);
	api_reply(rq, status, port_json(p), etag, location);
}

/*
 * Promises p, with the status 201 for one that is open, or 202: then it is
 * opened now, and stays when that fails.
 */
static void
accept_port(struct node *n, struct port *p, struct api_request *rq, int status)
{
	struct err e;
	int rc = port_store(n, p, &e);

	if (rc == 0) {
		rc = ports_write_file(n, &e);
		if (rc < 0)
			store_delete_port(n->store, p->uid_text, NULL);
	}
	if (rc < 0) {
		if (status == 201)
			close_port(n, p);
		unlink_port(n, p);
		op_store_failed(rq, rc, &e);
		return;
	}
	if (status == 202)
		port_post(n, p); /* else it is said when the data plane is up */
	log_info("created port=%s devargs=%s", p->spec.name, p->spec.devargs);
	event_port(n, p, "port.created");
	answer_made(p, rq, status);
}

static void
create(struct node *n, struct model_port *spec, struct api_request *rq)
{
	struct port *p = calloc(1, sizeof(*p));
	struct port **at = &n->ports;
	struct problem problem;

	problem_init(&problem);
	if (!p || op_make_uid(rq, p->uid) < 0) {
		free(p);
		problem_set(&problem, 503, "busy", "try again", "no memory");
		op_problem(rq, &problem);
		return;
	}
	uid_text(p->uid, p->uid_text);
	node_time_text(p->created);
	p->generation = 1;
	p->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	p->project = op_project(n, rq);
	port_name_wire(p);
	if (api_dry_run(rq)) {
		api_reply(rq, 200, port_json(p), NULL, NULL);
		port_free(p);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = p;
	if (api_respond_async(rq)) {
		accept_port(n, p, rq, 202);
		return;
	}
	p->creating = rq;
	if (port_post(n, p) < 0)
		p->lost = true;
	node_kick(n);
}

static void
refuse(struct node *n, struct port *p, struct problem *problem)
{
	struct api_request *rq = steal_ptr(p->creating);

	unlink_port(n, p);
	op_problem(rq, problem);
}

void
ports_settle(struct node *n)
{
	for (struct port *p = n->ports, *next; p; p = next) {
		struct problem problem;

		next = p->next;
		if (!p->creating)
			continue;
		problem_init(&problem);
		if (p->lost) {
			problem_set(&problem, 503, "dataplane-away",
			    "try again in a second",
			    "the data plane went away before it had opened "
			    "port %s",
			    p->spec.name);
			refuse(n, p, &problem);
		} else if (p->state == PORT_FAILED) {
			problem_add(&problem, "/spec/devargs", "%s", p->detail);
			close_port(n, p); /* it keeps what does not open */
			refuse(n, p, &problem);
		} else if (p->state != PORT_UNKNOWN) {
			accept_port(n, p, steal_ptr(p->creating), 201);
		}
	}
}

static bool
read_body(struct api_request *rq, const json_t *body, const char *name,
    struct model_port *out)
{
	struct problem p;

	problem_init(&p);
	model_port_init(out);
	if (model_port_read(out, body, name, &p) == 0) {
		problem_clear(&p);
		return true;
	}
	model_port_clear(out);
	op_problem(rq, &p);
	return false;
}

/* Root may open any device; the group of the socket is not root by that. */
static bool
may_open(struct api_request *rq, const struct model_port *spec)
{
	const char *risk = model_devargs_risk(spec->devargs);
	uid_t uid = api_uid(rq);
	struct problem p;

	if (!risk || uid == 0 || uid == geteuid())
		return true;
	problem_init(&p);
	problem_add(&p, "/spec/devargs",
	    "%s; other devices of DPDK can run commands and write files, and "
	    "are for root",
	    risk);
	op_problem(rq, &p);
	return false;
}

/*
 * Two ports with one device would end each other. A name that ends with a digit
 * is a device ("net_tap0", "0000:01:00.0"); others get a number of their own.
 */
static bool
is_same_device(const char *a, const char *b)
{
	size_t n;

	a += strncmp(a, "pci:", 4) == 0 ? 4 : 0;
	b += strncmp(b, "pci:", 4) == 0 ? 4 : 0;
	n = strcspn(a, ",");
	return n > 0 && n == strcspn(b, ",") && memcmp(a, b, n) == 0 &&
	       a[n - 1] >= '0' && a[n - 1] <= '9';
}

/* The device is nobody's yet; false: the request is answered. */
static bool
is_free(struct node *n, struct api_request *rq, const struct model_port *spec)
{
	const struct port *p = n->ports;
	struct problem problem;

	while (p && !is_same_device(p->spec.devargs, spec->devargs))
		p = p->next;
	if (!p)
		return true;
	problem_init(&problem);
	problem_set(&problem, 409, "in-use",
	    "give this device another number or none, or use that port",
	    "port %s has the device %.*s", p->spec.name,
	    (int)strcspn(spec->devargs, ","), spec->devargs);
	op_problem(rq, &problem);
	return false;
}

void
op_port_create(struct node *n, struct api_request *rq)
{
	const struct port *same;
	struct model_port spec;
	struct problem p;

	if (!read_body(rq, api_body(rq), NULL, &spec))
		return;
	same = node_port(n, op_project(n, rq), spec.name);
	if (same && !same->creating && op_has_made(rq, same->uid)) {
		answer_made(same, rq, 201);
	} else if (same) {
		problem_init(&p);
		problem_set(&p, 409, "exists", "choose another name",
		    "port %s exists", spec.name);
		op_problem(rq, &p);
	} else if (may_open(rq, &spec) && is_free(n, rq, &spec) &&
		   op_plane_is_here(n, rq)) {
		create(n, &spec, rq);
	}
	model_port_clear(&spec);
}

static void
replace(struct node *n, struct port *p, struct model_port *spec,
    struct api_request *rq)
{
	struct model_port old = p->spec;
	struct problem problem;
	struct err e;
	char etag[64];
	int rc;

	problem_init(&problem);
	if (p->creating || strcmp(spec->devargs, old.devargs) != 0 ||
	    spec->mtu != old.mtu) {
		problem_set(&problem, 409, "wrong-state",
		    "delete the port and create it again",
		    "devargs and mtu of an open port cannot change");
		op_problem(rq, &problem);
		return;
	}
	p->spec = *spec;
	if (api_dry_run(rq)) {
		api_reply(rq, 200, port_json(p), NULL, NULL);
		p->spec = old;
		return;
	}
	p->generation++;
	rc = port_store(n, p, &e);
	if (rc < 0) {
		p->spec = old;
		p->generation--;
		op_store_failed(rq, rc, &e);
		return;
	}
	changes_note(&p->changes, json_pack("{s:O}", "labels", old.labels),
	    json_pack("{s:O}", "labels", p->spec.labels), p->generation);
	*spec = old; /* cleared by the caller */
	event_port(n, p, "port.changed");
	port_etag(p, etag, sizeof(etag));
	api_reply(rq, 200, port_json(p), etag, NULL);
}

void
op_port_put(struct node *n, struct api_request *rq)
{
	struct port *p = node_port(n, op_project(n, rq), api_name(rq));
	struct model_port spec;
	char etag[64] = "";

	if (p)
		port_etag(p, etag, sizeof(etag));
	if (!op_etag_holds(rq, etag, p ? &p->changes : NULL))
		return;
	if (!read_body(rq, api_body(rq), api_name(rq), &spec))
		return;
	if (p)
		replace(n, p, &spec, rq);
	else if (may_open(rq, &spec) && is_free(n, rq, &spec) &&
		 op_plane_is_here(n, rq))
		create(n, &spec, rq);
	model_port_clear(&spec);
}

/* Labels can change; what the device is cannot, see replace(). */
void
op_port_patch(struct node *n, struct api_request *rq)
{
	struct port *p = node_port(n, op_project(n, rq), api_name(rq));
	struct model_port spec;
	json_t *object;
	char etag[64];

	if (!p) {
		op_not_found(rq, "port", api_name(rq));
		return;
	}
	port_etag(p, etag, sizeof(etag));
	if (!op_etag_holds(rq, etag, &p->changes))
		return;
	object = port_json(p);
	json_object_del(object, "status");
	model_merge_patch(&object, api_body(rq));
	if (read_body(rq, object, p->spec.name, &spec)) {
		replace(n, p, &spec, rq);
		model_port_clear(&spec);
	}
	json_decref(object);
}

/* A link to p, or a vNIC that is attached to it, as "router:vnic"; false: none. */
static bool
find_user(const struct node *n, const struct port *p, char *buf, size_t size)
{
	if (wiring_uses_port(n, p, buf, size))
		return true;
	for (const struct router *r = n->routers; r; r = r->next) {
		for (unsigned i = 0; i < r->spec.n_vnics; i++) {
			const struct model_vnic *v = &r->spec.vnic[i];

			if (r->project != p->project ||
			    v->attach != MODEL_ATTACH_PORT ||
			    strcmp(v->port, p->spec.name) != 0)
				continue;
			snprintf(buf, size, "%s:%s", r->spec.name, v->name);
			return true;
		}
	}
	return false;
}

void
op_port_delete(struct node *n, struct api_request *rq)
{
	struct port *p = node_port(n, op_project(n, rq), api_name(rq));
	struct problem problem;
	struct err e;
	char user[128], etag[64];
	int rc;

	if (!p) {
		op_not_found(rq, "port", api_name(rq));
		return;
	}
	port_etag(p, etag, sizeof(etag));
	if (!op_etag_holds(rq, etag, &p->changes))
		return;
	problem_init(&problem);
	if (p->creating || find_user(n, p, user, sizeof(user))) {
		problem_set(&problem, 409, "in-use",
		    "delete or re-attach the vNIC, or delete the link, first",
		    "port %s serves %s", p->spec.name,
		    p->creating ? "its creation" : user);
		op_problem(rq, &problem);
		return;
	}
	if (!api_dry_run(rq)) {
		rc = store_delete_port(n->store, p->uid_text, &e);
		if (rc < 0) {
			op_store_failed(rq, rc, &e);
			return;
		}
		event_port(n, p, "port.deleted");
		close_port(n, p);
		unlink_port(n, p);
		if (ports_write_file(n, &e) < 0)
			log_err("%s", e.msg);
	}
	api_reply(rq, 204, NULL, NULL, NULL);
}
