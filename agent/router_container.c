/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_container: the container of one router, through container.h.
 *
 * One operation at a time (busy). The result of each is what is: state, init
 * and limits as they were read back. The end of a container that nobody asked
 * for is seen through a pidfd of its init.
 */
#include "agent/events.h"
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

enum {
	MAX_START_FAILURES = 2,
	RETRY_MS = 100,
};

static void
forget_pid(struct router *r)
{
	loop_del(r->pid_source);
	r->pid_source = NULL;
	base_close(r->pid_fd);
	r->pid_fd = -1;
}

static void
init_ended(void *arg, int fd, uint32_t events)
{
	struct router *r = arg;

	(void)fd;
	(void)events;
	/* the descriptor stays: it will say how that process ended */
	loop_del(r->pid_source);
	r->pid_source = NULL;
	if (r->ending)
		return; /* its end was asked for and is being waited for */
	log_warn("the container ended router=%s", r->spec.name);
	r->known = false; /* ask what is left of it */
	router_kick(r);
}

static void
watch_pid(struct router *r)
{
	forget_pid(r);
	if (r->container.init_pid <= 0)
		return;
	r->pid_fd = (int)syscall(SYS_pidfd_open, r->container.init_pid, 0);
	if (r->pid_fd < 0 || loop_add_fd(r->node->loop, r->pid_fd, EPOLLIN,
				 init_ended, r, &r->pid_source) < 0) {
		forget_pid(r);
		r->known = false;
	}
}

static void
take_status(struct router *r, const struct container_status *st)
{
	/* or it ran when a europad before this one looked */
	bool ran = r->container.state != CONTAINER_STOPPED || r->faults.up;
	int status;

	r->container = *st;
	r->known = true;
	if (st->state == CONTAINER_STOPPED) {
		status = router_care_exit(r->pid_fd);
		forget_pid(r);
		if (ran && !r->ending && !r->deleting &&
		    r->spec.power != MODEL_STOPPED)
			router_care_died(r, status);
		else
			faults_set_up(&r->faults, false);
		return;
	}
	if (!ran)
		r->attached_ms = r->running_since_ms = loop_now_ms();
	faults_set_up(&r->faults, true);
	if (!r->pid_source)
		watch_pid(r);
}

static void
done(void *arg, int rc, const struct container_status *st, const struct err *e)
{
	struct router *r = arg;

	r->busy = false;
	if (rc == 0) {
		take_status(r, st);
	} else {
		log_warn("%s router=%s", e->msg, r->spec.name);
		r->known = false;
		r->not_before_ms = loop_now_ms() + RETRY_MS;
	}
	r->ending = false;
	router_kick(r);
}

static void
start_done(
    void *arg, int rc, const struct container_status *st, const struct err *e)
{
	struct router *r = arg;

	if (rc == 0) {
		r->start_failures = 0;
	} else if (++r->start_failures >= MAX_START_FAILURES || rc == -EBADE) {
		r->start_failures = 0;
		router_fail(r,
		    "see the log of europad; then PUT power running to try "
		    "again",
		    "the container did not start: %s", e->msg);
	}
	done(arg, rc, st, e);
}

static void
limit_done(
    void *arg, int rc, const struct container_status *st, const struct err *e)
{
	struct router *r = arg;

	if (rc < 0)
		router_fail(r, "choose limits that the router's use allows",
		    "the limits were not taken: %s", e->msg);
	done(arg, rc, st, e);
}

/* Nothing is asked of a host without cpusets for a router that wants none. */
static const char *
cores_of(const struct router *r)
{
	const struct node *n = r->node;

	if (r->spec.quota.cpu_set[0])
		return r->spec.quota.cpu_set;
	return n->cfg.router_cpus[0] ? n->cpus : r->container.all_cpus;
}

void
router_limits(const struct router *r, struct container_limits *out)
{
	const struct model_quota *q = &r->spec.quota;

	*out = (struct container_limits){
		.cpu_millis = q->cpu_millis,
		.mem_bytes = q->mem_bytes,
		.pids = q->pids,
		.disk_bytes = q->disk_bytes,
	};
	snprintf(out->cpus, sizeof(out->cpus), "%s", cores_of(r));
}

static void
spec_of(
    struct router *r, char *run_dir, size_t size, struct container_spec *out)
{
	const struct config *c = &r->node->cfg;

	router_run_dir(r, run_dir, size);
	*out = (struct container_spec){
		.uid = r->uid_text,
		.hostname = r->spec.name,
		.run_dir = run_dir,
		.id_base = c->id_base + r->id_index * CONFIG_RANGE_IDS,
	};
	router_limits(r, &out->limits);
}

/* Without one the launcher refuses to start, and tells. */
static const char *
rootfs_of(const struct router *r)
{
	struct err e;
	const char *rootfs = node_rootfs(r->node, r->spec.template, &e);

	if (!rootfs)
		log_err("router=%s: %s", r->spec.name, e.msg);
	return rootfs ? rootfs : "";
}

static void
begin(struct router *r, enum container_verb verb, container_done_fn fn)
{
	struct node *n = r->node;
	struct container_spec s;
	char dir[CONFIG_PATH];

	spec_of(r, dir, sizeof(dir), &s);
	s.rootfs = verb == CONTAINER_DO_START ? rootfs_of(r) : "";
	r->busy = true;
	n->ops->begin(n->ops_cookie, verb, &s, fn, r);
}

void
router_container_query(struct router *r)
{
	begin(r, CONTAINER_DO_QUERY, done);
}

void
router_container_start(struct router *r)
{
	router_limits(r, &r->limits_asked);
	begin(r, CONTAINER_DO_START, start_done);
}

void
router_container_limit(struct router *r)
{
	router_limits(r, &r->limits_asked);
	begin(r, CONTAINER_DO_LIMIT, limit_done);
}

void
router_container_stop(struct router *r)
{
	r->ending = true;
	/* nor is a europad after this one to take it for a death */
	faults_set_up(&r->faults, false);
	r->faults.written_ms = 0;
	faults_write(&r->faults);
	usage_count(r); /* its cgroup goes */
	begin(r, CONTAINER_DO_STOP, done);
}

void
router_container_freeze(struct router *r)
{
	begin(r, CONTAINER_DO_FREEZE, done);
}

void
router_container_thaw(struct router *r)
{
	begin(r, CONTAINER_DO_THAW, done);
}

void
router_container_use(const struct router *r, struct container_use *out)
{
	const struct node *n = r->node;
	struct pollfd end = { .fd = r->pid_fd, .events = POLLIN };

	if (r->container.state != CONTAINER_STOPPED && r->pid_source) {
		n->ops->use(
		    n->ops_cookie, r->uid_text, r->container.init_pid, out);
		/* or the number may have become another process's */
		if (poll(&end, 1, 0) == 0)
			return;
	}
	*out = (struct container_use){ CONTAINER_UNKNOWN, CONTAINER_UNKNOWN,
		CONTAINER_UNKNOWN, CONTAINER_UNKNOWN };
}

static void
destroyed(
    void *arg, int rc, const struct container_status *st, const struct err *e)
{
	struct router *r = arg;
	struct node *n = r->node;
	struct err store_err;
	char dir[CONFIG_PATH], path[CONFIG_PATH + 16];

	(void)st;
	r->busy = false;
	if (rc < 0) {
		log_warn("%s router=%s", e->msg, r->spec.name);
		r->not_before_ms = loop_now_ms() + 1000;
		router_kick(r);
		return;
	}
	if (store_delete_router(n->store, r->uid_text, &store_err) < 0) {
		log_err("%s router=%s", store_err.msg, r->spec.name);
		r->not_before_ms = loop_now_ms() + 1000;
		router_kick(r);
		return;
	}
	router_live_remove(r);
	router_run_dir(r, dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/agent.sock", dir);
	unlink(path);
	rmdir(dir);
	log_info("deleted router=%s uid=%s", r->spec.name, r->uid_text);
	event_router(r, "router.deleted");
	router_dismiss_waiters(r, 204, NULL);
	router_free(r);
	node_kick(n);
	node_report(n);
}

void
router_container_destroy(struct router *r)
{
	r->ending = true;
	usage_count(r);
	begin(r, CONTAINER_DO_DESTROY, destroyed);
}
