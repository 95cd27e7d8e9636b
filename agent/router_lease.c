/* SPDX-License-Identifier: Apache-2.0 */
/* router_lease: a router that ends by itself; see router_care.h. */
#include "agent/router_care.h"

#include "agent/events.h"
#include "agent/router.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>
#include <time.h>

enum { RETRY_MS = 5000, LOOK_MS = 60000 };

static uint64_t
left_ms(const struct router_lease *l)
{
	uint64_t now = faults_boot_ms();

	return l->end_ms > now ? l->end_ms - now : 0;
}

static void
grant(struct router_lease *l, uint64_t ms)
{
	snprintf(l->boot, sizeof(l->boot), "%s", faults_boot_id());
	l->granted_ms = ms;
	l->end_ms = faults_boot_ms() + ms;
	l->end_s = time(NULL) + (int64_t)(ms / 1000);
}

/* rq is about the whole router, and says something of its lease. */
static bool
is_named(struct api_request *rq)
{
	enum api_op op = api_op(rq);

	return (op == API_ROUTER_CREATE || op == API_ROUTER_PUT ||
		   op == API_ROUTER_PATCH) &&
	       json_is_object(json_object_get(
		   json_object_get(api_body(rq), "spec"), "lease"));
}

int
router_lease_next(const struct router *r, const struct model_router *spec,
    struct api_request *rq, struct router_lease *out, struct problem *p)
{
	int64_t left = spec->lease.expires_at - time(NULL);

	*out = (struct router_lease){ 0 };
	if (!spec->lease.is_there)
		return 0;
	if (!is_named(rq)) {
		*out = r->lease;
		return 0;
	}
	if (spec->lease.seconds) {
		grant(out, (uint64_t)spec->lease.seconds * 1000);
		return 0;
	}
	if (left <= 0) {
		problem_add(p, "/spec/lease/expires_at", "is over already");
		return -EINVAL;
	}
	grant(out, (uint64_t)left * 1000);
	return 0;
}

json_t *
router_lease_row(const struct router_lease *l)
{
	if (l->boot[0] == '\0')
		return NULL;
	return json_pack("{s:s, s:I, s:I, s:I}", "boot", l->boot, "end_ms",
	    (json_int_t)l->end_ms, "end_s", (json_int_t)l->end_s, "granted_ms",
	    (json_int_t)l->granted_ms);
}

static uint64_t
number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

void
router_lease_load(struct router_lease *l, const json_t *row)
{
	const char *boot = json_string_value(json_object_get(row, "boot"));
	uint64_t granted = number(row, "granted_ms");
	int64_t left_s;

	*l = (struct router_lease){ 0 };
	if (!boot)
		return;
	snprintf(l->boot, sizeof(l->boot), "%s", boot);
	l->end_ms = number(row, "end_ms");
	l->end_s = (int64_t)number(row, "end_s");
	l->granted_ms = granted;
	if (strcmp(boot, faults_boot_id()) == 0)
		return;
	/* the machine was started anew: the clock on the wall decides */
	left_s = MAX(l->end_s - time(NULL), (int64_t)0);
	grant(l, MIN((uint64_t)left_s * 1000, granted));
	l->granted_ms = granted;
}

json_t *
router_lease_json(const struct router_lease *l)
{
	uint64_t left = l->boot[0] ? left_ms(l) : 0;
	char text[32];

	if (l->boot[0] == '\0')
		return json_null();
	model_time_text(
	    time(NULL) + (int64_t)(left / 1000), text, sizeof(text));
	return json_pack("{s:s, s:I}", "expires_at", text, "remaining_seconds",
	    (json_int_t)(left / 1000));
}

void
router_lease_patch(json_t *object, const json_t *patch)
{
	const json_t *said =
	    json_object_get(json_object_get(patch, "spec"), "lease");
	json_t *lease =
	    json_object_get(json_object_get(object, "spec"), "lease");

	if (json_object_get(said, "seconds") &&
	    !json_object_get(said, "expires_at"))
		json_object_del(lease, "expires_at");
	if (json_object_get(said, "expires_at") &&
	    !json_object_get(said, "seconds"))
		json_object_del(lease, "seconds");
}

/* The wish changes: stopped, and without a lease, or it could not be started. */
static int
stop(struct router *r, struct err *e)
{
	struct router_lease lease = r->lease;
	struct model_router next = r->spec;
	int rc;

	next.power = MODEL_STOPPED;
	next.lease = (struct model_lease){ 0 };
	r->lease = (struct router_lease){ 0 };
	rc = router_store(r->node, r, &next, r->generation + 1, e);
	if (rc < 0) {
		r->lease = lease;
		return rc;
	}
	r->generation++;
	changes_note(&r->changes, router_wish_json(&r->spec),
	    router_wish_json(&next), r->generation);
	r->spec = next; /* it owns what the one before did */
	event_router(r, "router.changed");
	return 0;
}

static void
end_of_lease(struct router *r)
{
	bool deletes = r->spec.lease.end == MODEL_LEASE_DELETE;
	struct err e;
	int rc = deletes ? router_begin_delete(r, &e) : stop(r, &e);

	if (rc < 0) {
		log_err("its lease is over, and cannot end it: %s router=%s",
		    e.msg, r->spec.name);
		loop_arm_sooner(r->care, RETRY_MS);
		return;
	}
	log_info("its lease is over: %s router=%s",
	    deletes ? "deleted" : "stopped", r->spec.name);
	router_kick(r);
}

void
router_care_sync(struct router *r)
{
	unsigned wait = faults_write(&r->faults);
	uint64_t left;

	if (wait > 0)
		loop_arm_sooner(r->care, wait);
	if (r->lease.boot[0] == '\0' || r->deleting || r->node->stopping)
		return;
	left = left_ms(&r->lease);
	if (left == 0)
		end_of_lease(r);
	else
		loop_arm_sooner(r->care, MIN(left, (uint64_t)LOOK_MS));
}
