/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup: what a node is made of, and in which order it is made again. The file
 * of a backup is one JSON object, of a whole node
 *
 *	{"kind": "EuropaBackup", "version": 2, "time": ..., "node": ...,
 *	 "projects": [{"name", "labels", "spec",
 *	  "ports": [{"name", "labels", "spec"}, ...],
 *	  "routers": [{"name", "labels", "spec", "pipeline", "routes"}, ...],
 *	  "links": ..., "segments": ...}, ...]}
 *
 * and of one project, version 1, the same lists without the project around them:
 * they become those of whatever project they are restored to.
 *
 * pipeline is the Lua text, null where the template's own runs; routes are the
 * run-time ones, null where they could not be asked for. Neither is there where
 * another program than europa-router, named by the spec or by the template, is
 * the data plane and runs. A new kind of object is a new row here,
 * before those that need it.
 */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

#include "cli/cli.h"

#include <jansson.h>

enum { BACKUP_OF_PROJECT = 1, BACKUP_OF_NODE = 2 };

struct backup_kind {
	const char *member; /* of the file */
	const char *path;   /* of the list; an object's is below it */
	const char *what;   /* Port */
	bool is_router;     /* has pipeline and routes too */
	bool has_no_put;    /* POST makes one, PATCH changes it */
	bool is_project;    /* the others are in it */
};

extern const struct backup_kind backup_kinds[];
extern const size_t n_backup_kinds;

/*
 * A file that is a backup; "-" is standard input. Returns an exit code, says why
 * it is none.
 */
int backup_read_file(const char *path, json_t **out);

/* Is it of a whole node? */
bool backup_is_of_node(const json_t *doc);

/*
 * What it has of a kind: {"object"} each, with "project", whose it is, in a backup
 * of a node; of the project only alone, if only is not NULL. Returns to caller.
 */
json_t *backup_of_kind(
    const json_t *doc, const struct backup_kind *kind, const char *only);

/* path, a slash, name, and rest; returns to caller, NULL without memory. */
char *backup_path(const char *path, const char *name, const char *rest);

/*
 * All objects of a kind, as {"items": [...]}; none where an older node has no
 * such kind. Returns an exit code.
 */
int backup_list(struct cli *c, const struct backup_kind *kind, json_t **out);

/*
 * The text of the router's own pipeline as a JSON string, null if it runs the
 * template's; *out stays NULL if its data plane, by spec, has none. Returns an
 * exit code.
 */
int backup_pipeline(
    struct cli *c, const char *name, const json_t *spec, json_t **out);

/*
 * The run-time routes, {"prefix", "via", "vnic"} each, in the router's order;
 * null if the router does not run. Returns an exit code.
 */
int backup_routes(struct cli *c, const char *name, json_t **out);

#endif
