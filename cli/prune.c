/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune: what restore --prune removes: objects of the kinds that a backup has,
 * of this project, whose names the backup does not have. Nothing is removed
 * that was not named before and agreed to.
 */
#include "cli/backup.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/restore.h"
#include "lib/base.h"

#include <stdio.h>

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

static int
find_kind(struct restore *r, const struct backup_kind *kind,
    const json_t *wanted, json_t *out)
{
	json_auto_t *all = NULL;
	json_t *one;
	size_t i;
	int rc = request_json(r->c, "GET", kind->path, NULL, 404, NULL);

	if (rc != EXIT_DONE) /* an older node has no such kind */
		return rc == EXIT_NOT_FOUND ? EXIT_DONE : rc;
	rc = request_list(r->c, kind->path, "items", &all);
	json_array_foreach(json_object_get(all, "items"), i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));
		scoped_free char *path =
		    name ? backup_path(kind->path, name, "") : NULL;

		if (!path)
			return EXIT_OTHER;
		if (!has_name(wanted, name))
			json_array_append_new(
			    out, json_pack("{s:s, s:s, s:s}", "kind",
				     kind->what, "name", name, "path", path));
	}
	return rc;
}

int
prune_find(struct restore *r, const json_t *backup, json_t *out)
{
	int rc = EXIT_DONE;

	for (size_t i = n_backup_kinds; i-- > 0 && rc == EXIT_DONE;)
		rc = find_kind(r, &backup_kinds[i],
		    json_object_get(backup, backup_kinds[i].member), out);
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

int
prune(struct restore *r, json_t *extra)
{
	for (size_t i = 0; i < json_array_size(extra);) {
		const json_t *one = json_array_get(extra, i);
		const char *kind = text_of(one, "kind");
		const char *name = text_of(one, "name");
		const struct http_request rq = { .method = "DELETE",
			.path = text_of(one, "path") };
		int rc =
		    r->is_dry ? EXIT_DONE : restore_send(r, &rq, kind, name);

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
