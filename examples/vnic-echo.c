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
	struct vnic_queue *q[VNIC_MAX_QUEUES] = { NULL };
	struct vnic *v = NULL;
	unsigned n_queues = 0, work = 0;
	enum vnic_status status = VNIC_WAIT;
	int rc = vnic_attach_env(&v);

	if (rc == 0)
		n_queues = vnic_layout(v)->g.n_queues;
	for (unsigned i = 0; i < n_queues && rc == 0; i++)
		rc = vnic_queue_open(v, i, &q[i]);
	while (rc == 0 && status != VNIC_GONE) {
		if (work == 0)
			rc = vnic_wait(q, n_queues, 1000);
		work = 0;
		for (unsigned i = 0; i < n_queues && status != VNIC_GONE; i++) {
			status = vnic_poll(q[i]);
			for (unsigned k = 0; status == VNIC_RUN &&
					     k < vnic_layout(v)->g.max_vnics;
			     k++)
				work += echo(q[i], k);
			vnic_flush(q[i]);
		}
	}
	for (unsigned i = 0; i < n_queues; i++)
		vnic_queue_close(q[i]);
	vnic_detach(v);
	return rc == 0 ? 0 : 1;
}
