/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unruly: data planes of tenants who care for nobody, without breaking a rule;
 * for the experiment noisy.
 *
 *	unruly MODE [MAC]
 *
 *	flood    sends packets of its own through vNIC 0, as fast as it can
 *	stall    takes nothing out of its rings
 *	burn     drops all, and four threads do nothing but use the processor
 *	pingpong sends every packet back, and begins with some of its own to MAC
 *
 * It runs in the container of a router, linked statically.
 */
#include "lib/base.h"
#include "lib/vnic.h"
#include "tests/bench/packet.h"

#include <pthread.h>
#include <stdio.h>

enum { N_BURNERS = 4, MAX_BALLS = 256 };

static uint8_t partner[6] = { 2, 0, 0, 9, 9, 9 }; /* nobody */

/* A datagram in each of the slots; its source is what the host allows. */
static void
fill(struct vnic *v, struct vnic_frame *f, unsigned n, unsigned vnic)
{
	struct vnic_info info;

	if (!vnic_info(v, vnic, &info))
		return;
	for (unsigned i = 0; i < n; i++) {
		bench_datagram(f[i].data, BENCH_FRAME_BYTES, partner);
		memcpy(f[i].data + 6, info.mac, 6);
		f[i].len = BENCH_FRAME_BYTES;
	}
}

static void
send_own(struct vnic *v, struct vnic_queue *q, unsigned vnic)
{
	struct vnic_frame f[VNIC_BURST];
	unsigned n = vnic_grant(q, f, VNIC_BURST);

	fill(v, f, n, vnic);
	vnic_tx(q, vnic, f, n);
}

static unsigned
drop_all(struct vnic_queue *q, unsigned vnic)
{
	struct vnic_frame f[VNIC_BURST];
	unsigned n = vnic_rx(q, vnic, f, VNIC_BURST);

	vnic_done(q, f, n, VNIC_DONE_OTHER);
	return n;
}

static unsigned
send_back(struct vnic_queue *q, unsigned vnic)
{
	struct vnic_frame f[VNIC_BURST];
	unsigned n = vnic_rx(q, vnic, f, VNIC_BURST);

	for (unsigned i = 0; i < n; i++) {
		uint8_t mac[6];

		memcpy(mac, f[i].data, 6);
		memcpy(f[i].data, f[i].data + 6, 6);
		memcpy(f[i].data + 6, mac, 6);
	}
	vnic_tx(q, vnic, f, n);
	return n;
}

/* The first balls, through all vNICs: the other side of a link sends them back. */
static void
serve_balls(struct vnic *v, struct vnic_queue *q, unsigned *n_balls)
{
	unsigned n_vnics = vnic_layout(v)->g.max_vnics;

	for (unsigned i = 0; i < n_vnics; i++) {
		send_back(q, i);
		if (*n_balls < MAX_BALLS) {
			send_own(v, q, i);
			*n_balls += 1;
		}
	}
}

static void *
burn(void *arg)
{
	static volatile uint64_t x;

	(void)arg;
	for (;;)
		x++;
	return NULL;
}

static void
start_burners(void)
{
	pthread_t t;

	for (unsigned i = 0; i < N_BURNERS; i++)
		if (pthread_create(&t, NULL, burn, NULL) != 0)
			return;
}

static void
serve(struct vnic *v, struct vnic_queue *q, const char *mode, unsigned *n_balls)
{
	unsigned n_vnics = vnic_layout(v)->g.max_vnics;

	if (strcmp(mode, "stall") == 0)
		return;
	if (strcmp(mode, "pingpong") == 0) {
		serve_balls(v, q, n_balls);
		return;
	}
	for (unsigned i = 0; i < n_vnics; i++)
		drop_all(q, i);
	if (strcmp(mode, "flood") == 0)
		send_own(v, q, 0);
}

int
main(int argc, char **argv)
{
	struct vnic_queue *q[VNIC_MAX_QUEUES] = { NULL };
	struct vnic *v = NULL;
	unsigned n_queues = 0, n_balls = 0;
	enum vnic_status status = VNIC_WAIT;
	int rc;

	if (argc < 2) {
		fputs(
		    "usage: unruly flood|stall|burn|pingpong [MAC]\n", stderr);
		return 2;
	}
	if (argc > 2)
		bench_mac(argv[2], partner);
	rc = vnic_attach_env(&v);
	if (rc == 0)
		n_queues = vnic_layout(v)->g.n_queues;
	for (unsigned i = 0; i < n_queues && rc == 0; i++)
		rc = vnic_queue_open(v, i, &q[i]);
	if (rc == 0 && strcmp(argv[1], "burn") == 0)
		start_burners();
	while (rc == 0 && status != VNIC_GONE) {
		for (unsigned i = 0; i < n_queues && status != VNIC_GONE; i++) {
			status = vnic_poll(q[i]);
			if (status == VNIC_RUN)
				serve(v, q[i], argv[1], &n_balls);
			vnic_flush(q[i]);
		}
	}
	for (unsigned i = 0; i < n_queues; i++)
		vnic_queue_close(q[i]);
	vnic_detach(v);
	return rc == 0 ? 0 : 1;
}
