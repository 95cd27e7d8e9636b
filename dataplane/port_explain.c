/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_explain: why a device did not open. DPDK's drivers answer "Operation not
 * permitted" for an interface that is not there, and its own log is not read by
 * those who typed the name. So the usual mistakes are looked for afterwards:
 * a device of another port, an interface that is missing or that was named
 * without its driver. What is none of these keeps the errno's own words.
 */
#include "dataplane/port.h"

#include <net/if.h>
#include <stdio.h>

bool
port_interface(const struct port_spec *spec, char *name, size_t size)
{
	const char *at = strstr(spec->devargs, ",iface=");

	if (!at)
		return false;
	at += strlen(",iface=");
	snprintf(name, size, "%.*s", (int)strcspn(at, ","), at);
	return true;
}

int
port_explain(const struct port_spec *spec, int rc, struct err *e)
{
	char name[IFNAMSIZ];
	int n = (int)strcspn(spec->devargs, ",");

	if (rc == -EBUSY)
		return err_set(e, rc,
		    "port %s does not open: another port has the device %.*s; "
		    "give this one another number, or none",
		    spec->name, n, spec->devargs);
	/* net_tap makes its interface */
	if (strncmp(spec->devargs, "net_af_", 7) == 0 &&
	    port_interface(spec, name, sizeof(name)) &&
	    if_nametoindex(name) == 0)
		return err_set(e, rc,
		    "port %s does not open: there is no interface %s here; "
		    "ip link shows those that there are",
		    spec->name, name);
	if (if_nametoindex(spec->devargs) != 0)
		return err_set(e, rc,
		    "port %s does not open: %s is an interface, not a device; "
		    "\"net_af_packet,iface=%s\" is one",
		    spec->name, spec->devargs, spec->devargs);
	return err_set(e, rc, "port %s does not open: %s: %s", spec->name,
	    spec->devargs, strerror(-rc));
}
