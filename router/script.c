/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script: the only file that knows LuaJIT. See script.h.
 *
 * What runs while a text is loaded is interpreted and interrupted after a second:
 * compiled code cannot be interrupted, but at that time nothing is compiled.
 */
#include "router/script.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "router/pipeline.h"
#include "router/script_text.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
#include <stdio.h>

enum { LOOK_AT_CLOCK = 10000 /* instructions */ };

struct script_counts {
	uint32_t traces;
	uint32_t aborts;
};

struct script {
	lua_State *lua;   /* NULL: the pipeline in C */
	char name[96];    /* of the text */
	size_t used, max; /* bytes */
	uint64_t load_until_ms;
	char steps[2048]; /* their names; what does not fit is left out */
	struct script_counts counts; /* (fast); main reads what may be old */
};

/* Keys of the registry, by their addresses. */
static const char key_start, key_loop, key_forward;

static void *
allocate(void *arg, void *p, size_t old, size_t new)
{
	struct script *s = arg;
	void *more;

	if (new == 0) {
		s->used -= old;
		free(p);
		return NULL;
	}
	if (new > old &&new - old > s->max - MIN(s->used, s->max))
		return NULL;
	more = realloc(p, new);
	if (more)
		s->used += new - (p ? old : 0);
	return more;
}

static void
set_key(lua_State *lua, const void *key, int index)
{
	lua_pushlightuserdata(lua, (void *)(uintptr_t)key);
	lua_pushvalue(lua, index < 0 ? index - 1 : index);
	lua_rawset(lua, LUA_REGISTRYINDEX);
}

static void
get_key(lua_State *lua, const void *key)
{
	lua_pushlightuserdata(lua, (void *)(uintptr_t)key);
	lua_rawget(lua, LUA_REGISTRYINDEX);
}

/* The script is what the allocator was given. */
static struct script *
owner_of(lua_State *lua)
{
	void *s;

	lua_getallocf(lua, &s);
	return s;
}

static void
on_count(lua_State *lua, lua_Debug *where)
{
	(void)where;
	if (loop_now_ms() <= owner_of(lua)->load_until_ms)
		return;
	luaL_where(lua, 0);
	lua_pushliteral(lua, "it takes too long to load");
	lua_concat(lua, 2);
	lua_error(lua);
}

/* require "pipeline": the shipped text, each time as a table of its own. */
static int
load_shipped(lua_State *lua)
{
	if (luaL_loadbuffer(lua, script_text_pipeline,
		strlen(script_text_pipeline), "@pipeline.lua") != 0)
		return lua_error(lua);
	lua_call(lua, 0, 1);
	return 1;
}

static int
given_module(lua_State *lua)
{
	lua_pushvalue(lua, lua_upvalueindex(1));
	return 1;
}

static void
preload(lua_State *lua, const char *name)
{
	/* the loader is on top, and is taken */
	lua_getglobal(lua, "package");
	lua_getfield(lua, -1, "preload");
	lua_pushvalue(lua, -3);
	lua_setfield(lua, -2, name);
	lua_pop(lua, 3);
}

/* In a protected call: the libraries, then the text (light userdata 1). */
static int
load_all(lua_State *lua)
{
	const struct script_text *t = lua_touserdata(lua, 1);
	struct script *s = owner_of(lua);
	char chunk[128];

	luaL_openlibs(lua);
	luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
	if (luaL_loadbuffer(lua, script_text_router, strlen(script_text_router),
		"@router.lua") != 0)
		return lua_error(lua);
	lua_pushstring(lua, script_text_api);
	lua_pushlightuserdata(lua, &s->counts);
	lua_call(lua, 2, 3); /* router, load, start */
	set_key(lua, &key_start, -1);
	lua_pop(lua, 1);
	lua_insert(lua, -2);
	lua_pushcclosure(lua, given_module, 1);
	preload(lua, "router");
	lua_pushcfunction(lua, load_shipped);
	preload(lua, "pipeline");

	snprintf(chunk, sizeof(chunk), "@%s", t->name);
	if (luaL_loadbuffer(lua, t->text, t->len, chunk) != 0)
		return lua_error(lua);
	lua_pushstring(lua, t->name);
	lua_call(lua, 2, 3); /* loop, forward, names */
	set_key(lua, &key_forward, -2);
	set_key(lua, &key_loop, -3);
	snprintf(s->steps, sizeof(s->steps), "%s", lua_tostring(lua, -1));
	luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
	return 0;
}

/*
 * The error is on the stack: mostly "name:line: why", but it may be anything.
 * That of require() has a line for each folder where it looked; the first counts.
 */
static int
fail(const struct script *s, int status, struct err *e)
{
	const char *why;

	if (status == LUA_ERRMEM)
		return err_set(e, -ENOMEM, "%s: it wants more than %zu KiB",
		    s->name, s->max >> 10);
	if (!lua_isstring(s->lua, -1))
		return err_set(e, -EINVAL, "%s: it threw a %s", s->name,
		    luaL_typename(s->lua, -1));
	why = lua_tostring(s->lua, -1);
	return err_set(e, -EINVAL, "%.*s", (int)strcspn(why, "\n"), why);
}

static int
load_text(struct script *s, const struct script_text *t, struct err *e)
{
	lua_State *lua = s->lua;
	int status;

	if (t->len > SCRIPT_MAX_TEXT)
		return err_set(e, -E2BIG, "%s: longer than %d KiB", t->name,
		    SCRIPT_MAX_TEXT >> 10);
	if (t->text[0] == LUA_SIGNATURE[0])
		return err_set(e, -EINVAL, "%s: no text", t->name);
	s->load_until_ms = loop_now_ms() + SCRIPT_LOAD_MS;
	lua_sethook(lua, on_count, LUA_MASKCOUNT, LOOK_AT_CLOCK);
	status = lua_cpcall(lua, load_all, (void *)(uintptr_t)t);
	lua_sethook(lua, NULL, 0, 0);
	if (status != 0)
		return fail(s, status, e);
	lua_settop(lua, 0);
	return 0;
}

int
script_new(const struct script_text *t, struct script **out, struct err *e)
{
	struct script *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return err_set(e, -ENOMEM, "%s: out of memory", t->name);
	snprintf(s->name, sizeof(s->name), "%s", t->name);
	s->max = t->max_memory ? t->max_memory : SCRIPT_MAX_MEMORY;
	if (t->len > 0) {
		s->lua = lua_newstate(allocate, s);
		rc = s->lua ? load_text(s, t, e)
			    : err_set(
				  e, -ENOMEM, "%s: no memory for Lua", t->name);
	}
	if (rc < 0)
		script_free(s);
	else
		*out = s;
	return rc;
}

void
script_free(struct script *s)
{
	if (!s)
		return;
	if (s->lua)
		lua_close(s->lua);
	free(s);
}

bool
script_is_c(const struct script *s)
{
	return !s->lua;
}

const char *
script_steps(const struct script *s)
{
	return s->lua ? s->steps : pipeline_step_names;
}

int
script_run(struct script *s, struct path *p, struct err *e)
{
	lua_State *lua = s->lua;
	int status, rc = 0;

	get_key(lua, &key_start);
	get_key(lua, &key_loop);
	get_key(lua, &key_forward);
	lua_pushlightuserdata(lua, p);
	status = lua_pcall(lua, 3, 0, 0);
	if (status != 0)
		rc = fail(s, status, e);
	lua_settop(lua, 0);
	return rc;
}

void
script_counts(const struct script *s, unsigned *traces, unsigned *aborts)
{
	*traces = s->counts.traces;
	*aborts = s->counts.aborts;
}
