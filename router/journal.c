/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: see journal.h.
 */
#include "router/journal.h"

#include "lib/log.h"
#include "router/ctl.h"

#include <fcntl.h>

enum {
	KIND_ADD = 'a', /* and 'A', 'D' of IPv6 */
	KIND_DELETE = 'd',
	IS_6 = 'a' - 'A',
	BYTES4 = 4 + 2 * 4,
	BYTES6 = 4 + 2 * 16,
	MAGIC = sizeof(JOURNAL_MAGIC) - 1,
};

/* --- records -------------------------------------------------------------- */

static size_t
encode(const struct route *r, bool add, uint8_t *out)
{
	int kind = add ? KIND_ADD : KIND_DELETE;

	out[0] = (uint8_t)(r->is6 ? kind - IS_6 : kind);
	out[1] = r->len;
	out[2] = r->dev;
	out[3] = 0;
	if (r->is6) {
		ip6_store(out + 4, r->prefix);
		ip6_store(out + 20, r->via);
		return BYTES6;
	}
	store_be32(out + 4, (uint32_t)r->prefix.lo); /* all of it */
	store_be32(out + 8, (uint32_t)r->via.lo);
	return BYTES4;
}

/* Reads what follows the first byte, kind. False: it is none. */
static bool
decode(FILE *in, int kind, struct route *r, bool *add)
{
	uint8_t b[BYTES6];
	uint32_t via;

	r->is6 = kind < 'a';
	r->source = ROUTE_API;
	kind |= IS_6;
	*add = kind == KIND_ADD;
	if ((!*add && kind != KIND_DELETE) ||
	    fread(b + 1, (r->is6 ? BYTES6 : BYTES4) - 1, 1, in) != 1)
		return false;
	r->len = b[1];
	r->dev = b[2];
	if (r->is6) {
		r->prefix = ip6_load(b + 4);
		r->via = ip6_load(b + 20);
	} else {
		via = load_be32(b + 8);
		r->prefix = ip6_of_ip4(load_be32(b + 4));
		r->via = via ? ip6_of_ip4(via) : (struct ip6){ 0, 0 };
	}
	return b[3] == 0 && route_is_valid(r);
}

static int
read_all(struct journal *j, FILE *in,
    int (*fn)(void *arg, struct route *r, bool add), void *arg)
{
	char magic[MAGIC];
	struct route r;
	bool add;
	int rc = 0, kind;

	if (fread(magic, MAGIC, 1, in) != 1 ||
	    memcmp(magic, JOURNAL_MAGIC, MAGIC) != 0)
		return -EBADMSG;
	while (rc >= 0 && (kind = getc(in)) != EOF) {
		if (!decode(in, kind, &r, &add)) {
			log_warn("%s: its end is left out", j->path);
			break;
		}
		rc = fn(arg, &r, add);
	}
	return rc;
}

/* --- life ----------------------------------------------------------------- */

/* Nothing is kept from here on; with the next change all of it is tried again. */
static void
fail(struct journal *j, const char *path)
{
	log_err("%s: %s: routes given at run time end with this process", path,
	    strerror(errno));
	journal_close(j);
	unlink(j->path);
	j->failed = true;
}

static FILE *
begin(const char *path)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out) {
		base_close(fd);
		return NULL;
	}
	if (fwrite(JOURNAL_MAGIC, MAGIC, 1, out) == 1)
		return out;
	fclose(out);
	return NULL;
}

int
journal_open(struct journal *j, const char *conf,
    int (*fn)(void *arg, struct route *r, bool add), void *arg)
{
	const char *slash = strrchr(conf, '/');
	int folder = slash ? (int)(slash - conf) + 1 : 0;
	FILE *in;
	int rc;

	*j = (struct journal){ .file = NULL };
	if (snprintf(j->path, sizeof(j->path), "%.*s" CTL_JOURNAL, folder,
		conf) >= (int)sizeof(j->path))
		return -ENAMETOOLONG;
	snprintf(j->next_path, sizeof(j->next_path), "%s.new", j->path);
	in = fopen(j->path, "re");
	if (in) {
		rc = read_all(j, in, fn, arg);
		fclose(in);
		if (rc < 0)
			log_warn("%s: not read: %s", j->path, strerror(-rc));
		/* what is of use goes into a new one */
		j->rewriting = true;
	}
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j->file)
		fclose(j->file);
	if (j->next) {
		fclose(j->next);
		unlink(j->next_path);
	}
	j->file = j->next = NULL;
	j->rewriting = false;
}

/* --- writing -------------------------------------------------------------- */

void
journal_put(struct journal *j, const struct route *r, bool add)
{
	uint8_t b[BYTES6];
	size_t n = encode(r, add, b);

	if (j->failed) { /* not this change alone */
		j->failed = false;
		journal_rewrite(j);
	}
	if (!j->file && !j->rewriting && j->path[0]) {
		j->file = begin(j->path);
		j->bytes = MAGIC;
		if (!j->file) {
			fail(j, j->path);
			j->path[0] = '\0'; /* said once */
		}
	}
	if (j->file)
		j->bytes += fwrite(b, 1, n, j->file);
	if (j->next)
		j->next_bytes += fwrite(b, 1, n, j->next);
}

void
journal_rewrite(struct journal *j)
{
	journal_close(j);
	j->rewriting = j->path[0] != '\0';
}

static void
finish(struct journal *j)
{
	j->rewriting = false;
	if (fflush(j->next) != 0 || rename(j->next_path, j->path) < 0) {
		fail(j, j->next_path);
		return;
	}
	if (j->file)
		fclose(j->file);
	j->file = j->next;
	j->bytes = j->next_bytes;
	j->next = NULL;
}

static void
rewrite_some(struct journal *j, const struct routes_set *all)
{
	uint8_t b[BYTES6];
	size_t n;

	if (!j->next) {
		j->next = begin(j->next_path);
		if (!j->next) {
			fail(j, j->next_path);
			return;
		}
		j->next_bytes = MAGIC;
		j->at = (struct route){ .len = ROUTES_BEFORE_ALL };
	}
	for (unsigned i = 0; i < JOURNAL_AT_ONCE; i++) {
		if (!routes_set_next(all, &j->at)) {
			if (j->at.is6) {
				finish(j);
				return;
			}
			j->at = (struct route){ .is6 = true,
				.len = ROUTES_BEFORE_ALL };
			continue;
		}
		n = encode(&j->at, true, b);
		j->next_bytes += fwrite(b, 1, n, j->next);
	}
}

void
journal_turn(struct journal *j, const struct routes_set *all)
{
	size_t useful = all->table[0].n * BYTES4 + all->table[1].n * BYTES6;

	if (j->rewriting)
		rewrite_some(j, all);
	if ((j->file && fflush(j->file) != 0) ||
	    (j->next && fflush(j->next) != 0))
		fail(j, j->path);
	else if (j->file && !j->rewriting &&
		 j->bytes > 2 * useful + JOURNAL_SLACK)
		j->rewriting = true;
}
