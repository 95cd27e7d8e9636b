/* SPDX-License-Identifier: Apache-2.0 */
/* store: SQLite, and the only file that knows it. See store.h. */
#include "agent/store.h"

#include "agent/store_schema.h"
#include "lib/base.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { BALLAST_BYTES = 256 * 1024 };

struct store {
	sqlite3 *db;
	int dir_fd;
	int lock_fd;
};

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
	if (version > STORE_VERSION)
		return err_set(e, -EPROTONOSUPPORT,
		    "%s/europa.db: version %d is newer than this europad (%d)",
		    dir, version, STORE_VERSION);
	if (version == STORE_VERSION)
		return 0;
	rc = sql_exec(s, "BEGIN IMMEDIATE", e);
	for (; rc == 0 && version < STORE_VERSION; version++)
		rc = sql_exec(s, store_steps[version], e);
	if (rc == 0)
		rc = sql_exec(s, "COMMIT", e);
	if (rc < 0) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	if (fsync(s->dir_fd) < 0)
		return err_set(
		    e, -errno, "%s: fsync: %s", dir, strerror(errno));
	return 0;
}

/* For nobody else to read; SQLite gives its other files the same mode. */
static int
make_private(struct store *s, const char *path, struct err *e)
{
	int fd =
	    openat(s->dir_fd, "europa.db", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc = fd < 0 || fchmod(fd, 0600) < 0 ? -errno : 0;

	base_close(fd);
	return rc < 0 ? err_set(e, rc, "%s: %s", path, strerror(-rc)) : 0;
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
	rc = make_private(s, path, e);
	if (rc < 0)
		goto fail;
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
		{ r->project, 0 },
	};
	static const char sql[] =
	    "INSERT INTO router VALUES (?,?,?,?,?,?,?,?)"
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
		{ p->project, 0 },
	};

	return sql_run(s,
	    "INSERT INTO port VALUES (?,?,?,?,?,?)"
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
		" deleting, project FROM router ORDER BY created, uid",
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
			.project = column(st, 7),
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
		"SELECT uid, name, generation, created, body, project"
		" FROM port ORDER BY created, uid",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read ports");
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_port p = {
			.uid = column(st, 0),
			.name = column(st, 1),
			.generation = (uint64_t)sqlite3_column_int64(st, 2),
			.created = column(st, 3),
			.body = column(st, 4),
			.project = column(st, 5),
		};

		rc = fn(arg, &p);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read ports");
	sqlite3_finalize(st);
	return rc;
}

int
store_put_object(struct store *s, const struct store_object *o, struct err *e)
{
	const struct value v[] = {
		{ o->uid, 0 },
		{ o->kind, 0 },
		{ o->project, 0 },
		{ o->name, 0 },
		{ NULL, (int64_t)o->generation },
		{ o->created, 0 },
		{ o->body, 0 },
	};

	return sql_run(s,
	    "INSERT INTO object VALUES (?,?,?,?,?,?,?)"
	    " ON CONFLICT (uid) DO UPDATE SET name = excluded.name,"
	    " generation = excluded.generation, body = excluded.body",
	    v, ARRAY_SIZE(v), e);
}

int
store_delete_object(struct store *s, const char *uid, struct err *e)
{
	const struct value v[] = { { uid, 0 } };

	return sql_delete(s, "DELETE FROM object WHERE uid = ?", v, 1, e);
}

int
store_each_object(struct store *s, const char *kind,
    int (*fn)(void *arg, const struct store_object *o), void *arg,
    struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT uid, kind, project, name, generation, created, body"
		" FROM object WHERE kind = ? ORDER BY created, uid",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read objects");
	sqlite3_bind_text(st, 1, kind, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_object o = {
			.uid = column(st, 0),
			.kind = column(st, 1),
			.project = column(st, 2),
			.name = column(st, 3),
			.generation = (uint64_t)sqlite3_column_int64(st, 4),
			.created = column(st, 5),
			.body = column(st, 6),
		};

		rc = fn(arg, &o);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read objects");
	sqlite3_finalize(st);
	return rc;
}

/* --- the audit trail --------------------------------------------------------- */

enum { TRIM_EVERY = 64 };

static int
trim_audit(struct store *s, bool is_refused, unsigned keep, struct err *e)
{
	const struct value v[] = { { NULL, is_refused }, { NULL, keep } };

	return sql_run(s,
	    "DELETE FROM audit WHERE refused = ?1 AND id <="
	    " (SELECT id FROM audit WHERE refused = ?1"
	    " ORDER BY id DESC LIMIT 1 OFFSET ?2)",
	    v, ARRAY_SIZE(v), e);
}

int
store_add_audit(
    struct store *s, const struct store_audit *a, unsigned keep, struct err *e)
{
	const struct value v[] = {
		{ a->time, 0 },
		{ a->project, 0 },
		{ NULL, a->is_refused },
		{ a->body, 0 },
	};
	int rc = sql_run(s,
	    "INSERT INTO audit (time, project, refused, body)"
	    " VALUES (?,?,?,?)",
	    v, ARRAY_SIZE(v), e);

	if (rc == 0 && sqlite3_last_insert_rowid(s->db) % TRIM_EVERY == 0)
		rc = trim_audit(s, a->is_refused, keep, e);
	return rc;
}

int
store_rename_audit(
    struct store *s, const char *project, const char *now, struct err *e)
{
	const struct value v[] = { { now, 0 }, { project, 0 } };

	return sql_run(s, "UPDATE audit SET project = ?1 WHERE project = ?2", v,
	    ARRAY_SIZE(v), e);
}

int
store_each_audit(struct store *s, const char *project, int64_t before,
    unsigned limit, int (*fn)(void *arg, const struct store_audit *a),
    void *arg, struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT id, time, project, body, refused FROM audit"
		" WHERE id < ?1 AND (?2 IS NULL OR project = ?2)"
		" ORDER BY id DESC LIMIT ?3",
		-1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, e, "read the audit trail");
	sqlite3_bind_int64(st, 1, before);
	sqlite3_bind_text(st, 2, project, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, limit);
	while ((step = sqlite3_step(st)) == SQLITE_ROW && rc == 0) {
		const struct store_audit a = {
			.id = sqlite3_column_int64(st, 0),
			.time = column(st, 1),
			.project = column(st, 2),
			.body = column(st, 3),
			.is_refused = sqlite3_column_int(st, 4) != 0,
		};

		rc = fn(arg, &a);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, e, "read the audit trail");
	sqlite3_finalize(st);
	return rc;
}
