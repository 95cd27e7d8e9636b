/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_template: the templates that routers of this node can be made from, as
 * their manifests say: GET /v1/templates and one of them. Nothing is built here;
 * what a manifest's words mean is in container-templates/router/manifest.
 */
#include "agent/ops.h"

#include "agent/router.h"
#include "lib/base.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>

enum {
	LINE_BYTES = 512,
	TEXT_BYTES = 512,
	MAX_DEPTH = 4, /* of templates that include others */
	FOLDERS = 2,
};

/* Where europa-template looks: beside itself, and in templates beside itself. */
static bool
folder_of(const struct config *c, unsigned i, char out[PATH_MAX])
{
	char program[CONFIG_PATH + 32], real[PATH_MAX];
	char *slash;

	snprintf(
	    program, sizeof(program), "%s/europa-template", c->libexec_dir);
	if (!realpath(program, real))
		return false;
	slash = strrchr(real, '/');
	*slash = '\0';
	return snprintf(out, PATH_MAX, "%s%s", real, i ? "/templates" : "") <
	       PATH_MAX;
}

static FILE *
open_manifest(const struct config *c, const char *name)
{
	char folder[PATH_MAX], path[PATH_MAX + MODEL_NAME_BYTES + 16];

	for (unsigned i = 0; i < FOLDERS; i++) {
		FILE *f;

		if (!folder_of(c, i, folder))
			return NULL;
		snprintf(path, sizeof(path), "%s/%s/manifest", folder, name);
		f = fopen(path, "re");
		if (f)
			return f;
	}
	return NULL;
}

/* A program of this host, where europa-template looks for it. */
static bool
is_on_host(const char *program)
{
	static const char *const folders[] = { "/usr/local/sbin",
		"/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char path[LINE_BYTES + 32];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* What manifests say, that of the template and those that it includes. */
struct look {
	const struct config *config;
	char text[TEXT_BYTES]; /* the first paragraph of the first one */
	bool text_ends;
	json_t *includes, *programs, *missing;
	bool has_service, has_twins, has_dataplane;
};

static void
take_comment(struct look *k, const char *line)
{
	size_t n = strlen(k->text);

	line += strspn(line, "# ");
	k->text_ends = k->text_ends || *line == '\0';
	if (!k->text_ends)
		snprintf(k->text + n, sizeof(k->text) - n, "%s%s", n ? " " : "",
		    line);
}

static void look_into(struct look *k, const char *name, unsigned depth);

static void
take_line(struct look *k, char *line, unsigned depth)
{
	char kind[16] = "", path[256] = "", mode[16] = "", name[64] = "";
	char more[16] = "";
	bool required;

	if (sscanf(line, "%15s %255s %15s %63s %15s", kind, path, mode, name,
		more) < 2)
		return;
	if (strcmp(kind, "include") == 0) {
		if (depth == 0)
			json_array_append_new(k->includes, json_string(path));
		look_into(k, path, depth + 1);
		return;
	}
	k->has_service |= strcmp(path, "/etc/europa/service") == 0;
	k->has_twins |= strcmp(path, "/etc/europa/twins") == 0;
	k->has_dataplane |= strcmp(path, "/etc/europa/dataplane") == 0;
	if (strcmp(kind, "program") == 0 || strcmp(kind, "host") == 0)
		json_array_append_new(k->programs, json_string(path));
	required =
	    (strcmp(kind, "host") == 0 && strcmp(more, "optional") != 0) ||
	    (strcmp(kind, "busybox") == 0 && strcmp(name, "required") == 0);
	if (strcmp(kind, "busybox") == 0)
		snprintf(name, sizeof(name), "busybox");
	if (required && !is_on_host(name))
		json_array_append_new(k->missing, json_string(name));
}

static void
look_into(struct look *k, const char *name, unsigned depth)
{
	FILE *f = depth < MAX_DEPTH && model_name_is_valid(name)
		      ? open_manifest(k->config, name)
		      : NULL;
	char line[LINE_BYTES];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '#') {
			k->text_ends = true;
			take_line(k, line, depth);
		} else if (depth == 0 &&
			   strstr(line, "SPDX-License-Identifier") == NULL) {
			take_comment(k, line);
		}
	}
	if (f)
		fclose(f);
}

static json_t *
template_json(const struct node *n, const char *name)
{
	struct look k = {
		.config = &n->cfg,
		.includes = json_array(),
		.programs = json_array(),
		.missing = json_array(),
	};
	unsigned users = 0;

	look_into(&k, name, 0);
	problem_clean_text(k.text);
	for (const struct router *r = n->routers; r; r = r->next)
		users += strcmp(r->spec.template, name) == 0;
	return json_pack(
	    "{s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:i}", "kind",
	    "Template", "name", name, "description", k.text, "includes",
	    k.includes, "programs", k.programs, "service", k.has_service,
	    "twins", k.has_twins, "dataplane", k.has_dataplane, "available",
	    json_array_size(k.missing) == 0, "missing", k.missing, "routers",
	    (int)users);
}

static bool
is_there(const struct node *n, const char *name)
{
	FILE *f = open_manifest(&n->cfg, name);

	if (f)
		fclose(f);
	return f != NULL;
}

json_t *
op_template_items(const struct node *n)
{
	json_t *items = json_array(), *seen = json_object();
	char folder[PATH_MAX];

	for (unsigned i = 0; i < FOLDERS && folder_of(&n->cfg, i, folder);
	     i++) {
		DIR *d = opendir(folder);
		const struct dirent *de;

		while (d && (de = readdir(d))) {
			if (!model_name_is_valid(de->d_name) ||
			    json_object_get(seen, de->d_name) ||
			    !is_there(n, de->d_name))
				continue;
			json_object_set_new(seen, de->d_name, json_true());
			json_array_append_new(
			    items, template_json(n, de->d_name));
		}
		if (d)
			closedir(d);
	}
	json_decref(seen);
	return items;
}

void
op_templates_list(struct node *n, struct api_request *rq)
{
	op_reply_list(rq, op_template_items(n));
}

void
op_template_get(struct node *n, struct api_request *rq)
{
	if (is_there(n, api_name(rq)))
		api_reply(rq, 200, template_json(n, api_name(rq)), NULL, NULL);
	else
		op_not_found(rq, "template", api_name(rq));
}
