/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_router: a router between JSON and struct model_router.
 *
 * Also what concerns several vNICs of one router: no two may share a name, a
 * MAC or an address.
 */
#include "api/model_int.h"

#include "lib/base.h"
#include "lib/cpus.h"

#include <stdio.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static void
quota_init(struct model_quota *q)
{
	*q = (struct model_quota){
		.cpu_millis = 1000,
		.mem_bytes = 64 * MIB,
		.pids = 64,
		.disk_bytes = 16 * MIB,
		.pool_slots = 1024,
		.vnics_max = MODEL_MAX_VNICS,
	};
	model_rates_init(&q->rates);
}

void
model_router_init(struct model_router *r)
{
	*r = (struct model_router){
		.template = "router",
		.power = MODEL_RUNNING,
		.labels = json_object(),
	};
	quota_init(&r->quota);
}

void
model_router_clear(struct model_router *r)
{
	free(r->route);
	json_decref(r->labels);
	memset(r, 0, sizeof(*r));
}

static void
read_u32(const struct model_reader *in, const char *key,
    const struct model_range *range, uint32_t *out)
{
	uint64_t v;

	if (model_take_uint(in, key, range, &v))
		*out = (uint32_t)v; /* every range that is used fits */
}

static void
read_cpu_set(struct model_quota *q, const struct model_reader *in)
{
	const char *s =
	    model_take_string(in, "cpu_set", sizeof(q->cpu_set) - 1);
	struct cpus cpus;

	if (s && *s && !cpus_parse(s, &cpus))
		model_complain(
		    in, "cpu_set", "must be a list of cores, such as 0-1,3");
	else if (s)
		snprintf(q->cpu_set, sizeof(q->cpu_set), "%s", s);
}

/* parent has it as its member key. */
static void
read_quota(
    struct model_quota *q, const struct model_reader *parent, const char *key)
{
	static const char *const known[] = { "cpu_millis", "mem_bytes", "pids",
		"disk_bytes", "pool_slots", "vnics_max", "cpu_set",
		MODEL_RATE_KEYS, NULL };
	static const struct model_range cpu = { .min = 10, .max = 1000000 };
	static const struct model_range pids = { .min = 4, .max = 32768 };
	static const struct model_range slots = { .min = 2, .max = 65536 };
	static const struct model_range vnics = {
		.min = 1,
		.max = MODEL_MAX_VNICS,
	};
	static const struct model_range mem = { 8 * MIB, TIB, true, false };
	static const struct model_range disk = { MIB, TIB, true, false };
	const json_t *v = model_take_object(parent, key);
	char at[MODEL_AT_BYTES];
	struct model_reader in;

	if (!v)
		return;
	model_at(at, parent->at, key);
	if (!model_reader_begin(&in, v, at, known, parent->p))
		return;
	read_u32(&in, "cpu_millis", &cpu, &q->cpu_millis);
	read_u32(&in, "pids", &pids, &q->pids);
	read_u32(&in, "pool_slots", &slots, &q->pool_slots);
	read_u32(&in, "vnics_max", &vnics, &q->vnics_max);
	read_cpu_set(q, &in);
	model_take_uint(&in, "mem_bytes", &mem, &q->mem_bytes);
	model_take_uint(&in, "disk_bytes", &disk, &q->disk_bytes);
	model_rates_take(&in, &q->rates);
}

int
model_quota_read(struct model_quota *out, const json_t *body, struct problem *p)
{
	static const char *const known[] = { "limit", "kind", "router",
		"effective", "usage", NULL };
	unsigned before = p->n_errors;
	struct model_reader in;
	struct model_quota q;

	quota_init(&q);
	if (model_reader_begin(&in, body, "", known, p))
		read_quota(&q, &in, "limit");
	if (p->n_errors != before)
		return -EINVAL;
	*out = q;
	return 0;
}

/* Where two vNICs have the same address; -1: nowhere. */
static int
shared_address(const struct model_vnic *a, const struct model_vnic *b)
{
	for (unsigned i = 0; i < a->n_addresses; i++)
		for (unsigned j = 0; j < b->n_addresses; j++)
			if (a->address[i].family == b->address[j].family &&
			    memcmp(a->address[i].bytes, b->address[j].bytes,
				16) == 0)
				return (int)i;
	return -1;
}

static void
compare_vnics(const struct model_reader *in, const struct model_vnic *v,
    const struct model_vnic *other)
{
	int clash = shared_address(v, other);
	char text[64], key[32];

	if (v->name[0] && strcmp(v->name, other->name) == 0)
		model_complain(in, "name",
		    "\"%s\" is the name of another vNIC of this router",
		    v->name);
	if (v->has_mac && other->has_mac && memcmp(v->mac, other->mac, 6) == 0)
		model_complain(
		    in, "mac", "is the MAC of vNIC \"%s\" too", other->name);
	if (clash < 0)
		return;
	model_address_text(&v->address[clash], text, sizeof(text));
	snprintf(key, sizeof(key), "addresses");
	model_complain(
	    in, key, "%s is an address of vNIC \"%s\" too", text, other->name);
}

static void
read_vnics(struct model_router *r, const struct model_reader *spec)
{
	const json_t *list = model_take_array(spec, "vnics", MODEL_MAX_VNICS);
	char list_at[MODEL_AT_BYTES], at[MODEL_AT_BYTES];

	if (!list)
		return;
	model_at(list_at, spec->at, "vnics");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct model_vnic *v = &r->vnic[i];
		struct model_reader in = { .at = at, .p = spec->p };

		model_at_index(at, list_at, i);
		in.obj = json_array_get(list, i);
		*v = (struct model_vnic){ 0 };
		model_vnic_read(v, in.obj, at, spec->p);
		r->n_vnics = (unsigned)i + 1;
		for (size_t j = 0; j < i; j++)
			compare_vnics(&in, v, &r->vnic[j]);
		if (v->attach == MODEL_ATTACH_VNIC &&
		    strcmp(v->router, r->name) == 0 &&
		    strcmp(v->peer, v->name) == 0)
			model_complain(&in, "attach", "links it to itself");
	}
}

static void
read_power(struct model_router *r, const struct model_reader *in)
{
	const char *s = model_take_string(in, "power", 64);
	int power = s ? model_power_parse(s) : 0;

	if (!s)
		return;
	if (power < 0)
		model_complain(
		    in, "power", "must be running, stopped or paused");
	else
		r->power = (enum model_power)power;
}

static void
read_dataplane(struct model_router *r, const struct model_reader *in)
{
	const char *s =
	    model_take_string(in, "dataplane", sizeof(r->dataplane) - 1);

	if (!s)
		return;
	if (*s != '\0' && *s != '/') {
		model_complain(in, "dataplane",
		    "must be an absolute path in the container");
		return;
	}
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			model_complain(
			    in, "dataplane", "holds a control character");
			return;
		}
	snprintf(r->dataplane, sizeof(r->dataplane), "%s", s);
}

static void
read_spec(struct model_router *r, const json_t *spec, struct problem *p)
{
	static const char *const known[] = { "template", "power", "quota",
		"vnics", "routes", "dataplane", "restart_policy", "protected",
		"lease", NULL };
	struct model_reader in;
	unsigned before;
	const json_t *routes;

	if (!model_reader_begin(&in, spec, "/spec", known, p))
		return;
	model_take_name(&in, "template", r->template, sizeof(r->template));
	read_power(r, &in);
	read_quota(&r->quota, &in, "quota");
	read_dataplane(r, &in);
	model_care_read(r, &in);
	before = p->n_errors;
	read_vnics(r, &in);
	routes = model_take_array(&in, "routes", MODEL_MAX_ROUTES);
	/* routes lean on vNICs: wrong ones would only cause echoes */
	if (routes && p->n_errors == before)
		model_route_list_read(r, routes, "/spec/routes", p);
}

int
model_router_read(struct model_router *out, const json_t *body,
    const char *name, struct problem *p)
{
	static const char *const known[] = { "name", "labels", "spec", "kind",
		"project", "uid", "generation", "created", "status", NULL };
	unsigned before = p->n_errors;
	struct model_reader in;
	struct model_router r;
	const json_t *spec;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	model_router_init(&r);
	model_take_own_name(&in, name, r.name);
	model_take_labels(&in, &r.labels);
	spec = json_object_get(body, "spec");
	if (spec)
		read_spec(&r, spec, p);
	if (!r.labels)
		problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	if (!r.labels || p->n_errors != before) {
		model_router_clear(&r);
		return -EINVAL;
	}
	model_router_clear(out);
	*out = r;
	return 0;
}

json_t *
model_quota_json(const struct model_quota *q)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}",
	    "cpu_millis", (json_int_t)q->cpu_millis, "mem_bytes",
	    (json_int_t)q->mem_bytes, "pids", (json_int_t)q->pids, "disk_bytes",
	    (json_int_t)q->disk_bytes, "pool_slots", (json_int_t)q->pool_slots,
	    "vnics_max", (json_int_t)q->vnics_max, "cpu_set", q->cpu_set);

	model_rates_put(o, &q->rates);
	return o;
}

json_t *
model_router_spec(const struct model_router *r)
{
	json_t *vnics = json_array();
	json_t *spec;

	for (unsigned i = 0; i < r->n_vnics; i++)
		json_array_append_new(vnics, model_vnic_json(&r->vnic[i]));
	spec = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "template",
	    r->template, "power", model_power_text(r->power), "quota",
	    model_quota_json(&r->quota), "vnics", vnics, "routes",
	    model_routes_json(r), "dataplane", r->dataplane);
	if (spec)
		model_care_put(spec, r);
	return spec;
}
