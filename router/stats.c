/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: one question, one answer. An answer that does not fit into the socket
 * now is lost; who asked will ask again.
 */
#include "router/stats.h"

#include "lib/base.h"

#include <stdio.h>

_Static_assert(
    (int)N_COUNTERS + (int)FILTER_MAX_RULES <= (int)WIRE_MAX_COUNTERS,
    "they must all fit");

struct router_counts {
	const struct pipeline *paths;
	unsigned n;
	const struct filter_hits *hits;
};

void
stats_add(struct wire_msg *m, const char *name, uint64_t value)
{
	if (m->u.stats.n == WIRE_MAX_COUNTERS)
		return;
	snprintf(m->u.stats.counter[m->u.stats.n].name,
	    sizeof(m->u.stats.counter[0].name), "%s", name);
	m->u.stats.counter[m->u.stats.n++].value = value;
}

static void
fill(void *arg, struct wire_msg *m)
{
	const struct router_counts *c = arg;
	char name[16];

	for (unsigned k = 0; k < N_COUNTERS; k++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < c->n; i++)
			sum += count_read(&c->paths[i].count, k);
		stats_add(m, count_name(k), sum);
	}
	for (unsigned k = 1; k <= FILTER_MAX_RULES; k++) {
		/* relaxed: a counter */
		uint64_t n = atomic_load_explicit(
		    &c->hits->packets[k], memory_order_relaxed);

		if (n == 0)
			continue;
		snprintf(name, sizeof(name), "filter_%u", k);
		stats_add(m, name, n);
	}
}

int
stats_serve(int fd, uint64_t generation,
    void (*add)(void *arg, struct wire_msg *m), void *arg)
{
	struct wire_msg m;
	uint32_t id;
	int rc = wire_recv(fd, &m);

	if (rc < 0)
		return rc == -EAGAIN ? 0 : rc;
	wire_close_fds(&m);
	id = m.id;
	if (m.type != WIRE_STATS_GET) {
		rc = id == 0 ? 0
			     : wire_reply_fail(fd, id, -EOPNOTSUPP,
				   "a router answers questions for "
				   "statistics only");
	} else {
		m = (struct wire_msg){ .type = WIRE_STATS, .id = id };
		m.u.stats.generation = generation;
		add(arg, &m);
		rc = wire_send(fd, &m);
	}
	return rc == -EAGAIN ? 0 : rc;
}

int
stats_answer(int fd, const struct pipeline *paths, unsigned n,
    const struct filter_hits *hits, uint64_t generation)
{
	struct router_counts c = { paths, n, hits };

	return stats_serve(fd, generation, fill, &c);
}
