/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_macs: MACs that vNICs may use beside their own, against what else has
 * them: the vNIC itself, the node's ports, links that mean frames by their MAC.
 * Other vNICs are wiring_clash()'s. A port that comes later may have one of
 * them all the same: then the data plane leaves that out.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <stdio.h>

struct check {
	struct node *n;
	const struct project *project;
	const struct model_router *spec;
	struct problem *p;
};

static int
refuse(const struct check *c, const char *slug, const char *at, const char *why)
{
	problem_set(c->p, 409, slug, "choose another", "%s", why);
	snprintf(
	    c->p->error[0].pointer, sizeof(c->p->error[0].pointer), "%s", at);
	snprintf(
	    c->p->error[0].detail, sizeof(c->p->error[0].detail), "%s", why);
	c->p->n_errors = 1;
	return -EEXIST;
}

/* A host answers to it: of any project, and whatever v is attached to. */
static bool
is_of_a_port(const struct check *c, const uint8_t *mac)
{
	for (const struct port *p = c->n->ports; p; p = p->next)
		if (memcmp(p->mac, mac, 6) == 0)
			return true;
	return false;
}

static int
check_mac(const struct check *c, const struct model_vnic *v, const uint8_t *mac,
    const char *at)
{
	struct model_vnic buf;
	const struct wiring *w;
	char why[256];

	if (memcmp(mac, v->mac, 6) == 0)
		return problem_add(
		    c->p, at, "is the vNIC's own: that is allowed in any case");
	if (is_of_a_port(c, mac))
		return refuse(
		    c, "in-use", at, "it is that of a port of the node");
	w = wiring_by_mac(c->n, c->project, c->spec->name,
	    wiring_attach(c->n, c->project, c->spec->name, v, &buf), mac);
	if (!w)
		return 0;
	snprintf(why, sizeof(why), "frames to that MAC are those of link %s",
	    w->spec.name);
	return refuse(c, "rule-overlap", at, why);
}

int
check_allow_macs(struct node *n, const struct project *project,
    const struct model_router *spec, struct problem *p)
{
	const struct check c = {
		.n = n, .project = project, .spec = spec, .p = p
	};
	char at[64];

	for (unsigned i = 0; i < spec->n_vnics; i++)
		for (unsigned k = 0; k < spec->vnic[i].n_allow_macs; k++) {
			snprintf(at, sizeof(at), "/spec/vnics/%u/allow_macs/%u",
			    i, k);
			if (check_mac(&c, &spec->vnic[i],
				spec->vnic[i].allow_mac[k], at) < 0)
				return -EINVAL;
		}
	return 0;
}
