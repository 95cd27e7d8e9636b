/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_store: runs of leaves and groups of lines. Both are taken from a list of
 * free ones of the very length, or from the end.
 */
#include "router/fib_store.h"

#include "lib/base.h"

#include <sys/mman.h>

enum {
	HUGE_BYTES = 2 << 20,
	PAGE_ENTRIES = 512,
	SPARE_LEAVES = 1 << 16, /* not touched before they are needed */
	SPARE_LINES = 1 << 12,
	FIRST_LINES = 64,
	MAX_ITEMS = 1 << 28, /* twice 4 or 8 of them: 31 bits */
	BEHIND = 4,          /* bytes that a gather of the last leaf reads */
	KIND_LINES = 1,      /* in a stack: base << 8 | length << 1 | kind */
};

/* --- memory --------------------------------------------------------------- */

static size_t
round_up(size_t bytes, bool huge)
{
	size_t unit = huge ? HUGE_BYTES : PAGE_ENTRIES * sizeof(uint64_t);

	return (bytes + unit - 1) / unit * unit;
}

void *
fib_map(size_t bytes, bool huge)
{
	size_t want = round_up(bytes, huge), extra = huge ? HUGE_BYTES : 0;
	char *p = mmap(NULL, want + extra, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	if (!huge) {
		/* pages that are not touched are to stay away */
		(void)madvise(p, want, MADV_NOHUGEPAGE);
		return p;
	}
	before = -(uintptr_t)p % HUGE_BYTES;
	if (before > 0)
		munmap(p, before);
	if (before < extra)
		munmap(p + before + want, extra - before);
	(void)madvise(p + before, want, MADV_HUGEPAGE);
	return p + before;
}

void
fib_unmap(void *p, size_t bytes)
{
	/* the length is rounded up to pages by the kernel */
	if (p)
		munmap(p, bytes);
}

/* An array of entries as memory. */
static void *
plain(VNIC_ATOMIC(uint64_t) * p)
{
	return (void *)(uintptr_t)p;
}

static bool
push(struct fib_stack *k, uint64_t item)
{
	if (k->n == k->max) {
		size_t max = k->max ? k->max * 2 : 64;
		void *p = reallocarray(k->item, max, sizeof(*k->item));

		if (!p)
			return false;
		k->item = p;
		k->max = max;
	}
	k->item[k->n++] = item;
	return true;
}

static size_t
leaves_of_values(const struct fib_store *s)
{
	return s->f->wide ? FIB_WIDE : FIB_NARROW;
}

/* How many leaves the number of the first line takes. */
static uint32_t
head_leaves(const struct fib_store *s)
{
	return (uint32_t)sizeof(uint32_t) >> s->f->wide;
}

static void
set_leaf(struct fib_store *s, uint32_t at, uint32_t value)
{
	uint8_t *p = s->f->leaf + ((size_t)at << s->f->wide);
	uint16_t v = (uint16_t)value;

	if (s->f->wide)
		memcpy(p, &v, sizeof(v));
	else
		*p = (uint8_t)value;
}

/* --- life ----------------------------------------------------------------- */

int
fib_store_init(struct fib_store *s, struct fib *f, bool wide, bool is_big)
{
	*s = (struct fib_store){ .f = f };
	f->wide = wide;
	f->root = fib_map(FIB_ROOT_ENTRIES * sizeof(*f->root), is_big);
	if (!wide)
		s->value_of = fib_map(FIB_WIDE, false);
	s->max_leaves = (uint32_t)leaves_of_values(s) * 2;
	f->leaf = malloc((size_t)s->max_leaves << wide);
	if (!f->root || !f->leaf || (!wide && !s->value_of))
		return -ENOMEM;
	s->n_leaves = (uint32_t)leaves_of_values(s);
	for (uint32_t v = 0; v < s->n_leaves; v++)
		set_leaf(s, v, v);
	return 0;
}

void
fib_store_destroy(struct fib_store *s)
{
	struct fib *f = s->f;

	if (!f)
		return;
	for (unsigned i = 0; i <= FIB_MAX_RUN; i++)
		free(s->free_run[i].item);
	for (unsigned i = 0; i <= FIB_SLOTS; i++)
		free(s->free_lines[i].item);
	free(s->retired.item);
	free(s->sealed.item);
	fib_unmap(s->value_of, FIB_WIDE);
	fib_unmap(plain(f->root), FIB_ROOT_ENTRIES * sizeof(*f->root));
	if (s->leaf_bytes > 0)
		fib_unmap(f->leaf, s->leaf_bytes);
	else
		free(f->leaf);
	if (s->line_bytes > 0)
		fib_unmap(plain(f->line), s->line_bytes);
	else
		free(plain(f->line));
}

size_t
fib_store_bytes(const struct fib_store *s)
{
	size_t pages = 0;

	for (size_t i = 0; i < ARRAY_SIZE(s->root_page); i++)
		pages += s->root_page[i];
	return sizeof(*s->f) + pages * PAGE_ENTRIES * sizeof(*s->f->root) +
	       ((size_t)s->n_leaves << s->f->wide) +
	       (size_t)s->n_lines * FIB_LINE * sizeof(*s->f->line);
}

/* Moves n bytes at p to a mapping of at least bytes; *mapped: its size. */
static void *
move(void *p, size_t n, size_t bytes, size_t *mapped)
{
	bool huge = bytes >= HUGE_BYTES / 2;
	void *to = fib_map(bytes, huge);

	if (!to)
		return NULL;
	if (n > 0)
		memcpy(to, p, n);
	free(p);
	*mapped = round_up(bytes, huge);
	return to;
}

int
fib_settle(struct fib_store *s)
{
	struct fib *f = s->f;
	size_t line = FIB_LINE * sizeof(*f->line);
	uint32_t leaves = s->n_leaves + s->n_leaves / 4 + SPARE_LEAVES;
	uint32_t lines = s->n_lines + s->n_lines / 4 + SPARE_LINES;
	void *to = move(
	    plain(f->line), s->n_lines * line, lines * line, &s->line_bytes);

	if (!to)
		return -ENOMEM;
	f->line = to;
	to = move(f->leaf, (size_t)s->n_leaves << f->wide,
	    ((size_t)leaves << f->wide) + BEHIND, &s->leaf_bytes);
	if (!to)
		return -ENOMEM;
	f->leaf = to;
	s->max_leaves = leaves;
	s->max_lines = lines;
	return 0;
}

/* --- runs and groups ------------------------------------------------------ */

static bool
is_settled(const struct fib_store *s)
{
	return s->leaf_bytes > 0;
}

/* Room for n more in an array that is still private. */
static int
grow(void **array, uint32_t *max, uint64_t want, size_t size)
{
	uint64_t n = *max ? *max : FIRST_LINES;
	void *p;

	if (want <= *max)
		return 0;
	if (want > MAX_ITEMS)
		return -ENOMEM;
	while (n < want)
		n *= 2;
	p = reallocarray(*array, n, size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*max = (uint32_t)n;
	return 0;
}

/* n of a list of free ones; the rest of a longer one when all else is used up. */
static bool
reuse(struct fib_stack *list, uint32_t n, uint32_t longest, uint32_t *out)
{
	for (uint32_t k = n; k <= longest; k++) {
		if (list[k].n == 0)
			continue;
		*out = (uint32_t)list[k].item[--list[k].n];
		if (k > n)
			(void)push(&list[k - n], *out + n);
		return true;
	}
	return false;
}

static int
new_run(struct fib_store *s, uint32_t n, uint32_t *out)
{
	uint64_t want = (uint64_t)s->n_leaves + n;
	void *p = s->f->leaf;
	int rc = 0;

	if (reuse(s->free_run, n, n, out))
		return 0;
	if (!is_settled(s)) {
		rc = grow(&p, &s->max_leaves, want, (size_t)1 << s->f->wide);
		s->f->leaf = p;
	} else if (want > s->max_leaves) {
		return reuse(s->free_run, n, FIB_MAX_RUN, out) ? 0 : -ENOSPC;
	}
	if (rc < 0)
		return rc;
	*out = s->n_leaves;
	s->n_leaves += n;
	return 0;
}

int
fib_new_lines(struct fib_store *s, unsigned n, uint32_t *out)
{
	uint64_t want = (uint64_t)s->n_lines + n;
	void *p = plain(s->f->line);
	int rc = 0;

	if (reuse(s->free_lines, n, n, out))
		return 0;
	if (!is_settled(s)) {
		rc = grow(
		    &p, &s->max_lines, want, FIB_LINE * sizeof(*s->f->line));
		s->f->line = p;
	} else if (want > s->max_lines) {
		return reuse(s->free_lines, n, FIB_SLOTS, out) ? 0 : -ENOSPC;
	}
	if (rc < 0)
		return rc;
	*out = s->n_lines;
	s->n_lines += n;
	return 0;
}

/* What cannot be written down is lost until the table is built anew. */
static void
retire(struct fib_store *s, uint64_t base, uint64_t n, uint64_t kind)
{
	(void)push(&s->retired, base << 8 | n << 1 | kind);
}

void
fib_retire(struct fib_store *s, uint64_t entry)
{
	const struct fib *f = s->f;
	bool wide = f->wide != 0;
	uint32_t starts = (uint32_t)(entry >> 32);
	bool goes_on = starts & 1;
	uint32_t first = (uint32_t)entry + goes_on;
	uint32_t n = (uint32_t)__builtin_popcount(starts & ~1U) + 1;
	unsigned children = 0;
	uint32_t line;

	if (first < leaves_of_values(s))
		return;
	if (!goes_on) {
		retire(s, first, n, 0);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		children += fib_value(f->leaf, first + i, wide) >=
			    fib_first_child(wide);
	memcpy(
	    &line, fib_leaf(f->leaf, first, wide) - sizeof(line), sizeof(line));
	for (size_t i = 0; i < (size_t)children * FIB_LINE; i++)
		fib_retire(s, fib_entry(&f->line[line * FIB_LINE + i]));
	retire(s, line, children, KIND_LINES);
	retire(s, first - head_leaves(s), n + head_leaves(s), 0);
}

void
fib_seal(struct fib_store *s)
{
	struct fib_stack empty = s->sealed;

	/* what has waited longer than that waits once more with it */
	if (s->sealed.n > 0)
		return;
	s->sealed = s->retired;
	s->retired = empty;
}

void
fib_release(struct fib_store *s)
{
	for (size_t i = 0; i < s->sealed.n; i++) {
		uint64_t item = s->sealed.item[i];
		unsigned n = (unsigned)(item & 0xff) >> 1;

		(void)push(
		    item & KIND_LINES ? &s->free_lines[n] : &s->free_run[n],
		    item >> 8);
	}
	s->sealed.n = 0;
}

/* --- entries -------------------------------------------------------------- */

static int
value_of(struct fib_store *s, uint16_t result, uint32_t *out)
{
	uint8_t *v;

	*out = result;
	if (result == 0 || s->f->wide)
		return 0;
	v = &s->value_of[result];
	if (*v == 0) {
		if (s->n_values + 1 == fib_first_child(false))
			return -ENOSPC;
		*v = (uint8_t)++s->n_values;
		/* relaxed: the entry is published later */
		atomic_store_explicit(
		    &s->f->result[*v], result, memory_order_relaxed);
	}
	*out = *v;
	return 0;
}

/* One result for all slots: most entries of a table. */
static bool
is_even(const struct fib_span *span)
{
	return span->children == 0 &&
	       memcmp(span->result, span->result + 1,
		   (FIB_SLOTS - 1) * sizeof(*span->result)) == 0;
}

static int
values_of(
    struct fib_store *s, const struct fib_span *span, uint32_t value[FIB_SLOTS])
{
	uint32_t child = fib_first_child(s->f->wide != 0);
	int rc;

	for (unsigned v = 0; v < FIB_SLOTS; v++) {
		if (span->children >> v & 1) {
			value[v] = child++;
			continue;
		}
		if (v > 0 && !(span->children >> (v - 1) & 1) &&
		    span->result[v] == span->result[v - 1]) {
			value[v] = value[v - 1];
			continue;
		}
		rc = value_of(s, span->result[v], &value[v]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
fib_pack(struct fib_store *s, const struct fib_span *span, uint64_t *entry)
{
	uint32_t value[FIB_SLOTS];
	uint32_t starts = 0, head = 0, first, at;
	int rc;

	if (is_even(span)) {
		rc = value_of(s, span->result[0], value);
		*entry = value[0];
		return rc;
	}
	rc = values_of(s, span, value);
	if (rc < 0)
		return rc;
	for (unsigned v = 1; v < FIB_SLOTS; v++)
		starts |= (uint32_t)(value[v] != value[v - 1]) << v;
	if (span->children)
		head = head_leaves(s);
	rc =
	    new_run(s, head + 1 + (uint32_t)__builtin_popcount(starts), &first);
	if (rc < 0)
		return rc;
	first += head;
	at = first;
	set_leaf(s, at, value[0]);
	for (uint32_t left = starts; left; left &= left - 1)
		set_leaf(s, ++at, value[__builtin_ctz(left)]);
	if (head) {
		memcpy(s->f->leaf + ((size_t)(first - head) << s->f->wide),
		    &span->child0, sizeof(span->child0));
		first--;
		starts |= 1;
	}
	*entry = (uint64_t)starts << 32 | first;
	return 0;
}

void
fib_publish(VNIC_ATOMIC(uint64_t) * at, uint64_t entry)
{
	/* pairs with fib_entry() */
	atomic_store_explicit(at, entry, memory_order_release);
}

void
fib_publish_root(struct fib_store *s, uint32_t i, uint64_t entry)
{
	s->root_page[i / PAGE_ENTRIES] = 1;
	fib_publish(&s->f->root[i], entry);
}

void
fib_publish_default(struct fib_store *s, uint16_t result)
{
	/* relaxed: a number, and what it means is there */
	atomic_store_explicit(&s->f->result[0], result, memory_order_relaxed);
}
