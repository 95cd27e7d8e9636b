/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_schema: the SQL of each step; see store_schema.h. It runs within a
 * transaction that store.c begins and ends.
 */
#include "agent/store_schema.h"

static const char first[] =
    "CREATE TABLE router ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " id_index INTEGER NOT NULL UNIQUE, generation INTEGER NOT NULL,"
    " created TEXT NOT NULL, body TEXT NOT NULL CHECK (json_valid(body)),"
    " deleting INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE port ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " generation INTEGER NOT NULL, created TEXT NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body))) STRICT;"
    "PRAGMA user_version = 1;";

/*
 * Projects: names are unique within one, and what there was is in "default".
 * A UNIQUE of a table cannot be dropped, so the tables are made anew.
 */
static const char projects[] =
    "ALTER TABLE router RENAME TO router_1;"
    "CREATE TABLE router ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL,"
    " id_index INTEGER NOT NULL UNIQUE, generation INTEGER NOT NULL,"
    " created TEXT NOT NULL, body TEXT NOT NULL CHECK (json_valid(body)),"
    " deleting INTEGER NOT NULL DEFAULT 0,"
    " project TEXT NOT NULL DEFAULT 'default', UNIQUE (project, name)) STRICT;"
    "INSERT INTO router SELECT uid, name, id_index, generation, created, body,"
    " deleting, 'default' FROM router_1;"
    "DROP TABLE router_1;"
    "ALTER TABLE port RENAME TO port_1;"
    "CREATE TABLE port ("
    " uid TEXT PRIMARY KEY, name TEXT NOT NULL,"
    " generation INTEGER NOT NULL, created TEXT NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body)),"
    " project TEXT NOT NULL DEFAULT 'default', UNIQUE (project, name)) STRICT;"
    "INSERT INTO port SELECT uid, name, generation, created, body, 'default'"
    " FROM port_1;"
    "DROP TABLE port_1;"
    "CREATE TABLE IF NOT EXISTS object ("
    " uid TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT NOT NULL,"
    " name TEXT NOT NULL, generation INTEGER NOT NULL, created TEXT NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body)),"
    " UNIQUE (kind, project, name)) STRICT;"
    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL,"
    " project TEXT NOT NULL, refused INTEGER NOT NULL,"
    " body TEXT NOT NULL CHECK (json_valid(body))) STRICT;"
    "CREATE INDEX audit_refused ON audit (refused, id);"
    "PRAGMA user_version = 2;";

const char *const store_steps[STORE_VERSION] = { first, projects };
