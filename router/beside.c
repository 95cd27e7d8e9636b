/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beside: see beside.h.
 */
#include "router/beside.h"

#include "lib/log.h"
#include "lib/loop.h"

/* --- what the kernel knows ------------------------------------------------ */

static bool
is_ip4(struct ip6 a)
{
	return a.hi == 0 && a.lo >> 32 == 0xffff;
}

/* Our own addresses are in our tables before they are in the kernel's. */
static bool
is_configured(const struct routerconf *c, const struct linux_route *l)
{
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &c->vnic[i];

		for (unsigned k = 0; !l->is6 && k < v->n_addresses; k++)
			if (ip6_is_equal(
				ip6_of_ip4(v->address[k].ip), l->prefix))
				return true;
		for (unsigned k = 0; l->is6 && k < v->n_addresses6; k++)
			if (ip6_is_equal(v->address6[k].ip, l->prefix))
				return true;
	}
	return false;
}

static bool
tell_route(void *arg, const struct linux_route *l)
{
	static const uint8_t dev[] = { [NL_LOCAL] = ROUTE_OURS_DEV,
		[NL_BLACKHOLE] = ROUTE_HOLE_DEV,
		[NL_UNREACHABLE] = ROUTE_NONE_DEV };
	struct beside *b = arg;
	struct route r = {
		.prefix = l->prefix,
		.via = l->via,
		.is6 = l->is6,
		.len = l->len,
		.dev = l->way == NL_VIA ? l->vnic : dev[l->way],
		.source = ROUTE_LINUX,
	};
	int rc;

	if (l->way == NL_LOCAL && !l->is_gone &&
	    is_configured(&b->feed->conf, l))
		return true;
	rc = feed_change(b->feed, &r, !l->is_gone);
	if (rc == -EAGAIN)
		return false;
	if (rc < 0 && !b->was_full)
		log_err("a route of the kernel is left out: %s", strerror(-rc));
	b->was_full = rc < 0;
	return true;
}

static bool
tell_neighbour(void *arg, const struct linux_neighbour *n)
{
	struct beside *b = arg;

	return feed_neighbour(b->feed, n->vnic, !is_ip4(n->ip), n->ip,
		   n->is_gone ? NULL : n->mac) != -EAGAIN;
}

static const struct linux_sink sink = { tell_route, tell_neighbour };

/* --- life ----------------------------------------------------------------- */

void
beside_init(struct beside *b, struct feed *feed)
{
	*b = (struct beside){ .feed = feed,
		.from = {
		    .events = -1, .requests = -1, .sink = &sink, .arg = b } };
}

void
beside_close(struct beside *b)
{
	twins_stop(b->twins);
	b->twins = NULL;
	linux_feed_close(&b->from);
}

static int
start_twins(struct beside *b)
{
	int netlink;

	if (b->twins)
		return 0;
	netlink = netlink_open(false);
	if (netlink < 0)
		return netlink;
	taps_tame_kernel(false);
	return twins_start(
	    &taps_io_kernel, netlink, &b->feed->slow->bell, &b->twins);
}

static int
start(struct beside *b)
{
	int rc = start_twins(b);

	if (rc == 0 && !linux_feed_is_open(&b->from))
		rc = linux_feed_open(&b->from, -1, -1, &sink, b);
	return rc;
}

static void
set_names(struct beside *b, const struct routerconf *c)
{
	char name[VNIC_MAX_VNICS][NETLINK_NAME] = { { 0 } };

	_Static_assert((int)NETLINK_NAME == (int)VNIC_NAME_BYTES, "one length");
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		if (c->vnic[i].present)
			memcpy(name[i], c->vnic[i].name, NETLINK_NAME);
	linux_feed_set_names(&b->from, name);
}

void
beside_configure(struct beside *b, struct routerconf *c)
{
	int rc;

	if (c->twins != ROUTERCONF_ON) {
		linux_feed_stop(&b->from);
		return;
	}
	rc = start(b);
	if (rc < 0) {
		log_err("no Linux beside the router: %s", strerror(-rc));
		c->twins = ROUTERCONF_OFF;
		return;
	}
	/* release: pairs with the look of the slow path */
	atomic_store_explicit(
	    &b->feed->slow->twins, b->twins, memory_order_release);
	set_names(b, c);
}

void
beside_poll(const struct beside *b, struct pollfd *fds)
{
	linux_feed_poll(&b->from, fds);
}

int
beside_timeout(const struct beside *b)
{
	return linux_feed_timeout(&b->from, loop_now_ms());
}

void
beside_turn(struct beside *b)
{
	if (linux_feed_is_open(&b->from))
		linux_feed_turn(&b->from, loop_now_ms());
	else
		linux_feed_push(&b->from); /* what it told is gone */
}
