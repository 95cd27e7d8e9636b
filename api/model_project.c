/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_project: a project between JSON and struct model_project. No limit is 0
 * everywhere, and the default.
 */
#include "api/model_project.h"

#include "api/model_int.h"
#include "lib/base.h"

#include <stdio.h>

static const struct {
	const char *name;
	const char *pointer;
	bool is_bytes;
} sums[MODEL_N_SUMS] = {
	[MODEL_SUM_CPU_MILLIS] = { "cpu_millis", "/spec/quota/cpu_millis",
	    false },
	[MODEL_SUM_MEM_BYTES] = { "mem_bytes", "/spec/quota/mem_bytes", true },
	[MODEL_SUM_PIDS] = { "pids", "/spec/quota/pids", false },
	[MODEL_SUM_DISK_BYTES] = { "disk_bytes", "/spec/quota/disk_bytes",
	    true },
	[MODEL_SUM_POOL_SLOTS] = { "pool_slots", "/spec/quota/pool_slots",
	    false },
	[MODEL_SUM_RX_PPS] = { "rx_pps", "/spec/quota/rx_pps", false },
	[MODEL_SUM_TX_PPS] = { "tx_pps", "/spec/quota/tx_pps", false },
	[MODEL_SUM_RX_BPS] = { "rx_bps", "/spec/quota/rx_bps", false },
	[MODEL_SUM_TX_BPS] = { "tx_bps", "/spec/quota/tx_bps", false },
	[MODEL_SUM_ROUTERS] = { "routers", "", false },
	[MODEL_SUM_VNICS] = { "vnics", "/spec/vnics", false },
	[MODEL_SUM_LINKS] = { "links", "", false },
	[MODEL_SUM_SEGMENTS] = { "segments", "", false },
};

const char *
model_sum_name(enum model_sum sum)
{
	return sums[sum].name;
}

const char *
model_sum_pointer(enum model_sum sum)
{
	return sums[sum].pointer;
}

static uint64_t
rate(uint64_t v)
{
	return v == 0 ? UINT64_MAX : v;
}

uint64_t
model_sum_of(const struct model_router *r, enum model_sum sum)
{
	const struct model_quota *q = &r->quota;

	switch (sum) {
	case MODEL_SUM_CPU_MILLIS:
		return q->cpu_millis;
	case MODEL_SUM_MEM_BYTES:
		return q->mem_bytes;
	case MODEL_SUM_PIDS:
		return q->pids;
	case MODEL_SUM_DISK_BYTES:
		return q->disk_bytes;
	case MODEL_SUM_POOL_SLOTS:
		return q->pool_slots;
	case MODEL_SUM_RX_PPS:
		return rate(q->rates.rx_pps);
	case MODEL_SUM_TX_PPS:
		return rate(q->rates.tx_pps);
	case MODEL_SUM_RX_BPS:
		return rate(q->rates.rx_bps);
	case MODEL_SUM_TX_BPS:
		return rate(q->rates.tx_bps);
	case MODEL_SUM_VNICS:
		return r->n_vnics;
	case MODEL_SUM_LINKS:
	case MODEL_SUM_SEGMENTS:
		return 0; /* these are objects of their own */
	default:
		return 1; /* a router */
	}
}

void
model_project_init(struct model_project *p)
{
	*p = (struct model_project){ .labels = json_object() };
}

void
model_project_clear(struct model_project *p)
{
	json_decref(p->labels);
	memset(p, 0, sizeof(*p));
}

/* parent has it as its member key. */
static void
read_quota(uint64_t quota[MODEL_N_SUMS], const struct model_reader *parent,
    const char *key)
{
	const json_t *v = model_take_object(parent, key);
	const char *known[MODEL_N_SUMS + 1] = { NULL };
	char at[MODEL_AT_BYTES];
	struct model_reader in;

	for (unsigned i = 0; i < MODEL_N_SUMS; i++)
		known[i] = sums[i].name;
	if (!v)
		return;
	model_at(at, parent->at, key);
	if (!model_reader_begin(&in, v, at, known, parent->p))
		return;
	for (unsigned i = 0; i < MODEL_N_SUMS; i++) {
		const struct model_range range = {
			.max = UINT64_C(1) << 52,
			.is_bytes = sums[i].is_bytes,
		};

		model_take_uint(&in, sums[i].name, &range, &quota[i]);
	}
}

static void
read_spec(struct model_project *out, const json_t *spec, struct problem *p)
{
	static const char *const known[] = { "quota", "description", NULL };
	struct model_reader in;
	const char *s;

	if (!spec || !model_reader_begin(&in, spec, "/spec", known, p))
		return;
	s = model_take_string(&in, "description", sizeof(out->description) - 1);
	if (s)
		snprintf(out->description, sizeof(out->description), "%s", s);
	read_quota(out->quota, &in, "quota");
}

int
model_project_read(struct model_project *out, const json_t *body,
    const char *name, struct problem *p)
{
	static const char *const known[] = { "name", "labels", "spec", "kind",
		"uid", "generation", "created", "status", NULL };
	unsigned before = p->n_errors;
	struct model_reader in;
	struct model_project x;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	model_project_init(&x);
	model_take_own_name(&in, name, x.name);
	model_take_labels(&in, &x.labels);
	read_spec(&x, json_object_get(body, "spec"), p);
	if (!x.labels)
		problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	if (!x.labels || p->n_errors != before) {
		model_project_clear(&x);
		return -EINVAL;
	}
	model_project_clear(out);
	*out = x;
	return 0;
}

int
model_project_quota_read(
    struct model_project *out, const json_t *body, struct problem *p)
{
	static const char *const known[] = { "limit", "kind", "project",
		"usage", NULL };
	uint64_t quota[MODEL_N_SUMS] = { 0 };
	unsigned before = p->n_errors;
	struct model_reader in;

	if (model_reader_begin(&in, body, "", known, p))
		read_quota(quota, &in, "limit");
	if (p->n_errors != before)
		return -EINVAL;
	memcpy(out->quota, quota, sizeof(quota));
	return 0;
}

json_t *
model_project_quota_json(const struct model_project *p)
{
	json_t *o = json_object();

	/* every limit is below 2^63 */
	for (unsigned i = 0; i < MODEL_N_SUMS; i++)
		json_object_set_new(
		    o, sums[i].name, json_integer((json_int_t)p->quota[i]));
	return o;
}

json_t *
model_project_spec(const struct model_project *p)
{
	return json_pack("{s:s, s:o}", "description", p->description, "quota",
	    model_project_quota_json(p));
}
