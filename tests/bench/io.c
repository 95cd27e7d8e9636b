/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: the least that a router can do: every frame leaves by the other of two
 * vNICs, its MAC addresses swapped, so that source and sink are different ports.
 * Like europa-router it polls a while before it sleeps.
 *
 *	io [BURST]
 */
#include "tests/bench/bench.h"

#include "lib/vnic.h"

enum { BURST_MAX = 256, N_VNICS = 2, POLL_NS = 30000 };

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

static enum vnic_status
turn(struct vnic_queue *q, unsigned burst, unsigned *work)
{
	enum vnic_status status = vnic_poll(q);

	for (unsigned k = 0; status == VNIC_RUN && k < N_VNICS; k++)
		*work += pass(q, k, burst);
	vnic_flush(q);
	return status;
}

static int
serve(struct vnic_queue **q, unsigned n_queues, unsigned burst)
{
	uint64_t busy_ns = 0;

	for (;;) {
		unsigned work = 0;
		int rc;

		for (unsigned i = 0; i < n_queues; i++)
			if (turn(q[i], burst, &work) == VNIC_GONE)
				return 0;
		if (work > 0) {
			busy_ns = 0;
			continue;
		}
		if (busy_ns == 0)
			busy_ns = bench_now_ns();
		if (bench_now_ns() - busy_ns < POLL_NS)
			continue;
		rc = vnic_wait(q, n_queues, 1000);
		if (rc < 0)
			return rc;
		busy_ns = 0;
	}
}

int
main(int argc, char **argv)
{
	struct vnic_queue *q[VNIC_MAX_QUEUES] = { NULL };
	unsigned n_queues = 0, burst = VNIC_BURST;
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
