/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europa-init: the first process of a router's container.
 *
 *	europa-init [--socket PATH] [--conf-dir PATH] [--log PATH]
 *	            [--service PATH] [--root PATH]
 *	europa-init --file ROOT VERB PATH ...
 *
 * It connects to europad, gets the shared memory and the configuration, starts
 * the data plane and keeps it running, and beside it the service of the
 * template, if that has one; it reaps whatever loses its parent. It
 * mounts nothing and parses nothing but europad's messages. Statically linked:
 * it needs no file of the container but the program that it starts.
 *
 * As process 1 it writes to /var/log/europa.log, for a container has no
 * console. SIGTERM, SIGINT and SIGPWR end the data plane and then init.
 *
 * Invariant: init ends by a signal only, never by what a message says.
 */
#include "container-templates/init.h"
#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char default_log[] = "/var/log/europa.log";

struct init {
	struct loop *loop;
	struct init_child child;
	struct init_link link;
	struct init_service service;
	char *service_path;
	const char *log_path;
	int signal_fd;
};

static void
child_changed(void *arg)
{
	struct init *s = arg;

	init_link_send_state(&s->link);
}

static void
child_stats(void *arg, const struct wire_msg *m)
{
	struct init *s = arg;

	init_link_send(&s->link, m);
}

static void
reap(struct init *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!init_child_reaped(&s->child, pid, status) &&
		    !init_service_reaped(&s->service, pid, status))
			init_session_reaped(pid, status);
}

static void
signal_ready(void *arg, int fd, uint32_t events)
{
	struct signalfd_siginfo info;
	struct init *s = arg;

	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(s);
			continue;
		}
		if (s->child.pid)
			kill(s->child.pid, SIGTERM);
		init_service_stop(&s->service);
		loop_stop(s->loop, 0);
	}
}

static int
watch_signals(struct init *s)
{
	const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGPWR };
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	/* process 1 gets blocked signals too, and ignored ones never */
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return -errno;
	return loop_add_fd(
	    s->loop, s->signal_fd, EPOLLIN, signal_ready, s, NULL);
}

static void
open_log(const char *path)
{
	int fd;

	if (strcmp(path, default_log) == 0)
		mkdir("/var/log", 0755);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	base_close(fd);
}

static int
parse_options(struct init *s, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "conf-dir", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' },
		{ "service", required_argument, NULL, 'v' },
		{ "root", required_argument, NULL, 'r' },
		{ 0 },
	};
	static char service[] = INIT_SERVICE;
	const char *conf_dir = "/run/europa";
	int o;

	s->link.root = "/";
	s->link.socket_path = "/run/europa-node/agent.sock";
	s->log_path = getpid() == 1 ? default_log : NULL;
	s->service_path = service;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's')
			s->link.socket_path = optarg;
		else if (o == 'c')
			conf_dir = optarg;
		else if (o == 'l')
			s->log_path = optarg;
		else if (o == 'v')
			s->service_path = optarg;
		else if (o == 'r')
			s->link.root = optarg;
		else
			return -EINVAL;
	}
	if (optind != argc)
		return -EINVAL;
	s->link.conf_dir = s->child.conf_dir = conf_dir;
	s->child.log_path = s->log_path;
	return 0;
}

static int
begin(struct init *s)
{
	int rc = loop_new(&s->loop);

	if (rc == 0)
		rc = watch_signals(s);
	if (rc == 0)
		rc = init_child_open(&s->child, s->loop);
	if (rc < 0)
		return rc;
	s->child.changed = child_changed;
	s->child.stats = child_stats;
	s->child.arg = s;
	s->link.child = &s->child;
	if (mkdir(s->link.conf_dir, 0755) < 0 && errno != EEXIST)
		log_err("%s: %s", s->link.conf_dir, strerror(errno));
	init_log_open(s->loop, s->log_path);
	init_conf_default(INIT_DATAPLANE);
	rc = init_service_open(&s->service, s->loop, s->service_path);
	return rc < 0 ? rc : init_link_open(&s->link, s->loop);
}

int
main(int argc, char *argv[])
{
	static struct init s;
	int rc;

	if (argc > 1 && strcmp(argv[1], "--file") == 0)
		return init_file_main(argc - 2, argv + 2);
	rc = parse_options(&s, argc, argv);
	if (rc < 0) {
		fprintf(stderr, "usage: europa-init [--socket PATH] "
				"[--conf-dir PATH] [--log PATH] "
				"[--service PATH] [--root PATH]\n");
		return 2;
	}
	umask(022);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
	if (s.log_path)
		open_log(s.log_path);
	log_init("europa-init", LOG_LEVEL_INFO);
	/* outside of a container orphans come to us as well */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	rc = begin(&s);
	if (rc == 0)
		rc = loop_run(s.loop);
	if (rc < 0)
		log_err("cannot go on: %s", strerror(-rc));
	return rc < 0 ? 1 : 0;
}
