/* SPDX-License-Identifier: Apache-2.0 */
/* model_token: who a secret stands for, as JSON and as a C struct. */
#ifndef API_MODEL_TOKEN_H
#define API_MODEL_TOKEN_H

#include "api/model.h"
#include "api/server.h"

enum { MODEL_MAX_ROLES = 32, MODEL_TIME_BYTES = 32 };

/* Every project, and the node. */
#define MODEL_EVERY_PROJECT "*"

struct model_token {
	char name[MODEL_NAME_BYTES];
	unsigned n_roles;
	struct {
		char project[MODEL_NAME_BYTES];
		enum api_role role;
	} role[MODEL_MAX_ROLES];
	int64_t expires; /* 0 = never */
	json_t *labels;
};

void model_token_init(struct model_token *t);
void model_token_clear(struct model_token *t);

/* As model_router_read(); own_name NULL: of a body that has to have a name. */
int model_token_read(struct model_token *out, const json_t *body,
    const char *own_name, struct problem *p);

const char *model_role_text(enum api_role role);
int model_role_parse(const char *s); /* enum api_role or -EINVAL */

#endif
