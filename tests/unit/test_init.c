/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_init: europa-init as a process, with this test as its europad and
 * init_child_probe as its data plane.
 */
#include "container-templates/init.h"
#include "lib/base.h"
#include "lib/region.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { WAIT_MS = 8000 };

struct rig {
	char dir[32];
	char socket[64];
	char conf[64];
	char probe[512];
	int listen_fd;
	int fd; /* to init */
	pid_t init;
};

static void
wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* The next message of this type; others are dropped. */
static void
expect(const struct rig *g, enum wire_type type, struct wire_msg *m)
{
	do {
		int rc;

		wait_readable(g->fd);
		rc = wire_recv(g->fd, m);
		if (rc < 0)
			fail_msg(
			    "waiting for %d: %s", (int)type, strerror(-rc));
	} while (m->type != type);
}

static void
expect_running(const struct rig *g, uint8_t running, struct wire_msg *m)
{
	do
		expect(g, WIRE_INIT_STATE, m);
	while (m->u.process.running != running);
}

static void
meet(struct rig *g, struct wire_msg *hello)
{
	wait_readable(g->listen_fd);
	g->fd = accept4(g->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(g->fd >= 0);
	expect(g, WIRE_INIT_HELLO, hello);
}

static void
open_rig(struct rig *g, struct wire_msg *hello)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char path[512];

	memset(g, 0, sizeof(*g));
	strcpy(g->dir, "/tmp/europa-test-XXXXXX");
	assert_non_null(mkdtemp(g->dir));
	snprintf(g->socket, sizeof(g->socket), "%s/agent.sock", g->dir);
	snprintf(g->conf, sizeof(g->conf), "%s/conf", g->dir);
	snprintf(path, sizeof(path), "%s/container-templates/europa-init",
	    build ? build : ".");
	snprintf(g->probe, sizeof(g->probe), "%s/tests/unit/init_child_probe",
	    build ? build : ".");
	g->listen_fd = wire_listen(g->socket, 0600);
	assert_true(g->listen_fd >= 0);
	g->init = fork();
	assert_true(g->init >= 0);
	if (g->init == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails */
		execl(path, "europa-init", "--socket", g->socket, "--conf-dir",
		    g->conf, (char *)NULL);
		_exit(127);
	}
	meet(g, hello);
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
	int status = -1;

	assert_int_equal(kill(g->init, SIGTERM), 0);
	assert_int_equal(waitpid(g->init, &status, 0), g->init);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	base_close(g->fd);
	base_close(g->listen_fd);
	assert_int_equal(nftw(g->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A set of three files and two bells; init does not look into them. */
static void
send_set(const struct rig *g, uint8_t name)
{
	struct wire_msg m = { .type = WIRE_INIT_SET, .id = 5, .n_fds = 5 };

	memset(m.u.init.set, name, sizeof(m.u.init.set));
	for (unsigned i = 0; i < m.n_fds; i++)
		m.fds[i] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(wire_send(g->fd, &m), 0);
	wire_close_fds(&m);
}

static void
send_bytes(const struct rig *g, enum wire_type type, const char *text, size_t n)
{
	struct wire_msg m = { .type = type, .id = 6, .n_fds = 1 };

	m.fds[0] = region_create("conf", n);
	assert_true(m.fds[0] >= 0);
	assert_int_equal(pwrite(m.fds[0], text, n, 0), n);
	assert_int_equal(wire_send(g->fd, &m), 0);
	wire_close_fds(&m);
}

static void
send_text(const struct rig *g, const char *text, size_t n)
{
	send_bytes(g, WIRE_INIT_CONFIG, text, n);
}

static void
send_config(const struct rig *g, const char *what)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "generation 1\ndataplane %s %s\nend\n", g->probe, what);

	send_text(g, text, (size_t)n);
}

static uint64_t
stat_of(const struct wire_msg *m, const char *name)
{
	for (unsigned i = 0; i < m->u.stats.n; i++)
		if (strcmp(m->u.stats.counter[i].name, name) == 0)
			return m->u.stats.counter[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void
ask_stats(const struct rig *g, uint32_t id)
{
	struct wire_msg m = { .type = WIRE_STATS_GET, .id = id };

	assert_int_equal(wire_send(g->fd, &m), 0);
}

static void
test_life(void **state)
{
	static const uint8_t none[WIRE_UID_BYTES];
	struct wire_msg m;
	uint64_t killed;
	struct rig g;
	pid_t pid;

	(void)state;
	open_rig(&g, &m);
	assert_memory_equal(m.u.init.set, none, sizeof(none));
	expect_running(&g, 0, &m);
	assert_int_equal(m.u.process.starts, 0);
	send_set(&g, 0xaa);
	expect(&g, WIRE_OK, &m);
	assert_int_equal(m.id, 5);
	send_config(&g, "serve");
	expect_running(&g, 1, &m);
	assert_int_equal(m.u.process.starts, 1);

	ask_stats(&g, 77);
	expect(&g, WIRE_STATS, &m);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.u.stats.generation, 7);
	assert_int_equal(stat_of(&m, "fds"), 5);
	assert_int_equal(stat_of(&m, "conf"), 1);
	assert_int_equal(stat_of(&m, "last_end"), 0);
	pid = (pid_t)stat_of(&m, "pid");

	/* the first death is repaired at once */
	killed = loop_now_ms();
	assert_int_equal(kill(pid, SIGKILL), 0);
	expect_running(&g, 0, &m);
	assert_int_equal(WTERMSIG((int)m.u.process.status), SIGKILL);
	expect_running(&g, 1, &m);
	assert_int_equal(m.u.process.starts, 2);
	assert_true(loop_now_ms() - killed < WAIT_MS);
	/* the new one knows of it, the one after a wanted end does not */
	ask_stats(&g, 78);
	expect(&g, WIRE_STATS, &m);
	assert_int_equal(stat_of(&m, "last_end"), SIGKILL);
	m = (struct wire_msg){ .type = WIRE_INIT_RESTART, .id = 9 };
	assert_int_equal(wire_send(g.fd, &m), 0);
	expect_running(&g, 0, &m);
	expect_running(&g, 1, &m);
	ask_stats(&g, 79);
	expect(&g, WIRE_STATS, &m);
	assert_int_equal(stat_of(&m, "last_end"), 0);
	ask_stats(&g, 80);
	expect(&g, WIRE_STATS, &m);
	m.u.process.pid = (uint32_t)stat_of(&m, "pid");
	close_rig(&g);
	/* it ends with its init, if not at the same instant */
	pid = (pid_t)m.u.process.pid;
	for (unsigned i = 0; i < 2000 && kill(pid, 0) == 0; i++)
		usleep(1000);
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_europad_restarts(void **state)
{
	uint8_t set[WIRE_UID_BYTES];
	struct wire_msg m;
	struct rig g;
	uint32_t pid;

	(void)state;
	memset(set, 0xbb, sizeof(set));
	open_rig(&g, &m);
	send_set(&g, 0xbb);
	send_config(&g, "serve");
	expect_running(&g, 1, &m);
	pid = m.u.process.pid;
	base_close(g.fd);
	meet(&g, &m);
	assert_memory_equal(m.u.init.set, set, sizeof(set));
	expect(&g, WIRE_INIT_STATE, &m);
	assert_int_equal(m.u.process.running, 1);
	assert_int_equal(m.u.process.pid, pid);
	/* the same again changes nothing */
	send_set(&g, 0xbb);
	send_config(&g, "serve");
	ask_stats(&g, 1);
	expect(&g, WIRE_STATS, &m);
	assert_int_equal(stat_of(&m, "pid"), pid);
	close_rig(&g);
}

static void
test_new_set_restarts(void **state)
{
	struct wire_msg m;
	struct rig g;
	uint32_t pid;

	(void)state;
	open_rig(&g, &m);
	send_config(&g, "deaf");
	send_set(&g, 1);
	expect_running(&g, 1, &m);
	pid = m.u.process.pid;
	ask_stats(&g, 1); /* it has come to its senses, and lost one */
	expect(&g, WIRE_STATS, &m);
	/* deaf to SIGTERM: killed after half a second */
	send_set(&g, 2);
	expect_running(&g, 0, &m);
	assert_int_equal(WTERMSIG((int)m.u.process.status), SIGKILL);
	expect_running(&g, 1, &m);
	assert_int_not_equal(m.u.process.pid, pid);
	/* another program */
	send_config(&g, "serve");
	expect_running(&g, 0, &m);
	expect_running(&g, 1, &m);
	m = (struct wire_msg){ .type = WIRE_INIT_RESTART, .id = 9 };
	assert_int_equal(wire_send(g.fd, &m), 0);
	expect_running(&g, 0, &m);
	assert_int_equal(WTERMSIG((int)m.u.process.status), SIGTERM);
	expect_running(&g, 1, &m);
	assert_int_equal(m.u.process.starts, 4);
	close_rig(&g);
}

/* At once, then 10, 20, 40, 80 ms: four deaths take 150 ms and not less. */
static void
test_backoff(void **state)
{
	struct wire_msg m;
	uint64_t begin;
	struct rig g;

	(void)state;
	open_rig(&g, &m);
	send_set(&g, 1);
	begin = loop_now_ms();
	send_config(&g, "die");
	do
		expect_running(&g, 1, &m);
	while (m.u.process.starts < 6);
	assert_true(loop_now_ms() - begin >= 150);
	assert_true(loop_now_ms() - begin < WAIT_MS);
	/* and being told to restart is no reason to wait */
	send_config(&g, "serve");
	expect_running(&g, 1, &m);
	ask_stats(&g, 3);
	expect(&g, WIRE_STATS, &m);
	close_rig(&g);
}

static void
test_child_garbage(void **state)
{
	struct wire_msg m;
	struct rig g;

	(void)state;
	open_rig(&g, &m);
	send_set(&g, 1);
	send_config(&g, "spit");
	expect_running(&g, 1, &m);
	/* nothing of it comes through, and nothing ends */
	ask_stats(&g, 4);
	m = (struct wire_msg){ .type = WIRE_INIT_RESTART, .id = 9 };
	assert_int_equal(wire_send(g.fd, &m), 0);
	for (;;) {
		wait_readable(g.fd);
		assert_int_equal(wire_recv(g.fd, &m), 0);
		assert_int_not_equal(m.type, WIRE_STATS);
		if (m.type == WIRE_INIT_STATE && m.u.process.starts == 2)
			break;
	}
	assert_int_equal(kill(g.init, 0), 0);
	close_rig(&g);
}

static void
test_bad_configs(void **state)
{
	static const char *const bad[] = {
		"",
		"end",
		"generation 1\n",
		"friend\n",
		"dataplane relative\nend\n",
		"dataplane / 1 2 3 4 5 6 7 8 9 a b c d e f g\nend\n",
	};
	char *big = calloc(1, INIT_MAX_CONF_BYTES + 5);
	struct wire_msg m;
	char path[128];
	struct rig g;

	(void)state;
	assert_non_null(big);
	open_rig(&g, &m);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		send_text(&g, bad[i], strlen(bad[i]));
		expect(&g, WIRE_FAIL, &m);
		assert_int_equal(m.id, 6);
	}
	send_text(&g, "a\0\nend\n", 7);
	expect(&g, WIRE_FAIL, &m);
	memset(big, '\n', INIT_MAX_CONF_BYTES + 5);
	memcpy(big + INIT_MAX_CONF_BYTES, "\nend\n", 5);
	send_text(&g, big, INIT_MAX_CONF_BYTES + 5);
	expect(&g, WIRE_FAIL, &m);
	assert_int_equal(m.u.fail.no, EFBIG);
	snprintf(path, sizeof(path), "%s/router.conf", g.conf);
	assert_int_equal(access(path, F_OK), -1);
	/* the largest one */
	send_text(&g, big + 5, INIT_MAX_CONF_BYTES);
	expect(&g, WIRE_OK, &m);
	assert_int_equal(access(path, R_OK), 0);
	free(big);
	/* a type that is not for init is refused, not fatal */
	m = (struct wire_msg){ .type = WIRE_PORT_LIST, .id = 8 };
	assert_int_equal(wire_send(g.fd, &m), 0);
	expect(&g, WIRE_FAIL, &m);
	assert_int_equal(m.id, 8);
	close_rig(&g);
}

/* --- the way to the router's own socket ----------------------------------- */

/* Where the router would listen. */
static int
listen_as_router(const struct rig *g)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/router.sock", g->conf);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* europad's end of a stream that init is asked to join. */
static int
open_control(const struct rig *g, uint32_t id)
{
	struct wire_msg m = { .type = WIRE_INIT_CONTROL, .id = id, .n_fds = 1 };
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	m.fds[0] = pair[1];
	assert_int_equal(wire_send(g->fd, &m), 0);
	close(pair[1]);
	return pair[0];
}

static void
expect_end(int fd)
{
	char c;

	wait_readable(fd);
	assert_int_equal(recv(fd, &c, 1, 0), 0);
	close(fd);
}

/* Writes far more than sockets hold, and reads it at the other end. */
static void
carry(int from, int to)
{
	static uint8_t out[1 << 20], in[1 << 20];
	size_t sent = 0, got = 0;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	while (got < sizeof(in)) {
		ssize_t n = send(from, out + sent, sizeof(out) - sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		n = recv(to, in + got, sizeof(in) - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(in, out, sizeof(in));
}

static void
test_relay(void **state)
{
	int router, europad, peer;
	struct wire_msg m;
	struct rig g;
	char text[8];

	(void)state;
	open_rig(&g, &m);
	/* nobody listens: europad sees the end, and hears why */
	expect_end(open_control(&g, 21));
	expect(&g, WIRE_FAIL, &m);
	assert_int_equal(m.id, 21);
	assert_int_equal(m.u.fail.no, ENOENT);

	router = listen_as_router(&g);
	europad = open_control(&g, 22);
	wait_readable(router);
	peer = accept(router, NULL, NULL);
	expect(&g, WIRE_OK, &m);
	carry(europad, peer);
	carry(peer, europad);
	/* what was said before the end comes before the end */
	assert_int_equal(send(peer, "bye", 3, 0), 3);
	close(peer);
	wait_readable(europad);
	assert_int_equal(recv(europad, text, sizeof(text), 0), 3);
	expect_end(europad);
	europad = open_control(&g, 23);
	wait_readable(router);
	peer = accept(router, NULL, NULL);
	assert_int_equal(send(europad, "hello", 5, 0), 5);
	close(europad);
	wait_readable(peer);
	assert_int_equal(recv(peer, text, sizeof(text), 0), 5);
	expect_end(peer);
	close(router);
	close_rig(&g);
}

static void
test_relays_are_few(void **state)
{
	int europad[INIT_MAX_RELAYS], router;
	struct wire_msg m;
	struct rig g;

	(void)state;
	open_rig(&g, &m);
	router = listen_as_router(&g);
	for (unsigned i = 0; i < INIT_MAX_RELAYS; i++) {
		europad[i] = open_control(&g, 30 + i);
		expect(&g, WIRE_OK, &m);
	}
	expect_end(open_control(&g, 40));
	expect(&g, WIRE_FAIL, &m);
	assert_int_equal(m.u.fail.no, EBUSY);
	for (unsigned i = 0; i < INIT_MAX_RELAYS; i++)
		close(europad[i]);
	close(router);
	close_rig(&g);
}

static void
test_pipeline(void **state)
{
	static char big[INIT_MAX_PIPELINE_BYTES + 1];
	char path[128], got[32] = "";
	struct wire_msg m;
	struct rig g;
	int fd;

	(void)state;
	open_rig(&g, &m);
	send_bytes(&g, WIRE_INIT_PIPELINE, "return 1\n", 9);
	expect(&g, WIRE_OK, &m);
	send_bytes(&g, WIRE_INIT_PIPELINE, big, sizeof(big));
	expect(&g, WIRE_FAIL, &m);
	assert_int_equal(m.u.fail.no, EFBIG);
	snprintf(path, sizeof(path), "%s/pipeline.lua", g.conf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, got, sizeof(got) - 1), 9);
	assert_string_equal(got, "return 1\n");
	close(fd);
	close_rig(&g);
}

static void
test_command(void **state)
{
	struct init_command a, b;

	(void)state;
	assert_int_equal(init_conf_command("end\n", 4, &a), 0);
	assert_string_equal(a.argv[0], "/usr/sbin/europa-router");
	assert_null(a.argv[1]);
	assert_int_equal(init_conf_command("dataplane /x y\nend\n", 19, &a), 0);
	init_command_copy(&b, &a);
	assert_true(init_command_equal(&a, &b));
	assert_string_equal(b.argv[1], "y");
	assert_true(b.argv[1] > b.text && b.argv[1] < b.text + sizeof(b.text));
	assert_int_equal(init_conf_command("dataplane /x z\nend\n", 19, &a), 0);
	assert_false(init_command_equal(&a, &b));
	assert_int_equal(init_conf_command("dataplane /x\nend\n", 17, &a), 0);
	assert_false(init_command_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_europad_restarts),
		cmocka_unit_test(test_new_set_restarts),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_child_garbage),
		cmocka_unit_test(test_bad_configs),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_relays_are_few),
		cmocka_unit_test(test_pipeline),
	};

	alarm(120); /* a message that never comes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
