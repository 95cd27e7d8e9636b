/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_match: which frames of a port a link means, between JSON and struct
 * model_match. Members are joined by "and"; what is not there is any. Whether
 * two links mean the same frames is the agent's to check.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

enum { TCP = 6, UDP = 17, SCTP = 132 };

bool
model_match_is_rule(const struct model_match *m)
{
	return m->has_mac || m->src.family || m->dst.family || m->protocol ||
	       m->src_port || m->dst_port || m->has_vni || m->has_gre_key;
}

static void
take_mac(const struct model_reader *in, struct model_match *out)
{
	const char *s = model_take_string(in, "mac", 64), *why;

	if (!s)
		return;
	if (model_mac_parse(s, out->mac, &why) < 0)
		model_complain(in, "mac", "%s", why);
	else
		out->has_mac = true;
}

static void
take_prefix(
    const struct model_reader *in, const char *key, struct model_prefix *out)
{
	const char *s = model_take_string(in, key, 64), *why;

	if (!s)
		return;
	if (model_prefix_parse(s, out, &why) < 0)
		model_complain(in, key, "%s", why);
	else if (model_prefix_has_host_bits(out))
		model_complain(in, key, "has bits behind its length");
}

static uint32_t
take_number(
    const struct model_reader *in, const char *key, uint64_t min, uint64_t max)
{
	const struct model_range range = { .min = min, .max = max };
	uint64_t v = 0;

	model_take_uint(in, key, &range, &v);
	return (uint32_t)v; /* in range, or 0 */
}

static void
take_tunnel(const struct model_reader *in, struct model_match *out)
{
	out->has_vni = json_object_get(in->obj, "vxlan_vni");
	out->has_gre_key = json_object_get(in->obj, "gre_key");
	if (out->has_vni)
		out->tunnel_key = take_number(in, "vxlan_vni", 0, 0xffffff);
	if (out->has_gre_key)
		out->tunnel_key = take_number(in, "gre_key", 0, UINT32_MAX);
	if (out->has_vni && out->has_gre_key)
		model_complain(
		    in, "gre_key", "no frame has a key of GRE and a vxlan_vni");
	if ((out->has_vni || out->has_gre_key) &&
	    (out->protocol || out->src_port || out->dst_port))
		model_complain(in, out->has_vni ? "vxlan_vni" : "gre_key",
		    "says the protocol and its ports already");
}

void
model_match_read(const struct model_reader *spec, struct model_match *out)
{
	static const char *const known[] = { "vlan", "mac", "src", "dst",
		"protocol", "src_port", "dst_port", "vxlan_vni", "gre_key",
		NULL };
	const json_t *match = json_object_get(spec->obj, "match");
	char at[MODEL_AT_BYTES];
	struct model_reader in;

	model_at(at, spec->at, "match");
	if (!match || json_is_null(match) ||
	    !model_reader_begin(&in, match, at, known, spec->p))
		return;
	out->vlan = (uint16_t)take_number(&in, "vlan", 1, 4094);
	take_mac(&in, out);
	take_prefix(&in, "src", &out->src);
	take_prefix(&in, "dst", &out->dst);
	out->protocol = (uint8_t)take_number(&in, "protocol", 1, 255);
	out->src_port = (uint16_t)take_number(&in, "src_port", 1, 65535);
	out->dst_port = (uint16_t)take_number(&in, "dst_port", 1, 65535);
	if (out->src.family && out->dst.family &&
	    out->src.family != out->dst.family)
		model_complain(&in, "dst", "and src are of one IP version");
	take_tunnel(&in, out);
	if ((out->src_port || out->dst_port) && !out->has_vni &&
	    !out->has_gre_key && out->protocol != TCP && out->protocol != UDP &&
	    out->protocol != SCTP)
		model_complain(&in, out->dst_port ? "dst_port" : "src_port",
		    "needs a protocol that has ports: 6, 17 or 132");
}

static void
put_prefix(json_t *o, const char *key, const struct model_prefix *p)
{
	char text[64];

	if (!p->family)
		return;
	model_prefix_text(p, text, sizeof(text));
	json_object_set_new(o, key, json_string(text));
}

static void
put_number(json_t *o, const char *key, uint32_t v)
{
	if (v)
		json_object_set_new(o, key, json_integer(v));
}

void
model_match_put(json_t *spec, const struct model_match *m)
{
	json_t *o = json_object();
	char text[32];

	put_number(o, "vlan", m->vlan);
	if (m->has_mac) {
		model_mac_text(m->mac, text, sizeof(text));
		json_object_set_new(o, "mac", json_string(text));
	}
	put_prefix(o, "src", &m->src);
	put_prefix(o, "dst", &m->dst);
	put_number(o, "protocol", m->protocol);
	put_number(o, "src_port", m->src_port);
	put_number(o, "dst_port", m->dst_port);
	if (m->has_vni || m->has_gre_key)
		json_object_set_new(o, m->has_vni ? "vxlan_vni" : "gre_key",
		    json_integer(m->tunnel_key));
	if (json_object_size(o) > 0)
		json_object_set_new(spec, "match", o);
	else
		json_decref(o);
}
