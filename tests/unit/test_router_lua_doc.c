/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_lua_doc: the three pipelines of doc/pipeline.md, as they stand
 * there, in a router with packets; and the commands of that page.
 */
#include "lib/base.h"
#include "lib/loop.h"
#include "tests/unit/router_lab.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT = 1 << 14, SERVER_7 = 7, SERVER_8 = 8 };

/* Writes the nth block of the page that begins with fence to path. */
static void
copy_block(const char *fence, unsigned n, const char *path)
{
	const char *src = getenv("EUROPA_SRCDIR");
	char page[512], line[512];
	unsigned at = 0, lines = 0;
	bool inside = false, open = false;
	FILE *in, *out;

	snprintf(page, sizeof(page), "%s/doc/pipeline.md", src ? src : ".");
	in = fopen(page, "r");
	out = fopen(path, "w");
	assert_true(in && out);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "```", 3) == 0) {
			open = !open;
			inside = open && strcmp(line, fence) == 0;
			at += inside;
		} else if (inside && at == n) {
			assert_true(fputs(line, out) >= 0);
			lines++;
		}
	}
	assert_true(lines > (fence[3] == 'l' ? 10 : 0));
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static void
start_block(struct router_rig *r, unsigned n)
{
	char conf[2048], path[160];

	router_rig_open(r, 1500);
	snprintf(path, sizeof(path), "%s/p.lua", r->dir);
	copy_block("```lua\n", n, path);
	snprintf(conf, sizeof(conf), "pipeline %s\n" CONF END, path);
	router_rig_configure(r, conf);
}

/* It runs, or the first revision would not be there. */
static void
expect_running(const struct router_rig *r)
{
	char path[160], line[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/pipelines/list", r->dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	if (strncmp(line, "1 running 0 ", 12) != 0 || !strstr(line, " you "))
		fail_msg("%s", line);
}

static void
close_rig(struct router_rig *r)
{
	router_rig_check(r);
	router_rig_close(r);
}

static void
send(struct router_rig *r, struct frame_spec s, unsigned port)
{
	struct frame f;

	frame_ip4(&f, &s);
	f.b[36] = (uint8_t)(port >> 8);
	f.b[37] = (uint8_t)port;
	router_rig_send(r, RIG_DATA, 0, &f);
}

static void
the_counter_counts(void **state)
{
	struct frame_spec s = lab_towards_b();
	char path[160], line[128], wanted[3][32];
	unsigned found = 0;
	struct router_rig r;
	struct rig_out o;
	int saved, fd;
	FILE *log;

	(void)state;
	start_block(&r, 1);
	snprintf(path, sizeof(path), "%s/log", r.dir);
	saved = dup(STDERR_FILENO);
	fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	lab_start(&r);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	expect_running(&r);
	lab_resolve_b(&r); /* one, of UDP */
	for (unsigned i = 1; i < 1000; i++) {
		s.protocol = i % 4 == 0 ? 6 : 17;
		send(&r, s, 80);
		assert_true(router_rig_receive(&r, 1, IP, SOON_MS, &o));
	}
	strcpy(wanted[0], "protocol 6: 249\n");
	strcpy(wanted[1], "protocol 17: 751\n");
	log = fopen(path, "r");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log))
		if (found < 2 && strcmp(line, wanted[found]) == 0)
			found++;
	fclose(log);
	assert_int_equal(found, 2);
	close_rig(&r);
}

static void
the_firewall_obeys_its_rules(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t port;
		bool passes;
	} packets[] = {
		{ 6, 22, false },
		{ 6, 80, true },
		{ 17, 53, true },
		{ 17, 123, false },
		{ 1, 22, true },
	};
	struct frame_spec s = lab_towards_b();
	struct router_rig r;
	unsigned dropped = 0;
	struct rig_out o;

	(void)state;
	start_block(&r, 2);
	lab_start(&r);
	expect_running(&r);
	s.protocol = 6;
	send(&r, s, 80);
	lab_answer_arp(&r, 1, "198.18.1.7", HOST_B);
	assert_true(router_rig_receive(&r, 1, IP, SOON_MS, &o));
	assert_true(router_rig_await(&r, "tables_published", 3) >= 3);
	for (unsigned i = 0; i < ARRAY_SIZE(packets); i++) {
		s.protocol = packets[i].protocol;
		s.id = (uint16_t)(100 + i);
		send(&r, s, packets[i].port);
		if (!packets[i].passes) {
			dropped++;
			assert_int_equal(
			    router_rig_await(&r, "pipeline_drop", dropped),
			    dropped);
			continue;
		}
		assert_true(router_rig_receive(&r, 1, IP, SOON_MS, &o));
		assert_int_equal(load_be16(o.frame.b + 18), 100 + i);
	}
	assert_int_equal(dropped, 2);
	close_rig(&r);
}

/* By which server's MAC a packet of this client leaves. */
static unsigned
server_of(struct router_rig *r, const char *client)
{
	struct frame_spec s = lab_towards_b();
	struct rig_out o;

	s.src = client;
	s.dst = "198.19.255.1";
	send(r, s, 80);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(load_be32(o.frame.b + 30), frame_ip("198.19.255.1"));
	return o.frame.b[5];
}

static void
the_load_balancer_balances(void **state)
{
	struct frame_spec s = lab_towards_b();
	unsigned count[9] = { 0 };
	struct router_rig r;
	struct rig_out o;

	(void)state;
	start_block(&r, 3);
	lab_start(&r);
	expect_running(&r);
	/* both servers are known to the router */
	s.dst = "198.18.1.7";
	send(&r, s, 80);
	lab_answer_arp(&r, 1, "198.18.1.7", "0e:00:00:00:00:07");
	assert_true(router_rig_receive(&r, 1, IP, SOON_MS, &o));
	s.dst = "198.18.1.8";
	send(&r, s, 80);
	lab_answer_arp(&r, 1, "198.18.1.8", "0e:00:00:00:00:08");
	assert_true(router_rig_receive(&r, 1, IP, SOON_MS, &o));
	assert_true(router_rig_await(&r, "tables_published", 4) >= 4);
	for (unsigned i = 0; i < 20; i++) {
		char client[20];
		unsigned server;

		snprintf(client, sizeof(client), "198.18.0.%u", 10 + i);
		server = server_of(&r, client);
		assert_int_equal(server, i % 2 ? SERVER_8 : SERVER_7);
		assert_int_equal(server_of(&r, client), server);
		count[server]++;
	}
	assert_int_equal(count[SERVER_7], 10);
	assert_int_equal(count[SERVER_8], 10);
	close_rig(&r);
}

/* As somebody types it, whose container is r->dir. Returns its status. */
static int
type_block(const struct router_rig *r, unsigned n)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char path[160], command[1024];

	snprintf(path, sizeof(path), "%s/typed", r->dir);
	copy_block("```\n", n, path);
	snprintf(command, sizeof(command),
	    "cd %s && sed 's|/run/europa|%s|g' typed > typed.sh && "
	    "PATH=%s:$PATH sh -e typed.sh > said 2>&1",
	    r->dir, r->dir, build ? build : ".");
	return system(command);
}

/* The state of revision 1, within some seconds. */
static bool
comes_to_be(const struct router_rig *r, bool running)
{
	uint64_t end = loop_now_ms() + 10000;
	char path[160], line[512];

	snprintf(path, sizeof(path), "%s/pipelines/list", r->dir);
	while (loop_now_ms() < end) {
		bool is_running = false;
		FILE *f = fopen(path, "r");

		while (f && fgets(line, sizeof(line), f))
			is_running |= strncmp(line, "1 running ", 10) == 0;
		if (f)
			fclose(f);
		if (f && is_running == running)
			return true;
		usleep(10000);
	}
	return false;
}

static void
the_commands_do_what_the_page_says(void **state)
{
	enum { CHECK = 1, USE = 3, GO_BACK = 4 }; /* 2 asks the node */
	struct router_rig r;
	char path[160];

	(void)state;
	router_rig_open(&r, 1400);
	router_rig_configure(&r, CONF END);
	lab_start(&r);
	for (unsigned n = 3; n > 0; n--) { /* the counter is the last */
		snprintf(path, sizeof(path), "%s/counter.lua", r.dir);
		copy_block("```lua\n", n, path);
		assert_int_equal(type_block(&r, CHECK), 0);
	}
	assert_int_equal(type_block(&r, USE), 0);
	assert_true(comes_to_be(&r, true));
	assert_int_equal(type_block(&r, GO_BACK), 0);
	assert_true(comes_to_be(&r, false));
	close_rig(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_counts),
		cmocka_unit_test(the_firewall_obeys_its_rules),
		cmocka_unit_test(the_load_balancer_balances),
		cmocka_unit_test(the_commands_do_what_the_page_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
