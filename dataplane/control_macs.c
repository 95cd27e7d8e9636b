/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_macs: the MACs that a vNIC may use beside its own. What is checked here
 * is the list alone; what of it is somebody else's changes with every vNIC and
 * port that comes, so each plan sees to that anew (plan_macs.c).
 */
#include "dataplane/control_macs.h"

static bool
is_same(const struct wire_macs *a, const struct wire_macs *b)
{
	return a->n == b->n && memcmp(a->mac, b->mac, a->n * 6) == 0;
}

/* Why m is no list of MACs, or NULL. */
static const char *
flaw_of(const struct wire_macs *m)
{
	static const uint8_t zeros[6];

	for (uint32_t i = 0; i < m->n; i++) {
		if (m->mac[i][0] & 1 || memcmp(m->mac[i], zeros, 6) == 0)
			return "one is a group's, or zero";
		for (uint32_t k = 0; k < i; k++)
			if (memcmp(m->mac[i], m->mac[k], 6) == 0)
				return "one is given twice";
	}
	return NULL;
}

int
control_macs(struct node *n, const struct wire_macs *m, struct err *e)
{
	struct set *s = node_set(n, m->uid);
	struct wire_macs was;
	struct set_vnic *v;
	const char *flaw;

	if (!s)
		return err_set(
		    e, -ENOENT, "the data plane has no set of this router");
	if (m->index >= s->maps.l.g.max_vnics || !s->vnic[m->index].up)
		return err_set(
		    e, -ENOENT, "vNIC index %u is not there", m->index);
	v = &s->vnic[m->index];
	flaw = flaw_of(m);
	if (flaw)
		return err_set(e, -EINVAL, "vNIC %s: of the MACs it may use %s",
		    v->v.name, flaw);
	if (is_same(&v->macs, m))
		return 0; /* europad says all again when it comes back */
	was = v->macs;
	v->macs = *m;
	if (node_publish(n) < 0) {
		v->macs = was;
		return err_set(e, -ENOMEM, "no memory for a new plan");
	}
	return 0;
}

void
control_macs_forget(struct set *s, uint32_t index)
{
	memset(&s->vnic[index].macs, 0, sizeof(s->vnic[index].macs));
}
