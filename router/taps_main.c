/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europa-taps: the data plane of a router whose packets the container's kernel
 * forwards. Each vNIC has a twin, a TAP interface of the same name, MAC, MTU and
 * addresses, and every frame passes through it.
 *
 *	thread  waits for                         does
 *	mover   its queues, main                  moves frames (mover.h)
 *	main    router.conf, control socket,      makes twins, sets addresses and
 *	        signals, twins while the mover    routes, answers for statistics,
 *	        sleeps, what the mover says       rings the mover
 *
 * Like europa-router it is given everything by descriptors that are open when it
 * starts. When its set of memory is over it ends with status 0; the twins end
 * with it, and with them their routes. Init starts the next one.
 */
#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "router/iface.h"
#include "router/kernel_routes.h"
#include "router/kernel_stats.h"
#include "router/mover.h"
#include "router/stats.h"
#include "router/taps.h"
#include "router/watch.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

enum { RETRY_MS = 1000 };

struct program {
	struct vnic *vnic;
	struct mover mover;
	pthread_t thread;
	bool runs; /* the thread */
	int netlink;
	struct taps taps;
	struct kernel_routes routes;
	bool refused; /* the log says so already */
	struct routerconf conf;
	const char *conf_path;
	struct watch watch;
	int signals;
	int control;         /* -1 = nobody asks */
	uint64_t generation; /* in force */
	uint64_t retry_ms;   /* when twins that failed are tried again; 0 */
	struct tap_want want[VNIC_MAX_VNICS];
};

/* --- configuration -------------------------------------------------------- */

static void
load(struct program *p)
{
	FILE *in = fopen(p->conf_path, "re");
	struct routerconf c;
	struct err e;
	int rc;

	if (!in) {
		log_info("%s: %s", p->conf_path, strerror(errno));
		return;
	}
	rc = routerconf_parse(in, p->conf_path, &c, &e);
	fclose(in);
	if (rc < 0) {
		/* the old configuration stays in force */
		log_err("%s", e.msg);
		return;
	}
	routerconf_clear(&p->conf);
	p->conf = c;
	log_info("configuration read generation=%llu",
	    (unsigned long long)c.generation);
}

/* --- the kernel is to be as the configuration and the node say ------------ */

static void
want(struct program *p)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &p->conf.vnic[i];
		struct vnic_info info;
		struct iface f;

		p->want[i] = (struct tap_want){ .present = false };
		if (!v->present || !vnic_info(p->vnic, i, &info))
			continue;
		iface_fill(&f, v, &info);
		taps_want(&p->want[i], &f, v->name, info.mtu);
	}
}

/* Before its descriptor is closed the mover lets go of it. */
static void
hide_old(struct program *p)
{
	/* relaxed: it only says of which */
	uint32_t lost =
	    atomic_exchange_explicit(&p->mover.lost, 0, memory_order_relaxed);

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct tap *t = &p->taps.tap[i];
		bool is_lost = lost >> i & 1;

		if (t->fd < 0)
			continue;
		if (!is_lost && p->want[i].present &&
		    strcmp(p->want[i].name, t->is.name) == 0)
			continue;
		mover_hide(&p->mover, i);
		if (is_lost)
			taps_lose(&p->taps, i);
	}
}

/* Returns how many the mover could not be given. */
static unsigned
show_new(struct program *p, uint32_t *link)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct tap *t = &p->taps.tap[i];

		link[i] = t->fd >= 0 ? t->is.link.index : 0;
		/* relaxed: main alone writes it */
		if (t->fd >= 0 && atomic_load_explicit(&p->mover.fd[i],
				      memory_order_relaxed) < 0)
			n += mover_show(&p->mover, i, t->fd) < 0;
	}
	return n;
}

static void
set_routes(struct program *p, const uint32_t *link)
{
	int why = 0;
	int n = kernel_routes_set(&p->routes, &p->conf, link, &why);

	if (n < 0)
		log_err("no routes: %s", strerror(-n));
	else if (n > 0 && !p->refused)
		log_warn("routes that the kernel refuses n=%d: %s", n,
		    strerror(-why));
	p->refused = n != 0;
}

static void
adjust(struct program *p)
{
	uint32_t link[VNIC_MAX_VNICS];
	unsigned n_failed;

	want(p);
	hide_old(p);
	n_failed = taps_change(&p->taps, p->want);
	n_failed += show_new(p, link);
	set_routes(p, link);
	p->retry_ms = n_failed ? loop_now_ms() + RETRY_MS : 0;
	p->generation = p->conf.generation;
}

/* --- statistics ----------------------------------------------------------- */

static void
add_counters(void *arg, struct wire_msg *m)
{
	const struct program *p = arg;

	for (enum mover_count i = 0; i < MOVER_N_COUNTS; i++)
		stats_add(m, mover_count_name(i), mover_count(&p->mover, i));
	kernel_stats_add(m, "");
}

static void
answer(struct program *p)
{
	int rc = stats_serve(p->control, p->generation, add_counters, p);

	if (rc == 0)
		return;
	if (rc != -EPIPE)
		log_warn("control socket: %s", strerror(-rc));
	base_close(p->control);
	p->control = -1;
}

/* --- life ----------------------------------------------------------------- */

static void *
run_mover(void *arg)
{
	mover_run(arg);
	return NULL;
}

static int
start_mover(struct program *p)
{
	int no = pthread_create(&p->thread, NULL, run_mover, &p->mover);

	if (no != 0)
		return -no;
	pthread_setname_np(p->thread, "mover");
	p->runs = true;
	return 0;
}

static int
open_events(struct program *p)
{
	const char *fd = getenv("EUROPA_CONTROL_FD");
	sigset_t mask;

	p->control = fd ? atoi(fd) : -1;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	p->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	return p->signals < 0 ? -errno : watch_open(&p->watch, p->conf_path);
}

static int
timeout(const struct program *p)
{
	uint64_t now = loop_now_ms();
	int ms = p->watch.fd < 0 ? WATCH_LOOK_MS : -1;

	if (p->retry_ms > 0 && (ms < 0 || p->retry_ms < now + WATCH_LOOK_MS))
		ms = (int)(MAX(p->retry_ms, now) - now);
	return ms;
}

/* Until a signal, or until the mover has ended. */
static int
serve(struct program *p)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = p->mover.ear, .events = POLLIN },
			{ .fd = p->mover.news, .events = POLLIN },
			{ .fd = p->watch.fd, .events = POLLIN },
			{ .fd = p->control, .events = POLLIN },
			{ .fd = p->signals, .events = POLLIN },
		};
		bool changed;
		uint64_t n;

		if (poll(fds, ARRAY_SIZE(fds), timeout(p)) < 0 &&
		    errno != EINTR)
			return -errno;
		if (fds[0].revents)
			mover_wake(&p->mover);
		changed =
		    fds[1].revents && read(p->mover.news, &n, sizeof(n)) > 0;
		if (fds[4].revents ||
		    atomic_load_explicit(&p->mover.gone, memory_order_seq_cst))
			return 0;
		if (watch_changed(&p->watch)) {
			load(p);
			changed = true;
		}
		if (changed || (p->retry_ms && loop_now_ms() >= p->retry_ms))
			adjust(p);
		/* last: it says what is in force */
		if (fds[3].revents)
			answer(p);
	}
}

static int
run(struct program *p)
{
	int rc = vnic_attach_env(&p->vnic);

	if (rc < 0) {
		log_err(
		    "cannot attach to the node's memory: %s", strerror(-rc));
		return rc;
	}
	rc = mover_open(&p->mover, p->vnic);
	if (rc == 0)
		rc = open_events(p);
	if (rc == 0)
		rc = p->netlink = netlink_open(false);
	if (rc >= 0) {
		taps_tame_kernel(true);
		taps_init(&p->taps, &taps_io_kernel, p->netlink);
		p->routes.netlink = p->netlink;
		rc = start_mover(p);
	}
	if (rc == 0) {
		load(p);
		adjust(p);
		rc = serve(p);
	}
	if (rc < 0)
		log_err("cannot serve: %s", strerror(-rc));
	return rc;
}

static void
clean_up(struct program *p)
{
	if (p->runs) {
		mover_stop(&p->mover);
		pthread_join(p->thread, NULL);
	}
	taps_close(&p->taps); /* and the netlink socket */
	kernel_routes_clear(&p->routes);
	routerconf_clear(&p->conf);
	mover_close(&p->mover);
	vnic_detach(p->vnic);
	watch_close(&p->watch);
	base_close(p->control);
	base_close(p->signals);
}

int
main(int argc, char **argv)
{
	static struct program p = {
		.signals = -1,
		.control = -1,
		.watch = { .fd = -1 },
		.mover = { .twins = -1, .ear = -1, .news = -1 },
		.routes = { .add = netlink_add_route,
		    .delete = netlink_delete_route },
	};
	const char *conf = getenv("EUROPA_CONF");
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("europa-taps " EUROPA_VERSION);
		return 0;
	}
	if (argc != 1) {
		fputs("usage: europa-taps [--version]\n", stderr);
		return 2;
	}
	log_init("europa-taps", LOG_LEVEL_INFO);
	mallopt(M_ARENA_MAX, 1);
	p.conf_path = conf ? conf : "/run/europa/router.conf";
	taps_init(&p.taps, &taps_io_kernel, -1);
	rc = run(&p);
	clean_up(&p);
	return rc < 0 ? 1 : 0;
}
