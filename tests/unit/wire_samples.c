/* SPDX-License-Identifier: Apache-2.0 */
/* wire_samples: see wire_samples.h. */
#include "tests/unit/wire_samples.h"

#include "lib/base.h"

#include <stdio.h>

static void
fill_uid(uint8_t *uid, uint8_t seed)
{
	for (unsigned i = 0; i < WIRE_UID_BYTES; i++)
		uid[i] = (uint8_t)(seed + i);
}

static void
fill_rates(struct wire_rates *r, uint64_t seed)
{
	r->rx_pps = seed;
	r->tx_pps = UINT64_MAX - seed;
	r->rx_bps = seed << 32;
	r->tx_bps = UINT64_C(0x0102030405060708) ^ seed;
	r->burst_ms = UINT32_MAX - (uint32_t)seed;
}

static void
fill_set(struct wire_set *s)
{
	fill_uid(s->uid, 1);
	fill_uid(s->set, 101);
	strcpy(s->name, "router-one");
	s->g = (struct vnic_geometry){ 3, 4, 512, 9, 1600, 1586, 64 };
	s->slots = 300;
	s->gate = WIRE_GATE_PAUSED;
	fill_rates(&s->rates, 12);
}

static void
fill_vnic(struct wire_vnic *v)
{
	fill_uid(v->uid, 2);
	v->index = 3;
	memset(v->name, 'n', sizeof(v->name) - 1); /* as long as it may be */
	memcpy(v->mac, "\x02\1\2\3\4\5", 6);
	v->mtu = 9000;
	v->attach = WIRE_ATTACH_VNIC;
	strcpy(v->port, "p0");
	v->vlan = 4094;
	v->trunk = 1;
	fill_uid(v->peer_uid, 3);
	v->peer_index = 31;
	v->n_addresses = WIRE_MAX_ADDRESSES;
	for (uint32_t i = 0; i < v->n_addresses; i++) {
		v->address[i].family = i % 2 ? 6 : 4;
		memset(v->address[i].bytes, (int)(i + 1), 16);
	}
	fill_rates(&v->rates, 13);
}

static void
fill_impair(struct wire_impair *i, uint32_t seed)
{
	i->seed = UINT64_MAX - seed;
	i->rate_bps = UINT64_C(0x0807060504030201) ^ seed;
	i->delay_us = seed;
	i->jitter_us = seed + 1;
	i->loss_ppm = seed + 2;
	i->burst_begin_ppm = seed + 3;
	i->burst_end_ppm = seed + 4;
	i->burst_loss_ppm = seed + 5;
	i->duplicate_ppm = seed + 6;
	i->reorder_ppm = seed + 7;
	i->queue_packets = UINT32_MAX - seed;
}

static void
fill_link(struct wire_link *l)
{
	fill_uid(l->uid, 6);
	l->index = 30;
	l->match.fields = UINT32_MAX - 1;
	memcpy(l->match.mac, "\x02\3\4\5\6\7", 6);
	l->match.family = 6;
	l->match.src_bits = 127;
	l->match.dst_bits = 126;
	memset(l->match.src, 's', sizeof(l->match.src));
	memset(l->match.dst, 'd', sizeof(l->match.dst));
	l->match.protocol = 255;
	l->match.src_port = 65534;
	l->match.dst_port = 1;
	l->match.tunnel_key = UINT32_MAX - 2;
	for (uint32_t way = 0; way < WIRE_N_WAYS; way++)
		fill_impair(&l->impair[way], 1000 * way);
}

static void
fill_port(struct wire_msg *m)
{
	strcpy(m->u.port.name, "p1");
	memset(m->u.port.devargs, 'd', WIRE_MAX_DEVARGS - 1);
	m->u.port.mtu = 1500;
}

static void
fill_port_info(struct wire_msg *m)
{
	strcpy(m->u.port_info.name, "p1");
	strcpy(m->u.port_info.driver, "net_af_packet");
	m->u.port_info.state = WIRE_PORT_PENDING_RESTART;
	memcpy(m->u.port_info.mac, "\x02\6\7\x08\x09\x0a", 6);
	m->u.port_info.mtu = 1500;
	for (unsigned i = 0; i < WIRE_N_PORT_COUNTERS; i++)
		m->u.port_info.count[i] = UINT64_MAX - i;
}

static void
fill_stats(struct wire_msg *m)
{
	m->u.stats.generation = 5;
	m->u.stats.n = WIRE_MAX_COUNTERS;
	for (uint32_t i = 0; i < WIRE_MAX_COUNTERS; i++) {
		snprintf(m->u.stats.counter[i].name, 32, "counter-%u", i);
		m->u.stats.counter[i].value = (uint64_t)i << 40;
	}
}

static void
fill_small(struct wire_msg *m)
{
	switch (m->type) {
	case WIRE_FAIL:
		m->u.fail.no = 28;
		memset(m->u.fail.text, 'f', sizeof(m->u.fail.text) - 1);
		break;
	case WIRE_HELLO:
		m->u.hello.major = WIRE_MAJOR;
		m->u.hello.minor = 7;
		m->u.hello.pid = 12345;
		m->u.hello.n_workers = 2;
		m->u.hello.hugepages = 1;
		break;
	case WIRE_VNIC_DEL:
		fill_uid(m->u.vnic_ref.uid, 9);
		m->u.vnic_ref.index = 8;
		break;
	case WIRE_GATE:
		fill_uid(m->u.gate.uid, 10);
		m->u.gate.gate = WIRE_GATE_STOPPED;
		break;
	case WIRE_PORT_DEL:
		strcpy(m->u.name.name, "p9");
		break;
	case WIRE_EVENT:
		fill_uid(m->u.event.uid, 11);
		m->u.event.kind = WIRE_EVENT_STALLED;
		m->u.event.queue = 15;
		break;
	case WIRE_INIT_STATE:
		m->u.process.running = 1;
		m->u.process.pid = 2;
		m->u.process.starts = 3;
		m->u.process.status = 0x8b;
		break;
	case WIRE_INIT_SESSION:
		m->u.session.kind = WIRE_SESSION_CONSOLE;
		m->u.session.rows = 0x1234;
		m->u.session.columns = 0x5678;
		break;
	case WIRE_INIT_CONFIG:
		m->u.config.generation = UINT64_C(1) << 63;
		break;
	default:
		break;
	}
}

static void
fill_macs(struct wire_macs *v)
{
	fill_uid(v->uid, 9);
	v->index = 31;
	v->n = WIRE_MAX_MACS;
	for (unsigned i = 0; i < WIRE_MAX_MACS; i++)
		memset(v->mac[i], (int)(0x20 + i), sizeof(v->mac[i]));
}

void
wire_sample(struct wire_msg *m, enum wire_type type)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->id = 0x01020304;
	switch (type) {
	case WIRE_SET_ADD:
	case WIRE_SET_INFO:
		fill_set(&m->u.set);
		break;
	case WIRE_VNIC_SET:
		fill_vnic(&m->u.vnic);
		break;
	case WIRE_VNIC_MACS:
		fill_macs(&m->u.macs);
		break;
	case WIRE_VNIC_LINK:
		fill_link(&m->u.link);
		break;
	case WIRE_SET_DEL:
	case WIRE_DIED:
		fill_uid(m->u.router.uid, 4);
		break;
	case WIRE_INIT_HELLO:
	case WIRE_INIT_SET:
		fill_uid(m->u.init.set, 5);
		break;
	case WIRE_PORT_ADD:
		fill_port(m);
		break;
	case WIRE_PORT_INFO:
		fill_port_info(m);
		break;
	case WIRE_STATS:
		fill_stats(m);
		break;
	default:
		fill_small(m);
		break;
	}
}
