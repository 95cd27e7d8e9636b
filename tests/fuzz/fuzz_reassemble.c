/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_reassemble: pieces of a few datagrams of both families, in any order, that
 * overlap and contradict each other. What comes out must be a right packet whose
 * every byte is the one that was sent for its place; no more memory may be taken
 * than is promised, and nothing is left when the time is over.
 */
#include "tests/fuzz/fuzz.h"

#include "router/reassemble.h"

enum { MAX_PIECES = 300 }; /* of an input: more than fit */

static uint64_t n_whole;

uint64_t
fuzz_count(void)
{
	return n_whole;
}

static uint8_t
byte_at(unsigned id, unsigned i)
{
	return (uint8_t)(id * 37 + i * 7 / 4);
}

static void
check(const struct packet *p, unsigned header, unsigned total)
{
	const uint8_t *ip = p->bytes + ETH_BYTES;
	bool is_ip6 = ip[0] >> 4 == 6;
	unsigned id = is_ip6 ? ip[IP6_SRC + 15] : ip[IP4_ID + 1];

	FUZZ_MUST(p->len >= ETH_BYTES + total && total > header);
	for (unsigned i = header; i < total; i++)
		FUZZ_MUST(ip[i] == byte_at(id, i - header));
	if (!is_ip6) {
		FUZZ_MUST(ip_checksum(ip, header) == 0);
		FUZZ_MUST((load_be16(ip + IP4_FRAGMENT) &
			      (IP4_MF | IP4_OFFSET_MASK)) == 0);
	} else {
		FUZZ_MUST(ip[IP6_NEXT] == IP_UDP);
	}
	n_whole++;
}

static void
give(struct reassembly *r, const uint8_t *ip, unsigned len, uint64_t now_ms)
{
	uint8_t *exact = malloc(len);
	struct packet *p = NULL;
	struct ip6_walk w;
	int rc;

	FUZZ_MUST(exact != NULL);
	memcpy(exact, ip, len);
	if (ip[0] >> 4 == 6) {
		ip6_walk_begin(&w, exact);
		rc = reassemble6(r, &w, 1, now_ms, &p);
	} else {
		rc = reassemble4(r, exact, 1, now_ms, &p);
	}
	free(exact);
	FUZZ_MUST((rc == 1) == (p != NULL));
	if (p && p->bytes[ETH_TYPE] == 0x86)
		check(p, IP6_BYTES, ip6_total(p->bytes + ETH_BYTES));
	else if (p)
		check(p, ip4_header_bytes(p->bytes + ETH_BYTES),
		    load_be16(p->bytes + ETH_BYTES + IP4_TOTAL));
	free(p);
	FUZZ_MUST(reassembly_bytes(r) <= REASSEMBLE_BYTES);
}

/* A piece as the input says; its bytes are those of its place. */
static unsigned
make_piece(uint8_t *ip, struct fuzz_input *in)
{
	unsigned kind = fuzz_u8(in), id = kind >> 3 & 15;
	unsigned options = kind & 4 ? 4 : 0, more = kind >> 1 & 1;
	unsigned offset = (fuzz_u8(in) & 127U) * 8, n = fuzz_u8(in) * 8;
	unsigned header = kind & 1 ? IP6_BYTES + 8U : IP4_BYTES + options;

	if (kind & 128) /* the end of the world */
		offset = 65528 - offset;
	if (!more)
		n -= MIN(n, id & 7U);
	memset(ip, 1, header); /* options: 1 is none */
	if (kind & 1) {
		ip[0] = 0x60;
		store_be16(ip + IP6_PAYLOAD, (uint16_t)(8 + n));
		ip[IP6_NEXT] = NEXT_FRAGMENT;
		ip[IP6_SRC + 15] = (uint8_t)id;
		ip[IP6_BYTES] = IP_UDP;
		store_be16(ip + IP6_BYTES + 2, (uint16_t)(offset | more));
	} else {
		ip[0] = (uint8_t)(0x40 | header / 4);
		store_be16(ip + IP4_TOTAL, (uint16_t)(header + n));
		ip[IP4_ID + 1] = (uint8_t)id;
		store_be16(ip + IP4_FRAGMENT,
		    (uint16_t)(offset / 8 | (more ? (unsigned)IP4_MF : 0U)));
	}
	for (unsigned i = 0; i < n; i++)
		ip[header + i] = byte_at(id, offset + i);
	return header + n;
}

static void
on_expired(void *arg, const uint8_t *ip, unsigned vnic)
{
	(void)arg;
	FUZZ_MUST(vnic <= 1);
	FUZZ_MUST(!ip || ip[0] >> 4 == 4 || ip[0] >> 4 == 6);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t ip[64 + 2048];
	struct fuzz_input in = { data, size };
	struct reassembly *r = reassembly_new();
	uint64_t now_ms = 1000;

	FUZZ_MUST(r != NULL);
	for (unsigned n = 0; in.left > 0 && n < MAX_PIECES; n++) {
		unsigned len = make_piece(ip, &in);

		give(r, ip, len, now_ms);
		if (len % 64 == 63)
			now_ms += fuzz_u16(&in);
		(void)reassembly_tick(r, now_ms, on_expired, NULL);
	}
	FUZZ_MUST(reassembly_tick(r, now_ms + REASSEMBLE_MS, on_expired,
		      NULL) == UINT64_MAX);
	FUZZ_MUST(reassembly_bytes(r) == 0);
	reassembly_free(r);
	return 0;
}
