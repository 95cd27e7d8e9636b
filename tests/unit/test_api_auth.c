/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_auth: who is let in. Over TCP nobody without a token; over the unix
 * socket whoever the kernel names, but never by a token that is not good.
 */
#include "api_rig.h"

#include "api/route.h"
#include "api/server_int.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>

static void
ask_tcp(struct client_answer *a, const char *target, const char *headers)
{
	scoped_close int fd = client_tcp(rig.tcp_port);

	client_say(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target,
	    headers);
	client_read(fd, a, 0);
}

static void
tcp_wants_a_token(void **state)
{
	static const char *const bad[] = { "", "Authorization: Bearer\r\n",
		"Authorization: Bearer \r\n", "Authorization: Bearer x\r\n",
		"Authorization: Bearer " RIG_SECRET "x\r\n",
		"Authorization: " RIG_SECRET "\r\n",
		"Authorization: Basic b3Blbi1zZXNhbWU6\r\n" };
	static struct client_answer a;
	unsigned before = rig_handled();
	json_t *v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ask_tcp(&a, "/v1/routers/a", bad[i]);
		rig_expect_code(&a, 401, "unauthorized");
		assert_string_equal(client_header(&a, "WWW-Authenticate"),
		    "Bearer realm=\"europa\"");
	}
	assert_int_equal(rig_handled(), before);
	ask_tcp(&a, "/v1/routers/a", RIG_BEARER);
	assert_int_equal(a.status, 200);
	v = rig_json_of(&a);
	assert_string_equal(
	    json_string_value(json_object_get(v, "token")), "rig");
	assert_int_equal(json_integer_value(json_object_get(v, "uid")), -1);
	json_decref(v);
}

/* It expires after its secret was found to be good. */
static void
a_token_that_ends_meanwhile_is_none(void **state)
{
	static struct client_answer a;
	unsigned before = rig_handled();

	(void)state;
	atomic_store(&rig.token_ends, true);
	ask_tcp(&a, "/v1/routers/a", RIG_BEARER);
	atomic_store(&rig.token_ends, false);
	rig_expect_code(&a, 401, "unauthorized");
	assert_int_equal(rig_handled(), before);
}

static bool
network_of(int family, const char *address, uint64_t *out)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	a.ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		assert_int_equal(inet_pton(family, address, &in6.sin6_addr), 1);
		memcpy(&a, &in6, sizeof(in6));
	}
	return conn_peer_of(&a, out);
}

/* Who has one IPv6 address has 2^64: they count as one, others do not. */
static void
a_network_is_64_bits(void **state)
{
	uint64_t a, b;

	(void)state;
	assert_true(network_of(AF_INET6, "2001:db8:0:1::1", &a));
	assert_true(network_of(AF_INET6, "2001:db8:0:1:ffff::2", &b));
	assert_int_equal(a, b);
	assert_true(network_of(AF_INET6, "2001:db8:0:2::1", &b));
	assert_int_not_equal(a, b);
	assert_false(network_of(AF_INET6, "::ffff:198.18.0.1", &b));
	assert_int_equal(b, htonl(0xc6120001));
	assert_false(network_of(AF_INET, NULL, &b));
	assert_int_equal(b, 0);
}

/* From 127.0.0.1 and another one, so that not the address is what counts. */
static int
ask_later(unsigned i)
{
	const struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i % 2),
	};
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)rig.tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	client_say(fd, "GET /v1/routers/later HTTP/1.1\r\n"
		       "Host: localhost\r\n" RIG_BEARER "\r\n");
	return fd;
}

static unsigned
n_kept(void)
{
	unsigned n;

	pthread_mutex_lock(&rig.lock);
	n = rig.n_kept;
	pthread_mutex_unlock(&rig.lock);
	return n;
}

/* true: the handler has it; false: it is answered already. */
static bool
is_taken(int fd, unsigned n_before)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int i = 0; i < 10 * RIG_DEADLINE_MS; i++) {
		if (n_kept() > n_before)
			return true;
		if (poll(&p, 1, 1) > 0)
			return false;
	}
	fail_msg("neither taken nor answered");
	return false;
}

static void
answer_all(unsigned from, const int *fd, unsigned n)
{
	static struct client_answer a;

	for (unsigned i = 0; i < n; i++)
		api_reply(rig.kept[from + i], 200, json_object(), NULL, NULL);
	for (unsigned i = 0; i < n; i++) {
		client_read(fd[i], &a, 0);
		assert_int_equal(a.status, 200);
		close(fd[i]);
	}
}

static void
a_token_has_a_part_of_the_places_to_wait(void **state)
{
	static struct client_answer a;
	int fd[SERVER_PENDING_OF_TOKEN + 1];
	unsigned from = n_kept(), n = 0;

	(void)state;
	/* many at a time, on a machine that stands still fewer */
	while (n <= SERVER_PENDING_OF_TOKEN) {
		fd[n] = ask_later(n);
		if (!is_taken(fd[n], from + n))
			break;
		n++;
	}
	assert_in_range(n, SERVER_WAITING_OF_TOKEN, SERVER_PENDING_OF_TOKEN);
	client_read(fd[n], &a, 0);
	rig_expect_code(&a, 503, "busy");
	close(fd[n]);
	/* neither who has no token nor the socket is asked for it */
	ask_tcp(&a, "/healthz", "");
	assert_int_equal(a.status, 200);
	rig_ask(&a, "GET", "/v1/routers/a", RIG_BEARER, NULL);
	assert_int_equal(a.status, 200);
	answer_all(from, fd, n);
	ask_tcp(&a, "/v1/routers/a", RIG_BEARER);
	assert_int_equal(a.status, 200);
	/* of those that wait for long fewer */
	from += n;
	for (n = 0; n < SERVER_WAITING_OF_TOKEN; n++) {
		fd[n] = ask_later(n);
		assert_true(is_taken(fd[n], from + n));
	}
	for (int i = 0; i < RIG_DEADLINE_MS && a.status == 200; i += 10) {
		usleep(10000);
		ask_tcp(&a, "/v1/routers/a", RIG_BEARER);
	}
	rig_expect_code(&a, 503, "busy");
	assert_int_equal(n_kept(), from + n);
	answer_all(from, fd, n);
	ask_tcp(&a, "/v1/routers/a", RIG_BEARER);
	assert_int_equal(a.status, 200);
}

/* A socket that listens there, on any port; -1: this machine has none. */
static int
listen_six(struct sockaddr_in6 *at)
{
	socklen_t n = sizeof(*at);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in6){ .sin6_family = AF_INET6,
		.sin6_addr = in6addr_loopback };
	if (fd >= 0 && bind(fd, (struct sockaddr *)at, n) == 0 &&
	    listen(fd, 2 * SERVER_PER_PEER) == 0 &&
	    getsockname(fd, (struct sockaddr *)at, &n) == 0)
		return fd;
	base_close(fd);
	return -1;
}

static void
a_network_has_64_connections(void **state)
{
	struct api_server s = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.alarm = PTHREAD_COND_INITIALIZER };
	struct server_listener l = { .server = &s, .is_tcp = true };
	struct server_conn *conn[SERVER_PER_PEER + 2];
	int client[SERVER_PER_PEER + 2], server[SERVER_PER_PEER + 2];
	struct sockaddr_in6 at;
	int fd = listen_six(&at);

	(void)state;
	if (fd < 0)
		skip();
	TAILQ_INIT(&s.conns);
	for (size_t i = 0; i < ARRAY_SIZE(conn); i++) {
		if (i > SERVER_PER_PEER) /* one has gone: there is room */
			conn_close(conn[0]);
		client[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    connect(client[i], (struct sockaddr *)&at, sizeof(at)), 0);
		server[i] = accept(fd, NULL, NULL);
		assert_true(server[i] >= 0);
		conn[i] = conn_open(&l, server[i]);
		assert_non_null(conn[i]);
		assert_int_equal(client_is_hung_up(client[i],
				     i == SERVER_PER_PEER ? 5000 : 0),
		    i == SERVER_PER_PEER);
		if (i == SERVER_PER_PEER)
			conn_close(conn[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(conn); i++) {
		if (i != 0 && i != SERVER_PER_PEER)
			conn_close(conn[i]);
		close(client[i]);
		close(server[i]);
	}
	close(fd);
}

static void
nobody_is_asked_for_the_page_and_the_health(void **state)
{
	static struct client_answer a;

	(void)state;
	ask_tcp(&a, "/", "");
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "/healthz", "");
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "/nothing", "");
	rig_expect_code(&a, 404, "not-found");
}

static void
over_the_socket_a_token_counts_if_there_is_one(void **state)
{
	static struct client_answer a;
	json_t *v;

	(void)state;
	rig_ask(&a, "GET", "/v1", "", NULL);
	assert_int_equal(a.status, 200);
	v = rig_json_of(&a);
	assert_string_equal(json_string_value(json_object_get(v, "token")), "");
	assert_int_equal(
	    json_integer_value(json_object_get(v, "uid")), geteuid());
	json_decref(v);
	rig_ask(&a, "GET", "/v1", RIG_BEARER, NULL);
	assert_int_equal(a.status, 200);
	v = rig_json_of(&a);
	assert_string_equal(
	    json_string_value(json_object_get(v, "token")), "rig");
	assert_int_equal(json_integer_value(json_object_get(v, "uid")), -1);
	json_decref(v);
	rig_ask(&a, "GET", "/v1", "Authorization: Bearer no\r\n", NULL);
	rig_expect_code(&a, 401, "unauthorized");
}

/* Refused before its body has come: the answer is there without it. */
static void
a_body_is_not_waited_for(void **state)
{
	static struct client_answer a;
	scoped_close int fd = client_tcp(rig.tcp_port);

	(void)state;
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: localhost\r\n"
		       "Content-Length: 60000\r\n\r\n");
	client_read(fd, &a, 0);
	rig_expect_code(&a, 401, "unauthorized");
}

/* The table says of each operation who may: a slip here opens a door. */
static void
the_table_says_who_may(void **state)
{
	static const struct {
		const char *method, *path;
		unsigned flags;
	} want[] = {
		{ "POST", "/v1/projects", ROUTE_NODE },
		{ "PATCH", "/v1/projects/a/quota", ROUTE_NODE },
		{ "DELETE", "/v1/projects/a", ROUTE_NODE },
		{ "POST", "/v1/ports", ROUTE_NODE },
		{ "PUT", "/v1/ports/a", ROUTE_NODE },
		{ "DELETE", "/v1/ports/a", ROUTE_NODE },
		{ "GET", "/v1/tokens", ROUTE_ADMIN },
		{ "POST", "/v1/tokens", ROUTE_ADMIN },
		{ "DELETE", "/v1/tokens/a", ROUTE_ADMIN },
		{ "GET", "/v1/routers/a/console", ROUTE_OPERATOR },
		{ "GET", "/v1/routers/a/files", ROUTE_OPERATOR },
		{ "POST", "/v1/routers/a/exec", ROUTE_WRITES },
		{ "GET", "/v1/audit", ROUTE_ADMIN },
	};
	const char *method, *pattern;
	enum api_op op;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct route_match m;

		route_find(want[i].method, want[i].path, &m);
		assert_int_equal(m.status, 200);
		assert_true(m.flags & want[i].flags);
	}
	for (unsigned i = 0; route_row(i, &method, &pattern, &op); i++) {
		struct route_match m;

		if (strcmp(method, "GET") == 0)
			continue;
		route_find(method, pattern, &m);
		if (m.status == 200)
			assert_true(m.flags & ROUTE_WRITES);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_wants_a_token),
		cmocka_unit_test(a_token_that_ends_meanwhile_is_none),
		cmocka_unit_test(a_network_is_64_bits),
		cmocka_unit_test(a_network_has_64_connections),
		cmocka_unit_test(nobody_is_asked_for_the_page_and_the_health),
		cmocka_unit_test(a_token_has_a_part_of_the_places_to_wait),
		cmocka_unit_test(
		    over_the_socket_a_token_counts_if_there_is_one),
		cmocka_unit_test(a_body_is_not_waited_for),
		cmocka_unit_test(the_table_says_who_may),
	};

	return cmocka_run_group_tests_name(
	    "auth", tests, rig_setup, rig_teardown);
}
