/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_watch: are the devices of open ports still there, and is there a line?
 *
 * Most drivers of interfaces of the kernel do not tell: once a second the kernel
 * is asked about each of them, the driver about a NIC. A port whose interface
 * has gone is closed and stays known, with its counters. It opens again when
 * there is an interface of that name; one that does not open is tried again
 * only when that is another one.
 */
#include "dataplane/port_watch.h"

#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "lib/log.h"

#include <errno.h>
#include <net/if.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * The flags of the interface of number i. Returns 0; -ENXIO: there is none; or
 * another negative errno: nobody knows.
 */
static int
interface_flags(unsigned i, short *flags)
{
	scoped_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };

	if (fd < 0)
		return -errno;
	/* it needs a descriptor, too, and there may be none left */
	if (!if_indextoname(i, r.ifr_name))
		return errno == ENODEV ? -ENXIO : -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return -EAGAIN; /* if it has gone just now, the next look says */
	*flags = r.ifr_flags;
	return 0;
}

static void
close_port(struct node *n, struct port *p)
{
	log_warn("the device has gone, the port opens again when it is back: "
		 "%s port=%s",
	    p->spec.devargs, p->spec.name);
	if (node_close_port(n, p) < 0)
		return; /* tried again at the next look */
	p->state = WIRE_PORT_GONE;
	p->ifindex = 0;
	control_port(n->control, p);
}

static void
note_line(struct node *n, struct port *p, bool has_line)
{
	if (p->no_line != has_line)
		return;
	p->no_line = !has_line;
	if (has_line)
		log_info("the line is up port=%s", p->spec.name);
	else
		log_warn("the line is down port=%s", p->spec.name);
	control_port(n->control, p);
}

static void
watch_open(struct node *n, struct port *p)
{
	const short ready = IFF_UP | IFF_RUNNING;
	struct rte_eth_link link;
	short flags = 0;

	if (p->ifindex != 0) {
		int rc = interface_flags(p->ifindex, &flags);

		if (rc == 0)
			note_line(n, p, (flags & ready) == ready);
		else if (rc == -ENXIO)
			close_port(n, p);
	} else if (port_is_pci(&p->spec) &&
		   rte_eth_link_get_nowait(p->id, &link) == 0) {
		note_line(n, p, link.link_status == RTE_ETH_LINK_UP);
	}
}

/* Its interface was not there, and may be by now. */
static void
watch_closed(struct node *n, struct port *p)
{
	char name[IFNAMSIZ];
	unsigned now;

	if (port_needs_start(&p->spec) ||
	    !port_interface(&p->spec, name, sizeof(name)))
		return;
	now = if_nametoindex(name);
	if (now == 0 || now == p->ifindex)
		return;
	if (node_open_port(n, p) == 0) {
		crew_watch_port(n->crew, p);
		if (node_publish(n) < 0)
			log_err(
			    "no memory for a new plan port=%s", p->spec.name);
	}
	p->ifindex = now; /* tried */
	control_port(n->control, p);
}

void
port_watch(struct node *n)
{
	for (struct port *p = n->ports; p; p = p->next) {
		if (p->state == WIRE_PORT_UP)
			watch_open(n, p);
		else if (p->state == WIRE_PORT_GONE ||
			 p->state == WIRE_PORT_DOWN)
			watch_closed(n, p);
	}
}
