/* SPDX-License-Identifier: Apache-2.0 */
/* impair: chance, two queues and their memory; see impair.h. */
#include "dataplane/impair.h"

#include "lib/base.h"

#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 64, MIN_CAPACITY = 64, TRIM_BYTES = 256 << 10 };

enum path { IN_ORDER, EXPRESS, N_PATHS };

/* What is asked of chance; a new name goes last. */
enum question {
	ASK_LOSS = 1,
	ASK_BURST,
	ASK_DUPLICATE,
	ASK_REORDER,
	ASK_JITTER,
};

struct entry {
	uint64_t due_ns;
	uint32_t slot;
	uint16_t len;
	bool is_copy;
};

struct queue {
	struct entry *entry; /* [capacity] */
	uint32_t head, tail; /* count up; tail is taken next */
};

struct impair {
	uint32_t capacity; /* a power of two: slots, and entries of a queue */
	uint32_t frame_bytes;
	size_t stride;
	size_t page;
	size_t map_bytes; /* of the mapping, which begins at bytes */
	uint8_t *bytes;
	uint8_t *users; /* entries that have a slot */
	uint32_t *free; /* a stack of slots that were used before */
	uint32_t n_free;
	uint32_t n_touched; /* slots from here on were never used */
	uint32_t length;    /* of the queue, in packets */
	uint32_t keep;      /* slots from here on are not used again */
	uint32_t n_late;    /* of them have users yet */
	struct queue queue[N_PATHS];
	uint32_t n_copies; /* that wait */

	uint64_t seed;
	uint64_t n;           /* of the next packet */
	bool bad;             /* the link is in a bad time */
	uint64_t busy_ns;     /* the line is, until then */
	uint64_t in_order_ns; /* the last of those in order is due then */
};

bool
impair_is_active(const struct wire_impair *s)
{
	return s->rate_bps || s->delay_us || s->loss_ppm ||
	       s->burst_begin_ppm || s->duplicate_ppm;
}

const char *
impair_flaw(const struct wire_impair *s)
{
	const uint32_t share[] = { s->loss_ppm, s->burst_begin_ppm,
		s->burst_end_ppm, s->burst_loss_ppm, s->duplicate_ppm,
		s->reorder_ppm };

	for (size_t i = 0; i < ARRAY_SIZE(share); i++)
		if (share[i] > WIRE_PPM)
			return "a share of packets is more than all of them";
	if (s->delay_us > WIRE_MAX_IMPAIR_US)
		return "a delay is more than 10 s";
	if (s->jitter_us > s->delay_us)
		return "the jitter is more than the delay";
	if (s->reorder_ppm && !s->delay_us)
		return "packets overtake only where others are delayed";
	if (s->queue_packets > WIRE_MAX_IMPAIR_PACKETS ||
	    (impair_is_active(s) && s->queue_packets == 0))
		return "the queue has no room, or too much";
	return NULL;
}

/* --- memory --------------------------------------------------------------------- */

/* So many bytes, in whole lines: no part of the memory shares one with another. */
static size_t
lines(size_t bytes)
{
	return (bytes + LINE - 1) / LINE * LINE;
}

/* Address space, until it is touched; false: there is none. */
static bool
take_memory(struct impair *im, uint32_t capacity)
{
	size_t n = capacity, entries = lines(n * sizeof(struct entry));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t users = lines(n), slots = lines(n * sizeof(uint32_t));
	size_t bytes;
	uint8_t *at;

	if (!checked_mul(n, im->stride, &bytes))
		return false;
	/* the slots' pages are theirs alone: impair_trim() */
	bytes = (bytes + page - 1) / page * page;
	im->map_bytes = bytes + users + slots + N_PATHS * entries;
	at = mmap(NULL, im->map_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return false;
	/* a huge page would take 2 MiB for the first packet that waits; a kernel
	 * without them refuses, and has none to give */
	madvise(at, im->map_bytes, MADV_NOHUGEPAGE);
	im->capacity = im->keep = im->length = capacity;
	im->page = page;
	im->bytes = at;
	im->users = at + bytes;
	/* each begins a line, which is alignment enough for it */
	im->free = (void *)(im->users + users);
	at = im->users + users + slots;
	for (unsigned i = 0; i < N_PATHS; i++)
		im->queue[i].entry = (void *)(at + i * entries);
	return true;
}

int
impair_new(uint32_t n, uint32_t frame_bytes, struct impair **out)
{
	struct impair *im = calloc(1, sizeof(*im));
	uint32_t least = MIN_CAPACITY;

	if (!im)
		return -ENOMEM;
	im->frame_bytes = frame_bytes;
	im->stride = lines(frame_bytes);
	while (least < n)
		least *= 2;
	/* room for any longer queue, or, on a host that counts it, for this */
	if (!take_memory(im, MAX(least, (uint32_t)WIRE_MAX_IMPAIR_PACKETS)) &&
	    !take_memory(im, least)) {
		free(im);
		return -ENOMEM;
	}
	*out = im;
	return 0;
}

void
impair_free(struct impair *im)
{
	if (!im)
		return;
	munmap(im->bytes, im->map_bytes);
	free(im);
}

uint32_t
impair_capacity(const struct impair *im)
{
	return im->capacity;
}

uint32_t
impair_frame_bytes(const struct impair *im)
{
	return im->frame_bytes;
}

static uint32_t
queued(const struct queue *q)
{
	return q->head - q->tail;
}

static uint32_t
all_waiting(const struct impair *im)
{
	return queued(&im->queue[IN_ORDER]) + queued(&im->queue[EXPRESS]);
}

uint32_t
impair_waiting(const struct impair *im)
{
	return all_waiting(im) - im->n_copies;
}

/* The queue is of n packets now: which slots may be used, and which are free? */
static void
set_length(struct impair *im, uint32_t n)
{
	im->length = n;
	/* a burst may have been taken while others came */
	im->keep = MIN(n + MIN_CAPACITY, im->capacity);
	im->n_free = im->n_late = 0;
	for (uint32_t i = 0; i < im->n_touched; i++)
		if (im->users[i] > 0)
			im->n_late += i >= im->keep;
		else if (i < im->keep)
			im->free[im->n_free++] = i;
}

static bool
take_slot(struct impair *im, uint32_t *out)
{
	if (im->n_free > 0)
		*out = im->free[--im->n_free];
	else if (im->n_touched < im->keep)
		*out = im->n_touched++;
	else
		return false;
	return true;
}

static void
give_slot(struct impair *im, uint32_t slot)
{
	if (likely(slot < im->keep))
		im->free[im->n_free++] = slot;
	else
		im->n_late--;
}

/* Where the pages begin that slots from i on have to themselves. */
static uint8_t *
page_of(const struct impair *im, uint32_t i)
{
	return im->bytes +
	       (i * im->stride + im->page - 1) / im->page * im->page;
}

bool
impair_trim(struct impair *im, uint32_t n)
{
	uint32_t most = (uint32_t)(TRIM_BYTES / im->stride) + 1, rest;

	if (unlikely(n != im->length))
		set_length(im, n);
	if (likely(im->n_touched <= im->keep) || im->n_late > 0)
		return false;
	rest = MAX(im->keep, im->n_touched - MIN(most, im->n_touched));
	madvise(page_of(im, rest),
	    (size_t)(page_of(im, im->n_touched) - page_of(im, rest)),
	    MADV_DONTNEED);
	im->n_touched = rest;
	return rest > im->keep;
}

/* --- chance --------------------------------------------------------------------- */

/* splitmix64: each bit of x moves half of the bits that come out. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* 32 bits that follow from the seed, the packet and the question. */
static uint32_t
ask(const struct impair *im, enum question q)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = mix(im->seed + golden * (uint64_t)q);

	return (uint32_t)(mix(x + golden * (im->n + 1)) >> 32);
}

static bool
happens(const struct impair *im, enum question q, uint32_t ppm)
{
	if (ppm == 0)
		return false;
	return (uint64_t)ask(im, q) * WIRE_PPM >> 32 < ppm;
}

/* Gilbert and Elliott: first the times change, then the packet has its luck. */
static bool
is_lost(struct impair *im, const struct wire_impair *s)
{
	im->bad = s->burst_begin_ppm &&
		  (im->bad ? !happens(im, ASK_BURST, s->burst_end_ppm)
			   : happens(im, ASK_BURST, s->burst_begin_ppm));
	return happens(im, ASK_LOSS, im->bad ? s->burst_loss_ppm : s->loss_ppm);
}

/* Uniform in delay - jitter .. delay + jitter. */
static uint64_t
delay_ns(const struct impair *im, const struct wire_impair *s)
{
	uint64_t span = 2 * (uint64_t)s->jitter_us * 1000 + 1;

	return (uint64_t)(s->delay_us - s->jitter_us) * 1000 +
	       ((uint64_t)ask(im, ASK_JITTER) * span >> 32);
}

/* --- the queues ------------------------------------------------------------------ */

static void
put(struct impair *im, enum path path, const struct entry *e)
{
	struct queue *q = &im->queue[path];

	q->entry[q->head++ & (im->capacity - 1)] = *e;
	im->users[e->slot]++;
	im->n_copies += e->is_copy;
}

/* When packet n is due that enters now; *path is how it goes. */
static uint64_t
due_of(struct impair *im, const struct wire_impair *s, uint64_t now_ns,
    uint16_t len, enum path *path)
{
	const uint64_t ns = 1000000000;
	uint64_t due = now_ns;

	if (s->rate_bps > 0) {
		im->busy_ns =
		    MAX(im->busy_ns, now_ns) + len * 8 * ns / s->rate_bps;
		due = im->busy_ns;
	}
	if (happens(im, ASK_REORDER, s->reorder_ppm)) {
		*path = EXPRESS;
		return due;
	}
	*path = IN_ORDER;
	due += delay_ns(im, s);
	im->in_order_ns = MAX(im->in_order_ns, due);
	return im->in_order_ns;
}

enum impair_fate
impair_offer(struct impair *im, const struct wire_impair *s, uint64_t now_ns,
    uint16_t len, uint8_t **to)
{
	uint32_t most = MIN(s->queue_packets, im->capacity);
	struct entry e = { .len = len };
	enum impair_fate fate = IMPAIR_KEPT;
	enum path path;

	if (unlikely(s->queue_packets != im->length))
		set_length(im, s->queue_packets);
	if (im->seed != s->seed) {
		im->seed = s->seed;
		im->n = 0;
		im->bad = false;
	}
	if (is_lost(im, s)) {
		fate = IMPAIR_LOST;
	} else if (all_waiting(im) >= most || !take_slot(im, &e.slot)) {
		fate = IMPAIR_FULL;
	} else {
		e.due_ns = due_of(im, s, now_ns, len, &path);
		put(im, path, &e);
		e.is_copy = true;
		if (happens(im, ASK_DUPLICATE, s->duplicate_ppm) &&
		    all_waiting(im) < most)
			put(im, path, &e);
		*to = im->bytes + e.slot * im->stride;
	}
	im->n++;
	return fate;
}

static const struct entry *
first(const struct impair *im, enum path path)
{
	const struct queue *q = &im->queue[path];

	return queued(q) ? &q->entry[q->tail & (im->capacity - 1)] : NULL;
}

/* The one that is due next; NULL if nothing waits. */
static const struct entry *
next(const struct impair *im, enum path *path)
{
	const struct entry *a = first(im, IN_ORDER), *b = first(im, EXPRESS);

	*path = !a || (b && b->due_ns < a->due_ns) ? EXPRESS : IN_ORDER;
	return *path == EXPRESS ? b : a;
}

uint64_t
impair_due(const struct impair *im)
{
	enum path path;
	const struct entry *e = next(im, &path);

	return e ? e->due_ns : IMPAIR_NEVER;
}

unsigned
impair_take(
    struct impair *im, uint64_t now_ns, struct impair_frame *out, unsigned max)
{
	unsigned n = 0;

	while (n < max) {
		enum path path;
		const struct entry *e = next(im, &path);

		if (!e || e->due_ns > now_ns)
			break;
		out[n++] = (struct impair_frame){
			.bytes = im->bytes + e->slot * im->stride,
			.slot = e->slot,
			.len = e->len,
			.is_copy = e->is_copy,
		};
		im->n_copies -= e->is_copy;
		im->queue[path].tail++;
	}
	return n;
}

void
impair_give_back(struct impair *im, const struct impair_frame *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (--im->users[f[i].slot] == 0)
			give_slot(im, f[i].slot);
}
