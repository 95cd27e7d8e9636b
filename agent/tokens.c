/* SPDX-License-Identifier: Apache-2.0 */
/* tokens: who may ask over the network. See tokens.h. */
#include "agent/tokens.h"

#include "agent/node.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>
#include <sys/random.h>

static const char prefix[] = "europa_";

static struct token *
append(struct node *n, struct token *t)
{
	struct token **at = &n->tokens.first;

	pthread_mutex_lock(&n->tokens.lock);
	while (*at)
		at = &(*at)->next;
	*at = t;
	pthread_mutex_unlock(&n->tokens.lock);
	return t;
}

void
token_free(struct token *t)
{
	if (!t)
		return;
	json_decref(t->labels);
	free(t);
}

struct token *
token_by_uid(const struct node *n, const char *uid)
{
	for (struct token *t = n->tokens.first; t; t = t->next)
		if (strcmp(t->uid_text, uid) == 0)
			return t;
	return NULL;
}

struct token *
token_find(const struct node *n, const struct project *p, const char *name)
{
	for (struct token *t = n->tokens.first; t; t = t->next)
		if (t->project == p && strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

unsigned
tokens_count(const struct node *n, const struct project *p)
{
	unsigned i = 0;

	for (const struct token *t = n->tokens.first; t; t = t->next)
		i += t->project == p;
	return i;
}

enum api_role
token_role(const struct token *t, const struct project *p)
{
	enum api_role best = API_ROLE_NONE;

	for (unsigned i = 0; i < t->n_roles; i++) {
		const struct token_role *r = &t->role[i];

		if (r->is_every ||
		    (p && memcmp(r->project, p->uid, UID_BYTES) == 0))
			best = MAX(best, r->role);
	}
	return best;
}

/* The digests are what is compared: how far they agree tells nothing. */
bool
tokens_check(void *arg, const char *secret, char id[UID_TEXT])
{
	struct node *n = arg;
	char hash[SHA256_HEX];
	bool found = false;

	sha256_hex(secret, strlen(secret), hash);
	pthread_mutex_lock(&n->tokens.lock);
	for (struct token *t = n->tokens.first; t && !found; t = t->next) {
		time_t now = time(NULL);

		if (strcmp(t->hash, hash) != 0 ||
		    (t->expires != 0 && t->expires <= now))
			continue;
		memcpy(id, t->uid_text, UID_TEXT);
		t->last_used = now;
		found = true;
	}
	pthread_mutex_unlock(&n->tokens.lock);
	return found;
}

uint64_t
tokens_state(void *arg, const char *id)
{
	struct node *n = arg;
	const struct token *t;
	uint64_t state = 0;

	pthread_mutex_lock(&n->tokens.lock);
	t = token_by_uid(n, id);
	if (t && (t->expires == 0 || t->expires > time(NULL)))
		state = t->state;
	pthread_mutex_unlock(&n->tokens.lock);
	return state;
}

/* --- store ------------------------------------------------------------------- */

static json_t *
body_of(const struct token *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < t->n_roles; i++) {
		char uid[UID_TEXT] = MODEL_EVERY_PROJECT;

		if (!t->role[i].is_every)
			uid_text(t->role[i].project, uid);
		json_array_append_new(
		    list, json_pack("{s:s, s:s}", "project", uid, "role",
			      model_role_text(t->role[i].role)));
	}
	return json_pack("{s:O, s:s, s:I, s:o}", "labels", t->labels, "hash",
	    t->hash, "expires", (json_int_t)t->expires, "roles", list);
}

static int
store(struct node *n, const struct token *t, struct err *e)
{
	json_t *body = body_of(t);
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct store_object row = {
		.uid = t->uid_text,
		.kind = "token",
		.project = t->project->spec.name,
		.name = t->name,
		.generation = t->generation,
		.created = t->created,
		.body = text,
	};

	json_decref(body);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return store_put_object(n->store, &row, e);
}

static bool
read_role(struct token *t, const json_t *v)
{
	const char *uid = json_string_value(json_object_get(v, "project"));
	const char *word = json_string_value(json_object_get(v, "role"));
	struct token_role *r = &t->role[t->n_roles];
	int role = word ? model_role_parse(word) : -EINVAL;

	if (!uid || role < 0)
		return false;
	r->role = (enum api_role)role;
	r->is_every = strcmp(uid, MODEL_EVERY_PROJECT) == 0;
	t->n_roles++;
	return r->is_every || uid_parse(uid, r->project);
}

static bool
read_body(struct token *t, const json_t *body)
{
	const char *hash = json_string_value(json_object_get(body, "hash"));
	const json_t *list = json_object_get(body, "roles");
	bool is_good = hash && strlen(hash) == SHA256_HEX - 1 &&
		       json_array_size(list) <= MODEL_MAX_ROLES;

	t->expires = json_integer_value(json_object_get(body, "expires"));
	t->labels = json_incref(json_object_get(body, "labels"));
	if (is_good)
		memcpy(t->hash, hash, SHA256_HEX);
	for (size_t i = 0; is_good && i < json_array_size(list); i++)
		is_good = read_role(t, json_array_get(list, i));
	return is_good && json_is_object(t->labels);
}

static int
load_one(void *arg, const struct store_object *row)
{
	struct node *n = arg;
	json_t *body = json_loads(row->body, 0, NULL);
	struct token *t = calloc(1, sizeof(*t));
	bool is_good = t && body && strlen(row->uid) == UID_TEXT - 1;

	if (is_good) {
		memcpy(t->uid_text, row->uid, UID_TEXT);
		t->generation = row->generation;
		t->state = 1;
		snprintf(t->name, sizeof(t->name), "%s", row->name);
		snprintf(t->created, sizeof(t->created), "%s", row->created);
		t->project = node_project(n, row->project);
		is_good = t->project && read_body(t, body);
	}
	json_decref(body);
	if (!is_good) {
		log_err("the stored token %s cannot be read", row->name);
		token_free(t);
		return -EINVAL;
	}
	append(n, t);
	return 0;
}

int
tokens_load(struct node *n, struct err *e)
{
	pthread_mutex_init(&n->tokens.lock, NULL);
	return store_each_object(n->store, "token", load_one, n, e);
}

void
tokens_free(struct node *n)
{
	while (n->tokens.first) {
		struct token *t = n->tokens.first;

		n->tokens.first = t->next;
		token_free(t);
	}
}

/* --- making and ending ------------------------------------------------------- */

static int
make_secret(char out[TOKEN_SECRET_BYTES])
{
	uint8_t bytes[32];
	char *at = out + sizeof(prefix) - 1;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	memcpy(out, prefix, sizeof(prefix));
	for (size_t i = 0; i < sizeof(bytes); i++)
		at += sprintf(at, "%02x", bytes[i]);
	return 0;
}

static void
take_roles(const struct node *n, struct token *t, const struct model_token *m)
{
	for (unsigned i = 0; i < m->n_roles; i++) {
		const struct project *p = node_project(n, m->role[i].project);
		struct token_role *r = &t->role[t->n_roles];

		r->is_every =
		    strcmp(m->role[i].project, MODEL_EVERY_PROJECT) == 0;
		if (!r->is_every && !p)
			continue;
		if (p)
			memcpy(r->project, p->uid, UID_BYTES);
		r->role = m->role[i].role;
		t->n_roles++;
	}
}

int
token_make(struct node *n, struct project *p, const struct model_token *m,
    bool is_stored, char secret[TOKEN_SECRET_BYTES], struct token **out,
    struct err *e)
{
	struct token *t = calloc(1, sizeof(*t));
	uint8_t uid[UID_BYTES];
	int rc = t ? uid_make(uid) : -ENOMEM;

	if (rc == 0)
		rc = make_secret(secret);
	if (rc < 0) {
		free(t);
		return err_set(e, rc, "make a token: %s", strerror(-rc));
	}
	uid_text(uid, t->uid_text);
	node_time_text(t->created);
	memcpy(t->name, m->name, sizeof(t->name));
	sha256_hex(secret, strlen(secret), t->hash);
	t->generation = t->state = 1;
	t->expires = m->expires;
	t->project = p;
	t->labels = json_incref(m->labels);
	take_roles(n, t, m);
	rc = is_stored ? store(n, t, e) : 0;
	if (rc < 0) {
		token_free(t);
		return rc;
	}
	*out = is_stored ? append(n, t) : t;
	return 0;
}

void
token_as(const struct node *n, const struct token *t,
    const struct model_token *m, struct token *out)
{
	*out = *t;
	out->n_roles = 0;
	memset(out->role, 0, sizeof(out->role));
	take_roles(n, out, m);
	out->expires = m->expires;
	out->labels = m->labels;
	out->generation++;
}

/* Nothing that a listener thread looks at changes outside of the lock. */
int
token_change(
    struct node *n, struct token *t, const struct model_token *m, struct err *e)
{
	struct token next;
	json_t *old = t->labels;
	int rc;

	token_as(n, t, m, &next);
	rc = store(n, &next, e);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&n->tokens.lock);
	if (next.n_roles != t->n_roles ||
	    memcmp(next.role, t->role, sizeof(t->role)) != 0)
		next.state++;
	next.last_used = t->last_used;
	*t = next;
	json_incref(t->labels);
	pthread_mutex_unlock(&n->tokens.lock);
	json_decref(old);
	return 0;
}

int
token_delete(struct node *n, struct token *t, struct err *e)
{
	struct token **at = &n->tokens.first;
	int rc = store_delete_object(n->store, t->uid_text, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&n->tokens.lock);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	pthread_mutex_unlock(&n->tokens.lock);
	token_free(t);
	return 0;
}

/* --- JSON -------------------------------------------------------------------- */

static json_t *
time_json(int64_t t)
{
	char text[MODEL_TIME_BYTES];

	if (t == 0)
		return json_null();
	model_time_text(t, text, sizeof(text));
	return json_string(text);
}

/* Roles in projects that are gone are not shown, and are none. */
static json_t *
roles_json(const struct node *n, const struct token *t)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < t->n_roles; i++) {
		const struct token_role *r = &t->role[i];
		const struct project *p = n->projects;

		while (p && memcmp(p->uid, r->project, UID_BYTES) != 0)
			p = p->next;
		if (r->is_every || p)
			json_object_set_new(o,
			    r->is_every ? MODEL_EVERY_PROJECT : p->spec.name,
			    json_string(model_role_text(r->role)));
	}
	return o;
}

json_t *
token_json(const struct node *n, const struct token *t)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:O, s:{s:o, s:o},"
			 " s:{s:b, s:o}}",
	    "kind", "Token", "name", t->name, "project", t->project->spec.name,
	    "uid", t->uid_text, "generation", (json_int_t)t->generation,
	    "created", t->created, "labels", t->labels, "spec", "roles",
	    roles_json(n, t), "expires", time_json(t->expires), "status",
	    "expired", t->expires != 0 && t->expires <= time(NULL), "last_used",
	    time_json(t->last_used));
}
