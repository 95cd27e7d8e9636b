/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the desired state on disk. What store_put_*() has returned 0 for
 * survives kill -9 and power loss.
 *
 * SQLite in WAL mode with synchronous=FULL; the folder is synced once after the
 * database was made. One thread. A ballast file is kept beside the database and
 * given up when the disk is full, so that deleting still works then.
 */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

struct store_router {
	const char *uid; /* text */
	const char *name;
	uint32_t id_index; /* of its uid range */
	uint64_t generation;
	const char *created; /* RFC 3339 */
	const char *body;    /* JSON: {"labels":..., "spec":...} */
	bool deleting;
	const char *project; /* its name; never changes */
};

struct store_port {
	const char *uid;
	const char *name;
	uint64_t generation;
	const char *created;
	const char *body;
	const char *project;
};

/*
 * Any other kind of object: (kind, project, name) is its own. A kind that is of
 * no project has "" there. What a kind needs beside its name is in the body.
 */
struct store_object {
	const char *uid;
	const char *kind; /* "project", "token", "link", "segment" */
	const char *project;
	const char *name;
	uint64_t generation;
	const char *created;
	const char *body; /* JSON */
};

/*
 * Opens or makes dir/europa.db, takes the lock against a second agent (-EBUSY)
 * and brings an older schema up to date in one transaction.
 */
int store_open(const char *dir, struct store **out, struct err *e);
void store_close(struct store *s);

/*
 * Each is one durable transaction: inserts or replaces. Returns 0, -ENOSPC
 * (disk full), -EROFS, -EIO or another negative errno; then nothing changed.
 */
int store_put_router(
    struct store *s, const struct store_router *r, struct err *e);
int store_delete_router(struct store *s, const char *uid, struct err *e);
int store_put_port(struct store *s, const struct store_port *p, struct err *e);
int store_delete_port(struct store *s, const char *uid, struct err *e);
int store_put_object(
    struct store *s, const struct store_object *o, struct err *e);
int store_delete_object(struct store *s, const char *uid, struct err *e);

/* An entry of the audit trail; its project is "" for what is of none. */
struct store_audit {
	int64_t id; /* grows; never used again */
	const char *time;
	const char *project;
	const char *body; /* JSON */
	bool is_refused;
};

/* Of each kind, refused or not, the last keep remain, and some more. */
int store_add_audit(
    struct store *s, const struct store_audit *a, unsigned keep, struct err *e);
/* What was of project is of now: the name may be another one's soon. */
int store_rename_audit(
    struct store *s, const char *project, const char *now, struct err *e);
/* The newest before an id, at most limit, of a project; NULL: of all. */
int store_each_audit(struct store *s, const char *project, int64_t before,
    unsigned limit, int (*fn)(void *arg, const struct store_audit *a),
    void *arg, struct err *e);

/* Calls fn for each row, oldest first; stops at the first negative result. */
int store_each_router(struct store *s,
    int (*fn)(void *arg, const struct store_router *r), void *arg,
    struct err *e);
int store_each_port(struct store *s,
    int (*fn)(void *arg, const struct store_port *p), void *arg, struct err *e);
int store_each_object(struct store *s, const char *kind,
    int (*fn)(void *arg, const struct store_object *o), void *arg,
    struct err *e);

#endif
