/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps: the twins of vNICs as devices of the container's kernel: TAP interfaces
 * with the same names, MACs, MTUs and addresses, made, changed and taken away
 * until they are as they are wanted. They live as long as their descriptors.
 *
 * The kernel must not believe advertisements of other routers, nor forward in our
 * place where we do (europa-taps is there to let it): it is told so here.
 *
 * It belongs to one thread: that of twins.c, or the main one of europa-taps.
 */
#ifndef ROUTER_TAPS_H
#define ROUTER_TAPS_H

#include "lib/vnic_abi.h"
#include "router/iface.h"
#include "router/netlink.h"

/* Those of iface.h: both families, and the link-local one. */
enum { TAP_MAX_ADDRESSES = 2 * ROUTERCONF_MAX_ADDRESSES };

struct tap_want {
	bool present;
	bool up; /* of the vNIC: the twin's carrier */
	char name[VNIC_NAME_BYTES];
	struct nl_setting link; /* but its index */
	unsigned n;
	struct nl_address address[TAP_MAX_ADDRESSES];
};

/* What is asked of the kernel; a test has another one. */
struct taps_io {
	/* Makes the device, down. Returns its descriptor, or negative errno. */
	int (*open)(const char *name, uint32_t *index);
	int (*set_carrier)(int fd, bool on);
	int (*set_link)(int netlink, const struct nl_setting *s);
	int (*add_address)(
	    int netlink, uint32_t link, const struct nl_address *a);
	int (*delete_address)(
	    int netlink, uint32_t link, const struct nl_address *a);
};
extern const struct taps_io taps_io_kernel;

struct tap {
	int fd;      /* -1: it is not there */
	bool failed; /* the log says so already */
	struct tap_want is;
};

struct taps {
	const struct taps_io *io;
	int netlink;
	struct tap tap[VNIC_MAX_VNICS];
};

void taps_init(struct taps *t, const struct taps_io *io, int netlink);
void taps_close(struct taps *t);

/* What the slow path knows of vNIC i, and its name there. */
void taps_want(struct tap_want *out, const struct iface *f, const char *name,
    unsigned mtu);

/*
 * Makes them as they are wanted, VNIC_MAX_VNICS of them. Returns how many could
 * not be made so; try again later.
 */
unsigned taps_change(struct taps *t, const struct tap_want *want);

/* The device of vNIC i has been taken away: it is to be made anew. */
void taps_lose(struct taps *t, unsigned i);

/*
 * For all of the container: writes to /proc/sys/net. forwards: the kernel is the
 * one who does.
 */
void taps_tame_kernel(bool forwards);

#endif
