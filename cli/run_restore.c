/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_restore: makes a node what a backup says. What is as it should be already
 * is left alone, so that a second run changes nothing; what the backup does not
 * have stays, but with --prune (prune.c). With --dry-run nothing is sent but
 * questions, and 10 says that there are differences. Of the backup of a node
 * --project names the one project that is restored.
 *
 * An address or a name in use may move from one router to another between node
 * and backup, so what is refused is tried again as long as something else could
 * be done meanwhile.
 */
#include "cli/args.h"
#include "cli/backup.h"
#include "cli/progress.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/restore.h"
#include "cli/run.h"
#include "lib/base.h"

#include <stdio.h>
#include <time.h>

enum { BUSY_TRIES = 20, BUSY_NS = 250000000 };

void
restore_enter(struct restore *r, const json_t *item)
{
	const char *project =
	    json_string_value(json_object_get(item, "project"));

	r->c->g.project = project ? project : r->only;
}

void
restore_note(struct restore *r, const char *kind, const char *name,
    const char *result, const char *detail)
{
	json_array_append_new(
	    r->results, json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "kind", kind,
			    "name", name, "result", result, "detail", detail,
			    "project", r->c->g.project));
}

int
restore_send(struct restore *r, const struct http_request *rq, const char *kind,
    const char *name)
{
	const struct timespec pause = { .tv_nsec = BUSY_NS };
	json_auto_t *problem = NULL;
	struct http_answer a;
	struct err e;
	int rc = request_send(r->c, rq, &a, &e);

	/* busy, or the data plane is on its way back */
	for (unsigned i = 0; rc == 0 && a.status == 503 && i < BUSY_TRIES;
	     i++) {
		http_answer_free(&a);
		nanosleep(&pause, NULL);
		rc = request_send(r->c, rq, &a, &e);
	}
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	rc = refusal_code(&a);
	if (rc != EXIT_DONE && r->is_last_try) {
		progress_end();
		refusal_print(stderr, &a);
		problem = a.body ? json_loadb(a.body, a.n_body, 0, NULL) : NULL;
		restore_note(r, kind, name, "refused",
		    json_string_value(json_object_get(problem, "code")));
	}
	http_answer_free(&a);
	return rc;
}

struct place {
	const char *kind, *name;
};

static int
send_json(struct restore *r, const char *method, const char *path,
    const json_t *body, struct place at)
{
	scoped_free char *text = json_dumps(body, JSON_COMPACT);
	const struct http_request rq = { .method = method,
		.path = path,
		.type = "application/json",
		.body = text,
		.n_body = text ? strlen(text) : 0 };

	return text ? restore_send(r, &rq, at.kind, at.name) : EXIT_OTHER;
}

/* --- an object -------------------------------------------------------------- */

/* What is there of that name; *out NULL: nothing. */
static int
read_present(struct restore *r, const char *path, json_t **out)
{
	int rc = request_json(r->c, "GET", path, NULL, 404, out);

	return rc == EXIT_NOT_FOUND ? EXIT_DONE : rc;
}

static bool
is_same(const json_t *present, const json_t *wanted)
{
	json_t *labels = json_object_get(wanted, "labels");

	return json_equal(json_object_get(present, "spec"),
		   json_object_get(wanted, "spec")) &&
	       (!labels ||
		   json_equal(json_object_get(present, "labels"), labels));
}

/* What PATCH is not told stays: what is not wanted is null. */
static void
take_rest_away(json_t *wanted, const json_t *present)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)present, key, v) {
		json_t *w = json_object_get(wanted, key);

		if (!w)
			json_object_set_new(wanted, key, json_null());
		else
			take_rest_away(w, v);
	}
}

static json_t *
make_object(const struct backup_kind *kind, const char *name,
    const json_t *wanted, const json_t *present)
{
	json_auto_t *spec = json_deep_copy(json_object_get(wanted, "spec"));
	json_auto_t *labels = json_deep_copy(json_object_get(wanted, "labels"));

	if (kind->has_no_put && present) {
		take_rest_away(spec, json_object_get(present, "spec"));
		take_rest_away(labels, json_object_get(present, "labels"));
	}
	return json_pack(
	    "{s:s, s:O*, s:O*}", "name", name, "labels", labels, "spec", spec);
}

static int
send_object(struct restore *r, const struct backup_kind *kind, const char *name,
    const json_t *body, bool is_there)
{
	bool is_new = kind->has_no_put && !is_there;
	scoped_free char *path =
	    is_new ? strdup(kind->path) : backup_path(kind->path, name, "");
	const char *method = !kind->has_no_put ? "PUT"
			     : is_there        ? "PATCH"
					       : "POST";

	return path ? send_json(r, method, path, body,
			  (struct place){ kind->what, name })
		    : EXIT_OTHER;
}

static int
put_object(struct restore *r, const struct backup_kind *kind, const char *name,
    const json_t *wanted)
{
	scoped_free char *path = backup_path(kind->path, name, "");
	json_auto_t *present = NULL, *body = NULL;
	int rc;

	if (!path)
		return EXIT_OTHER;
	rc = read_present(r, path, &present);
	if (rc != EXIT_DONE)
		return rc;
	if (present && is_same(present, wanted)) {
		restore_note(r, kind->what, name, "unchanged", NULL);
		return EXIT_DONE;
	}
	body = make_object(kind, name, wanted, present);
	if (!r->is_dry)
		rc = send_object(r, kind, name, body, present != NULL);
	if (rc != EXIT_DONE)
		return rc;
	restore_note(
	    r, kind->what, name, present ? "changed" : "created", NULL);
	r->n_changed++;
	return EXIT_DONE;
}

/* --- a router's pipeline ---------------------------------------------------- */

static int
put_power(struct restore *r, const char *name, const char *power)
{
	scoped_free char *path = backup_path("/v1/routers", name, "/power");
	json_auto_t *body = json_pack("{s:s}", "desired", power);

	return path ? send_json(r, "PUT", path, body,
			  (struct place){ "Pipeline", name })
		    : EXIT_OTHER;
}

static int
send_pipeline(struct restore *r, const char *name, const json_t *wanted)
{
	const char *rest =
	    json_is_null(wanted) ? "/pipeline/rollback" : "/pipeline";
	scoped_free char *path = backup_path("/v1/routers", name, rest);
	static const char zero[] = "{\"revision\": 0}";
	struct http_request rq = { .method = "PUT",
		.path = path,
		.type = "text/x-lua",
		.body = json_string_value(wanted),
		.n_body = json_string_length(wanted) };

	if (json_is_null(wanted)) {
		rq.method = "POST";
		rq.type = "application/json";
		rq.body = zero;
		rq.n_body = sizeof(zero) - 1;
	}
	return path ? restore_send(r, &rq, "Pipeline", name) : EXIT_OTHER;
}

/* Only a router that runs can check a pipeline: one that shall not, runs for it. */
static int
put_pipeline(struct restore *r, const char *name, const json_t *router)
{
	const json_t *wanted = json_object_get(router, "pipeline");
	const json_t *spec = json_object_get(router, "spec");
	const char *power = json_string_value(json_object_get(spec, "power"));
	json_auto_t *present = NULL;
	bool runs = !power || strcmp(power, "running") == 0;
	int rc, back;

	if (!wanted)
		return EXIT_DONE;
	rc = backup_pipeline(r->c, name, spec, &present);
	if (rc != EXIT_DONE || json_equal(present, wanted))
		return rc;
	if (!present && json_is_null(wanted))
		return EXIT_DONE; /* it has none, and is to have none */
	if (!r->is_dry) {
		rc = runs ? EXIT_DONE : put_power(r, name, "running");
		if (rc == EXIT_DONE)
			rc = send_pipeline(r, name, wanted);
		back = runs ? EXIT_DONE : put_power(r, name, power);
		rc = rc == EXIT_DONE ? back : rc;
	}
	if (rc != EXIT_DONE)
		return rc;
	restore_note(r, "Pipeline", name, "changed", NULL);
	r->n_changed++;
	return EXIT_DONE;
}

/* --- a router's run-time routes --------------------------------------------- */

static int
send_routes(struct restore *r, const char *name, const json_t *routes)
{
	scoped_free char *path = backup_path("/v1/routers", name, "/routes");
	scoped_free char *text = NULL;
	struct http_request rq = {
		.method = "PUT", .path = path, .type = "application/x-ndjson"
	};
	FILE *f = open_memstream(&text, &rq.n_body);
	json_t *one;
	size_t i;

	if (!f || !path) {
		if (f)
			fclose(f);
		return EXIT_OTHER;
	}
	json_array_foreach(routes, i, one)
	{
		json_dumpf(one, f, JSON_COMPACT);
		fputc('\n', f);
	}
	if (i == 0)
		fputc('\n', f); /* no route is a line too */
	fclose(f);
	rq.body = text;
	return restore_send(r, &rq, "Routes", name);
}

static int
put_routes(struct restore *r, const char *name, const json_t *router)
{
	const json_t *wanted = json_object_get(router, "routes");
	json_auto_t *present = NULL;
	int rc;

	if (!json_is_array(wanted))
		return EXIT_DONE;
	rc = backup_routes(r->c, name, &present);
	if (rc != EXIT_DONE || json_equal(present, wanted))
		return rc;
	if (!r->is_dry)
		rc = send_routes(r, name, wanted);
	if (rc != EXIT_DONE)
		return rc;
	/* one that does not run cannot say which it had: they are written */
	restore_note(r, "Routes", name, "changed",
	    json_is_null(present) ? "the router does not run" : NULL);
	r->n_changed++;
	return EXIT_DONE;
}

/* --- all of it -------------------------------------------------------------- */

static int
restore_one(
    struct restore *r, const struct backup_kind *kind, const json_t *item)
{
	const json_t *wanted = json_object_get(item, "object");
	const char *name = json_string_value(json_object_get(wanted, "name"));
	int rc;

	restore_enter(r, item);
	if (!name)
		return cli_fail(
		    EXIT_INVALID, "a %s of the backup has no name", kind->what);
	progress_step(r->n_done, r->n_all, name);
	rc = put_object(r, kind, name, wanted);
	if (rc != EXIT_DONE || !kind->is_router)
		return rc;
	/* of what is not there nobody can ask for the parts */
	if (r->is_dry) {
		scoped_free char *path = backup_path(kind->path, name, "");
		json_auto_t *present = NULL;

		rc = path ? read_present(r, path, &present) : EXIT_OTHER;
		if (rc != EXIT_DONE || !present)
			return rc;
	}
	rc = put_pipeline(r, name, wanted);
	return rc == EXIT_DONE ? put_routes(r, name, wanted) : rc;
}

/*
 * Tries all of the list; those refused go to a list of their own. Returns
 * EXIT_UNREACHABLE if there is no point in going on.
 */
static int
try_list(struct restore *r, const struct backup_kind *kind, json_t *list,
    json_t *refused)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		int rc = restore_one(r, kind, one);

		if (rc == EXIT_UNREACHABLE)
			return rc;
		if (rc != EXIT_DONE) {
			r->code = rc;
			json_array_append(refused, one);
		} else {
			r->n_done++;
		}
	}
	return EXIT_DONE;
}

static int
restore_kind(struct restore *r, const struct backup_kind *kind, json_t *list)
{
	json_auto_t *left = json_incref(list);
	int rc = EXIT_DONE;

	while (rc == EXIT_DONE && json_array_size(left) > 0) {
		json_t *refused = json_array();
		size_t before = json_array_size(left);

		rc = try_list(r, kind, left, refused);
		json_decref(left);
		left = refused;
		if (r->is_last_try)
			break;
		/* no progress: once more, to say why */
		r->is_last_try = json_array_size(left) == before;
	}
	r->is_last_try = false;
	if (rc == EXIT_DONE && json_array_size(left) > 0)
		return r->code;
	return rc;
}

/* All kinds, each before those that need it. Returns an exit code. */
static int
restore_all(struct restore *r, const json_t *doc)
{
	int rc = EXIT_DONE;

	for (size_t i = 0; i < n_backup_kinds; i++) {
		json_auto_t *list =
		    backup_of_kind(doc, &backup_kinds[i], r->only);
		int one = restore_kind(r, &backup_kinds[i], list);

		rc = one != EXIT_DONE ? one : rc;
		if (one == EXIT_UNREACHABLE)
			break;
	}
	progress_end();
	return rc;
}

/*
 * What goes makes room for what comes; but a port that a router has until it is
 * changed can go behind that only.
 */
static int
restore_and_prune(struct restore *r, const json_t *doc, json_t *extra)
{
	int rc = prune(r, extra);

	if (rc == EXIT_UNREACHABLE)
		return rc;
	rc = restore_all(r, doc);
	if (rc == EXIT_UNREACHABLE || json_array_size(extra) == 0)
		return rc;
	r->is_last_try = true;
	if (prune(r, extra) == EXIT_UNREACHABLE)
		return EXIT_UNREACHABLE;
	return json_array_size(extra) > 0 ? r->code : rc;
}

/* How many objects are to be looked at. */
static int
count(struct restore *r, const json_t *doc)
{
	for (size_t i = 0; i < n_backup_kinds; i++) {
		json_auto_t *list =
		    backup_of_kind(doc, &backup_kinds[i], r->only);

		r->n_all += (unsigned)json_array_size(list);
		if (backup_kinds[i].is_project && json_array_size(list) == 0 &&
		    backup_is_of_node(doc))
			return cli_fail(EXIT_NOT_FOUND,
			    "the backup has no project %s",
			    r->only ? r->only : "at all");
	}
	return EXIT_DONE;
}

int
run_restore(struct cli *c, const struct call *call)
{
	json_auto_t *doc = NULL, *out = json_pack("{s:[]}", "items");
	json_auto_t *extra = json_array();
	struct restore r = { .c = c,
		.results = json_object_get(out, "items"),
		.only = c->g.project,
		.is_dry = c->g.dry_run };
	int rc = backup_read_file(call->word[0], &doc), printed;

	if (rc == EXIT_DONE)
		rc = count(&r, doc);
	if (rc == EXIT_DONE && args_option(call, "--prune"))
		rc = prune_find(&r, doc, extra);
	if (rc == EXIT_DONE && !r.is_dry && !args_option(call, "--yes"))
		rc = prune_ask(extra);
	if (rc != EXIT_DONE)
		return rc;
	rc = restore_and_prune(&r, doc, extra);
	restore_enter(&r, NULL);
	printed = request_print(c, call->command, out);
	if (rc == EXIT_DONE)
		rc = printed;
	if (rc == EXIT_DONE && r.n_changed > 0 && r.is_dry)
		rc = EXIT_DIFFERENCES;
	return rc;
}
