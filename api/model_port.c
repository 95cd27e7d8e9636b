/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_port: a port between JSON and struct model_port; and RFC 7396, which is
 * how any of the resources is changed in part.
 *
 * devargs is what DPDK reads, at the start of the data plane as root. Some of
 * its drivers run commands (net_failsafe), write or remove any file (net_pcap,
 * net_memif, net_vhost): who may make a port is not meant to be root by that. So
 * there is a list of harmless devices and arguments, of which no value can be a
 * path; any other is for root alone. Whether a device exists only the data
 * plane can say.
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

static const struct {
	const char *driver; /* then digits */
	const char *keys;   /* between blanks */
} devices[] = {
	{ "net_af_packet",
	    " iface qpairs blocksz framesz framecnt qdisc_bypass " },
	{ "net_af_xdp",
	    " iface start_queue queue_count shared_umem busy_budget " },
	{ "net_null", " size copy no-rx " },
	{ "net_ring", " " },
	{ "net_tap", " iface mac remote " },
};

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* [pci:][dddd:]bb:dd.f, up to the first comma */
static bool
is_pci(const char *s, size_t n)
{
	unsigned colons = 0;

	if (n > 4 && memcmp(s, "pci:", 4) == 0) {
		s += 4;
		n -= 4;
	}
	if (n < 7 || n > 12 || s[n - 2] != '.' || !strchr("01234567", s[n - 1]))
		return false;
	for (size_t i = 0; i < n - 2; i++) {
		if (!strchr(HEX ":", s[i]))
			return false;
		colons += s[i] == ':';
	}
	return colons == 1 || colons == 2;
}

/* The keys that the device takes, "" for any; NULL if it may not be. */
static const char *
keys_of(const char *s, size_t n)
{
	if (is_pci(s, n))
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		size_t k = strlen(devices[i].driver);

		if (n >= k && memcmp(s, devices[i].driver, k) == 0 &&
		    k + strspn(s + k, DIGITS) == n)
			return devices[i].keys;
	}
	return NULL;
}

static bool
key_is_known(const char *keys, const char *s, size_t n)
{
	char word[32];

	if (n == 0 || n + 3 > sizeof(word) ||
	    strspn(s, LETTERS DIGITS "_-") != n)
		return false;
	snprintf(word, sizeof(word), " %.*s ", (int)n, s);
	return *keys == '\0' || strstr(keys, word);
}

const char *
model_devargs_risk(const char *s)
{
	const char *keys = keys_of(s, strcspn(s, ","));

	if (!keys)
		return "is no PCI address, nor net_af_packet, net_af_xdp, "
		       "net_tap, net_ring or net_null with a number";
	for (s = strchr(s, ','); s; s = strchr(s, ',')) {
		size_t n = strcspn(++s, "=,");
		size_t value = s[n] == '=' ? n + 1 : n;

		if (!key_is_known(keys, s, n))
			return "has an argument that this device does not take";
		value += strspn(s + value, LETTERS DIGITS "._:+@-");
		if (s[value] != ',' && s[value] != '\0')
			return "has an argument that is no number and no name";
	}
	return NULL;
}

static void
read_devargs(struct model_port *port, const struct model_reader *in)
{
	const char *s =
	    model_take_string(in, "devargs", sizeof(port->devargs) - 1);

	if (!json_object_get(in->obj, "devargs"))
		model_complain(in, "devargs",
		    "is missing; for a virtual device e.g. "
		    "\"net_af_packet,iface=eth1\"");
	if (!s)
		return;
	if (*s == '\0' || *s == '-') {
		model_complain(in, "devargs", "names no device");
		return;
	}
	/* it becomes a word of a line of ports.conf */
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

/* target[key] = what patch makes of it; who else holds the old one keeps it. */
static int
patch_member(json_t *target, const char *key, const json_t *patch)
{
	json_t *value = json_copy(json_object_get(target, key));
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
