/* SPDX-License-Identifier: Apache-2.0 */
/* wiring: links and segments as objects, and what they make of vNICs. */
#include "agent/wiring.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

const char *
wiring_kind_text(enum model_wiring_kind kind)
{
	return kind == MODEL_LINK ? "link" : "segment";
}

struct wiring *
wiring_by_name(const struct node *n, const struct project *p,
    enum model_wiring_kind kind, const char *name)
{
	for (struct wiring *w = n->wiring; w; w = w->next)
		if (w->project == p && w->spec.kind == kind &&
		    strcmp(w->spec.name, name) == 0)
			return w;
	return NULL;
}

const struct wiring *
wiring_of(const struct node *n, const struct project *p, const char *router,
    const char *vnic, unsigned *end)
{
	for (const struct wiring *w = n->wiring; w; w = w->next)
		for (unsigned i = 0; i < w->spec.n_ends; i++)
			if (w->project == p &&
			    strcmp(w->spec.end[i].vnic, vnic) == 0 &&
			    strcmp(w->spec.end[i].router, router) == 0) {
				*end = i;
				return w;
			}
	return NULL;
}

struct wiring *
wiring_new(struct node *n, const struct project *p,
    const uint8_t uid[UID_BYTES], struct model_wiring *spec)
{
	struct wiring *w = calloc(1, sizeof(*w));
	struct wiring **at = &n->wiring;

	if (!w)
		return NULL;
	w->project = p;
	memcpy(w->uid, uid, UID_BYTES);
	uid_text(uid, w->uid_text);
	w->spec = *spec;
	spec->labels = NULL;
	while (*at)
		at = &(*at)->next;
	*at = w;
	return w;
}

void
wiring_free(struct node *n, struct wiring *w)
{
	struct wiring **at = &n->wiring;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	model_wiring_clear(&w->spec);
	free(w);
}

/* --- store ------------------------------------------------------------------------ */

int
wiring_store(struct node *n, const struct wiring *w,
    const struct model_wiring *spec, uint64_t generation, struct err *e)
{
	json_t *body = json_pack("{s:O, s:o}", "labels", spec->labels, "spec",
	    model_wiring_spec(spec));
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct store_object row = {
		.kind = wiring_kind_text(spec->kind),
		.uid = w->uid_text,
		.project = w->project->spec.name,
		.name = spec->name,
		.generation = generation,
		.created = w->created,
		.body = text,
	};

	json_decref(body);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return store_put_object(n->store, &row, e);
}

int
wiring_load(void *arg, const struct store_object *row)
{
	struct node *n = arg;
	struct project *project = node_project(n, row->project);
	json_t *body = json_loads(row->body, 0, NULL);
	struct model_wiring spec;
	struct wiring *w = NULL;
	uint8_t uid[UID_BYTES];
	struct problem p;

	problem_init(&p);
	model_wiring_init(&spec,
	    strcmp(row->kind, "segment") == 0 ? MODEL_SEGMENT : MODEL_LINK);
	if (!body || !project || !uid_parse(row->uid, uid) ||
	    model_wiring_read(&spec, body, row->name, &p) < 0)
		log_err("the stored %s %s cannot be read: %s", row->kind,
		    row->name, p.n_errors ? p.error[0].detail : "bad row");
	else
		w = wiring_new(n, project, uid, &spec);
	model_wiring_clear(&spec);
	problem_clear(&p);
	json_decref(body);
	if (!w)
		return -EINVAL;
	w->generation = row->generation;
	snprintf(w->created, sizeof(w->created), "%s", row->created);
	return 0;
}

/* --- what vNICs become ------------------------------------------------------------- */

const struct model_vnic *
wiring_attach(const struct node *n, const struct project *p, const char *router,
    const struct model_vnic *v, struct model_vnic *buf)
{
	const struct model_end *other;
	const struct wiring *w;
	unsigned end;

	if (v->attach != MODEL_ATTACH_NONE)
		return v;
	w = wiring_of(n, p, router, v->name, &end);
	if (!w)
		return v;
	*buf = *v;
	if (w->spec.kind == MODEL_SEGMENT) {
		buf->attach = MODEL_ATTACH_SEGMENT;
		memcpy(buf->port, w->spec.name, sizeof(buf->port));
		return buf;
	}
	other = &w->spec.end[!end];
	if (other->router[0]) {
		buf->attach = MODEL_ATTACH_VNIC;
		memcpy(buf->router, other->router, sizeof(buf->router));
		memcpy(buf->peer, other->vnic, sizeof(buf->peer));
	} else {
		buf->attach = MODEL_ATTACH_PORT;
		memcpy(buf->port, other->port, sizeof(buf->port));
		buf->vlan = w->spec.match.vlan;
		buf->trunk = w->spec.trunk;
	}
	return buf;
}

void
wiring_segment_uid(const struct node *n, const struct project *p,
    const char *name, uint8_t uid[WIRE_UID_BYTES])
{
	const struct wiring *w = wiring_by_name(n, p, MODEL_SEGMENT, name);

	if (w)
		memcpy(uid, w->uid, WIRE_UID_BYTES);
}

static void
put_impair(struct wire_impair *out, const struct model_impair *in)
{
	if (!model_impair_is_active(in))
		return;
	out->seed = in->seed;
	out->rate_bps = in->rate_bps;
	out->delay_us = in->delay_us;
	out->jitter_us = in->jitter_us;
	out->loss_ppm = in->loss_ppm;
	out->burst_begin_ppm = in->burst_begin_ppm;
	out->burst_end_ppm = in->burst_end_ppm;
	out->burst_loss_ppm = in->burst_loss_ppm;
	out->duplicate_ppm = in->duplicate_ppm;
	out->reorder_ppm = in->reorder_ppm;
	out->queue_packets = in->queue_packets;
}

void
wiring_impair(const struct node *n, const struct project *p, const char *router,
    const char *vnic, struct wire_impair out[WIRE_N_WAYS])
{
	const struct wiring *w;
	unsigned end;

	memset(out, 0, WIRE_N_WAYS * sizeof(*out));
	w = wiring_of(n, p, router, vnic, &end);
	if (!w || w->spec.kind != MODEL_LINK)
		return;
	put_impair(&out[WIRE_TX],
	    &w->spec.impair[end == 0 ? MODEL_FORWARD : MODEL_REVERSE]);
	/* what another vNIC sends is impaired as it sends it */
	if (!w->spec.end[!end].router[0])
		put_impair(&out[WIRE_RX],
		    &w->spec.impair[end == 0 ? MODEL_REVERSE : MODEL_FORWARD]);
}

bool
wiring_uses_port(
    const struct node *n, const struct port *port, char *buf, size_t size)
{
	for (const struct wiring *w = n->wiring; w; w = w->next)
		for (unsigned i = 0; i < w->spec.n_ends; i++)
			if (w->project == port->project &&
			    strcmp(w->spec.end[i].port, port->spec.name) == 0) {
				snprintf(buf, size, "link %s", w->spec.name);
				return true;
			}
	return false;
}
