/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_child: the data plane process, see init.h.
 *
 * It runs whenever there are descriptors and a configuration. A first death is
 * repaired at once; one that dies again within ten seconds waits 10 ms, then
 * twice as long each time, at most 1 s. It has a session of its own: what is
 * left of its process group is killed when it ends, so that no half of an old
 * data plane holds a queue against the new one. It is told how the process
 * before it ended, so that it need not run again what crashed that one:
 * EUROPA_LAST_END, the status of wait(2), 0 for the first and after an end that
 * init wanted.
 *
 * At most one STATS_GET is on its way to the child. If europad asks again
 * meanwhile, the answer goes to the later question; if the child owes an answer
 * for a second, it is asked anew.
 */
#include "container-templates/init.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
	FIRST_BACKOFF_MS = 10,
	MAX_BACKOFF_MS = 1000,
	HEALTHY_MS = 10000,
	GRACE_MS = 500,
	ANSWER_MS = 1000,
	MAX_LOG_BYTES = 1 << 20,
};

static void
close_control(struct init_child *c)
{
	loop_del(c->on_control);
	c->on_control = NULL;
	base_close(c->control_fd);
	c->control_fd = -1;
	c->stats_id = 0;
	c->asked_ms = 0;
}

/* Only the answer to our last question passes; all else is dropped. */
static void
control_ready(void *arg, int fd, uint32_t events)
{
	struct init_child *c = arg;
	struct wire_msg m;
	int rc = wire_recv(fd, &m);

	(void)events;
	if (rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc < 0) {
		if (rc != -EPIPE && rc != -ECONNRESET)
			log_warn("data plane speaks nonsense, "
				 "its control socket is closed");
		close_control(c);
		return;
	}
	if (m.type == WIRE_STATS && m.id == c->sequence && c->stats_id) {
		m.id = c->stats_id;
		c->stats_id = 0;
		c->asked_ms = 0;
		if (c->stats)
			c->stats(c->arg, &m);
	}
	wire_close_fds(&m);
}

void
init_child_ask_stats(struct init_child *c, uint32_t id)
{
	struct wire_msg m = { .type = WIRE_STATS_GET };

	if (c->control_fd < 0)
		return;
	c->stats_id = id;
	if (c->asked_ms && loop_now_ms() - c->asked_ms < ANSWER_MS)
		return;
	if (++c->sequence == 0)
		c->sequence = 1;
	m.id = c->sequence;
	if (wire_send(c->control_fd, &m) == 0)
		c->asked_ms = loop_now_ms();
}

static void
inherit(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0) {
		/* it only makes us more likely to survive a lack of memory */
	}
	base_close(fd);
}

/* stdout and stderr of the child: the log, begun anew when it is too long. */
static void
open_log(const char *path)
{
	struct stat st;
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > MAX_LOG_BYTES &&
	    ftruncate(fd, 0) < 0) {
		/* it stays long */
	}
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
set_environment(const struct init_child *c, int control)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%d,%d,%d", c->fds.host,
	    c->fds.router, c->fds.pool);

	for (unsigned i = 0; i < c->fds.n_bells; i++)
		n += snprintf(
		    text + n, sizeof(text) - (size_t)n, ",%d", c->fds.bell[i]);
	setenv("EUROPA_VNIC_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", control);
	setenv("EUROPA_CONTROL_FD", text, 1);
	snprintf(text, sizeof(text), "%u", c->last_end);
	setenv("EUROPA_LAST_END", text, 1);
	snprintf(text, sizeof(text), "%s/router.conf", c->conf_dir);
	setenv("EUROPA_CONF", text, 1);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
	setenv("HOME", "/root", 0);
}

/* In the new process: from here to exec nothing of init's may be used. */
static _Noreturn void
become_child(const struct init_child *c, int control, int why, pid_t parent)
{
	sigset_t none;
	int no;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	write_file("/proc/self/oom_score_adj", "500");
	if (c->log_path)
		open_log(c->log_path);
	inherit(c->fds.host);
	inherit(c->fds.router);
	inherit(c->fds.pool);
	for (unsigned i = 0; i < c->fds.n_bells; i++)
		inherit(c->fds.bell[i]);
	inherit(control);
	set_environment(c, control);
	execv(c->command.argv[0], c->command.argv);
	no = errno;
	log_err("%s: %s", c->command.argv[0], strerror(no));
	if (write(why, &no, sizeof(no)) < 0) {
		/* then the exit code alone says that it failed */
	}
	_exit(127);
}

static int
spawn(struct init_child *c)
{
	scoped_close int theirs = -1, why = -1;
	pid_t parent = getpid(), pid;
	int pair[2], ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->control_fd = pair[0];
	theirs = pair[1];
	if (fcntl(c->control_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	rc = loop_add_fd(
	    c->loop, c->control_fd, EPOLLIN, control_ready, c, &c->on_control);
	if (rc < 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	base_close(c->exec_fd);
	c->exec_fd = ends[0];
	why = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become_child(c, theirs, why, parent);
	c->pid = pid;
	return 0;
}

/* Why exec failed in the process that has ended; 0: it did not. */
static uint32_t
exec_error(struct init_child *c)
{
	int no = 0;
	ssize_t n = read(c->exec_fd, &no, sizeof(no));

	base_close(c->exec_fd);
	c->exec_fd = -1;
	return n == (ssize_t)sizeof(no) && no > 0 ? (uint32_t)no : 0;
}

static unsigned
next_backoff(unsigned ms)
{
	return ms == 0 ? FIRST_BACKOFF_MS
		       : MIN(ms * 2, (unsigned)MAX_BACKOFF_MS);
}

void
init_child_start(struct init_child *c)
{
	int rc;

	if (c->pid || c->fds.host < 0 || !c->has_command)
		return;
	loop_disarm(c->start_timer);
	close_control(c);
	rc = spawn(c);
	if (rc < 0) {
		log_err(
		    "cannot start %s: %s", c->command.argv[0], strerror(-rc));
		close_control(c);
		c->backoff_ms = next_backoff(c->backoff_ms);
		loop_arm(c->start_timer, c->backoff_ms);
		return;
	}
	c->starts++;
	c->started_ms = loop_now_ms();
	if (c->changed)
		c->changed(c->arg);
}

static void
start_is_due(void *arg)
{
	init_child_start(arg);
}

static void
grace_is_over(void *arg)
{
	struct init_child *c = arg;

	if (c->pid)
		kill(-c->pid, SIGKILL);
	if (c->pid)
		kill(c->pid, SIGKILL); /* it may not be a leader yet */
}

bool
init_child_reaped(struct init_child *c, pid_t pid, int status)
{
	bool healthy;

	if (!c->pid || pid != c->pid)
		return false;
	kill(-pid, SIGKILL); /* what it left behind */
	c->pid = 0;
	c->last_end = c->ending ? 0 : (uint32_t)status;
	c->status = (uint32_t)status | exec_error(c) << WIRE_EXEC_SHIFT;
	loop_disarm(c->kill_timer);
	close_control(c);
	healthy = loop_now_ms() - c->started_ms >= HEALTHY_MS;
	if (!c->ending)
		log_warn("data plane ended, status=%#x starts=%u",
		    (unsigned)status, c->starts);
	if (c->changed)
		c->changed(c->arg);
	if (c->ending || healthy)
		c->backoff_ms = 0;
	c->ending = false;
	if (c->backoff_ms == 0)
		init_child_start(c);
	else
		loop_arm(c->start_timer, c->backoff_ms);
	c->backoff_ms = next_backoff(c->backoff_ms);
	return true;
}

void
init_child_restart(struct init_child *c)
{
	c->backoff_ms = 0;
	if (!c->pid) {
		init_child_start(c);
		return;
	}
	if (c->ending)
		return;
	c->ending = true;
	kill(c->pid, SIGTERM);
	loop_arm(c->kill_timer, GRACE_MS);
}

void
init_child_set_fds(struct init_child *c, const struct vnic_fds *fds)
{
	vnic_fds_close(&c->fds);
	c->fds = *fds;
	init_child_restart(c);
}

void
init_child_set_command(struct init_child *c, const struct init_command *k)
{
	bool same = c->has_command && init_command_equal(&c->command, k);

	if (same) {
		init_child_start(c);
		return;
	}
	init_command_copy(&c->command, k);
	c->has_command = true;
	init_child_restart(c);
}

int
init_child_open(struct init_child *c, struct loop *l)
{
	int rc;

	c->loop = l;
	c->control_fd = c->exec_fd = -1;
	vnic_fds_init(&c->fds);
	rc = loop_add_timer(l, start_is_due, c, &c->start_timer);
	return rc < 0 ? rc
		      : loop_add_timer(l, grace_is_over, c, &c->kill_timer);
}
