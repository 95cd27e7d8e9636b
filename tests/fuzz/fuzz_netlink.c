/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_netlink: any bytes as messages of the kernel, in one buffer of just their
 * length; and any order of routes that come, go and are told anew, against a
 * model that is a list. What the fast path has been told must be what the model
 * says is best.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/base.h"
#include "router/linux_routes.h"

enum { PREFIXES = 4, METRICS = 2, LINKS = 4 };

static uint64_t n_routes;

uint64_t
fuzz_count(void)
{
	return n_routes;
}

/* Links 0 to 2 are vNICs, or one less for each that is hidden. */
static uint8_t
vnic_of(const void *arg, uint32_t link)
{
	const unsigned *hidden = arg;

	return link + *hidden < LINKS - 1 ? (uint8_t)link : LINUX_NO_VNIC;
}

/* --- bytes ---------------------------------------------------------------- */

static void
check_route(const struct nl_route *r)
{
	unsigned len = r->len + (r->is6 ? 0U : 96U);

	n_routes++;
	FUZZ_MUST(r->len <= (r->is6 ? 128 : 32));
	FUZZ_MUST(r->way <= NL_UNREACHABLE);
	FUZZ_MUST(ip6_is_equal(r->prefix, ip6_prefix(r->prefix, len)));
}

static void
check_message(const struct nl_msg *m)
{
	switch (m->kind) {
	case NL_ROUTE:
		check_route(&m->u.route);
		break;
	case NL_NEIGHBOUR:
		FUZZ_MUST(m->u.neighbour.link > 0);
		FUZZ_MUST(
		    !m->u.neighbour.is_usable || !(m->u.neighbour.mac[0] & 1));
		break;
	case NL_LINK:
		FUZZ_MUST(m->u.link.index > 0 && m->u.link.name[0] != '\0');
		FUZZ_MUST(memchr(m->u.link.name, '\0', NETLINK_NAME));
		break;
	case NL_DONE:
	case NL_ERROR:
		FUZZ_MUST(m->error <= 0);
		break;
	case NL_ADDRESS:
	case NL_SKIPPED:
		break;
	}
}

static void
run_bytes(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + 1);
	struct nl_reader r = { .at = exact, .left = size };
	struct linux_routes *k;
	const unsigned hidden = 0;
	struct linux_route out;
	struct nl_msg m;
	int rc;

	FUZZ_MUST(exact && linux_routes_new(&k) == 0);
	exact = realloc(exact, size ? size : 1);
	r.at = exact;
	memcpy(exact, data, size);
	while ((rc = netlink_next(&r, &m)) > 0) {
		check_message(&m);
		if (m.kind != NL_ROUTE)
			continue;
		if (m.is_gone)
			linux_routes_remove(k, &m.u.route);
		else
			linux_routes_put(k, &m.u.route, m.is_instead);
	}
	FUZZ_MUST(rc == 0 || rc == -EBADMSG);
	while (linux_routes_next(k, vnic_of, &hidden, &out))
		linux_routes_pop(k);
	linux_routes_free(k);
	free(exact);
}

/* --- messages that are nearly right --------------------------------------- */

static void
put_attribute(struct fuzz_input *in, uint8_t *b, size_t *n)
{
	static const uint8_t lengths[] = { 4, 16, 4, 4, 6, 8, 16, 20 };
	uint16_t type = (uint16_t)(fuzz_u8(in) % 24), len;
	uint32_t v = fuzz_u8(in);

	len = (uint16_t)(4 + (v % 8 ? lengths[v / 8 % 8] : fuzz_u8(in)));
	memcpy(b + *n, &len, 2);
	memcpy(b + *n + 2, &type, 2);
	for (unsigned i = 4; i < len; i++)
		b[*n + i] = (uint8_t)fuzz_u8(in);
	*n += (len + 3U) & ~3U;
}

/* Links, addresses, routes, neighbours: RTM_NEWLINK and so on. */
static void
run_message(struct fuzz_input *in)
{
	static const uint8_t types[] = { 16, 17, 20, 21, 24, 24, 24, 25, 28,
		29 };
	static const uint8_t fixed[] = { 16, 16, 8, 8, 12, 12, 12, 12, 12, 12 };
	uint8_t b[4096] = { 0 };
	uint32_t which = fuzz_u8(in) % ARRAY_SIZE(types), whole;
	size_t n = 16;

	b[4] = types[which];
	b[7] = (uint8_t)fuzz_u8(in);
	for (unsigned i = 0; i < fixed[which]; i++)
		b[n++] = (uint8_t)fuzz_u8(in);
	if (types[which] > 17)
		b[16] = b[16] & 1 ? 2 : 10; /* AF_INET, AF_INET6 */
	if (types[which] >> 1 == 12) {
		b[17] %= 130;                  /* length */
		b[18] = b[19] = 0;             /* source, TOS */
		b[20] = b[20] % 2 ? 254 : 255; /* main, local */
		b[23] %= 9;                    /* type */
		memset(b + 24, 0, 4);          /* flags */
	}
	for (unsigned left = fuzz_u8(in) % 8; left-- > 0;)
		put_attribute(in, b, &n);
	whole = (uint32_t)n;
	memcpy(b, &whole, sizeof(whole));
	run_bytes(b, n);
}

/* --- orders --------------------------------------------------------------- */

struct model {
	struct linux_routes *k;
	bool is_there[PREFIXES][METRICS][LINKS];
	bool is_new[PREFIXES][METRICS][LINKS]; /* of this round */
	bool in_round;
	unsigned hidden;
	bool is_told[PREFIXES];
	uint8_t told[PREFIXES]; /* vNIC */
};

static struct nl_route
route_of(unsigned prefix, unsigned metric, unsigned link)
{
	return (struct nl_route){
		.prefix = ip6_of_ip4(UINT32_C(0xc6120000) + (prefix << 8)),
		.len = 24,
		.metric = metric,
		.link = link,
	};
}

static void
put(struct model *m, unsigned p, unsigned metric, unsigned link, bool instead)
{
	struct nl_route r = route_of(p, metric, link);

	FUZZ_MUST(linux_routes_put(m->k, &r, instead) == 0);
	for (unsigned i = 0; instead && i < LINKS; i++)
		m->is_there[p][metric][i] = false;
	m->is_there[p][metric][link] = true;
	m->is_new[p][metric][link] = true;
}

static void
end_round(struct model *m)
{
	if (!m->in_round)
		return;
	linux_routes_end(m->k);
	for (unsigned i = 0; i < sizeof(m->is_there); i++)
		(&m->is_there[0][0][0])[i] &= (&m->is_new[0][0][0])[i];
	m->in_round = false;
}

static void
begin_round(struct model *m)
{
	end_round(m);
	linux_routes_begin(m->k);
	memset(m->is_new, 0, sizeof(m->is_new));
	m->in_round = true;
}

static void
tell(struct model *m, unsigned max)
{
	struct linux_route r;

	while (max-- > 0 && linux_routes_next(m->k, vnic_of, &m->hidden, &r)) {
		unsigned p = (unsigned)(r.prefix.lo >> 8) & 0xff;

		FUZZ_MUST(p < PREFIXES && r.len == 24);
		m->is_told[p] = !r.is_gone;
		m->told[p] = r.vnic;
		linux_routes_pop(m->k);
	}
}

/* All has been told: each prefix leads where the model says, or nowhere. */
static void
check_told(struct model *m)
{
	for (unsigned p = 0; p < PREFIXES; p++) {
		bool any = false, match = false;

		for (unsigned k = 0; k < METRICS && !any; k++)
			for (uint32_t i = 0; i < LINKS; i++) {
				uint8_t vnic = vnic_of(&m->hidden, i);

				if (!m->is_there[p][k][i] ||
				    vnic == LINUX_NO_VNIC)
					continue;
				any = true;
				match |= vnic == m->told[p];
			}
		FUZZ_MUST(any == m->is_told[p]);
		FUZZ_MUST(!any || match);
	}
}

static void
run_orders(struct fuzz_input *in)
{
	struct model m = { .k = NULL };

	FUZZ_MUST(linux_routes_new(&m.k) == 0);
	for (unsigned left = 512; in->left > 0 && left-- > 0;) {
		unsigned v = fuzz_u8(in), w = fuzz_u8(in);
		unsigned p = w % PREFIXES, metric = w / PREFIXES % METRICS;
		unsigned link = w / (PREFIXES * METRICS) % LINKS;
		struct nl_route r = route_of(p, metric, link);

		switch (v % 8) {
		case 0:
		case 1:
			put(&m, p, metric, link, false);
			break;
		case 2:
			put(&m, p, metric, link, true);
			break;
		case 3:
			linux_routes_remove(m.k, &r);
			m.is_there[p][metric][link] = false;
			break;
		case 4:
			begin_round(&m);
			break;
		case 5:
			end_round(&m);
			break;
		case 6:
			m.hidden = w % 3;
			for (uint32_t i = 0; i < LINKS; i++)
				linux_routes_look_again(m.k, i);
			break;
		default:
			tell(&m, w % 4);
			break;
		}
	}
	end_round(&m);
	tell(&m, UINT32_MAX);
	check_told(&m);
	linux_routes_free(m.k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	run_bytes(data, size);
	for (unsigned i = 0; i < 16; i++)
		run_message(&in);
	run_orders(&in);
	return 0;
}
