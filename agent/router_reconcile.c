/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_reconcile: from what is to what is wanted, one step at a time.
 *
 *	wanted     container   next step
 *	any        unknown     query
 *	deleted    any         take it from the data plane, destroy
 *	stopped    running     gate shut, stop
 *	running    stopped     memory, data plane, socket; start
 *	running    frozen      thaw, gate open
 *	paused     stopped     start
 *	paused     running     gate shut, freeze
 *	paused     frozen      limits
 *	running    running     limits, init's memory and configuration
 */
#include "agent/events.h"
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

enum { DEGRADED_MS = 1000, TELL_MS = 1000 };

void
router_kick(struct router *r)
{
	r->dirty = true;
	loop_arm(r->node->kick, 0);
}

void
router_fail(struct router *r, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->fail_detail, sizeof(r->fail_detail), fmt, ap);
	va_end(ap);
	problem_clean_text(r->fail_detail);
	snprintf(r->fail_remedy, sizeof(r->fail_remedy), "%s", remedy);
	r->failed = true;
	log_err("failed: %s router=%s", r->fail_detail, r->spec.name);
	router_care_fault(r, "failed", -1, remedy, "%s", r->fail_detail);
}

static enum model_power
power_wanted(const struct router *r)
{
	return r->failed || r->node->halting ? MODEL_STOPPED : r->spec.power;
}

static void
leave_plane(struct router *r)
{
	struct wire_msg m = { .type = WIRE_SET_DEL };

	memcpy(m.u.router.uid, r->uid, sizeof(m.u.router.uid));
	if (plane_is_up(r->node->plane))
		plane_send(r->node->plane, &m, NULL);
	r->set_sent = false;
}

static void
step_delete(struct router *r)
{
	if (r->set_sent || r->has_memory)
		leave_plane(r);
	router_drop_memory(r);
	router_live_close(r);
	initlink_free(r->link);
	r->link = NULL;
	router_container_destroy(r);
}

/*
 * Memory that does not fit the spec ends with the container that had it: the
 * data plane would refuse what is said of it from now on.
 */
static void
drop_misfit(struct router *r)
{
	const struct vnic_geometry *have = &r->layout.g;
	struct vnic_geometry want;

	/* how many queues it should have is the data plane's to say */
	if (!r->has_memory || r->container.state != CONTAINER_STOPPED ||
	    !plane_is_up(r->node->plane))
		return;
	router_geometry(r->node, &r->spec, &want);
	if (have->n_queues == want.n_queues &&
	    have->max_slots == want.max_slots &&
	    have->slot_bytes == want.slot_bytes &&
	    have->max_vnics >= want.max_vnics)
		return;
	leave_plane(r);
	router_drop_memory(r);
}

/* Before a start: memory that fits the spec, known to the data plane. */
static bool
memory_is_ready(struct router *r)
{
	struct err e;

	if (!plane_is_up(r->node->plane))
		return false;
	if (!r->has_memory && router_make_memory(r, &e) < 0) {
		router_fail(r, "free memory on the node, then start it again",
		    "%s", e.msg);
		return false;
	}
	return true;
}

/* Not while it backs off; then the timer brings it back here. */
static bool
is_due(struct router *r)
{
	uint64_t now = loop_now_ms();

	if (now >= r->not_before_ms)
		return true;
	loop_arm_sooner(r->timer, r->not_before_ms - now);
	return false;
}

static void
step_start(struct router *r)
{
	struct err e;

	if (!is_due(r) || !memory_is_ready(r))
		return;
	if (router_listen(r, &e) < 0) {
		router_fail(r, "make run_dir writable, then start it again",
		    "%s", e.msg);
		return;
	}
	router_sync_plane(r);
	if (!r->set_known)
		return; /* its answer kicks */
	initlink_expect(r->link);
	router_container_start(r);
}

/* The host forgets the packets of a router that has been ended. */
static void
step_stop(struct router *r)
{
	struct wire_msg m = { .type = WIRE_DIED };

	memcpy(m.u.router.uid, r->uid, sizeof(m.u.router.uid));
	if (r->set_sent && plane_is_up(r->node->plane))
		plane_send(r->node->plane, &m, NULL);
	router_container_stop(r);
}

/* The kernel makes a tmpfs of whole pages. */
static uint64_t
in_pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page;
}

static bool
limits_are(
    const struct container_limits *l, const struct container_limits *want)
{
	return want->cpu_millis == l->cpu_millis &&
	       want->mem_bytes == l->mem_bytes && want->pids == l->pids &&
	       in_pages(want->disk_bytes) == in_pages(l->disk_bytes) &&
	       (!want->cpus[0] || cpus_are_equal(want->cpus, l->cpus));
}

/* A change that was asked for and refused is not asked for again. */
bool
router_limits_are_due(const struct router *r)
{
	struct container_limits want;

	router_limits(r, &want);
	return !limits_are(&r->container.effective, &want) &&
	       !limits_are(&r->limits_asked, &want);
}

static void
step_running(struct router *r)
{
	struct err e;

	if (!r->has_memory && !memory_is_ready(r))
		return;
	if (router_listen(r, &e) < 0) {
		log_err("%s router=%s", e.msg, r->spec.name);
		loop_arm_sooner(r->timer, 1000);
		return;
	}
	if (router_limits_are_due(r)) {
		router_container_limit(r);
		return;
	}
	router_sync_init(r);
}

static void
take_step(struct router *r)
{
	enum model_power want = power_wanted(r);

	if (r->busy)
		return;
	if (r->deleting) {
		if (is_due(r))
			step_delete(r);
		return;
	}
	if (!r->known) {
		if (is_due(r))
			router_container_query(r);
		return;
	}
	drop_misfit(r);
	router_sync_plane(r);
	switch (r->container.state) {
	case CONTAINER_STOPPED:
		r->restarting = false;
		if (want != MODEL_STOPPED)
			step_start(r);
		break;
	case CONTAINER_RUNNING:
		if (want == MODEL_STOPPED)
			step_stop(r);
		else if (r->restarting)
			step_stop(r);
		else if (want == MODEL_PAUSED)
			router_container_freeze(r);
		else
			step_running(r);
		break;
	case CONTAINER_FROZEN:
		if (want == MODEL_STOPPED)
			step_stop(r);
		else if (want == MODEL_RUNNING)
			router_container_thaw(r);
		else if (router_limits_are_due(r))
			router_container_limit(r);
		break;
	}
}

enum router_state
router_find_state(const struct router *r)
{
	uint64_t waited = loop_now_ms() - r->attached_ms;

	if (r->deleting)
		return ROUTER_DELETING;
	if (!r->known)
		return ROUTER_PENDING;
	if (r->container.state == CONTAINER_STOPPED) {
		if (r->failed)
			return ROUTER_FAILED;
		if (power_wanted(r) == MODEL_STOPPED)
			return ROUTER_STOPPED;
		return r->set_known ? ROUTER_STARTING : ROUTER_PREPARING;
	}
	if (power_wanted(r) == MODEL_STOPPED)
		return ROUTER_STOPPING;
	if (r->container.state == CONTAINER_FROZEN)
		return ROUTER_PAUSED;
	if (r->quarantined)
		return ROUTER_QUARANTINED;
	if (plane_is_up(r->node->plane) && router_is_attached(r) &&
	    initlink_is_up(r->link) && r->process_running)
		return r->stalled ? ROUTER_DEGRADED : ROUTER_RUNNING;
	return waited < DEGRADED_MS ? ROUTER_STARTING : ROUTER_DEGRADED;
}

/* Its program can have it go back and forth as it likes. */
static bool
is_lively(enum router_state s)
{
	return s == ROUTER_RUNNING || s == ROUTER_STARTING ||
	       s == ROUTER_DEGRADED;
}

/* To the log and the readers of events: of what the tenant does, one a second. */
static void
tell_state(struct router *r)
{
	uint64_t now = loop_now_ms();

	if (r->state == r->told)
		return;
	if (is_lively(r->state) && is_lively(r->told)) {
		if (now - r->told_ms < TELL_MS) {
			loop_arm_sooner(r->timer, TELL_MS - (now - r->told_ms));
			return;
		}
		r->told_ms = now;
	}
	r->told = r->state;
	log_info("%s router=%s", router_state_text(r->state), r->spec.name);
	event_router(r, "router.state");
	node_report(r->node);
}

static void
update_state(struct router *r)
{
	enum router_state s = router_find_state(r);

	if (s == ROUTER_RUNNING)
		r->attached_ms = loop_now_ms();
	if (s == ROUTER_RUNNING && router_usage_age_ms(r) == UINT64_MAX)
		router_usage_begin(r); /* the first to ask has a rate */
	if (s == ROUTER_RUNNING && r->config_in_force >= r->generation)
		r->observed_generation = r->generation;
	else if (s == ROUTER_STOPPED ||
		 (s == ROUTER_PAUSED && !router_limits_are_due(r)))
		r->observed_generation = r->generation;
	if (s != r->state) {
		r->state = s;
		node_time_text(r->since);
	}
	tell_state(r);
}

void
router_reconcile(struct router *r)
{
	r->dirty = false;
	if (r->node->stopping)
		return;
	take_step(r);
	update_state(r);
	router_answer_waiters(r);
	router_care_sync(r);
	if (r->state == ROUTER_STARTING && !r->busy &&
	    r->container.state == CONTAINER_RUNNING)
		loop_arm_sooner(r->timer, 20); /* is it attached by now? */
}

const char *
router_state_text(enum router_state s)
{
	static const char *const names[] = {
		[ROUTER_PENDING] = "pending",
		[ROUTER_PREPARING] = "preparing",
		[ROUTER_STOPPED] = "stopped",
		[ROUTER_STARTING] = "starting",
		[ROUTER_RUNNING] = "running",
		[ROUTER_PAUSED] = "paused",
		[ROUTER_DEGRADED] = "degraded",
		[ROUTER_STOPPING] = "stopping",
		[ROUTER_QUARANTINED] = "quarantined",
		[ROUTER_FAILED] = "failed",
		[ROUTER_DELETING] = "deleting",
	};

	return names[s];
}
