/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acl: rte_acl as filter_engine wants it: the rules of each family as tries over
 * the bytes that rules ask about. The lowest number that matches has the highest
 * priority, and is what comes out: the first match.
 *
 *	byte 0   protocol          the first field has to have one byte,
 *	     4   vNIC              and the others come by four
 *	     6   are there ports?
 *	     8   source and destination port
 *	    12   source and destination, 4 or 16 bytes each
 */
#include "router/dpdk/parts.h"

#include <assert.h>
#include <stdio.h>

#include <rte_acl.h>
#include <rte_memory.h>

enum {
	IN_VNIC = 4,
	IN_HAS_PORTS = 6,
	IN_SPORT = 8,
	IN_DPORT = 10,
	IN_ADDRESSES = 12,
	IN_BYTES = 48,

	F_PROTOCOL = 0,
	F_VNIC,
	F_HAS_PORTS,
	F_SPORT,
	F_DPORT,
	F_ADDRESSES,
	MAX_FIELDS = F_ADDRESSES + 8,
	BURST = 64,
};

RTE_ACL_RULE_DEF(acl_rule, MAX_FIELDS);

struct acl {
	struct rte_acl_ctx *family[2]; /* IPv4, IPv6; NULL: no rules */
};

/* 32 bits of an address, the first ones for word 0; IPv4 has but the last. */
static uint32_t
word_of(struct ip6 ip, unsigned word)
{
	uint64_t half = word < 2 ? ip.hi : ip.lo;

	return (uint32_t)(word % 2 ? half : half >> 32);
}

static void
describe(struct rte_acl_config *c, unsigned n_words)
{
	static const struct rte_acl_field_def first[F_ADDRESSES] = {
		{ RTE_ACL_FIELD_TYPE_BITMASK, 1, F_PROTOCOL, 0, 0 },
		{ RTE_ACL_FIELD_TYPE_BITMASK, 2, F_VNIC, 1, IN_VNIC },
		{ RTE_ACL_FIELD_TYPE_BITMASK, 2, F_HAS_PORTS, 1, IN_HAS_PORTS },
		{ RTE_ACL_FIELD_TYPE_RANGE, 2, F_SPORT, 2, IN_SPORT },
		{ RTE_ACL_FIELD_TYPE_RANGE, 2, F_DPORT, 2, IN_DPORT },
	};

	memset(c, 0, sizeof(*c));
	c->num_categories = 1;
	c->num_fields = F_ADDRESSES + 2 * n_words;
	memcpy(c->defs, first, sizeof(first));
	for (unsigned i = 0; i < 2 * n_words; i++)
		c->defs[F_ADDRESSES + i] =
		    (struct rte_acl_field_def){ RTE_ACL_FIELD_TYPE_MASK, 4,
			    (uint8_t)(F_ADDRESSES + i), (uint8_t)(3 + i),
			    IN_ADDRESSES + 4 * i };
}

/* The n_words last words of a network, each with a length of its own. */
static void
set_net(struct rte_acl_field *f, const struct filter_net *net, unsigned n_words)
{
	for (unsigned i = 0; i < n_words; i++) {
		unsigned word = 4 - n_words + i;
		unsigned before = 32 * word;
		unsigned bits = net->len > before ? net->len - before : 0;

		f[i].value.u32 = word_of(net->ip, word);
		f[i].mask_range.u32 = MIN(bits, 32U);
	}
}

static bool
asks_for_ports(const struct filter_rule *r)
{
	return r->sport[0] > 0 || r->sport[1] < UINT16_MAX || r->dport[0] > 0 ||
	       r->dport[1] < UINT16_MAX;
}

static struct acl_rule
translate(const struct filter_rule *r, unsigned n_words)
{
	struct acl_rule a = { .data = {
				  .category_mask = 1,
				  .priority = FILTER_MAX_RULES + 1 - r->number,
				  .userdata = r->number,
			      } };
	struct rte_acl_field *f = a.field;

	if (r->protocol != FILTER_ANY_PROTOCOL) {
		f[F_PROTOCOL].value.u8 = r->protocol;
		f[F_PROTOCOL].mask_range.u8 = UINT8_MAX;
	}
	if (r->vnic != FILTER_ANY_VNIC) {
		f[F_VNIC].value.u16 = r->vnic;
		f[F_VNIC].mask_range.u16 = UINT16_MAX;
	}
	if (asks_for_ports(r)) {
		f[F_HAS_PORTS].value.u16 = 1;
		f[F_HAS_PORTS].mask_range.u16 = UINT16_MAX;
	}
	f[F_SPORT].value.u16 = r->sport[0];
	f[F_SPORT].mask_range.u16 = r->sport[1];
	f[F_DPORT].value.u16 = r->dport[0];
	f[F_DPORT].mask_range.u16 = r->dport[1];
	set_net(f + F_ADDRESSES, &r->src, n_words);
	set_net(f + F_ADDRESSES + n_words, &r->dst, n_words);
	return a;
}

static int
fill(struct rte_acl_ctx *ctx, const struct filter_rule *rules, unsigned n,
    unsigned family)
{
	unsigned n_words = family == 4 ? 1 : 4;
	struct rte_acl_config conf;

	for (unsigned i = 0; i < n; i++) {
		struct acl_rule a = translate(&rules[i], n_words);
		int rc;

		if (rules[i].family != 0 && rules[i].family != family)
			continue;
		/* all have room for the fields of IPv6 */
		rc = rte_acl_add_rules(
		    ctx, (const struct rte_acl_rule *)(const void *)&a, 1);
		if (rc < 0)
			return rc;
	}
	describe(&conf, n_words);
	return rte_acl_build(ctx, &conf);
}

static int
make_family(const struct filter_rule *rules, unsigned n, unsigned family,
    struct rte_acl_ctx **out)
{
	static unsigned serial;
	char name[RTE_ACL_NAMESIZE];
	struct rte_acl_param param = {
		.name = name,
		.socket_id = SOCKET_ID_ANY,
		.rule_size = RTE_ACL_RULE_SZ(MAX_FIELDS),
		.max_rule_num = FILTER_MAX_RULES,
	};
	struct rte_acl_ctx *ctx;
	unsigned k = 0;
	int rc;

	for (unsigned i = 0; i < n; i++)
		k += rules[i].family == 0 || rules[i].family == family;
	if (k == 0)
		return 0;
	snprintf(name, sizeof(name), "europa%u", serial++);
	ctx = rte_acl_create(&param);
	if (!ctx)
		return -ENOMEM;
	rc = fill(ctx, rules, n, family);
	if (rc < 0)
		rte_acl_free(ctx);
	else
		*out = ctx;
	return rc;
}

int
dpdk_acl_make(const struct filter_rule *rules, unsigned n, void **out)
{
	struct acl *a = calloc(1, sizeof(*a));
	int rc = a ? 0 : -ENOMEM;

	if (rc == 0)
		rc = make_family(rules, n, 4, &a->family[0]);
	if (rc == 0)
		rc = make_family(rules, n, 6, &a->family[1]);
	if (rc < 0)
		dpdk_acl_free(a);
	else
		*out = a;
	return rc;
}

void
dpdk_acl_free(void *rules)
{
	struct acl *a = rules;

	if (!a)
		return;
	rte_acl_free(a->family[0]);
	rte_acl_free(a->family[1]);
	free(a);
}

static void
write_key(const struct filter_key *k, uint8_t *in)
{
	unsigned n_words = k->family == 4 ? 1 : 4;

	memset(in, 0, IN_ADDRESSES);
	in[0] = k->protocol;
	store_be16(in + IN_VNIC, k->vnic);
	if (k->has_ports) {
		store_be16(in + IN_HAS_PORTS, 1);
		store_be16(in + IN_SPORT, k->sport);
		store_be16(in + IN_DPORT, k->dport);
	}
	in += IN_ADDRESSES;
	for (unsigned i = 4 - n_words; i < 4; i++, in += 4)
		store_be32(in, word_of(k->src, i));
	for (unsigned i = 4 - n_words; i < 4; i++, in += 4)
		store_be32(in, word_of(k->dst, i));
}

/* All are of one family. */
void
dpdk_acl_find(const void *rules, const struct filter_key *keys,
    uint8_t *numbers, unsigned n)
{
	const struct acl *a = rules;
	const struct rte_acl_ctx *ctx = a->family[keys[0].family == 6];
	uint8_t in[BURST][IN_BYTES];
	const uint8_t *at[BURST];
	uint32_t found[BURST] = { 0 };

	assert(n <= BURST);
	for (unsigned i = 0; ctx && i < n; i++) {
		write_key(&keys[i], in[i]);
		at[i] = in[i];
	}
	if (ctx)
		rte_acl_classify(ctx, at, found, n, 1);
	for (unsigned i = 0; i < n; i++)
		numbers[i] = (uint8_t)found[i]; /* <= FILTER_MAX_RULES */
}
