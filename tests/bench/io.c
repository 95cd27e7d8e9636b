/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: the least that a router can do: every frame leaves by the other of two
 * vNICs, its MAC addresses swapped. It is examples/vnic-echo.c but for the way
 * out, so that source and sink can be different ports.
 *
 *	io [BURST]
 */
#include "tests/bench/bench.h"

#include "lib/vnic.h"

enum { BURST_MAX = 256, N_VNICS = 2 };

static unsigned
pass(struct vnic_queue *q, unsigned vnic, unsigned burst)
{
	struct vnic_frame f[BURST_MAX];
	unsigned n = vnic_rx(q, vnic, f, burst);

	for (unsigned i = 0; i < n; i++) {
		uint8_t mac[6];

		memcpy(mac, f[i].data, 6);
		memcpy(f[i].data, f[i].data + 6, 6);
		memcpy(f[i].data + 6, mac, 6);
	}
	vnic_tx(q, vnic ^ 1, f, n);
	return n;
}

static int
serve(struct vnic_queue **q, unsigned n_queues, unsigned burst)
{
	enum vnic_status status = VNIC_WAIT;
	unsigned work = 0;
	int rc = 0;

	while (rc == 0 && status != VNIC_GONE) {
		if (work == 0)
			rc = vnic_wait(q, n_queues, 1000);
		work = 0;
		for (unsigned i = 0; i < n_queues && status != VNIC_GONE; i++) {
			status = vnic_poll(q[i]);
			for (unsigned k = 0; status == VNIC_RUN && k < N_VNICS;
			     k++)
				work += pass(q[i], k, burst);
			vnic_flush(q[i]);
		}
	}
	return rc;
}

int
main(int argc, char **argv)
{
	struct vnic_queue *q[VNIC_MAX_QUEUES] = { NULL };
	unsigned n_queues = 0, burst = 32;
	struct vnic *v = NULL;
	int rc = vnic_attach_env(&v);

	if (argc == 2)
		burst = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2 || burst == 0 || burst > BURST_MAX)
		return 2;
	if (rc == 0)
		n_queues = vnic_layout(v)->g.n_queues;
	for (unsigned i = 0; i < n_queues && rc == 0; i++)
		rc = vnic_queue_open(v, i, &q[i]);
	if (rc == 0)
		rc = serve(q, n_queues, burst);
	for (unsigned i = 0; i < n_queues; i++)
		vnic_queue_close(q[i]);
	vnic_detach(v);
	return rc == 0 ? 0 : 1;
}
