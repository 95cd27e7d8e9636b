/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_process: packets through a running data plane, byte by byte. Each
 * case starts a process of its own; see dp_rig.h.
 */
#include "tests/unit/dp_rig.h"

#include "lib/region.h"

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };

static void
assert_frame(
    const struct dp_frames *f, unsigned i, const uint8_t *bytes, unsigned len)
{
	assert_true(i < f->n);
	assert_int_equal(f->f[i].len, len);
	assert_memory_equal(f->f[i].bytes, bytes, len);
}

/* --- cases ---------------------------------------------------------------------- */

static void
echo_keeps_every_byte(void **state)
{
	static struct dp_frames in, out;
	struct dp_rig r;
	struct dp_router *t;
	struct wire_msg m;
	uint64_t bytes = 0;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	t->echo = true;
	m = dp_vnic(t, 0, "p0"); /* before the port is there */
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	in.n = 0;
	for (unsigned i = 0; i < 300; i++) {
		unsigned len = i < 64 ? 14 + i : 14 + i * 5;

		dp_frame(&in, mac, stranger, 0, MIN(len, 1514u));
		bytes += MIN(len, 1514u);
	}
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(dp_n_out(&r, "p0") == in.n, t);
	dp_read_pcap(&r, "p0.out", &out);
	for (unsigned i = 0; i < in.n; i++) {
		memcpy(in.f[i].bytes, stranger, 6);
		memcpy(in.f[i].bytes + 6, mac, 6);
		assert_frame(&out, i, in.f[i].bytes, in.f[i].len);
	}
	/* what leaves is counted behind it */
	DP_UNTIL(DP_COUNT(t, 0, sent) == 300, t);
	DP_UNTIL(DP_COUNT(t, 0, sent_bytes) == bytes, t);
	assert_int_equal(DP_COUNT(t, 0, offered), 300);
	assert_int_equal(DP_COUNT(t, 0, filled), 300);
	assert_int_equal(DP_COUNT(t, 0, filled_bytes), bytes);
	assert_int_equal(DP_COUNT(t, 0, back), 300);
	DP_UNTIL((m = dp_port_info(&r, "p0"),
		     m.u.port_info.count[WIRE_PORT_TX] == 300 &&
			 m.u.port_info.count[WIRE_PORT_RX_DELIVERED] == 300),
	    t);
	assert_string_equal(m.u.port_info.driver, "net_pcap");
	assert_int_equal(m.u.port_info.state, WIRE_PORT_UP);
	assert_int_equal(m.u.port_info.count[WIRE_PORT_RX], 300);
	assert_int_equal(m.u.port_info.count[WIRE_PORT_NO_MATCH], 0);
	dp_hear(&r);
	assert_int_equal(r.n_events[WIRE_EVENT_RUNNING], 2);
	dp_router_free(t);
	dp_close(&r);
}

/* vNIC 0 untagged, 1 on VLAN 42, 2 a trunk */
static struct dp_router *
open_vlans(struct dp_rig *r, uint8_t mac[3][6])
{
	struct dp_router *t;

	dp_open(r, "");
	t = dp_router_new(r, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct wire_msg m = dp_vnic(t, i, "p0");

		dp_mac(mac[i], 1, i);
		m.u.vnic.vlan = i == 1 ? 42 : 0;
		m.u.vnic.trunk = i == 2;
		assert_int_equal(dp_ask(r, &m, NULL), 0);
	}
	dp_router_run(t, t->n_queues);
	return t;
}

/* Frame i of the input is what vNIC v got as its nth; its tag gone if access. */
static void
assert_inward(const struct dp_router *t, unsigned v, unsigned nth,
    const struct dp_frames *in, unsigned i)
{
	unsigned len = in->f[i].len, k = 0;
	uint8_t want[DP_MAX_BYTES];

	memcpy(want, in->f[i].bytes, len);
	if (v == 1) {
		memmove(want + 12, want + 16, len - 16);
		len -= 4;
	}
	while (t->got_vnic[0][k] != v || nth-- > 0)
		assert_true(++k < t->got[0].n);
	assert_frame(&t->got[0], k, want, len);
}

static void
vlans_are_kept_apart_inward(void **state)
{
	static struct dp_frames in;
	struct dp_rig r;
	uint8_t mac[3][6];
	struct dp_router *t = open_vlans(&r, mac);
	struct wire_msg m;

	(void)state;
	in.n = 0;
	dp_frame(&in, mac[0], stranger, 0, 100);
	dp_frame(&in, mac[1], stranger, 42, 101);
	dp_frame(&in, mac[2], stranger, 0xa007, 102);
	dp_frame(&in, mac[0], stranger, 42, 103); /* wrong VLAN */
	dp_frame(&in, mac[1], stranger, 0, 104);  /* wrong VLAN */
	dp_frame(&in, mac[2], stranger, 0, 105);
	dp_frame(&in, mac[1], stranger, 42, 1518); /* full */
	dp_frame(&in, mac[2], stranger, 42, 1518); /* full */
	dp_frame(&in, mac[0], stranger, 0, 1515);  /* oversize */
	dp_frame(&in, stranger, mac[0], 0, 60);    /* nobody's */
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(t->got[0].n == 6, t);
	assert_inward(t, 0, 0, &in, 0);
	assert_inward(t, 1, 0, &in, 1);
	assert_inward(t, 2, 0, &in, 2);
	assert_inward(t, 2, 1, &in, 5);
	assert_inward(t, 1, 1, &in, 6);
	assert_inward(t, 2, 2, &in, 7);
	DP_UNTIL(DP_COUNT(t, 0, rx_drop[VNIC_DROP_OVERSIZE]) == 1, t);
	DP_UNTIL((m = dp_port_info(&r, "p0"),
		     m.u.port_info.count[WIRE_PORT_NO_MATCH] == 3),
	    t);
	assert_int_equal(m.u.port_info.count[WIRE_PORT_RX], 10);
	dp_router_free(t);
	dp_close(&r);
}

static void
vlans_are_kept_apart_outward(void **state)
{
	static struct dp_frames none, out, tx;
	struct dp_rig r;
	uint8_t mac[3][6];
	struct dp_router *t = open_vlans(&r, mac);

	(void)state;
	dp_pcap_port(&r, "p0", &none);
	tx.n = 0;
	dp_frame(&tx, stranger, mac[1], 0, 90);
	dp_router_send(t, 0, 1, &tx);
	DP_UNTIL(dp_n_out(&r, "p0") == 1, t);
	tx.n = 0;
	dp_frame(&tx, stranger, mac[2], 99, 91);
	dp_router_send(t, 0, 2, &tx);
	DP_UNTIL(dp_n_out(&r, "p0") == 2, t);
	tx.n = 0;
	dp_frame(&tx, stranger, mac[0], 42, 92); /* another VLAN: spoofed */
	dp_frame(&tx, stranger, mac[0], 0, 93);
	dp_frame(&tx, stranger, mac[1], 0, 94); /* another MAC: spoofed */
	dp_frame(&tx, stranger, mac[0], 0, 1515);
	dp_router_send(t, 0, 0, &tx);
	DP_UNTIL(dp_n_out(&r, "p0") == 3 &&
		     DP_COUNT(t, 0, tx_drop[VNIC_DROP_OVERSIZE]) == 1 &&
		     DP_COUNT(t, 0, tx_drop[VNIC_DROP_SPOOFED]) == 2,
	    t);
	dp_read_pcap(&r, "p0.out", &out);
	assert_int_equal(out.f[0].len, 94);
	assert_int_equal(load_be16(out.f[0].bytes + 12), 0x8100);
	assert_int_equal(load_be16(out.f[0].bytes + 14), 42);
	assert_int_equal(load_be16(out.f[0].bytes + 16), 0x88b5);
	assert_int_equal(out.f[1].len, 91);
	assert_int_equal(load_be16(out.f[1].bytes + 14), 99);
	assert_frame(&out, 2, tx.f[1].bytes, 93);
	dp_router_free(t);
	dp_close(&r);
}

static void
slow_path_frames_take_the_control_queue(void **state)
{
	static struct dp_frames in;
	struct dp_rig r;
	struct dp_router *t;
	struct wire_msg m;
	uint8_t mac[6], *p;

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	m = dp_vnic(t, 0, "p0");
	m.u.vnic.n_addresses = 1;
	m.u.vnic.address[0].family = 4;
	memcpy(m.u.vnic.address[0].bytes, "\306\022\0\1", 4); /* 198.18.0.1 */
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	in.n = 0;
	store_be16(dp_frame(&in, broadcast, stranger, 0, 60), 0x0806); /* ARP */
	p = dp_frame(&in, mac, stranger, 0, 60);
	store_be16(p, 0x0800);
	memcpy(p + 2 + 16, "\306\022\0\1", 4);
	p = dp_frame(&in, mac, stranger, 0, 60);
	store_be16(p, 0x0800);
	memcpy(p + 2 + 16, "\306\022\0\2", 4); /* through, not to */
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(dp_router_got(t) == 3, t);
	assert_int_equal(t->got[0].n, 1);
	assert_int_equal(t->got[1].n, 2);
	assert_frame(&t->got[1], 0, in.f[0].bytes, 60);
	assert_frame(&t->got[1], 1, in.f[1].bytes, 60);
	assert_frame(&t->got[0], 0, in.f[2].bytes, 60);
	dp_router_free(t);
	dp_close(&r);
}

static void
neighbours_meet_without_the_port(void **state)
{
	static struct dp_frames in, tx, out;
	struct dp_rig r;
	struct dp_router *a, *b, *c;
	struct wire_msg m;
	uint8_t mac[4][6];

	(void)state;
	dp_open(&r, "");
	in.n = 0;
	dp_pcap_port(&r, "p0", &in);
	a = dp_router_new(&r, 1, 1);
	b = dp_router_new(&r, 2, 1);
	c = dp_router_new(&r, 3, 1); /* on another VLAN */
	for (unsigned i = 1; i < 4; i++)
		dp_mac(mac[i], (uint8_t)i, 0);
	m = dp_vnic(a, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m = dp_vnic(b, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m = dp_vnic(c, 0, "p0");
	m.u.vnic.vlan = 7;
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(a, a->n_queues);
	dp_router_run(b, b->n_queues);
	dp_router_run(c, c->n_queues);
	tx.n = 0;
	dp_frame(&tx, mac[2], mac[1], 0, 200);    /* known here */
	dp_frame(&tx, mac[3], mac[1], 0, 201);    /* another VLAN: outside */
	dp_frame(&tx, broadcast, mac[1], 0, 202); /* both */
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(dp_router_got(b) == 2 && dp_n_out(&r, "p0") == 2, a, b, c);
	dp_read_pcap(&r, "p0.out", &out);
	assert_frame(&out, 0, tx.f[1].bytes, 201);
	assert_frame(&out, 1, tx.f[2].bytes, 202);
	assert_frame(&b->got[0], 0, tx.f[0].bytes, 200);
	assert_frame(&b->got[1], 0, tx.f[2].bytes, 202); /* group, not IP */
	assert_int_equal(dp_router_got(a), 0);
	assert_int_equal(dp_router_got(c), 0);
	DP_UNTIL(DP_COUNT(a, 0, sent) == 3, a, b, c);
	assert_int_equal(DP_COUNT(b, 0, offered), 2);
	dp_router_free(a);
	dp_router_free(b);
	dp_router_free(c);
	dp_close(&r);
}

static void
link_needs_both_ends(void **state)
{
	static struct dp_frames tx;
	struct dp_rig r;
	struct dp_router *a, *b;
	struct wire_msg m;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	a = dp_router_new(&r, 1, 1);
	b = dp_router_new(&r, 2, 2);
	m = dp_vnic(a, 0, NULL);
	m.u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m.u.vnic.peer_uid, 2, WIRE_UID_BYTES);
	m.u.vnic.peer_index = 3;
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(a, a->n_queues);
	dp_router_run(b, b->n_queues);
	dp_mac(mac, 1, 0);
	tx.n = 0;
	for (unsigned i = 0; i < 40; i++)
		dp_frame(&tx, stranger, mac, i % 3 ? 0 : 5, 18 + i * 38);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(a, 0, tx_drop[VNIC_DROP_LINK_DOWN]) == 40, a);
	m = dp_vnic(b, 3, NULL);
	m.u.vnic.attach = WIRE_ATTACH_VNIC;
	memset(m.u.vnic.peer_uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(dp_router_got(b) == 40, a, b);
	DP_UNTIL(DP_COUNT(a, 0, sent) == 40, a, b);
	assert_int_equal(DP_COUNT(b, 3, offered), 40);
	assert_int_equal(DP_COUNT(b, 3, filled), 40);
	for (unsigned q = 0, k = 0; q < 3; q++) {
		for (unsigned i = 0; i < b->got[q].n; i++, k++) {
			unsigned j = (b->got[q].f[i].len - 18) / 38;

			assert_int_equal(b->got_vnic[q][i], 3);
			assert_frame(&b->got[q], i, tx.f[j].bytes, tx.f[j].len);
		}
	}
	dp_router_free(a);
	dp_router_free(b);
	dp_close(&r);
}

static void
gate_and_death(void **state)
{
	static struct dp_frames tx;
	struct dp_rig r;
	struct dp_router *a, *b;
	struct wire_msg m, gate = { .type = WIRE_GATE }, died = { 0 };
	uint8_t mac[2][6];
	unsigned fresh, others;

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n");
	a = dp_router_new(&r, 1, 1);
	b = dp_router_new(&r, 2, 1);
	dp_mac(mac[0], 1, 0);
	dp_mac(mac[1], 2, 0);
	m = dp_vnic(a, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	m = dp_vnic(b, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(a, a->n_queues);
	tx.n = 0;
	dp_frame(&tx, mac[1], mac[0], 0, 64);
	dp_router_send(a, 0, 0, &tx); /* b has not come yet */
	DP_UNTIL(DP_COUNT(b, 0, rx_drop[VNIC_DROP_ROUTER_DOWN]) == 1, a);
	dp_router_run(b, b->n_queues);
	memset(gate.u.gate.uid, 2, WIRE_UID_BYTES);
	gate.u.gate.gate = WIRE_GATE_PAUSED;
	assert_int_equal(dp_ask(&r, &gate, NULL), 0);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(b, 0, rx_drop[VNIC_DROP_PAUSED]) == 1, a, b);
	dp_router_send(b, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(b, 0, tx_drop[VNIC_DROP_PAUSED]) == 1, a, b);
	gate.u.gate.gate = WIRE_GATE_OPEN;
	assert_int_equal(dp_ask(&r, &gate, NULL), 0);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(dp_router_got(b) == 1, a, b);
	assert_int_equal(DP_COUNT(b, 0, offered), 3);

	fresh = b->n_fresh;
	died.type = WIRE_DIED;
	memset(died.u.router.uid, 2, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &died, NULL), 0);
	dp_router_run(b, fresh + 2); /* both queues */
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(dp_router_got(b) == 2, a, b);

	m = (struct wire_msg){ .type = WIRE_VNIC_DEL };
	memset(m.u.vnic_ref.uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(a, 0, tx_drop[VNIC_DROP_VNIC_DOWN]) == 1, a);
	m = dp_vnic(a, 0, "p0"); /* not again in this epoch */
	assert_int_equal(dp_ask(&r, &m, NULL), EBUSY);
	fresh = a->n_fresh;
	others = b->n_fresh;
	memset(died.u.router.uid, 1, WIRE_UID_BYTES);
	assert_int_equal(dp_ask(&r, &died, NULL), 0);
	dp_router_run(a, fresh + a->n_queues);
	assert_int_equal(dp_ask(&r, &m, NULL), 0); /* in the next one */
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(dp_router_got(b) == 3, a, b);
	assert_int_equal(b->n_fresh, others);
	dp_router_free(a);
	dp_router_free(b);
	dp_close(&r);
}

static void
a_restart_is_a_new_epoch(void **state)
{
	static struct dp_frames tx;
	struct dp_rig r;
	struct dp_router *t;
	struct wire_msg m;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n");
	t = dp_router_new(&r, 1, 1);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	tx.n = 0;
	dp_frame(&tx, stranger, mac, 0, 64);
	dp_router_send(t, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(t, 0, sent) == 1, t);
	dp_crash(&r);
	dp_router_add(&r, t);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, 2 * t->n_queues);
	dp_router_send(t, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(t, 0, sent) == 2, t);
	dp_router_free(t);
	dp_close(&r);
}

/* A tenant that breaks the rules is held off, its neighbour is not. */
static void
faults_end_in_quarantine(void **state)
{
	static struct dp_frames tx;
	struct dp_rig r;
	struct dp_router *a, *b;
	struct wire_msg m;
	const struct vnic_layout *l;
	uint8_t mac[2][6];
	void *mine;

	(void)state;
	dp_open(&r, "port p0 1500 net_null0,no-rx=1\n");
	a = dp_router_new(&r, 1, 1);
	b = dp_router_new(&r, 2, 1);
	for (unsigned i = 0; i < 2; i++) {
		m = dp_vnic(i ? b : a, 0, "p0");
		dp_mac(mac[i], (uint8_t)(i + 1), 0);
		assert_int_equal(dp_ask(&r, &m, NULL), 0);
	}
	dp_router_run(a, a->n_queues);
	dp_router_run(b, b->n_queues);
	l = vnic_layout(b->v);
	assert_int_equal(
	    region_map(b->fds.router, l->router_bytes, REGION_RW, &mine), 0);
	for (uint64_t pos = 0; pos < 64;
	     pos++) /* slots that it does not hold */
		atomic_store_explicit(&vnic_tx_ring(l, mine, 0, 0)[pos],
		    vnic_desc(900 + (uint32_t)pos, 0, 64, VNIC_KIND_PACKET, 0) |
			vnic_turn(pos, l->g.ring_log2),
		    memory_order_release);
	assert_int_equal(
	    write(b->fds.bell[0], &(uint64_t){ 1 }, sizeof(uint64_t)),
	    sizeof(uint64_t));
	DP_UNTIL((dp_hear(&r), r.n_events[WIRE_EVENT_QUARANTINED] == 1), a);
	assert_int_equal(
	    DP_COUNT(b, 0, fault[VNIC_FAULT_NOT_HELD]) >= 64, true);
	tx.n = 0;
	dp_frame(&tx, mac[1], mac[0], 0, 64);
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(DP_COUNT(b, 0, rx_drop[VNIC_DROP_QUARANTINED]) == 1, a);
	dp_router_run(b, 3); /* after its hold */
	dp_router_send(a, 0, 0, &tx);
	DP_UNTIL(b->got[0].n == 1, a, b);
	region_unmap(mine, l->router_bytes);
	dp_router_free(a);
	dp_router_free(b);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_keeps_every_byte),
		cmocka_unit_test(vlans_are_kept_apart_inward),
		cmocka_unit_test(vlans_are_kept_apart_outward),
		cmocka_unit_test(slow_path_frames_take_the_control_queue),
		cmocka_unit_test(neighbours_meet_without_the_port),
		cmocka_unit_test(link_needs_both_ends),
		cmocka_unit_test(gate_and_death),
		cmocka_unit_test(a_restart_is_a_new_epoch),
		cmocka_unit_test(faults_end_in_quarantine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
