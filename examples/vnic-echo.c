/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic-echo: a complete data plane of a router in one page. Every frame goes
 * back where it came from, its MAC addresses swapped; nothing is ever held, so
 * there is nothing to forget when an epoch ends. One thread serves all queues.
 */
#include "lib/vnic.h"

#include <string.h>

enum { BURST = 32 };

static unsigned
echo(struct vnic_queue *q, unsigned vnic)
{
	struct vnic_frame f[BURST];
	unsigned n = vnic_rx(q, vnic, f, BURST);

	for (unsigned i = 0; i < n; i++) {
		uint8_t mac[6];

		memcpy(mac, f[i].data, 6);
		memcpy(f[i].data, f[i].data + 6, 6);
		memcpy(f[i].data + 6, mac, 6);
	}
	vnic_tx(q, vnic, f, n);
	return n;
}

int
main(void)
{
	struct vnic_queue *q[VNIC_MAX_QUEUES];
	const struct vnic_geometry *g;
	struct vnic *v;

	if (vnic_attach_env(&v) < 0)
		return 1;
	g = &vnic_layout(v)->g;
	for (unsigned i = 0; i < g->n_queues; i++)
		if (vnic_queue_open(v, i, &q[i]) < 0)
			return 1;
	for (;;) {
		unsigned work = 0;

		for (unsigned i = 0; i < g->n_queues; i++) {
			enum vnic_status status = vnic_poll(q[i]);

			if (status == VNIC_GONE)
				return 0;
			for (unsigned k = 0; k < g->max_vnics; k++)
				if (status == VNIC_RUN)
					work += echo(q[i], k);
			vnic_flush(q[i]);
		}
		if (work == 0 && vnic_wait(q, g->n_queues, 1000) < 0)
			return 1;
	}
}
