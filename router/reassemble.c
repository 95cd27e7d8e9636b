/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassemble: the pieces of a datagram in a list by their offset, no two of which
 * overlap; so it is complete when their bytes are as many as the last one says.
 */
#include "router/reassemble.h"

/* The packet that a piece came in: data[n] is behind header bytes. */
struct piece {
	struct piece *next;
	unsigned offset; /* in the datagram's data */
	unsigned n;
	unsigned header;
	bool more;
	uint8_t ip[];
};

struct key {
	struct ip6 src, dst; /* IPv4: in the low word */
	uint32_t id;
	uint8_t protocol; /* IPv6: 0 */
	bool is_ip6;
};

struct datagram {
	bool is_used;
	bool is_refused; /* its pieces are not wanted any more */
	struct key key;
	uint16_t vnic;
	uint16_t said; /* IPv6: where the fragment header is named */
	uint64_t until_ms;
	struct piece *list;
	unsigned n_pieces;
	unsigned have;  /* bytes of data */
	unsigned total; /* 0: the last piece has not come */
};

struct reassembly {
	size_t bytes;
	struct datagram datagram[REASSEMBLE_DATAGRAMS];
};

/* What a caller knows of a piece. */
struct incoming {
	struct key key;
	const uint8_t *ip;
	unsigned header;
	unsigned offset;
	unsigned n;
	bool more;
	unsigned vnic;
	unsigned said;
};

struct reassembly *
reassembly_new(void)
{
	return calloc(1, sizeof(struct reassembly));
}

size_t
reassembly_bytes(const struct reassembly *r)
{
	return r->bytes;
}

static size_t
cost(unsigned bytes)
{
	return sizeof(struct piece) + bytes;
}

static void
drop_pieces(struct reassembly *r, struct datagram *d)
{
	while (d->list) {
		struct piece *p = d->list;

		d->list = p->next;
		r->bytes -= cost(p->header + p->n);
		free(p);
	}
}

static void
forget(struct reassembly *r, struct datagram *d)
{
	drop_pieces(r, d);
	*d = (struct datagram){ .is_used = false };
}

/* It stays, without its pieces, for those that are still to come. */
static int
refuse(struct reassembly *r, struct datagram *d)
{
	drop_pieces(r, d);
	d->is_refused = true;
	return -EPERM;
}

void
reassembly_free(struct reassembly *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < REASSEMBLE_DATAGRAMS; i++)
		forget(r, &r->datagram[i]);
	free(r);
}

static bool
is_same(const struct key *a, const struct key *b)
{
	return a->id == b->id && a->protocol == b->protocol &&
	       a->is_ip6 == b->is_ip6 && ip6_is_equal(a->src, b->src) &&
	       ip6_is_equal(a->dst, b->dst);
}

/* That of the piece; or a new one, in a free place or in that of the oldest. */
static struct datagram *
find(struct reassembly *r, const struct incoming *in, uint64_t now_ms)
{
	struct datagram *d = &r->datagram[0];

	for (unsigned i = 0; i < REASSEMBLE_DATAGRAMS; i++) {
		struct datagram *e = &r->datagram[i];

		if (e->is_used && is_same(&e->key, &in->key))
			return e;
		if (d->is_used && (!e->is_used || e->until_ms < d->until_ms))
			d = e;
	}
	forget(r, d);
	*d = (struct datagram){
		.is_used = true,
		.key = in->key,
		.until_ms = now_ms + REASSEMBLE_MS,
	};
	return d;
}

/*
 * Where the piece belongs: *link is that of its follower. 0: it is there already,
 * the same one; negative: it overlaps.
 */
static int
find_place(struct datagram *d, const struct incoming *in, struct piece ***link)
{
	struct piece **at = &d->list;
	const struct piece *before = NULL;

	for (; *at && (*at)->offset < in->offset; at = &(*at)->next)
		before = *at;
	*link = at;
	if (before && before->offset + before->n > in->offset)
		return -EPERM;
	if (!*at || in->offset + in->n <= (*at)->offset)
		return 1;
	if ((*at)->offset == in->offset && (*at)->n == in->n &&
	    (*at)->more == in->more &&
	    memcmp((*at)->ip + (*at)->header, in->ip + in->header, in->n) == 0)
		return 0;
	return -EPERM;
}

/* Do all pieces agree on how long it is? */
static bool
set_total(struct datagram *d, const struct incoming *in)
{
	unsigned end = in->offset + in->n;

	if (!in->more) {
		if (d->total && d->total != end)
			return false;
		d->total = end;
	}
	if (d->total == 0)
		return true;
	for (const struct piece *p = d->list; p; p = p->next)
		if (p->offset + p->n > d->total)
			return false;
	return end <= d->total && (!in->more || end < d->total);
}

/* The oldest that is in use, but not number keep; or NULL. */
static struct datagram *
oldest(struct reassembly *r, size_t keep)
{
	struct datagram *found = NULL;

	for (size_t i = 0; i < REASSEMBLE_DATAGRAMS; i++) {
		struct datagram *d = &r->datagram[i];

		if (d->is_used && i != keep &&
		    (!found || d->until_ms < found->until_ms))
			found = d;
	}
	return found;
}

static int
keep(struct reassembly *r, struct datagram *d, const struct incoming *in,
    struct piece **link)
{
	unsigned bytes = in->header + in->n;
	size_t number = (size_t)(d - r->datagram);
	struct piece *p;

	while (r->bytes + cost(bytes) > REASSEMBLE_BYTES) {
		struct datagram *other = oldest(r, number);

		if (!other)
			return -ENOMEM;
		forget(r, other);
	}
	p = malloc(cost(bytes));
	if (!p)
		return -ENOMEM;
	p->offset = in->offset;
	p->n = in->n;
	p->header = in->header;
	p->more = in->more;
	memcpy(p->ip, in->ip, bytes);
	p->next = *link;
	*link = p;
	r->bytes += cost(bytes);
	d->n_pieces++;
	d->have += in->n;
	if (in->offset == 0) {
		d->vnic = (uint16_t)in->vnic; /* < VNIC_MAX_VNICS */
		d->said = (uint16_t)in->said; /* within a packet */
	}
	return 0;
}

static void
finish4(uint8_t *ip, unsigned header, unsigned total)
{
	unsigned field = load_be16(ip + IP4_FRAGMENT);

	field &= ~((unsigned)IP4_MF | (unsigned)IP4_OFFSET_MASK);
	store_be16(ip + IP4_TOTAL, (uint16_t)total);
	store_be16(ip + IP4_FRAGMENT, (uint16_t)field);
	store_be16(ip + IP4_CHECKSUM, 0);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, header));
}

/* All pieces are there. Takes them. */
static int
join(struct reassembly *r, struct datagram *d, struct packet **out)
{
	const struct piece *first = d->list;
	unsigned header = first->header - (d->key.is_ip6 ? 8U : 0U);
	unsigned total = header + d->total;
	struct packet *p;
	uint8_t *ip;

	if (ETH_BYTES + total > UINT16_MAX)
		return refuse(r, d);
	p = packet_new(MAX(ETH_BYTES + total, (unsigned)ETH_MIN_FRAME));
	if (!p) {
		refuse(r, d);
		return -ENOMEM;
	}
	memset(p->bytes, 0, ETH_MIN_FRAME);
	store_be16(
	    p->bytes + ETH_TYPE, d->key.is_ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	ip = p->bytes + ETH_BYTES;
	memcpy(ip, first->ip, header);
	for (const struct piece *k = first; k; k = k->next)
		memcpy(ip + header + k->offset, k->ip + k->header, k->n);
	if (d->key.is_ip6) {
		ip[d->said] = first->ip[header];
		store_be16(ip + IP6_PAYLOAD, (uint16_t)(total - IP6_BYTES));
	} else {
		finish4(ip, header, total);
	}
	p->vnic = d->vnic;
	forget(r, d);
	*out = p;
	return 1;
}

static int
take(struct reassembly *r, const struct incoming *in, uint64_t now_ms,
    struct packet **out)
{
	struct datagram *d;
	struct piece **link;
	int rc;

	if (in->n == 0 || (in->more && in->n % 8 != 0))
		return -EBADMSG;
	if (in->header + in->offset + in->n > UINT16_MAX)
		return -EOVERFLOW;
	d = find(r, in, now_ms);
	if (d->is_refused)
		return -EPERM;
	rc = find_place(d, in, &link);
	if (rc == 0)
		return 0;
	if (rc < 0 || d->n_pieces == REASSEMBLE_PIECES || !set_total(d, in))
		return refuse(r, d);
	rc = keep(r, d, in, link);
	if (rc < 0)
		return rc;
	return d->have == d->total ? join(r, d, out) : 0;
}

int
reassemble4(struct reassembly *r, const uint8_t *ip, unsigned vnic,
    uint64_t now_ms, struct packet **out)
{
	unsigned field = load_be16(ip + IP4_FRAGMENT);
	unsigned header = ip4_header_bytes(ip);
	struct incoming in = {
		.key = { .src.lo = load_be32(ip + IP4_SRC),
		    .dst.lo = load_be32(ip + IP4_DST),
		    .id = load_be16(ip + IP4_ID),
		    .protocol = ip[IP4_PROTOCOL] },
		.ip = ip,
		.header = header,
		.offset = (field & IP4_OFFSET_MASK) * 8,
		.n = load_be16(ip + IP4_TOTAL) - header,
		.more = field & IP4_MF,
		.vnic = vnic,
	};

	return take(r, &in, now_ms, out);
}

int
reassemble6(struct reassembly *r, const struct ip6_walk *w, unsigned vnic,
    uint64_t now_ms, struct packet **out)
{
	const uint8_t *fragment = w->ip + w->at;
	unsigned field = load_be16(fragment + 2);
	struct incoming in = {
		.key = { .src = ip6_load(w->ip + IP6_SRC),
		    .dst = ip6_load(w->ip + IP6_DST),
		    .id = load_be32(fragment + 4),
		    .is_ip6 = true },
		.ip = w->ip,
		.header = w->at + 8,
		.offset = field & ~7U,
		.n = w->end - w->at - 8,
		.more = field & 1,
		.vnic = vnic,
		.said = w->said,
	};

	return take(r, &in, now_ms, out);
}

uint64_t
reassembly_tick(struct reassembly *r, uint64_t now_ms,
    void (*expired)(void *arg, const uint8_t *ip, unsigned vnic), void *arg)
{
	uint64_t next_ms = UINT64_MAX;

	for (unsigned i = 0; i < REASSEMBLE_DATAGRAMS; i++) {
		struct datagram *d = &r->datagram[i];
		const struct piece *p = d->list;

		if (!d->is_used)
			continue;
		if (now_ms < d->until_ms) {
			next_ms = MIN(next_ms, d->until_ms - now_ms);
			continue;
		}
		if (!d->is_refused)
			expired(
			    arg, p && p->offset == 0 ? p->ip : NULL, d->vnic);
		forget(r, d);
	}
	return next_ms;
}
