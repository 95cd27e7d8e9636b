/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_distribute: packets that leave are gathered into batches by size
 * and by time, by themselves and in a whole router: none is lost and none
 * overtakes another, whatever happens to the router meanwhile.
 */
#include "router/distribute.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "router/pipeline.h"
#include "tests/unit/router_lab.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { US = 1000, SENT_MAX = 4096 };

/* --- alone ---------------------------------------------------------------- */

struct sent {
	unsigned n_batches;
	unsigned n;
	unsigned size[SENT_MAX]; /* of each batch */
	unsigned vnic[SENT_MAX]; /* of each packet, */
	uint32_t slot[SENT_MAX]; /* by which it is known */
};

static void
on_send(void *arg, unsigned vnic, const struct vnic_frame *f, unsigned n)
{
	struct sent *s = arg;

	assert_true(n > 0 && s->n + n <= SENT_MAX);
	s->size[s->n_batches++] = n;
	for (unsigned i = 0; i < n; i++) {
		s->vnic[s->n] = vnic;
		s->slot[s->n++] = f[i].slot;
	}
}

static struct sent sent;

static int
set_up(void **state)
{
	memset(&sent, 0, sizeof(sent));
	*state = distribute_new(on_send, &sent);
	return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
	distribute_free(*state);
	return 0;
}

/* n packets with the next numbers. */
static void
put(struct distribute *d, unsigned size, unsigned us, unsigned vnic, unsigned n,
    uint64_t now_ns)
{
	static uint32_t number;
	const struct gather how = { size, us };
	struct vnic_frame f[BATCH_MAX] = { 0 };

	if (sent.n == 0 && !d->waiting)
		number = 0;
	assert_true(n <= BATCH_MAX);
	for (unsigned i = 0; i < n; i++)
		f[i].slot = number++;
	distribute_put(d, &how, vnic, f, n, now_ns);
}

static void
a_batch_leaves_when_it_is_large_enough(void **state)
{
	struct distribute *d = *state;

	for (unsigned i = 0; i < 7; i++)
		put(d, 8, 100, 1, 1, 0);
	assert_int_equal(sent.n, 0);
	assert_int_equal(d->out[1].n, 7);
	put(d, 8, 100, 1, 1, 0);
	assert_int_equal(sent.n_batches, 1);
	assert_int_equal(sent.size[0], 8);
	assert_false(distribute_holds(d));
	/* what is more than enough leaves as one, and at once */
	put(d, 8, 100, 1, 5, 0);
	put(d, 8, 100, 1, 5, 0);
	assert_int_equal(sent.size[1], 10);
	put(d, 8, 100, 1, 64, 0);
	assert_int_equal(sent.size[2], 64);
	assert_false(distribute_holds(d));
	for (unsigned i = 0; i < sent.n; i++)
		assert_int_equal(sent.slot[i], i);
}

static void
a_batch_leaves_when_its_first_has_waited(void **state)
{
	struct distribute *d = *state;

	put(d, 64, 100, 1, 1, 1000 * US);
	put(d, 64, 50, 2, 1, 1020 * US);
	put(d, 64, 100, 1, 1, 1090 * US);
	distribute_turn(d, 1069 * US);
	assert_int_equal(sent.n, 0);
	distribute_turn(d, 1070 * US);
	assert_int_equal(sent.n_batches, 1);
	assert_int_equal(sent.vnic[0], 2);
	distribute_turn(d, 1099 * US);
	assert_int_equal(sent.n_batches, 1);
	distribute_turn(d, 1100 * US);
	assert_int_equal(sent.n_batches, 2);
	assert_int_equal(sent.size[1], 2);
	assert_int_equal(sent.vnic[1], 1);
	assert_false(distribute_holds(d));
	/* the next batch has a time of its own */
	put(d, 64, 100, 1, 1, 1150 * US);
	distribute_turn(d, 1249 * US);
	assert_int_equal(sent.n_batches, 2);
	distribute_turn(d, 1250 * US);
	assert_int_equal(sent.n_batches, 3);
}

static void
nobody_overtakes_when_it_is_turned_off(void **state)
{
	struct distribute *d = *state;

	put(d, 64, 100, 1, 3, 0);
	put(d, 64, 100, 2, 1, 0);
	put(d, 0, 0, 1, 2, 0);
	assert_int_equal(sent.n, 5);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sent.slot[i], i);
	assert_int_equal(sent.slot[3], 4);
	assert_int_equal(sent.slot[4], 5);
	assert_int_equal(d->waiting, 1U << 2);
	distribute_flush(d);
	assert_int_equal(sent.n, 6);
	assert_false(distribute_holds(d));
}

static void
random_packets_keep_their_order(void **state)
{
	struct distribute *d = *state;
	uint32_t seed = 1, last[4] = { 0 };
	unsigned n = 0;
	bool seen[SENT_MAX] = { false };

	for (uint64_t now = 0; n < SENT_MAX - 64; now += 3 * US) {
		unsigned k;

		seed = seed * 1664525 + 1013904223;
		k = 1 + (seed >> 8) % 20;
		/* the size changes, and goes beyond what there is room for */
		put(d, (seed >> 16) % 400, (seed >> 26), (seed >> 24) % 4, k,
		    now);
		n += k;
		if (seed >> 31)
			distribute_turn(d, now);
	}
	distribute_flush(d);
	assert_int_equal(sent.n, n);
	for (unsigned i = 0; i < n; i++) {
		assert_true(sent.slot[i] < n && !seen[sent.slot[i]]);
		seen[sent.slot[i]] = true;
		assert_true(last[sent.vnic[i]] == 0 ||
			    sent.slot[i] > last[sent.vnic[i]]);
		last[sent.vnic[i]] = sent.slot[i];
	}
}

/* Their slots are the host's again: they must not be sent. */
static void
what_an_epoch_ends_is_counted(void **state)
{
	const struct gather how = { 64, 1000 };
	const struct vnic_frame f[3] = { { .slot = 1 } };
	static struct pipeline p;

	(void)state;
	assert_int_equal(pipeline_gather(&p), 0);
	distribute_put(p.distribute, &how, 1, f, 3, 0);
	distribute_put(p.distribute, &how, 5, f, 2, 0);
	pipeline_forget(&p);
	assert_int_equal(count_read(&p.count, COUNT_GATHERED_LOST), 5);
	assert_false(distribute_holds(p.distribute));
	pipeline_send_gathered(&p); /* without a queue it could not */
	pipeline_late(&p);
	assert_int_equal(count_read(&p.count, COUNT_FORWARDED), 0);
	distribute_free(p.distribute);
}

/* --- in a router ---------------------------------------------------------- */

static void
write_file(const struct router_rig *r, const char *name, const char *text)
{
	char path[160], new[170];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	snprintf(new, sizeof(new), "%s.new", path);
	f = fopen(new, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(new, path), 0);
}

static void
start(struct router_rig *r, const char *more)
{
	char conf[2048];

	router_rig_open(r, 1400);
	snprintf(conf, sizeof(conf), "%s" CONF END, more);
	router_rig_configure(r, conf);
	lab_start(r);
	lab_resolve_b(r);
}

static void
finish(struct router_rig *r)
{
	router_rig_check(r);
	router_rig_close(r);
}

static void
send_id(struct router_rig *r, unsigned id)
{
	struct frame_spec s = lab_towards_b();
	struct frame f;

	s.id = (uint16_t)id;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
}

static void
expect_id(struct router_rig *r, unsigned id)
{
	struct rig_out o;

	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(load_be16(o.frame.b + 18), id & 0xffff);
}

/* 256 packets never come: a router that rests keeps none of them. */
static void
who_sleeps_holds_nothing(const char *more)
{
	struct router_rig r;

	start(&r, more);
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 3; k++)
			send_id(&r, 3 * i + k);
		for (unsigned k = 0; k < 3; k++)
			expect_id(&r, 3 * i + k);
	}
	assert_int_equal(router_rig_await(&r, "forwarded", 60), 60);
	assert_int_equal(router_rig_stat(&r, "gathered_lost"), 0);
	finish(&r);
}

static void
an_idle_router_holds_nothing(void **state)
{
	(void)state;
	who_sleeps_holds_nothing("distribute 256 10000\n");
}

static void
nor_does_the_pipeline_in_c(void **state)
{
	(void)state;
	who_sleeps_holds_nothing("pipeline c\ndistribute 256 10000\n");
}

static bool
has_line(const char *path, const char *begin)
{
	FILE *f = fopen(path, "r");
	bool has = false;
	char line[128];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		has |= strncmp(line, begin, strlen(begin)) == 0;
	fclose(f);
	return has;
}

#define PIPELINE                                \
	"local pipeline = require 'pipeline'\n" \
	"local C = require('router').C\n"

/* A pipeline that says itself how batches are made, and sees them. */
static void
a_script_gathers_and_sends(void **state)
{
	static const char text[] = PIPELINE
	    "local ffi = require 'ffi'\n"
	    "function pipeline.loop(path, forward)\n"
	    "   path.gather.size, path.gather.us = 256, 10000\n"
	    "   local batch = path.batch\n"
	    "   while C.path_receive(path) > 0 do\n"
	    "      if forward(path.tables, batch) then C.path_transmit(path)\n"
	    "      end\n"
	    "      C.path_give_back(path)\n"
	    "      local n = C.path_gathered(path, 1)\n"
	    "      if n > 0 then\n"
	    "         assert(C.path_gathered(path, 0) == 0)\n"
	    "         C.path_flush(path)\n"
	    "         assert(C.path_gathered(path, 1) == 0)\n"
	    "         io.stderr:write('gathered ', n, '\\n')\n"
	    "      end\n"
	    "   end\n"
	    "end\n"
	    "return pipeline\n";
	char path[160], conf[2048];
	struct router_rig r;
	int saved, fd;
	uint64_t end;

	(void)state;
	router_rig_open(&r, 1400);
	write_file(&r, "p.lua", text);
	snprintf(path, sizeof(path), "%s/log", r.dir);
	snprintf(conf, sizeof(conf), "pipeline %s/p.lua\n" CONF END, r.dir);
	router_rig_configure(&r, conf);
	saved = dup(STDERR_FILENO);
	fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	lab_start(&r);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	lab_resolve_b(&r);
	for (unsigned id = 0; id < 50; id++)
		send_id(&r, id);
	for (unsigned id = 0; id < 50; id++)
		expect_id(&r, id);
	/* it says so when they have left */
	end = loop_now_ms() + 10000;
	while (!has_line(path, "gathered ")) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(&r);
	}
	finish(&r);
}

/* What a pipeline has gathered leaves before that of the next one. */
static void
swaps_lose_and_reorder_nothing(void **state)
{
	enum { SWAPS = 12 };
	unsigned sent_ids = 0, seen = 0;
	struct router_rig r;
	struct rig_out o;
	char conf[2048];

	(void)state;
	start(&r, "distribute 16 2000\n");
	for (unsigned n = 0; n < SWAPS; n++) {
		uint64_t published = router_rig_stat(&r, "tables_published");

		/* Lua, C, and other batches or none at all */
		snprintf(conf, sizeof(conf), "pipeline %s\n%s" CONF END,
		    n % 2 ? "lua" : "c",
		    n % 3 == 0   ? "distribute 64 3000\n"
		    : n % 3 == 1 ? ""
				 : "distribute 8 100\n");
		router_rig_configure(&r, conf);
		for (unsigned k = 0; k < 200; k++) {
			if (sent_ids - seen < 64)
				send_id(&r, sent_ids++);
			router_rig_turn(&r);
			while (router_rig_receive(&r, 1, IP, 0, &o))
				assert_int_equal(
				    load_be16(o.frame.b + 18), seen++ & 0xffff);
		}
		assert_true(router_rig_await(&r, "tables_published",
				published + 1) > published);
	}
	while (seen < sent_ids)
		expect_id(&r, seen++);
	assert_true(sent_ids > 64);
	assert_int_equal(router_rig_await(&r, "forwarded", sent_ids), sent_ids);
	assert_int_equal(router_rig_stat(&r, "gathered_lost"), 0);
	finish(&r);
}

/* It is told to end while it gathers: all that it has taken comes out. */
static void
who_ends_sends_what_it_holds(void **state)
{
	enum { FIRST_ID = 7003 }; /* no rehearsal has it */
	static const char text[] =
	    PIPELINE "local router = require 'router'\n"
		     "function pipeline.loop(path, forward)\n"
		     "   local batch = path.batch\n"
		     "   while C.path_receive(path) > 0 do\n"
		     "      local id = router.be16(batch.frame[0].data + 18)\n"
		     "      if forward(path.tables, batch) then\n"
		     "         C.path_transmit(path)\n"
		     "         local busy_until = C.path_now_us(path) + 50000\n"
		     "         while id >= 7003 and id < 7010 and\n"
		     "            C.path_now_us(path) < busy_until do end\n"
		     "      end\n"
		     "      C.path_give_back(path)\n"
		     "   end\n"
		     "end\n"
		     "return pipeline\n";
	struct router_rig r;
	char conf[2048];
	uint64_t rx;

	(void)state;
	router_rig_open(&r, 1400);
	write_file(&r, "p.lua", text);
	snprintf(conf, sizeof(conf),
	    "pipeline %s/p.lua\ndistribute 256 10000\n" CONF END, r.dir);
	router_rig_configure(&r, conf);
	lab_start(&r);
	lab_resolve_b(&r);
	rx = router_rig_stat(&r, "rx");
	for (unsigned i = 0; i < 3; i++)
		send_id(&r, FIRST_ID + i);
	/* it has them now, and is busy with one */
	assert_int_equal(router_rig_await(&r, "rx", rx + 3), rx + 3);
	assert_int_equal(kill(r.pid, SIGTERM), 0);
	for (unsigned i = 0; i < 3; i++)
		expect_id(&r, FIRST_ID + i);
	assert_int_equal(router_rig_wait(&r), 0);
	router_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_batch_leaves_when_it_is_large_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_batch_leaves_when_its_first_has_waited, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    nobody_overtakes_when_it_is_turned_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    random_packets_keep_their_order, set_up, tear_down),
		cmocka_unit_test(what_an_epoch_ends_is_counted),
		cmocka_unit_test(an_idle_router_holds_nothing),
		cmocka_unit_test(nor_does_the_pipeline_in_c),
		cmocka_unit_test(a_script_gathers_and_sends),
		cmocka_unit_test(swaps_lose_and_reorder_nothing),
		cmocka_unit_test(who_ends_sends_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
