/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: one question, one answer. An answer that does not fit into the socket
 * now is lost; who asked will ask again.
 */
#include "router/stats.h"

#include "lib/base.h"
#include "lib/wire.h"

#include <stdio.h>

_Static_assert(
    (int)N_COUNTERS + (int)FILTER_MAX_RULES <= (int)WIRE_MAX_COUNTERS,
    "they must all fit");

static void
fill(struct wire_msg *m, const struct pipeline *paths, unsigned n)
{
	for (unsigned k = 0; k < N_COUNTERS; k++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < n; i++)
			sum += count_read(&paths[i].count, k);
		snprintf(m->u.stats.counter[k].name,
		    sizeof(m->u.stats.counter[k].name), "%s", count_name(k));
		m->u.stats.counter[k].value = sum;
	}
	m->u.stats.n = N_COUNTERS;
}

static void
add_rules(struct wire_msg *m, const struct filter_hits *hits)
{
	for (unsigned k = 1; k <= FILTER_MAX_RULES; k++) {
		/* relaxed: a counter */
		uint64_t n = atomic_load_explicit(
		    &hits->packets[k], memory_order_relaxed);

		if (n == 0)
			continue;
		snprintf(m->u.stats.counter[m->u.stats.n].name,
		    sizeof(m->u.stats.counter[0].name), "filter_%u", k);
		m->u.stats.counter[m->u.stats.n++].value = n;
	}
}

int
stats_answer(int fd, const struct pipeline *paths, unsigned n,
    const struct filter_hits *hits, uint64_t generation)
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
		fill(&m, paths, n);
		add_rules(&m, hits);
		rc = wire_send(fd, &m);
	}
	return rc == -EAGAIN ? 0 : rc;
}
