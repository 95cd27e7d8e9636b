/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fibs: how fast lookup tables are without a router around them.
 *
 *	fibs FAMILY N_ROUTES N_DESTINATIONS RUNS WINDOW_MS CORE HUGE < prefixes
 *
 * FAMILY is 4 or 6, prefixes are as in data/README; HUGE is yes for DPDK's memory
 * in huge pages. Takes every
 * (all / N_ROUTES)th of them with one of 16 next hops at random, and random
 * destinations in random routes. First ours, DPDK's, and DPDK's as a router has
 * it (without huge pages) must give the same answers; then they take turns, each
 * with its build, lookups in bursts of 64, and changes: random routes go and come
 * back. Prints one JSON object.
 */
#include "tests/bench/fibs.h"

#include "lib/base.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <stdarg.h>
#include <stdio.h>

#include <rte_eal.h>

enum { MAX_ROUTES = 1 << 20, MAX_RUNS = 99, CHANGES = 64 };

struct figures {
	double build_ms[MAX_RUNS];
	double lookups[MAX_RUNS]; /* million a second */
	double changes[MAX_RUNS]; /* thousand a second */
	size_t bytes;
};

static uint32_t state = 1;

void
fibs_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fibs: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- what is looked up ------------------------------------------------------ */

__extension__ typedef unsigned __int128 key;

static bool
read_prefix(key *ip, unsigned *len, unsigned max)
{
	int first = getchar(), c;
	unsigned shift = 0;
	key units = 0;

	if (first == EOF)
		return false;
	if (first < 1 || first > (int)max)
		fibs_die("no prefix length");
	*len = (unsigned)first;
	do {
		c = getchar();
		if (c == EOF || shift > 126)
			fibs_die("cut off");
		units |= (key)(c & 127) << shift;
		shift += 7;
	} while (c & 128);
	*ip = ((*ip >> (128 - *len)) + units) << (128 - *len);
	return true;
}

static void
read_routes(struct fibs_input *in, unsigned max)
{
	struct fibs_route *r = calloc(MAX_ROUTES, sizeof(*r));
	size_t n = 0, want = in->n_routes;
	unsigned len;
	key ip = 0;

	if (!r)
		fibs_die("no memory");
	for (; read_prefix(&ip, &len, max); n++) {
		if (n == MAX_ROUTES)
			fibs_die("too many prefixes");
		r[n] = (struct fibs_route){ .hi = (uint64_t)(ip >> 64),
			.lo = (uint64_t)ip,
			.len = (uint8_t)len };
	}
	if (want == 0 || want > n)
		fibs_die("there are not so many prefixes");
	for (size_t i = 0; i < want; i++) {
		r[i] = r[i * n / want];
		r[i].hop =
		    (uint16_t)(1 + (frame_random(&state) >> 8) % FIBS_HOPS);
	}
	in->route = r;
}

static void
choose_destinations(struct fibs_input *in)
{
	struct fibs_route *d = calloc(in->n_dst, sizeof(*d));

	if (!d)
		fibs_die("no memory");
	for (size_t i = 0; i < in->n_dst; i++) {
		const struct fibs_route *to =
		    &in->route[frame_random(&state) % in->n_routes];
		key ip = (key)to->hi << 64 | to->lo, host = 0;

		for (unsigned k = 0; k < 4; k++)
			host = host << 32 | frame_random(&state);
		if (to->len < 128)
			ip |= host & (~(key)0 >> to->len);
		d[i].hi = (uint64_t)(ip >> 64);
		d[i].lo = (uint64_t)ip;
	}
	in->dst = d;
}

/* --- runs ------------------------------------------------------------------- */

static void
compare(const struct fibs_input *in, const struct fibs_engine *a,
    const struct fibs_engine *b)
{
	uint16_t x[FIBS_BURST], y[FIBS_BURST];

	a->build(a->who, in);
	b->build(b->who, in);
	for (size_t i = 0; i < in->n_dst; i += FIBS_BURST) {
		a->look_up(a->who, i, x);
		b->look_up(b->who, i, y);
		if (memcmp(x, y, sizeof(x)) != 0)
			fibs_die("the tables disagree at %zu", i);
	}
	a->destroy(a->who);
	b->destroy(b->who);
}

static double
time_lookups(
    const struct fibs_input *in, const struct fibs_engine *e, unsigned ms)
{
	enum { LOOK_AT_CLOCK = 64 }; /* bursts */
	uint64_t start = bench_now_ns(), now;
	uint16_t hop[FIBS_BURST];
	size_t at = 0;
	double n = 0;

	do {
		for (unsigned i = 0; i < LOOK_AT_CLOCK; i++) {
			e->look_up(e->who, at, hop);
			at += FIBS_BURST;
			if (at == in->n_dst)
				at = 0;
		}
		n += LOOK_AT_CLOCK * FIBS_BURST;
		now = bench_now_ns();
	} while (now - start < (uint64_t)ms * 1000000);
	return n * 1000 / (double)(now - start);
}

static double
time_changes(
    const struct fibs_input *in, const struct fibs_engine *e, unsigned ms)
{
	uint64_t start = bench_now_ns(), now;
	double n = 0;

	do {
		const struct fibs_route *r[CHANGES];
		size_t first = frame_random(&state) % in->n_routes;

		/* a fixed distance keeps them apart */
		for (unsigned i = 0; i < CHANGES; i++)
			r[i] =
			    &in->route[(first + i * (in->n_routes / CHANGES)) %
				       in->n_routes];
		for (unsigned i = 0; i < CHANGES; i++)
			e->delete (e->who, r[i]);
		for (unsigned i = 0; i < CHANGES; i++)
			e->add(e->who, r[i]);
		e->pause(e->who);
		n += 2 * CHANGES;
		now = bench_now_ns();
	} while (now - start < (uint64_t)ms * 1000000);
	return n * 1000000 / (double)(now - start);
}

static void
run(const struct fibs_input *in, const struct fibs_engine *e, unsigned ms,
    struct figures *f, unsigned i)
{
	uint64_t start = bench_now_ns();

	e->build(e->who, in);
	f->build_ms[i] = (double)(bench_now_ns() - start) / 1e6;
	f->bytes = e->bytes(e->who);
	time_lookups(in, e, ms / 4); /* warm */
	f->lookups[i] = time_lookups(in, e, ms);
	time_changes(in, e, 1); /* a second copy, of who has two */
	f->changes[i] = time_changes(in, e, ms / 2);
	e->destroy(e->who);
}

static void
print_array(const char *name, const double *v, unsigned n)
{
	printf(", \"%s\": [", name);
	for (unsigned i = 0; i < n; i++)
		printf("%s%.3f", i ? ", " : "", v[i]);
	putchar(']');
}

static void
print_figures(const char *name, const struct figures *f, unsigned runs)
{
	printf("\"%s\": {\"mib\": %.3f", name, (double)f->bytes / (1 << 20));
	print_array("build_ms", f->build_ms, runs);
	print_array("lookups", f->lookups, runs);
	print_array("changes", f->changes, runs);
	putchar('}');
}

static void
start_eal(const char *core, bool huge)
{
	char prefix[64];
	char *args[16];
	int n = 0;

	snprintf(
	    prefix, sizeof(prefix), "--file-prefix=europa-fibs-%d", getpid());
	args[n++] = strdup("fibs");
	args[n++] = strdup("-l");
	args[n++] = strdup(core);
	args[n++] = strdup("--no-pci");
	args[n++] = strdup("--no-telemetry");
	args[n++] = strdup("--log-level=4");
	args[n++] = strdup("--force-max-simd-bitwidth=512");
	args[n++] = prefix;
	if (huge) {
		args[n++] = strdup("--in-memory");
	} else {
		args[n++] = strdup("--no-huge");
		args[n++] = strdup("--no-shconf");
		args[n++] = strdup("-m");
		args[n++] = strdup("1024");
	}
	if (rte_eal_init(n, args) < 0)
		fibs_die("DPDK does not start");
}

int
main(int argc, char **argv)
{
	static const struct fibs_engine *const engines[][FIBS_N] = {
		{ &fibs_ours4, &fibs_rte4, &fibs_router4 },
		{ &fibs_ours6, &fibs_rte6, &fibs_router6 },
	};
	static const char *const names[FIBS_N] = { "ours", "rte", "router" };
	static struct figures f[FIBS_N];
	const struct fibs_engine *const *e;
	struct fibs_input in = { 0 };
	unsigned runs, ms;
	bool six;

	if (argc != 8)
		fibs_die("usage: fibs FAMILY N_ROUTES N_DESTINATIONS RUNS "
			 "WINDOW_MS CORE HUGE < prefixes");
	six = strcmp(argv[1], "6") == 0;
	e = engines[six];
	in.n_routes = strtoul(argv[2], NULL, 10);
	in.n_dst = strtoul(argv[3], NULL, 10) / FIBS_BURST * FIBS_BURST;
	runs = (unsigned)strtoul(argv[4], NULL, 10);
	ms = (unsigned)strtoul(argv[5], NULL, 10);
	if (runs == 0 || runs > MAX_RUNS || in.n_dst == 0 || ms == 0)
		fibs_die("nothing to do");
	start_eal(argv[6], strcmp(argv[7], "yes") == 0);
	read_routes(&in, six ? 128 : 32);
	choose_destinations(&in);
	for (unsigned k = 0; k < FIBS_N; k++)
		e[k]->prepare(&in);
	for (unsigned k = 1; k < FIBS_N; k++)
		compare(&in, e[0], e[k]);
	for (unsigned i = 0; i < runs; i++)
		for (unsigned k = 0; k < FIBS_N; k++)
			run(&in, e[k], ms, &f[k], i);
	for (unsigned k = 0; k < FIBS_N; k++) {
		fputs(k ? ", " : "{", stdout);
		print_figures(names[k], &f[k], runs);
	}
	puts("}");
	return 0;
}
