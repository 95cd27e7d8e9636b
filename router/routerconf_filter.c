/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf_filter: a rule,
 *
 *	filter NUMBER permit|deny|reject [in VNIC] [protocol NAME|NUMBER]
 *	       [from PREFIX] [to PREFIX] [sport N[-M]] [dport N[-M]]
 *
 * in any order behind the action, each word pair at most once.
 */
#include "router/routerconf_internal.h"

#include "router/packet.h"

static int
read_vnic(struct parser *p, struct filter_rule *r, const char *word)
{
	r->vnic = routerconf_find_vnic(p, word);
	if (r->vnic == ROUTERCONF_LOST_DEV)
		return routerconf_fail(p, "no such vNIC: %s", word);
	return 0;
}

static int
read_protocol(struct parser *p, struct filter_rule *r, const char *word)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = {
		{ "icmp", IP_ICMP },
		{ "tcp", IP_TCP },
		{ "udp", IP_UDP },
		{ "icmp6", NEXT_ICMP6 },
	};
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, word) == 0) {
			r->protocol = known[i].number;
			return 0;
		}
	if (!routerconf_uint(word, FILTER_ANY_PROTOCOL - 1, &n))
		return routerconf_fail(p, "no protocol: %s", word);
	r->protocol = (uint8_t)n;
	return 0;
}

static int
read_net(struct parser *p, struct filter_rule *r, const char *word,
    struct filter_net *out)
{
	struct prefix a;
	enum prefix_family family = routerconf_prefix(word, &a);

	if (family == PREFIX_BAD)
		return routerconf_fail(p, "no prefix: %s", word);
	if (r->family != 0 && r->family != family)
		return routerconf_fail(p, "of another family: %s", word);
	r->family = (uint8_t)family;
	if (family == PREFIX_4)
		*out = (struct filter_net){ ip6_of_ip4(a.ip),
			(uint8_t)(96 + a.len) };
	else
		*out = (struct filter_net){ a.ip6, a.len };
	out->ip = ip6_prefix(out->ip, out->len);
	return 0;
}

static int
read_from(struct parser *p, struct filter_rule *r, const char *word)
{
	return read_net(p, r, word, &r->src);
}

static int
read_to(struct parser *p, struct filter_rule *r, const char *word)
{
	return read_net(p, r, word, &r->dst);
}

static int
read_ports(struct parser *p, const char *word, uint16_t *out)
{
	const char *dash = strchr(word, '-');
	size_t n = dash ? (size_t)(dash - word) : strlen(word);
	uint64_t first, last;
	char text[8];

	if (n >= sizeof(text))
		return routerconf_fail(p, "no ports: %s", word);
	memcpy(text, word, n);
	text[n] = '\0';
	if (!routerconf_uint(text, UINT16_MAX, &first) ||
	    !routerconf_uint(dash ? dash + 1 : text, UINT16_MAX, &last) ||
	    first > last)
		return routerconf_fail(p, "no ports: %s", word);
	out[0] = (uint16_t)first;
	out[1] = (uint16_t)last;
	return 0;
}

static int
read_sport(struct parser *p, struct filter_rule *r, const char *word)
{
	return read_ports(p, word, r->sport);
}

static int
read_dport(struct parser *p, struct filter_rule *r, const char *word)
{
	return read_ports(p, word, r->dport);
}

static const struct {
	const char *word;
	int (*read)(struct parser *p, struct filter_rule *r, const char *word);
} pairs[] = {
	{ "in", read_vnic },
	{ "protocol", read_protocol },
	{ "from", read_from },
	{ "to", read_to },
	{ "sport", read_sport },
	{ "dport", read_dport },
};

static int
read_pairs(struct parser *p, struct filter_rule *r)
{
	unsigned seen = 0;

	for (unsigned i = 3; i < p->n; i += 2) {
		unsigned k = 0;
		int rc;

		while (k < ARRAY_SIZE(pairs) &&
		       strcmp(pairs[k].word, p->word[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(pairs) || seen & 1U << k || i + 1 == p->n)
			return routerconf_fail(
			    p, "not understood here: %s", p->word[i]);
		seen |= 1U << k;
		rc = pairs[k].read(p, r, p->word[i + 1]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool
read_action(struct filter_rule *r, const char *word)
{
	static const char *const names[] = {
		[FILTER_PERMIT] = "permit",
		[FILTER_DENY] = "deny",
		[FILTER_REJECT] = "reject",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], word) == 0) {
			r->action = (uint8_t)i;
			return true;
		}
	return false;
}

static bool
is_number_taken(const struct routerconf *c, uint64_t number)
{
	for (unsigned i = 0; i < c->n_rules; i++)
		if (c->rule[i].number == number)
			return true;
	return false;
}

int
routerconf_read_filter(struct parser *p)
{
	struct filter_rule r = {
		.vnic = FILTER_ANY_VNIC,
		.protocol = FILTER_ANY_PROTOCOL,
		.sport = { 0, UINT16_MAX },
		.dport = { 0, UINT16_MAX },
	};
	uint64_t number;
	int rc;

	if (p->n >= 2 && routerconf_is_classifier(p->word[1]))
		return routerconf_read_classifier(p);
	if (p->n < 3 || p->n > ROUTERCONF_MAX_WORDS ||
	    !routerconf_uint(p->word[1], FILTER_MAX_RULES, &number) ||
	    number == 0 || !read_action(&r, p->word[2]))
		return routerconf_fail(p,
		    "expected: filter NUMBER permit|deny|reject ..., and a "
		    "number of 1 to %d",
		    FILTER_MAX_RULES);
	if (is_number_taken(p->out, number))
		return routerconf_fail(p, "number given twice: %s", p->word[1]);
	r.number = (uint8_t)number; /* <= FILTER_MAX_RULES */
	rc = read_pairs(p, &r);
	if (rc == 0)
		p->out->rule[p->out->n_rules++] = r;
	return rc;
}
