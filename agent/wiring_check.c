/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring_check: may a link or a segment be, beside all others? What is named and
 * there has to fit: one link for each vNIC, equal MTUs, no MAC or address twice
 * where vNICs hear each other, room for the packets that wait.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <inttypes.h>
#include <stdio.h>

/* Of the memory for routers, what may wait on links: one part of so many. */
enum {
	QUEUE_PART = 8,
	/* beside the MTU: header, tags, a line begun, and what finds the packet */
	FRAME_MORE = 128,
};

struct check {
	struct node *n;
	const struct project *project;
	const struct model_wiring *spec;
	const struct wiring *old;
	struct problem *p;
};

const char *
wiring_clash(const struct model_vnic *a, const struct model_vnic *b)
{
	if (a->attach != b->attach || strcmp(a->port, b->port) != 0)
		return NULL;
	if (a->attach == MODEL_ATTACH_PORT
		? !a->trunk && !b->trunk && a->vlan != b->vlan
		: a->attach != MODEL_ATTACH_SEGMENT)
		return NULL;
	if (memcmp(a->mac, b->mac, 6) == 0)
		return "mac";
	for (unsigned i = 0; i < a->n_addresses; i++)
		for (unsigned k = 0; k < b->n_addresses; k++)
			if (a->address[i].family == b->address[k].family &&
			    memcmp(a->address[i].bytes, b->address[k].bytes,
				16) == 0)
				return "addresses";
	return NULL;
}

static void
end_pointer(const struct model_wiring *w, unsigned end, char *buf, size_t size)
{
	snprintf(buf, size, "/spec/%s/%u",
	    w->kind == MODEL_LINK ? "ends" : "members", end);
}

/* 409 in-use, with the pointer of one end. */
static int
refuse_end(
    const struct check *c, unsigned end, const char *remedy, const char *why)
{
	problem_set(c->p, 409, "in-use", remedy, "%s", why);
	end_pointer(c->spec, end, c->p->error[0].pointer,
	    sizeof(c->p->error[0].pointer));
	snprintf(
	    c->p->error[0].detail, sizeof(c->p->error[0].detail), "%s", why);
	c->p->n_errors = 1;
	return -EBUSY;
}

/* The vNIC that an end names, or NULL: it may come. */
static const struct model_vnic *
vnic_of(const struct node *n, const struct project *project,
    const struct model_end *e)
{
	const struct router *r = node_router(n, project, e->router);

	return r ? router_find_vnic(r, e->vnic) : NULL;
}

static void
check_end(const struct check *c, unsigned i)
{
	const struct model_end *e = &c->spec->end[i];
	char at[64];

	end_pointer(c->spec, i, at, sizeof(at));
	if (!e->router[0]) {
		if (!node_port(c->n, c->project, e->port))
			problem_add(c->p, at,
			    "no such port %s; POST /v1/ports makes one",
			    e->port);
		return;
	}
	if (node_router(c->n, c->project, e->router) &&
	    !vnic_of(c->n, c->project, e))
		problem_add(
		    c->p, at, "router %s has no vNIC %s", e->router, e->vnic);
}

/* Nobody else has this vNIC. */
static int
check_free(const struct check *c, unsigned i)
{
	const struct model_end *e = &c->spec->end[i];
	const struct model_vnic *v = vnic_of(c->n, c->project, e);
	const struct wiring *other;
	char why[256];
	unsigned end;

	if (v && v->attach != MODEL_ATTACH_NONE) {
		snprintf(why, sizeof(why), "%s:%s is attached by its own spec",
		    e->router, e->vnic);
		return refuse_end(c, i,
		    "PATCH the vNIC with {\"spec\":{\"attach\":null}}", why);
	}
	other = wiring_of(c->n, c->project, e->router, e->vnic, &end);
	if (!other || other == c->old)
		return 0;
	snprintf(why, sizeof(why), "%s:%s is an end of %s %s", e->router,
	    e->vnic, wiring_kind_text(other->spec.kind), other->spec.name);
	return refuse_end(c, i, "delete that one, or name another vNIC", why);
}

/* All MTUs are equal, and no more than that of a port. */
static void
check_mtus(const struct check *c)
{
	const struct model_vnic *first = NULL;
	char at[64], text[128];

	for (unsigned i = 0; i < c->spec->n_ends; i++) {
		const struct model_vnic *v =
		    vnic_of(c->n, c->project, &c->spec->end[i]);

		if (!v)
			continue;
		end_pointer(c->spec, i, at, sizeof(at));
		model_end_text(&c->spec->end[i], text, sizeof(text));
		if (first && first->mtu != v->mtu)
			problem_add(c->p, at, "%s has an mtu of %u, others %u",
			    text, (unsigned)v->mtu, (unsigned)first->mtu);
		first = v;
		for (unsigned k = 0; k < c->spec->n_ends; k++) {
			const struct port *port =
			    node_port(c->n, c->project, c->spec->end[k].port);

			if (port && v->mtu > port->spec.mtu)
				problem_add(c->p, at,
				    "%s has an mtu of %u, port %s of %u", text,
				    (unsigned)v->mtu, port->spec.name,
				    (unsigned)port->spec.mtu);
		}
	}
}

/* v as spec would make it; the node does not know spec yet. */
static const struct model_vnic *
as_wished(
    const struct check *c, const struct model_end *e, struct model_vnic *buf)
{
	struct wiring wish = { .project = c->project, .spec = *c->spec };
	const struct node n = { .wiring = &wish };
	const struct model_vnic *v = vnic_of(c->n, c->project, e);

	return v ? wiring_attach(&n, c->project, e->router, v, buf) : NULL;
}

static bool
is_member(const struct model_wiring *w, const char *router, const char *vnic)
{
	for (unsigned i = 0; i < w->n_ends; i++)
		if (strcmp(w->end[i].router, router) == 0 &&
		    strcmp(w->end[i].vnic, vnic) == 0)
			return true;
	return false;
}

/* Joined by this one, or by what it was: that ends with it. */
static bool
is_end(const struct check *c, const char *router, const char *vnic)
{
	return is_member(c->spec, router, vnic) ||
	       (c->old && is_member(&c->old->spec, router, vnic));
}

static int
refuse_clash(const struct check *c, unsigned i, const char *what,
    const char *router, const char *vnic)
{
	char why[256];

	snprintf(why, sizeof(why), "%s:%s has the same %s there", router, vnic,
	    what[0] == 'm' ? "MAC address" : "address");
	return refuse_end(c, i, "choose another, or another VLAN", why);
}

/* End i beside those that are there already. */
static int
check_clash(const struct check *c, unsigned i)
{
	struct model_vnic mine, buf;
	const struct model_vnic *v = as_wished(c, &c->spec->end[i], &mine);
	const char *what;

	if (!v)
		return 0;
	for (const struct router *r = c->n->routers; r; r = r->next) {
		for (unsigned k = 0; k < r->spec.n_vnics; k++) {
			const struct model_vnic *o = &r->spec.vnic[k];

			if (r->deleting || r->project != c->project ||
			    is_end(c, r->spec.name, o->name))
				continue;
			what = wiring_clash(v, wiring_attach(c->n, r->project,
						   r->spec.name, o, &buf));
			if (what)
				return refuse_clash(
				    c, i, what, r->spec.name, o->name);
		}
	}
	for (unsigned k = 0; k < i; k++) {
		const struct model_end *e = &c->spec->end[k];
		const struct model_vnic *o = as_wished(c, e, &buf);

		what = o ? wiring_clash(v, o) : NULL;
		if (what)
			return refuse_clash(c, i, what, e->router, e->vnic);
	}
	return 0;
}

/* --- memory ------------------------------------------------------------------------- */

/* The vNIC of that end: of wish, if that is its router and has it. */
static const struct model_vnic *
wished_vnic(const struct node *n, const struct project *project,
    const struct model_end *e, const struct model_router *wish)
{
	if (wish && strcmp(e->router, wish->name) == 0)
		for (unsigned i = 0; i < wish->n_vnics; i++)
			if (strcmp(wish->vnic[i].name, e->vnic) == 0)
				return &wish->vnic[i];
	return vnic_of(n, project, e);
}

static bool
is_impaired(const struct model_wiring *w)
{
	for (unsigned d = 0; d < MODEL_N_DIRECTIONS; d++)
		if (model_impair_is_active(&w->impair[d]))
			return true;
	return false;
}

/*
 * What may wait on it, in bytes. Its vNICs are of one MTU, mtu if none is there.
 * wish is a router as it would be, or NULL.
 */
static uint64_t
queue_bytes(const struct node *n, const struct project *project,
    const struct model_wiring *w, const struct model_router *wish, uint64_t mtu)
{
	uint64_t sum = 0;

	if (!is_impaired(w))
		return 0;
	for (unsigned i = 0; i < w->n_ends; i++) {
		const struct model_vnic *v =
		    wished_vnic(n, project, &w->end[i], wish);

		if (v) {
			mtu = v->mtu;
			break;
		}
	}
	if (mtu == 0)
		return 0;
	for (unsigned d = 0; d < MODEL_N_DIRECTIONS; d++)
		if (model_impair_is_active(&w->impair[d]))
			sum += w->impair[d].queue_packets * (mtu + FRAME_MORE);
	return sum;
}

static int
refuse_memory(
    struct problem *p, const char *remedy, uint64_t want, uint64_t best)
{
	problem_set(p, 507, "no-memory", remedy,
	    "packets that wait on links could need %" PRIu64
	    " bytes more, %" PRIu64 " are left for links",
	    want, best);
	p->extra =
	    json_pack("{s:o, s:o}", "wanted", json_integer((json_int_t)want),
		"best", json_integer((json_int_t)best));
	return -ENOSPC;
}

/* A link that comes or changes: vNICs that are still to come may be large. */
static int
check_memory(const struct check *c)
{
	uint64_t most = c->n->mem_bytes / QUEUE_PART, used = 0, best;
	uint64_t want =
	    queue_bytes(c->n, c->project, c->spec, NULL, MODEL_MAX_MTU);

	if (c->old && want <= queue_bytes(c->n, c->project, &c->old->spec, NULL,
				  MODEL_MAX_MTU))
		return 0;
	for (const struct wiring *w = c->n->wiring; w; w = w->next)
		if (w != c->old)
			used += queue_bytes(
			    c->n, w->project, &w->spec, NULL, MODEL_MAX_MTU);
	best = most > used ? most - used : 0;
	if (want <= best)
		return 0;
	return refuse_memory(c->p,
	    "ask for less queue_packets, or change another link", want, best);
}

static bool
has_end(const struct wiring *w, const struct project *project, const char *name)
{
	if (w->project != project)
		return false;
	for (unsigned i = 0; i < w->spec.n_ends; i++)
		if (strcmp(w->spec.end[i].router, name) == 0)
			return true;
	return false;
}

/*
 * A router that comes, or whose MTUs grow, makes links larger that are there
 * already. What is not there takes nothing: it is asked for when it comes.
 */
static int
check_router_memory(const struct node *n, const struct project *project,
    const struct model_router *spec, struct problem *p)
{
	uint64_t most = n->mem_bytes / QUEUE_PART, now = 0, then = 0,
		 beside = 0;

	for (const struct wiring *w = n->wiring; w; w = w->next)
		if (is_impaired(&w->spec) && has_end(w, project, spec->name)) {
			now += queue_bytes(n, project, &w->spec, NULL, 0);
			then += queue_bytes(n, project, &w->spec, spec, 0);
		}
	if (then <= now)
		return 0;
	for (const struct wiring *w = n->wiring; w; w = w->next)
		if (!has_end(w, project, spec->name))
			beside += queue_bytes(n, w->project, &w->spec, NULL, 0);
	if (beside + then <= most)
		return 0;
	return refuse_memory(p,
	    "give its links less queue_packets, or it a smaller mtu",
	    then - now, most > beside + now ? most - beside - now : 0);
}

int
wiring_check(struct node *n, const struct project *project,
    const struct model_wiring *spec, const struct wiring *old,
    struct problem *p)
{
	const struct check c = {
		.n = n,
		.project = project,
		.spec = spec,
		.old = old,
		.p = p,
	};
	const struct wiring *same =
	    wiring_by_name(n, project, spec->kind, spec->name);
	int rc = 0;

	if (same && same != old)
		return problem_set(p, 409, "exists", "choose another name",
		    "%s %s exists", wiring_kind_text(spec->kind), spec->name);
	for (unsigned i = 0; i < spec->n_ends; i++)
		check_end(&c, i);
	check_mtus(&c);
	if (p->status != 0)
		return -EINVAL;
	for (unsigned i = 0; i < spec->n_ends && rc == 0; i++)
		if (spec->end[i].router[0])
			rc = check_free(&c, i);
	for (unsigned i = 0; i < spec->n_ends && rc == 0; i++)
		if (spec->end[i].router[0])
			rc = check_clash(&c, i);
	if (rc == 0)
		rc = wiring_check_match(n, project, spec, old, p);
	return rc < 0 ? rc : check_memory(&c);
}

/* --- routers ------------------------------------------------------------------------ */

/* The MTU of another vNIC or port that w joins it to; 0: nobody is there. */
static unsigned
mtu_beside(struct node *n, const struct wiring *w, unsigned end)
{
	for (unsigned i = 0; i < w->spec.n_ends; i++) {
		const struct model_vnic *v =
		    vnic_of(n, w->project, &w->spec.end[i]);

		if (i != end && v)
			return v->mtu;
	}
	return 0;
}

int
wiring_check_router(struct node *n, const struct project *project,
    const struct model_router *spec, struct problem *p)
{
	char at[64];

	for (unsigned i = 0; i < spec->n_vnics; i++) {
		const struct model_vnic *v = &spec->vnic[i];
		const struct wiring *w;
		const struct port *port;
		unsigned end, mtu;

		w = wiring_of(n, project, spec->name, v->name, &end);
		if (!w)
			continue;
		if (v->attach != MODEL_ATTACH_NONE)
			return problem_set(p, 409, "in-use",
			    "leave its attach away, or delete that one first",
			    "%s:%s is an end of %s %s", spec->name, v->name,
			    wiring_kind_text(w->spec.kind), w->spec.name);
		snprintf(at, sizeof(at), "/spec/vnics/%u/mtu", i);
		mtu = mtu_beside(n, w, end);
		if (mtu != 0 && mtu != v->mtu)
			problem_add(p, at, "%s %s joins it to an mtu of %u",
			    wiring_kind_text(w->spec.kind), w->spec.name, mtu);
		port = w->spec.kind == MODEL_LINK
			   ? node_port(n, project, w->spec.end[!end].port)
			   : NULL;
		if (port && v->mtu > port->spec.mtu)
			problem_add(p, at, "%u is more than the %u of port %s",
			    (unsigned)v->mtu, (unsigned)port->spec.mtu,
			    port->spec.name);
	}
	return p->status ? -EINVAL : check_router_memory(n, project, spec, p);
}
