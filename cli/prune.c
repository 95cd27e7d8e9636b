/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune: what restore --prune removes: objects of the kinds that a backup has,
 * of this project, whose names the backup does not have. Nothing is removed
 * that was not named before and agreed to: a kind that the backup has no list of
 * stays whole, and so does an object that has changed since it was named.
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
		    out, json_pack("{s:s, s:s, s:s, s:s}", "kind", kind->what,
			     "name", name, "path", path, "etag", etag));
	return rc;
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

		if (!name)
			return EXIT_OTHER;
		if (rc == EXIT_DONE && !has_name(wanted, name))
			rc = add_extra(r, kind, name, out);
	}
	return rc;
}

int
prune_find(struct restore *r, const json_t *backup, json_t *out)
{
	int rc = EXIT_DONE;

	for (size_t i = n_backup_kinds; i-- > 0 && rc == EXIT_DONE;) {
		const json_t *wanted =
		    json_object_get(backup, backup_kinds[i].member);

		if (json_is_array(wanted))
			rc = find_kind(r, &backup_kinds[i], wanted, out);
	}
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
		fprintf(stderr, "  %s %s\n", text_of(one, "kind"),
		    text_of(one, "name"));
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
		int rc = r->is_dry ? EXIT_DONE : remove_one(r, one);

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
