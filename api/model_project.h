/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_project: a tenant as JSON and as a C struct, and what its routers
 * promise each other to take at most, in sum. A key of its quota is a key of a
 * router's, or a count of objects.
 */
#ifndef API_MODEL_PROJECT_H
#define API_MODEL_PROJECT_H

#include "api/model.h"

enum model_sum {
	MODEL_SUM_CPU_MILLIS,
	MODEL_SUM_MEM_BYTES,
	MODEL_SUM_PIDS,
	MODEL_SUM_DISK_BYTES,
	MODEL_SUM_POOL_SLOTS,
	MODEL_SUM_RX_PPS,
	MODEL_SUM_TX_PPS,
	MODEL_SUM_RX_BPS,
	MODEL_SUM_TX_BPS,
	MODEL_SUM_ROUTERS,
	MODEL_SUM_VNICS,
	MODEL_SUM_LINKS,
	MODEL_SUM_SEGMENTS,
	MODEL_N_SUMS,
};

struct model_project {
	char name[MODEL_NAME_BYTES];
	char description[256];
	uint64_t quota[MODEL_N_SUMS]; /* 0 = no limit */
	json_t *labels;
};

/* What one router adds to a sum; UINT64_MAX: it is not limited there. */
uint64_t model_sum_of(const struct model_router *r, enum model_sum sum);
const char *model_sum_name(enum model_sum sum);
/* JSON pointer into a router, of what a sum is made of. */
const char *model_sum_pointer(enum model_sum sum);

void model_project_init(struct model_project *p);
void model_project_clear(struct model_project *p);

/* As model_router_read(). */
int model_project_read(struct model_project *out, const json_t *body,
    const char *name, struct problem *p);
/* {"limit": {...}} as GET of the quota returns it; the rest is ignored. */
int model_project_quota_read(
    struct model_project *out, const json_t *body, struct problem *p);

/* The spec object with every default; new reference, NULL without memory. */
json_t *model_project_spec(const struct model_project *p);
json_t *model_project_quota_json(const struct model_project *p);

#endif
