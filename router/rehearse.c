/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse: see rehearse.h.
 *
 * 400 batches of plain packets, more than the compiler waits for, and 300 with
 * others among them: ARP, IPv6, a runt, a header with options, one of a wrong
 * checksum, TTL 1, no route, and batches of one packet and of none that goes on.
 */
#include "router/rehearse.h"

#include "lib/base.h"
#include "router/packet.h"
#include "router/pipeline.h"
#include "router/plan.h"

#include <stdio.h>

enum {
	PLAIN_BATCHES = 400,
	ALL_BATCHES = 700,
	ROOM = 256,    /* bytes of a buffer */
	HEADROOM = 64, /* of these before the frame */
	N_VNICS = 2,
};

struct theatre {
	struct path path;
	struct tables *tables;
	unsigned n_batches;
	unsigned n_packets, n_sent, n_back;
	uint64_t digest;
	struct err *e; /* the first fault */
	int fault;
	uint8_t room[BATCH_MAX][ROOM];
};

static const char conf[] = "generation 1\n"
			   "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n"
			   "vnic 1 eth1 mac 0a:00:00:00:00:02 mtu 1500\n"
			   "address eth0 198.18.0.1/24\n"
			   "address eth1 198.18.1.1/24\n"
			   "route 198.19.0.0/16 via 198.18.1.2\n"
			   "end\n";

static int
make_tables(struct tables **out)
{
	static const uint8_t mac[6] = { 0x0e, 0, 0, 0, 0, 2 };
	static uint8_t used[1];
	struct neighbour hop = { .ip = 0xc6120102, .vnic = 1 };
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct routerconf c;
	struct plan *plan = NULL;
	FILE *in = fmemopen((void *)(uintptr_t)conf, sizeof(conf) - 1, "r");
	int rc = in ? routerconf_parse(in, "rehearsal", &c, NULL) : -ENOMEM;

	if (in)
		fclose(in);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < N_VNICS; i++) {
		ports[i].up = 1;
		ports[i].mtu = c.vnic[i].mtu;
		memcpy(ports[i].mac, c.vnic[i].mac, 6);
	}
	memcpy(hop.mac, mac, sizeof(mac));
	rc = plan_make(&c, &plan);
	routerconf_clear(&c);
	if (rc < 0)
		return rc;
	*out = tables_make(plan, ports, &hop, 1, used);
	plan_free(plan);
	return *out ? 0 : -ENOMEM;
}

/* --- packets -------------------------------------------------------------- */

enum kind {
	KIND_UDP,
	KIND_TCP,
	KIND_ICMP,
	KIND_FRAGMENT,
	KIND_NO_ROUTE,
	KIND_TTL,
	KIND_OPTIONS,
	KIND_CHECKSUM,
	KIND_LOCAL,
	KIND_ARP,
	KIND_IP6,
	KIND_RUNT,
	N_KINDS
};

static void
fill_ip4(uint8_t *ip, enum kind kind, unsigned i)
{
	static const uint8_t protocol[] = { IP_UDP, IP_TCP, IP_ICMP };
	unsigned bytes = kind == KIND_OPTIONS ? IP4_BYTES + 4 : IP4_BYTES;
	uint32_t dst = 0xc6130000 + i; /* 198.19.0.0/16 */

	if (kind == KIND_NO_ROUTE)
		dst = 0xcb007101; /* 203.0.113.1 */
	if (kind == KIND_LOCAL)
		dst = 0xc6120001;
	ip[IP4_VERSION_IHL] = (uint8_t)(0x40 | bytes / 4);
	store_be16(ip + IP4_TOTAL, 46);
	store_be16(ip + IP4_ID, (uint16_t)i);
	if (kind == KIND_FRAGMENT)
		store_be16(ip + IP4_FRAGMENT, 0x2001);
	ip[IP4_TTL] = kind == KIND_TTL ? 1 : 64;
	ip[IP4_PROTOCOL] = protocol[i % ARRAY_SIZE(protocol)];
	store_be32(ip + IP4_SRC, 0xc6120002 + i % 64);
	store_be32(ip + IP4_DST, dst);
	if (kind == KIND_OPTIONS)
		memset(ip + IP4_OPTIONS, 1, 4);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, bytes));
	if (kind == KIND_CHECKSUM)
		ip[IP4_CHECKSUM] ^= 1;
	store_be16(ip + bytes, (uint16_t)(1024 + i)); /* ports */
	store_be16(ip + bytes + 2, i % 5 == 0 ? 23 : 80);
}

static void
fill_frame(struct theatre *t, unsigned i, enum kind kind)
{
	static const uint8_t mac[12] = { 0x0a, 0, 0, 0, 0, 1, 0x0e, 0, 0, 0, 0,
		0xaa };
	uint8_t *data = t->room[i] + HEADROOM;
	unsigned type = ETHERTYPE_IP4;

	memset(t->room[i], 0, ROOM);
	memcpy(data, mac, sizeof(mac));
	if (kind == KIND_ARP)
		type = ETHERTYPE_ARP;
	else if (kind == KIND_IP6)
		type = ETHERTYPE_IP6;
	else
		fill_ip4(data + ETH_BYTES, kind, t->n_batches + i);
	store_be16(data + ETH_TYPE, (uint16_t)type);
	t->path.batch.frame[i] = (struct vnic_frame){
		.data = data,
		.slot = i,
		.len = kind == KIND_RUNT ? 9 : ETH_MIN_FRAME,
	};
}

/* --- behind path.h -------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
blame(struct theatre *t, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (t->fault < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	t->fault = err_set(t->e, -EINVAL, "%s", why);
}

/* FNV-1a; it tells two pipelines apart and protects from nothing. */
static void
digest(struct theatre *t, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		t->digest = (t->digest ^ p[i]) * UINT64_C(0x100000001b3);
}

static unsigned
receive(struct path *p)
{
	struct theatre *t = CONTAINER_OF(p, struct theatre, path);
	unsigned n = t->n_batches % 7 == 6 ? 1 : BATCH_MAX;

	if (t->n_batches == ALL_BATCHES || t->fault < 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned kind = t->n_batches < PLAIN_BATCHES
				    ? i % KIND_FRAGMENT
				    : (i + t->n_batches) % N_KINDS;

		if (t->n_batches % 50 == 49 && t->n_batches > PLAIN_BATCHES)
			kind = KIND_NO_ROUTE;
		fill_frame(t, i, (enum kind)kind);
	}
	t->n_batches++;
	t->n_packets += n;
	batch_begin(&p->batch, n);
	p->tables = t->tables;
	return n;
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	struct theatre *t = CONTAINER_OF(p, struct theatre, path);

	while (which) {
		unsigned i = batch_pop(&which);
		const struct vnic_frame *f = &p->batch.frame[i];
		uint16_t hop = p->batch.hop[i];

		t->n_sent++;
		if (vnic < 0 && (hop >= t->tables->n_hops ||
				    t->tables->hop[hop].kind != HOP_FORWARD))
			blame(t, "it sends a packet that has no next hop");
		if (f->slot != i || f->data < t->room[i] ||
		    f->data > t->room[i] + ROOM / 2 || f->len < ETH_BYTES)
			blame(t,
			    "it sends a frame that is none: slot %u of "
			    "%u, %u bytes",
			    f->slot, i, f->len);
		else
			digest(
			    t, f->data, MIN((size_t)f->len, (size_t)ROOM / 2));
	}
}

static void
give_back(struct path *p, uint64_t which)
{
	struct theatre *t = CONTAINER_OF(p, struct theatre, path);

	t->n_back += (unsigned)__builtin_popcountll(which);
	digest(t, &which, sizeof(which));
	while (which)
		digest(t, &p->batch.fate[batch_pop(&which)], 1);
}

static const struct path_ops ops = {
	.receive = receive,
	.transmit = transmit,
	.give_back = give_back,
};

static int
play(struct theatre *t, struct script *s, const char *name, struct err *e)
{
	int rc = 0;

	t->path.ops = &ops;
	t->e = e;
	if (script_is_c(s))
		pipeline_run(&t->path);
	else
		rc = script_run(s, &t->path, e);
	if (rc < 0)
		return rc;
	if (t->fault < 0)
		return err_wrap(e, "%s", name);
	if (t->path.held)
		path_abandon(&t->path, FATE_PIPELINE);
	if (t->n_batches < ALL_BATCHES)
		return err_set(e, -EINVAL,
		    "%s: it ends its loop before path_receive() returns 0",
		    name);
	assert(t->n_sent + t->n_back == t->n_packets);
	return 0;
}

int
rehearse(const struct script_text *text, struct rehearsal *out, struct err *e)
{
	struct theatre *t = calloc(1, sizeof(*t));
	struct script *s = NULL;
	int rc;

	if (!t)
		return err_set(e, -ENOMEM, "%s: out of memory", text->name);
	rc = make_tables(&t->tables);
	if (rc < 0)
		err_set(e, rc, "%s: no tables: %s", text->name, strerror(-rc));
	if (rc == 0)
		rc = script_new(text, &s, e);
	if (rc == 0)
		rc = play(t, s, text->name, e);
	if (rc == 0) {
		*out = (struct rehearsal){ .n_packets = t->n_packets,
			.n_sent = t->n_sent,
			.digest = t->digest };
		script_counts(s, &out->n_traces, &out->n_aborts);
	}
	script_free(s);
	tables_free(t->tables);
	free(t);
	return rc;
}
