/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_lua: scripts without packets of a node: what Lua knows of C, what
 * is refused and how it is said, and that the shipped pipeline is compiled and
 * does what the one in C does.
 */
#include "router/batch.h"
#include "router/rehearse.h"
#include "router/script_text.h"
#include "router/tables.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PIPELINE                                \
	"local pipeline = require 'pipeline'\n" \
	"local router = require 'router'\n"     \
	"local C = router.C\n"

static int
try_text(const char *text, struct rehearsal *r, struct err *e)
{
	struct script_text t = {
		.name = "own.lua", .text = text, .len = strlen(text)
	};

	memset(r, 0, sizeof(*r));
	memset(e, 0, sizeof(*e));
	return rehearse(&t, r, e);
}

/* --- what Lua knows of C -------------------------------------------------- */

struct field {
	const char *type, *name;
	size_t offset, size; /* name NULL: size of the whole */
};

#define WHOLE(s)                                        \
	{                                               \
		"struct " #s, NULL, 0, sizeof(struct s) \
	}
#define FIELD(s, f)                                      \
	{                                                \
		"struct " #s, #f, offsetof(struct s, f), \
		    sizeof(((struct s *)0)->f)           \
	}

static const struct field fields[] = {
	WHOLE(vnic_frame),
	FIELD(vnic_frame, data),
	FIELD(vnic_frame, slot),
	FIELD(vnic_frame, len),
	FIELD(vnic_frame, vnic),
	WHOLE(batch),
	FIELD(batch, alive),
	FIELD(batch, alive6),
	FIELD(batch, n),
	FIELD(batch, came),
	FIELD(batch, frame),
	FIELD(batch, dst),
	FIELD(batch, hop),
	FIELD(batch, fate),
	WHOLE(hop),
	FIELD(hop, kind),
	FIELD(hop, vnic),
	FIELD(hop, mtu),
	FIELD(hop, neigh),
	FIELD(hop, eth),
	FIELD(hop, ip),
	WHOLE(host),
	FIELD(host, ip),
	FIELD(host, vnic),
	FIELD(host, hop),
	WHOLE(ip6),
	FIELD(ip6, hi),
	FIELD(ip6, lo),
	WHOLE(host6),
	FIELD(host6, ip),
	FIELD(host6, vnic),
	FIELD(host6, hop),
	WHOLE(port),
	FIELD(port, up),
	FIELD(port, mac),
	FIELD(port, mtu),
	WHOLE(tables),
	FIELD(tables, fib),
	FIELD(tables, hop),
	FIELD(tables, host),
	FIELD(tables, fib6),
	FIELD(tables, host6),
	FIELD(tables, gateway6),
	FIELD(tables, filter),
	FIELD(tables, n_hops),
	FIELD(tables, host_mask),
	FIELD(tables, host6_mask),
	FIELD(tables, first6),
	FIELD(tables, n_gateways6),
	FIELD(tables, gather),
	FIELD(tables, used),
	FIELD(tables, vnic),
	WHOLE(path),
	FIELD(path, batch),
	FIELD(path, tables),
	FIELD(path, held),
	WHOLE(gather),
	FIELD(gather, size),
	FIELD(gather, us),
	FIELD(path, gather),
	FIELD(path, ops),
};

static void
c_and_lua_agree_on_every_struct(void **state)
{
	char text[8192] = "local ffi = require 'ffi'\n";
	struct rehearsal r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const struct field *f = &fields[i];
		char line[200];

		if (!f->name)
			snprintf(line, sizeof(line),
			    "assert(ffi.sizeof('%s') == %zu, '%s')\n", f->type,
			    f->size, f->type);
		else
			snprintf(line, sizeof(line),
			    "assert(ffi.offsetof('%s', '%s') == %zu, "
			    "'%s.%s')\n",
			    f->type, f->name, f->offset, f->type, f->name);
		assert_true(strlen(text) + strlen(line) < sizeof(text) - 400);
		strcat(text, line);
	}
	snprintf(text + strlen(text), 400,
	    "local C = require('router').C\n"
	    "assert(C.BATCH_MAX == %d and C.N_FATES == %d)\n"
	    "assert(C.FATE_N_DROPS == %d and C.HOP_FORWARD == %d)\n"
	    "return require 'pipeline'\n",
	    BATCH_MAX, N_FATES, FATE_N_DROPS, HOP_FORWARD);
	if (try_text(text, &r, &e) < 0)
		fail_msg("%s", e.msg);
}

/* --- the shipped pipeline ------------------------------------------------- */

static void
the_shipped_pipeline_is_compiled(void **state)
{
	struct rehearsal r;
	struct err e;

	(void)state;
	assert_int_equal(try_text(script_text_pipeline, &r, &e), 0);
	assert_true(r.n_traces > 0);
	assert_int_equal(r.n_aborts, 0);
}

static void
it_does_what_the_pipeline_in_c_does(void **state)
{
	struct rehearsal lua, c;
	struct err e;

	(void)state;
	assert_int_equal(try_text(script_text_pipeline, &lua, &e), 0);
	assert_int_equal(try_text("", &c, &e), 0);
	assert_true(c.n_sent > 0 && c.n_sent < c.n_packets);
	assert_int_equal(lua.n_packets, c.n_packets);
	assert_int_equal(lua.n_sent, c.n_sent);
	assert_int_equal(lua.digest, c.digest);
}

/* --- pipelines of the owner ----------------------------------------------- */

static unsigned
sent_with(const char *text)
{
	struct rehearsal r;
	struct err e;

	if (try_text(text, &r, &e) < 0)
		fail_msg("%s", e.msg);
	return r.n_sent;
}

static void
steps_are_added_replaced_and_removed(void **state)
{
	unsigned all = sent_with(script_text_pipeline);
	unsigned no_tcp = sent_with(PIPELINE
	    "pipeline.steps:after('check_ip4', 'no_tcp', function(t, b)\n"
	    "   for i in router.frames(b) do\n"
	    "      if b.frame[i].data[23] == 6 then router.drop(b, i) end\n"
	    "   end\n"
	    "end)\n"
	    "return pipeline\n");

	(void)state;
	assert_true(no_tcp < all && no_tcp > all / 2);
	assert_int_equal(
	    sent_with(
		PIPELINE "pipeline.steps:replace('ttl4', C.ttl4)\n"
			 "pipeline.steps:before('ttl4', 'again', C.lookup4)\n"
			 "pipeline.steps:remove('again')\n"
			 "return pipeline\n"),
	    all);
	assert_int_equal(
	    sent_with("return { steps = require('router').steps {},\n"
		      "   loop = function(p) local C = require('ffi').C\n"
		      "      while C.path_receive(p) > 0 do end end }\n"),
	    0);
	/* a loop of its own: whatever is IPv4 goes out by eth1 */
	/* a loop of its own: whatever is IPv4 goes out by eth1 */
	assert_true(
	    sent_with(PIPELINE "pipeline.loop = function(path)\n"
			       "   while C.path_receive(path) > 0 do\n"
			       "      C.ether_in(path.tables, path.batch)\n"
			       "      C.path_send(path, 1)\n"
			       "      C.path_give_back(path)\n"
			       "   end\n"
			       "end\n"
			       "return pipeline\n") > all);
}

static void
what_is_wrong_is_said_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "local x = = 1\n", "own.lua:1: unexpected symbol near '='" },
		{ "\n\nnosuch()\n",
		    "own.lua:3: attempt to call global 'nosuch' (a nil "
		    "value)" },
		{ "return 7\n", "own.lua: it does not return a pipeline" },
		{ PIPELINE "pipeline.steps:remove('lookup5')\n",
		    "own.lua:4: there is no step lookup5" },
		{ PIPELINE "pipeline.steps:after('ttl4', 'mine', 3)\n",
		    "own.lua:4: step mine is no function" },
		{ "while true do end\n", "own.lua:1: it takes too long" },
		{ "error({})\n", "own.lua: it threw a table" },
		{ "require 'routr'\n", "own.lua:1: module 'routr' not found:" },
		{ "\033Lua", "own.lua: no text" },
		/* only when a packet comes */
		{ PIPELINE
		    "pipeline.steps:after('ttl4', 'mine', function(t, b)\n"
		    "   local x = nil\n"
		    "   for i in router.frames(b) do\n"
		    "      if b.frame[i].data[23] == 6 then x.y = 1 end\n"
		    "   end\n"
		    "end)\n"
		    "return pipeline\n",
		    "own.lua:7: attempt to index local 'x' (a nil value)" },
		{ PIPELINE "pipeline.loop = function() end return pipeline\n",
		    "own.lua: it ends its loop before" },
		{ PIPELINE "pipeline.steps:replace('lookup4',\n"
			   "   function(t, b) for i = 0, 63 do b.hop[i] = 999 "
			   "end end)\n"
			   "pipeline.steps:remove('ttl4')\n"
			   "pipeline.steps:remove('rewrite')\n"
			   "return pipeline\n",
		    "own.lua: it sends a packet that has no next hop" },
	};
	struct rehearsal r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_true(try_text(bad[i].text, &r, &e) < 0);
		if (strncmp(e.msg, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s\nand not %s", e.msg, bad[i].why);
	}
}

/* What is not local is forgotten to be, and slow. */
static void
the_shipped_texts_make_no_globals(void **state)
{
	struct rehearsal r;
	struct err e;

	(void)state;
	if (try_text("local known = {}\n"
		     "for word in ([[_G _VERSION assert bit collectgarbage\n"
		     "coroutine debug dofile error gcinfo getfenv\n"
		     "getmetatable io ipairs jit load loadfile loadstring\n"
		     "math module newproxy next os package pairs pcall\n"
		     "print rawequal rawget rawlen rawset require select\n"
		     "setfenv setmetatable string table tonumber tostring\n"
		     "type unpack xpcall]]):gmatch('%S+') do\n"
		     "   known[word] = true\n"
		     "end\n"
		     "local pipeline = require 'pipeline'\n"
		     "for name in pairs(_G) do assert(known[name], name) end\n"
		     "return pipeline\n",
		&r, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
memory_has_a_limit(void **state)
{
	static const char *const greedy[] = {
		"local t = {} for i = 1, 1e9 do t[i] = i end\n",
		"local s = 'x' while true do s = s .. s end\n",
		PIPELINE "local t = {}\n"
			 "pipeline.steps:after('ttl4', 'mine', function()\n"
			 "   for i = 1, 1e5 do t[#t + 1] = { i } end\n"
			 "end)\n"
			 "return pipeline\n",
	};
	struct rehearsal r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(greedy) / sizeof(*greedy); i++) {
		assert_int_equal(try_text(greedy[i], &r, &e), -ENOMEM);
		assert_string_equal(
		    e.msg, "own.lua: it wants more than 16384 KiB");
	}
}

/* --- a process of its own ------------------------------------------------- */

/* Runs europa-router --check on a text. Returns its output, to be freed. */
static char *
check_outside(const char *text, int *status)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char name[] = "/tmp/europa-lua-XXXXXX.lua", command[600];
	int fd = mkstemps(name, 4);
	char *out = calloc(1, 1000);
	FILE *in;

	assert_true(fd >= 0 && out);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(command, sizeof(command), "%s/europa-router --check %s 2>&1",
	    build ? build : ".", name);
	in = popen(command, "r");
	assert_non_null(in);
	out[fread(out, 1, 999, in)] = '\0';
	*status = pclose(in);
	unlink(name);
	return out;
}

static void
a_check_outlives_what_it_checks(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "require('ffi').cast('int *', 0)[0] = 1\n",
		    ": it crashes: Segmentation fault" },
		{ "os.exit(0)\n", ".lua:1: a pipeline cannot end the router" },
		{ "require('ffi').cdef 'void exit(int);'\n"
		  "require('ffi').C.exit(0)\n",
		    ": it exits" },
		{ "io.stdout:close() while true do end\n", "" },
		{ PIPELINE "pipeline.loop = function() while true do end end\n"
			   "return pipeline\n",
		    ": it stands still" },
	};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *out = check_outside(bad[i].text, &status);

		assert_int_equal(status, 1 << 8);
		if (!strstr(out, bad[i].why))
			fail_msg("%s", out);
		free(out);
	}
	free(check_outside(script_text_pipeline, &status));
	assert_int_equal(status, 0);
	/* more than a pipe holds */
	free(check_outside("for i = 1, 1e5 do print('how are you?') end\n"
			   "return require 'pipeline'\n",
	    &status));
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c_and_lua_agree_on_every_struct),
		cmocka_unit_test(the_shipped_pipeline_is_compiled),
		cmocka_unit_test(it_does_what_the_pipeline_in_c_does),
		cmocka_unit_test(steps_are_added_replaced_and_removed),
		cmocka_unit_test(what_is_wrong_is_said_with_file_and_line),
		cmocka_unit_test(the_shipped_texts_make_no_globals),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(a_check_outlives_what_it_checks),
	};

	/* a crash is to be one in a sanitizer's build too */
	setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	setenv("TSAN_OPTIONS", "handle_segv=0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
