/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_sleep [seconds]: a host and a router process that sleep whenever they
 * have nothing to do, with few packets under way. A lost wake-up ends only with
 * the time limit of a sleep, which is counted as late.
 */
#include "tests/stress/stress.h"

#include "lib/vnic_ring.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIMIT_MS = 1000 };

/* Fills a few, and sleeps until they are all back. */
static void
ping_pong(struct stress_set *s)
{
	unsigned burst = stress_random() % 4 ? 1 : 8;

	stress_host_turn(s, stress_now_ns(), burst);
	while (ledger_phase(s->l) != LEDGER_RUN || ledger_filled(s->l) > 0) {
		if (stress_host_turn(s, stress_now_ns(), 0) == 0)
			stress_host_sleep(s, LIMIT_MS);
	}
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	uint64_t begin = stress_now_ns(), n_rounds = 0;
	struct stress_account *a;
	struct stress_set s;
	pid_t router;

	stress_open(&s);
	a = s.account;
	router = stress_fork();
	if (router == 0)
		stress_router(&s);
	stress_host_begin(&s);
	while (stress_now_ns() - begin < (uint64_t)(seconds * 1e9)) {
		ping_pong(&s);
		n_rounds++;
	}
	stress_kill(router);
	printf("# rounds %lu, packets %lu, sleeps of the host %lu, late %lu\n",
	    n_rounds, vnic_count(&a->numbered), vnic_count(&a->sleeps),
	    vnic_count(&a->late));

	stress_ok(vnic_count(&a->late) == 0, "no wake-up lost");
	stress_ok(n_rounds >= 100 * (uint64_t)seconds, "packets flow");
	stress_ok(vnic_count(&a->sleeps) >= 10, "the host slept");
	stress_ok(vnic_count(&a->altered) + vnic_count(&a->reordered) == 0,
	    "no packet altered or reordered");
	stress_ok(stress_faults(&s) == 0, "nobody blamed");
	stress_host_end(&s);
	stress_close(&s);
	return stress_result();
}
