/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_store: a database of version 1, as an earlier europad left it (a port, a
 * router with a vNIC in VLAN 42, another one changed once), is brought up to
 * date as a whole or not at all; and what the tables of today promise.
 */
#include "agent/store.h"
#include "agent/store_schema.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char r1_uid[] = "01a20383-9a1f-7d0e-8bb8-11ae58883d2a";
static const char p0_uid[] = "01a20383-9a08-7536-a14d-6431316cfe70";

static char dir[64];
static char db[96];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/europa.db", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	static const char *const files[] = { "europa.db", "europa.db-wal",
		"europa.db-shm", "lock", "ballast" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct store *
open_store(void)
{
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(dir, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

/* What SQLite's file says of its user_version: bytes 60 to 63, big-endian. */
static unsigned
version_on_disk(void)
{
	uint8_t b[64] = { 0 };
	FILE *f = fopen(db, "re");

	assert_non_null(f);
	assert_int_equal(fread(b, 1, sizeof(b), f), sizeof(b));
	fclose(f);
	return (unsigned)b[62] << 8 | b[63];
}

static void
copy_version_1(void)
{
	const char *top = getenv("EUROPA_SRCDIR");
	static char bytes[64 << 10];
	char path[512];
	FILE *f;
	size_t n;

	snprintf(
	    path, sizeof(path), "%s/tests/unit/store_v1.bin", top ? top : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_in_range(n, 4096, sizeof(bytes) - 1);
	f = fopen(db, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	assert_int_equal(version_on_disk(), 1);
}

static int
see_router(void *arg, const struct store_router *r)
{
	unsigned *n = arg;

	assert_string_equal(r->project, "default");
	assert_false(r->deleting);
	if (++*n == 1) {
		assert_string_equal(r->uid, r1_uid);
		assert_string_equal(r->name, "r1");
		assert_int_equal(r->id_index, 0);
		assert_int_equal(r->generation, 1);
		assert_string_equal(r->created, "2026-11-22T13:48:06Z");
		assert_non_null(strstr(r->body, "\"vlan\":42"));
		assert_non_null(strstr(r->body, "{\"course\":\"net-1\"}"));
	} else {
		assert_string_equal(r->name, "r2");
		assert_int_equal(r->id_index, 1);
		assert_int_equal(r->generation, 2);
	}
	return 0;
}

static int
see_port(void *arg, const struct store_port *p)
{
	++*(unsigned *)arg;
	assert_string_equal(p->uid, p0_uid);
	assert_string_equal(p->name, "p0");
	assert_string_equal(p->project, "default");
	assert_non_null(strstr(p->body, "net_null0,no-rx=1"));
	return 0;
}

static void
version_1_becomes_today(void **state)
{
	unsigned routers, ports;
	struct store *s;
	struct stat st;

	(void)state;
	copy_version_1();
	for (unsigned turn = 0; turn < 2; turn++) { /* and stays so */
		s = open_store();
		routers = ports = 0;
		assert_int_equal(
		    store_each_router(s, see_router, &routers, NULL), 0);
		assert_int_equal(store_each_port(s, see_port, &ports, NULL), 0);
		assert_int_equal(routers, 2);
		assert_int_equal(ports, 1);
		store_close(s);
		assert_int_equal(version_on_disk(), STORE_VERSION);
	}
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The last table of the step is there already: what came before is undone. */
static void
half_an_upgrade_is_none(void **state)
{
	struct store *s = NULL;
	struct err e = { 0 };
	char command[256];

	(void)state;
	copy_version_1();
	snprintf(command, sizeof(command),
	    "sqlite3 %s 'CREATE TABLE audit (x)' 2> /dev/null", db);
	if (system(command) != 0)
		skip(); /* no shell of SQLite here */
	assert_int_equal(store_open(dir, &s, &e), -EIO);
	assert_non_null(strstr(e.msg, "audit"));
	assert_int_equal(version_on_disk(), 1);
	snprintf(command, sizeof(command),
	    "sqlite3 %s 'DROP TABLE audit; DROP TABLE router_1' 2> /dev/null",
	    db);
	assert_int_not_equal(system(command), 0); /* there is no router_1 */
	version_1_becomes_today(state);
}

static void
a_newer_version_is_refused(void **state)
{
	struct store *s = open_store();
	struct err e = { 0 };
	FILE *f;

	(void)state;
	store_close(s);
	f = fopen(db, "r+e");
	assert_non_null(f);
	fseek(f, 63, SEEK_SET);
	fputc(STORE_VERSION + 1, f);
	fclose(f);
	assert_int_equal(store_open(dir, &s, &e), -EPROTONOSUPPORT);
	assert_non_null(strstr(e.msg, "newer"));
}

static int
put(struct store *s, const char *uid, uint32_t index, const char *project,
    const char *name)
{
	const struct store_router r = {
		.uid = uid,
		.name = name,
		.id_index = index,
		.generation = 1,
		.created = "2026-11-22T00:00:00Z",
		.body = "{}",
		.project = project,
	};

	return store_put_router(s, &r, NULL);
}

static void
a_name_is_of_a_project(void **state)
{
	struct store *s = open_store();

	(void)state;
	assert_int_equal(put(s, "u1", 1, "default", "r1"), 0);
	assert_int_equal(put(s, "u2", 2, "blue", "r1"), 0);
	assert_int_equal(put(s, "u3", 3, "blue", "r1"), -EEXIST);
	assert_int_equal(put(s, "u3", 3, "blue", "r2"), 0);
	assert_int_equal(put(s, "u2", 2, "blue", "r1"), 0); /* itself */
	store_close(s);
}

static int
see_object(void *arg, const struct store_object *o)
{
	unsigned *n = arg;

	++*n;
	assert_string_equal(o->kind, "project");
	assert_string_equal(o->name, "blue");
	assert_int_equal(o->generation, 2);
	assert_string_equal(o->body, "{\"a\":1}");
	return 0;
}

static void
objects_of_other_kinds(void **state)
{
	struct store *s = open_store();
	struct store_object o = {
		.uid = "u1",
		.kind = "project",
		.project = "",
		.name = "blue",
		.generation = 1,
		.created = "2026-11-22T00:00:00Z",
		.body = "{}",
	};
	unsigned n = 0;

	(void)state;
	assert_int_equal(store_put_object(s, &o, NULL), 0);
	o.generation = 2;
	o.body = "{\"a\":1}";
	assert_int_equal(store_put_object(s, &o, NULL), 0);
	o.uid = "u2";
	assert_int_equal(store_put_object(s, &o, NULL), -EEXIST);
	o.kind = "token";
	assert_int_equal(store_put_object(s, &o, NULL), 0);
	o.uid = "u3";
	o.name = "red";
	o.body = "no JSON";
	assert_int_equal(store_put_object(s, &o, NULL), -EEXIST);
	store_close(s);
	s = open_store();
	assert_int_equal(
	    store_each_object(s, "project", see_object, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_delete_object(s, "u1", NULL), 0);
	assert_int_equal(
	    store_each_object(s, "project", see_object, &n, NULL), 0);
	assert_int_equal(n, 1);
	store_close(s);
}

static void
add_audit(struct store *s, const char *project, bool is_refused)
{
	const struct store_audit a = {
		.time = "2026-11-22T00:00:00Z",
		.project = project,
		.body = "{}",
		.is_refused = is_refused,
	};

	assert_int_equal(
	    store_add_audit(s, &a, is_refused ? 10 : 100, NULL), 0);
}

struct seen {
	unsigned n, n_refused;
	int64_t first, last;
};

static int
see_audit(void *arg, const struct store_audit *a)
{
	struct seen *x = arg;

	if (x->n++ == 0)
		x->first = a->id;
	else
		assert_true(a->id < x->last);
	x->last = a->id;
	x->n_refused += a->is_refused;
	return 0;
}

/* Refused ones, however many, push out nothing but their own kind. */
static void
the_trail_is_bounded(void **state)
{
	struct store *s = open_store();
	struct seen all = { 0 }, blue = { 0 };

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		add_audit(s, "blue", false);
	for (unsigned i = 0; i < 1000; i++)
		add_audit(s, "red", true);
	store_close(s);
	s = open_store();
	assert_int_equal(
	    store_each_audit(s, NULL, INT64_MAX, 2000, see_audit, &all, NULL),
	    0);
	assert_int_equal(all.first, 1050);
	assert_int_equal(all.last, 1);
	assert_in_range(all.n_refused, 10, 10 + 64);
	assert_int_equal(all.n - all.n_refused, 50);
	assert_int_equal(
	    store_each_audit(s, "blue", 31, 20, see_audit, &blue, NULL), 0);
	assert_int_equal(blue.n, 20);
	assert_int_equal(blue.first, 30);
	assert_int_equal(blue.last, 11);
	store_close(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    version_1_becomes_today, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    half_an_upgrade_is_none, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    a_newer_version_is_refused, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    a_name_is_of_a_project, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    objects_of_other_kinds, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    the_trail_is_bounded, make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
