/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_wait: clients who wait until a router is what they asked for.
 *
 * Each is answered exactly once: when it is so, when it cannot be (failed), or
 * when their time is over, which changes nothing but their patience.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <stdio.h>

enum {
	SETTLE_MS = 3000, /* an owner's own data plane may never attach */
	STATS_MS = 300,   /* and need not tell its counters */
	USAGE_MS = 200,   /* the time of which a use is told, at least */
	USAGE_OLD_MS = 2000,
	LOCATION_BYTES = 192,
};

static void
write_location(const struct router *r, char out[LOCATION_BYTES])
{
	char query[96];

	project_query(r->project, query, sizeof(query));
	snprintf(out, LOCATION_BYTES, "/v1/routers/%s%s", r->spec.name, query);
}

static struct waiter *
waiter_add(struct router *r, struct api_request *rq, uint64_t timeout_ms)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct waiter **at = &r->waiters;
	struct problem p;

	if (!w) {
		problem_init(&p);
		problem_set(&p, 504, "not-applied", "GET it and see status",
		    "recorded, but there is no memory to wait for it");
		api_reply_problem(rq, &p);
		problem_clear(&p);
		return NULL;
	}
	w->request = rq;
	w->asked_ms = loop_now_ms();
	w->deadline_ms = w->asked_ms + timeout_ms;
	while (*at)
		at = &(*at)->next;
	*at = w;
	return w;
}

void
router_wait(
    struct router *r, struct api_request *rq, int status, bool wants_config)
{
	struct waiter *w;
	char location[LOCATION_BYTES];

	router_kick(r);
	if (api_respond_async(rq)) {
		write_location(r, location);
		api_reply(rq, 202, router_answer_json(r, rq), NULL,
		    status == 201 ? location : NULL);
		return;
	}
	w = waiter_add(r, rq, r->node->cfg.start_timeout_ms);
	if (!w)
		return;
	w->status = status;
	w->wants_config = wants_config;
}

void
router_wait_stats(struct router *r, struct api_request *rq)
{
	struct waiter *w = waiter_add(r, rq, STATS_MS);

	if (!w)
		return;
	w->wants_stats = true;
	w->status = 200;
	loop_arm_sooner(r->timer, STATS_MS);
}

void
router_wait_usage(struct router *r, struct api_request *rq)
{
	struct waiter *w = waiter_add(r, rq, USAGE_MS);
	uint64_t age = router_usage_age_ms(r);

	if (!w)
		return;
	w->wants_usage = true;
	w->status = 200;
	if (age > USAGE_OLD_MS) /* the mean of long ago is no use */
		router_usage_begin(r);
	else if (age >= USAGE_MS)
		w->deadline_ms = w->asked_ms;
	loop_arm_sooner(r->timer, w->deadline_ms - w->asked_ms);
}

static void
answer(struct router *r, struct waiter *w)
{
	char etag[64], location[LOCATION_BYTES];

	if (w->wants_stats) {
		api_reply(
		    w->request, w->status, router_stats_json(r), NULL, NULL);
		free(w);
		return;
	}
	router_etag(r, etag, sizeof(etag));
	write_location(r, location);
	api_reply(w->request, w->status,
	    w->status == 204 ? NULL : router_answer_json(r, w->request), etag,
	    w->status == 201 ? location : NULL);
	free(w);
}

static void
answer_failed(struct router *r, struct waiter *w)
{
	struct problem p;
	char location[LOCATION_BYTES];

	problem_init(&p);
	problem_set(&p, 409, "start-failed", r->fail_remedy, "router %s: %s",
	    r->spec.name, r->fail_detail);
	write_location(r, location);
	api_reply_problem_at(w->request, &p, location);
	problem_clear(&p);
	free(w);
}

static void
answer_late(struct router *r, struct waiter *w)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 504, "not-applied",
	    "the change is recorded; GET the router until observed_generation "
	    "equals generation",
	    "router %s is %s after %u ms", r->spec.name,
	    router_state_text(r->state), r->node->cfg.start_timeout_ms);
	api_reply_problem(w->request, &p);
	problem_clear(&p);
	free(w);
}

/* Settled: nothing more will happen by itself that the client waits for. */
static bool
is_settled(const struct router *r, const struct waiter *w)
{
	if (r->busy || r->restarting)
		return false;
	switch (r->state) {
	case ROUTER_STOPPED:
		return true;
	case ROUTER_PAUSED:
		return !router_limits_are_due(r);
	case ROUTER_RUNNING:
		if (router_limits_are_due(r) || router_plane_owes(r))
			return false;
		return !w->wants_config || r->config_in_force >= r->generation;
	case ROUTER_DEGRADED:
		/* its owner's data plane may not attach at all */
		return loop_now_ms() - r->attached_ms > SETTLE_MS;
	default:
		return false;
	}
}

void
router_answer_waiters(struct router *r)
{
	uint64_t now = loop_now_ms();
	struct waiter **at = &r->waiters;

	while (*at) {
		struct waiter *w = *at;
		void (*reply)(struct router *, struct waiter *) = NULL;

		if (w->wants_stats)
			reply =
			    r->stats_ms >= w->asked_ms || now >= w->deadline_ms
				? answer
				: NULL;
		else if (w->wants_usage)
			reply = now >= w->deadline_ms ? answer : NULL;
		else if (r->state == ROUTER_FAILED)
			reply = answer_failed;
		else if (is_settled(r, w))
			reply = answer;
		else if (now >= w->deadline_ms)
			reply = answer_late;
		if (!reply) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		reply(r, w);
	}
	if (r->waiters)
		loop_arm_sooner(r->timer, 100);
}

void
router_dismiss_waiters(struct router *r, int status, const struct problem *p)
{
	while (r->waiters) {
		struct waiter *w = r->waiters;

		r->waiters = w->next;
		if (p)
			api_reply_problem(w->request, p);
		else
			api_reply(w->request, status, NULL, NULL, NULL);
		free(w);
	}
}
