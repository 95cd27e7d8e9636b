/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_pieces: packets to ourselves that come in pieces, put together by
 * reassemble.h; what is said when one is wrong or the last one does not come.
 */
#include "router/slow.h"
#include "router/slow6.h"

static void
count_piece(struct slow *s, int rc)
{
	count(s->count, COUNT_LOCAL_FRAGMENT, 1);
	if (rc == 1)
		count(s->count, COUNT_REASSEMBLED, 1);
	else if (rc < 0)
		count(s->count, COUNT_PIECES_REFUSED, 1);
}

struct packet *
slow_join4(struct slow *s, const uint8_t *ip, unsigned vnic)
{
	struct packet *p = NULL;

	count_piece(s, reassemble4(s->pieces, ip, vnic, s->now_ms, &p));
	return p;
}

struct packet *
slow_join6(struct slow *s, const struct ip6_walk *w, unsigned vnic)
{
	struct packet *p = NULL;
	int rc = reassemble6(s->pieces, w, vnic, s->now_ms, &p);

	count_piece(s, rc);
	/* RFC 8200, 4.5; about the others nothing is said */
	if (rc == -EBADMSG)
		slow6_problem(s, w->ip, vnic, ICMP6_WRONG_FIELD, IP6_PAYLOAD);
	else if (rc == -EOVERFLOW)
		slow6_problem(s, w->ip, vnic, ICMP6_WRONG_FIELD, w->at + 2);
	return p;
}

/* Only the first piece says of what the others were (RFC 792, RFC 8200). */
static void
on_expired(void *arg, const uint8_t *ip, unsigned vnic)
{
	struct slow *s = arg;
	struct icmp_error e = {
		.type = ICMP_TIME_EXCEEDED,
		.code = ICMP_REASSEMBLY_TIME,
	};

	count(s->count, COUNT_REASSEMBLY_TIMEOUT, 1);
	if (!ip)
		return;
	if (ip[IP6_VERSION] >> 4 == 6)
		slow6_say(
		    s, ip, vnic, ICMP6_TIME_EXCEEDED, ICMP6_REASSEMBLY_TIME);
	else
		slow_icmp_error(s, ip, &e, COUNT_ICMP_TIME_EXCEEDED);
}

uint64_t
slow_expire_pieces(struct slow *s)
{
	return reassembly_tick(s->pieces, s->now_ms, on_expired, s);
}
