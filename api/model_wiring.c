/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_wiring: links and segments between JSON and struct model_wiring.
 *
 *	link:    {"ends": ["r1:eth1", "port:p0"], "match": {"vlan": 42, ...},
 *	          "trunk": false, "impair": {"forward": {...}, "reverse": {...}}}
 *	segment: {"members": ["r1:eth2", "r2:eth0"]}
 *
 * Whether what they name is there is the agent's to check.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

enum {
	MAX_DELAY_US = 10000000,
	PPM = 1000000,
	MAX_QUEUE = 16384,
	QUEUE = 1000,
	END_BYTES = MODEL_NAME_BYTES + MODEL_VNIC_NAME_BYTES,
};

static const char *const directions[MODEL_N_DIRECTIONS] = { "forward",
	"reverse" };

static void
impair_init(struct model_impair *i)
{
	*i = (struct model_impair){ .burst_end_ppm = PPM,
		.burst_loss_ppm = PPM,
		.queue_packets = QUEUE };
}

void
model_wiring_init(struct model_wiring *w, enum model_wiring_kind kind)
{
	*w = (struct model_wiring){ .kind = kind, .labels = json_object() };
	for (unsigned d = 0; d < MODEL_N_DIRECTIONS; d++)
		impair_init(&w->impair[d]);
}

void
model_wiring_clear(struct model_wiring *w)
{
	json_decref(w->labels);
	w->labels = NULL;
}

bool
model_impair_is_active(const struct model_impair *i)
{
	return i->rate_bps || i->delay_us || i->loss_ppm ||
	       i->burst_begin_ppm || i->duplicate_ppm;
}

/* --- ends ------------------------------------------------------------------------- */

void
model_end_text(const struct model_end *e, char *buf, size_t size)
{
	if (e->router[0])
		snprintf(buf, size, "%s:%s", e->router, e->vnic);
	else
		snprintf(buf, size, "port:%s", e->port);
}

/* Why this text is no end, or NULL: then *out is it. */
static const char *
end_flaw(const json_t *text, struct model_end *out)
{
	const char *s = json_string_value(text), *colon;
	char first[MODEL_NAME_BYTES] = "";

	*out = (struct model_end){ .port = "" };
	if (!s || !(colon = strchr(s, ':')) ||
	    (size_t)(colon - s) >= sizeof(first))
		return "must be \"router:vnic\" or \"port:name\"";
	memcpy(first, s, (size_t)(colon - s));
	if (strcmp(first, "port") == 0) {
		if (!model_name_is_valid(colon + 1))
			return "names no port behind \"port:\"";
		snprintf(out->port, sizeof(out->port), "%s", colon + 1);
		return NULL;
	}
	if (!model_name_is_valid(first) || !model_vnic_name_is_valid(colon + 1))
		return "must be \"router:vnic\" or \"port:name\"";
	memcpy(out->router, first, sizeof(first));
	snprintf(out->vnic, sizeof(out->vnic), "%s", colon + 1);
	return NULL;
}

static bool
is_named(const struct model_wiring *w, const struct model_end *e)
{
	for (unsigned i = 0; i < w->n_ends; i++)
		if (memcmp(&w->end[i], e, sizeof(*e)) == 0)
			return true;
	return false;
}

static void
read_ends(struct model_wiring *w, const struct model_reader *in,
    const char *key, bool ports)
{
	const json_t *list = model_take_array(in, key, MODEL_MAX_MEMBERS);
	char list_at[MODEL_AT_BYTES], at[MODEL_AT_BYTES];

	model_at(list_at, in->at, key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct model_end e;
		const char *why = end_flaw(json_array_get(list, i), &e);

		if (!why && !ports && !e.router[0])
			why = "must be \"router:vnic\": a port joins by a link";
		if (!why && is_named(w, &e))
			why = "is named twice";
		if (why) {
			model_at_index(at, list_at, i);
			problem_add(in->p, at, "%s", why);
			continue;
		}
		w->end[w->n_ends++] = e;
	}
}

/* --- impairments ------------------------------------------------------------------- */

/* A number, of which units go into one; rounded to a whole unit. */
static bool
take_decimal(const struct model_reader *in, const char *key, double units,
    uint32_t max, uint32_t *out)
{
	const json_t *v = json_object_get(in->obj, key);
	double x;

	if (!v)
		return false;
	x = json_is_number(v) ? json_number_value(v) * units : -1;
	if (!(x >= 0 && x <= max)) {
		model_complain(
		    in, key, "must be a number from 0 to %g", max / units);
		return false;
	}
	*out = (uint32_t)(x + 0.5);
	return true;
}

/* Shortest as a whole number, so that 5 stays 5. */
static json_t *
decimal(uint32_t v, uint32_t units)
{
	if (v % units == 0)
		return json_integer(v / units);
	return json_real((double)v / units);
}

enum { PER_MS = 1000, PER_PERCENT = PPM / 100 };

static const struct {
	const char *key;
	size_t offset;
	uint32_t units, max;
} decimals[] = {
#define FIELD(key, field, units, max)                                 \
	{                                                             \
		key, offsetof(struct model_impair, field), units, max \
	}
	FIELD("delay_ms", delay_us, PER_MS, MAX_DELAY_US),
	FIELD("jitter_ms", jitter_us, PER_MS, MAX_DELAY_US),
	FIELD("loss_pct", loss_ppm, PER_PERCENT, PPM),
	FIELD("duplicate_pct", duplicate_ppm, PER_PERCENT, PPM),
	FIELD("reorder_pct", reorder_ppm, PER_PERCENT, PPM),
	FIELD("burst_begin_pct", burst_begin_ppm, PER_PERCENT, PPM),
	FIELD("burst_end_pct", burst_end_ppm, PER_PERCENT, PPM),
	FIELD("burst_loss_pct", burst_loss_ppm, PER_PERCENT, PPM),
#undef FIELD
};

static uint32_t *
field(struct model_impair *i, size_t which)
{
	return (uint32_t *)(void *)((char *)i + decimals[which].offset);
}

static void
read_impair(struct model_impair *out, const json_t *v, const char *at,
    struct problem *p)
{
	static const char *const known[] = { "delay_ms", "jitter_ms",
		"loss_pct", "duplicate_pct", "reorder_pct", "burst_begin_pct",
		"burst_end_pct", "burst_loss_pct", "rate_bps", "seed",
		"queue_packets", NULL };
	static const struct model_range seed = {
		.max = (UINT64_C(1) << 53) - 1,
	};
	static const struct model_range rate = {
		.min = 1000,
		.max = UINT64_C(1000000000000),
		.or_zero = true,
	};
	static const struct model_range queue = { .min = 1, .max = MAX_QUEUE };
	struct model_reader in;
	uint64_t n = out->queue_packets;

	if (!model_reader_begin(&in, v, at, known, p))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(decimals); i++)
		take_decimal(&in, decimals[i].key, decimals[i].units,
		    decimals[i].max, field(out, i));
	model_take_uint(&in, "seed", &seed, &out->seed);
	model_take_uint(&in, "rate_bps", &rate, &out->rate_bps);
	model_take_uint(&in, "queue_packets", &queue, &n);
	out->queue_packets = (uint32_t)n; /* in range */
	if (out->jitter_us > out->delay_us)
		model_complain(&in, "jitter_ms",
		    "is more than delay_ms: no packet comes before it is sent");
	if (out->reorder_ppm && !out->delay_us)
		model_complain(&in, "reorder_pct",
		    "needs a delay_ms, which those that overtake are spared");
}

static void
read_impairs(struct model_wiring *w, const struct model_reader *spec)
{
	static const char *const known[] = { "forward", "reverse", NULL };
	const json_t *v = json_object_get(spec->obj, "impair");
	char at[MODEL_AT_BYTES], of[MODEL_AT_BYTES];
	struct model_reader in;

	model_at(at, spec->at, "impair");
	if (!v || json_is_null(v) ||
	    !model_reader_begin(&in, v, at, known, spec->p))
		return;
	for (unsigned d = 0; d < MODEL_N_DIRECTIONS; d++) {
		const json_t *one = json_object_get(v, directions[d]);

		model_at(of, at, directions[d]);
		if (one)
			read_impair(&w->impair[d], one, of, spec->p);
	}
}

static json_t *
impair_json(const struct model_impair *i)
{
	struct model_impair copy = *i;
	json_t *o = json_object();

	for (size_t k = 0; k < ARRAY_SIZE(decimals); k++)
		json_object_set_new(o, decimals[k].key,
		    decimal(*field(&copy, k), decimals[k].units));
	json_object_set_new(
	    o, "rate_bps", json_integer((json_int_t)i->rate_bps));
	json_object_set_new(o, "seed", json_integer((json_int_t)i->seed));
	json_object_set_new(o, "queue_packets", json_integer(i->queue_packets));
	return o;
}

/* --- whole -------------------------------------------------------------------------- */

static void
read_link(struct model_wiring *w, const json_t *v, struct problem *p)
{
	static const char *const known[] = { "ends", "match", "trunk", "impair",
		NULL };
	struct model_reader in;
	unsigned n_ports = 0;

	if (!model_reader_begin(&in, v, "/spec", known, p))
		return;
	read_ends(w, &in, "ends", true);
	model_match_read(&in, &w->match);
	model_take_bool(&in, "trunk", &w->trunk);
	read_impairs(w, &in);
	for (unsigned i = 0; i < w->n_ends; i++)
		n_ports += !w->end[i].router[0];
	if (p->n_errors == 0 && w->n_ends != 2)
		model_complain(
		    &in, "ends", "must be two, this is %u", w->n_ends);
	if (n_ports == 2)
		model_complain(&in, "ends", "are two ports: a link has a vNIC");
	if (n_ports == 0 && (w->match.vlan || model_match_is_rule(&w->match)))
		model_complain(
		    &in, "match", "goes with a port, and no end is one");
	if (n_ports == 0 && w->trunk)
		model_complain(
		    &in, "trunk", "goes with a port, and no end is one");
	if (w->trunk && w->match.vlan)
		model_complain(&in, "trunk",
		    "a trunk passes every tag: it cannot match one VLAN");
}

static void
read_segment(struct model_wiring *w, const json_t *v, struct problem *p)
{
	static const char *const known[] = { "members", NULL };
	struct model_reader in;

	if (model_reader_begin(&in, v, "/spec", known, p))
		read_ends(w, &in, "members", false);
}

int
model_wiring_read(struct model_wiring *out, const json_t *body,
    const char *name, struct problem *p)
{
	static const char *const known[] = { "name", "labels", "spec", "kind",
		"project", "uid", "generation", "created", "status", NULL };
	unsigned before = p->n_errors;
	const json_t *spec = json_object_get(body, "spec");
	struct model_wiring w;
	struct model_reader in;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	model_wiring_init(&w, out->kind);
	model_take_own_name(&in, name, w.name);
	model_take_labels(&in, &w.labels);
	if (!spec)
		model_complain(&in, "spec", "is missing");
	else if (w.kind == MODEL_LINK)
		read_link(&w, spec, p);
	else
		read_segment(&w, spec, p);
	if (!w.labels)
		problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	if (!w.labels || p->n_errors != before) {
		model_wiring_clear(&w);
		return -EINVAL;
	}
	model_wiring_clear(out);
	*out = w;
	return 0;
}

static json_t *
ends_json(const struct model_wiring *w)
{
	json_t *a = json_array();
	char text[END_BYTES];

	for (unsigned i = 0; i < w->n_ends; i++) {
		model_end_text(&w->end[i], text, sizeof(text));
		json_array_append_new(a, json_string(text));
	}
	return a;
}

json_t *
model_wiring_spec(const struct model_wiring *w)
{
	json_t *o;

	if (w->kind == MODEL_SEGMENT)
		return json_pack("{s:o}", "members", ends_json(w));
	o = json_pack("{s:o, s:b, s:{s:o, s:o}}", "ends", ends_json(w), "trunk",
	    (int)w->trunk, "impair", directions[MODEL_FORWARD],
	    impair_json(&w->impair[MODEL_FORWARD]), directions[MODEL_REVERSE],
	    impair_json(&w->impair[MODEL_REVERSE]));
	model_match_put(o, &w->match);
	return o;
}
