/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container_backends: the promises of container.h, against both back ends.
 * The launcher of container_lxc is a shell script here that says what a test
 * wants it to say; real containers are in tests/system/containers.bats.
 */
#include "agent/container.h"
#include "lib/base.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

struct rig {
	struct loop *loop;
	void *cookie;
	const struct container_ops *ops;
	char dir[32];
	char launcher[64];
	/* what done said last */
	unsigned n_done;
	unsigned n_wanted;
	int rc;
	struct container_status st;
	struct err e;
};

static const struct container_limits limits = { 500, 64 << 20, 32, 8 << 20,
	"0" };

static void
write_script(struct rig *g, const char *body)
{
	FILE *f = fopen(g->launcher, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	assert_int_equal(chmod(g->launcher, 0755), 0);
}

static void
open_rig(struct rig *g, const struct container_ops *ops)
{
	struct container_config c = { g->dir, g->launcher };
	struct err e;

	memset(g, 0, sizeof(*g));
	g->ops = ops;
	strcpy(g->dir, "/tmp/europa-test-XXXXXX");
	assert_non_null(mkdtemp(g->dir));
	snprintf(g->launcher, sizeof(g->launcher), "%s/.launch", g->dir);
	write_script(g, "exit 3");
	assert_int_equal(loop_new(&g->loop), 0);
	assert_int_equal(ops->open(g->loop, &c, &g->cookie, &e), 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static void
close_rig(struct rig *g)
{
	g->ops->close(g->cookie);
	loop_free(g->loop);
	assert_int_equal(nftw(g->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void
on_done(
    void *arg, int rc, const struct container_status *st, const struct err *e)
{
	struct rig *g = arg;

	g->n_done++;
	g->rc = rc;
	memset(&g->st, 0, sizeof(g->st));
	if (rc == 0)
		g->st = *st;
	else
		g->e = *e;
	if (g->n_done == g->n_wanted)
		loop_stop(g->loop, 0);
}

static const struct container_spec econ_1 = { .uid = "econ-1" };

/* Runs one operation to its end; done must not come from within the call. */
#define RUN(g, verb, what)                                               \
	do {                                                             \
		(g)->n_done = 0;                                         \
		(g)->n_wanted = 1;                                       \
		(g)->ops->begin(                                         \
		    (g)->cookie, CONTAINER_DO_##verb, what, on_done, g); \
		assert_int_equal((g)->n_done, 0);                        \
		assert_int_equal(loop_run((g)->loop), 0);                \
		assert_int_equal((g)->n_done, 1);                        \
	} while (0)

/* Field by field: there is padding between them. */
static void
assert_limits(
    const struct container_limits *a, const struct container_limits *b)
{
	assert_int_equal(a->cpu_millis, b->cpu_millis);
	assert_true(a->mem_bytes == b->mem_bytes);
	assert_int_equal(a->pids, b->pids);
	assert_true(a->disk_bytes == b->disk_bytes);
	assert_string_equal(a->cpus, b->cpus);
}

static struct container_spec
spec_of(const struct rig *g)
{
	return (struct container_spec){
		.uid = "econ-1",
		.hostname = "r1",
		.rootfs = "/srv/root",
		.run_dir = g->dir,
		.id_base = 1000000000,
		.limits = limits,
	};
}

static void
note_uid(void *arg, const char *uid)
{
	snprintf(arg, 64, "%s", uid);
}

static void
test_fake_life(void **state)
{
	struct container_config c;
	struct container_spec s;
	char uid[64] = "";
	struct rig g;

	(void)state;
	open_rig(&g, &container_fake);
	s = spec_of(&g);
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_STOPPED);
	RUN(&g, START, &s);
	assert_int_equal(g.rc, 0);
	assert_int_equal(g.st.state, CONTAINER_RUNNING);
	assert_limits(&g.st.effective, &limits);
	RUN(&g, START, &s);
	assert_int_equal(g.rc, 0);
	RUN(&g, FREEZE, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_FROZEN);

	/* a europad that is started again finds it */
	g.ops->close(g.cookie);
	c = (struct container_config){ g.dir, g.launcher };
	assert_int_equal(g.ops->open(g.loop, &c, &g.cookie, &g.e), 0);
	g.ops->list(g.cookie, note_uid, uid);
	assert_string_equal(uid, "econ-1");
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_FROZEN);

	s.limits.pids = 99;
	RUN(&g, LIMIT, &s);
	assert_int_equal(g.st.effective.pids, 99);
	RUN(&g, THAW, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_RUNNING);
	RUN(&g, STOP, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_STOPPED);
	RUN(&g, FREEZE, &econ_1);
	assert_int_equal(g.rc, -ESRCH);
	RUN(&g, DESTROY, &econ_1);
	uid[0] = '\0';
	g.ops->list(g.cookie, note_uid, uid);
	assert_string_equal(uid, "");
	close_rig(&g);
}

static void
put(const struct rig *g, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", g->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
test_fake_failures(void **state)
{
	struct container_spec s;
	struct rig g;

	(void)state;
	open_rig(&g, &container_fake);
	s = spec_of(&g);
	put(&g, ".fail-start", "28\n");
	RUN(&g, START, &s);
	assert_int_equal(g.rc, -ENOSPC);
	put(&g, ".fail-start", "");
	put(&g, ".wrong-limits", "");
	RUN(&g, START, &s);
	assert_int_equal(g.rc, -EBADE);
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.st.state, CONTAINER_STOPPED);
	s.uid = "../econ";
	RUN(&g, START, &s);
	assert_int_equal(g.rc, -EINVAL);
	close_rig(&g);
}

/* A process stands for the container, and its end is the container's. */
static void
test_fake_process(void **state)
{
	struct container_spec s;
	struct rig g;
	pid_t pid;

	(void)state;
	open_rig(&g, &container_fake);
	s = spec_of(&g);
	write_script(&g, "exec sleep 60");
	setenv("EUROPA_FAKE_INIT", g.launcher, 1);
	RUN(&g, START, &s);
	pid = g.st.init_pid;
	assert_true(pid > 1);
	assert_int_equal(kill(pid, 0), 0);
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.st.init_pid, pid);
	RUN(&g, STOP, &econ_1);
	assert_int_equal(kill(pid, 0), -1);
	RUN(&g, START, &s);
	assert_int_not_equal(g.st.init_pid, pid);
	kill(g.st.init_pid, SIGKILL);
	do {
		RUN(&g, QUERY, &econ_1);
	} while (g.st.state == CONTAINER_RUNNING);
	RUN(&g, DESTROY, &econ_1);
	unsetenv("EUROPA_FAKE_INIT");
	close_rig(&g);
}

#define NUMBERS                                                            \
	"init-pid 42\\ncpu-millis 500\\nmem-bytes 1\\npids 2\\ndisk-bytes" \
	" 3\\ncpus 0-1\\nall-cpus 0-1\\nend\\n'"

static void
test_lxc_reports(void **state)
{
	struct container_spec s;
	struct rig g;

	(void)state;
	open_rig(&g, &container_lxc);
	s = spec_of(&g);
	write_script(&g, "printf 'europa-launch 1\\nstate running\\n" NUMBERS);
	RUN(&g, START, &s);
	assert_int_equal(g.rc, 0);
	assert_int_equal(g.st.init_pid, 42);
	assert_int_equal(g.st.effective.disk_bytes, 3);
	write_script(&g,
	    "printf 'europa-launch 1\\nerror 52 no limit\\nend\\n'; exit 1");
	RUN(&g, START, &s);
	assert_int_equal(g.rc, -EBADE);
	assert_string_equal(g.e.msg, "start container econ-1: no limit");
	write_script(&g, "echo ld.so: not found >&2; exit 127");
	RUN(&g, STOP, &econ_1);
	assert_int_equal(g.rc, -EPROTO);
	assert_non_null(strstr(g.e.msg, "ld.so: not found"));
	write_script(&g, "kill -SEGV $$");
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.rc, -EPROTO);
	assert_non_null(strstr(g.e.msg, "signal 11"));
	/* more than fits is no reason to hang */
	write_script(&g, "head -c 1000000 /dev/zero | tr '\\0' x");
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.rc, -EPROTO);
	assert_int_equal(unlink(g.launcher), 0);
	RUN(&g, QUERY, &econ_1);
	assert_int_equal(g.rc, -ENOENT);
	close_rig(&g);
}

/* The launcher gets nothing of europad's but the report pipe. */
static void
test_lxc_inherits_nothing(void **state)
{
	char path[64], seen[64] = "";
	struct rig g;
	FILE *f;
	int fd;

	(void)state;
	open_rig(&g, &container_lxc);
	fd = dup(STDERR_FILENO); /* without CLOEXEC */
	/* the shell itself reads the script by descriptor 10 or 255 */
	write_script(&g,
	    "exec >\"${0%/*}/seen\"\n"
	    "for i in 3 4 5 6 7 8 9 11 12 13 14 15 16 17 18 19 20\n"
	    "do [ ! -e /proc/$$/fd/$i ] || echo open $i; done\n"
	    "env | grep -c =");
	RUN(&g, QUERY, &econ_1);
	close(fd);
	snprintf(path, sizeof(path), "%s/seen", g.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(seen, 1, sizeof(seen) - 1, f) > 0);
	fclose(f);
	/* nothing; and PATH, LC_ALL, and the shell's PWD (and OLDPWD, _) */
	assert_null(strstr(seen, "open"));
	assert_in_range(atoi(seen), 2, 5);
	close_rig(&g);
}

/* More at a time than run at a time: each is done once. */
static void
test_lxc_many(void **state)
{
	struct rig g;

	(void)state;
	open_rig(&g, &container_lxc);
	write_script(&g, "printf 'europa-launch 1\\nstate stopped\\n" NUMBERS);
	g.n_wanted = 50;
	for (unsigned i = 0; i < g.n_wanted; i++)
		g.ops->begin(
		    g.cookie, CONTAINER_DO_QUERY, &econ_1, on_done, &g);
	assert_int_equal(loop_run(g.loop), 0);
	assert_int_equal(g.n_done, 50);
	assert_int_equal(g.rc, 0);
	/* what is under way at the close is forgotten */
	g.n_done = 0;
	for (unsigned i = 0; i < 20; i++)
		g.ops->begin(
		    g.cookie, CONTAINER_DO_QUERY, &econ_1, on_done, &g);
	close_rig(&g);
	assert_int_equal(g.n_done, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fake_life),
		cmocka_unit_test(test_fake_failures),
		cmocka_unit_test(test_fake_process),
		cmocka_unit_test(test_lxc_reports),
		cmocka_unit_test(test_lxc_inherits_nothing),
		cmocka_unit_test(test_lxc_many),
	};

	alarm(60); /* a done that never comes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
