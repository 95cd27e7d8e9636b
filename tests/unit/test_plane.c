/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plane: europad's connection to data planes that are older or newer, or
 * that end while something is said to them. The data plane is the test itself,
 * on the same loop.
 */
#include "agent/plane.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, FUTURE_STATE = 200 };

struct rig {
	struct loop *loop;
	struct plane *plane;
	char dir[32], path[64];
	int listen_fd, fd;
	struct loop_source *listening, *talking, *patience;
	uint16_t major, minor; /* of the data plane */
	bool ends;             /* once it is up */
	uint8_t port_state;    /* that europad has heard of */
	bool is_up;
};

static void
ask_when_it_ended(struct rig *r)
{
	struct wire_msg m = { .type = WIRE_PORT_LIST };
	uint32_t mark;

	assert_true(plane_has_answered(r->plane, plane_mark(r->plane)));
	loop_del(r->talking);
	r->talking = NULL;
	close(r->fd);
	r->fd = -1;
	assert_true(plane_is_up(r->plane));
	assert_int_equal(plane_send(r->plane, &m, NULL), -ENOTCONN);
	mark = plane_mark(r->plane);
	assert_false(plane_has_answered(r->plane, mark));
	assert_false(plane_is_up(r->plane));
}

static void
on_up(void *arg, const struct wire_msg *hello)
{
	struct rig *r = arg;

	assert_int_equal(hello->u.hello.minor, r->minor);
	r->is_up = true;
	if (r->ends)
		ask_when_it_ended(r);
}

static void
on_down(void *arg)
{
	struct rig *r = arg;

	if (r->ends)
		loop_stop(r->loop, 0);
}

static void
on_port(void *arg, const struct wire_msg *m)
{
	struct rig *r = arg;

	r->port_state = m->u.port_info.state;
	loop_stop(r->loop, 0);
}

static void
on_other(void *arg, const struct wire_msg *m)
{
	(void)arg;
	(void)m;
}

static void
on_set(void *arg, struct wire_msg *m)
{
	(void)arg;
	(void)m;
}

/* What a data plane says to each. */
static void
on_request(void *arg, int fd, uint32_t events)
{
	struct rig *r = arg;
	struct wire_msg m, a = { .type = WIRE_HELLO };
	int rc = wire_recv(fd, &m);

	(void)events;
	if (rc == -EAGAIN)
		return;
	if (rc < 0) { /* europad does not want to talk to it */
		assert_int_equal(rc, -EPIPE);
		loop_stop(r->loop, 0);
		return;
	}
	a.id = m.id;
	if (m.type == WIRE_HELLO) {
		assert_int_equal(m.u.hello.minor, WIRE_MINOR);
		a.u.hello.major = r->major;
		a.u.hello.minor = r->minor;
		assert_int_equal(wire_send(fd, &a), 0);
		return;
	}
	assert_int_equal(m.type, WIRE_SET_LIST);
	assert_int_equal(wire_reply_ok(fd, m.id), 0);
	a = (struct wire_msg){ .type = WIRE_PORT_INFO };
	a.u.port_info.state = FUTURE_STATE;
	assert_int_equal(wire_send(fd, &a), 0);
}

static void
on_connect(void *arg, int listen_fd, uint32_t events)
{
	struct rig *r = arg;

	(void)events;
	assert_int_equal(r->fd, -1);
	r->fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(r->fd >= 0);
	assert_int_equal(
	    loop_add_fd(r->loop, r->fd, EPOLLIN, on_request, r, &r->talking),
	    0);
}

static void
too_late(void *arg)
{
	struct rig *r = arg;

	loop_stop(r->loop, -ETIMEDOUT);
}

/* Runs until something has happened that ends it. */
static void
run(struct rig *r, uint16_t major, uint16_t minor, bool ends)
{
	const struct plane_hooks hooks = {
		.on_set = on_set,
		.on_up = on_up,
		.on_down = on_down,
		.on_event = on_other,
		.on_port = on_port,
		.arg = r,
	};

	*r = (struct rig){
		.fd = -1, .major = major, .minor = minor, .ends = ends
	};
	snprintf(r->dir, sizeof(r->dir), "/tmp/eupl-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/sock", r->dir);
	assert_int_equal(loop_new(&r->loop), 0);
	r->listen_fd = wire_listen(r->path, 0600);
	assert_true(r->listen_fd >= 0);
	assert_int_equal(loop_add_fd(r->loop, r->listen_fd, EPOLLIN, on_connect,
			     r, &r->listening),
	    0);
	assert_int_equal(loop_add_timer(r->loop, too_late, r, &r->patience), 0);
	loop_arm(r->patience, PATIENCE_MS);
	assert_int_equal(plane_new(r->loop, r->path, &hooks, &r->plane), 0);
	assert_int_equal(loop_run(r->loop), 0);
	plane_free(r->plane);
	loop_del(r->talking);
	loop_del(r->listening);
	loop_del(r->patience);
	loop_free(r->loop);
	base_close(r->fd);
	close(r->listen_fd);
	unlink(r->path);
	rmdir(r->dir);
}

static void
any_minor_will_do(void **state)
{
	static const uint16_t minor[] = { 0, 2, WIRE_MINOR, WIRE_MINOR + 1,
		UINT16_MAX };
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(minor); i++) {
		run(&r, WIRE_MAJOR, minor[i], false);
		assert_true(r.is_up);
		/* nobody has asked, and nobody knows what it means */
		assert_int_equal(r.port_state, FUTURE_STATE);
	}
}

static void
another_major_will_not(void **state)
{
	struct rig r;

	(void)state;
	run(&r, WIRE_MAJOR + 1, WIRE_MINOR, false);
	assert_false(r.is_up);
	run(&r, WIRE_MAJOR - 1, WIRE_MINOR, false);
	assert_false(r.is_up);
}

/* Nothing is pending then, and yet nothing was agreed to. */
static void
what_is_not_sent_is_not_answered(void **state)
{
	struct rig r;

	(void)state;
	run(&r, WIRE_MAJOR, WIRE_MINOR, true);
	assert_true(r.is_up);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_minor_will_do),
		cmocka_unit_test(another_major_will_not),
		cmocka_unit_test(what_is_not_sent_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
