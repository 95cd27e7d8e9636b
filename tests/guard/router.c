/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router: the router of the guard, a process that host.c starts. It does one
 * turn when it is told to, over a pair of pipes, so that each run executes the
 * same instructions. Set up as europa-router would be with 2 routes and its
 * next hop resolved; router_turn() is a turn of its fast path.
 *
 *	byte in    what it does, then answers with the same byte
 *	p          looks at the epochs of its queues
 *	t          router_turn()
 */
#include "router/pipeline.h"
#include "router/plan.h"
#include "router/publish.h"
#include "tests/bench/bench.h"
#include "tests/guard/guard.h"

#include <stdio.h>

struct router {
	struct vnic *vnic;
	struct vnic_queue *control;
	struct pipeline path;
	struct publish publish;
};

static void
die(const char *what)
{
	fprintf(stderr, "router: %s\n", what);
	exit(1);
}

static struct tables *
make_tables(void)
{
	static uint8_t used[1];
	struct neighbour hop = { .ip = BENCH_HOP_IP, .vnic = 1 };
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	char text[] = BENCH_CONF;
	struct routerconf c;
	struct plan *plan = NULL;
	struct tables *t;
	FILE *in = fmemopen(text, strlen(text), "r");
	struct err e = { 0 };

	if (!in || routerconf_parse(in, "guard", &c, &e) < 0 ||
	    plan_make(&c, &plan) < 0)
		die("no configuration");
	for (unsigned i = 0; i < N_VNICS; i++) {
		ports[i].up = 1;
		ports[i].mtu = c.vnic[i].mtu;
		memcpy(ports[i].mac, c.vnic[i].mac, 6);
	}
	bench_mac(BENCH_HOP, hop.mac);
	t = tables_make(plan, ports, &hop, 1, used);
	if (!t)
		die("no memory for tables");
	return t;
}

static void
open_queues(struct router *r)
{
	struct vnic_queue *data;

	if (vnic_attach_env(&r->vnic) < 0 ||
	    vnic_queue_open(r->vnic, 0, &data) < 0 ||
	    vnic_queue_open(r->vnic, 1, &r->control) < 0 ||
	    pipeline_init(&r->path, r->vnic, data) < 0)
		die("cannot attach");
	publish_swap(&r->publish, make_tables());
}

/* A turn of fast_run(). */
static void __attribute__((noipa)) router_turn(struct router *r)
{
	if (vnic_poll(r->path.queue) == VNIC_RUN)
		pipeline_turn(&r->path, publish_enter(&r->publish, 0));
	vnic_flush(r->path.queue);
}

int
main(void)
{
	static struct router r;
	char c;

	open_queues(&r);
	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (c == 't') {
			router_turn(&r);
		} else {
			vnic_poll(r.path.queue);
			vnic_poll(r.control);
		}
		if (write(STDOUT_FILENO, &c, 1) != 1)
			die("the host does not listen");
	}
	return 0;
}
