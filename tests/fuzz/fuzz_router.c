/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_router: a frame through all modules, and what drops out through the
 * parsers of the slow path. Half of the frames begin as good ones, IPv4 or IPv6.
 * Each lies in memory of just its size; who drops out must be as it came, who
 * goes on must be one shorter in its TTL and nothing else.
 */
#include "tests/fuzz/fuzz.h"

#include "router/fragment.h"
#include "router/icmp.h"
#include "router/icmp6.h"
#include "router/ip6_walk.h"
#include "router/modules.h"
#include "router/nd_internal.h"
#include "router/options.h"
#include "router/plan.h"

static uint64_t n_forwarded;

uint64_t
fuzz_count(void)
{
	return n_forwarded;
}

static const char conf[] =
    "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 9000\n"
    "address eth0 198.18.0.1/24\naddress eth0 2001:db8::1/64\n"
    "route 0.0.0.0/1 dev eth0\nroute ::/1 dev eth0\n"
    "filter 1 deny protocol udp dport 9\n"
    "filter 2 reject from 2001:db8:9::/48\n"
    "filter 3 permit sport 1-1024\nend\n";

static const struct tables *
make_tables(void)
{
	static uint8_t used[2];
	struct port ports[VNIC_MAX_VNICS] = {
		{ .up = 1, .mac = { 10, 0, 0, 0, 0, 1 }, .mtu = 9000 }
	};
	struct neighbour nb[] = {
		{ .ip = 0xc6120002, .mac = { 14 } },
		{ .ip6 = { UINT64_C(0x20010db8) << 32, 2 },
		    .mac = { 14 },
		    .index = 1 },
	};
	char text[sizeof(conf)];
	struct routerconf c;
	struct tables *t;
	struct plan *plan;
	FILE *in;

	memcpy(text, conf, sizeof(text));
	in = fmemopen(text, sizeof(text) - 1, "r");
	FUZZ_MUST(in && routerconf_parse(in, "text", &c, NULL) == 0);
	fclose(in);
	FUZZ_MUST(plan_make(&c, &plan) == 0);
	routerconf_clear(&c);
	t = tables_make(plan, ports, nb, ARRAY_SIZE(nb), used);
	FUZZ_MUST(t != NULL);
	plan_free(plan);
	return t;
}

static bool
is_own(void *arg, uint32_t ip)
{
	(void)arg;
	return ip & 1;
}

static void
try_pieces(const uint8_t *ip)
{
	unsigned n, sum = 0;
	unsigned bytes = load_be16(ip + IP4_TOTAL) - ip4_header_bytes(ip);
	struct packet *p = fragment4(ip, 576, &n);

	while (p) {
		struct packet *next = p->next;
		const uint8_t *q = p->bytes + ETH_BYTES;

		FUZZ_MUST(load_be16(q + IP4_TOTAL) <= 576);
		FUZZ_MUST(ip_checksum(q, ip4_header_bytes(q)) == 0);
		sum += load_be16(q + IP4_TOTAL) - ip4_header_bytes(q);
		free(p);
		p = next;
	}
	FUZZ_MUST(sum == bytes);
}

/* The checks have passed: all of the packet is there. */
static void
try_slow4(uint8_t *ip)
{
	const struct options_stamp stamp = { .is_own = is_own };
	const struct icmp_error e = { .type = ICMP_TIME_EXCEEDED };
	struct options o;

	(void)icmp_may_report(ip);
	free(icmp_error_make(&e, ip));
	if (load_be16(ip + IP4_TOTAL) >= ip4_header_bytes(ip))
		free(icmp_reply_make(ip, 1));
	if (options_read(ip, &o) != 0)
		return;
	(void)options_write(ip, &o, &stamp);
	try_pieces(ip);
}

static void
try_slow6(const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_BYTES;
	struct icmp6_error e = { .type = ICMP6_TIME_EXCEEDED };
	struct ip6_walk w;

	(void)icmp6_may_report(&e, ip);
	free(icmp6_error_make(&e, ip));
	ip6_walk_begin(&w, ip);
	do {
		unsigned bytes =
		    ip6_is_extension(w.next) ? ip6_walk_bytes(&w) : 0;

		if (bytes)
			(void)icmp6_check_options(ip, w.at, bytes, &e);
	} while (ip6_walk_next(&w));
	FUZZ_MUST(w.at <= w.end);
	if (!w.is_cut)
		free(icmp6_reply_make(ip, ip + w.at, w.end - w.at, e.src));
}

static void
try_dropped(uint8_t *frame, unsigned fate)
{
	struct nd_msg m;

	if (fate == FATE_ND)
		(void)nd_parse(frame, &m);
	if (fate < FATE_N_DROPS || fate == FATE_ARP)
		return;
	if (load_be16(frame + ETH_TYPE) == ETHERTYPE_IP6)
		try_slow6(frame);
	else
		try_slow4(frame + ETH_BYTES);
}

static void
try_frame(const struct tables *t, const uint8_t *data, size_t size)
{
	static struct batch b;
	uint8_t *exact = malloc(size ? size : 1);

	FUZZ_MUST(exact != NULL);
	memcpy(exact, data, size);
	b.frame[0] =
	    (struct vnic_frame){ .data = exact, .len = (uint16_t)size };
	batch_begin(&b, 1);
	(void)(ether_in(t, &b) && check_ip4(t, &b) && check_ip6(t, &b) &&
	       filter(t, &b) && lookup4(t, &b) && lookup6(t, &b) &&
	       ttl4(t, &b) && hop_limit6(t, &b) && rewrite(t, &b));
	FUZZ_MUST(b.alive6 == 0);
	if (b.alive) {
		bool is_ip6 = exact[ETH_TYPE] == 0x86;
		unsigned at = ETH_BYTES + (is_ip6 ? (unsigned)IP6_HOP_LIMIT
						  : (unsigned)IP4_TTL);

		n_forwarded++;
		FUZZ_MUST(exact[at] + 1 == data[at]);
		FUZZ_MUST(
		    is_ip6 || ip_checksum(exact + ETH_BYTES,
				  ip4_header_bytes(exact + ETH_BYTES)) == 0);
	} else {
		FUZZ_MUST(b.fate[0] < N_FATES);
		FUZZ_MUST(memcmp(exact, data, size) == 0);
		try_dropped(exact, b.fate[0]);
	}
	free(exact);
}

/* A good one; the bytes behind the header are the input's. */
static size_t
make_good(uint8_t *f, struct fuzz_input *in)
{
	static const uint8_t next[] = { 0, 17, 43, 44, 58, 60, 6, 59 };
	uint8_t *ip = f + ETH_BYTES;
	bool is_ip6 = fuzz_u8(in) & 1;
	size_t n = in->left < 1500 ? in->left : 1500;
	unsigned options = fuzz_u8(in) % 4 ? 0 : fuzz_u8(in) % 11;
	unsigned header = is_ip6 ? IP6_BYTES : IP4_BYTES + 4 * options;

	memset(f, 0, ETH_BYTES + 60);
	f[0] = 10;
	f[5] = 1;
	f[6] = 14;
	store_be16(f + ETH_TYPE, is_ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	if (is_ip6) {
		ip[0] = 0x60;
		store_be16(ip + IP6_PAYLOAD, (uint16_t)n);
		ip[IP6_NEXT] = next[fuzz_u8(in) % 8];
		ip[IP6_HOP_LIMIT] = (uint8_t)fuzz_u8(in);
		store_be32(ip + IP6_SRC, 0x20010db8);
		ip[IP6_SRC + 15] = (uint8_t)(1 + fuzz_u8(in));
		store_be32(ip + IP6_DST, 0x20010db8);
		ip[IP6_DST + 15] = (uint8_t)(fuzz_u8(in) % 4);
	} else {
		ip[0] = (uint8_t)(0x45 + options);
		store_be16(ip + IP4_TOTAL, (uint16_t)(header + n));
		ip[IP4_TTL] = (uint8_t)fuzz_u8(in);
		ip[IP4_PROTOCOL] = next[fuzz_u8(in) % 8];
		store_be32(ip + IP4_SRC, 0xc6120003);
		store_be32(ip + IP4_DST, 0xc6120000 + fuzz_u8(in) % 4);
		for (unsigned i = IP4_BYTES; i < header; i++)
			ip[i] = (uint8_t)fuzz_u8(in);
		store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, header));
	}
	memset(ip + header, 0, n);
	n = in->left < n ? in->left : n;
	memcpy(ip + header, in->p, n);
	return ETH_BYTES + header + n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tables *t;
	static uint8_t frame[ETH_BYTES + 60 + 1500];
	struct fuzz_input in = { data, size };
	unsigned n_changes;
	size_t n;

	if (!t)
		t = make_tables();
	if (size <= UINT16_MAX)
		try_frame(t, data, size);
	n_changes = fuzz_u8(&in) % 3;
	n = make_good(frame, &in);
	for (unsigned i = 0; i < n_changes; i++)
		frame[fuzz_u16(&in) % n] ^= (uint8_t)fuzz_u8(&in);
	try_frame(t, frame, n);
	return 0;
}
