/* SPDX-License-Identifier: Apache-2.0 */
/* match: keys of frames, and tables of them by shape; see match.h. */
#include "dataplane/match.h"

#include "dataplane/rules.h"

#include <sys/random.h>

enum {
	IP6_BYTES = 40,
	UDP_BYTES = 8,
	VXLAN_BYTES = 8,
	VXLAN_PORT = 4789,
	VXLAN_HAS_VNI = 0x08,
	GRE_HAS_SUM = 0x8000,
	GRE_HAS_KEY = 0x2000,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_GRE = 47,
	PROTO_SCTP = 132,
	N_WORDS = sizeof(struct match_key) / sizeof(uint64_t),
};

enum tunnel { TUNNEL_VXLAN = 1, TUNNEL_GRE = 2 };

struct slot {
	uint64_t key[N_WORDS];
	uint32_t value; /* RULES_NONE: free */
};

struct shape {
	uint64_t mask[N_WORDS];
	uint32_t n; /* rules */
	unsigned shift;
	uint32_t last; /* number of slots - 1 */
	struct slot *slot;
};

struct match {
	uint64_t multiplier; /* odd, and random: senders choose the keys */
	unsigned n_shapes;
	struct shape shape[];
};

/* --- frames ------------------------------------------------------------------------ */

/* n bytes behind the IP header; what is not there stays zero. */
static void
read_payload(struct match_key *k, const uint8_t *p, uint32_t n)
{
	uint16_t flags;

	if ((k->protocol == PROTO_TCP || k->protocol == PROTO_UDP ||
		k->protocol == PROTO_SCTP) &&
	    n >= 4) {
		k->src_port = load_be16(p);
		k->dst_port = load_be16(p + 2);
	}
	if (k->protocol == PROTO_UDP && k->dst_port == VXLAN_PORT &&
	    n >= UDP_BYTES + VXLAN_BYTES && p[UDP_BYTES] & VXLAN_HAS_VNI) {
		k->tunnel = TUNNEL_VXLAN;
		k->tunnel_key = load_be32(p + UDP_BYTES + 4) >> 8;
	}
	if (k->protocol != PROTO_GRE || n < 4)
		return;
	flags = load_be16(p);
	p += flags & GRE_HAS_SUM ? 8 : 4;
	n -= MIN(n, flags & GRE_HAS_SUM ? 8u : 4u);
	if (flags & GRE_HAS_KEY && n >= 4) {
		k->tunnel = TUNNEL_GRE;
		k->tunnel_key = load_be32(p);
	}
}

static void
read_ip4(struct match_key *k, const uint8_t *p, uint32_t n)
{
	uint32_t header;

	if (n < FRAME_IP4_BYTES || p[0] >> 4 != 4)
		return;
	header = (p[0] & 15u) * 4;
	k->family = 4;
	k->protocol = p[9];
	memcpy(k->src, p + 12, 4);
	memcpy(k->dst, p + FRAME_IP4_DST, 4);
	/* a later fragment has none of what follows */
	if (header >= FRAME_IP4_BYTES && n >= header &&
	    !(load_be16(p + 6) & 0x1fff))
		read_payload(k, p + header, n - header);
}

static void
read_ip6(struct match_key *k, const uint8_t *p, uint32_t n)
{
	if (n < IP6_BYTES || p[0] >> 4 != 6)
		return;
	k->family = 6;
	k->protocol = p[6];
	memcpy(k->src, p + 8, 16);
	memcpy(k->dst, p + 24, 16);
	read_payload(k, p + IP6_BYTES, n - IP6_BYTES);
}

static void
read_frame(struct match_key *k, const struct frame *f)
{
	memset(k, 0, sizeof(*k));
	k->vlan = f->vlan;
	memcpy(k->mac, f->macs, sizeof(k->mac));
	/* of one in several pieces the first may be shorter than it says */
	if (f->head_bytes == UINT16_MAX)
		return;
	if (frame_type(f) == FRAME_TYPE_IP4)
		read_ip4(k, f->head + 2, f->head_bytes - 2u);
	else if (frame_type(f) == FRAME_TYPE_IP6)
		read_ip6(k, f->head + 2, f->head_bytes - 2u);
}

/* --- rules -------------------------------------------------------------------------- */

const char *
match_flaw(const struct wire_match *m)
{
	unsigned bits = m->family == 4 ? 32 : 128;

	if (m->fields >= WIRE_MATCH_END)
		return "a field of its match is unknown";
	if (!(m->fields & (WIRE_MATCH_SRC | WIRE_MATCH_DST)))
		return NULL;
	if (m->family != 4 && m->family != 6)
		return "its prefixes are neither IPv4 nor IPv6";
	if ((m->fields & WIRE_MATCH_SRC && m->src_bits > bits) ||
	    (m->fields & WIRE_MATCH_DST && m->dst_bits > bits))
		return "a prefix is longer than an address";
	return NULL;
}

static void
set_prefix(uint8_t *key, uint8_t *mask, const uint8_t *bytes, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned k = bits > 8 * i ? MIN(bits - 8 * i, 8u) : 0;

		mask[i] = (uint8_t)(0xff00 >> k);
		key[i] = bytes[i] & mask[i];
	}
}

#define SET_FIELD(out, field, v)                                             \
	do {                                                                 \
		(out)->key.field = (v);                                      \
		memset(&(out)->mask.field, 0xff, sizeof((out)->mask.field)); \
	} while (0)

void
match_rule_make(const struct wire_match *m, uint16_t vlan, uint32_t value,
    struct match_rule *out)
{
	memset(out, 0, sizeof(*out));
	out->value = value;
	if (vlan != RULES_ANY_VLAN)
		SET_FIELD(out, vlan, vlan);
	if (m->fields & WIRE_MATCH_MAC) {
		memcpy(out->key.mac, m->mac, sizeof(m->mac));
		memset(out->mask.mac, 0xff, sizeof(out->mask.mac));
	}
	if (m->fields & (WIRE_MATCH_SRC | WIRE_MATCH_DST))
		SET_FIELD(out, family, m->family);
	if (m->fields & WIRE_MATCH_SRC)
		set_prefix(out->key.src, out->mask.src, m->src, m->src_bits);
	if (m->fields & WIRE_MATCH_DST)
		set_prefix(out->key.dst, out->mask.dst, m->dst, m->dst_bits);
	if (m->fields & WIRE_MATCH_PROTOCOL)
		SET_FIELD(out, protocol, m->protocol);
	if (m->fields & WIRE_MATCH_SRC_PORT)
		SET_FIELD(out, src_port, m->src_port);
	if (m->fields & WIRE_MATCH_DST_PORT)
		SET_FIELD(out, dst_port, m->dst_port);
	if (m->fields & (WIRE_MATCH_VNI | WIRE_MATCH_GRE_KEY)) {
		SET_FIELD(out, tunnel_key, m->tunnel_key);
		SET_FIELD(out, tunnel,
		    m->fields & WIRE_MATCH_VNI ? TUNNEL_VXLAN : TUNNEL_GRE);
	}
}

/* --- tables ------------------------------------------------------------------------- */

static uint32_t
place(const struct match *m, const struct shape *s, const uint64_t *key)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < N_WORDS; i++)
		h = (h ^ key[i]) * m->multiplier;
	return (uint32_t)(h >> s->shift);
}

static struct shape *
shape_of(struct match *m, const struct match_rule *r)
{
	for (unsigned i = 0; i < m->n_shapes; i++)
		if (memcmp(m->shape[i].mask, &r->mask, sizeof(r->mask)) == 0)
			return &m->shape[i];
	memcpy(m->shape[m->n_shapes].mask, &r->mask, sizeof(r->mask));
	return &m->shape[m->n_shapes++];
}

static int
allocate(struct shape *s)
{
	unsigned log2 = 3;

	while ((UINT32_C(1) << log2) < 2 * s->n + 1)
		log2++;
	s->shift = 64 - log2;
	s->last = (UINT32_C(1) << log2) - 1;
	s->slot = calloc((size_t)s->last + 1, sizeof(*s->slot));
	if (!s->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i <= s->last; i++)
		s->slot[i].value = RULES_NONE;
	return 0;
}

static void
insert(const struct match *m, struct shape *s, const struct match_rule *r)
{
	uint64_t key[N_WORDS];
	uint32_t i;

	memcpy(key, &r->key, sizeof(key));
	i = place(m, s, key);
	while (s->slot[i].value != RULES_NONE) {
		if (memcmp(s->slot[i].key, key, sizeof(key)) == 0)
			return;
		i = (i + 1) & s->last;
	}
	memcpy(s->slot[i].key, key, sizeof(key));
	s->slot[i].value = r->value;
}

int
match_new(const struct match_rule *r, uint32_t n, struct match **out)
{
	struct match *m = calloc(1, sizeof(*m) + n * sizeof(m->shape[0]));

	if (!m)
		return -ENOMEM;
	if (getrandom(&m->multiplier, sizeof(m->multiplier), GRND_NONBLOCK) !=
	    sizeof(m->multiplier))
		m->multiplier =
		    UINT64_C(0x9e3779b97f4a7c15); /* early in boot */
	m->multiplier |= 1;
	for (uint32_t i = 0; i < n; i++)
		shape_of(m, &r[i])->n++;
	for (unsigned i = 0; i < m->n_shapes; i++)
		if (allocate(&m->shape[i]) < 0) {
			match_free(m);
			return -ENOMEM;
		}
	for (uint32_t i = 0; i < n; i++)
		insert(m, shape_of(m, &r[i]), &r[i]);
	*out = m;
	return 0;
}

void
match_free(struct match *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n_shapes; i++)
		free(m->shape[i].slot);
	free(m);
}

static uint32_t
look_up(const struct match *m, const struct shape *s, const uint64_t *all)
{
	uint64_t key[N_WORDS];
	uint32_t i;

	for (unsigned k = 0; k < N_WORDS; k++)
		key[k] = all[k] & s->mask[k];
	i = place(m, s, key);
	/* at most half of the slots are taken: this ends */
	while (s->slot[i].value != RULES_NONE &&
	       memcmp(s->slot[i].key, key, sizeof(key)) != 0)
		i = (i + 1) & s->last;
	return s->slot[i].value;
}

uint32_t
match_find(const struct match *m, const struct frame *f)
{
	uint64_t words[N_WORDS];
	struct match_key key;

	read_frame(&key, f);
	memcpy(words, &key, sizeof(words));
	for (unsigned i = 0; i < m->n_shapes; i++) {
		uint32_t value = look_up(m, &m->shape[i], words);

		if (value != RULES_NONE)
			return value;
	}
	return RULES_NONE;
}
