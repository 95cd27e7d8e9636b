/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: see trace.h.
 */
#include "router/trace.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "router/packet.h"
#include "router/pipeline.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { UDP_BYTES = 8, TCP_BYTES = 20, ICMP_BYTES = 8 };

/* --- the frame ------------------------------------------------------------ */

static unsigned
header_of(uint8_t protocol)
{
	switch (protocol) {
	case IP_TCP:
		return TCP_BYTES;
	case IP_UDP:
		return UDP_BYTES;
	case IP_ICMP:
	case NEXT_ICMP6:
		return ICMP_BYTES;
	default:
		return 0;
	}
}

static void
fill_ip4(uint8_t *ip, const struct trace_packet *p, unsigned len)
{
	ip[IP4_VERSION_IHL] = 0x45;
	store_be16(ip + IP4_TOTAL, (uint16_t)len);
	store_be16(ip + IP4_FRAGMENT, p->df ? IP4_DF : 0);
	ip[IP4_TTL] = (uint8_t)p->ttl;
	ip[IP4_PROTOCOL] = p->protocol;
	store_be32(ip + IP4_SRC, (uint32_t)p->src.lo); /* all of it */
	store_be32(ip + IP4_DST, (uint32_t)p->dst.lo);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, IP4_BYTES));
}

static void
fill_ip6(uint8_t *ip, const struct trace_packet *p, unsigned len)
{
	ip[IP6_VERSION] = 0x60;
	store_be16(ip + IP6_PAYLOAD, (uint16_t)(len - IP6_BYTES));
	ip[IP6_NEXT] = p->protocol;
	ip[IP6_HOP_LIMIT] = (uint8_t)p->ttl;
	ip6_store(ip + IP6_SRC, p->src);
	ip6_store(ip + IP6_DST, p->dst);
}

/* Returns the bytes of the frame, or -EMSGSIZE. */
static int
fill_frame(struct trace *t)
{
	const struct trace_packet *p = &t->packet;
	uint8_t *frame = t->room + TRACE_HEADROOM, *ip = frame + ETH_BYTES;
	unsigned header = p->is6 ? IP6_BYTES : IP4_BYTES;
	unsigned least = header + header_of(p->protocol);
	/* a header alone would be none of IPv6 */
	unsigned len = p->len ? p->len : MAX(least, header + UDP_BYTES);

	if (len < least || len > TRACE_ROOM - ETH_BYTES)
		return -EMSGSIZE;
	memcpy(frame + ETH_DST, t->tables->vnic[p->vnic].mac, 6);
	frame[ETH_SRC] = 0x02;
	store_be16(frame + ETH_TYPE, p->is6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	if (p->is6)
		fill_ip6(ip, p, len);
	else
		fill_ip4(ip, p, len);
	if (p->protocol == IP_TCP || p->protocol == IP_UDP) {
		store_be16(ip + header, p->sport);
		store_be16(ip + header + 2, p->dport);
	}
	if (p->protocol == IP_TCP)
		ip[header + 12] = 5 << 4; /* words of its header */
	if (p->protocol == IP_UDP)
		store_be16(ip + header + 4, (uint16_t)(len - header));
	if (p->protocol == IP_ICMP)
		ip[header] = 8; /* an echo request */
	if (p->protocol == NEXT_ICMP6) {
		ip[header] = 128;
		store_be16(ip + header + 2,
		    icmp6_checksum(ip, ip + header, len - header));
	}
	return (int)(ETH_BYTES + len);
}

/* --- looking -------------------------------------------------------------- */

static void
note(struct trace *t, const struct batch *b, struct trace_step *s)
{
	const struct vnic_frame *f = &b->frame[0];
	size_t n = MIN((size_t)f->len, sizeof(t->seen));

	*s = (struct trace_step){
		.goes_on = ((b->alive | b->alive6) & 1) != 0,
		.fate = b->fate[0],
		.hop = b->hop[0],
		.changed = memcmp(t->seen, f->data, n) != 0,
		.ttl =
		    f->data[ETH_BYTES + (t->packet.is6 ? (unsigned)IP6_HOP_LIMIT
						       : (unsigned)IP4_TTL)],
	};
	memcpy(t->seen, f->data, n);
}

static void
see(struct probe *p, const struct batch *b, unsigned step)
{
	struct trace *t = CONTAINER_OF(p, struct trace, probe);

	note(t, b, &t->result.step[step]);
	t->result.n_steps = MAX(t->result.n_steps, step + 1);
}

/* --- path.h --------------------------------------------------------------- */

static struct trace *
owner_of(struct path *p)
{
	return CONTAINER_OF(p, struct trace, path);
}

static unsigned
receive(struct path *p)
{
	struct trace *t = owner_of(p);

	return t->n_given++ == 0 ? 1 : 0;
}

/* Where hop leads. */
static void
note_hop(struct trace *t, uint16_t at)
{
	struct trace_result *r = &t->result;
	const struct tables *tables = t->tables;
	const struct hop *hop;
	unsigned i = at - tables->first6;

	if (at >= tables->n_hops)
		return;
	hop = &tables->hop[at];
	r->has_hop = true;
	r->is6 = t->packet.is6;
	r->vnic = hop->vnic;
	memcpy(r->mac, hop->eth, 6);
	r->gateway = t->packet.dst;
	if (hop->ip)
		r->gateway = ip6_of_ip4(hop->ip);
	else if (i < tables->n_gateways6)
		r->gateway = tables->gateway6[i];
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	struct trace *t = owner_of(p);

	if (!(which & 1))
		return;
	t->result.fate = TRACE_FORWARDED;
	if (vnic < 0) {
		note_hop(t, p->batch.hop[0]);
		return;
	}
	t->result.has_hop = true;
	t->result.vnic = (uint16_t)vnic;
	memcpy(t->result.mac, p->batch.frame[0].data, 6);
}

static void
give_back(struct path *p, uint64_t which)
{
	struct trace *t = owner_of(p);

	if (!(which & 1))
		return;
	t->result.fate = p->batch.fate[0];
	if (t->result.fate == FATE_UNRESOLVED)
		note_hop(t, p->batch.hop[0]);
}

static const struct path_ops ops = {
	.receive = receive,
	.transmit = transmit,
	.give_back = give_back,
};

/* --- running -------------------------------------------------------------- */

static void
run_c(struct trace *t)
{
	struct path *p = &t->path;

	while (path_receive(p) > 0) {
		if (pipeline_probed(p->tables, &p->batch))
			path_transmit(p);
		path_give_back(p);
	}
}

static void
run_script(struct trace *t, const struct script_text *text)
{
	struct script *s = NULL;
	struct err e = { .no = 0 };
	int rc = script_new(text, &s, &e);

	if (rc == 0)
		rc = script_run(s, &t->path, &e);
	if (rc < 0) {
		path_abandon(&t->path, FATE_THROW);
		snprintf(t->result.why, sizeof(t->result.why), "%s", e.msg);
	} else if (t->path.held) {
		path_abandon(&t->path, FATE_PIPELINE);
	}
}

static int
prepare(
    struct trace *t, const struct tables *tables, const struct trace_packet *p)
{
	struct batch *b = &t->path.batch;
	int len;

	*t = (struct trace){ .packet = *p, .tables = tables, .fd = -1 };
	t->probe.see = see;
	len = fill_frame(t);
	if (len < 0)
		return len;
	b->frame[0] = (struct vnic_frame){
		.data = t->room + TRACE_HEADROOM,
		.len = (uint16_t)len,
		.vnic = (uint16_t)p->vnic,
	};
	batch_begin(b, 1);
	b->n = 1;
	b->probe = &t->probe;
	memcpy(t->seen, b->frame[0].data, (size_t)len);
	t->path.tables = tables;
	t->path.ops = &ops;
	t->result.fate = FATE_PIPELINE;
	return 0;
}

/* The child: nothing of the router runs here but this thread. */
static _Noreturn void
run_child(struct trace *t, int fd, const struct script_text *text)
{
	struct rlimit none = { 0 };
	sigset_t all;

	setrlimit(RLIMIT_CORE, &none);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	alarm(TRACE_MS / 1000);
	run_script(t, text);
	_exit(write(fd, &t->result, sizeof(t->result)) !=
	      (ssize_t)sizeof(t->result));
}

int
trace_begin(struct trace *t, const struct tables *tables,
    const struct trace_packet *p, const struct script_text *text)
{
	int rc = prepare(t, tables, p), pipes[2];

	if (rc < 0)
		return rc;
	if (!text) {
		run_c(t);
		return 0;
	}
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	t->pid = fork();
	if (t->pid == 0)
		run_child(t, pipes[1], text);
	base_close(pipes[1]);
	if (t->pid < 0) {
		rc = -errno;
		base_close(pipes[0]);
		t->pid = 0;
		return rc;
	}
	t->fd = pipes[0];
	t->until_ms = loop_now_ms() + TRACE_MS;
	return 0;
}

bool
trace_hear(struct trace *t)
{
	struct trace_result r;
	ssize_t n;

	if (t->pid == 0)
		return true;
	n = read(t->fd, &r, sizeof(r));
	if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
	    loop_now_ms() < t->until_ms)
		return false;
	if (n == (ssize_t)sizeof(r))
		t->result = r;
	else
		snprintf(t->result.why, sizeof(t->result.why), "%s",
		    n == 0 ? "it crashed" : "it does not end");
	/* what a child says is not to be trusted */
	t->result.n_steps = MIN(t->result.n_steps, (unsigned)PROBE_MAX_STEPS);
	t->result.why[sizeof(t->result.why) - 1] = '\0';
	trace_end(t);
	return true;
}

void
trace_end(struct trace *t)
{
	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	base_close(t->fd);
	t->pid = 0;
	t->fd = -1;
}
