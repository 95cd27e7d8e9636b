/* SPDX-License-Identifier: Apache-2.0 */
/* spec_view: keeps the JSON of the generation that was asked for last. */
#include "agent/spec_view.h"

#include <stdlib.h>

struct spec_view {
	json_t *json; /* NULL: none yet */
	uint64_t generation;
};

struct spec_view *
spec_view_new(void)
{
	return calloc(1, sizeof(struct spec_view));
}

void
spec_view_free(struct spec_view *v)
{
	if (v)
		spec_view_drop(v);
	free(v);
}

void
spec_view_drop(struct spec_view *v)
{
	json_decref(v->json);
	v->json = NULL;
}

json_t *
spec_view_json(
    struct spec_view *v, const struct model_router *spec, uint64_t generation)
{
	if (v->json && v->generation == generation)
		return json_incref(v->json);
	spec_view_drop(v);
	v->generation = generation;
	v->json = model_router_spec(spec);
	return json_incref(v->json);
}
