/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: a configuration with many real prefixes, and destinations for them.
 *
 *	table DIR N_ROUTES N_DESTINATIONS < prefixes (data/README)
 *
 * Takes every (all / N_ROUTES)th prefix and writes DIR/router.conf, with
 * BENCH_HOPS next hops, and DIR/dst.bin: a random route, a random host in it.
 * The next hop is random too: what a table gains when neighbours lead to the
 * same place is not taken for granted.
 */
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <arpa/inet.h>
#include <stdio.h>

struct prefix {
	uint32_t ip;
	uint8_t len;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "table: %s\n", what);
	exit(1);
}

/* Each is its length, and in units of its own size how far it is on. */
static bool
read_prefix(struct prefix *p)
{
	uint32_t units = 0;
	int len = getchar(), c;
	unsigned shift = 0;

	if (len == EOF)
		return false;
	if (len < 1 || len > 32)
		die("no prefix length");
	do {
		c = getchar();
		if (c == EOF || shift > 28)
			die("cut off");
		units |= ((uint32_t)c & 127) << shift;
		shift += 7;
	} while (c & 128);
	p->ip = ((p->ip >> (32 - len)) + units) << (32 - len);
	p->len = (uint8_t)len;
	return true;
}

static struct prefix *
read_all(size_t *n)
{
	enum { MAX = 1 << 20 };
	struct prefix *all = calloc(MAX, sizeof(*all));
	struct prefix p = { 0 };

	if (!all)
		die("no memory");
	for (*n = 0; read_prefix(&p); ++*n) {
		if (*n == MAX)
			die("too many prefixes");
		all[*n] = p;
	}
	return all;
}

static FILE *
open_file(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		die(path);
	return f;
}

static void
write_routes(FILE *f, const struct prefix *p, size_t n, uint32_t *state)
{
	char ip[INET_ADDRSTRLEN], via[INET_ADDRSTRLEN];

	fputs(BENCH_CONF_HEAD, f);
	for (size_t i = 0; i < n; i++) {
		uint32_t hop =
		    BENCH_HOP_IP - (frame_random(state) >> 8) % BENCH_HOPS;

		hop = htonl(hop);
		inet_ntop(
		    AF_INET, &(uint32_t){ htonl(p[i].ip) }, ip, sizeof(ip));
		inet_ntop(AF_INET, &hop, via, sizeof(via));
		fprintf(f, "route %s/%u via %s\n", ip, p[i].len, via);
	}
	fputs("end\n", f);
}

static void
write_destinations(
    FILE *f, const struct prefix *p, size_t n, size_t n_dst, uint32_t *state)
{
	for (size_t i = 0; i < n_dst; i++) {
		const struct prefix *to = &p[frame_random(state) % n];
		uint32_t host = frame_random(state);
		uint32_t dst = to->ip;

		if (to->len < 32)
			dst |= host & (UINT32_MAX >> to->len);
		if (fwrite(&dst, sizeof(dst), 1, f) != 1)
			die("cannot write");
	}
}

int
main(int argc, char **argv)
{
	uint32_t state = 1;
	struct prefix *all;
	size_t n, n_all, n_dst;
	FILE *f;
	int bad;

	if (argc != 4) {
		fputs("usage: table DIR N_ROUTES N_DESTINATIONS < prefixes\n",
		    stderr);
		return 2;
	}
	n = strtoul(argv[2], NULL, 10);
	n_dst = strtoul(argv[3], NULL, 10);
	all = read_all(&n_all);
	if (n == 0 || n > n_all)
		die("there are not so many prefixes");
	for (size_t i = 0; i < n; i++)
		all[i] = all[i * n_all / n];
	f = open_file(argv[1], "router.conf");
	write_routes(f, all, n, &state);
	bad = fclose(f);
	f = open_file(argv[1], "dst.bin");
	write_destinations(f, all, n, n_dst, &state);
	bad |= fclose(f);
	free(all);
	return bad ? 1 : 0;
}
