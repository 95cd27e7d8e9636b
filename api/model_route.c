/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_route: the static routes of a router.
 *
 * A route that cannot forward a packet is refused: its vNIC must exist, and its
 * next hop must be on the subnet of a vNIC. Only via: the vNIC follows from it.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

static const struct model_vnic *
vnic_by_name(const struct model_router *r, const char *name)
{
	for (unsigned i = 0; i < r->n_vnics; i++)
		if (strcmp(r->vnic[i].name, name) == 0)
			return &r->vnic[i];
	return NULL;
}

static bool
vnic_reaches(const struct model_vnic *v, const struct model_prefix *via)
{
	for (unsigned i = 0; i < v->n_addresses; i++)
		if (model_prefix_has(&v->address[i], via))
			return true;
	return false;
}

static bool
is_reached(const struct model_router *r, const struct model_prefix *via)
{
	for (unsigned i = 0; i < r->n_vnics; i++)
		if (vnic_reaches(&r->vnic[i], via))
			return true;
	return false;
}

static void
read_prefix(struct model_route *route, const struct model_reader *in)
{
	const char *s = model_take_string(in, "prefix", 64), *why;
	char text[64];

	if (!json_object_get(in->obj, "prefix"))
		model_complain(in, "prefix", "is missing");
	if (!s)
		return;
	if (model_prefix_parse(s, &route->prefix, &why) < 0) {
		model_complain(in, "prefix", "%s", why);
		return;
	}
	if (!model_prefix_has_host_bits(&route->prefix))
		return;
	model_prefix_mask(&route->prefix);
	model_prefix_text(&route->prefix, text, sizeof(text));
	model_complain(
	    in, "prefix", "has host bits set; did you mean %s?", text);
}

static void
read_via(struct model_route *route, const struct model_router *near,
    const struct model_reader *in)
{
	const char *s = model_take_string(in, "via", 64), *why;

	if (!s)
		return;
	if (model_address_parse(s, &route->via, &why) < 0) {
		model_complain(in, "via", "%s", why);
		return;
	}
	if (route->prefix.family && route->prefix.family != route->via.family)
		model_complain(in, "via", "is of another family than prefix");
	else if (!json_object_get(in->obj, "vnic") && near &&
		 !is_reached(near, &route->via))
		model_complain(in, "via",
		    "is on no subnet of this router's vNICs; name the vnic if "
		    "it is meant");
}

static void
read_vnic(struct model_route *route, const struct model_router *near,
    const struct model_reader *in)
{
	if (!model_take_name(in, "vnic", route->vnic, sizeof(route->vnic)))
		return;
	if (near && !vnic_by_name(near, route->vnic))
		model_complain(
		    in, "vnic", "the router has no vNIC \"%s\"", route->vnic);
}

static void
read_route(struct model_route *route, const struct model_router *near,
    const struct model_reader *in)
{
	read_prefix(route, in);
	read_via(route, near, in);
	read_vnic(route, near, in);
	if (!json_object_get(in->obj, "via") &&
	    !json_object_get(in->obj, "vnic"))
		problem_add(in->p, in->at, "needs via, or vnic, or both");
}

void
model_route_read(
    struct model_route *out, const struct model_reader *in, bool is_delete)
{
	if (!is_delete) {
		read_route(out, NULL, in);
		return;
	}
	read_prefix(out, in);
	read_via(out, NULL, in);
	read_vnic(out, NULL, in);
}

static bool
is_same(const struct model_route *a, const struct model_route *b)
{
	return a->prefix.family && memcmp(a, b, sizeof(*a)) == 0;
}

/* near: whose vNICs the routes use */
static void
read_list(struct model_route *list, const json_t *v, const char *at,
    const struct model_router *near, struct problem *p)
{
	static const char *const known[] = { "prefix", "via", "vnic", NULL };
	char one[MODEL_AT_BYTES];
	struct model_reader in;

	for (size_t i = 0; i < json_array_size(v); i++) {
		model_at_index(one, at, i);
		if (!model_reader_begin(
			&in, json_array_get(v, i), one, known, p))
			continue;
		read_route(&list[i], near, &in);
		for (size_t j = 0; j < i; j++)
			if (is_same(&list[i], &list[j])) {
				problem_add(
				    p, one, "is the same as entry %zu", j);
				break;
			}
	}
}

static int
replace_routes(struct model_router *r, const json_t *v, const char *at,
    const struct model_router *near, struct problem *p)
{
	size_t n = json_array_size(v);
	struct model_route *list = calloc(n ? n : 1, sizeof(*list));
	unsigned before = p->n_errors;

	if (!list)
		return problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	read_list(list, v, at, near, p);
	if (p->n_errors != before) {
		free(list);
		return -EINVAL;
	}
	free(r->route);
	r->route = list;
	r->n_routes = (unsigned)n;
	return 0;
}

int
model_route_list_read(
    struct model_router *r, const json_t *v, const char *at, struct problem *p)
{
	return replace_routes(r, v, at, r, p);
}

int
model_routes_read(struct model_router *r, const json_t *body, struct problem *p)
{
	static const char *const known[] = { "routes", NULL };
	unsigned before = p->n_errors;
	struct model_reader in;
	const json_t *list;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	if (!json_object_get(body, "routes"))
		model_complain(&in, "routes", "is missing");
	list = model_take_array(&in, "routes", MODEL_MAX_ROUTES);
	if (!list || p->n_errors != before)
		return -EINVAL;
	return replace_routes(r, list, "/routes", r, p);
}

json_t *
model_routes_json(const struct model_router *r)
{
	json_t *list = json_array();
	char text[64];

	for (unsigned i = 0; i < r->n_routes; i++) {
		const struct model_route *route = &r->route[i];
		json_t *o = json_object();

		model_prefix_text(&route->prefix, text, sizeof(text));
		json_object_set_new(o, "prefix", json_string(text));
		if (route->via.family) {
			model_address_text(&route->via, text, sizeof(text));
			json_object_set_new(o, "via", json_string(text));
		}
		if (route->vnic[0])
			json_object_set_new(
			    o, "vnic", json_string(route->vnic));
		json_array_append_new(list, o);
	}
	return list;
}
