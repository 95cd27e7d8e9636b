/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europa-router: the reference data plane of a virtual router.
 *
 *	thread  waits for                      does
 *	fast f  data queues q, q mod F = f     forwards
 *	slow    control queue, exceptions      ARP, ND, ICMP, tables
 *	main    router.conf, control socket,   reads configurations, answers
 *	        signals, pipelines             questions, changes pipelines, ends
 *	                                       the others
 *
 * It is given everything by descriptors that are open when it starts, and needs
 * no privilege. When its set of memory is over it ends with status 0, and the
 * container's init starts it again with a new one.
 */
#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "router/beside.h"
#include "router/ctl_server.h"
#include "router/dpdk.h"
#include "router/fast.h"
#include "router/feed.h"
#include "router/live.h"
#include "router/rehearse.h"
#include "router/script_text.h"
#include "router/slow.h"
#include "router/stats.h"
#include "router/watch.h"
#include "router/watchdog.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

struct router {
	struct vnic *vnic;
	unsigned n_fast;
	struct fast fast[VNIC_MAX_QUEUES];
	unsigned n_paths;
	struct pipeline *path; /* one per queue; the last is the slow path's */
	struct slow slow;
	pthread_t thread[VNIC_MAX_QUEUES]; /* the last is the slow path */
	unsigned n_threads;
	int over; /* eventfd: a thread says that the set is over */
	int signals;
	int control; /* -1 = nobody asks */
	const char *conf;
	struct watch watch;
	struct live live;
	struct feed feed;
	struct beside beside;
	struct ctl ctl;
};

/* --- configuration -------------------------------------------------------- */

/* No plan could be made of what is at path. */
static int
refuse(const char *path, int rc, struct err *e)
{
	return err_set(e, rc, "%s: %s", path,
	    rc == -E2BIG ? "too many gateways" : strerror(-rc));
}

/*
 * The kernel kills who wants more memory than its container has. The process
 * that init starts then begins without DPDK, so that packets flow; the next
 * change of the configuration tries again.
 */
static bool
is_after_a_kill(void)
{
	static bool is_first = true;
	const char *end = getenv("EUROPA_LAST_END");
	int status = is_first && end ? atoi(end) : 0;

	is_first = false;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* A configuration, with the parts of DPDK that it asks for. */
static int
read_conf(const char *path, struct routerconf *c, struct err *e)
{
	bool is_risky = is_after_a_kill();
	int rc = routerconf_read(path, c, e);

	if (rc < 0 || !(c->rte_fib || routerconf_wants_acl(c)))
		return rc;
	if (is_risky) {
		log_err("%s: not with DPDK: the process before this one was "
			"killed, as for want of memory",
		    path);
		c->rte_fib = false;
		c->acl_from = 0;
		return 0;
	}
	rc = dpdk_start(c->dpdk_mib ? c->dpdk_mib : DPDK_MIB, e);
	if (rc < 0) {
		routerconf_clear(c);
		err_wrap(e, "%s", path);
	}
	return rc;
}

/* pipeline: what is to forward, "" if the configuration does not say. */
static int
make_plan(const char *path, struct plan **out,
    char pipeline[ROUTERCONF_MAX_PIPELINE], struct err *e)
{
	struct routerconf c;
	int rc = read_conf(path, &c, e);

	if (rc < 0)
		return rc;
	rc = plan_make(&c, out);
	if (rc < 0)
		refuse(path, rc, e);
	strcpy(pipeline, c.pipeline);
	routerconf_clear(&c);
	return rc;
}

static void
load(struct router *r)
{
	struct routerconf c;
	struct err e;
	int rc = read_conf(r->conf, &c, &e);

	if (rc == 0) {
		beside_configure(&r->beside, &c);
		rc = feed_conf(&r->feed, &c);
		if (rc < 0)
			refuse(r->conf, rc, &e);
	}
	if (rc < 0) {
		/* the old configuration stays in force */
		if (e.no == -ENOENT)
			log_info("%s", e.msg);
		else
			log_err("%s", e.msg);
		return;
	}
	log_info("configuration read generation=%llu",
	    (unsigned long long)c.generation);
	if (r->feed.n_inactive > 0)
		log_warn("routes that lead nowhere are left out n=%zu",
		    r->feed.n_inactive);
	live_select(&r->live, c.pipeline[0] ? c.pipeline : NULL);
}

static int
check_pipeline(const char *path)
{
	struct script_text t = { .name = path };
	scoped_free char *text = NULL;
	struct rehearse_child c;
	struct err e = { 0 };
	int rc = -1;

	t.text = text = revisions_read_file(path, &t.len, &e);
	if (text) {
		rc = rehearse_spawn(&c, &t);
		if (rc < 0)
			err_set(
			    &e, rc, "%s: no check: %s", path, strerror(-rc));
	}
	if (rc == 0) {
		struct pollfd p = { .fd = c.fd, .events = POLLIN };

		while (!rehearse_hear(&c))
			poll(&p, 1, REHEARSE_MS);
		rc = rehearse_end(&c, path, &e);
	}
	fprintf(rc < 0 ? stderr : stdout, "%s\n", e.msg);
	return rc < 0;
}

static bool
is_lua(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && strcmp(dot, ".lua") == 0;
}

static int
check(const char *path)
{
	char pipeline[ROUTERCONF_MAX_PIPELINE];
	struct plan *p;
	struct err e;

	if (is_lua(path))
		return check_pipeline(path);
	if (make_plan(path, &p, pipeline, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	printf("%s: generation %llu, lookup table of %zu bytes\n", path,
	    (unsigned long long)p->generation,
	    fib4_bytes(p->fib) + fib6_bytes(p->fib6));
	if (p->n_inactive > 0)
		printf("%s: %zu routes lead nowhere\n", path, p->n_inactive);
	plan_free(p);
	return pipeline[0] == '/' ? check_pipeline(pipeline) : 0;
}

/* --- threads -------------------------------------------------------------- */

static void
say_over(const struct router *r)
{
	uint64_t one = 1;

	if (write(r->over, &one, sizeof(one)) < 0)
		log_err("cannot end: %s", strerror(errno));
}

struct start {
	struct router *r;
	unsigned i;
};

static struct start starts[VNIC_MAX_QUEUES];

static void *
run_thread(void *arg)
{
	struct start *s = arg;
	struct router *r = s->r;

	if (s->i < r->n_fast)
		fast_run(&r->fast[s->i]);
	else
		slow_run(&r->slow);
	say_over(r);
	return NULL;
}

static int
start_threads(struct router *r)
{
	for (; r->n_threads <= r->n_fast; r->n_threads++) {
		struct start *s = &starts[r->n_threads];
		pthread_t *thread = &r->thread[r->n_threads];
		int no;

		*s = (struct start){ r, r->n_threads };
		no = pthread_create(thread, NULL, run_thread, s);
		if (no != 0)
			return -no;
		pthread_setname_np(*thread, s->i < r->n_fast ? "fast" : "slow");
	}
	return 0;
}

/* Within a tick, and is joined; by the clock that ThreadSanitizer knows. */
static bool
has_ended(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += WATCHDOG_TICK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT;
}

/* One that stands still does not end: live_look() ends the process then. */
static void
stop_threads(struct router *r)
{
	for (unsigned f = 0; f < r->n_fast; f++)
		fast_stop(&r->fast[f]);
	slow_stop(&r->slow);
	for (unsigned i = 0; i < r->n_threads; i++)
		while (!has_ended(r->thread[i]))
			live_look(&r->live);
	r->n_threads = 0;
}

/* --- set-up --------------------------------------------------------------- */

/* As many as the node says, and no more than there are data queues. */
static unsigned
count_fast(const struct router *r, unsigned n_data)
{
	unsigned n = routerconf_fast_paths(r->conf);

	return n == 0 ? n_data : MIN(n, n_data);
}

static int
open_paths(struct router *r)
{
	unsigned n = vnic_layout(r->vnic)->g.n_queues;
	int rc;

	r->path = calloc(n, sizeof(*r->path));
	if (!r->path)
		return -ENOMEM;
	r->n_paths = n;
	rc = slow_init(&r->slow, r->vnic, r->path, n);
	if (rc < 0)
		return rc;
	r->n_fast = count_fast(r, n - 1);
	for (unsigned q = 0; rc == 0 && q < n - 1; q++) {
		struct fast *f = &r->fast[q % r->n_fast];

		f->publish = &r->slow.publish;
		f->reader = q % r->n_fast;
		rc = fast_add(f, r->vnic, q, &r->path[q], &r->slow.bell);
	}
	return rc;
}

static int
open_pipelines(struct router *r)
{
	char word[ROUTERCONF_MAX_PIPELINE];
	bool said = routerconf_pipeline(r->conf, word);
	int rc = live_open(&r->live, r->conf, r->fast, r->n_fast);

	if (rc == 0)
		live_begin(&r->live, said ? word : NULL);
	return rc;
}

static void
close_paths(struct router *r)
{
	ctl_close(&r->ctl);
	beside_close(&r->beside);
	feed_close(&r->feed);
	live_close(&r->live);
	while (r->n_fast > 0)
		fast_destroy(&r->fast[--r->n_fast]);
	if (r->slow.queue)
		slow_destroy(&r->slow);
	free(r->path);
}

static int
open_events(struct router *r)
{
	const char *fd = getenv("EUROPA_CONTROL_FD");
	sigset_t mask;

	r->control = fd ? atoi(fd) : -1;
	r->over = eventfd(0, EFD_CLOEXEC);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	r->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (r->over < 0 || r->signals < 0)
		return -errno;
	return watch_open(&r->watch, r->conf);
}

static void
answer(struct router *r)
{
	/* pairs with the store in slow.c */
	uint64_t generation =
	    atomic_load_explicit(&r->slow.generation, memory_order_acquire);
	int rc = stats_answer(
	    r->control, r->path, r->n_paths, &r->slow.hits, generation);

	if (rc == 0)
		return;
	if (rc != -EPIPE)
		log_warn("control socket: %s", strerror(-rc));
	base_close(r->control);
	r->control = -1;
}

static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/*
 * How long there may be nothing to do. Without an inotify instance it looks now
 * and then.
 */
static int
timeout(struct router *r)
{
	int ms = sooner(live_timeout(&r->live), ctl_timeout(&r->ctl));

	ms = sooner(ms, beside_timeout(&r->beside));
	if (feed_is_busy(&r->feed))
		return 0;
	if (r->watch.fd < 0 && (ms < 0 || ms > WATCH_LOOK_MS))
		ms = WATCH_LOOK_MS;
	return ms;
}

/*
 * Until there is something to do; 0, or negative errno. The watchdog's looks
 * meanwhile are no turn: where there are a hundred routers, those add up.
 */
static int
wait_for_work(struct router *r, struct pollfd *fds, nfds_t n_fds)
{
	int ms = timeout(r);
	uint64_t now = loop_now_ms();
	uint64_t due = ms < 0 ? UINT64_MAX : now + (uint64_t)ms;

	for (;;) {
		int look = live_look_due(&r->live);
		int left = /* at most ms */
		    ms < 0 ? -1 : (int)(due - MIN(now, due));
		int n = poll(fds, n_fds, sooner(left, look));

		if (n < 0 && errno != EINTR)
			return -errno;
		now = loop_now_ms();
		if (n != 0 || look < 0 || now >= due)
			return 0;
		live_look(&r->live);
	}
}

/* Who cannot ask the router itself can still ask the node. */
static int
open_control(struct router *r)
{
	struct ctl_view view = {
		.vnic = r->vnic,
		.slow = &r->slow,
		.feed = &r->feed,
		.live = &r->live,
		.paths = r->path,
		.n_paths = r->n_paths,
	};
	int rc = feed_open(&r->feed, r->conf, &r->slow);

	beside_init(&r->beside, &r->feed);
	if (rc < 0)
		return rc;
	rc = ctl_open(&r->ctl, r->conf, &view);
	if (rc < 0)
		log_warn("no socket of its own: %s", strerror(-rc));
	return 0;
}

/* Until a signal, or until a thread has ended. */
static int
serve(struct router *r)
{
	for (;;) {
		int rc;
		struct pollfd fds[5 + LIVE_FDS + CTL_FDS + BESIDE_FDS] = {
			{ .fd = r->watch.fd, .events = POLLIN },
			{ .fd = r->control, .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->over, .events = POLLIN },
			{ .fd = r->feed.update.event, .events = POLLIN },
		};

		live_poll(&r->live, fds + 5);
		ctl_poll(&r->ctl, fds + 5 + LIVE_FDS);
		beside_poll(&r->beside, fds + 5 + LIVE_FDS + CTL_FDS);
		rc = wait_for_work(r, fds, ARRAY_SIZE(fds));
		if (rc < 0)
			return rc;
		if (fds[2].revents || fds[3].revents)
			return 0;
		/* before an answer: it says what is in force */
		if (watch_changed(&r->watch))
			load(r);
		if (fds[1].revents)
			answer(r);
		live_turn(&r->live, fds + 5);
		feed_turn(&r->feed); /* so that clients see what is done */
		ctl_turn(&r->ctl);
		beside_turn(&r->beside);
		feed_turn(&r->feed);
	}
}

static int
run(struct router *r)
{
	int rc = vnic_attach_env(&r->vnic);

	if (rc < 0) {
		log_err(
		    "cannot attach to the node's memory: %s", strerror(-rc));
		return rc;
	}
	rc = open_events(r);
	if (rc < 0) {
		log_err("cannot watch %s: %s", r->conf, strerror(-rc));
		return rc;
	}
	rc = open_paths(r);
	if (rc == 0)
		rc = open_control(r);
	if (rc == 0)
		rc = open_pipelines(r);
	if (rc == 0)
		rc = start_threads(r);
	if (rc == 0) {
		load(r);
		rc = serve(r);
	}
	if (rc < 0)
		log_err("cannot serve: %s", strerror(-rc));
	stop_threads(r);
	return rc;
}

static void
clean_up(struct router *r)
{
	close_paths(r);
	vnic_detach(r->vnic);
	watch_close(&r->watch);
	base_close(r->control);
	base_close(r->signals);
	base_close(r->over);
}

int
main(int argc, char **argv)
{
	static struct router r = {
		.over = -1,
		.signals = -1,
		.control = -1,
		.watch = { .fd = -1 },
		.beside = { .from = { .events = -1, .requests = -1 } },
		.ctl = { .fd = -1, .snapshot.event = -1 },
	};
	const char *conf = getenv("EUROPA_CONF");
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("europa-router " EUROPA_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--show-pipeline") == 0) {
		fputs(script_text_pipeline, stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		return check(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--rehearse") == 0)
		return rehearse_main(argv[2]);
	if (argc != 1) {
		fputs("usage: europa-router [--check FILE] [--show-pipeline] "
		      "[--version]\n",
		    stderr);
		return 2;
	}
	log_init("europa-router", LOG_LEVEL_INFO);
	/* threads share one heap: control code needs no more, memory does */
	mallopt(M_ARENA_MAX, 1);
	r.conf = conf ? conf : "/run/europa/router.conf";
	rc = run(&r);
	clean_up(&r);
	return rc < 0 ? 1 : 0;
}
