/* SPDX-License-Identifier: Apache-2.0 */
/* conf: a line at a time, see conf.h. */
#include "lib/conf.h"

#include "lib/base.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

enum { MAX_LINE = 1024, MAX_KEYS = 64, MAX_WORD = 31, MAX_TYPOS = 2 };

struct reader {
	const char *path;
	unsigned line;
	char section[32];
	bool skip; /* the section belongs to another program */
	const struct conf_key *keys;
	size_t n_keys;
	const char *const *others;
	bool seen[MAX_KEYS];
};

static char *
trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* How many letters to add, take away or change to get from a to b. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[MAX_WORD + 1];
	size_t n = strlen(b);

	if (strlen(a) > MAX_WORD || n > MAX_WORD)
		return MAX_TYPOS + 1;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 0; a[i]; i++) {
		unsigned corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned change = corner + (a[i] != b[j]);
			unsigned one = MIN(row[j], row[j + 1]) + 1;

			corner = row[j + 1];
			row[j + 1] = MIN(change, one);
		}
	}
	return row[n];
}

/* The key that was probably meant; NULL if none is near. */
static const char *
nearest(const struct reader *r, const char *key)
{
	const char *best = NULL;
	unsigned least = MAX_TYPOS + 1;

	for (size_t i = 0; i < r->n_keys; i++) {
		unsigned d = distance(key, r->keys[i].name);

		if (strcmp(r->keys[i].section, r->section) == 0 && d < least) {
			least = d;
			best = r->keys[i].name;
		}
	}
	return best;
}

static int
begin_section(struct reader *r, const char *name, struct err *e)
{
	r->skip = false;
	snprintf(r->section, sizeof(r->section), "%s", name);
	for (size_t i = 0; i < r->n_keys; i++)
		if (strcmp(r->keys[i].section, name) == 0)
			return 0;
	for (const char *const *o = r->others; o && *o; o++) {
		if (strcmp(*o, name) == 0) {
			r->skip = true;
			return 0;
		}
	}
	return err_set(e, -EINVAL,
	    "%s:%u: unknown section [%s]: remove it, or correct its name",
	    r->path, r->line, name);
}

static int
set_uint(const struct reader *r, const struct conf_key *k, const char *value,
    struct err *e)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || v < k->min ||
	    v > k->max)
		return err_set(e, -EINVAL,
		    "%s:%u: %s = %s: want a number from %u to %u", r->path,
		    r->line, k->name, value, k->min, k->max);
	*(unsigned *)k->target = (unsigned)v;
	return 0;
}

static int
set_string(const struct reader *r, const struct conf_key *k, const char *value,
    struct err *e)
{
	const char *want = k->check ? k->check(value) : NULL;

	if (strlen(value) >= k->size)
		return err_set(e, -EINVAL,
		    "%s:%u: %s is longer than %zu bytes: shorten it", r->path,
		    r->line, k->name, k->size - 1);
	if (want)
		return err_set(e, -EINVAL, "%s:%u: %s = %s: want %s", r->path,
		    r->line, k->name, value, want);
	memcpy(k->target, value, strlen(value) + 1);
	return 0;
}

static int
set_value(const struct reader *r, const struct conf_key *k, const char *value,
    struct err *e)
{
	switch (k->kind) {
	case CONF_STRING:
		return set_string(r, k, value, e);
	case CONF_UINT:
		return set_uint(r, k, value, e);
	case CONF_BOOL:
		if (strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
			*(bool *)k->target = true;
		else if (strcmp(value, "no") == 0 ||
			 strcmp(value, "false") == 0)
			*(bool *)k->target = false;
		else
			return err_set(e, -EINVAL,
			    "%s:%u: %s = %s: want yes or no", r->path, r->line,
			    k->name, value);
		return 0;
	}
	return -EINVAL;
}

static int
read_pair(struct reader *r, char *line, struct err *e)
{
	char *eq = strchr(line, '=');
	const char *key, *value, *meant;

	if (!eq)
		return err_set(
		    e, -EINVAL, "%s:%u: want key = value", r->path, r->line);
	*eq = '\0';
	key = trim(line);
	value = trim(eq + 1);
	if (r->skip)
		return 0;
	for (size_t i = 0; i < r->n_keys; i++) {
		const struct conf_key *k = &r->keys[i];

		if (strcmp(k->section, r->section) != 0 ||
		    strcmp(k->name, key) != 0)
			continue;
		if (r->seen[i])
			return err_set(e, -EINVAL,
			    "%s:%u: %s is given twice: remove one", r->path,
			    r->line, key);
		r->seen[i] = true;
		return set_value(r, k, value, e);
	}
	meant = nearest(r, key);
	return err_set(e, -EINVAL, "%s:%u: unknown key %s in [%s]: %s%s",
	    r->path, r->line, key, r->section,
	    meant ? "did you mean " : "remove it; europa.conf(5) has all",
	    meant ? meant : "");
}

int
conf_read(const char *path, const struct conf_key *keys, size_t n,
    const char *const *others, struct err *e)
{
	struct reader r = {
		.path = path, .keys = keys, .n_keys = n, .others = others
	};
	char buf[MAX_LINE];
	FILE *f = fopen(path, "re");
	int rc = 0;

	assert(n <= MAX_KEYS);
	if (!f)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	while (rc == 0 && fgets(buf, sizeof(buf), f)) {
		bool whole = strchr(buf, '\n') || feof(f);
		char *line = trim(buf);
		size_t len = strlen(line);

		r.line++;
		if (!whole) {
			rc = err_set(e, -EINVAL,
			    "%s:%u: line is too long or has a zero byte", path,
			    r.line);
			break;
		}
		if (len == 0 || line[0] == '#')
			continue;
		if (line[0] == '[' && line[len - 1] == ']') {
			line[len - 1] = '\0';
			rc = begin_section(&r, trim(line + 1), e);
		} else {
			rc = read_pair(&r, line, e);
		}
	}
	if (rc == 0 && ferror(f))
		rc = err_set(e, -EIO, "%s: cannot be read", path);
	fclose(f);
	return rc;
}

static int
is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
	       strcmp(d->d_name + n - 5, ".conf") == 0;
}

/* By bytes, whatever the locale says. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
conf_read_all(const char *path, const struct conf_key *keys, size_t n,
    const char *const *others, struct err *e)
{
	char dir[MAX_LINE], file[2 * MAX_LINE];
	struct dirent **list = NULL;
	int count, rc = conf_read(path, keys, n, others, e);

	if (rc < 0)
		return rc;
	snprintf(dir, sizeof(dir), "%s.d", path);
	count = scandir(dir, &list, is_conf, by_name);
	if (count < 0)
		return errno == ENOENT
			   ? 0
			   : err_set(e, -errno, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, list[i]->d_name);
		if (rc == 0)
			rc = conf_read(file, keys, n, others, e);
		free(list[i]);
	}
	free(list);
	return rc;
}
