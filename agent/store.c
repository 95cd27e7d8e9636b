/* SPDX-License-Identifier: Apache-2.0 */
/* store: SQLite, and the only file that knows it. See store.h. */
#include "agent/store.h"

#include "lib/base.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { SCHEMA_VERSION = 1, BALLAST_BYTES = 256 * 1024 };

struct store {
	sqlite3 *db;
	int dir_fd;
	int lock_fd;
};

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE router ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " id_index INTEGER NOT NULL UNIQUE, generation INTEGER NOT NULL,"
    " created TEXT NOT NULL, body TEXT NOT NULL CHECK (json_valid(body)),"
    " deleting INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE port ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " generation INTEGER NOT NULL, created TEXT NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body))) STRICT;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* Beside the versions: who does not know this table loses nothing by it. */
static const char objects[] =
    "CREATE TABLE IF NOT EXISTS object ("
    " uid TEXT PRIMARY KEY, kind TEXT NOT NULL,"
    " project TEXT NOT NULL DEFAULT 'default', name TEXT NOT NULL,"
    " generation INTEGER NOT NULL, created TEXT NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body)),"
    " UNIQUE (kind, project, name)) STRICT;";

/* Our errno for what SQLite says. */
static int
sql_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

static int
sql_fail(struct store *s, struct err *e, const char *what)
{
	int rc = sqlite3_extended_errcode(s->db);

	return err_set(
	    e, sql_errno(rc), "database: %s: %s", what, sqlite3_errmsg(s->db));
}

static int
sql_exec(struct store *s, const char *sql, struct err *e)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return sql_fail(s, e, "execute");
}

/* The ballast is there or not; failing to make it is no error. */
static void
ballast_make(struct store *s)
{
	struct stat st;
	int fd;

	if (fstatat(s->dir_fd, "ballast", &st, 0) == 0 &&
	    st.st_size == BALLAST_BYTES)
		return;
	fd = openat(s->dir_fd, "ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, BALLAST_BYTES) != 0)
		unlinkat(s->dir_fd, "ballast", 0);
	close(fd);
}

static int
take_lock(struct store *s, const char *dir, struct err *e)
{
	s->lock_fd =
	    openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_set(e, -errno, "%s/lock: %s", dir, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, errno == EWOULDBLOCK ? -EBUSY : -errno,
		    "%s: another europad uses this state folder", dir);
	return 0;
}

static int
read_version(struct store *s, int *out, struct err *e)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) !=
	    SQLITE_OK)
		return sql_fail(s, e, "read the version");
	if (sqlite3_step(st) != SQLITE_ROW) {
		sqlite3_finalize(st);
		return sql_fail(s, e, "read the version");
	}
	*out = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return 0;
}

static int
migrate(struct store *s, const char *dir, struct err *e)
{
	int version = 0;
	int rc = read_version(s, &version, e);

	if (rc < 0)
		return rc;
	if (version > SCHEMA_VERSION)
		return err_set(e, -EPROTONOSUPPORT,
		    "%s/europa.db: version %d is newer than this europad (%d)",
		    dir, version, SCHEMA_VERSION);
	if (version == SCHEMA_VERSION)
		return 0;
	rc = sql_exec(s, schema, e);
	if (rc == 0 && fsync(s->dir_fd) < 0)
		rc = err_set(e, -errno, "%s: fsync: %s", dir, strerror(errno));
	return rc;
}

int
store_open(const char *dir, struct store **out, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));
	char path[512];
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	s->lock_fd = -1;
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0) {
		rc = err_set(e, -errno, "%s: %s", dir, strerror(errno));
		goto fail;
	}
	rc = take_lock(s, dir, e);
	if (rc < 0)
		goto fail;
	snprintf(path, sizeof(path), "%s/europa.db", dir);
	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		rc = sql_fail(s, e, path);
		goto fail;
	}
	sqlite3_busy_timeout(s->db, 2000);
	rc = sql_exec(s,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON;",
	    e);
	if (rc == 0)
		rc = migrate(s, dir, e);
	if (rc == 0)
		rc = sql_exec(s, objects, e);
	if (rc < 0)
		goto fail;
	ballast_make(s);
	*out = s;
	return 0;
fail:
	store_close(s);
	return rc;
}

void
store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	base_close(s->dir_fd);
	base_close(s->lock_fd);
	free(s);
}

/* Values of one statement: text where s is set, else the number. */
struct value {
	const char *s;
	int64_t n;
};

static int
sql_run(struct store *s, const char *sql, const struct value *v, int n,
    struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "prepare");
	for (int i = 0; i < n; i++) {
		if (v[i].s)
			sqlite3_bind_text(st, i + 1, v[i].s, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(st, i + 1, v[i].n);
	}
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : sql_fail(s, e, "write");
	sqlite3_finalize(st);
	return rc;
}

/* A write that makes room may use the ballast. */
static int
sql_delete(struct store *s, const char *sql, const struct value *v, int n,
    struct err *e)
{
	int rc = sql_run(s, sql, v, n, e);

	if (rc == -ENOSPC && unlinkat(s->dir_fd, "ballast", 0) == 0)
		rc = sql_run(s, sql, v, n, e);
	if (rc == 0)
		ballast_make(s);
	return rc;
}

int
store_put_router(struct store *s, const struct store_router *r, struct err *e)
{
	const struct value v[] = {
		{ r->uid, 0 },
		{ r->name, 0 },
		{ NULL, r->id_index },
		{ NULL, (int64_t)r->generation },
		{ r->created, 0 },
		{ r->body, 0 },
		{ NULL, r->deleting },
	};
	static const char sql[] =
	    "INSERT INTO router VALUES (?,?,?,?,?,?,?)"
	    " ON CONFLICT (uid) DO UPDATE SET name = excluded.name,"
	    " generation = excluded.generation, body = excluded.body,"
	    " deleting = excluded.deleting";

	if (r->deleting)
		return sql_delete(s, sql, v, ARRAY_SIZE(v), e);
	return sql_run(s, sql, v, ARRAY_SIZE(v), e);
}

int
store_delete_router(struct store *s, const char *uid, struct err *e)
{
	const struct value v[] = { { uid, 0 } };

	return sql_delete(s, "DELETE FROM router WHERE uid = ?", v, 1, e);
}

int
store_put_port(struct store *s, const struct store_port *p, struct err *e)
{
	const struct value v[] = {
		{ p->uid, 0 },
		{ p->name, 0 },
		{ NULL, (int64_t)p->generation },
		{ p->created, 0 },
		{ p->body, 0 },
	};

	return sql_run(s,
	    "INSERT INTO port VALUES (?,?,?,?,?)"
	    " ON CONFLICT (uid) DO UPDATE SET name = excluded.name,"
	    " generation = excluded.generation, body = excluded.body",
	    v, ARRAY_SIZE(v), e);
}

int
store_delete_port(struct store *s, const char *uid, struct err *e)
{
	const struct value v[] = { { uid, 0 } };

	return sql_delete(s, "DELETE FROM port WHERE uid = ?", v, 1, e);
}

int
store_put_object(struct store *s, const struct store_object *o, struct err *e)
{
	const struct value v[] = {
		{ o->uid, 0 },
		{ o->kind, 0 },
		{ o->name, 0 },
		{ NULL, (int64_t)o->generation },
		{ o->created, 0 },
		{ o->body, 0 },
	};

	return sql_run(s,
	    "INSERT INTO object (uid, kind, name, generation, created, body)"
	    " VALUES (?,?,?,?,?,?) ON CONFLICT (uid) DO UPDATE SET"
	    " generation = excluded.generation, body = excluded.body",
	    v, ARRAY_SIZE(v), e);
}

int
store_delete_object(struct store *s, const char *uid, struct err *e)
{
	const struct value v[] = { { uid, 0 } };

	return sql_delete(s, "DELETE FROM object WHERE uid = ?", v, 1, e);
}

static const char *
column(sqlite3_stmt *st, int i)
{
	return (const char *)sqlite3_column_text(st, i);
}

int
store_each_router(struct store *s,
    int (*fn)(void *arg, const struct store_router *r), void *arg,
    struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT uid, name, id_index, generation, created, body,"
		" deleting FROM router ORDER BY created, uid",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read routers");
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_router r = {
			.uid = column(st, 0),
			.name = column(st, 1),
			.id_index = (uint32_t)sqlite3_column_int64(st, 2),
			.generation = (uint64_t)sqlite3_column_int64(st, 3),
			.created = column(st, 4),
			.body = column(st, 5),
			.deleting = sqlite3_column_int(st, 6) != 0,
		};

		rc = fn(arg, &r);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read routers");
	sqlite3_finalize(st);
	return rc;
}

int
store_each_port(struct store *s,
    int (*fn)(void *arg, const struct store_port *p), void *arg, struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT uid, name, generation, created, body FROM port"
		" ORDER BY created, uid",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read ports");
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_port p = {
			.uid = column(st, 0),
			.name = column(st, 1),
			.generation = (uint64_t)sqlite3_column_int64(st, 2),
			.created = column(st, 3),
			.body = column(st, 4),
		};

		rc = fn(arg, &p);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read ports");
	sqlite3_finalize(st);
	return rc;
}

int
store_each_object(struct store *s,
    int (*fn)(void *arg, const struct store_object *o), void *arg,
    struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT kind, uid, name, generation, created, body FROM object"
		" ORDER BY created, uid",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read objects");
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_object o = {
			.kind = column(st, 0),
			.uid = column(st, 1),
			.name = column(st, 2),
			.generation = (uint64_t)sqlite3_column_int64(st, 3),
			.created = column(st, 4),
			.body = column(st, 5),
		};

		rc = fn(arg, &o);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read objects");
	sqlite3_finalize(st);
	return rc;
}
