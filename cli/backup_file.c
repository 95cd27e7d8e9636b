/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup_file: the file of a backup, read; see backup.h. Whoever goes on with it
 * need not know of which version it was.
 */
#include "cli/backup.h"
#include "cli/body.h"
#include "lib/base.h"

static const char *
name_of(const json_t *object)
{
	return json_string_value(json_object_get(object, "name"));
}

/* What is in a project without a name would be put into another one. */
static bool
are_projects(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!name_of(one))
			return false;
	}
	return json_is_array(list);
}

static bool
is_backup(const json_t *doc)
{
	const char *kind = json_string_value(json_object_get(doc, "kind"));
	json_int_t version =
	    json_integer_value(json_object_get(doc, "version"));

	if (!kind || strcmp(kind, "EuropaBackup") != 0)
		return false;
	return version == BACKUP_OF_PROJECT ||
	       (version == BACKUP_OF_NODE &&
		   are_projects(json_object_get(doc, "projects")));
}

int
backup_read_file(const char *path, json_t **out)
{
	scoped_free char *text = NULL;
	json_error_t why;
	struct err e;
	json_t *doc;
	size_t n;

	if (body_read_file(path, &text, &n, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (doc && is_backup(doc)) {
		*out = doc;
		return EXIT_DONE;
	}
	if (doc)
		cli_say("%s: no backup that this europactl knows", path);
	else
		cli_say("%s:%d: %s", path, why.line, why.text);
	json_decref(doc);
	return EXIT_INVALID;
}

bool
backup_is_of_node(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "version")) ==
	       BACKUP_OF_NODE;
}

static void
add_list(json_t *out, const char *project, const json_t *list)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		json_array_append_new(out, json_pack("{s:s*, s:O}", "project",
					       project, "object", one));
	}
}

json_t *
backup_of_kind(
    const json_t *doc, const struct backup_kind *kind, const char *only)
{
	json_t *out = json_array(), *one;
	size_t i;

	if (!backup_is_of_node(doc)) {
		if (!kind->is_project)
			add_list(out, NULL, json_object_get(doc, kind->member));
		return out;
	}
	json_array_foreach(json_object_get(doc, "projects"), i, one)
	{
		const char *name = name_of(one);

		if (only && strcmp(only, name) != 0)
			continue;
		if (kind->is_project)
			json_array_append_new(
			    out, json_pack("{s:O}", "object", one));
		else
			add_list(out, name, json_object_get(one, kind->member));
	}
	return out;
}
