/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_twins: who of the two answers, the router or Linux beside it (twins.h)?
 *
 *	ARP, ND                 both hear it; the router answers for its own
 *	                        addresses, and Linux's answer for them is dropped
 *	echo request to us      the router, at the rate that it has
 *	all else to us          Linux: it has the sockets, puts pieces together,
 *	                        and says that nobody listens
 *	groups of the link      Linux: OSPF, RIP, VRRP, MLD ...; but not IPv4 ones
 *	                        that the filter denies, nor echo requests
 *	what Linux sends        goes out as it is, by the slow path's tx queue
 *
 * Redirects are not for Linux: it does not choose ways for others' packets.
 */
#include "router/slow.h"

#include "router/arp_internal.h"
#include "router/icmp6.h"
#include "router/ip6_walk.h"
#include "router/modules.h"
#include "router/nd_internal.h"

static struct twins *
twins_of(const struct slow *s)
{
	/* pairs with beside_configure(): they are complete */
	return atomic_load_explicit(&s->twins, memory_order_acquire);
}

static bool
has_twins(const struct slow *s)
{
	return s->plan->twins && twins_of(s);
}

/* --- to Linux ------------------------------------------------------------- */

static void
give(struct slow *s, const uint8_t *frame)
{
	bool given =
	    twins_give(twins_of(s), s->came->vnic, frame, s->came->len);

	count(s->count, given ? COUNT_TWIN_UP : COUNT_TWIN_UP_DROPPED, 1);
}

void
slow_twins_copy(struct slow *s, const uint8_t *frame)
{
	if (!has_twins(s) || (s->came->fate == FATE_ND &&
				 frame[ETH_BYTES + IP6_BYTES] == ND_REDIRECT))
		return;
	give(s, frame);
}

static bool
is_echo4(const uint8_t *ip)
{
	unsigned header = ip4_header_bytes(ip);

	return ip[IP4_PROTOCOL] == IP_ICMP &&
	       !(load_be16(ip + IP4_FRAGMENT) & (IP4_MF | IP4_OFFSET_MASK)) &&
	       load_be16(ip + IP4_TOTAL) > header && ip[header] == ICMP_ECHO;
}

bool
slow_twins_take4(struct slow *s, const uint8_t *ip)
{
	if (!has_twins(s) || is_echo4(ip))
		return false;
	give(s, ip - ETH_BYTES);
	return true;
}

static bool
is_echo6(const uint8_t *ip)
{
	struct ip6_walk w;

	ip6_walk_begin(&w, ip);
	while (ip6_walk_next(&w))
		continue;
	return w.next == NEXT_ICMP6 && !w.is_piece && !w.is_cut &&
	       w.at < w.end && ip[w.at] == ICMP6_ECHO;
}

bool
slow_twins_take6(struct slow *s, const uint8_t *ip)
{
	if (!has_twins(s) || is_echo6(ip))
		return false;
	give(s, ip - ETH_BYTES);
	return true;
}

/* As the fast path would have said: right, and to 224.0.0.0/24? */
static bool
is_right(const struct slow *s, const uint8_t *frame, unsigned len)
{
	struct batch b;

	b.frame[0] = (struct vnic_frame){
		.data = (uint8_t *)(uintptr_t)frame, /* it only looks */
		.len = (uint16_t)len,                /* of a record */
	};
	batch_begin(&b, 1);
	check_ip4(s->tables, &b);
	return b.alive == 0 && b.fate[0] == FATE_MULTICAST &&
	       b.dst[0] >> 8 == 224U << 16;
}

void
slow_twins_control(struct slow *s, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_BYTES;

	if (!has_twins(s) || !is_right(s, frame, s->came->len) ||
	    slow_judge(s, FATE_CONTROL, s->came->vnic, ip) != FATE_CONTROL ||
	    is_echo4(ip)) {
		count(s->count, COUNT_LOCAL_IGNORED, 1);
		return;
	}
	give(s, frame);
}

/* --- from Linux ----------------------------------------------------------- */

static bool
is_our_advertisement(const struct iface *f, const uint8_t *frame, unsigned len)
{
	const uint8_t *ip = frame + ETH_BYTES, *icmp = ip + IP6_BYTES;

	if (len < ETH_BYTES + IP6_BYTES + ICMP6_BYTES + 16 ||
	    load_be16(frame + ETH_TYPE) != ETHERTYPE_IP6)
		return false;
	return ip[IP6_NEXT] == NEXT_ICMP6 && icmp[0] == ND_ADVERTISEMENT &&
	       iface_has6(f, ip6_load(icmp + ICMP6_BYTES));
}

/* The router has answered the same question for the same address. */
static bool
is_answered(const struct iface *f, const uint8_t *frame, unsigned len)
{
	struct arp_msg m;

	if (load_be16(frame + ETH_TYPE) != ETHERTYPE_ARP)
		return is_our_advertisement(f, frame, len);
	return arp_parse(frame, len, &m) && m.op == ARP_REPLY &&
	       iface_has4(f, m.sender_ip);
}

static void
send_for(struct slow *s, const struct punt_record *r, const uint8_t *frame)
{
	unsigned len = MAX((unsigned)r->len, (unsigned)ETH_MIN_FRAME);
	const struct iface *f = &s->iface[r->vnic];
	struct packet *p;

	if (r->len >= ETH_BYTES && is_answered(f, frame, r->len)) {
		count(s->count, COUNT_TWIN_ANSWERED, 1);
		return;
	}
	p = r->len >= ETH_BYTES && f->up ? packet_new(len) : NULL;
	if (!p) {
		count(s->count, COUNT_TWIN_DOWN_DROPPED, 1);
		return;
	}
	memset(p->bytes, 0, ETH_MIN_FRAME);
	memcpy(p->bytes, frame, r->len);
	p->vnic = r->vnic;
	count(s->count, COUNT_TWIN_DOWN, 1);
	slow_send(s, p);
}

/* What the other thread has counted becomes ours: a set has one writer. */
static void
count_lost(struct slow *s, _Atomic(uint64_t) *lost, enum counter which)
{
	/* relaxed: a counter */
	if (atomic_load_explicit(lost, memory_order_relaxed))
		count(s->count, which,
		    atomic_exchange_explicit(lost, 0, memory_order_relaxed));
}

unsigned
slow_twins_drain(struct slow *s)
{
	struct twins *t = twins_of(s);
	const struct punt_record *r;
	const uint8_t *frame;
	unsigned n = 0;

	if (!has_twins(s))
		return 0;
	count_lost(s, &t->up_lost, COUNT_TWIN_UP_DROPPED);
	count_lost(s, &t->down_lost, COUNT_TWIN_DOWN_DROPPED);
	for (; n < SLOW_BURST && (r = twins_take(t, &frame)); n++) {
		send_for(s, r, frame);
		twins_taken(t);
	}
	return n;
}

bool
slow_twins_have_work(const struct slow *s)
{
	return has_twins(s) && punt_has(&twins_of(s)->down);
}

/* --- devices -------------------------------------------------------------- */

void
slow_twins_update(struct slow *s)
{
	scoped_free struct tap_want *want = NULL;
	struct twins *t = twins_of(s);

	if (!t)
		return;
	want = calloc(VNIC_MAX_VNICS, sizeof(*want));
	if (!want)
		return; /* with the next tables */
	for (unsigned i = 0; i < VNIC_MAX_VNICS && s->plan->twins; i++) {
		const struct routerconf_vnic *v = &s->plan->vnic[i];
		uint32_t mtu = s->tables->vnic[i].mtu;

		if (v->present && mtu > 0)
			taps_want(&want[i], &s->iface[i], v->name, mtu);
	}
	/* new tables for a neighbour change no device */
	if (memcmp(want, t->want, sizeof(t->want)) != 0)
		twins_set(t, want);
}
