/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: sums and the report of a build that times its stages, see stage.h. No
 * other build has this file.
 *
 * What reading the clock costs is measured at the end, and given beside the
 * sums: a stage of m marks was shorter by m times that.
 */
/* as the build that has this file says it, for those who look at it alone */
#define EUROPA_STAGE_TIMING 1
#include "lib/stage.h"

#include <fcntl.h>
#include <stdio.h>

_Thread_local struct stages stages_here;

static const char *const names[N_STAGES] = {
	[STAGE_IDLE] = "idle",
	[STAGE_TURN_REST] = "turn",
	[STAGE_RX_BURST] = "rx burst",
	[STAGE_CLASSIFY] = "classify",
	[STAGE_CLAIM] = "claim",
	[STAGE_COPY_IN] = "copy in",
	[STAGE_PUBLISH] = "publish",
	[STAGE_RX_FREE] = "rx free",
	[STAGE_TAKE] = "take",
	[STAGE_TX_ALLOC] = "tx alloc",
	[STAGE_COPY_OUT] = "copy out",
	[STAGE_TX_BURST] = "tx burst",
	[STAGE_RELEASE] = "release",
	[STAGE_VNIC_RX] = "vnic rx",
	[STAGE_ETHER_IN] = "ether_in",
	[STAGE_CHECK_IP4] = "check_ip4",
	[STAGE_LOOKUP4] = "lookup4",
	[STAGE_TTL4] = "ttl4",
	[STAGE_REWRITE] = "rewrite",
	[STAGE_VNIC_TX] = "vnic tx",
	[STAGE_GIVE_BACK] = "give back",
	[STAGE_FLUSH] = "flush",
};

void
stage_end(unsigned n)
{
	struct stages *s = &stages_here;
	uint64_t idle = 0;

	if (likely(!s->timed))
		return;
	stage_mark(STAGE_TURN_REST, n);
	s->turns++;
	s->packets += n;
	if (n == 0) {
		for (unsigned i = 0; i < N_STAGES; i++)
			idle += s->turn[i].ticks;
		s->idle_turns++;
		s->sum[STAGE_IDLE].ticks += idle;
	}
	for (unsigned i = 0; n > 0 && i < N_STAGES; i++) {
		s->sum[i].ticks += s->turn[i].ticks;
		s->sum[i].packets += s->turn[i].packets;
		s->sum[i].marks += s->turn[i].marks;
	}
	memset(s->turn, 0, sizeof(s->turn));
	s->timed = false;
}

/* Ticks in a second, over 20 ms of them. */
static double
stage_hz(void)
{
	struct timespec a, b, nap = { .tv_nsec = 20000000 };
	uint64_t from, to;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	from = stage_clock();
	nanosleep(&nap, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	to = stage_clock();
	ns = (double)(b.tv_sec - a.tv_sec) * 1e9 +
	     (double)(b.tv_nsec - a.tv_nsec);
	return (double)(to - from) * 1e9 / ns;
}

/* Ticks between two marks with nothing in between. */
static double
cost_of_mark(void)
{
	enum { TIMES = 10000 };
	struct stages kept = stages_here;
	uint64_t ticks;

	stages_here.timed = true;
	stages_here.at = stage_clock();
	stages_here.turn[STAGE_IDLE].ticks = 0;
	for (unsigned i = 0; i < TIMES; i++)
		stage_mark(STAGE_IDLE, 0);
	ticks = stages_here.turn[STAGE_IDLE].ticks;
	stages_here = kept;
	return (double)ticks / TIMES;
}

void
stage_report(const char *thread)
{
	const struct stages *s = &stages_here;
	const char *path = getenv("EUROPA_STAGES");
	const char *comma = "";
	FILE *f;

	if (!path || s->turns == 0)
		return;
	f = fopen(path, "ae");
	if (!f)
		return;
	fprintf(f,
	    "{\"thread\":\"%s\",\"hz\":%.0f,\"mark_ticks\":%.1f,"
	    "\"turns\":%llu,\"idle_turns\":%llu,\"packets\":%llu,\"stages\":[",
	    thread, stage_hz(), cost_of_mark(), (unsigned long long)s->turns,
	    (unsigned long long)s->idle_turns, (unsigned long long)s->packets);
	for (unsigned i = 0; i < N_STAGES; i++) {
		if (s->sum[i].ticks == 0)
			continue;
		fprintf(f,
		    "%s{\"name\":\"%s\",\"ticks\":%llu,\"packets\":%llu,"
		    "\"marks\":%llu}",
		    comma, names[i], (unsigned long long)s->sum[i].ticks,
		    (unsigned long long)s->sum[i].packets,
		    (unsigned long long)s->sum[i].marks);
		comma = ",";
	}
	fputs("]}\n", f);
	fclose(f);
}
