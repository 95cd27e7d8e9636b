/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_fake: containers without containers, for tests and for a node on a
 * machine without LXC. It keeps what it was told in DIR/UID/fake, in the form
 * of a launcher's report, so that a europad that is started again finds its
 * containers; each operation ends at the loop's next turn.
 *
 * Files in DIR change what it does, for tests of those who use it:
 *
 *	.fail-VERB	the operation (start, stop, ...) fails with the errno
 *			whose number is in the file
 *	.wrong-limits	a start finds no limit on memory: -EBADE
 *
 * DIR/UID/use holds what a container uses, in the order of struct container_use,
 * "1000 4096 3 0"; without it nobody knows.
 *
 * If EUROPA_FAKE_INIT holds a command line, an ordinary process stands for the
 * container: that command with --socket RUN_DIR/agent.sock --conf-dir
 * DIR/UID/run --log DIR/UID/log, where its output goes, too. It gets no
 * isolation at all. It outlives europad, as a container does, and is known
 * again by its pid and the time of its start.
 */
#include "agent/container.h"
#include "agent/launch_args.h"
#include "agent/launch_report.h"
#include "lib/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PATH_BYTES = 4096, MAX_WORDS = 16 };

struct op {
	struct op *next;
	struct fake *fake;
	struct loop_source *timer;
	container_done_fn done;
	void *arg;
	int rc;
	struct container_status st;
	struct err e;
};

struct fake {
	struct loop *loop;
	char *dir;
	struct op *ops;
};

static void
op_ends(void *arg)
{
	struct op *o = arg;
	struct op **at = &o->fake->ops;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	loop_del(o->timer);
	o->done(o->arg, o->rc, o->rc < 0 ? NULL : &o->st, &o->e);
	free(o);
}

static void
path_of(const struct fake *f, const char *uid, const char *name,
    char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s/%s", f->dir, uid, name);
}

/* Reads a small file as a string; false if it is not there. */
static bool
read_text(const char *path, char *buf, size_t size)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

/* The whole text or what was there, whenever europad dies. */
static int
write_text(const char *path, const char *text, size_t n)
{
	char temp[PATH_BYTES + 8];
	scoped_close int fd = -1;

	snprintf(temp, sizeof(temp), "%s.part", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		return -EIO;
	return rename(temp, path) < 0 ? -EIO : 0;
}

/* Field 22 of /proc/PID/stat; 0 if there is no such process, or a dead one. */
static uint64_t
birth(pid_t pid)
{
	char path[64], text[1024];
	const char *p;
	char *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || !read_text(path, text, sizeof(text)))
		return 0;
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (!p || strlen(p) < 3 || p[2] == 'Z' || p[2] == 'X')
		return 0;
	for (int i = 0; i < 20 && p; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, &rest, 10) : 0;
}

static bool
has_process(void)
{
	const char *s = getenv("EUROPA_FAKE_INIT");

	return s && *s;
}

/* What DIR/UID says; a process that is gone makes it stopped. */
static void
load(const struct fake *f, const char *uid, struct container_status *st)
{
	const struct container_status stopped = { .state = CONTAINER_STOPPED };
	char path[PATH_BYTES], text[LAUNCH_REPORT_BYTES];

	*st = stopped;
	path_of(f, uid, "fake", path);
	if (!read_text(path, text, sizeof(text)) ||
	    launch_report_parse(text, st, NULL) < 0 ||
	    st->state == CONTAINER_STOPPED) {
		*st = stopped;
		return;
	}
	path_of(f, uid, "birth", path);
	if (!read_text(path, text, sizeof(text)))
		return; /* it never had a process */
	waitpid(st->init_pid, NULL, WNOHANG);
	if (birth(st->init_pid) != strtoull(text, NULL, 10))
		*st = stopped;
}

static int
save(const struct fake *f, const char *uid, const struct container_status *st,
    struct err *e)
{
	char path[PATH_BYTES], text[LAUNCH_REPORT_BYTES];
	size_t n = launch_report_format(text, 0, st, NULL);

	path_of(f, uid, "", path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	path_of(f, uid, "fake", path);
	if (write_text(path, text, n) < 0)
		return err_set(e, -EIO, "%s: cannot be written", path);
	return 0;
}

/*
 * EUROPA_FAKE_INIT and the options, behind a shell that waits for a line: if
 * europad dies before it has written down who that is, nobody will be.
 */
struct command {
	char words[1024];
	char socket[PATH_BYTES], conf[PATH_BYTES], log[PATH_BYTES];
	char *argv[MAX_WORDS + 11];
};

static void
make_command(
    const struct fake *f, const struct container_spec *s, struct command *c)
{
	static char sh[] = "/bin/sh", o_c[] = "-c", name[] = "init";
	static char script[] = "read -r go && exec \"$@\" < /dev/null";
	static char o_socket[] = "--socket", o_conf[] = "--conf-dir";
	static char o_log[] = "--log";
	char *const first[] = { sh, o_c, script, name };
	char *const last[] = { o_socket, c->socket, o_conf, c->conf, o_log,
		c->log, NULL };
	unsigned n = ARRAY_SIZE(first);
	char *rest, *word;

	snprintf(c->words, sizeof(c->words), "%s", getenv("EUROPA_FAKE_INIT"));
	snprintf(c->socket, sizeof(c->socket), "%s/agent.sock", s->run_dir);
	path_of(f, s->uid, "run", c->conf);
	path_of(f, s->uid, "log", c->log);
	memcpy(c->argv, first, sizeof(first));
	for (word = strtok_r(c->words, " ", &rest);
	     word && n < ARRAY_SIZE(first) + MAX_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		c->argv[n++] = word;
	memcpy(c->argv + n, last, sizeof(last));
}

/* In a session of its own, with gate as its standard input. */
static int
spawn_init(const struct fake *f, const struct container_spec *s, int gate,
    pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	struct command c;
	int no;

	make_command(f, s, &c);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, gate, 0);
	posix_spawn_file_actions_addopen(
	    &fa, 1, c.log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETSID);
	no = posix_spawn(pid, c.argv[0], &fa, &attr, c.argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return no ? err_set(e, -no, "%s: %s", c.argv[0], strerror(no)) : 0;
}

/* It has eight cores, as far as it is told of any. */
static void
take_limits(struct container_status *st, const struct container_limits *l)
{
	st->effective = *l;
	strcpy(st->all_cpus, "0-7");
	if (!*l->cpus)
		strcpy(st->effective.cpus, st->all_cpus);
}

static int
start_process(const struct fake *f, const struct container_spec *s,
    struct container_status *st, struct err *e)
{
	scoped_close int gate = -1, go = -1;
	char path[PATH_BYTES], text[32];
	int rc = save(f, s->uid, st, e), n, ends[2];

	path_of(f, s->uid, "birth", path);
	unlink(path);
	if (rc < 0 || !has_process())
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	gate = ends[0];
	go = ends[1];
	rc = spawn_init(f, s, gate, &st->init_pid, e);
	if (rc < 0)
		return rc;
	n = snprintf(text, sizeof(text), "%" PRIu64 "\n", birth(st->init_pid));
	if (write_text(path, text, (size_t)n) < 0)
		return err_set(e, -EIO, "%s: cannot be written", path);
	st->state = CONTAINER_RUNNING;
	take_limits(st, &s->limits);
	rc = save(f, s->uid, st, e);
	if (rc == 0 && write(go, "go\n", 3) != 3)
		rc = err_set(e, -EIO, "%s: it is gone", path);
	return rc;
}

/* To the process, if there is one, and to its children, with their groups. */
static void
signal_process(const struct fake *f, const char *uid, pid_t pid, int number)
{
	char path[PATH_BYTES], children[1024], *rest;

	path_of(f, uid, "birth", path);
	if (pid <= 1 || access(path, F_OK) < 0)
		return;
	/* init gives its data plane a session of its own */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
	    (int)pid);
	read_text(path, children, sizeof(children));
	kill(-pid, number);
	for (char *c = strtok_r(children, " ", &rest); c;
	     c = strtok_r(NULL, " ", &rest))
		if (atoi(c) > 1)
			kill(-atoi(c), number);
	if (number == SIGKILL)
		waitpid(pid, NULL, 0); /* ECHILD if it was another europad's */
}

/* The number in a knob file, or 0. */
static int
knob(const struct fake *f, const char *name)
{
	char path[PATH_BYTES], text[32];

	snprintf(path, sizeof(path), "%s/.%s", f->dir, name);
	return read_text(path, text, sizeof(text)) ? atoi(text) : 0;
}

static void
start(struct fake *f, const struct container_spec *s, struct op *o)
{
	char path[PATH_BYTES];

	load(f, s->uid, &o->st);
	if (o->st.state == CONTAINER_FROZEN)
		signal_process(f, s->uid, o->st.init_pid, SIGCONT);
	snprintf(path, sizeof(path), "%s/.wrong-limits", f->dir);
	if (access(path, F_OK) == 0) {
		signal_process(f, s->uid, o->st.init_pid, SIGKILL);
		o->st = (struct container_status){ CONTAINER_STOPPED };
		o->rc = err_set(&o->e, -EBADE,
		    "limit memory: asked for %" PRIu64 ", but there is none",
		    s->limits.mem_bytes);
		save(f, s->uid, &o->st, NULL);
		return;
	}
	if (o->st.state == CONTAINER_STOPPED) {
		o->rc = start_process(f, s, &o->st, &o->e);
	}
	if (o->rc < 0)
		return;
	o->st.state = CONTAINER_RUNNING;
	take_limits(&o->st, &s->limits);
	o->rc = save(f, s->uid, &o->st, &o->e);
}

static void
stop(struct fake *f, const char *uid, struct op *o)
{
	char path[PATH_BYTES];

	load(f, uid, &o->st);
	signal_process(f, uid, o->st.init_pid, SIGKILL);
	o->st = (struct container_status){ .state = CONTAINER_STOPPED };
	path_of(f, uid, "fake", path);
	if (access(path, F_OK) == 0)
		o->rc = save(f, uid, &o->st, &o->e);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static void
destroy(struct fake *f, const char *uid, struct op *o)
{
	char path[PATH_BYTES];

	stop(f, uid, o);
	path_of(f, uid, "", path);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
pause_or_go(struct fake *f, const char *uid, bool pause, struct op *o)
{
	load(f, uid, &o->st);
	if (o->st.state == CONTAINER_STOPPED) {
		o->rc = err_set(&o->e, -ESRCH, "it is not running");
		return;
	}
	signal_process(f, uid, o->st.init_pid, pause ? SIGSTOP : SIGCONT);
	o->st.state = pause ? CONTAINER_FROZEN : CONTAINER_RUNNING;
	o->rc = save(f, uid, &o->st, &o->e);
}

static void
perform(struct fake *f, enum container_verb v, const struct container_spec *s,
    struct op *o)
{
	switch (v) {
	case CONTAINER_DO_START:
		start(f, s, o);
		break;
	case CONTAINER_DO_STOP:
		stop(f, s->uid, o);
		break;
	case CONTAINER_DO_FREEZE:
	case CONTAINER_DO_THAW:
		pause_or_go(f, s->uid, v == CONTAINER_DO_FREEZE, o);
		break;
	case CONTAINER_DO_LIMIT:
		load(f, s->uid, &o->st);
		if (o->st.state != CONTAINER_STOPPED) {
			take_limits(&o->st, &s->limits);
			o->rc = save(f, s->uid, &o->st, &o->e);
		}
		break;
	case CONTAINER_DO_DESTROY:
		destroy(f, s->uid, o);
		break;
	default:
		load(f, s->uid, &o->st);
		break;
	}
}

static void
op_begin(void *cookie, enum container_verb v, const struct container_spec *s,
    container_done_fn done, void *arg)
{
	struct fake *f = cookie;
	struct op *o = calloc(1, sizeof(*o));
	char name[32];
	int no;

	if (!o || loop_add_timer(f->loop, op_ends, o, &o->timer) < 0) {
		const struct err e = { -ENOMEM, "out of memory" };

		free(o);
		done(arg, -ENOMEM, NULL, &e);
		return;
	}
	o->fake = f;
	o->done = done;
	o->arg = arg;
	o->next = f->ops;
	f->ops = o;
	snprintf(name, sizeof(name), "fail-%s", launch_verb_name(v));
	no = knob(f, name);
	if (!launch_uid_is_valid(s->uid))
		o->rc = err_set(&o->e, -EINVAL, "uid is not valid");
	else if (no > 0)
		o->rc = err_set(&o->e, -no, "told to fail: %s", strerror(no));
	else
		perform(f, v, s, o);
	loop_arm(o->timer, 0);
}

static void
op_list(void *cookie, void (*fn)(void *arg, const char *uid), void *arg)
{
	struct fake *f = cookie;
	DIR *d = opendir(f->dir);
	const struct dirent *de;

	while (d && (de = readdir(d)))
		if (de->d_type == DT_DIR && launch_uid_is_valid(de->d_name))
			fn(arg, de->d_name);
	if (d)
		closedir(d);
}

static void
op_use(void *cookie, const char *uid, pid_t init_pid, struct container_use *out)
{
	uint64_t v[4];
	char path[PATH_BYTES], text[128];

	(void)init_pid;
	*out = (struct container_use){ CONTAINER_UNKNOWN, CONTAINER_UNKNOWN,
		CONTAINER_UNKNOWN, CONTAINER_UNKNOWN };
	path_of(cookie, uid, "use", path);
	if (read_text(path, text, sizeof(text)) &&
	    sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &v[0],
		&v[1], &v[2], &v[3]) == 4)
		*out = (struct container_use){ v[0], v[1], v[2], v[3] };
}

static void
op_close(void *cookie)
{
	struct fake *f = cookie;

	if (!f)
		return;
	while (f->ops) {
		struct op *o = f->ops;

		f->ops = o->next;
		loop_del(o->timer);
		free(o);
	}
	free(f->dir);
	free(f);
}

static int
op_open(struct loop *l, const struct container_config *c, void **cookie,
    struct err *e)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (f)
		f->dir = strdup(c->dir);
	if (!f || !f->dir) {
		op_close(f);
		return err_set(e, -ENOMEM, "out of memory");
	}
	f->loop = l;
	*cookie = f;
	return 0;
}

const struct container_ops container_fake = {
	.name = "fake",
	.open = op_open,
	.close = op_close,
	.begin = op_begin,
	.list = op_list,
	.use = op_use,
};
