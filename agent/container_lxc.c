/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_lxc: containers by europa-launch, one process per operation.
 *
 * It starts the launcher with nothing of europad's but a pipe for its report,
 * waits for its end by a pidfd in the loop, and reads the report. A launcher
 * that takes too long is killed; what it was doing is then unknown, which the
 * next operation repairs. A few run at a time, the others wait in line: two
 * hundred routers that start at once would only stand in each other's way.
 *
 * Invariant: an operation is in exactly one list from its call to its done.
 */
#include "agent/container_use.h"
#include "agent/launch_args.h"
#include "agent/launch_report.h"
#include "lib/base.h"
#include "lib/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MAX_RUNNING = 8, TIMEOUT_MS = 20000, REPORT_BYTES = 4096 };

struct op {
	struct lxc *lxc;
	struct op *next;
	struct launch_args args; /* strings: owned copies, in text */
	char *text;
	container_done_fn done;
	void *arg;

	int pidfd;
	int pipe_fd;
	struct loop_source *on_exit;
	struct loop_source *on_output;
	struct loop_source *timer;
	bool timed_out;
	struct err error; /* why it could not be started */
	char report[REPORT_BYTES];
	size_t n;
};

struct lxc {
	struct loop *loop;
	char *dir;
	char *launcher;
	struct op *running;
	struct op *waiting;
	struct op **last; /* of waiting */
	unsigned n_running;
	struct cgroups *groups; /* NULL: use is not counted */
};

static void
op_free(struct op *o)
{
	if (!o)
		return;
	loop_del(o->on_exit);
	loop_del(o->on_output);
	loop_del(o->timer);
	base_close(o->pidfd);
	base_close(o->pipe_fd);
	free(o->text);
	free(o);
}

static void start_waiting(struct lxc *x);

/* Ends an operation: out of the list first, since done may begin another. */
static void
finish(struct op *o, int rc, const struct container_status *st,
    const struct err *e)
{
	struct lxc *x = o->lxc;

	for (struct op **at = &x->running; *at; at = &(*at)->next) {
		if (*at == o) {
			*at = o->next;
			break;
		}
	}
	x->n_running--;
	start_waiting(x);
	/* e may lie in o */
	o->done(o->arg, rc, rc < 0 ? NULL : st, e);
	op_free(o);
}

/* Keeps what fits; the rest is read and forgotten. */
static void
read_output(struct op *o)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(o->pipe_fd, buf, sizeof(buf))) > 0) {
		size_t m = MIN((size_t)n, sizeof(o->report) - 1 - o->n);

		memcpy(o->report + o->n, buf, m);
		o->n += m;
	}
	if (n == 0) {
		loop_del(o->on_output);
		o->on_output = NULL;
	}
}

static void
output_ready(void *arg, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	read_output(arg);
}

static void
launcher_exited(void *arg, int fd, uint32_t events)
{
	struct op *o = arg;
	const char *verb = launch_verb_name(o->args.verb);
	struct container_status st = { .state = CONTAINER_STOPPED };
	struct err e = { 0 };
	siginfo_t info = { 0 };
	int rc;

	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0 &&
	    info.si_pid == 0)
		return;
	read_output(o);
	o->report[o->n] = '\0';
	if (o->timed_out)
		rc = err_set(&e, -ETIMEDOUT, "%s took longer than %d s", verb,
		    TIMEOUT_MS / 1000);
	else if (o->n == 0)
		rc = err_set(&e, -EPROTO,
		    "europa-launch %s ended without a word (%s %d)", verb,
		    info.si_code == CLD_EXITED ? "status" : "signal",
		    info.si_status);
	else
		rc = launch_report_parse(o->report, &st, &e);
	if (rc < 0)
		err_wrap(&e, "%s container %s", verb, o->args.spec.uid);
	finish(o, rc, &st, &e);
}

static void
time_is_up(void *arg)
{
	struct op *o = arg;

	if (o->pidfd < 0) {
		finish(o, o->error.no, NULL, &o->error);
		return;
	}
	o->timed_out = true;
	syscall(SYS_pidfd_send_signal, o->pidfd, SIGKILL, NULL, 0);
}

/* stdin is /dev/null, stdout and stderr the pipe; nothing else is inherited. */
static int
spawn(const struct op *o, int out_fd, pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LC_ALL=C";
	char *env[] = { path, lang, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	struct launch_argv argv;
	sigset_t none, all;
	int no;

	launch_args_format(&o->args, o->lxc->launcher, &argv);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	no = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDWR, 0);
	if (no == 0)
		no = posix_spawn_file_actions_adddup2(&fa, out_fd, 1);
	if (no == 0)
		no = posix_spawn_file_actions_adddup2(&fa, out_fd, 2);
	if (no == 0)
		no = posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETSID);
	if (no == 0)
		no = posix_spawn(
		    pid, o->lxc->launcher, &fa, &attr, argv.argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return -no;
}

static int
launch(struct op *o)
{
	scoped_close int out = -1;
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	o->pipe_fd = fds[0];
	out = fds[1];
	if (fcntl(o->pipe_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	rc = loop_add_fd(
	    o->lxc->loop, o->pipe_fd, EPOLLIN, output_ready, o, &o->on_output);
	if (rc < 0)
		return rc;
	rc = spawn(o, out, &pid);
	if (rc < 0)
		return rc;
	o->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (o->pidfd < 0)
		rc = -errno;
	else
		rc = loop_add_fd(o->lxc->loop, o->pidfd, EPOLLIN,
		    launcher_exited, o, &o->on_exit);
	if (rc < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		base_close(o->pidfd);
		o->pidfd = -1;
	}
	return rc;
}

static void
start_waiting(struct lxc *x)
{
	while (x->waiting && x->n_running < MAX_RUNNING) {
		struct op *o = x->waiting;
		int rc;

		x->waiting = o->next;
		if (!x->waiting)
			x->last = &x->waiting;
		o->next = x->running;
		x->running = o;
		x->n_running++;
		rc = launch(o);
		if (rc < 0)
			err_set(&o->error, rc, "%s: %s", x->launcher,
			    strerror(-rc));
		/* a failure is told from the loop, not from within the call */
		loop_arm(o->timer, rc < 0 ? 0 : TIMEOUT_MS);
	}
}

/* Copies *s to *at, and lets *s point there. */
static void
keep(const char **s, char **at)
{
	size_t n;

	if (!*s)
		return;
	n = strlen(*s) + 1;
	memcpy(*at, *s, n);
	*s = *at;
	*at += n;
}

static size_t
length(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static struct op *
op_new(struct lxc *x, enum container_verb verb, const struct container_spec *s)
{
	struct op *o = calloc(1, sizeof(*o));
	char *at;

	if (!o)
		return NULL;
	o->lxc = x;
	o->pidfd = o->pipe_fd = -1;
	o->args = (struct launch_args){ verb, x->dir, *s };
	o->text = malloc(length(s->uid) + length(s->hostname) +
			 length(s->rootfs) + length(s->run_dir));
	if (!o->text || loop_add_timer(x->loop, time_is_up, o, &o->timer) < 0) {
		op_free(o);
		return NULL;
	}
	at = o->text;
	keep(&o->args.spec.uid, &at);
	keep(&o->args.spec.hostname, &at);
	keep(&o->args.spec.rootfs, &at);
	keep(&o->args.spec.run_dir, &at);
	return o;
}

static void
op_begin(void *cookie, enum container_verb verb, const struct container_spec *s,
    container_done_fn done, void *arg)
{
	struct lxc *x = cookie;
	struct op *o = op_new(x, verb, s);

	if (!o) {
		/* without memory for a timer there is no later */
		struct err e = { 0 };

		err_set(&e, -ENOMEM, "out of memory");
		done(arg, -ENOMEM, NULL, &e);
		return;
	}
	o->done = done;
	o->arg = arg;
	*x->last = o;
	x->last = &o->next;
	start_waiting(x);
}

static void
op_list(void *cookie, void (*fn)(void *arg, const char *uid), void *arg)
{
	struct lxc *x = cookie;
	DIR *d = opendir(x->dir);
	const struct dirent *de;

	while (d && (de = readdir(d)))
		if (de->d_type == DT_DIR && launch_uid_is_valid(de->d_name))
			fn(arg, de->d_name);
	if (d)
		closedir(d);
}

/* A launcher that is under way finishes its work; nobody waits for it. */
static void
op_close(void *cookie)
{
	struct lxc *x = cookie;

	if (!x)
		return;
	while (x->running || x->waiting) {
		struct op **list = x->running ? &x->running : &x->waiting;
		struct op *o = *list;

		*list = o->next;
		op_free(o);
	}
	free(x->groups);
	free(x->dir);
	free(x->launcher);
	free(x);
}

static void
op_use(void *cookie, const char *uid, pid_t init_pid, struct container_use *out)
{
	const struct lxc *x = cookie;

	container_use_read(x->groups, uid, init_pid, out);
}

/* A host without them has no containers either; whoever starts one is told. */
static struct cgroups *
find_groups(void)
{
	struct cgroups *c = calloc(1, sizeof(*c));
	struct err e;

	if (!c ||
	    cgroups_probe(c, "/proc/self/mounts", "/proc/1/cgroup", &e) == 0)
		return c;
	log_warn("what containers use is not counted: %s", e.msg);
	free(c);
	return NULL;
}

static int
op_open(struct loop *l, const struct container_config *c, void **cookie,
    struct err *e)
{
	struct lxc *x;

	if (access(c->launcher, X_OK) < 0)
		return err_set(
		    e, -errno, "%s: %s", c->launcher, strerror(errno));
	x = calloc(1, sizeof(*x));
	if (!x)
		return err_set(e, -ENOMEM, "out of memory");
	x->loop = l;
	x->last = &x->waiting;
	x->dir = strdup(c->dir);
	x->launcher = strdup(c->launcher);
	if (!x->dir || !x->launcher) {
		op_close(x);
		return err_set(e, -ENOMEM, "out of memory");
	}
	x->groups = find_groups();
	*cookie = x;
	return 0;
}

const struct container_ops container_lxc = {
	.name = "lxc",
	.open = op_open,
	.close = op_close,
	.begin = op_begin,
	.list = op_list,
	.use = op_use,
};
