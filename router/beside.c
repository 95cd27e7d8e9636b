/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beside: see beside.h.
 */
#include "router/beside.h"

#include "lib/log.h"
#include "lib/loop.h"

void
beside_init(struct beside *b, struct slow *slow, const struct linux_sink *sink,
    void *arg)
{
	*b = (struct beside){ .slow = slow,
		.feed = {
		    .events = -1, .requests = -1, .sink = sink, .arg = arg } };
}

void
beside_close(struct beside *b)
{
	twins_stop(b->twins);
	b->twins = NULL;
	linux_feed_close(&b->feed);
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
	taps_tame_kernel();
	return twins_start(&taps_io_kernel, netlink, &b->slow->bell, &b->twins);
}

static int
start(struct beside *b)
{
	int rc = start_twins(b);

	if (rc == 0 && !linux_feed_is_open(&b->feed))
		rc = linux_feed_open(
		    &b->feed, -1, -1, b->feed.sink, b->feed.arg);
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
	linux_feed_set_names(&b->feed, name);
}

void
beside_configure(struct beside *b, struct routerconf *c)
{
	int rc;

	if (c->twins != ROUTERCONF_ON) {
		linux_feed_stop(&b->feed);
		return;
	}
	rc = start(b);
	if (rc < 0) {
		log_err("no Linux beside the router: %s", strerror(-rc));
		c->twins = ROUTERCONF_OFF;
		return;
	}
	/* seen by the slow path with the plan, which is published */
	b->slow->twins = b->twins;
	set_names(b, c);
}

void
beside_poll(const struct beside *b, struct pollfd *fds)
{
	linux_feed_poll(&b->feed, fds);
}

int
beside_timeout(const struct beside *b)
{
	return linux_feed_timeout(&b->feed, loop_now_ms());
}

void
beside_turn(struct beside *b)
{
	if (linux_feed_is_open(&b->feed))
		linux_feed_turn(&b->feed, loop_now_ms());
	else
		linux_feed_push(&b->feed); /* what it told is gone */
}
