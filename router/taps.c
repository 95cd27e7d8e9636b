/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps: see taps.h.
 */
#include "router/taps.h"

#include "lib/log.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* --- the kernel ----------------------------------------------------------- */

static int
set_sysctl(const char *path, char value)
{
	scoped_close int fd = open(path, O_RDWR | O_CLOEXEC);
	char now = '\0';

	if (fd < 0)
		return -errno;
	if (read(fd, &now, 1) == 1 && now == value)
		return 0;
	return pwrite(fd, &value, 1, 0) == 1 ? 0 : -errno;
}

static void
tame_link(const char *name)
{
	static const char *const files[][2] = { { "ipv6", "accept_ra" },
		{ "ipv6", "accept_redirects" }, { "ipv4", "accept_redirects" },
		{ "ipv4", "rp_filter" } };
	char path[128];

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		/* of those that are not there nothing has to be turned off */
		snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s",
		    files[i][0], name, files[i][1]);
		(void)set_sysctl(path, '0');
	}
}

void
taps_tame_kernel(bool forwards)
{
	static const char *const files[] = { "/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv6/conf/all/forwarding" };

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		int rc = set_sysctl(files[i], forwards ? '1' : '0');

		if (rc < 0 && rc != -ENOENT)
			log_warn(
			    "%s cannot be set: %s", files[i], strerror(-rc));
	}
	tame_link("all");
}

static int
open_tap(const char *name, uint32_t *index)
{
	scoped_close int fd =
	    open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	scoped_close int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* as a pattern the kernel would make another name of it */
	if (strlen(name) >= sizeof(r.ifr_name) || strpbrk(name, "%/"))
		return -EINVAL;
	if (fd < 0 || any < 0)
		return -errno;
	strcpy(r.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(any, SIOCGIFINDEX, &r) < 0)
		return -errno;
	*index = (uint32_t)r.ifr_ifindex;
	tame_link(name);
	return steal_fd(fd);
}

static int
set_carrier(int fd, bool on)
{
	int value = on;

	return ioctl(fd, TUNSETCARRIER, &value) < 0 ? -errno : 0;
}

const struct taps_io taps_io_kernel = {
	.open = open_tap,
	.set_carrier = set_carrier,
	.set_link = netlink_set_link,
	.add_address = netlink_add_address,
	.delete_address = netlink_delete_address,
};

/* --- what is wanted ------------------------------------------------------- */

void
taps_want(
    struct tap_want *out, const struct iface *f, const char *name, unsigned mtu)
{
	*out = (struct tap_want){ .present = true, .up = f->up };
	out->link = (struct nl_setting){
		.mtu = mtu, .is_up = true, .has_ip6 = f->n6 > 0
	};
	memcpy(out->link.mac, f->mac, sizeof(out->link.mac));
	strncpy(out->name, name, sizeof(out->name) - 1);
	for (unsigned i = 0; i < f->n; i++)
		out->address[out->n++] = (struct nl_address){
			.ip = ip6_of_ip4(f->address[i].ip),
			.len = f->address[i].len,
		};
	/* the kernel makes the link-local one of the MAC by itself */
	for (unsigned i = 0; i < f->n6; i++)
		if (out->n < TAP_MAX_ADDRESSES &&
		    !ip6_is_equal(f->address6[i].ip, ip6_link_local(f->mac)))
			out->address[out->n++] = (struct nl_address){
				.ip = f->address6[i].ip,
				.is6 = true,
				.len = f->address6[i].len,
			};
}

/* --- changes -------------------------------------------------------------- */

static bool
has_address(const struct tap_want *w, const struct nl_address *a)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->address[i].is6 == a->is6 &&
		    w->address[i].len == a->len &&
		    ip6_is_equal(w->address[i].ip, a->ip))
			return true;
	return false;
}

static void
drop_tap(struct tap *t)
{
	base_close(t->fd);
	*t = (struct tap){ .fd = -1 };
}

void
taps_lose(struct taps *t, unsigned i)
{
	drop_tap(&t->tap[i]);
}

static int
make_tap(struct taps *t, struct tap *tap, const struct tap_want *want)
{
	int rc = t->io->open(want->name, &tap->is.link.index);

	if (rc < 0)
		return rc;
	tap->fd = rc;
	tap->is.present = true;
	tap->is.up = true; /* so they begin */
	memcpy(tap->is.name, want->name, sizeof(want->name));
	return 0;
}

/* MAC, MTU, up: in one request, if something is different. */
static int
change_link(struct taps *t, struct tap *tap, const struct tap_want *want)
{
	struct nl_setting *is = &tap->is.link;
	struct nl_setting s = want->link;
	int rc;

	if (is->mtu == s.mtu && is->is_up == s.is_up &&
	    is->has_ip6 == s.has_ip6 && memcmp(is->mac, s.mac, 6) == 0)
		return 0;
	s.index = is->index;
	rc = t->io->set_link(t->netlink, &s);
	if (rc == 0)
		*is = s;
	return rc;
}

static int
change_addresses(struct taps *t, struct tap *tap, const struct tap_want *want)
{
	struct tap_want *is = &tap->is;
	uint32_t link = is->link.index;
	int rc = 0;

	for (unsigned i = is->n; i-- > 0;) {
		if (has_address(want, &is->address[i]))
			continue;
		/* the tenant may have been faster */
		(void)t->io->delete_address(t->netlink, link, &is->address[i]);
		is->address[i] = is->address[--is->n];
	}
	for (unsigned i = 0; i < want->n; i++) {
		int one;

		if (has_address(is, &want->address[i]))
			continue;
		one = t->io->add_address(t->netlink, link, &want->address[i]);
		if (one == 0)
			is->address[is->n++] = want->address[i];
		else
			rc = one;
	}
	return rc;
}

static int
change_tap(struct taps *t, struct tap *tap, const struct tap_want *want)
{
	int rc = 0;

	if (tap->fd >= 0 &&
	    (!want->present || strcmp(tap->is.name, want->name) != 0))
		drop_tap(tap);
	if (!want->present)
		return 0;
	if (tap->fd < 0)
		rc = make_tap(t, tap, want);
	if (rc == 0)
		rc = change_link(t, tap, want);
	if (rc == 0)
		rc = change_addresses(t, tap, want);
	if (rc == 0 && tap->is.up != want->up) {
		rc = t->io->set_carrier(tap->fd, want->up);
		if (rc == 0)
			tap->is.up = want->up;
	}
	return rc;
}

unsigned
taps_change(struct taps *t, const struct tap_want *want)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		struct tap *tap = &t->tap[i];
		int rc = change_tap(t, tap, &want[i]);

		n += rc < 0;
		if (rc < 0 && !tap->failed)
			log_err(
			    "no twin of %s: %s", want[i].name, strerror(-rc));
		tap->failed = rc < 0;
	}
	return n;
}

/* --- life ----------------------------------------------------------------- */

void
taps_init(struct taps *t, const struct taps_io *io, int netlink)
{
	*t = (struct taps){ .io = io, .netlink = netlink };
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		t->tap[i].fd = -1;
}

void
taps_close(struct taps *t)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		drop_tap(&t->tap[i]);
	base_close(t->netlink);
	t->netlink = -1;
}
