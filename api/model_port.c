/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_port: a port between JSON and struct model_port; and RFC 7396, which is
 * how any of the resources is changed in part.
 *
 * devargs is what DPDK reads. Whether such a device exists only the data plane
 * can say; here it is kept from holding what no device name has.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

void
model_port_init(struct model_port *p)
{
	*p = (struct model_port){ .mtu = 1500, .labels = json_object() };
}

void
model_port_clear(struct model_port *p)
{
	json_decref(p->labels);
	memset(p, 0, sizeof(*p));
}

static void
read_devargs(struct model_port *port, const struct model_reader *in)
{
	const char *s =
	    model_take_string(in, "devargs", sizeof(port->devargs) - 1);

	if (!json_object_get(in->obj, "devargs"))
		model_complain(in, "devargs",
		    "is missing; for a virtual device e.g. "
		    "\"net_af_packet0,iface=eth1\"");
	if (!s)
		return;
	if (*s == '\0' || *s == '-') {
		model_complain(in, "devargs", "names no device");
		return;
	}
	for (const char *c = s; *c; c++)
		if (*c <= ' ' || *c > '~') {
			model_complain(in, "devargs",
			    "must be printable ASCII without blanks");
			return;
		}
	snprintf(port->devargs, sizeof(port->devargs), "%s", s);
}

int
model_port_read(struct model_port *out, const json_t *body, const char *name,
    struct problem *p)
{
	static const char *const known[] = { "name", "labels", "spec", "kind",
		"project", "uid", "generation", "created", "status", NULL };
	static const char *const known_spec[] = { "devargs", "mtu", NULL };
	unsigned before = p->n_errors;
	struct model_reader in, spec;
	struct model_port port;

	if (!model_reader_begin(&in, body, "", known, p))
		return -EINVAL;
	model_port_init(&port);
	model_take_own_name(&in, name, port.name);
	model_take_labels(&in, &port.labels);
	if (!json_object_get(body, "spec")) {
		model_complain(&in, "spec", "is missing");
	} else if (model_reader_begin(&spec, json_object_get(body, "spec"),
		       "/spec", known_spec, p)) {
		read_devargs(&port, &spec);
		model_take_mtu(&spec, &port.mtu);
	}
	if (!port.labels)
		problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	if (!port.labels || p->n_errors != before) {
		model_port_clear(&port);
		return -EINVAL;
	}
	model_port_clear(out);
	*out = port;
	return 0;
}

json_t *
model_port_spec(const struct model_port *p)
{
	return json_pack(
	    "{s:s, s:i}", "devargs", p->devargs, "mtu", (int)p->mtu);
}

/* target[key] = what patch makes of it. */
static int
patch_member(json_t *target, const char *key, const json_t *patch)
{
	json_t *value = json_incref(json_object_get(target, key));
	int rc = model_merge_patch(&value, patch);

	if (rc == 0 && json_object_set(target, key, value) < 0)
		rc = -ENOMEM;
	json_decref(value);
	return rc;
}

int
model_merge_patch(json_t **target, const json_t *patch)
{
	const char *key;
	json_t *value, *copy;

	if (!json_is_object(patch)) {
		copy = json_deep_copy(patch);
		if (!copy)
			return -ENOMEM;
		json_decref(*target);
		*target = copy;
		return 0;
	}
	if (!json_is_object(*target)) {
		copy = json_object();
		if (!copy)
			return -ENOMEM;
		json_decref(*target);
		*target = copy;
	}
	/* iteration takes no const; nothing of patch is changed */
	json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
		if (json_is_null(value))
			json_object_del(*target, key);
		else if (patch_member(*target, key, value) < 0)
			return -ENOMEM;
	}
	return 0;
}
