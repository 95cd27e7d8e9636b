/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_rules: what a packet is, and which rule is about it, see filter_rules.h.
 */
#include "router/filter_rules.h"

#include "router/ip6_walk.h"
#include "router/packet.h"

static int
compare(const void *a, const void *b)
{
	const struct filter_rule *x = a, *y = b;

	return (int)x->number - (int)y->number;
}

void
filter_put(struct filter *f)
{
	if (!f || --f->n_refs > 0)
		return;
	if (f->prepared)
		f->engine->free(f->prepared);
	free(f);
}

int
filter_make(const struct filter_rule *rules, unsigned n, struct filter **out)
{
	return filter_make_by(NULL, rules, n, out);
}

int
filter_make_by(const struct filter_engine *engine,
    const struct filter_rule *rules, unsigned n, struct filter **out)
{
	struct filter *f;
	int rc = 0;

	*out = NULL;
	if (n == 0)
		return 0;
	f = malloc(sizeof(*f) + n * sizeof(*rules));
	if (!f)
		return -ENOMEM;
	*f = (struct filter){ .n = n, .n_refs = 1, .engine = engine };
	memcpy(f->rule, rules, n * sizeof(*rules));
	qsort(f->rule, n, sizeof(*rules), compare);
	for (unsigned i = 0; i < n; i++)
		f->action[rules[i].number] = rules[i].action;
	if (engine)
		rc = engine->make(f->rule, n, &f->prepared);
	if (rc < 0)
		filter_put(f);
	else
		*out = f;
	return rc;
}

/* The protocol at p, and the ports of those that have them. */
static void
read_upper(struct filter_key *k, uint8_t protocol, const uint8_t *p, unsigned n)
{
	enum { IP_DCCP = 33, IP_SCTP = 132, IP_UDPLITE = 136 };

	k->protocol = protocol;
	k->has_ports =
	    n >= 4 &&
	    (protocol == IP_TCP || protocol == IP_UDP || protocol == IP_SCTP ||
		protocol == IP_DCCP || protocol == IP_UDPLITE);
	if (!k->has_ports)
		return;
	k->sport = load_be16(p);
	k->dport = load_be16(p + 2);
}

void
filter_read4(struct filter_key *k, const uint8_t *ip, unsigned vnic)
{
	unsigned header = ip4_header_bytes(ip);
	unsigned n = load_be16(ip + IP4_TOTAL) - header;

	k->family = 4;
	k->vnic = (uint8_t)vnic; /* < VNIC_MAX_VNICS */
	k->src = ip6_of_ip4(load_be32(ip + IP4_SRC));
	k->dst = ip6_of_ip4(load_be32(ip + IP4_DST));
	if (load_be16(ip + IP4_FRAGMENT) & IP4_OFFSET_MASK)
		n = 0; /* the ports are in another piece */
	read_upper(k, ip[IP4_PROTOCOL], ip + header, n);
}

void
filter_read6(struct filter_key *k, const uint8_t *ip, unsigned vnic)
{
	struct ip6_walk w;

	k->family = 6;
	k->vnic = (uint8_t)vnic; /* < VNIC_MAX_VNICS */
	k->src = ip6_load(ip + IP6_SRC);
	k->dst = ip6_load(ip + IP6_DST);
	k->protocol = FILTER_ANY_PROTOCOL;
	k->has_ports = false;
	ip6_walk_begin(&w, ip);
	while (ip6_walk_next(&w))
		;
	if (w.is_cut)
		return;
	read_upper(k, w.next, ip + w.at, w.is_later_piece ? 0 : w.end - w.at);
}

static bool
is_in(const struct filter_net *net, struct ip6 ip)
{
	return net->len == 0 || ip6_is_within(ip, net->ip, net->len);
}

static bool
is_any(const uint16_t *range)
{
	return range[0] == 0 && range[1] == UINT16_MAX;
}

static bool
ports_match(const struct filter_rule *r, const struct filter_key *k)
{
	if (is_any(r->sport) && is_any(r->dport))
		return true;
	return k->has_ports && k->sport >= r->sport[0] &&
	       k->sport <= r->sport[1] && k->dport >= r->dport[0] &&
	       k->dport <= r->dport[1];
}

static bool
matches(const struct filter_rule *r, const struct filter_key *k)
{
	return (r->family == 0 || r->family == k->family) &&
	       (r->vnic == FILTER_ANY_VNIC || r->vnic == k->vnic) &&
	       (r->protocol == FILTER_ANY_PROTOCOL ||
		   r->protocol == k->protocol) &&
	       is_in(&r->src, k->src) && is_in(&r->dst, k->dst) &&
	       ports_match(r, k);
}

const struct filter_rule *
filter_find(const struct filter *f, const struct filter_key *k)
{
	for (unsigned i = 0; i < f->n; i++)
		if (matches(&f->rule[i], k))
			return &f->rule[i];
	return NULL;
}

enum filter_action
filter_judge(const struct filter *f, const uint8_t *ip, unsigned vnic)
{
	const struct filter_rule *r;
	struct filter_key k;

	if (!f)
		return FILTER_PERMIT;
	if (ip[0] >> 4 == 4)
		filter_read4(&k, ip, vnic);
	else
		filter_read6(&k, ip, vnic);
	r = filter_find(f, &k);
	if (!r)
		return FILTER_PERMIT;
	/* relaxed: a counter */
	if (f->hits)
		atomic_fetch_add_explicit(
		    &f->hits->packets[r->number], 1, memory_order_relaxed);
	return (enum filter_action)r->action;
}
