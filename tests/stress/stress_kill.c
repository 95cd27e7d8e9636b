/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_kill [seconds]: a host and a router process over real memfds, killed
 * with signal 9 at random moments, one or both, and started again. Nothing may
 * be lost but what is counted in doubt, nothing altered, doubled or reordered,
 * and nobody honest be blamed.
 *
 * The ledger's clock runs 1000 times as fast, so that holds do not add up.
 */
#include "tests/stress/stress.h"

#include "lib/base.h"
#include "lib/vnic_ring.h"

#include <stdio.h>
#include <time.h>

enum { SPEED = 1000 };

static void __attribute__((noreturn)) host_main(struct stress_set *s)
{
	stress_host_begin(s);
	for (;;) {
		unsigned burst = 1 + stress_random() % VNIC_BURST;

		if (stress_host_turn(s, stress_now_ns() * SPEED, burst) == 0)
			stress_host_sleep(s, 1000);
	}
}

static pid_t
start_host(struct stress_set *s)
{
	pid_t pid;

	stress_seed(stress_random());
	pid = stress_fork();
	if (pid == 0)
		host_main(s);
	return pid;
}

static pid_t
start_router(struct stress_set *s)
{
	pid_t pid;

	stress_seed(stress_random());
	pid = stress_fork();
	if (pid == 0)
		stress_router(s);
	return pid;
}

static void
pause_us(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000 };

	nanosleep(&t, NULL);
}

/* Waits until 1000 more packets have come back; false after 20 s. */
static bool
flows(const struct stress_set *s)
{
	uint64_t before = vnic_count(&s->account->received);

	for (unsigned i = 0; i < 20000; i++) {
		if (vnic_count(&s->account->received) - before >= 1000)
			return true;
		pause_us(1000);
	}
	return false;
}

/*
 * The last host: takes over from a dead one, lets the router empty its rings,
 * and gives the final account.
 */
static bool
drain(struct stress_set *s)
{
	uint64_t begin = stress_now_ns();

	stress_host_begin(s);
	while (stress_now_ns() - begin < 20000000000) {
		if (stress_host_turn(s, stress_now_ns() * SPEED, 0) == 0)
			stress_host_sleep(s, 10);
		if (ledger_phase(s->l) == LEDGER_RUN &&
		    ledger_filled(s->l) == 0)
			return true;
	}
	return false;
}

struct deaths {
	uint64_t host, router;
};

static void
kill_at_random(
    struct stress_set *s, pid_t *host, pid_t *router, struct deaths *d)
{
	uint64_t which = stress_random() % 5;

	pause_us(stress_random() % 4000);
	if (which <= 2) {
		stress_kill(*router);
		d->router++;
	}
	if (which >= 2) {
		stress_kill(*host);
		d->host++;
	}
	pause_us(stress_random() % 500);
	if (which >= 2)
		*host = start_host(s);
	if (which <= 2)
		*router = start_router(s);
}

static void
report(struct stress_set *s, const struct deaths *d)
{
	struct stress_account *a = s->account;
	uint64_t filled, back, in_doubt;
	uint64_t numbered = vnic_count(&a->numbered);
	uint64_t came = vnic_count(&a->received);
	uint64_t done = 0;

	stress_slots(s, &filled, &back, &in_doubt);
	for (unsigned v = 0; v < STRESS_VNICS; v++)
		done += vnic_count(
		    &ledger_counters(s->l, v)->done[VNIC_DONE_FILTERED]);
	printf("# deaths host %lu router %lu, epochs %lu, packets %lu, "
	       "back %lu, in doubt %lu, originated %lu, sleeps %lu\n",
	    d->host, d->router, vnic_count(&a->epochs), numbered, back,
	    in_doubt, vnic_count(&a->originated), vnic_count(&a->sleeps));
	stress_ok(vnic_count(&a->altered) == 0, "no packet altered");
	stress_ok(vnic_count(&a->reordered) == 0, "none doubled or reordered");
	stress_ok(stress_faults(s) == 0, "nobody blamed");
	stress_ok(filled == back + in_doubt, "every slot accounted for");
	stress_ok(in_doubt <= (d->host + d->router) * STRESS_SLOTS,
	    "in doubt: what was out when somebody died");
	stress_ok(filled - numbered <= d->host * VNIC_BURST,
	    "every number was filled");
	/* between counter and check a dying host holds two bursts at most */
	stress_ok(came + done <= back &&
		      back - came - done <= d->host * 2 * VNIC_BURST,
	    "every slot that came back brought its packet");
	stress_ok(vnic_count(&a->originated) > 0, "routers spoke themselves");
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	uint64_t end = stress_now_ns() + (uint64_t)(seconds * 1e9);
	struct deaths d = { 0 };
	struct stress_set s;
	pid_t host, router;

	stress_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : stress_now_ns());
	stress_open(&s);
	host = start_host(&s);
	router = start_router(&s);
	stress_ok(flows(&s), "packets flow");
	while (stress_now_ns() < end)
		kill_at_random(&s, &host, &router, &d);
	stress_ok(flows(&s), "packets flow after the last death");
	stress_kill(host);
	d.host++;
	stress_ok(drain(&s), "the rings run empty");
	stress_kill(router);
	report(&s, &d);
	stress_host_end(&s);
	stress_close(&s);
	return stress_result();
}
