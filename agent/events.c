/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: see events.h. An event says what has changed and what it is now, not
 * the whole object: who wants that asks for it.
 */
#include "agent/events.h"

#include "agent/ops.h"
#include "agent/router.h"
#include "lib/base.h"

#include <stdio.h>

enum { BEAT_MS = 15000 };

static void
beat(void *arg)
{
	struct node *n = arg;

	api_events_beat(n->api);
	loop_arm(n->beat, BEAT_MS);
}

int
events_open(struct node *n)
{
	int rc = loop_add_timer(n->loop, beat, n, &n->beat);

	if (rc == 0)
		loop_arm(n->beat, BEAT_MS);
	return rc;
}

static json_t *
begin(const char *kind, const char *name, const char *uid, uint64_t generation)
{
	char now[32];

	node_time_text(now);
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "time", now, "kind", kind,
	    "name", name, "uid", uid, "generation", (json_int_t)generation);
}

void
event_router(const struct router *r, const char *type)
{
	json_t *o = begin("Router", r->spec.name, r->uid_text, r->generation);
	char why[512];

	json_object_set_new(o, "project", json_string(r->project->spec.name));
	json_object_set_new(
	    o, "state", json_string(router_state_text(r->state)));
	if (r->failed)
		json_object_set_new(o, "detail", json_string(r->fail_detail));
	else if (router_program_flaw(r, why, sizeof(why)))
		json_object_set_new(o, "detail", json_string(why));
	api_event(r->node->api, type, r->project->spec.name, o);
}

void
event_port(const struct node *n, const struct port *p, const char *type)
{
	json_t *o = begin("Port", p->spec.name, p->uid_text, p->generation);

	json_object_set_new(o, "project", json_string(p->project->spec.name));
	json_object_set_new(o, "state", json_string(port_state_text(p->state)));
	if (p->detail[0])
		json_object_set_new(o, "detail", json_string(p->detail));
	api_event(n->api, type, p->project->spec.name, o);
}

void
event_wiring(const struct node *n, const struct wiring *w, const char *what)
{
	json_t *o = begin(w->spec.kind == MODEL_LINK ? "Link" : "Segment",
	    w->spec.name, w->uid_text, w->generation);
	char type[32];

	snprintf(
	    type, sizeof(type), "%s.%s", wiring_kind_text(w->spec.kind), what);
	json_object_set_new(o, "project", json_string(w->project->spec.name));
	api_event(n->api, type, w->project->spec.name, o);
}

void
event_project(const struct node *n, const struct project *p, const char *type)
{
	json_t *o = begin("Project", p->spec.name, p->uid_text, p->generation);

	json_object_set_new(o, "project", json_string(p->spec.name));
	api_event(n->api, type, p->spec.name, o);
}

void
event_plane(const struct node *n)
{
	char now[32];

	node_time_text(now);
	api_event(n->api, "node.dataplane", NULL,
	    json_pack("{s:s, s:s, s:s, s:b}", "time", now, "kind", "Node",
		"name", "local", "connected", plane_is_up(n->plane)));
}

void
op_events_get(struct node *n, struct api_request *rq)
{
	(void)n;
	api_reply_events(rq);
}
