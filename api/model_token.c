/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_token: a token between JSON and struct model_token. That the projects
 * are there, and that who asks may give these roles, is the agent's to check.
 */
#include "api/model_token.h"

#include "api/model_int.h"
#include "lib/base.h"

#include <stdio.h>
#include <time.h>

static const char *const roles[] = {
	[API_ROLE_VIEWER] = "viewer",
	[API_ROLE_OPERATOR] = "operator",
	[API_ROLE_ADMIN] = "admin",
};

const char *
model_role_text(enum api_role role)
{
	return roles[role];
}

int
model_role_parse(const char *s)
{
	for (int i = API_ROLE_VIEWER; i <= API_ROLE_ADMIN; i++)
		if (strcmp(s, roles[i]) == 0)
			return i;
	return -EINVAL;
}

void
model_token_init(struct model_token *t)
{
	*t = (struct model_token){ .labels = json_object() };
}

void
model_token_clear(struct model_token *t)
{
	json_decref(t->labels);
	memset(t, 0, sizeof(*t));
}

static void
read_roles(struct model_token *t, const struct model_reader *spec)
{
	const json_t *v = model_take_object(spec, "roles");
	struct model_reader in = {
		.obj = v, .at = "/spec/roles", .p = spec->p
	};
	const char *project;
	json_t *word;

	if (!v || json_object_size(v) == 0) {
		model_complain(spec, "roles",
		    "must say at least one, such as {\"default\": "
		    "\"operator\"}");
		return;
	}
	if (json_object_size(v) > MODEL_MAX_ROLES) {
		model_complain(
		    spec, "roles", "has more than %d", (int)MODEL_MAX_ROLES);
		return;
	}
	/* iteration takes no const; nothing of v is changed */
	json_object_foreach((json_t *)(uintptr_t)v, project, word) {
		int role = json_is_string(word)
			       ? model_role_parse(json_string_value(word))
			       : -EINVAL;

		if (strcmp(project, MODEL_EVERY_PROJECT) != 0 &&
		    !model_name_is_valid(project))
			model_complain(&in, project, "is no project's name");
		else if (role < 0)
			model_complain(
			    &in, project, "must be viewer, operator or admin");
		else {
			snprintf(t->role[t->n_roles].project, MODEL_NAME_BYTES,
			    "%s", project);
			t->role[t->n_roles++].role = (enum api_role)role;
		}
	}
}

static void
read_expires(struct model_token *t, const struct model_reader *spec)
{
	const char *s;

	if (json_is_null(json_object_get(spec->obj, "expires")))
		return;
	s = model_take_string(spec, "expires", MODEL_TIME_BYTES);
	if (s && !model_time_parse(s, &t->expires))
		model_complain(spec, "expires",
		    "must be a time in UTC, such as 2027-01-31T12:00:00Z");
	else if (s && t->expires <= time(NULL))
		model_complain(spec, "expires", "is over");
}

int
model_token_read(struct model_token *out, const json_t *body,
    const char *own_name, struct problem *p)
{
	static const char *const known[] = { "name", "labels", "spec", "kind",
		NULL };
	static const char *const shown[] = { "name", "labels", "spec", "kind",
		"project", "uid", "generation", "created", "status", NULL };
	static const char *const known_spec[] = { "roles", "expires", NULL };
	unsigned before = p->n_errors;
	struct model_reader in, spec;
	struct model_token t;

	if (!model_reader_begin(&in, body, "", own_name ? shown : known, p))
		return -EINVAL;
	model_token_init(&t);
	model_take_own_name(&in, own_name, t.name);
	model_take_labels(&in, &t.labels);
	if (!json_object_get(body, "spec")) {
		model_complain(&in, "spec", "is missing");
	} else if (model_reader_begin(&spec, json_object_get(body, "spec"),
		       "/spec", known_spec, p)) {
		read_roles(&t, &spec);
		read_expires(&t, &spec);
	}
	if (!t.labels)
		problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	if (!t.labels || p->n_errors != before) {
		model_token_clear(&t);
		return -EINVAL;
	}
	model_token_clear(out);
	*out = t;
	return 0;
}
