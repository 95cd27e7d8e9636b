/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_vnic: one vNIC between JSON and struct model_vnic.
 *
 * What depends on the router's other vNICs is model_router.c's to check; what
 * depends on the node (ports, links, MACs of others) is the agent's.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

enum { MIN_MTU_V6 = 1280 }; /* RFC 8200, section 5 */

/* Reads the member match of an attach; its vlan is what we match on. */
static void
read_match(struct model_vnic *v, const struct model_reader *attach)
{
	static const char *const known[] = { "vlan", NULL };
	static const struct model_range range = { .min = 1, .max = 4094 };
	const json_t *match = model_take_object(attach, "match");
	char at[MODEL_AT_BYTES];
	struct model_reader in;
	uint64_t vlan;

	if (!match)
		return;
	model_at(at, attach->at, "match");
	if (model_reader_begin(&in, match, at, known, attach->p) &&
	    model_take_uint(&in, "vlan", &range, &vlan))
		v->vlan = (uint16_t)vlan; /* in range */
}

static void
read_attach_port(struct model_vnic *v, const struct model_reader *in)
{
	v->attach = MODEL_ATTACH_PORT;
	model_take_name(in, "port", v->port, sizeof(v->port));
	model_take_bool(in, "trunk", &v->trunk);
	read_match(v, in);
	if (v->trunk && v->vlan)
		model_complain(in, "trunk",
		    "a trunk passes every tag: it cannot match one VLAN");
	if (json_object_get(in->obj, "vnic"))
		model_complain(in, "vnic", "goes with router, not with port");
}

static void
read_attach_vnic(struct model_vnic *v, const struct model_reader *in)
{
	static const char *const port_only[] = { "match", "trunk" };

	v->attach = MODEL_ATTACH_VNIC;
	model_take_name(in, "router", v->router, sizeof(v->router));
	if (!json_object_get(in->obj, "vnic"))
		model_complain(
		    in, "vnic", "is missing: to which vNIC of the router?");
	model_take_name(in, "vnic", v->peer, sizeof(v->peer));
	for (size_t i = 0; i < ARRAY_SIZE(port_only); i++)
		if (json_object_get(in->obj, port_only[i]))
			model_complain(in, port_only[i],
			    "goes with port, not with router");
}

static void
read_attach(struct model_vnic *v, const struct model_reader *vnic)
{
	static const char *const known[] = { "port", "router", "vnic", "match",
		"trunk", NULL };
	const json_t *attach = json_object_get(vnic->obj, "attach");
	char at[MODEL_AT_BYTES];
	struct model_reader in;
	bool has_port, has_router;

	if (!attach || json_is_null(attach))
		return;
	model_at(at, vnic->at, "attach");
	if (!model_reader_begin(&in, attach, at, known, vnic->p))
		return;
	has_port = json_object_get(attach, "port");
	has_router = json_object_get(attach, "router");
	if (has_port && has_router)
		problem_add(vnic->p, at,
		    "names a port and a router; a vNIC has one link");
	else if (has_port)
		read_attach_port(v, &in);
	else if (has_router)
		read_attach_vnic(v, &in);
	else
		problem_add(
		    vnic->p, at, "must name a port, or a router and its vnic");
}

static void
read_mac(struct model_vnic *v, const struct model_reader *in)
{
	const char *s, *why;

	if (json_is_null(json_object_get(in->obj, "mac")))
		return;
	s = model_take_string(in, "mac", 64);
	if (!s)
		return;
	if (model_mac_parse(s, v->mac, &why) < 0)
		model_complain(in, "mac", "%s", why);
	else
		v->has_mac = true;
}

static bool
has_address(const struct model_vnic *v, const struct model_prefix *p)
{
	for (unsigned i = 0; i < v->n_addresses; i++)
		if (v->address[i].family == p->family &&
		    memcmp(v->address[i].bytes, p->bytes, 16) == 0)
			return true;
	return false;
}

/* Why this text is no further address of v, or NULL: then *out is it. */
static const char *
address_flaw(
    const struct model_vnic *v, const json_t *text, struct model_prefix *out)
{
	const char *why = NULL;

	if (!json_is_string(text))
		return "must be a string, as \"198.18.0.1/24\"";
	if (model_prefix_parse(json_string_value(text), out, &why) < 0)
		return why;
	why = model_address_flaw(out);
	if (why)
		return why;
	if (has_address(v, out))
		return "is given twice";
	if (out->family == 6 && v->mtu < MIN_MTU_V6)
		return "needs an mtu of at least 1280, as all of IPv6 does";
	return NULL;
}

static void
read_addresses(struct model_vnic *v, const struct model_reader *in)
{
	const json_t *list =
	    model_take_array(in, "addresses", MODEL_MAX_ADDRESSES);
	char list_at[MODEL_AT_BYTES], at[MODEL_AT_BYTES + 24];

	if (!list)
		return;
	model_at(list_at, in->at, "addresses");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct model_prefix p = { 0 };
		const char *why = address_flaw(v, json_array_get(list, i), &p);

		if (why) {
			snprintf(at, sizeof(at), "%s/%zu", list_at, i);
			problem_add(in->p, at, "%s", why);
			continue;
		}
		v->address[v->n_addresses++] = p;
	}
}

int
model_vnic_read(
    struct model_vnic *out, const json_t *v, const char *at, struct problem *p)
{
	static const char *const known[] = { "name", "attach", "mtu", "mac",
		"addresses", "allow_macs", "quota", NULL };
	struct model_vnic vnic = { .mtu = 1500 };
	unsigned before = p->n_errors;
	struct model_reader in;

	model_rates_init(&vnic.rates);
	if (!model_reader_begin(&in, v, at, known, p))
		return -EINVAL;
	if (!json_object_get(v, "name"))
		model_complain(&in, "name", "is missing");
	model_take_name(&in, "name", vnic.name, sizeof(vnic.name));
	read_attach(&vnic, &in);
	model_take_mtu(&in, &vnic.mtu);
	read_mac(&vnic, &in);
	read_addresses(&vnic, &in);
	model_allow_macs_read(&in, &vnic);
	model_rates_read(&in, "quota", &vnic.rates);
	*out = vnic;
	return p->n_errors == before ? 0 : -EINVAL;
}

int
model_vnic_object_read(struct model_vnic *out, const json_t *body,
    const char *name, struct problem *p)
{
	static const char *const known[] = { "spec", "kind", "name", "router",
		"status", NULL };
	const char *said = json_string_value(json_object_get(body, "name"));
	unsigned before = p->n_errors;
	struct model_vnic v = { 0 };
	struct model_reader in;
	const json_t *spec;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	if (!said || strcmp(said, name) != 0)
		model_complain(
		    &in, "name", "must be \"%s\": names do not change", name);
	spec = json_object_get(body, "spec");
	if (!spec)
		model_complain(&in, "spec", "is missing");
	else if (model_vnic_read(&v, spec, "/spec", p) == 0 &&
		 strcmp(v.name, name) != 0)
		problem_add(p, "/spec/name",
		    "must be \"%s\": names do not change", name);
	if (p->n_errors != before)
		return -EINVAL;
	*out = v;
	return 0;
}

static json_t *
attach_json(const struct model_vnic *v)
{
	json_t *a;

	switch (v->attach) {
	case MODEL_ATTACH_PORT:
		a = json_pack(
		    "{s:s, s:b}", "port", v->port, "trunk", (int)v->trunk);
		if (v->vlan)
			json_object_set_new(a, "match",
			    json_pack("{s:i}", "vlan", (int)v->vlan));
		return a;
	case MODEL_ATTACH_VNIC:
		return json_pack(
		    "{s:s, s:s}", "router", v->router, "vnic", v->peer);
	case MODEL_ATTACH_NONE:
	default:
		return json_null();
	}
}

json_t *
model_vnic_json(const struct model_vnic *v)
{
	json_t *o = json_pack("{s:s, s:o, s:i}", "name", v->name, "attach",
	    attach_json(v), "mtu", (int)v->mtu);
	json_t *list = json_array(), *quota = json_object();
	char text[64];

	if (v->has_mac) {
		model_mac_text(v->mac, text, sizeof(text));
		json_object_set_new(o, "mac", json_string(text));
	}
	for (unsigned i = 0; i < v->n_addresses; i++) {
		model_prefix_text(&v->address[i], text, sizeof(text));
		json_array_append_new(list, json_string(text));
	}
	json_object_set_new(o, "addresses", list);
	model_allow_macs_put(o, v);
	model_rates_put(quota, &v->rates);
	json_object_set_new(o, "quota", quota);
	return o;
}
