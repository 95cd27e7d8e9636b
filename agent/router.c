/* SPDX-License-Identifier: Apache-2.0 */
/* router: its object, its memory, its place in the store. See router.h. */
#include "agent/router.h"

#include "agent/keep.h"
#include "lib/base.h"
#include "lib/log.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"

#include <stdio.h>

enum {
	SPARE_VNICS = 4,
	SPARE_SLOTS = 1024, /* that a small pool can grow to while it runs */
};

static void
timer_fired(void *arg)
{
	router_reconcile(arg);
}

struct router *
router_new(struct node *n, struct project *p, const uint8_t uid[UID_BYTES],
    uint32_t id_index, struct model_router *spec)
{
	struct router *r = calloc(1, sizeof(*r));
	struct router **at = &n->routers;

	if (!r)
		return NULL;
	r->spec_view = spec_view_new();
	if (!r->spec_view ||
	    loop_add_timer(n->loop, timer_fired, r, &r->timer) < 0) {
		spec_view_free(r->spec_view);
		free(r);
		return NULL;
	}
	r->node = n;
	r->project = p;
	memcpy(r->uid, uid, UID_BYTES);
	uid_text(uid, r->uid_text);
	r->id_index = id_index;
	r->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	vnic_fds_init(&r->fds);
	r->pid_fd = -1;
	r->gate_sent = -1;
	r->state = r->told = ROUTER_PENDING;
	node_time_text(r->since);
	if (router_care_open(r) < 0 || router_log_open(r) < 0) {
		router_care_close(r);
		loop_del(r->timer);
		*spec = r->spec;
		spec_view_free(r->spec_view);
		free(r);
		return NULL;
	}
	router_live_load(r);
	while (*at)
		at = &(*at)->next;
	*at = r;
	return r;
}

void
router_free(struct router *r)
{
	struct router **at = &r->node->routers;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	router_dismiss_waiters(r, 503, NULL);
	router_drop_memory(r);
	router_live_close(r);
	router_care_close(r);
	router_log_close(r);
	initlink_free(r->link);
	json_decref(r->drops);
	spec_view_free(r->spec_view);
	loop_del(r->pid_source);
	loop_del(r->timer);
	base_close(r->pid_fd);
	model_router_clear(&r->spec);
	free(r->stats);
	free(r);
}

/* --- store ------------------------------------------------------------------- */

json_t *
router_wish_json(const struct model_router *spec)
{
	return json_pack("{s:O, s:o}", "labels", spec->labels, "spec",
	    model_router_spec(spec));
}

int
router_store(struct node *n, const struct router *r,
    const struct model_router *spec, uint64_t generation, struct err *e)
{
	json_t *body =
	    json_pack("{s:O, s:o, s:o*}", "labels", spec->labels, "spec",
		model_router_spec(spec), "lease", router_lease_row(&r->lease));
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct store_router row = {
		.uid = r->uid_text,
		.name = spec->name,
		.id_index = r->id_index,
		.generation = generation,
		.created = r->created,
		.body = text,
		.deleting = r->deleting,
		.project = r->project->spec.name,
	};

	json_decref(body);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return store_put_router(n->store, &row, e);
}

int
router_load(void *arg, const struct store_router *row)
{
	struct node *n = arg;
	struct project *project = node_project(n, row->project);
	json_t *body = json_loads(row->body, 0, NULL);
	struct router_lease lease;
	struct model_router spec;
	struct problem p;
	uint8_t uid[UID_BYTES];
	struct router *r = NULL;

	router_lease_load(&lease, json_object_get(body, "lease"));
	json_object_del(body, "lease");
	problem_init(&p);
	model_router_init(&spec);
	if (!body || !project || !uid_parse(row->uid, uid) ||
	    model_router_read(&spec, body, row->name, &p) < 0)
		log_err("the stored router %s cannot be read: %s", row->name,
		    p.n_errors ? p.error[0].detail : "bad row");
	else
		r = router_new(n, project, uid, row->id_index, &spec);
	model_router_clear(&spec);
	problem_clear(&p);
	json_decref(body);
	if (!r)
		return -EINVAL;
	r->generation = row->generation;
	r->deleting = row->deleting;
	snprintf(r->created, sizeof(r->created), "%s", row->created);
	r->lease = lease;
	router_care_recall(r);
	loop_arm(r->care, 0);
	return 0;
}

int
router_begin_delete(struct router *r, struct err *e)
{
	struct problem p;
	int rc;

	if (r->deleting)
		return 0;
	r->deleting = true;
	rc = router_store(r->node, r, &r->spec, r->generation, e);
	if (rc < 0) {
		r->deleting = false;
		return rc;
	}
	r->not_before_ms = 0;
	problem_init(&p);
	problem_set(&p, 409, "wrong-state", "create a new one",
	    "router %s was deleted meanwhile", r->spec.name);
	router_dismiss_waiters(r, 0, &p);
	problem_clear(&p);
	return 0;
}

/* --- memory ------------------------------------------------------------------ */

void
router_geometry(const struct node *n, const struct model_router *spec,
    struct vnic_geometry *out)
{
	unsigned n_vnics =
	    MIN(spec->n_vnics + SPARE_VNICS, (unsigned)VNIC_MAX_VNICS);
	/* a queue for every worker, and for every fast path */
	unsigned n_data = MIN(MAX(n->cfg.fast_paths, n->plane_workers),
	    (unsigned)VNIC_MAX_QUEUES - 1);
	unsigned mtu = 1500;

	for (unsigned i = 0; i < spec->n_vnics; i++)
		mtu = MAX(mtu, (unsigned)spec->vnic[i].mtu);
	vnic_geometry_for(out, n_data, n_vnics,
	    MAX(spec->quota.pool_slots, (uint32_t)SPARE_SLOTS), mtu);
}

static int
use_memory(struct router *r, struct vnic_fds *fds,
    const struct vnic_geometry *g, const uint8_t set[WIRE_UID_BYTES])
{
	int rc = vnic_layout_make(&r->layout, g);

	if (rc == 0)
		rc = region_check(fds->host, r->layout.host_bytes);
	if (rc == 0)
		rc = region_map(
		    fds->host, r->layout.host_bytes, REGION_RO, &r->host);
	if (rc < 0)
		return rc;
	r->fds = *fds;
	vnic_fds_init(fds);
	memcpy(r->set, set, WIRE_UID_BYTES);
	memset(r->vnic, 0, sizeof(r->vnic));
	memset(r->old_epoch, 0, sizeof(r->old_epoch));
	r->has_memory = true;
	return 0;
}

int
router_make_memory(struct router *r, struct err *e)
{
	struct vnic_geometry g;
	struct vnic_fds fds;
	uint8_t set[WIRE_UID_BYTES];
	int rc;

	router_geometry(r->node, &r->spec, &g);
	rc = uid_make(set);
	if (rc == 0)
		rc = vnic_create(&g, &fds);
	if (rc < 0)
		return err_set(
		    e, rc, "make the packet memory: %s", strerror(-rc));
	rc = use_memory(r, &fds, &g, set);
	if (rc < 0) {
		vnic_fds_close(&fds);
		return err_set(
		    e, rc, "map the packet memory: %s", strerror(-rc));
	}
	keep_memory(r);
	return 0;
}

void
router_drop_memory(struct router *r)
{
	if (!r->has_memory)
		return;
	usage_count(r);
	if (!r->node->stopping)
		keep_no_memory(r);
	region_unmap(r->host, r->layout.host_bytes);
	r->host = NULL;
	vnic_fds_close(&r->fds);
	memset(r->vnic, 0, sizeof(r->vnic));
	memset(&r->traffic, 0, sizeof(r->traffic));
	memset(&r->usage, 0, sizeof(r->usage));
	r->has_memory = false;
	r->set_sent = r->set_known = false;
	r->gate_sent = -1;
}

/* The vNICs that the table names are those that the data plane serves. */
static void
adopt_vnics(struct router *r)
{
	for (unsigned i = 0; i < r->layout.g.max_vnics; i++) {
		struct vnic_entry *e = vnic_entry(&r->layout, r->host, i);

		if (vnic_table_load(&e->state) != VNIC_ENTRY_UP)
			continue;
		r->vnic[i].used = true;
		memcpy(r->vnic[i].wire.name, e->name, VNIC_NAME_BYTES - 1);
		memcpy(r->vnic[i].wire.mac, e->mac, 6);
		r->vnic[i].wire.mtu = (uint16_t)e->mtu;
	}
}

int
router_adopt_memory(struct router *r, struct wire_msg *m)
{
	const struct wire_set *s = &m->u.set;
	struct vnic_fds fds;
	int rc;

	if (r->has_memory)
		return memcmp(r->set, s->set, WIRE_UID_BYTES) == 0 ? 0
								   : -ESTALE;
	if (m->n_fds != 3 + s->g.n_queues)
		return -EBADMSG;
	vnic_fds_init(&fds);
	fds.host = m->fds[0];
	fds.router = m->fds[1];
	fds.pool = m->fds[2];
	fds.n_bells = s->g.n_queues;
	memcpy(fds.bell, m->fds + 3, s->g.n_queues * sizeof(int));
	rc = use_memory(r, &fds, &s->g, s->set);
	if (rc < 0)
		return rc;
	m->n_fds = 0; /* they are ours now */
	keep_memory(r);
	adopt_vnics(r);
	return 0;
}
