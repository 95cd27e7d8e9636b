/* SPDX-License-Identifier: Apache-2.0 */
/* router_care: restarts and faults; the lease is in router_lease.c. */
#include "agent/router_care.h"

#include "agent/router.h"
#include "lib/base.h"
#include "lib/log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

enum {
	MIN_BACKOFF_MS = 100,
	MAX_BACKOFF_MS = 30000,
	CALM_MS = 10000, /* a life longer than this was a good one */
};

/* --- how a process ended --------------------------------------------------- */

/* struct pidfd_info of Linux 6.15, whose header Debian 12 has not. */
struct exit_info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};

static_assert(sizeof(struct exit_info) == 64, "as the kernel has it");

int
router_care_exit(int pid_fd)
{
	enum { HAS_EXIT = 1 << 3 };
	struct exit_info info = { .mask = HAS_EXIT };

	if (pid_fd < 0 ||
	    ioctl(pid_fd, _IOWR(0xff, 11, struct exit_info), &info) < 0 ||
	    !(info.mask & HAS_EXIT))
		return -1;
	return info.exit_code;
}

static void
status_text(int status, char *buf, size_t size)
{
	if (status < 0)
		snprintf(buf, size, "nobody knows how");
	else if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit code %d", WEXITSTATUS(status));
}

/* --- faults ------------------------------------------------------------------ */

void
router_care_fault(struct router *r, const char *what, int status,
    const char *remedy, const char *fmt, ...)
{
	char detail[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	faults_add(&r->faults, what, status, remedy, detail);
	loop_arm_sooner(r->care, 0);
}

void
router_care_process_ended(struct router *r, int status)
{
	char how[64];

	/* as it was told to, or as it chose to */
	if (status == 0 || status == SIGTERM)
		return;
	status_text(status, how, sizeof(how));
	router_care_fault(r, "dataplane-ended", status,
	    "its log says why; init has started it again",
	    "the data plane in the container ended: %s", how);
}

/* --- restarts ---------------------------------------------------------------- */

static void
stay_down(struct router *r, const char *why, const char *remedy)
{
	router_fail(r, remedy, "%s", why);
	faults_set_down(&r->faults, remedy, r->fail_detail);
}

void
router_care_died(struct router *r, int status)
{
	const struct model_restart *policy = &r->spec.restart;
	uint64_t now = loop_now_ms();
	char how[64], why[160];

	status_text(status, how, sizeof(how));
	faults_set_up(&r->faults, false);
	r->process_running = false;
	router_care_fault(r, "container-ended", status,
	    "its log says why; restart_policy says what follows",
	    "the container ended by itself: %s", how);
	if (policy->mode == MODEL_RESTART_NEVER ||
	    (policy->mode == MODEL_RESTART_ON_FAILURE && status == 0)) {
		snprintf(why, sizeof(why),
		    "the container ended by itself (%s), and its "
		    "restart_policy does not start it again",
		    how);
		stay_down(r, why, "PUT power running to start it");
		return;
	}
	if (!faults_count_restart(
		&r->faults, policy->max_per_hour, faults_boot_ms())) {
		snprintf(why, sizeof(why),
		    "the container ended %u times within an hour, last by %s",
		    policy->max_per_hour + 1, how);
		stay_down(r, why,
		    "see status.faults; then PUT power running to start it");
		return;
	}
	if (now - r->running_since_ms > CALM_MS)
		r->backoff_ms = 0;
	r->backoff_ms = MIN(MAX(2 * r->backoff_ms, (uint64_t)MIN_BACKOFF_MS),
	    (uint64_t)MAX_BACKOFF_MS);
	r->not_before_ms = now + r->backoff_ms;
}

void
router_care_recall(struct router *r)
{
	if (!r->faults.down)
		return;
	r->failed = true;
	snprintf(
	    r->fail_detail, sizeof(r->fail_detail), "%s", r->faults.why.detail);
	snprintf(
	    r->fail_remedy, sizeof(r->fail_remedy), "%s", r->faults.why.remedy);
}

/* --- life -------------------------------------------------------------------- */

static void
care_is_due(void *arg)
{
	router_care_sync(arg);
}

int
router_care_open(struct router *r)
{
	char dir[DURABLE_PATH];

	snprintf(dir, sizeof(dir), "%s/routers/%s", r->node->cfg.state_dir,
	    r->uid_text);
	faults_open(&r->faults, dir);
	return loop_add_timer(r->node->loop, care_is_due, r, &r->care);
}

void
router_care_close(struct router *r)
{
	if (r->care && !r->deleting) {
		r->faults.written_ms = 0;
		faults_write(&r->faults);
	}
	loop_del(r->care);
	r->care = NULL;
}
