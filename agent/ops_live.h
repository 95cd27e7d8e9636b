/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_live: what operations that ask the router itself have in common: what its
 * answers, and its silence, are to a client of the API. Every word of a router
 * is a tenant's: of the wrong kind it is nonsense, and of any length it is cut.
 */
#ifndef AGENT_OPS_LIVE_H
#define AGENT_OPS_LIVE_H

#include "agent/ops.h"
#include "agent/router.h"

/*
 * The problem of a question that failed, rc and json as of ctlclient_fn. Of
 * rc = 0: it said what makes no sense.
 */
void live_problem(
    const struct router *r, int rc, const json_t *json, struct problem *p);
/* Answers rq with it. */
void live_refuse(
    const struct router *r, struct api_request *rq, int rc, const json_t *json);

/* The same for one that only reads: what the router refuses is a 409. */
void live_refuse_read(const struct router *r, struct api_request *rq, int rc);

/* 409 unless the router can be asked; false: rq is answered. */
bool live_is_there(const struct router *r, struct api_request *rq);
/* 503 while another one changes the same; false: rq is answered. */
bool live_is_free(const struct router *r, struct api_request *rq, bool on_way);

/* PUT of routes that came as lines; rq is answered in every case. */
void op_routes_put_lines(struct router *r, struct api_request *rq);

/* A string of a router's answer: printable, of at most max bytes, or NULL. */
const char *live_text(const json_t *o, const char *key, size_t max);
/* A number from 0 on; false: it is none. */
bool live_number(const json_t *o, const char *key, json_int_t *out);

#endif
