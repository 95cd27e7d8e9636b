/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what this node tells those who listen at GET /v1/events.
 */
#ifndef AGENT_EVENTS_H
#define AGENT_EVENTS_H

#include "agent/node.h"

/* The heart that beats for readers. Returns 0 or negative errno. */
int events_open(struct node *n);

/* "router.created", ".changed", ".state", ".deleted" */
void event_router(const struct router *r, const char *type);
/* "port.created", ".changed", ".state", ".deleted" */
void event_port(const struct node *n, const struct port *p, const char *type);
/* What is done to a link or segment: "created", "changed", "deleted" */
void event_wiring(
    const struct node *n, const struct wiring *w, const char *what);
/*
 * "project.created", ".changed". Its end is the end of the stream: what was of it
 * is nobody's then.
 */
void event_project(
    const struct node *n, const struct project *p, const char *type);
/* The data plane came, or went. */
void event_plane(const struct node *n);

#endif
