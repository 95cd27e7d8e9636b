/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: may this spec be, on this node, beside all the others? What the model
 * cannot know: ports, peers, clashes of addresses, what the machine can hold,
 * and what a running router cannot change.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <inttypes.h>
#include <stdio.h>

struct check {
	struct node *n;
	const struct project *project;
	const struct model_router *spec;
	const struct router *old;
	struct problem *p;
};

static void
port_names(const struct check *c, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const struct port *p = c->n->ports; p && used < size - 1;
	     p = p->next)
		if (p->project == c->project)
			used += (size_t)snprintf(buf + used, size - used,
			    "%s%s", used ? ", " : "", p->spec.name);
}

static void
check_port(const struct check *c, unsigned i)
{
	const struct model_vnic *v = &c->spec->vnic[i];
	const struct port *port = node_port(c->n, c->project, v->port);
	char at[64], have[160];

	if (!port) {
		snprintf(at, sizeof(at), "/spec/vnics/%u/attach/port", i);
		port_names(c, have, sizeof(have));
		problem_add(c->p, at, "no such port %s (have: %s)", v->port,
		    have[0] ? have : "none; POST /v1/ports makes one");
		return;
	}
	if (v->mtu > port->spec.mtu) {
		snprintf(at, sizeof(at), "/spec/vnics/%u/mtu", i);
		problem_add(c->p, at, "%u is more than the %u of port %s",
		    (unsigned)v->mtu, (unsigned)port->spec.mtu, v->port);
	}
}

/* A peer that is not there yet may come; one that is there has to fit. */
static void
check_peer(const struct check *c, unsigned i)
{
	const struct model_vnic *v = &c->spec->vnic[i];
	const struct router *peer = node_router(c->n, c->project, v->router);
	const struct model_router *spec = c->spec;
	char at[64];

	if (strcmp(v->router, c->spec->name) != 0) {
		if (!peer)
			return;
		spec = &peer->spec;
	}
	snprintf(at, sizeof(at), "/spec/vnics/%u/attach/vnic", i);
	for (unsigned k = 0; k < spec->n_vnics; k++) {
		if (strcmp(spec->vnic[k].name, v->peer) != 0)
			continue;
		if (spec->vnic[k].mtu != v->mtu)
			problem_add(c->p, at,
			    "%s:%s has an mtu of %u, this end %u", v->router,
			    v->peer, (unsigned)spec->vnic[k].mtu,
			    (unsigned)v->mtu);
		return;
	}
	problem_add(c->p, at, "router %s has no vNIC %s", v->router, v->peer);
}

/* A MAC that was kept may be the one that another vNIC is given now. */
static void
check_macs(const struct check *c)
{
	const struct model_vnic *v = c->spec->vnic;
	char at[64];

	for (unsigned i = 0; i < c->spec->n_vnics; i++)
		for (unsigned k = 0; k < i; k++) {
			if (memcmp(v[i].mac, v[k].mac, 6) != 0)
				continue;
			snprintf(at, sizeof(at), "/spec/vnics/%u/mac", i);
			problem_add(c->p, at,
			    "the MAC of vNIC \"%s\" is that of \"%s\" too",
			    v[i].name, v[k].name);
		}
}

/* Two vNICs that hear each other need different names there. */
static int
check_clash(const struct check *c, unsigned i, const char *router,
    const struct model_vnic *other)
{
	struct model_vnic mine, theirs;
	const struct model_vnic *v = wiring_attach(
	    c->n, c->project, c->spec->name, &c->spec->vnic[i], &mine);
	const char *what = wiring_clash(
	    v, wiring_attach(c->n, c->project, router, other, &theirs));
	char at[64];

	if (!what)
		return 0;
	snprintf(at, sizeof(at), "/spec/vnics/%u/%s", i, what);
	problem_set(c->p, 409, "in-use", "choose another, or another VLAN",
	    "router %s, vNIC %s has the same %s on port %s, VLAN %u", router,
	    other->name,
	    strcmp(what, "addresses") == 0 ? "address" : "MAC address", v->port,
	    (unsigned)v->vlan);
	snprintf(
	    c->p->error[0].pointer, sizeof(c->p->error[0].pointer), "%s", at);
	snprintf(c->p->error[0].detail, sizeof(c->p->error[0].detail),
	    "taken by %s:%s", router, other->name);
	c->p->n_errors = 1;
	return -EEXIST;
}

static int
check_clashes(const struct check *c)
{
	int rc = 0;

	for (unsigned i = 0; i < c->spec->n_vnics && rc == 0; i++) {
		for (unsigned k = 0; k < i && rc == 0; k++)
			rc =
			    check_clash(c, i, c->spec->name, &c->spec->vnic[k]);
		for (const struct router *r = c->n->routers; r && rc == 0;
		     r = r->next) {
			if (r == c->old || r->deleting ||
			    r->project != c->project)
				continue; /* and no port is of two */
			for (unsigned k = 0; k < r->spec.n_vnics && rc == 0;
			     k++)
				rc = check_clash(
				    c, i, r->spec.name, &r->spec.vnic[k]);
		}
	}
	return rc;
}

/* --- admission ----------------------------------------------------------------- */

/* r is the router that has it, or NULL: memory in use is kept until it stops. */
static uint64_t
pool_bytes(const struct node *n, const struct model_router *spec,
    const struct router *r)
{
	struct vnic_geometry g;
	struct vnic_layout l;

	router_geometry(n, spec, &g);
	if (vnic_layout_make(&l, &g) < 0)
		return UINT64_MAX / 2;
	if (r && r->has_memory && r->container.state != CONTAINER_STOPPED)
		l.pool_bytes = MAX(l.pool_bytes, r->layout.pool_bytes);
	return l.pool_bytes;
}

struct check_reserved
check_reserved(const struct node *n, const struct router *without)
{
	struct check_reserved sum = { 0 };

	for (const struct router *r = n->routers; r; r = r->next) {
		if (r == without)
			continue;
		sum.mem_bytes += r->spec.quota.mem_bytes;
		sum.pool_bytes += pool_bytes(n, &r->spec, r);
	}
	return sum;
}

static int
check_memory(const struct check *c)
{
	struct check_reserved sum = check_reserved(c->n, c->old);
	uint64_t used = sum.mem_bytes + sum.pool_bytes, best;
	uint64_t want =
	    c->spec->quota.mem_bytes + pool_bytes(c->n, c->spec, c->old);

	best = c->n->mem_bytes > used ? c->n->mem_bytes - used : 0;
	if (want <= best)
		return 0;
	problem_set(c->p, 507, "no-memory",
	    "ask for less mem_bytes or pool_slots, or delete a router",
	    "the router would reserve %" PRIu64
	    " bytes (memory and packet pool), %" PRIu64 " are left",
	    want, best);
	c->p->extra =
	    json_pack("{s:o, s:o}", "wanted", json_integer((json_int_t)want),
		"best", json_integer((json_int_t)best));
	return -ENOSPC;
}

/* A ceiling, not a reservation: only as many as the node's owner wants. */
static int
check_cpu(const struct check *c)
{
	uint64_t want = c->spec->quota.cpu_millis, used = 0, best;

	if (c->n->cpu_millis == 0 ||
	    (c->old && want <= c->old->spec.quota.cpu_millis))
		return 0;
	for (const struct router *r = c->n->routers; r; r = r->next)
		used += r == c->old ? 0 : r->spec.quota.cpu_millis;
	best = c->n->cpu_millis > used ? c->n->cpu_millis - used : 0;
	if (want <= best)
		return 0;
	problem_set(c->p, 507, "no-cpu",
	    "ask for less cpu_millis, or delete a router",
	    "the router would have %" PRIu64 " cpu_millis, %" PRIu64
	    " are left",
	    want, best);
	c->p->extra = json_pack(
	    "{s:I, s:I}", "wanted", (json_int_t)want, "best", (json_int_t)best);
	return -ENOSPC;
}

/*
 * Whether a container may be there, with what it was started with. Before it
 * has been looked for: unless it was wished to be stopped, and still is.
 */
static bool
may_run(const struct check *c)
{
	if (c->old->known)
		return c->old->container.state != CONTAINER_STOPPED;
	return c->old->spec.power != MODEL_STOPPED ||
	       c->spec->power != MODEL_STOPPED;
}

/* What of its quota cannot be; best is what could be given. */
static int
exceeded(const struct check *c, const char *pointer, uint64_t want,
    uint64_t best, const char *remedy)
{
	const char *key = strrchr(pointer, '/') + 1;

	problem_add(c->p, pointer,
	    "cannot be %" PRIu64 ", but could be %" PRIu64, want, best);
	problem_set(c->p, 409, "quota-exceeded", remedy,
	    "%s of router %s cannot be %" PRIu64 ", but could be %" PRIu64, key,
	    c->spec->name, want, best);
	c->p->extra = json_pack("{s:{s:I}, s:{s:I}}", "wanted", key,
	    (json_int_t)want, "best", key, (json_int_t)best);
	return -EDQUOT;
}

/* Who leaves the vNICs as they are wants another limit. */
static int
check_vnics_max(const struct check *c)
{
	unsigned n = c->spec->n_vnics, most = c->spec->quota.vnics_max;

	if (n <= most)
		return 0;
	if (c->old && n <= c->old->spec.n_vnics)
		return exceeded(
		    c, "/spec/quota/vnics_max", most, n, "remove vNICs first");
	return exceeded(c, "/spec/vnics", n, most,
	    "ask for fewer vNICs, or for more vnics_max");
}

/* What was taken once stays, though the node's cores be others by now. */
static void
check_cpu_set(const struct check *c)
{
	const char *want = c->spec->quota.cpu_set;
	const char *here = c->n->cpus;
	struct cpus set, all;

	if (c->old && c->old->container.all_cpus[0])
		here = c->old->container.all_cpus;
	if (!*want || (c->old && strcmp(want, c->old->spec.quota.cpu_set) == 0))
		return;
	if (!cpus_parse(want, &set) || !cpus_parse(c->n->cpus, &all) ||
	    !cpus_are_within(&set, &all) || !cpus_parse(here, &all) ||
	    !cpus_are_within(&set, &all))
		problem_add(c->p, "/spec/quota/cpu_set",
		    "it may run on %s, not on all of %s", c->n->cpus, want);
}

/*
 * A limit that cannot be had stops the router: less than what is there is not
 * even tried. What fills up in between is its owner's doing.
 */
static int
check_disk(const struct check *c)
{
	uint64_t want = c->spec->quota.disk_bytes;
	struct container_use use;

	if (!c->old || want >= c->old->spec.quota.disk_bytes ||
	    c->spec->power == MODEL_STOPPED || !may_run(c))
		return 0;
	if (!c->old->known) {
		problem_set(c->p, 503, "busy", "try again in a second",
		    "nobody has looked yet what is on the disk of router %s",
		    c->spec->name);
		return -EBUSY;
	}
	router_container_use(c->old, &use);
	if (use.disk_bytes == CONTAINER_UNKNOWN || use.disk_bytes <= want)
		return 0;
	return exceeded(c, "/spec/quota/disk_bytes", want, use.disk_bytes,
	    "delete files in the router's /var first");
}

/* What only a stopped router can change: its packet memory and its root. */
static int
check_frozen(const struct check *c)
{
	const struct model_quota *a = &c->spec->quota;
	struct vnic_geometry new_g, old_g;
	const char *what = NULL;

	if (!c->old || !may_run(c))
		return 0;
	router_geometry(c->n, c->spec, &new_g);
	router_geometry(c->n, &c->old->spec, &old_g);
	/* less at any time, more as far as the memory goes */
	if (a->pool_slots >
	    (c->old->has_memory ? c->old->layout.g.max_slots : old_g.max_slots))
		what = "/spec/quota/pool_slots";
	else if (new_g.slot_bytes > old_g.slot_bytes)
		what = "/spec/vnics";
	else if (c->old->has_memory &&
		 c->spec->n_vnics > c->old->layout.g.max_vnics)
		what = "/spec/vnics";
	else if (strcmp(c->spec->template, c->old->spec.template) != 0)
		what = "/spec/template";
	if (!what)
		return 0;
	problem_set(c->p, 409, "wrong-state",
	    "PUT power {\"desired\":\"stopped\"}, change it, start it again",
	    "a running router cannot change %s", what);
	return -EBUSY;
}

int
check_router(struct node *n, const struct project *project,
    const struct model_router *spec, const struct router *old,
    struct problem *p)
{
	const struct check c = {
		.n = n,
		.project = project,
		.spec = spec,
		.old = old,
		.p = p,
	};
	const struct router *same = node_router(n, project, spec->name);
	struct err e;
	int rc;

	if (same && same != old)
		return problem_set(p, 409, "exists",
		    "choose another name, or PUT to replace it",
		    "router %s exists", spec->name);
	if ((!old || strcmp(old->spec.template, spec->template) != 0) &&
	    !node_rootfs(n, spec->template, &e))
		problem_add(p, "/spec/template", "%s", e.msg);
	check_macs(&c);
	check_cpu_set(&c);
	for (unsigned i = 0; i < spec->n_vnics; i++) {
		if (spec->vnic[i].attach == MODEL_ATTACH_PORT)
			check_port(&c, i);
		else if (spec->vnic[i].attach == MODEL_ATTACH_VNIC)
			check_peer(&c, i);
	}
	if (p->status != 0)
		return -EINVAL;
	rc = wiring_check_router(n, project, spec, p);
	if (rc < 0)
		return rc;
	rc = check_allow_macs(n, project, spec, p);
	if (rc == 0)
		rc = check_clashes(&c);
	if (rc == 0)
		rc = check_frozen(&c);
	if (rc == 0)
		rc = check_vnics_max(&c);
	if (rc == 0)
		rc = check_disk(&c);
	if (rc == 0)
		rc = project_admits(n, project, spec, old, p);
	if (rc == 0)
		rc = check_memory(&c);
	if (rc == 0)
		rc = check_cpu(&c);
	return rc;
}
