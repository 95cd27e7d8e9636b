/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_view: the JSON of a router's spec, made again only when it is another
 * one: half of the time that a GET took went into it.
 *
 * Which spec it is says the generation, and that alone: each spec that is stored
 * has a higher one than those before, and r->spec changes with it. A spec that
 * is only tried out (dry_run) has no generation of its own: whoever shows one
 * drops what is there before and behind. Bytes are not compared: two specs may
 * differ in what lies between their members, and be alike in pointers to
 * what is not the same any more.
 */
#ifndef AGENT_SPEC_VIEW_H
#define AGENT_SPEC_VIEW_H

#include "api/model.h"

struct spec_view;

struct spec_view *spec_view_new(void); /* NULL without memory */
void spec_view_free(struct spec_view *v);
/* What it has is of no use any more. */
void spec_view_drop(struct spec_view *v);
/* One hold of the JSON, which nobody may change. NULL without memory. */
json_t *spec_view_json(
    struct spec_view *v, const struct model_router *spec, uint64_t generation);

#endif
