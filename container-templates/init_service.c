/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_service: a second program of the template, a routing daemon for example,
 * see init.h. There is one where the template has the file INIT_SERVICE; it runs
 * from the beginning to the end of the container, whatever the data plane does.
 *
 * One that ends is started again, after 100 ms and twice as long each time, at
 * most 5 s, until it has lived for ten seconds.
 */
#include "container-templates/init.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <signal.h>

enum {
	SERVICE_FIRST_MS = 100,
	SERVICE_MAX_MS = 5000,
	SERVICE_HEALTHY_MS = 10000
};

/* In the new process: from here to exec nothing of init's may be used. */
static _Noreturn void
become_service(const struct init_service *s)
{
	char *argv[] = { s->path, NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
	setenv("HOME", "/root", 0);
	execv(s->path, argv);
	log_err("%s: %s", s->path, strerror(errno));
	_exit(127);
}

static void
start(void *arg)
{
	struct init_service *s = arg;
	pid_t pid = fork();

	if (pid == 0)
		become_service(s);
	if (pid < 0) {
		log_err("cannot start %s: %s", s->path, strerror(errno));
		loop_arm(s->timer, SERVICE_MAX_MS);
		return;
	}
	s->pid = pid;
	s->started_ms = loop_now_ms();
}

bool
init_service_reaped(struct init_service *s, pid_t pid, int status)
{
	if (!s->pid || pid != s->pid)
		return false;
	kill(-pid, SIGKILL); /* what it left behind */
	s->pid = 0;
	if (loop_now_ms() - s->started_ms >= SERVICE_HEALTHY_MS)
		s->backoff_ms = SERVICE_FIRST_MS;
	log_warn("%s ended, status=%#x, again in %u ms", s->path,
	    (unsigned)status, s->backoff_ms);
	loop_arm(s->timer, s->backoff_ms);
	s->backoff_ms = MIN(s->backoff_ms * 2, (unsigned)SERVICE_MAX_MS);
	return true;
}

void
init_service_stop(const struct init_service *s)
{
	if (s->pid)
		kill(-s->pid, SIGTERM);
}

int
init_service_open(struct init_service *s, struct loop *l, char *path)
{
	int rc;

	s->path = path;
	s->backoff_ms = SERVICE_FIRST_MS;
	if (access(path, X_OK) < 0)
		return 0;
	rc = loop_add_timer(l, start, s, &s->timer);
	if (rc == 0)
		start(s);
	return rc;
}
