/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_stream: readers of events over HTTP: what they hear, that they come
 * and go, that slow ones harm nobody, and that a server with readers stops.
 */
#include "api_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

struct reader {
	int fd;
	size_t n;
	char text[256 << 10]; /* what came, with the marks of chunks */
};

static void
begin(struct reader *r, const char *query, const char *headers)
{
	r->fd = client_unix(rig.socket);
	r->n = 0;
	r->text[0] = '\0';
	client_say(r->fd, "GET /v1/events%s HTTP/1.1\r\nHost: e\r\n%s\r\n",
	    query, headers);
}

/* Reads until the words are there; false: they do not come, or the end did. */
static bool
hears(struct reader *r, const char *words)
{
	uint64_t until = loop_now_ms() + PATIENCE_MS;

	while (!strstr(r->text, words)) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		ssize_t k;

		if (loop_now_ms() > until || r->n + 1 >= sizeof(r->text) ||
		    poll(&p, 1, 100) < 0)
			return false;
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		k = read(r->fd, r->text + r->n, sizeof(r->text) - 1 - r->n);
		if (k <= 0)
			return false;
		r->n += (size_t)k;
		r->text[r->n] = '\0';
	}
	return true;
}

static void
happen(int n)
{
	api_event(
	    rig.server, "t.happened", "default", json_pack("{s:i}", "n", n));
}

static void
a_reader_hears_it_at_once(void **state)
{
	static struct reader r, lines;

	(void)state;
	begin(&r, "", "");
	begin(&lines, "", "Accept: application/x-ndjson\r\n");
	assert_true(hears(&r, ": alive\n\n"));
	assert_true(hears(&lines, "{\"type\":\"heartbeat\"}\n"));
	assert_non_null(strstr(r.text, "Content-Type: text/event-stream\r\n"));
	assert_non_null(
	    strstr(lines.text, "Content-Type: application/x-ndjson\r\n"));
	for (int i = 1; i <= 3; i++) {
		char words[32];

		happen(i);
		snprintf(words, sizeof(words), "{\"n\":%d,\"id\":", i);
		assert_true(hears(&r, words));
		assert_true(hears(&lines, words));
	}
	assert_non_null(strstr(r.text, "\nevent: t.happened\ndata: {"));
	close(r.fd);
	close(lines.fd);
}

static void
the_heart_beats(void **state)
{
	static struct reader r;

	(void)state;
	begin(&r, "", "");
	assert_true(hears(&r, ": alive\n\n"));
	happen(1);
	assert_true(hears(&r, "happened"));
	r.n = 0;
	r.text[0] = '\0';
	api_events_beat(rig.server);
	assert_true(hears(&r, ": alive\n\n"));
	close(r.fd);
}

/* The last id in what was heard. */
static void
last_id(const struct reader *r, char out[40])
{
	const char *at = r->text, *found = NULL;

	while ((at = strstr(at, "id: ")) != NULL)
		found = at += 4;
	assert_non_null(found);
	snprintf(out, 40, "%.*s", (int)strcspn(found, "\r\n"), found);
}

static void
who_comes_back_goes_on(void **state)
{
	static struct reader r;
	char id[40], header[80];

	(void)state;
	begin(&r, "", "");
	assert_true(hears(&r, ": alive"));
	happen(100);
	assert_true(hears(&r, "\"n\":100,"));
	last_id(&r, id);
	close(r.fd);
	happen(101);
	snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", id);
	begin(&r, "", header);
	assert_true(hears(&r, "\"n\":101,"));
	assert_null(strstr(r.text, "\"n\":100,"));
	close(r.fd);
	begin(&r, "", "Last-Event-ID: 00000000-5\r\n");
	assert_true(hears(&r, "\"missed\":null}"));
	close(r.fd);
}

static void
what_is_kept_can_be_had_alone(void **state)
{
	static struct reader r;

	(void)state;
	happen(7);
	begin(&r, "?follow=false", "");
	assert_true(hears(&r, "\r\n0\r\n")); /* the chunk that ends it */
	assert_non_null(strstr(r.text, "\"n\":7,"));
	assert_null(strstr(r.text, ": alive"));
	close(r.fd);
}

static void
other_projects_are_not_heard(void **state)
{
	static struct reader r;

	(void)state;
	begin(&r, "", "");
	assert_true(hears(&r, ": alive"));
	api_event(
	    rig.server, "t.secret", "other", json_pack("{s:i}", "n", 200));
	api_event(rig.server, "t.all", NULL, json_pack("{s:i}", "n", 201));
	happen(202);
	assert_true(hears(&r, "\"n\":202,"));
	assert_null(strstr(r.text, "\"n\":200,"));
	assert_non_null(strstr(r.text, "\"n\":201,"));
	close(r.fd);
}

/* One takes nothing while far more happens than is kept, and then hears so. */
static void
a_slow_reader_harms_nobody(void **state)
{
	static struct reader slow, quick;
	static struct client_answer a;
	char words[32], fill[2000];

	(void)state;
	memset(fill, 'x', sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = '\0';
	begin(&slow, "", "");
	assert_true(hears(&slow, ": alive"));
	begin(&quick, "", "");
	assert_true(hears(&quick, ": alive"));
	for (int i = 0; i < 3000; i++) {
		api_event(rig.server, "t.much", "default",
		    json_pack("{s:i, s:s}", "m", i, "fill", fill));
		if (i % 20 != 19)
			continue;
		snprintf(words, sizeof(words), "{\"m\":%d,", i);
		assert_true(hears(&quick, words));
		quick.n = 0;
		quick.text[0] = '\0';
	}
	rig_ask(&a, "GET", "/v1/routers/r1", "", NULL);
	assert_int_equal(a.status, 200);
	for (;;) {
		slow.n = 0;
		slow.text[0] = '\0';
		if (hears(&slow, "event: gap"))
			break;
		assert_true(slow.n + 1 >= sizeof(slow.text)); /* go on */
	}
	slow.n = 0;
	slow.text[0] = '\0';
	happen(300);
	while (!hears(&slow, "{\"n\":300,")) {
		assert_true(slow.n + 1 >= sizeof(slow.text));
		slow.n = 0;
		slow.text[0] = '\0';
	}
	close(slow.fd);
	close(quick.fd);
}

/* A token has a part of the places, which are free again when their readers go. */
static void
there_are_not_too_many(void **state)
{
	static struct reader r[16], more;

	(void)state;
	for (int round = 0; round < 2; round++) {
		uint64_t until = loop_now_ms() + PATIENCE_MS;

		for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
			do { /* those of the round before have to be missed */
				r[i].fd = client_tcp(rig.tcp_port);
				r[i].n = 0;
				r[i].text[0] = '\0';
				client_say(r[i].fd, "GET /v1/events HTTP/1.1"
						    "\r\nHost: localhost"
						    "\r\n" RIG_BEARER "\r\n");
				assert_true(hears(&r[i], "\r\n\r\n"));
				if (strstr(r[i].text, " 200 "))
					break;
				close(r[i].fd);
				usleep(20000);
			} while (loop_now_ms() < until);
			assert_non_null(strstr(r[i].text, " 200 "));
		}
		more.fd = client_tcp(rig.tcp_port);
		more.n = 0;
		client_say(more.fd,
		    "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n" RIG_BEARER
		    "\r\n");
		assert_true(hears(&more, "\"busy\""));
		assert_non_null(strstr(more.text, " 503 "));
		close(more.fd);
		for (size_t i = 0; i < ARRAY_SIZE(r); i++)
			close(r[i].fd);
	}
}

static void
a_server_with_readers_stops(void **state)
{
	static struct reader r[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		begin(&r[i], "", "");
		assert_true(hears(&r[i], ": alive"));
	}
	api_server_stop(rig.server);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_true(hears(&r[i], "\r\n0\r\n"));
		close(r[i].fd);
	}
	rig_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_hears_it_at_once),
		cmocka_unit_test(the_heart_beats),
		cmocka_unit_test(who_comes_back_goes_on),
		cmocka_unit_test(what_is_kept_can_be_had_alone),
		cmocka_unit_test(other_projects_are_not_heard),
		cmocka_unit_test(a_slow_reader_harms_nobody),
		cmocka_unit_test(there_are_not_too_many),
		cmocka_unit_test(a_server_with_readers_stops),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
