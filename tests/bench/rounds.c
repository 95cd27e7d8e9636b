/* SPDX-License-Identifier: Apache-2.0 */
/* rounds: see rounds.h. */
#include "tests/bench/rounds.h"

#include "tests/bench/bench.h"

#include <stdio.h>

static void
die(const char *what)
{
	fprintf(stderr, "rounds: %s\n", what);
	exit(1);
}

struct tables *
rounds_tables(void)
{
	static uint8_t used[1];
	struct neighbour hop = { .ip = BENCH_HOP_IP, .vnic = 1 };
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	char text[] = BENCH_CONF;
	struct routerconf c;
	struct plan *plan = NULL;
	struct tables *t;
	FILE *in = fmemopen(text, strlen(text), "r");

	if (!in || routerconf_parse(in, "bench", &c, NULL) < 0 ||
	    plan_make(&c, &plan) < 0)
		die("no configuration");
	fclose(in);
	for (unsigned i = 0; i < 2; i++) {
		ports[i].up = 1;
		ports[i].mtu = c.vnic[i].mtu;
		memcpy(ports[i].mac, c.vnic[i].mac, 6);
	}
	bench_mac(BENCH_HOP, hop.mac);
	t = tables_make(plan, ports, &hop, 1, used);
	if (!t)
		die("no memory for tables");
	plan_free(plan);
	routerconf_clear(&c);
	return t;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
rounds_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}
