/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_macs: MACs that a vNIC may use beside its own: as them it sends, and
 * it gets what is sent to them; those of others it does not get by asking.
 */
#include "dp_rig.h"

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t stranger[6] = { 2, 0, 0, 0, 0xff, 1 };
static const uint8_t vrrp[6] = { 0, 0, 0x5e, 0, 1, 7 };

struct net {
	struct dp_rig r;
	struct dp_router *t[3];
	uint8_t mac[3][6];
};

/* Three routers with a vNIC each; attach says to what. */
static void
net_open(struct net *n, void (*attach)(struct wire_msg *m, unsigned i))
{
	dp_open(&n->r, "");
	for (uint8_t i = 0; i < 3; i++) {
		struct wire_msg m;

		n->t[i] = dp_router_new(&n->r, (uint8_t)(i + 1), 1);
		dp_mac(n->mac[i], (uint8_t)(i + 1), 0);
		m = dp_vnic(n->t[i], 0, NULL);
		attach(&m, i);
		assert_int_equal(dp_ask(&n->r, &m, NULL), 0);
		dp_router_run(n->t[i], n->t[i]->n_queues);
	}
}

static void
net_close(struct net *n)
{
	for (unsigned i = 0; i < 3; i++)
		dp_router_free(n->t[i]);
	dp_close(&n->r);
}

/* The third one is on another VLAN. */
static void
to_port(struct wire_msg *m, unsigned i)
{
	m->u.vnic.attach = WIRE_ATTACH_PORT;
	memcpy(m->u.vnic.port, "p0", 3);
	m->u.vnic.vlan = i == 2 ? 7 : 0;
}

static void
to_segment(struct wire_msg *m, unsigned i)
{
	(void)i;
	m->u.vnic.attach = WIRE_ATTACH_SEGMENT;
	memset(m->u.vnic.peer_uid, 70, WIRE_UID_BYTES);
}

/* The first two to each other, the third one to nobody. */
static void
to_peer(struct wire_msg *m, unsigned i)
{
	m->u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m->u.vnic.peer_uid, i == 0 ? 2 : 1, WIRE_UID_BYTES);
}

static struct wire_msg
listed(const struct dp_router *t, const uint8_t *mac, const uint8_t *another)
{
	struct wire_msg m = { .type = WIRE_VNIC_MACS };

	memset(m.u.macs.uid, t->id, WIRE_UID_BYTES);
	if (mac)
		memcpy(m.u.macs.mac[m.u.macs.n++], mac, 6);
	if (another)
		memcpy(m.u.macs.mac[m.u.macs.n++], another, 6);
	return m;
}

static int
list(struct net *n, unsigned i, const uint8_t *mac, const uint8_t *another)
{
	struct wire_msg m = listed(n->t[i], mac, another);

	return dp_ask(&n->r, &m, NULL);
}

/* Router i sends one frame by queue q: true if it is sent, false: spoofed. */
static bool
may_send(struct net *n, unsigned i, unsigned q, const uint8_t *from)
{
	static struct dp_frames f;
	struct dp_router *t = n->t[i];
	uint64_t sent = DP_COUNT(t, 0, sent);
	uint64_t spoofed = DP_COUNT(t, 0, tx_drop[VNIC_DROP_SPOOFED]);

	f.n = 0;
	dp_frame(&f, stranger, from, 0, 60);
	dp_router_send(t, q, 0, &f);
	DP_UNTIL(
	    DP_COUNT(t, 0, sent) + DP_COUNT(t, 0, tx_drop[VNIC_DROP_SPOOFED]) ==
		sent + spoofed + 1,
	    n->t[0], n->t[1], n->t[2]);
	return DP_COUNT(t, 0, sent) > sent;
}

static void
a_listed_mac_passes_a_port_both_ways(void **state)
{
	static struct dp_frames in, f;
	struct net n;
	struct dp_router *t;

	(void)state;
	net_open(&n, to_port);
	t = n.t[0];
	assert_int_equal(list(&n, 0, stranger, vrrp), 0);
	in.n = 0;
	dp_frame(&in, vrrp, stranger, 0, 60);
	dp_frame(&in, n.mac[0], stranger, 0, 61);
	dp_frame(&in, broadcast, stranger, 0, 62); /* once, for all its MACs */
	dp_frame(&in, vrrp, stranger, 7, 66);      /* another VLAN */
	dp_pcap_port(&n.r, "p0", &in);
	DP_UNTIL(dp_router_got(t) == 3, t);
	assert_memory_equal(t->got[0].f[0].bytes, vrrp, 6);
	assert_int_equal(
	    dp_port_info(&n.r, "p0").u.port_info.count[WIRE_PORT_NO_MATCH], 1);
	assert_int_equal(DP_COUNT(t, 0, offered), 3);
	for (unsigned q = 0; q < t->n_queues; q++) {
		assert_true(may_send(&n, 0, q, vrrp));
		assert_true(may_send(&n, 0, q, n.mac[0]));
		assert_false(may_send(&n, 0, q, n.mac[1]));
	}
	assert_false(may_send(&n, 1, 0, vrrp)); /* it is another's */
	DP_UNTIL(dp_n_out(&n.r, "p0") == 4, t);
	/* a neighbour reaches it without the port */
	f.n = 0;
	dp_frame(&f, vrrp, n.mac[1], 0, 70);
	dp_router_send(n.t[1], 0, 0, &f);
	DP_UNTIL(dp_router_got(t) == 4, t, n.t[1]);
	assert_int_equal(dp_n_out(&n.r, "p0"), 4);
	/* taken back while it runs */
	assert_int_equal(list(&n, 0, NULL, NULL), 0);
	assert_false(may_send(&n, 0, 0, vrrp));
	assert_true(may_send(&n, 0, 0, n.mac[0]));
	net_close(&n);
}

static void
what_is_anothers_stays_so(void **state)
{
	static struct dp_frames none;
	struct net n;
	struct wire_msg m;
	unsigned n_may;

	(void)state;
	net_open(&n, to_port);
	dp_pcap_port(&n.r, "p0", &none);
	/* a neighbour's own, and that of one on another VLAN */
	assert_int_equal(list(&n, 0, n.mac[1], n.mac[2]), 0);
	assert_false(may_send(&n, 0, 0, n.mac[1]));
	assert_true(may_send(&n, 0, 0, n.mac[2]));
	/* the port's */
	m = dp_port_info(&n.r, "p0");
	assert_int_equal(list(&n, 0, m.u.port_info.mac, vrrp), 0);
	assert_false(may_send(&n, 0, 0, m.u.port_info.mac));
	assert_true(may_send(&n, 0, 0, vrrp));
	/* of two that ask one has it */
	assert_int_equal(list(&n, 1, vrrp, NULL), 0);
	n_may = may_send(&n, 0, 0, vrrp);
	n_may += may_send(&n, 1, 0, vrrp);
	assert_int_equal(n_may, 1);
	/* a trunk has all VLANs, so its wishes meet everybody */
	m = dp_vnic(n.t[0], 0, "p0");
	m.u.vnic.trunk = 1;
	assert_int_equal(dp_ask(&n.r, &m, NULL), 0);
	assert_int_equal(list(&n, 0, n.mac[2], NULL), 0);
	assert_false(may_send(&n, 0, 0, n.mac[2]));
	/* until it goes */
	m = (struct wire_msg){ .type = WIRE_VNIC_DEL };
	memset(m.u.vnic_ref.uid, 3, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&n.r, &m, NULL), 0);
	assert_true(may_send(&n, 0, 0, n.mac[2]));
	net_close(&n);
}

static void
the_next_of_an_index_begins_without(void **state)
{
	static struct dp_frames none;
	struct net n;
	struct wire_msg m = { .type = WIRE_VNIC_DEL };

	(void)state;
	net_open(&n, to_port);
	dp_pcap_port(&n.r, "p0", &none);
	assert_int_equal(list(&n, 0, vrrp, NULL), 0);
	memset(m.u.vnic_ref.uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&n.r, &m, NULL), 0);
	/* its epochs have to end first */
	m = (struct wire_msg){ .type = WIRE_DIED };
	memset(m.u.router.uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&n.r, &m, NULL), 0);
	dp_router_run(n.t[0], 2 * n.t[0]->n_queues);
	m = dp_vnic(n.t[0], 0, "p0");
	DP_UNTIL(dp_ask(&n.r, &m, NULL) == 0, n.t[0]);
	assert_false(may_send(&n, 0, 0, vrrp));
	net_close(&n);
}

static void
links_and_segments_know_them_too(void **state)
{
	static struct dp_frames f;
	struct net n;

	(void)state;
	net_open(&n, to_segment);
	assert_int_equal(list(&n, 0, vrrp, n.mac[1]), 0);
	f.n = 0;
	dp_frame(&f, vrrp, n.mac[2], 0, 60);
	dp_frame(&f, n.mac[1], n.mac[2], 0, 61);
	dp_frame(&f, broadcast, n.mac[2], 0, 62);
	dp_router_send(n.t[2], 0, 0, &f);
	DP_UNTIL(dp_router_got(n.t[0]) == 2 && dp_router_got(n.t[1]) == 2,
	    n.t[0], n.t[1], n.t[2]);
	assert_memory_equal(n.t[0]->got[0].f[0].bytes, vrrp, 6);
	f.n = 0;
	dp_frame(&f, n.mac[2], vrrp, 0, 63);
	dp_frame(&f, n.mac[2], n.mac[1], 0, 64); /* its owner is there */
	dp_router_send(n.t[0], 0, 0, &f);
	DP_UNTIL(dp_router_got(n.t[2]) == 1 &&
		     DP_COUNT(n.t[0], 0, tx_drop[VNIC_DROP_SPOOFED]) == 1,
	    n.t[0], n.t[2]);
	net_close(&n);
	net_open(&n, to_peer);
	assert_int_equal(list(&n, 0, vrrp, NULL), 0);
	assert_true(may_send(&n, 0, 0, vrrp));
	assert_false(may_send(&n, 0, 0, n.mac[2]));
	DP_UNTIL(dp_router_got(n.t[1]) == 1, n.t[1]);
	net_close(&n);
}

static void
a_bad_list_changes_nothing(void **state)
{
	static const uint8_t zeros[6];
	static struct dp_frames none;
	struct net n;
	struct wire_msg m;

	(void)state;
	net_open(&n, to_port);
	dp_pcap_port(&n.r, "p0", &none);
	assert_int_equal(list(&n, 0, vrrp, NULL), 0);
	assert_int_equal(list(&n, 0, broadcast, NULL), EINVAL);
	assert_int_equal(list(&n, 0, zeros, NULL), EINVAL);
	assert_int_equal(list(&n, 0, stranger, stranger), EINVAL);
	m = listed(n.t[0], stranger, NULL);
	m.u.macs.index = 1;
	assert_int_equal(dp_ask(&n.r, &m, NULL), ENOENT);
	m.u.macs.index = UINT32_MAX;
	assert_int_equal(dp_ask(&n.r, &m, NULL), ENOENT);
	m.u.macs.index = 0;
	m.u.macs.uid[0] = 9;
	assert_int_equal(dp_ask(&n.r, &m, NULL), ENOENT);
	assert_true(may_send(&n, 0, 0, vrrp));
	assert_false(may_send(&n, 0, 0, stranger));
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_mac_passes_a_port_both_ways),
		cmocka_unit_test(what_is_anothers_stays_so),
		cmocka_unit_test(the_next_of_an_index_begins_without),
		cmocka_unit_test(links_and_segments_know_them_too),
		cmocka_unit_test(a_bad_list_changes_nothing),
	};

	return cmocka_run_group_tests_name("macs", tests, NULL, NULL);
}
