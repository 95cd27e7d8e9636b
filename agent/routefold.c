/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routefold: see routefold.h. Who comes second frees: the thread, if nobody asks
 * any more when it ends, else who asks.
 */
#include "agent/routefold.h"

#include "lib/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { WORKS, ENDED, DROPPED };

struct routefold {
	_Atomic(int) state;
	int from, to;
	size_t n_from, n_to;
	int rc;
};

/* A line, known by its prefix; of equal ones the last counts. */
struct line {
	const char *text;
	unsigned n;     /* bytes, its end included */
	unsigned at, k; /* of the prefix */
};

static int
by_prefix(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int d = memcmp(x->text + x->at, y->text + y->at, MIN(x->k, y->k));

	if (d == 0)
		d = (x->k > y->k) - (x->k < y->k);
	return d ? d : (x->text > y->text) - (x->text < y->text);
}

/* Routes alone: neither "then" nor where a change begins. */
static size_t
cut(const char *text, size_t n, struct line *out)
{
	const char *end = text + n;
	size_t count = 0;

	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		struct line l = { .text = text };
		const char *space;

		if (!eol)
			break;
		l.n = (unsigned)(eol - text) + 1;
		space = *text == '#' ? NULL : memchr(text, ' ', l.n);
		if (space) {
			l.at = (unsigned)(space - text) + 1;
			while (l.at + l.k < l.n - 1 && text[l.at + l.k] != ' ')
				l.k++;
			out[count++] = l;
		}
		text = eol + 1;
	}
	return count;
}

static size_t
count_lines(const char *text, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static int
write_folded(FILE *out, const struct line *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &line[i];

		if (i + 1 < n && l[0].k == l[1].k &&
		    memcmp(l[0].text + l[0].at, l[1].text + l[1].at, l->k) == 0)
			continue; /* a later one counts */
		if (l->text[0] == 'a')
			fwrite(l->text, 1, l->n, out);
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -errno;
}

static int
fold_text(int to, const char *text, size_t n)
{
	struct line *line = calloc(count_lines(text, n) + 1, sizeof(*line));
	int fd = line ? dup(to) : -1;
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int rc = out ? 0 : -ENOMEM;

	if (rc == 0) {
		size_t count = cut(text, n, line);

		qsort(line, count, sizeof(*line), by_prefix);
		rc = write_folded(out, line, count);
		fclose(out);
	} else {
		base_close(fd);
	}
	free(line);
	return rc;
}

static int
fold(struct routefold *w)
{
	void *text = mmap(NULL, w->n_from, PROT_READ, MAP_SHARED, w->from, 0);
	struct stat st;
	int rc;

	if (text == MAP_FAILED)
		return -errno;
	rc = fold_text(w->to, text, w->n_from);
	munmap(text, w->n_from);
	if (rc == 0 && (fdatasync(w->to) < 0 || fstat(w->to, &st) < 0))
		rc = -errno;
	if (rc == 0)
		w->n_to = (size_t)st.st_size;
	return rc;
}

static void
forget(struct routefold *w)
{
	base_close(w->from);
	base_close(w->to);
	free(w);
}

static void *
run(void *arg)
{
	struct routefold *w = arg;

	w->rc = fold(w);
	/* release: the result; acquire: whoever dropped it is done with it */
	if (atomic_exchange_explicit(&w->state, ENDED, memory_order_acq_rel) ==
	    DROPPED)
		forget(w);
	return NULL;
}

static int
begin(struct routefold *w)
{
	sigset_t all, before;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&t, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_detach(t);
	return -rc;
}

struct routefold *
routefold_begin(const char *dir, int from, size_t n)
{
	struct routefold *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->n_from = n;
	w->from = fcntl(from, F_DUPFD_CLOEXEC, 0);
	w->to = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (w->from >= 0 && w->to >= 0 && begin(w) == 0)
		return w;
	forget(w);
	return NULL;
}

int
routefold_end(struct routefold *w, int *fd, size_t *n)
{
	int rc;

	/* acquire: pairs with run() */
	if (atomic_load_explicit(&w->state, memory_order_acquire) == WORKS)
		return -EAGAIN;
	rc = w->rc;
	if (rc == 0) {
		*fd = w->to;
		*n = w->n_to;
		w->to = -1;
	}
	forget(w);
	return rc;
}

void
routefold_drop(struct routefold *w)
{
	/* as in run() */
	if (w && atomic_exchange_explicit(
		     &w->state, DROPPED, memory_order_acq_rel) == ENDED)
		forget(w);
}
