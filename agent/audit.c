/* SPDX-License-Identifier: Apache-2.0 */
/* audit: see audit.h. Also GET /v1/audit, which pages from the newest back. */
#include "agent/audit.h"

#include "agent/access.h"
#include "agent/ops.h"
#include "api/list.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

enum { DEFAULT_LIMIT = 100, MAX_LIMIT = 1000 };

static json_t *
who_json(const struct node *n, const struct api_request *rq)
{
	const struct token *t = token_by_uid(n, api_token(rq));

	if (*api_token(rq) == '\0')
		return json_pack("{s:I}", "uid", (json_int_t)api_uid(rq));
	return json_pack(
	    "{s:s, s:s?}", "token", api_token(rq), "name", t ? t->name : NULL);
}

/* What is made by a POST has its name in the body. */
static const char *
name_in_body(const struct api_request *rq)
{
	return json_string_value(json_object_get(api_body(rq), "name"));
}

struct entry {
	struct node *n;
	json_t *who; /* as it was when it asked: a token may delete itself */
	char project_uid[UID_TEXT]; /* "": there was none of its name */
};

enum { OLD_NAME_BYTES = MODEL_NAME_BYTES + UID_TEXT + 4 };

static void
old_name(const char *name, const char *uid, char out[OLD_NAME_BYTES])
{
	snprintf(out, OLD_NAME_BYTES, "%s (%s)", name, uid);
}

/* Of its name, or of one that had it when it was asked. */
static const char *
project_of(const struct entry *x, const struct api_request *rq,
    char buf[OLD_NAME_BYTES])
{
	const char *name = api_project(rq);
	const struct project *p = name ? node_project(x->n, name) : NULL;

	if (!name)
		return "";
	if (p && strcmp(p->uid_text, x->project_uid) == 0)
		return name;
	old_name(name, *x->project_uid ? x->project_uid : "none", buf);
	return buf;
}

int
audit_forget(struct node *n, const struct project *p, struct err *e)
{
	char now[OLD_NAME_BYTES];

	old_name(p->spec.name, p->uid_text, now);
	return store_rename_audit(n->store, p->spec.name, now, e);
}

int
audit_forget_name(struct node *n, const char *name, struct err *e)
{
	char now[OLD_NAME_BYTES];

	old_name(name, "before", now);
	return store_rename_audit(n->store, name, now, e);
}

/* Context: the loop, as every answer of an operation. */
static void
answered(void *arg, const struct api_request *rq, int status)
{
	struct entry *x = arg;
	char project[OLD_NAME_BYTES];
	const char *name = name_in_body(rq);
	json_t *body = json_pack("{s:O, s:s, s:s, s:i, s:s}", "who", x->who,
	    "method", api_method(rq), "path", api_path(rq), "status", status,
	    "request_id", api_request_id(rq));
	scoped_free char *text = NULL;
	char time_text[32];
	struct err e = { 0 };
	struct store_audit row = {
		.time = time_text,
		.project = project_of(x, rq, project),
		.is_refused = status >= 400,
	};

	if (name)
		json_object_set_new(body, "name", json_string(name));
	text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	node_time_text(time_text);
	row.body = text;
	if (!text ||
	    store_add_audit(x->n->store, &row,
		row.is_refused ? AUDIT_KEPT_REFUSED : AUDIT_KEPT, &e) < 0)
		log_err("a change is not in the audit trail: %s %s status=%d: "
			"%s",
		    api_method(rq), api_path(rq), status,
		    text ? e.msg : "out of memory");
	json_decref(x->who);
	free(x);
}

void
audit_begin(struct node *n, struct api_request *rq)
{
	const struct project *p = op_project(n, rq);
	struct entry *x;

	if (!api_is_change(rq))
		return;
	x = malloc(sizeof(*x));
	if (!x) {
		log_err("no memory for the audit trail");
		return;
	}
	*x = (struct entry){ .n = n, .who = who_json(n, rq) };
	if (p)
		memcpy(x->project_uid, p->uid_text, UID_TEXT);
	api_on_result(rq, answered, x);
}

/* --- GET /v1/audit ----------------------------------------------------------- */

struct page {
	json_t *items;
	int64_t last;
};

static int
add_item(void *arg, const struct store_audit *row)
{
	struct page *page = arg;
	json_t *o = json_loads(row->body, 0, NULL);

	if (!o)
		return -EINVAL;
	json_object_set_new(o, "id", json_integer(row->id));
	json_object_set_new(o, "time", json_string(row->time));
	json_object_set_new(o, "project",
	    *row->project ? json_string(row->project) : json_null());
	json_array_append_new(page->items, o);
	page->last = row->id;
	return 0;
}

/* A whole number from 1 to max; false: the request is answered. */
static bool
read_number(struct api_request *rq, const char *key, int64_t max, int64_t *out)
{
	const char *s = api_query(rq, key);
	struct problem p;

	if (!s)
		return true;
	if (*s != '\0' && strlen(s) < 19 &&
	    strspn(s, "0123456789") == strlen(s)) {
		*out = strtoll(s, NULL, 10);
		if (*out >= 1 && *out <= max)
			return true;
	}
	problem_init(&p);
	problem_set(&p, 400, "bad-query",
	    "leave it out, or take cursor from next",
	    "%s is no number that is possible here", key);
	op_problem(rq, &p);
	return false;
}

/* The pages are the database's; what is left of ?fields= is the list's. */
static void
reply(struct api_request *rq, const struct page *page, int64_t limit)
{
	const char *fields = api_query(rq, "fields");
	json_t *query = fields ? json_pack("{s:s}", "fields", fields) : NULL;
	bool has_more = json_array_size(page->items) == (size_t)limit;
	struct problem p;
	char text[24];
	json_t *o;

	problem_init(&p);
	o = list_page(page->items, query, "id", false, &p);
	json_decref(query);
	if (!o) {
		op_problem(rq, &p);
		return;
	}
	snprintf(text, sizeof(text), "%lld", (long long)page->last);
	json_object_set_new(
	    o, "next", has_more ? json_string(text) : json_null());
	api_reply(rq, 200, o, NULL, NULL);
}

/* Without a project everything; that is the node's admin to see. */
void
op_audit_list(struct node *n, struct api_request *rq)
{
	struct page page = { .items = NULL };
	int64_t limit = DEFAULT_LIMIT, before = INT64_MAX;
	bool is_all = !api_query(rq, "project") &&
		      access_role(n, rq, NULL) == API_ROLE_ADMIN;
	struct err e;
	int rc;

	if (!read_number(rq, "limit", MAX_LIMIT, &limit) ||
	    !read_number(rq, "cursor", INT64_MAX, &before))
		return;
	page.items = json_array();
	rc = store_each_audit(n->store, is_all ? NULL : api_project(rq), before,
	    (unsigned)limit, add_item, &page, &e);
	if (rc < 0) {
		json_decref(page.items);
		op_store_failed(rq, rc, &e);
		return;
	}
	reply(rq, &page, limit);
}
