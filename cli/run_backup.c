/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_backup: reads all of a node's state over the API, see backup.h: of all
 * projects, or of one, if one is named or whoever asks is not admin of the node.
 * Tokens are not in it: their secrets are known to nobody.
 */
#include "cli/args.h"
#include "cli/backup.h"
#include "cli/progress.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

const struct backup_kind backup_kinds[] = {
	{ .member = "projects",
	    .path = "/v1/projects",
	    .what = "Project",
	    .has_no_put = true,
	    .is_project = true },
	{ .member = "ports", .path = "/v1/ports", .what = "Port" },
	{ .member = "routers",
	    .path = "/v1/routers",
	    .what = "Router",
	    .is_router = true },
	{ .member = "links",
	    .path = "/v1/links",
	    .what = "Link",
	    .has_no_put = true },
	{ .member = "segments",
	    .path = "/v1/segments",
	    .what = "Segment",
	    .has_no_put = true },
};
const size_t n_backup_kinds = ARRAY_SIZE(backup_kinds);

char *
backup_path(const char *path, const char *name, const char *rest)
{
	scoped_free char *part = http_escape(name);
	char *out = NULL;

	if (!part || asprintf(&out, "%s/%s%s", path, part, rest) < 0)
		return NULL;
	return out;
}

int
backup_list(struct cli *c, const struct backup_kind *kind, json_t **out)
{
	int rc = request_json(c, "GET", kind->path, NULL, 404, NULL);

	if (rc == EXIT_NOT_FOUND) {
		*out = json_pack("{s:[]}", "items");
		return EXIT_DONE;
	}
	return rc == EXIT_DONE ? request_list(c, kind->path, "items", out) : rc;
}

/* By spec, or by the template, another program than europa-router serves it. */
static bool
is_foreign(struct cli *c, const json_t *spec)
{
	const char *program =
	    json_string_value(json_object_get(spec, "dataplane"));
	const char *template =
	    json_string_value(json_object_get(spec, "template"));
	scoped_free char *path = NULL;
	json_auto_t *doc = NULL;

	if (program && *program)
		return true;
	path = backup_path("/v1/templates", template ? template : "router", "");
	return path &&
	       request_json(c, "GET", path, NULL, 404, &doc) == EXIT_DONE &&
	       json_is_true(json_object_get(doc, "dataplane"));
}

int
backup_pipeline(
    struct cli *c, const char *name, const json_t *spec, json_t **out)
{
	scoped_free char *path = backup_path("/v1/routers", name, "/pipeline");
	json_auto_t *doc = NULL;
	const json_t *revision;
	json_t *text;
	int rc;

	if (!path)
		return EXIT_OTHER;
	rc = request_json(c, "GET", path, NULL, 409, &doc);
	if (rc == EXIT_CONFLICT) {
		if (is_foreign(c, spec))
			return EXIT_DONE;
		/* once more, to say why */
		rc = request_json(c, "GET", path, NULL, 0, &doc);
	}
	if (rc != EXIT_DONE)
		return rc;
	revision = json_object_get(doc, "revision");
	text = json_object_get(doc, "text");
	/* revision 0 comes with the template */
	*out = json_is_string(text) && !(json_is_integer(revision) &&
					   json_integer_value(revision) == 0)
		   ? json_incref(text)
		   : json_null();
	return EXIT_DONE;
}

static json_t *
plain_routes(const json_t *list)
{
	static const char *const members[] = { "prefix", "via", "vnic" };
	json_t *out = json_array(), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		json_t *route = json_object();

		for (size_t k = 0; k < ARRAY_SIZE(members); k++) {
			json_t *v = json_object_get(one, members[k]);

			if (json_is_string(v))
				json_object_set(route, members[k], v);
		}
		json_array_append_new(out, route);
	}
	return out;
}

int
backup_routes(struct cli *c, const char *name, json_t **out)
{
	scoped_free char *path =
	    backup_path("/v1/routers", name, "/routes?source=api");
	json_auto_t *first = NULL, *all = NULL;
	int rc;

	if (!path)
		return EXIT_OTHER;
	/* only a router that runs can say which they are */
	rc = request_json(c, "GET", path, NULL, 409, &first);
	if (rc == EXIT_CONFLICT) {
		*out = json_null();
		return EXIT_DONE;
	}
	if (rc == EXIT_DONE)
		rc = request_list(c, path, "routes", &all);
	if (rc == EXIT_DONE)
		*out = plain_routes(json_object_get(all, "routes"));
	return rc;
}

/* What cannot be in the backup is said. */
static void
say_of_router(const struct cli *c, const char *name, const char *what)
{
	cli_say("%s%s%srouter %s%s", c->g.project ? "project " : "",
	    c->g.project ? c->g.project : "", c->g.project ? ": " : "", name,
	    what);
}

static int
add_router_parts(struct cli *c, const char *name, json_t *object)
{
	json_t *pipeline = NULL, *routes = NULL;
	int rc = backup_pipeline(
	    c, name, json_object_get(object, "spec"), &pipeline);

	if (rc == EXIT_DONE && !pipeline) {
		say_of_router(c, name,
		    ": its data plane has no pipeline and no run-time routes "
		    "to be asked for");
		return EXIT_DONE;
	}
	if (rc == EXIT_DONE)
		rc = backup_routes(c, name, &routes);
	if (rc != EXIT_DONE) {
		json_decref(pipeline);
		return rc;
	}
	if (json_is_null(routes))
		say_of_router(c, name,
		    " does not run: its run-time routes cannot be asked for, "
		    "and are not in the backup");
	json_object_set_new(object, "pipeline", pipeline);
	json_object_set_new(object, "routes", routes);
	return EXIT_DONE;
}

static json_t *
plain_object(const json_t *one)
{
	return json_pack("{s:O?, s:O?, s:O?}", "name",
	    json_object_get(one, "name"), "labels",
	    json_object_get(one, "labels"), "spec",
	    json_object_get(one, "spec"));
}

static int
add_kind(struct cli *c, const struct backup_kind *kind, json_t *doc)
{
	json_t *list = json_array(), *items, *one;
	json_auto_t *all = NULL;
	size_t i;
	int rc = backup_list(c, kind, &all);

	json_object_set_new(doc, kind->member, list);
	items = json_object_get(all, "items");
	json_array_foreach(items, i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));
		json_t *object = plain_object(one);

		json_array_append_new(list, object);
		if (!name || !object)
			return EXIT_OTHER;
		progress_step((unsigned)i, (unsigned)json_array_size(items),
		    kind->member);
		if (kind->is_router)
			rc = add_router_parts(c, name, object);
		if (rc != EXIT_DONE)
			break;
	}
	progress_end();
	return rc;
}

/*
 * All of one project: of c->g.project. Who has no role there is told so: to
 * backup_list() that is a node which has no such kind.
 */
static int
add_objects(struct cli *c, json_t *out)
{
	int rc = request_json(c, "GET", "/v1/routers?limit=1", NULL, 0, NULL);

	for (size_t i = 0; i < n_backup_kinds && rc == EXIT_DONE; i++)
		if (!backup_kinds[i].is_project)
			rc = add_kind(c, &backup_kinds[i], out);
	return rc;
}

/* --- a whole node ----------------------------------------------------------- */

/*
 * May who asks change a project? A dry run says so. Any other answer than yes or
 * no is a failure: a backup that is not of all must not look like one.
 */
static int
ask_if_admin(struct cli *c, bool *is_admin)
{
	json_auto_t *nothing = json_object();
	bool was = c->g.dry_run;
	int rc;

	c->g.dry_run = true;
	rc = request_json(
	    c, "PATCH", "/v1/projects/default", nothing, 403, NULL);
	c->g.dry_run = was;
	*is_admin = rc == EXIT_DONE;
	return rc == EXIT_DENIED ? EXIT_DONE : rc;
}

static int
count_tokens(struct cli *c, size_t *n)
{
	json_auto_t *doc = NULL;
	int rc = request_json(c, "GET", "/v1/tokens?limit=1", NULL, 0, &doc);

	*n += json_array_size(json_object_get(doc, "items"));
	return rc;
}

static int
add_projects(struct cli *c, const json_t *projects, json_t *doc)
{
	json_t *list = json_array(), *one;
	int rc = EXIT_DONE;
	size_t i, n_tokens = 0;

	json_object_set_new(doc, "projects", list);
	json_array_foreach(projects, i, one)
	{
		json_t *project = plain_object(one);

		json_array_append_new(list, project);
		c->g.project = json_string_value(json_object_get(one, "name"));
		if (!c->g.project)
			return EXIT_OTHER;
		rc = add_objects(c, project);
		if (rc == EXIT_DONE)
			rc = count_tokens(c, &n_tokens);
		c->g.project = NULL;
		if (rc != EXIT_DONE)
			return rc;
	}
	if (n_tokens > 0)
		cli_say("tokens are not in the backup: nobody but their "
			"owners knows their secrets");
	return rc;
}

/* By what may be asked for: all projects, or the one that is meant. */
static int
add_all(struct cli *c, json_t *doc)
{
	json_auto_t *all = NULL;
	bool is_admin = false;
	json_t *projects;
	int rc = EXIT_DONE;

	if (!c->g.project)
		rc = backup_list(c, &backup_kinds[0], &all);
	if (rc != EXIT_DONE)
		return rc;
	projects = json_object_get(all, "items");
	if (json_array_size(projects) == 0)
		return add_objects(c, doc);
	rc = ask_if_admin(c, &is_admin);
	if (rc != EXIT_DONE)
		return rc;
	if (is_admin) {
		json_object_set_new(
		    doc, "version", json_integer(BACKUP_OF_NODE));
		return add_projects(c, projects, doc);
	}
	cli_say("you are not admin of the node: this is the project default "
		"alone; --project names another one");
	return add_objects(c, doc);
}

static json_t *
begin(struct cli *c, int *rc)
{
	json_auto_t *node = NULL;
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	*rc = request_json(c, "GET", "/v1", NULL, 0, &node);
	if (*rc != EXIT_DONE)
		return NULL;
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:i, s:s, s:{s:O?, s:O?}}", "kind",
	    "EuropaBackup", "version", BACKUP_OF_PROJECT, "time", text, "node",
	    "name", json_object_get(node, "name"), "version",
	    json_object_get(node, "version"));
}

/* In one piece or not at all: a backup that is half is none. */
static int
write_file(const char *path, const json_t *doc)
{
	scoped_free char *temporary = NULL;
	int fd = -1, rc = -1;
	FILE *f;

	if (asprintf(&temporary, "%s.XXXXXX", path) >= 0)
		fd = mkostemp(temporary, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		base_close(fd);
		return cli_fail(EXIT_OTHER, "%s: %s", path, strerror(errno));
	}
	if (json_dumpf(doc, f, JSON_INDENT(1)) == 0 && fputc('\n', f) >= 0 &&
	    fflush(f) == 0)
		rc = fsync(fd);
	if (fclose(f) == 0 && rc == 0 && rename(temporary, path) == 0)
		return EXIT_DONE;
	unlink(temporary);
	return cli_fail(EXIT_OTHER, "%s: cannot be written", path);
}

int
run_backup(struct cli *c, const struct call *call)
{
	const char *path = args_word(call, 0);
	int rc;
	json_auto_t *doc = begin(c, &rc);

	if (rc == EXIT_DONE)
		rc = add_all(c, doc);
	if (rc != EXIT_DONE)
		return rc;
	if (path && strcmp(path, "-") != 0)
		return write_file(path, doc);
	json_dumpf(doc, stdout, JSON_INDENT(1));
	putchar('\n');
	return EXIT_DONE;
}
