/* SPDX-License-Identifier: Apache-2.0 */
/* pipelines: see pipelines.h. A change is made to a copy, written, and kept. */
#include "agent/pipelines.h"

#include "api/problem.h"
#include "lib/base.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { LIST_BYTES = 64 << 10 };

static const char *const states[] = {
	[PIPELINE_RUNNING] = "running",
	[PIPELINE_REPLACED] = "replaced",
	[PIPELINE_FAILED] = "failed",
};

/* --- the list as JSON ----------------------------------------------------- */

json_t *
pipelines_json(const struct pipeline_revision *v)
{
	return json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:s}", "revision",
	    (json_int_t)v->number, "state", states[v->state], "previous",
	    (json_int_t)v->previous, "digest", v->digest, "author", v->author,
	    "time", v->time, "report", v->report);
}

static bool
take_text(const json_t *o, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && (size_t)snprintf(out, size, "%s", s) < size;
}

static bool
take_number(const json_t *o, const char *key, unsigned *out)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_integer_value(v);

	*out = (unsigned)n;
	return json_is_integer(v) && n >= 0 && n <= INT_MAX;
}

static bool
take_revision(const json_t *o, struct pipeline_revision *v)
{
	const char *s = json_string_value(json_object_get(o, "state"));
	unsigned state = 0;

	while (s && state < ARRAY_SIZE(states) && strcmp(s, states[state]) != 0)
		state++;
	if (!s || state == ARRAY_SIZE(states))
		return false;
	v->state = (enum pipeline_state)state;
	return take_number(o, "revision", &v->number) &&
	       take_number(o, "previous", &v->previous) &&
	       take_text(o, "digest", v->digest, sizeof(v->digest)) &&
	       take_text(o, "author", v->author, sizeof(v->author)) &&
	       take_text(o, "time", v->time, sizeof(v->time)) &&
	       take_text(o, "report", v->report, sizeof(v->report));
}

static bool
take_list(struct pipelines *p, const json_t *o)
{
	const json_t *list = json_object_get(o, "revisions");

	p->n = (unsigned)json_array_size(list);
	if (!take_number(o, "next", &p->next) ||
	    !take_number(o, "wanted", &p->wanted) || p->n > PIPELINES_KEPT)
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (!take_revision(json_array_get(list, i), &p->list[i]))
			return false;
	return p->wanted == 0 || pipelines_find(p, p->wanted);
}

int
pipelines_open(struct pipelines *p, const char *dir, struct err *e)
{
	scoped_free char *text = NULL;
	char path[DURABLE_PATH + 16];
	struct stat st;
	size_t n = 0;
	json_t *o;
	bool ok;

	*p = (struct pipelines){ .next = 1 };
	snprintf(p->dir, sizeof(p->dir), "%s/pipelines", dir);
	text = durable_read(p->dir, "list.json", LIST_BYTES, &n);
	snprintf(path, sizeof(path), "%s/list.json", p->dir);
	if (!text && stat(path, &st) < 0 && errno == ENOENT)
		return 0;
	o = text ? json_loadb(text, n, 0, NULL) : NULL;
	ok = o && take_list(p, o);
	json_decref(o);
	if (ok)
		return 0;
	*p = (struct pipelines){ .next = 1 };
	return err_set(e, -EBADMSG, "%s makes no sense", path);
}

static int
save(const struct pipelines *p, struct err *e)
{
	json_t *list = json_array();
	scoped_free char *text = NULL;
	json_t *o;

	for (unsigned i = 0; i < p->n; i++)
		json_array_append_new(list, pipelines_json(&p->list[i]));
	o = json_pack("{s:I, s:I, s:o}", "next", (json_int_t)p->next, "wanted",
	    (json_int_t)p->wanted, "revisions", list);
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return durable_write(p->dir, "list.json", text, strlen(text), e);
}

/* --- questions ------------------------------------------------------------ */

const struct pipeline_revision *
pipelines_find(const struct pipelines *p, unsigned number)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->list[i].number == number)
			return &p->list[i];
	return NULL;
}

const struct pipeline_revision *
pipelines_find_digest(const struct pipelines *p, const char *digest)
{
	for (unsigned i = p->n; i-- > 0;)
		if (strcmp(p->list[i].digest, digest) == 0)
			return &p->list[i];
	return NULL;
}

static void
text_name(unsigned number, char out[32])
{
	snprintf(out, 32, "%u.lua", number);
}

char *
pipelines_text(const struct pipelines *p, unsigned number, size_t *n)
{
	char name[32];

	text_name(number, name);
	return durable_read(p->dir, name, PIPELINES_MAX_TEXT, n);
}

/* --- changes -------------------------------------------------------------- */

/* The list where next is wanted; who was is now state. */
static void
change_wanted(struct pipelines *p, unsigned next, enum pipeline_state state)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct pipeline_revision *v = &p->list[i];

		if (v->number == p->wanted)
			v->state = state;
		if (v->number == next) {
			v->state = PIPELINE_RUNNING;
			v->previous = p->wanted;
		}
	}
	p->wanted = next;
}

/* The oldest that is not wanted makes room. Returns its number, or 0. */
static unsigned
forget_one(struct pipelines *p)
{
	unsigned i = 0, number;

	if (p->n < PIPELINES_KEPT)
		return 0;
	if (p->list[0].number == p->wanted)
		i = 1;
	number = p->list[i].number;
	memmove(
	    &p->list[i], &p->list[i + 1], (p->n - i - 1) * sizeof(p->list[0]));
	p->n--;
	return number;
}

static void
remove_text(const struct pipelines *p, unsigned number)
{
	char path[DURABLE_PATH + 32], name[32];

	text_name(number, name);
	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	unlink(path);
}

static int
make_folders(const struct pipelines *p, struct err *e)
{
	char parent[DURABLE_PATH];
	int rc;

	snprintf(parent, sizeof(parent), "%.*s",
	    (int)(strrchr(p->dir, '/') - p->dir), p->dir);
	rc = durable_folder(parent, e);
	return rc < 0 ? rc : durable_folder(p->dir, e);
}

int
pipelines_add(struct pipelines *p, struct pipeline_revision *v,
    const char *text, size_t n, struct err *e)
{
	struct pipelines now = *p;
	unsigned gone = forget_one(&now);
	char name[32];
	int rc = make_folders(p, e);

	v->number = now.next++;
	text_name(v->number, name);
	now.list[now.n++] = *v;
	change_wanted(&now, v->number, PIPELINE_REPLACED);
	if (rc == 0)
		rc = durable_write(p->dir, name, text, n, e);
	if (rc == 0)
		rc = save(&now, e);
	if (rc < 0) {
		remove_text(p, v->number);
		return rc;
	}
	if (gone != 0)
		remove_text(p, gone);
	*p = now;
	*v = now.list[now.n - 1];
	return 0;
}

int
pipelines_want(struct pipelines *p, unsigned number, struct err *e)
{
	struct pipelines now = *p;
	int rc;

	if (number != 0 && !pipelines_find(p, number))
		return err_set(e, -ENOENT, "no revision %u", number);
	if (number == p->wanted)
		return 0;
	change_wanted(&now, number, PIPELINE_REPLACED);
	rc = save(&now, e);
	if (rc == 0)
		*p = now;
	return rc;
}

int
pipelines_fail(
    struct pipelines *p, const char *why, unsigned number, struct err *e)
{
	struct pipelines now = *p;
	int rc;

	if (p->wanted == 0)
		return 0;
	for (unsigned i = 0; i < now.n; i++) {
		char *report = now.list[i].report;

		if (now.list[i].number != p->wanted)
			continue;
		snprintf(report, sizeof(now.list[i].report), "%s", why);
		problem_clean_text(report); /* a cut may leave half a letter */
	}
	change_wanted(
	    &now, pipelines_find(p, number) ? number : 0, PIPELINE_FAILED);
	rc = save(&now, e);
	if (rc == 0)
		*p = now;
	return rc;
}
