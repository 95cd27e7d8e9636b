/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europad: the control plane of one node.
 *
 * It needs root for containers and uid ranges. It listens on a unix socket, and
 * on loopback if told so; it never touches a packet, and its death changes
 * none. Stopping it leaves every router running; SIGUSR1 stops them first.
 */
#include "agent/node.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/ready.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

enum { EXIT_USAGE = 2, EXIT_PREFLIGHT = 78 };

struct options {
	const char *config;
	bool check;
};

static void
usage(FILE *f)
{
	fprintf(f, "usage: europad [--config FILE] [--check-config]\n"
		   "       europad --help | --version\n");
}

/* Returns -1 to go on, or the exit status. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .config = EUROPA_CONFDIR "/europa.conf" };
	while ((c = getopt_long(argc, argv, "c:nhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'n':
			o->check = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			printf("europad %s\n", EUROPA_VERSION);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return EXIT_USAGE;
}

static void
on_signal(void *arg, int fd, uint32_t events)
{
	struct node *n = arg;
	struct signalfd_siginfo si;

	(void)events;
	if (read(fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGUSR1) {
		node_halt(n);
		return;
	}
	log_info("stopping; routers keep running signal=%u", si.ssi_signo);
	n->stopping = true;
	loop_stop(n->loop, 0);
}

/* Before any thread starts, so that all of them block the signals. */
static int
open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Connections and routers take descriptors; select() is not used here. */
static void
raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int
start_api(struct node *n, struct err *e)
{
	const struct api_config c = {
		.socket_path = n->cfg.socket,
		.socket_group = n->cfg.socket_group,
		.inherited_fd = ready_socket("api"),
		.tcp_port = n->cfg.tcp_port,
		.https_listen = n->cfg.listen_https,
		.tls_dir = n->cfg.state_dir,
		.web_dir = n->cfg.web_dir,
		.spool_dir = n->cfg.state_dir,
		.version = EUROPA_VERSION,
		.handler = node_accept,
		.authenticate = tokens_check,
		.token_state = tokens_state,
		.arg = n,
	};

	return api_server_start(&c, &n->api, e);
}

static int
serve(struct node *n, int signal_fd, struct err *e)
{
	int rc = node_open(n, e);

	if (rc == 0)
		rc = loop_add_fd(
		    n->loop, signal_fd, EPOLLIN, on_signal, n, NULL);
	if (rc == 0)
		rc = start_api(n, e);
	if (rc < 0)
		return rc;
	log_info("ready socket=%s", n->cfg.socket);
	ready_up("waiting for the data plane");
	node_report(n);
	rc = loop_run(n->loop);
	ready_stopping();
	return rc;
}

int
main(int argc, char **argv)
{
	static struct node node;
	struct options o;
	struct err e = { 0 };
	int signal_fd;
	int rc = parse_options(argc, argv, &o);

	if (rc >= 0)
		return rc;
	log_init("europad", LOG_LEVEL_INFO);
	if (config_load(&node.cfg, o.config, &e) < 0) {
		log_err("%s", e.msg);
		return EXIT_PREFLIGHT;
	}
	if (o.check)
		return EXIT_SUCCESS;
	log_init(
	    "europad", (enum log_level)log_level_parse(node.cfg.log_level));
	raise_limits();
	signal_fd = open_signals();
	rc = signal_fd < 0 ? signal_fd : serve(&node, signal_fd, &e);
	if (rc < 0)
		log_err("%s", e.no ? e.msg : strerror(-rc));
	node_dismiss(&node);
	api_server_stop(steal_ptr(node.api)); /* nobody listens any more */
	node_close(&node);
	base_close(signal_fd);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
