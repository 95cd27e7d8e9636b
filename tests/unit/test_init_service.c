/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_init_service: the second program of a template, which init keeps running,
 * and what it says of the first. The test reaps, as init does.
 */
#include "container-templates/init.h"
#include "lib/base.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { WAIT_MS = 8000 };

struct rig {
	struct loop *loop;
	struct init_service service;
	char dir[32];
	char path[64];
};

static int
set_up(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	strcpy(g->dir, "/tmp/europa-test-XXXXXX");
	assert_non_null(mkdtemp(g->dir));
	snprintf(g->path, sizeof(g->path), "%s/service", g->dir);
	assert_int_equal(loop_new(&g->loop), 0);
	*state = g;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *g = *state;

	loop_free(g->loop);
	unlink(g->path);
	assert_int_equal(rmdir(g->dir), 0);
	free(g);
	return 0;
}

static void
write_service(const struct rig *g, const char *what)
{
	FILE *f = fopen(g->path, "we");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", what);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(g->path, 0755), 0);
}

/* Its end, told to it as init would. */
static int
reap(struct rig *g)
{
	pid_t pid = g->service.pid;
	int status = 0;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(init_service_reaped(&g->service, pid, status));
	assert_int_equal(g->service.pid, 0);
	return status;
}

static void
stop(void *arg)
{
	loop_stop(arg, 0);
}

/* Runs the loop until it has been started again. */
static void
await_start(struct rig *g)
{
	uint64_t end = loop_now_ms() + WAIT_MS;
	struct loop_source *timer;

	assert_int_equal(loop_add_timer(g->loop, stop, g->loop, &timer), 0);
	while (!g->service.pid && loop_now_ms() < end) {
		loop_arm(timer, 10);
		assert_int_equal(loop_run(g->loop), 0);
	}
	loop_del(timer);
	assert_true(g->service.pid > 0);
}

static void
none_is_no_mistake(void **state)
{
	struct rig *g = *state;

	assert_int_equal(init_service_open(&g->service, g->loop, g->path), 0);
	assert_int_equal(g->service.pid, 0);
	assert_false(init_service_reaped(&g->service, getpid(), 0));
	init_service_stop(&g->service);
}

static void
it_runs_again_after_its_end_but_not_at_once(void **state)
{
	struct rig *g = *state;
	uint64_t ended;
	int status;
	pid_t first;

	write_service(g, "exec sleep 1000");
	assert_int_equal(init_service_open(&g->service, g->loop, g->path), 0);
	first = g->service.pid;
	/* somebody else's end is not its own */
	assert_false(init_service_reaped(&g->service, first + 1, 0));
	ended = loop_now_ms();
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(WTERMSIG(reap(g)), SIGKILL);
	await_start(g);
	assert_true(loop_now_ms() - ended >= 100);
	assert_int_not_equal(g->service.pid, first);
	ended = loop_now_ms();
	assert_int_equal(kill(g->service.pid, SIGKILL), 0);
	reap(g);
	await_start(g); /* twice as long */
	assert_true(loop_now_ms() - ended >= 200);
	/* it leads a group, once it has come so far */
	for (unsigned i = 0;
	     i < WAIT_MS && getpgid(g->service.pid) != g->service.pid; i++)
		usleep(1000);
	init_service_stop(&g->service);
	status = reap(g);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* Writes text to path, and takes it for the file of a template. */
static void
set_default(const char *path, const char *text)
{
	scoped_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	init_conf_default(path);
}

static void
it_may_also_name_the_data_plane(void **state)
{
	char path[] = "/tmp/europa-test-XXXXXX";
	struct init_command a;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	/* none, an empty one, one that is no path: as if there were none */
	init_conf_default("/no/such/file");
	init_conf_default(path);
	set_default(path, "europa-taps\n");
	assert_int_equal(init_conf_command("end\n", 4, &a), 0);
	assert_string_equal(a.argv[0], "/usr/sbin/europa-router");
	set_default(path, "/usr/sbin/europa-taps -x\nmore\n");
	assert_int_equal(init_conf_command("end\n", 4, &a), 0);
	assert_string_equal(a.argv[0], "/usr/sbin/europa-taps");
	assert_string_equal(a.argv[1], "-x");
	assert_null(a.argv[2]);
	/* what the node says comes first */
	assert_int_equal(init_conf_command("dataplane /x\nend\n", 17, &a), 0);
	assert_string_equal(a.argv[0], "/x");
	unlink(path);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_may_also_name_the_data_plane),
		TEST(none_is_no_mistake),
		TEST(it_runs_again_after_its_end_but_not_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
