/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_queues: which queue of a router gets a packet, and from which ones a
 * port sends; a running data plane, see dp_rig.h. Built twice: for one worker,
 * and for two, whose packets then cross.
 */
#include "tests/unit/dp_rig.h"

static const uint8_t stranger[6] = { 2, 0, 0, 9, 9, 9 };

enum { N_FLOWS = 40, PER_FLOW = 10 };

/* UDP of a flow, numbered; the source port names the flow. */
static void
add_udp(struct dp_frames *f, const uint8_t *mac, unsigned flow, unsigned seq)
{
	uint8_t *type = dp_frame(f, mac, stranger, 0, 64);
	uint8_t *ip = type + 2;

	memset(type, 0, 50);
	store_be16(type, 0x0800);
	ip[0] = 0x45;
	ip[9] = 17;
	store_be32(ip + 12, 0xc6120002);
	store_be32(ip + 16, 0xc6120102);
	store_be16(ip + 20, (uint16_t)(5000 + flow));
	store_be16(ip + 28, (uint16_t)seq);
}

static unsigned
flow_of(const struct dp_frames *f, unsigned i)
{
	return load_be16(f->f[i].bytes + 34) - 5000u;
}

/* Each flow came by one queue, complete and in order. */
static void
assert_flows(const struct dp_router *t, unsigned queue[N_FLOWS])
{
	unsigned next[N_FLOWS] = { 0 };

	for (unsigned q = 0; q + 1 < t->n_queues; q++)
		for (unsigned i = 0; i < t->got[q].n; i++) {
			unsigned flow = flow_of(&t->got[q], i);

			assert_true(flow < N_FLOWS);
			if (next[flow] > 0)
				assert_int_equal(queue[flow], q);
			queue[flow] = q;
			assert_int_equal(
			    load_be16(t->got[q].f[i].bytes + 42), next[flow]);
			next[flow]++;
		}
	for (unsigned flow = 0; flow < N_FLOWS; flow++)
		assert_int_equal(next[flow], PER_FLOW);
}

static void
a_flow_has_one_queue_and_keeps_its_order(void **state)
{
	static struct dp_frames in;
	unsigned queue[N_FLOWS], used = 0;
	struct dp_router *t;
	struct wire_msg m;
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 4);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	in.n = 0;
	for (unsigned i = 0; i < N_FLOWS * PER_FLOW; i++)
		add_udp(&in, mac, i % N_FLOWS, i / N_FLOWS);
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(dp_router_got(t) == in.n, t);
	assert_flows(t, queue);
	for (unsigned flow = 0; flow < N_FLOWS; flow++)
		used |= 1u << queue[flow];
	assert_int_equal(used, 0xf);
	assert_int_equal(DP_COUNT(t, 0, offered), in.n);
	assert_int_equal(DP_COUNT(t, 0, filled), in.n);
	m = dp_port_info(&r, "p0");
	assert_int_equal(m.u.port_info.count[WIRE_PORT_RX], in.n);
	assert_int_equal(m.u.port_info.count[WIRE_PORT_RX_DELIVERED], in.n);
	dp_router_free(t);
	dp_close(&r);
}

/* What is no plain frame, behind a plain one for the same vNIC. */
static void
add_others(struct dp_frames *f, const uint8_t *mac)
{
	store_be32(dp_frame(f, mac, stranger, 0, 64), 0x08060001); /* ARP */
	add_udp(f, mac, 0, 0);
	add_udp(f, mac, 0, 0); /* to the vNIC's own address */
	store_be32(f->f[f->n - 1].bytes + 30, 0xc6120001);
	add_udp(f, mac, 0, 0);
	add_udp(f, mac, 0, 0); /* to 224.0.0.5, for all OSPF routers */
	store_be32(f->f[f->n - 1].bytes + 30, 0xe0000005);
	add_udp(f, mac, 0, 0);
	dp_frame(f, mac, stranger, 7, 64); /* of another VLAN */
	add_udp(f, mac, 0, 0);
	add_udp(f, mac, 0, 0); /* too long */
	f->f[f->n - 1].len = 1515;
	add_udp(f, mac, 0, 0);
	add_udp(f, mac, 0, 0); /* too short for IPv4: data, as it is */
	f->f[f->n - 1].len = 20;
}

/* The short way of a burst's plain frames takes no other along. */
static void
each_frame_of_a_burst_is_judged(void **state)
{
	enum { ROUNDS = 12, DATA = 7, CONTROL = 3 };
	static struct dp_frames in;
	struct dp_router *t;
	struct wire_msg m;
	struct dp_rig r;
	uint8_t mac[2][6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 1);
	for (unsigned i = 0; i < 2; i++) {
		m = dp_vnic(t, i, "p0");
		m.u.vnic.n_addresses = 1;
		m.u.vnic.address[0].family = 4;
		store_be32(m.u.vnic.address[0].bytes, 0xc6120001);
		assert_int_equal(dp_ask(&r, &m, NULL), 0);
		dp_mac(mac[i], 1, i);
	}
	dp_router_run(t, t->n_queues);
	in.n = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		add_udp(&in, mac[0], 0, 0);
		add_others(&in, mac[0]);
		add_udp(&in, mac[1], 0, 0);
	}
	dp_pcap_port(&r, "p0", &in);
	DP_UNTIL(dp_router_got(t) == ROUNDS * (DATA + 1 + CONTROL), t);
	assert_int_equal(t->got[0].n, ROUNDS * (DATA + 1));
	assert_int_equal(t->got[1].n, ROUNDS * CONTROL);
	assert_int_equal(DP_COUNT(t, 0, filled), ROUNDS * (DATA + CONTROL));
	assert_int_equal(DP_COUNT(t, 1, filled), ROUNDS);
	assert_int_equal(DP_COUNT(t, 0, rx_drop[VNIC_DROP_OVERSIZE]), ROUNDS);
	m = dp_port_info(&r, "p0");
	assert_int_equal(m.u.port_info.count[WIRE_PORT_NO_MATCH], ROUNDS);
	dp_router_free(t);
	dp_close(&r);
}

/* A device with two rx queues: with two workers, each keeps what it polled. */
static void
every_rx_queue_is_polled(void **state)
{
	static struct dp_frames in[2];
	unsigned queue[N_FLOWS];
	char devargs[256];
	struct dp_router *t;
	struct wire_msg m;
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 4);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	in[0].n = in[1].n = 0;
	for (unsigned i = 0; i < N_FLOWS * PER_FLOW; i++)
		add_udp(&in[i % 2], mac, i % N_FLOWS, i / N_FLOWS);
	dp_write_pcap(&r, "a.in", &in[0]);
	dp_write_pcap(&r, "b.in", &in[1]);
	snprintf(devargs, sizeof(devargs),
	    "net_pcap,rx_pcap=%s/a.in,rx_pcap=%s/b.in,tx_pcap=%s/p0.out", r.dir,
	    r.dir, r.dir);
	dp_port(&r, "p0", devargs);
	DP_UNTIL(dp_router_got(t) == N_FLOWS * PER_FLOW, t);
	assert_flows(t, queue);
	for (unsigned flow = 0; strlen(DP_CONF) > 0 && flow < N_FLOWS; flow++)
		assert_int_equal(queue[flow] % 2, flow % 2);
	m = dp_port_info(&r, "p0");
	assert_int_equal(m.u.port_info.count[WIRE_PORT_RX], N_FLOWS * PER_FLOW);
	dp_router_free(t);
	dp_close(&r);
}

/* From every queue to a port that has one tx queue. */
static void
all_queues_send_by_one_port(void **state)
{
	static struct dp_frames out, all;
	unsigned next[4] = { 0 };
	struct dp_router *t;
	struct wire_msg m;
	struct dp_rig r;
	uint8_t mac[6];

	(void)state;
	dp_open(&r, "");
	t = dp_router_new(&r, 1, 3);
	m = dp_vnic(t, 0, "p0");
	assert_int_equal(dp_ask(&r, &m, NULL), 0);
	all.n = 0;
	dp_pcap_port(&r, "p0", &all);
	dp_router_run(t, t->n_queues);
	dp_mac(mac, 1, 0);
	for (unsigned i = 0; i < 200; i++) {
		out.n = 0;
		memcpy(dp_frame(&out, stranger, mac, 0, 60 + i * 5) + 2,
		    (uint8_t[]){ (uint8_t)(i % 4), (uint8_t)(i / 4) }, 2);
		dp_router_send(t, i % 4, 0, &out); /* 3 is control */
	}
	DP_UNTIL(dp_n_out(&r, "p0") == 200, t);
	dp_read_pcap(&r, "p0.out", &all);
	for (unsigned i = 0; i < 200; i++) {
		const uint8_t *p = all.f[i].bytes + 14;

		assert_true(p[0] < 4);
		assert_int_equal(p[1], next[p[0]]++);
		assert_int_equal(all.f[i].len, 60 + (p[1] * 4u + p[0]) * 5);
	}
	assert_int_equal(DP_COUNT(t, 0, sent), 200);
	DP_UNTIL(
	    dp_port_info(&r, "p0").u.port_info.count[WIRE_PORT_TX] == 200, t);
	dp_router_free(t);
	dp_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_has_one_queue_and_keeps_its_order),
		cmocka_unit_test(each_frame_of_a_burst_is_judged),
		cmocka_unit_test(every_rx_queue_is_polled),
		cmocka_unit_test(all_queues_send_by_one_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
