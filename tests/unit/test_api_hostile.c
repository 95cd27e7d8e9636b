/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_hostile: a server and clients that do what clients should not, or
 * many things at once; and its end while they wait.
 */
#include "api_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

static void
a_body_has_64_kib(void **state)
{
	static struct client_answer a;
	static char body[(64 << 10) + 1];
	int fd;

	(void)state;
	memset(body, ' ', sizeof(body));
	body[0] = '{';
	body[(64 << 10) - 1] = '}';
	fd = client_unix(rig.socket);
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %d\r\n\r\n",
	    64 << 10);
	client_send(fd, body, 64 << 10);
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 201);
	close(fd);

	/* announced: refused before it is sent */
	fd = client_unix(rig.socket);
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n",
	    (64 << 10) + 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	close(fd);

	/* in chunks: refused when it is over */
	fd = client_unix(rig.socket);
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n10001\r\n");
	client_send(fd, body, sizeof(body));
	client_say(fd, "\r\n0\r\n\r\n");
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	close(fd);
}

/* A client that writes first and reads then has its answer, and goes on. */
static void
a_large_body_is_refused_when_it_is_there(void **state)
{
	static struct client_answer a;
	static char body[(64 << 10) + 1];
	int fd = client_unix(rig.socket);
	struct pollfd early = { .fd = fd, .events = POLLIN };

	(void)state;
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(body));
	client_send(fd, body, 1);
	assert_int_equal(poll(&early, 1, 100), 0);
	client_send(fd, body + 1, sizeof(body) - 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");

	client_say(fd, "GET /v1/routers/r1 HTTP/1.1\r\nHost: e\r\n\r\n");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	close(fd);
}

/* The most that is dropped, and a byte more: then it is not waited for. */
static void
a_very_large_body_is_not_waited_for(void **state)
{
	static struct client_answer a;
	static char body[(64 << 10) + (1 << 20)];
	int fd = client_unix(rig.socket);

	(void)state;
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(body));
	client_send(fd, body, sizeof(body));
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	close(fd);

	fd = client_unix(rig.socket);
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(body) + 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	assert_true(client_is_hung_up(fd, RIG_DEADLINE_MS));
	close(fd);
}

/* A whole table has a spool, and is not read to be refused. */
static void
a_table_too_large_is_not_waited_for(void **state)
{
	static struct client_answer a;
	int fd = client_unix(rig.socket);

	(void)state;
	client_say(fd,
	    "PUT /v1/routers/r1/routes HTTP/1.1\r\nHost: e\r\n"
	    "Content-Type: application/x-ndjson\r\n"
	    "Content-Length: %d\r\n\r\n",
	    (128 << 20) + 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	assert_true(client_is_hung_up(fd, RIG_DEADLINE_MS));
	close(fd);
}

static void
an_endless_body_is_hung_up_on(void **state)
{
	static char chunk[1 << 16];
	int fd = client_unix(rig.socket);
	uint64_t began = loop_now_ms();

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 64; i++) {
		client_say(fd, "10000\r\n");
		client_send(fd, chunk, sizeof(chunk));
		client_say(fd, "\r\n");
	}
	assert_true(client_is_hung_up(fd, RIG_DEADLINE_MS));
	assert_true(loop_now_ms() - began < RIG_DEADLINE_MS - 500);
	close(fd);
}

static void
large_heads_are_431(void **state)
{
	static struct client_answer a;
	static char field[40 << 10];
	int fd = client_unix(rig.socket);

	(void)state;
	memset(field, 'x', sizeof(field));
	client_say(fd, "GET /v1 HTTP/1.1\r\nHost: e\r\nX: ");
	client_send(fd, field, sizeof(field));
	client_say(fd, "\r\n\r\n");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 431);
	close(fd);
}

static void
a_depth_bomb_is_defused(void **state)
{
	static struct client_answer a;
	static char bomb[60 << 10];
	int fd = client_unix(rig.socket);

	(void)state;
	memset(bomb, '[', sizeof(bomb));
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(bomb));
	client_send(fd, bomb, sizeof(bomb));
	client_read(fd, &a, 0);
	rig_expect_code(&a, 400, "not-json");
	assert_non_null(strstr(a.body, "32 levels"));
	close(fd);
}

static void
half_a_connection_gets_its_answer(void **state)
{
	static struct client_answer a;
	int fd = client_unix(rig.socket);

	(void)state;
	client_say(fd, "GET /v1/routers/a HTTP/1.1\r\nHost: e\r\n\r\n");
	shutdown(fd, SHUT_WR);
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	close(fd);
	/* half a request, and then nothing more */
	fd = client_unix(rig.socket);
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Content-Length: 100\r\n\r\n{");
	shutdown(fd, SHUT_WR);
	/* the end may hide behind the byte: then the deadline finds it */
	assert_true(client_is_hung_up(fd, 2 * RIG_DEADLINE_MS));
	close(fd);
}

static void
a_client_that_left_harms_nobody(void **state)
{
	static struct client_answer a;
	int fd = client_unix(rig.socket);

	(void)state;
	rig.n_kept = 0;
	client_say(fd, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	rig_wait_for_kept(1);
	close(fd);
	api_reply(rig.kept[0], 200, json_object(), NULL, NULL);
	rig_ask(&a, "GET", "/v1/routers/now", "", NULL);
	assert_int_equal(a.status, 200);
}

/*
 * Sends a byte to each now and then, until all are hung up on. None of them was
 * there before began.
 */
static void
drip(const int *fds, size_t n, uint64_t began)
{
	size_t n_open = n;
	bool is_open[16];

	memset(is_open, true, sizeof(is_open));
	while (n_open > 0) {
		for (size_t i = 0; i < n; i++) {
			if (!is_open[i])
				continue;
			client_send(fds[i], "x", 1);
			if (client_is_hung_up(fds[i], 5)) {
				is_open[i] = false;
				n_open--;
				assert_in_range(loop_now_ms() - began,
				    RIG_DEADLINE_MS, 2 * RIG_DEADLINE_MS);
			}
		}
		if (loop_now_ms() - began > 2 * RIG_DEADLINE_MS)
			fail_msg("%zu still open", n_open);
		usleep(100000);
	}
}

static void
who_drips_is_hung_up_on(void **state)
{
	static struct client_answer a;
	uint64_t began = loop_now_ms();
	int fds[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client_unix(rig.socket);
		if (i % 4 == 1)
			client_say(fds[i], "GET /v1 HTTP/1.1\r\nHost: e\r\nX-");
		if (i % 4 == 2)
			client_say(fds[i], "POST /v1/routers HTTP/1.1\r\n"
					   "Host: e\r\nContent-Length: "
					   "60000\r\n\r\n{");
		if (i % 4 == 3)
			client_say(fds[i], "POST /v1/routers HTTP/1.1\r\n"
					   "Host: e\r\nTransfer-Encoding: "
					   "chunked\r\n\r\nffff\r\n{");
	}
	rig_ask(&a, "GET", "/v1", "", NULL); /* others do not notice */
	assert_int_equal(a.status, 200);
	drip(fds, ARRAY_SIZE(fds), began);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* As many as can be kept at a time: none is overwritten. */
enum { N_CLIENTS = RIG_MAX_KEPT, N_EACH = 40 };

/* A client of many: every other request is answered by another thread. */
static void *
ask_often(void *arg)
{
	struct client_answer *a = calloc(1, sizeof(*a));
	size_t *n_good = arg;

	for (unsigned i = 0; i < N_EACH; i++) {
		rig_ask(a, "GET",
		    i % 2 ? "/v1/routers/later" : "/v1/routers/now", "", NULL);
		*n_good += a->status == 200;
	}
	free(a);
	return NULL;
}

static void *
answer_all_kept(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < N_CLIENTS * N_EACH / 2; i++) {
		struct api_request *r;

		rig_wait_for_kept(i + 1);
		pthread_mutex_lock(&rig.lock);
		r = rig.kept[i % RIG_MAX_KEPT];
		pthread_mutex_unlock(&rig.lock);
		api_reply(r, 200, json_object(), "1", NULL);
	}
	return NULL;
}

static void
many_clients_are_served_at_once(void **state)
{
	pthread_t clients[N_CLIENTS], answerer;
	size_t n_good[N_CLIENTS] = { 0 };

	(void)state;
	rig.n_kept = 0;
	assert_int_equal(
	    pthread_create(&answerer, NULL, answer_all_kept, NULL), 0);
	for (size_t i = 0; i < N_CLIENTS; i++)
		assert_int_equal(
		    pthread_create(&clients[i], NULL, ask_often, &n_good[i]),
		    0);
	for (size_t i = 0; i < N_CLIENTS; i++) {
		pthread_join(clients[i], NULL);
		assert_int_equal(n_good[i], N_EACH);
	}
	pthread_join(answerer, NULL);
}

/* The error of a connection over TCP; 0: there is somebody. */
static int
knock(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)rig.tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	scoped_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)&a, sizeof(a)) ? errno : 0;
}

/* Until it is told to end. */
static void *
knock_on(void *arg)
{
	const _Atomic(bool) *ends = arg;

	while (!atomic_load(ends)) {
		if (knock() != 0)
			usleep(100);
	}
	return NULL;
}

/* Clients come all the while; that they meet the stop at its worst is luck. */
static void
a_stop_may_come_at_any_time(void **state)
{
	static struct client_answer a;
	static _Atomic(bool) ends; /* a failed assertion leaves the thread */
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, knock_on, &ends), 0);
	for (useconds_t i = 0; i < 30; i++) {
		usleep(i * 50);
		api_server_stop(rig.server);
		rig_start();
		rig_ask(&a, "GET", "/v1", "", NULL);
		assert_int_equal(a.status, 200);
	}
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
}

/* When nobody can connect any more: long before the server is gone. */
static void *
answer_kept(void *arg)
{
	struct api_request *r = arg;

	while (knock() != ECONNREFUSED)
		usleep(10000);
	api_reply(r, 200, json_object(), NULL, NULL);
	return NULL;
}

/* The last one: the server is started anew for the teardown. */
static void
a_stop_answers_who_waits(void **state)
{
	static struct client_answer a;
	int soon = client_unix(rig.socket), never = client_unix(rig.socket);
	int idle = client_unix(rig.socket);
	pthread_t thread;
	uint64_t began;

	(void)state;
	rig.n_kept = 0;
	client_say(idle, "GET /v1 HTTP/1.1\r\nHost: e\r\n\r\n");
	client_read(idle, &a, 0);
	client_say(soon, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	rig_wait_for_kept(1);
	client_say(never, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	rig_wait_for_kept(2);
	began = loop_now_ms();
	assert_int_equal(
	    pthread_create(&thread, NULL, answer_kept, rig.kept[0]), 0);
	api_server_stop(rig.server);
	assert_in_range(loop_now_ms() - began, 900, 3000);
	pthread_join(thread, NULL);
	client_read(soon, &a, 0);
	assert_int_equal(a.status, 200);
	client_read(never, &a, 0);
	rig_expect_code(&a, 503, "stopping");
	assert_true(client_is_hung_up(idle, 1000));
	/* the agent's answer comes too late, and is not lost but dropped */
	api_reply(rig.kept[1], 200, json_object(), NULL, NULL);
	close(soon);
	close(never);
	close(idle);
	rig_start();
	rig_ask(&a, "GET", "/v1", "", NULL);
	assert_int_equal(a.status, 200);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_has_64_kib),
		cmocka_unit_test(a_large_body_is_refused_when_it_is_there),
		cmocka_unit_test(a_very_large_body_is_not_waited_for),
		cmocka_unit_test(a_table_too_large_is_not_waited_for),
		cmocka_unit_test(an_endless_body_is_hung_up_on),
		cmocka_unit_test(large_heads_are_431),
		cmocka_unit_test(a_depth_bomb_is_defused),
		cmocka_unit_test(half_a_connection_gets_its_answer),
		cmocka_unit_test(a_client_that_left_harms_nobody),
		cmocka_unit_test(many_clients_are_served_at_once),
		cmocka_unit_test(who_drips_is_hung_up_on),
		cmocka_unit_test(a_stop_may_come_at_any_time),
		cmocka_unit_test(a_stop_answers_who_waits),
	};

	return cmocka_run_group_tests_name(
	    "hostile", tests, rig_setup, rig_teardown);
}
