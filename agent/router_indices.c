/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_indices: which place in the table of its memory each vNIC of a router
 * has. A place that a vNIC has left is burnt: both sides serve its rings until
 * the epoch of every queue has ended, so that no packet is taken for another
 * vNIC's. When none is left, router_plane.c has the epochs ended.
 *
 * What was burnt before this europad started is not known here: the data plane
 * refuses such an index, and then it is.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/vnic_ring.h"

int
router_vnic_index(const struct router *r, const char *name)
{
	if (!r->has_memory)
		return -1;
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++)
		if (r->vnic[i].used && strcmp(r->vnic[i].wire.name, name) == 0)
			return (int)i;
	return -1;
}

static uint32_t
epoch_word(const struct router *r, unsigned q)
{
	return vnic_epoch_load(&vnic_host_line(&r->layout, r->host, q)->h);
}

/* Does an epoch run in which it was another vNIC's? One that waits can end. */
static bool
is_burnt(const struct router *r, unsigned i)
{
	for (unsigned q = 0; q < r->layout.g.n_queues; q++) {
		uint32_t h = epoch_word(r, q);

		if (r->vnic[i].burnt[q] != 0 &&
		    r->vnic[i].burnt[q] == vnic_h_epoch(h) &&
		    vnic_h_state(h) == VNIC_STATE_RUN)
			return true;
	}
	return false;
}

int
router_take_index(struct router *r, const struct model_vnic *v)
{
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++) {
		struct router_vnic *x = &r->vnic[i];

		if (x->used || is_burnt(r, i))
			continue;
		memset(x, 0, sizeof(*x));
		x->used = true;
		memcpy(x->wire.name, v->name, sizeof(v->name));
		memcpy(x->wire.mac, v->mac, 6);
		x->wire.mtu = v->mtu;
		/* the other end of a link may wait for it */
		node_kick(r->node);
		return (int)i;
	}
	return -1;
}

void
router_burn_index(struct router *r, unsigned i)
{
	struct router_vnic *x;

	if (!r->has_memory || i >= r->layout.g.max_vnics)
		return;
	x = &r->vnic[i];
	for (unsigned q = 0; q < r->layout.g.n_queues; q++)
		x->burnt[q] = vnic_h_epoch(epoch_word(r, q));
	x->used = x->sent = x->link_sent = x->macs_sent = false;
}

bool
router_has_burnt_index(const struct router *r)
{
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++)
		if (!r->vnic[i].used && is_burnt(r, i))
			return true;
	return false;
}
