/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune: what restore --prune removes: objects of the kinds that a backup has,
 * of the projects that it has, whose names it does not have. Nothing is removed
 * that was not named before and agreed to: a kind that the backup has no list of
 * stays whole, and so does an object that has changed since it was named. A
 * project that the backup of a node does not have goes if it is empty; what it
 * has is left alone.
 */
#include "cli/backup.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/restore.h"
#include "lib/base.h"

#include <stdio.h>

enum { ETAG_BYTES = sizeof(((struct http_answer *)0)->etag) };

static bool
has_name(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *s = json_string_value(json_object_get(one, "name"));

		if (s && strcmp(s, name) == 0)
			return true;
	}
	return false;
}

/* As it is now, for who is asked to agree to; *out "" if it is gone meanwhile. */
static int
read_etag(struct restore *r, const char *path, char *out, size_t size)
{
	const struct http_request rq = { .method = "GET", .path = path };
	struct http_answer a;
	struct err e;
	int rc = request_send(r->c, &rq, &a, &e);

	*out = '\0';
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	rc = refusal_code(&a);
	if (rc == EXIT_DONE)
		snprintf(out, size, "%s", a.etag);
	else if (rc == EXIT_NOT_FOUND)
		rc = EXIT_DONE;
	else
		refusal_print(stderr, &a);
	http_answer_free(&a);
	return rc;
}

static int
add_extra(struct restore *r, const struct backup_kind *kind, const char *name,
    json_t *out)
{
	scoped_free char *path = backup_path(kind->path, name, "");
	char etag[ETAG_BYTES];
	int rc = path ? read_etag(r, path, etag, sizeof(etag)) : EXIT_OTHER;

	if (rc == EXIT_DONE && *etag)
		json_array_append_new(
		    out, json_pack("{s:s, s:s, s:s, s:s, s:s*}", "kind",
			     kind->what, "name", name, "path", path, "etag",
			     etag, "project", r->c->g.project));
	return rc;
}

/* Would it go? It does not while there is something in it. */
static int
ask_if_empty(struct restore *r, const char *name, bool *is_empty)
{
	scoped_free char *path = backup_path("/v1/projects", name, "");
	bool was = r->c->g.dry_run;
	int rc;

	if (!path)
		return EXIT_OTHER;
	r->c->g.dry_run = true;
	rc = request_json(r->c, "DELETE", path, NULL, 409, NULL);
	r->c->g.dry_run = was;
	*is_empty = rc == EXIT_DONE;
	if (rc != EXIT_CONFLICT)
		return rc;
	cli_say("project %s is not in the backup, and stays: it is not empty",
	    name);
	return EXIT_DONE;
}

static int
find_kind(struct restore *r, const struct backup_kind *kind,
    const json_t *wanted, json_t *out)
{
	json_auto_t *all = NULL;
	json_t *one;
	size_t i;
	int rc = backup_list(r->c, kind, &all);

	json_array_foreach(json_object_get(all, "items"), i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));
		bool goes = true;

		if (!name)
			return EXIT_OTHER;
		if (rc != EXIT_DONE || has_name(wanted, name))
			continue;
		if (kind->is_project)
			rc = ask_if_empty(r, name, &goes);
		if (rc == EXIT_DONE && goes)
			rc = add_extra(r, kind, name, out);
	}
	return rc;
}

/* The objects of one project, or of a backup that is one. */
static int
find_objects(struct restore *r, const json_t *project, json_t *out)
{
	int rc = EXIT_DONE;

	for (size_t i = n_backup_kinds; i-- > 0 && rc == EXIT_DONE;) {
		const struct backup_kind *kind = &backup_kinds[i];
		const json_t *wanted = json_object_get(project, kind->member);

		if (json_is_array(wanted) && !kind->is_project)
			rc = find_kind(r, kind, wanted, out);
	}
	return rc;
}

int
prune_find(struct restore *r, const json_t *backup, json_t *out)
{
	const json_t *all = json_object_get(backup, "projects"), *one;
	int rc = EXIT_DONE;
	size_t i;

	if (!backup_is_of_node(backup))
		return find_objects(r, backup, out);
	json_array_foreach(all, i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));

		if (rc != EXIT_DONE || (r->only && strcmp(r->only, name) != 0))
			continue;
		r->c->g.project = name;
		rc = find_objects(r, one, out);
	}
	restore_enter(r, NULL);
	if (rc == EXIT_DONE && !r->only)
		rc = find_kind(r, &backup_kinds[0], all, out);
	return rc;
}

static const char *
text_of(const json_t *one, const char *member)
{
	return json_string_value(json_object_get(one, member));
}

int
prune_ask(const json_t *extra)
{
	char answer[16] = "";
	const json_t *one;
	size_t i;

	if (json_array_size(extra) == 0)
		return EXIT_DONE;
	cli_say("the backup does not have, and --prune removes:");
	json_array_foreach(extra, i, one)
	{
		const char *project = text_of(one, "project");

		fprintf(stderr, "  %s %s%s%s\n", text_of(one, "kind"),
		    text_of(one, "name"), project ? " of project " : "",
		    project ? project : "");
	}
	if (!isatty(STDIN_FILENO))
		return cli_fail(EXIT_USAGE,
		    "nothing was done: there is nobody to be asked; say --yes");
	fputs("go on? [y/N] ", stderr);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return EXIT_DONE;
	return cli_fail(EXIT_OTHER, "nothing was done");
}

static int
remove_one(struct restore *r, const json_t *one)
{
	char if_match[ETAG_BYTES + 16];
	const struct http_request rq = { .method = "DELETE",
		.path = text_of(one, "path"),
		.headers = { if_match } };

	snprintf(
	    if_match, sizeof(if_match), "If-Match: %s", text_of(one, "etag"));
	return restore_send(r, &rq, text_of(one, "kind"), text_of(one, "name"));
}

int
prune(struct restore *r, json_t *extra)
{
	for (size_t i = 0; i < json_array_size(extra);) {
		const json_t *one = json_array_get(extra, i);
		const char *kind = text_of(one, "kind");
		const char *name = text_of(one, "name");
		int rc;

		restore_enter(r, one);
		rc = r->is_dry ? EXIT_DONE : remove_one(r, one);
		if (rc == EXIT_UNREACHABLE)
			return rc;
		if (rc != EXIT_DONE && rc != EXIT_NOT_FOUND) {
			r->code = rc;
			i++;
			continue;
		}
		restore_note(r, kind, name, "removed", NULL);
		r->n_changed++;
		json_array_remove(extra, i);
	}
	return EXIT_DONE;
}
