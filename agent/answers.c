/* SPDX-License-Identifier: Apache-2.0 */
/* answers: see answers.h. The list is in order of time, the oldest first. */
#include "agent/answers.h"

#include "agent/durable.h"
#include "lib/base.h"
#include "lib/sha256.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/queue.h>

struct asker {
	LIST_ENTRY(asker) link;
	char who[SHA256_HEX]; /* "": from before it was written */
	unsigned n;           /* entries */
};

struct answers_entry {
	TAILQ_ENTRY(answers_entry) link;
	struct asker *asker;
	char name[SHA256_HEX]; /* of the file: of who and key */
	char digest[SHA256_HEX];
	int64_t time;
	bool under_way; /* there is no file yet */
};

struct answers {
	char dir[DURABLE_PATH];
	unsigned n;
	TAILQ_HEAD(entry_list, answers_entry) list;
	LIST_HEAD(asker_list, asker) askers; /* who has entries */
};

static void
unlink_file(const struct answers *a, const char *name)
{
	scoped_close int d = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (d >= 0)
		unlinkat(d, name, 0);
}

static struct asker *
asker_of(const struct answers *a, const char *who)
{
	struct asker *k;

	LIST_FOREACH(k, &a->askers, link)
	if (strcmp(k->who, who) == 0)
		return k;
	return NULL;
}

/* Returns NULL without memory. */
static struct answers_entry *
entry_new(struct answers *a, const char *who)
{
	struct answers_entry *x = calloc(1, sizeof(*x));
	struct asker *k = asker_of(a, who);

	if (x && !k && (k = calloc(1, sizeof(*k))) != NULL) {
		snprintf(k->who, sizeof(k->who), "%s", who);
		LIST_INSERT_HEAD(&a->askers, k, link);
	}
	if (!x || !k) {
		free(x);
		return NULL;
	}
	x->asker = k;
	k->n++;
	return x;
}

static void
entry_free(struct answers_entry *x)
{
	if (--x->asker->n == 0) {
		LIST_REMOVE(x->asker, link);
		free(x->asker);
	}
	free(x);
}

/* Takes x out of the list, and its file from the disk. */
static void
forget(struct answers *a, struct answers_entry *x)
{
	if (!x->under_way)
		unlink_file(a, x->name);
	TAILQ_REMOVE(&a->list, x, link);
	a->n--;
	entry_free(x);
}

static void
insert(struct answers *a, struct answers_entry *x)
{
	struct answers_entry *before = TAILQ_LAST(&a->list, entry_list);

	while (before && before->time > x->time)
		before = TAILQ_PREV(before, entry_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&a->list, before, x, link);
	else
		TAILQ_INSERT_HEAD(&a->list, x, link);
	a->n++;
}

static json_t *
read_file(const struct answers *a, const char *name)
{
	size_t n;
	scoped_free char *text =
	    durable_read(a->dir, name, ANSWERS_FILE_BYTES, &n);

	return text ? json_loadb(text, n, 0, NULL) : NULL;
}

static int
load(struct answers *a, const char *name)
{
	json_t *o = read_file(a, name);
	const char *digest = json_string_value(json_object_get(o, "digest"));
	const char *who = json_string_value(json_object_get(o, "who"));
	struct answers_entry *x = NULL;

	if (digest && strlen(digest) == sizeof(x->digest) - 1 &&
	    json_is_string(json_object_get(o, "body")))
		x = entry_new(a, who ? who : "");
	if (!x) {
		json_decref(o);
		return -EINVAL;
	}
	memcpy(x->digest, digest, sizeof(x->digest));
	memcpy(x->name, name, sizeof(x->name));
	x->time = json_integer_value(json_object_get(o, "time"));
	insert(a, x);
	json_decref(o);
	return 0;
}

/*
 * The one to go for another one: the oldest of k, or, k NULL, of whoever has
 * most. NULL: all are under way.
 */
static struct answers_entry *
to_go(const struct answers *a, const struct asker *k)
{
	struct answers_entry *x, *out = NULL;

	TAILQ_FOREACH(x, &a->list, link) {
		if (x->under_way || (k && x->asker != k))
			continue;
		if (!out || x->asker->n > out->asker->n)
			out = x;
	}
	return out;
}

/* Room for one more of who asks; false: there is none. */
static bool
make_room(struct answers *a, const char *who)
{
	const struct asker *k = asker_of(a, who);
	bool has_all = k && k->n >= ANSWERS_OF_ONE;
	struct answers_entry *x;

	if (!has_all && a->n < ANSWERS_MAX)
		return true;
	x = to_go(a, has_all ? k : NULL);
	if (x)
		forget(a, x);
	return x;
}

/* What is too old goes. */
static void
expire(struct answers *a, int64_t now)
{
	struct answers_entry *x = TAILQ_FIRST(&a->list), *next;

	for (; x && x->time + ANSWERS_KEEP_S <= now; x = next) {
		next = TAILQ_NEXT(x, link);
		if (!x->under_way)
			forget(a, x);
	}
}

int
answers_open(const char *dir, int64_t now, struct answers **out, struct err *e)
{
	struct answers *a = calloc(1, sizeof(*a));
	const struct dirent *entry;
	struct answers_entry *x;
	DIR *d;
	int rc;

	if (!a)
		return err_set(e, -ENOMEM, "out of memory");
	TAILQ_INIT(&a->list);
	LIST_INIT(&a->askers);
	snprintf(a->dir, sizeof(a->dir), "%s", dir);
	rc = durable_folder(dir, e);
	if (rc < 0) {
		free(a);
		return rc;
	}
	d = opendir(dir);
	while (d && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (strlen(entry->d_name) != SHA256_HEX - 1 ||
		    load(a, entry->d_name) < 0)
			unlink_file(a, entry->d_name);
	}
	if (d)
		closedir(d);
	expire(a, now);
	while (a->n > ANSWERS_MAX && (x = to_go(a, NULL)) != NULL)
		forget(a, x);
	*out = a;
	return 0;
}

void
answers_close(struct answers *a)
{
	struct answers_entry *x;

	if (!a)
		return;
	while ((x = TAILQ_FIRST(&a->list)) != NULL) {
		TAILQ_REMOVE(&a->list, x, link);
		entry_free(x);
	}
	free(a);
}

static struct answers_entry *
find(const struct answers *a, const char *name)
{
	struct answers_entry *x;

	TAILQ_FOREACH(x, &a->list, link)
		if (memcmp(x->name, name, sizeof(x->name)) == 0)
			return x;
	return NULL;
}

enum answers_what
answers_begin(struct answers *a, const char *who, const char *key,
    const char *digest, int64_t now, struct answers_entry **out)
{
	char both[1024], name[SHA256_HEX], asker[SHA256_HEX];
	int n = snprintf(both, sizeof(both), "%s\n%s", who, key);
	struct answers_entry *x;

	if (n < 0 || (size_t)n >= sizeof(both))
		return ANSWERS_FULL;
	sha256_hex(both, (size_t)n, name);
	sha256_hex(who, strlen(who), asker);
	expire(a, now);
	x = find(a, name);
	*out = x;
	if (x && strcmp(x->digest, digest) != 0)
		return ANSWERS_OTHER;
	if (x)
		return x->under_way ? ANSWERS_UNDER_WAY : ANSWERS_KNOWN;
	x = make_room(a, asker) ? entry_new(a, asker) : NULL;
	if (!x)
		return ANSWERS_FULL;
	memcpy(x->name, name, sizeof(name));
	snprintf(x->digest, sizeof(x->digest), "%s", digest);
	x->time = now;
	x->under_way = true;
	insert(a, x);
	*out = x;
	return ANSWERS_NEW;
}

int
answers_keep(struct answers *a, struct answers_entry *x,
    const struct api_answer *answer, struct err *e)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:i, s:s, s:s%, s:s?, s:s?}",
	    "digest", x->digest, "who", x->asker->who, "time",
	    (json_int_t)x->time, "status", answer->status, "type",
	    answer->media_type, "body", answer->text ? answer->text : "",
	    answer->n, "etag", answer->etag, "location", answer->location);
	scoped_free char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;
	int rc;

	json_decref(o);
	if (!text)
		rc = err_set(e, -ENOMEM, "out of memory");
	else if (n > ANSWERS_FILE_BYTES)
		rc = err_set(e, -EFBIG, "an answer of %zu bytes", n);
	else
		rc = durable_write(a->dir, x->name, text, n, e);
	if (rc < 0)
		forget(a, x);
	else
		x->under_way = false;
	return rc;
}

void
answers_drop(struct answers *a, struct answers_entry *x)
{
	forget(a, x);
}

json_t *
answers_read(struct answers *a, struct answers_entry *x)
{
	json_t *o = read_file(a, x->name);

	if (!o)
		forget(a, x);
	return o;
}
