/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring_wait: clients who have changed a link or a segment, until the data
 * plane has agreed to all that was said because of it.
 *
 * It answers in the order of what it is told. So the change is in force when
 * nothing is unanswered that was said until then; while it is away, that begins
 * with the next connection, on which all is said anew. A client's time being
 * over changes nothing but its patience: what is recorded stays so.
 */
#include "agent/ops.h"
#include "agent/router.h"

#include "lib/base.h"

#include <stdio.h>

enum { LOOK_MS = 100 };

struct wiring_waiter {
	struct wiring_waiter *next;
	struct api_request *request;
	uint8_t uid[UID_BYTES]; /* of the object, which may go meanwhile */
	int status;             /* of the good answer: 200, 201, 204 */
	uint64_t deadline_ms;
	bool is_said; /* on the connection that there is */
	uint32_t mark;
	char refusal[200];
};

static struct wiring *
find(const struct node *n, const struct wiring_waiter *x)
{
	for (struct wiring *w = n->wiring; w; w = w->next)
		if (memcmp(w->uid, x->uid, UID_BYTES) == 0)
			return w;
	return NULL;
}

void
wiring_answer(
    struct node *n, const struct wiring *w, struct api_request *rq, int status)
{
	char etag[64], location[192], query[96];

	wiring_etag(w, etag, sizeof(etag));
	project_query(w->project, query, sizeof(query));
	snprintf(location, sizeof(location), "/v1/%ss/%s%s",
	    wiring_kind_text(w->spec.kind), w->spec.name, query);
	api_reply(rq, status, wiring_json(n, w), etag,
	    status == 201 ? location : NULL);
}

static void
answer_bad(struct wiring_waiter *x, const char *detail)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 504, "not-applied",
	    "the change is recorded; GET it and see status, or change it again",
	    "%s", detail);
	api_reply_problem(x->request, &p);
	problem_clear(&p);
}

static void
answer(struct node *n, struct wiring_waiter *x)
{
	const struct wiring *w = find(n, x);
	struct problem p;

	if (x->refusal[0]) {
		answer_bad(x, x->refusal);
	} else if (x->status == 204) {
		api_reply(x->request, 204, NULL, NULL, NULL);
	} else if (w) {
		wiring_answer(n, w, x->request, x->status);
	} else {
		problem_init(&p);
		problem_set(&p, 409, "wrong-state", "create a new one",
		    "it was deleted meanwhile");
		api_reply_problem(x->request, &p);
		problem_clear(&p);
	}
}

/* Says what has become of every vNIC, now. */
static void
say_all(struct node *n)
{
	for (struct router *r = n->routers; r; r = r->next)
		if (r->known && !r->deleting)
			router_sync_plane(r);
}

/* Says all, once, for all of those who wait from x on and for whom nobody has. */
static void
say_for(struct node *n, struct wiring_waiter *x)
{
	bool is_up = plane_is_up(n->plane), is_said = false;

	for (; x; x = x->next) {
		if (!is_up) {
			x->is_said = false;
			continue;
		}
		if (x->is_said)
			continue;
		x->refusal[0] = '\0';
		if (!is_said)
			say_all(n);
		is_said = true;
		x->mark = plane_mark(n->plane);
		x->is_said = true;
	}
}

static bool
is_done(const struct node *n, const struct wiring_waiter *x)
{
	return x->is_said && plane_has_answered(n->plane, x->mark);
}

void
wiring_wait(struct node *n, struct api_request *rq,
    const uint8_t uid[UID_BYTES], int status)
{
	struct wiring_waiter *x = calloc(1, sizeof(*x)), **at = &n->rewiring;
	struct wiring_waiter now = { .request = rq };

	memcpy(now.uid, uid, UID_BYTES);
	if (api_respond_async(rq) && status != 204) {
		free(x);
		say_all(n);
		node_kick(n);
		wiring_answer(n, find(n, &now), rq, 202);
		return;
	}
	if (!x) {
		say_all(n);
		answer_bad(&now, "there is no memory to wait for it");
		return;
	}
	*x = now;
	x->status = status;
	x->deadline_ms = loop_now_ms() + n->cfg.start_timeout_ms;
	while (*at)
		at = &(*at)->next;
	*at = x;
	say_for(n, x); /* other requests come after it */
	node_kick(n);
}

void
wiring_settle(struct node *n)
{
	struct wiring_waiter **at = &n->rewiring;

	say_for(n, n->rewiring);
	while (*at) {
		struct wiring_waiter *x = *at;
		bool done = is_done(n, x);

		if (!done && loop_now_ms() < x->deadline_ms) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		if (done)
			answer(n, x);
		else
			answer_bad(
			    x, plane_is_up(n->plane)
				   ? "the data plane has not agreed to it yet"
				   : "the node's data plane is away");
		free(x);
	}
	if (n->rewiring)
		loop_arm_sooner(n->kick, LOOK_MS);
}

void
wiring_refused(struct node *n, const struct router *r, const char *text)
{
	for (struct wiring_waiter *x = n->rewiring; x; x = x->next) {
		/* who deletes is not told: it is gone for good, nothing of it
		 * could be changed again, and the router's log and status say
		 * what has become of its vNIC */
		const struct wiring *w = find(n, x);

		for (unsigned i = 0; w && i < w->spec.n_ends; i++)
			if (w->project == r->project &&
			    strcmp(w->spec.end[i].router, r->spec.name) == 0)
				snprintf(x->refusal, sizeof(x->refusal),
				    "the data plane refused: %s", text);
		problem_clean_text(x->refusal);
	}
}

void
wiring_lost(struct node *n)
{
	for (struct wiring_waiter *x = n->rewiring; x; x = x->next)
		x->is_said = false;
}

void
wiring_dismiss(struct node *n, const struct problem *p)
{
	while (n->rewiring) {
		struct wiring_waiter *x = n->rewiring;

		n->rewiring = x->next;
		api_reply_problem(x->request, p);
		free(x);
	}
}
