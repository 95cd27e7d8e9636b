/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europa-dataplane: the host's data plane. Ports on one side, routers' shared
 * memory on the other, a crew of workers between them, one control thread.
 *
 * Root is needed for: DPDK's memory, the ports that are opened at start, and
 * the control socket's place. All three are done before the first byte of
 * anybody else is read; then it is user europa-dp with NET_RAW and NET_ADMIN
 * (to open ports later) and IPC_LOCK (to keep routers' pages in memory).
 */
#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "dataplane/options.h"
#include "dataplane/privileges.h"
#include "dataplane/sigbus.h"
#include "dataplane/tend.h"
#include "lib/log.h"
#include "lib/ready.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

enum { EXIT_CONFIG = 78 }; /* sysexits.h: trying again does not help */

static void
on_signal(void *arg, int fd, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		loop_stop(arg, 0);
}

/* Blocked before any thread starts, so that all of them leave it to the loop. */
static int
make_loop(struct loop **out)
{
	sigset_t set;
	int fd, rc = loop_new(out);

	if (rc < 0)
		return rc;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return loop_add_fd(*out, fd, EPOLLIN, on_signal, *out, NULL);
}

static int
open_everything(struct node *n, const struct options *o, struct err *e)
{
	int fd, rc = eal_start(o, &n->hugepages, e);

	if (rc < 0)
		return rc;
	rc = crew_new(n->loop, n->workers.n, &n->crew);
	if (rc < 0)
		return err_set(e, rc, "no workers: %s", strerror(-rc));
	rc = node_open_ports(n, o->ports);
	if (rc < 0)
		return err_set(e, rc, "%s: %s", o->ports, strerror(-rc));
	fd = wire_listen(o->socket, 0600);
	if (fd < 0)
		return err_set(e, fd, "%s: %s (does its folder exist?)",
		    o->socket, strerror(-fd));
	rc = control_new(n, fd, &n->control);
	return rc < 0 ? err_set(e, rc, "control socket: %s", strerror(-rc)) : 0;
}

static int
serve(struct node *n, const struct options *o, struct err *e)
{
	struct tend *t;
	int rc = node_publish(n);

	if (rc == 0)
		rc = sigbus_install(n->loop);
	if (rc == 0)
		rc = tend_new(n, &t);
	if (rc < 0)
		return err_set(e, rc, "start: %s", strerror(-rc));
	rc = crew_start(n->crew, o->core);
	if (rc == 0) {
		ready_up(n->hugepages ? "moves packets, on huge pages"
				      : "moves packets, on 4 KiB pages");
		rc = loop_run(n->loop);
		ready_stopping();
		crew_stop(n->crew);
	}
	tend_free(t);
	return rc < 0 ? err_set(e, rc, "the loop ended: %s", strerror(-rc)) : 0;
}

static int
run(const struct options *o, struct err *e)
{
	struct node n = { .workers.n = o->workers };
	int rc;

	for (unsigned i = 0; i < o->workers; i++)
		n.workers.node[i] = eal_numa_node(o->core[i]);
	privileges_begin();
	rc = make_loop(&n.loop);
	if (rc < 0)
		return err_set(e, rc, "no event loop: %s", strerror(-rc));
	rc = open_everything(&n, o, e);
	if (rc == 0)
		rc = privileges_drop(o->user, e);
	if (rc == 0)
		rc = serve(&n, o, e);
	control_free(n.control);
	node_clear(&n);
	crew_free(n.crew);
	loop_free(n.loop);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };
	int level;

	log_init("europa-dataplane", LOG_LEVEL_INFO);
	if (options_read(&o, argc, argv, &e) < 0) {
		log_err("%s", e.msg);
		return EXIT_CONFIG;
	}
	if (o.show_help || o.show_version) {
		if (o.show_help)
			options_print_help();
		else
			puts("europa-dataplane " EUROPA_VERSION);
		return EXIT_SUCCESS;
	}
	level = log_level_parse(o.log_level);
	if (level < 0) {
		log_err("log_level = %s: want err, warn, info or debug",
		    o.log_level);
		return EXIT_CONFIG;
	}
	if (o.check)
		return EXIT_SUCCESS;
	log_init("europa-dataplane", (enum log_level)level);
	if (run(&o, &e) < 0) {
		log_err("%s", e.msg);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
