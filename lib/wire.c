/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: one function per message names its fields in order; the same function
 * encodes and decodes, so that the two cannot disagree.
 */
#include "lib/wire.h"

#include "lib/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

enum { HEADER_BYTES = 12 };

struct codec {
	bool decoding;
	bool failed;
	uint8_t *out;      /* encoding */
	const uint8_t *in; /* decoding */
	size_t left;
	size_t done;
};

/*
 * Moves n little-endian bytes of *v. Decoding gives 0 after a failure; encoding
 * never stores to the message, which may be constant.
 */
static void
code_uint(struct codec *c, uint64_t *v, size_t n)
{
	if (c->failed || c->left < n) {
		c->failed = true;
		if (c->decoding)
			*v = 0;
		return;
	}
	if (c->decoding) {
		*v = 0;
		for (size_t i = 0; i < n; i++)
			*v |= (uint64_t)c->in[i] << (8 * i);
		c->in += n;
	} else {
		for (size_t i = 0; i < n; i++)
			c->out[i] = (uint8_t)(*v >> (8 * i));
		c->out += n;
	}
	c->left -= n;
	c->done += n;
}

static void
code_u8(struct codec *c, uint8_t *v)
{
	uint64_t x = *v;

	code_uint(c, &x, 1);
	if (c->decoding)
		*v = (uint8_t)x;
}

static void
code_u16(struct codec *c, uint16_t *v)
{
	uint64_t x = *v;

	code_uint(c, &x, 2);
	if (c->decoding)
		*v = (uint16_t)x;
}

static void
code_u32(struct codec *c, uint32_t *v)
{
	uint64_t x = *v;

	code_uint(c, &x, 4);
	if (c->decoding)
		*v = (uint32_t)x;
}

static void
code_u64(struct codec *c, uint64_t *v)
{
	code_uint(c, v, 8);
}

static void
code_bytes(struct codec *c, void *p, size_t n)
{
	if (c->failed || c->left < n) {
		c->failed = true;
		if (c->decoding)
			memset(p, 0, n);
		return;
	}
	if (c->decoding) {
		memcpy(p, c->in, n);
		c->in += n;
	} else {
		memcpy(c->out, p, n);
		c->out += n;
	}
	c->left -= n;
	c->done += n;
}

/* s has room for size bytes with its final zero. */
static void
code_string(struct codec *c, char *s, size_t size)
{
	uint16_t n = c->decoding ? 0 : (uint16_t)strnlen(s, size);

	code_u16(c, &n);
	if (n >= size)
		c->failed = true;
	if (c->failed) {
		if (c->decoding)
			s[0] = '\0';
		return;
	}
	code_bytes(c, s, n);
	if (c->decoding) {
		s[n] = '\0';
		if (strlen(s) != n)
			c->failed = true;
	}
}

/* A count of things that follow, at most max. Returns it, 0 after a failure. */
static uint32_t
code_count(struct codec *c, uint32_t *n, uint32_t max)
{
	code_u32(c, n);
	if (*n > max)
		c->failed = true;
	if (c->failed && c->decoding)
		*n = 0;
	return c->failed ? 0 : *n;
}

static void
code_nothing(struct codec *c, struct wire_msg *m)
{
	(void)c;
	(void)m;
}

static void
code_fail(struct codec *c, struct wire_msg *m)
{
	code_u32(c, &m->u.fail.no);
	code_string(c, m->u.fail.text, sizeof(m->u.fail.text));
}

static void
code_hello(struct codec *c, struct wire_msg *m)
{
	code_u16(c, &m->u.hello.major);
	code_u16(c, &m->u.hello.minor);
	code_u32(c, &m->u.hello.pid);
	code_u32(c, &m->u.hello.n_workers);
	code_u8(c, &m->u.hello.hugepages);
}

static void
code_rates(struct codec *c, struct wire_rates *r)
{
	code_u64(c, &r->rx_pps);
	code_u64(c, &r->tx_pps);
	code_u64(c, &r->rx_bps);
	code_u64(c, &r->tx_bps);
	code_u32(c, &r->burst_ms);
}

static void
code_set(struct codec *c, struct wire_msg *m)
{
	struct wire_set *s = &m->u.set;

	code_bytes(c, s->uid, sizeof(s->uid));
	code_bytes(c, s->set, sizeof(s->set));
	code_string(c, s->name, sizeof(s->name));
	code_u32(c, &s->g.n_queues);
	code_u32(c, &s->g.max_vnics);
	code_u32(c, &s->g.max_slots);
	code_u32(c, &s->g.ring_log2);
	code_u32(c, &s->g.stride);
	code_u32(c, &s->g.slot_bytes);
	code_u32(c, &s->g.headroom);
	code_u32(c, &s->slots);
	code_u8(c, &s->gate);
	code_rates(c, &s->rates);
}

static void
code_router(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.router.uid, sizeof(m->u.router.uid));
}

static void
code_vnic(struct codec *c, struct wire_msg *m)
{
	struct wire_vnic *v = &m->u.vnic;
	uint32_t n;

	code_bytes(c, v->uid, sizeof(v->uid));
	code_u32(c, &v->index);
	code_string(c, v->name, sizeof(v->name));
	code_bytes(c, v->mac, sizeof(v->mac));
	code_u16(c, &v->mtu);
	code_u8(c, &v->attach);
	code_string(c, v->port, sizeof(v->port));
	code_u16(c, &v->vlan);
	code_u8(c, &v->trunk);
	code_bytes(c, v->peer_uid, sizeof(v->peer_uid));
	code_u32(c, &v->peer_index);
	n = code_count(c, &v->n_addresses, WIRE_MAX_ADDRESSES);
	for (uint32_t i = 0; i < n; i++) {
		code_u8(c, &v->address[i].family);
		code_bytes(c, v->address[i].bytes, 16);
	}
	code_rates(c, &v->rates);
}

static void
code_impair(struct codec *c, struct wire_impair *i)
{
	code_u64(c, &i->seed);
	code_u64(c, &i->rate_bps);
	code_u32(c, &i->delay_us);
	code_u32(c, &i->jitter_us);
	code_u32(c, &i->loss_ppm);
	code_u32(c, &i->burst_begin_ppm);
	code_u32(c, &i->burst_end_ppm);
	code_u32(c, &i->burst_loss_ppm);
	code_u32(c, &i->duplicate_ppm);
	code_u32(c, &i->reorder_ppm);
	code_u32(c, &i->queue_packets);
}

static void
code_match(struct codec *c, struct wire_match *m)
{
	code_u32(c, &m->fields);
	code_bytes(c, m->mac, sizeof(m->mac));
	code_u8(c, &m->family);
	code_u8(c, &m->src_bits);
	code_u8(c, &m->dst_bits);
	code_bytes(c, m->src, sizeof(m->src));
	code_bytes(c, m->dst, sizeof(m->dst));
	code_u8(c, &m->protocol);
	code_u16(c, &m->src_port);
	code_u16(c, &m->dst_port);
	code_u32(c, &m->tunnel_key);
}

static void
code_link(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.link.uid, sizeof(m->u.link.uid));
	code_u32(c, &m->u.link.index);
	code_match(c, &m->u.link.match);
	for (unsigned way = 0; way < WIRE_N_WAYS; way++)
		code_impair(c, &m->u.link.impair[way]);
}

static void
code_macs(struct codec *c, struct wire_msg *m)
{
	struct wire_macs *v = &m->u.macs;
	uint32_t n;

	code_bytes(c, v->uid, sizeof(v->uid));
	code_u32(c, &v->index);
	n = code_count(c, &v->n, WIRE_MAX_MACS);
	for (uint32_t i = 0; i < n; i++)
		code_bytes(c, v->mac[i], sizeof(v->mac[i]));
}

static void
code_vnic_ref(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.vnic_ref.uid, sizeof(m->u.vnic_ref.uid));
	code_u32(c, &m->u.vnic_ref.index);
}

static void
code_gate(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.gate.uid, sizeof(m->u.gate.uid));
	code_u8(c, &m->u.gate.gate);
}

static void
code_port(struct codec *c, struct wire_msg *m)
{
	code_string(c, m->u.port.name, sizeof(m->u.port.name));
	code_string(c, m->u.port.devargs, sizeof(m->u.port.devargs));
	code_u16(c, &m->u.port.mtu);
}

static void
code_name(struct codec *c, struct wire_msg *m)
{
	code_string(c, m->u.name.name, sizeof(m->u.name.name));
}

static void
code_port_info(struct codec *c, struct wire_msg *m)
{
	code_string(c, m->u.port_info.name, sizeof(m->u.port_info.name));
	code_string(c, m->u.port_info.driver, sizeof(m->u.port_info.driver));
	code_u8(c, &m->u.port_info.state);
	code_bytes(c, m->u.port_info.mac, sizeof(m->u.port_info.mac));
	code_u16(c, &m->u.port_info.mtu);
	for (unsigned i = 0; i < WIRE_N_PORT_COUNTERS; i++)
		code_u64(c, &m->u.port_info.count[i]);
}

static void
code_event(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.event.uid, sizeof(m->u.event.uid));
	code_u8(c, &m->u.event.kind);
	code_u32(c, &m->u.event.queue);
}

static void
code_init(struct codec *c, struct wire_msg *m)
{
	code_bytes(c, m->u.init.set, sizeof(m->u.init.set));
}

static void
code_process(struct codec *c, struct wire_msg *m)
{
	code_u8(c, &m->u.process.running);
	code_u32(c, &m->u.process.pid);
	code_u32(c, &m->u.process.starts);
	code_u32(c, &m->u.process.status);
}

static void
code_config(struct codec *c, struct wire_msg *m)
{
	code_u64(c, &m->u.config.generation);
}

static void
code_session(struct codec *c, struct wire_msg *m)
{
	code_u8(c, &m->u.session.kind);
	code_u16(c, &m->u.session.rows);
	code_u16(c, &m->u.session.columns);
}

static void
code_stats(struct codec *c, struct wire_msg *m)
{
	uint32_t n;

	code_u64(c, &m->u.stats.generation);
	n = code_count(c, &m->u.stats.n, WIRE_MAX_COUNTERS);
	for (uint32_t i = 0; i < n; i++) {
		code_string(c, m->u.stats.counter[i].name,
		    sizeof(m->u.stats.counter[i].name));
		code_u64(c, &m->u.stats.counter[i].value);
	}
}

/* fds: exact number, or FDS_SET for a set of any number of queues */
enum { FDS_SET = -1 };

static const struct {
	void (*code)(struct codec *c, struct wire_msg *m);
	int fds;
} types[WIRE_N_TYPES] = {
	[WIRE_OK] = { code_nothing, 0 },
	[WIRE_FAIL] = { code_fail, 0 },
	[WIRE_HELLO] = { code_hello, 0 },
	[WIRE_SET_ADD] = { code_set, FDS_SET },
	[WIRE_SET_DEL] = { code_router, 0 },
	[WIRE_SET_LIST] = { code_nothing, 0 },
	[WIRE_VNIC_SET] = { code_vnic, 0 },
	[WIRE_VNIC_DEL] = { code_vnic_ref, 0 },
	[WIRE_GATE] = { code_gate, 0 },
	[WIRE_DIED] = { code_router, 0 },
	[WIRE_PORT_ADD] = { code_port, 0 },
	[WIRE_PORT_DEL] = { code_name, 0 },
	[WIRE_PORT_LIST] = { code_nothing, 0 },
	[WIRE_SET_INFO] = { code_set, FDS_SET },
	[WIRE_PORT_INFO] = { code_port_info, 0 },
	[WIRE_EVENT] = { code_event, 0 },
	[WIRE_INIT_HELLO] = { code_init, 0 },
	[WIRE_INIT_STATE] = { code_process, 0 },
	[WIRE_INIT_SET] = { code_init, FDS_SET },
	[WIRE_INIT_CONFIG] = { code_config, 1 },
	[WIRE_INIT_RESTART] = { code_nothing, 0 },
	[WIRE_STATS_GET] = { code_nothing, 0 },
	[WIRE_STATS] = { code_stats, 0 },
	[WIRE_INIT_PIPELINE] = { code_nothing, 1 },
	[WIRE_INIT_CONTROL] = { code_nothing, 1 },
	[WIRE_INIT_SESSION] = { code_session, 1 },
	[WIRE_INIT_LOG] = { code_nothing, 1 },
	[WIRE_VNIC_LINK] = { code_link, 0 },
	[WIRE_VNIC_MACS] = { code_macs, 0 },
};

int
wire_encode(const struct wire_msg *m, uint8_t *buf, size_t size)
{
	struct codec c = { .out = buf, .left = size };
	/* encoding reads m only; the codec is one for both directions */
	struct wire_msg *w = (struct wire_msg *)(uintptr_t)m;
	uint64_t magic = WIRE_MAGIC, type = m->type, id = m->id, len = 0;
	size_t total;

	if (m->type <= WIRE_NONE || m->type >= WIRE_N_TYPES)
		return -EINVAL;
	code_uint(&c, &magic, 2);
	code_uint(&c, &type, 2);
	code_uint(&c, &id, 4);
	code_uint(&c, &len, 4);
	types[m->type].code(&c, w);
	if (c.failed)
		return -EMSGSIZE;
	total = c.done;
	len = total - HEADER_BYTES;
	c = (struct codec){ .out = buf + 8, .left = 4 };
	code_uint(&c, &len, 4);
	return (int)total;
}

int
wire_decode(struct wire_msg *out, const uint8_t *buf, size_t n)
{
	struct codec c = { .decoding = true, .in = buf, .left = n };
	uint64_t magic, type, id, len;

	memset(out, 0, sizeof(*out));
	code_uint(&c, &magic, 2);
	code_uint(&c, &type, 2);
	code_uint(&c, &id, 4);
	code_uint(&c, &len, 4);
	if (c.failed || magic != WIRE_MAGIC || type <= WIRE_NONE ||
	    type >= WIRE_N_TYPES || len != n - HEADER_BYTES)
		return -EBADMSG;
	out->type = (enum wire_type)type;
	out->id = (uint32_t)id;
	types[type].code(&c, out);
	return c.failed || c.left > 0 ? -EBADMSG : 0;
}

int
wire_send(int fd, const struct wire_msg *m)
{
	uint8_t buf[WIRE_MAX_BYTES];
	union {
		char bytes[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = buf };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int n = wire_encode(m, buf, sizeof(buf));

	if (n < 0)
		return n;
	if (m->n_fds > WIRE_MAX_FDS)
		return -EINVAL;
	iov.iov_len = (size_t)n;
	if (m->n_fds > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * m->n_fds);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * m->n_fds);
		memcpy(CMSG_DATA(cmsg), m->fds, sizeof(int) * m->n_fds);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Collects every descriptor that came, more than fit are closed at once. */
static bool
collect_fds(struct msghdr *msg, struct wire_msg *out)
{
	bool ok = !(msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC));

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			ok = false;
			continue;
		}
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (out->n_fds < WIRE_MAX_FDS)
				out->fds[out->n_fds++] = fd;
			else {
				close(fd);
				ok = false;
			}
		}
	}
	return ok;
}

static bool
fds_are_right(const struct wire_msg *m)
{
	int want = types[m->type].fds;

	if (want == FDS_SET)
		return m->n_fds >= 3 + 2;
	return m->n_fds == (unsigned)want;
}

int
wire_recv(int fd, struct wire_msg *out)
{
	uint8_t buf[WIRE_MAX_BYTES];
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 253)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct wire_msg got = { 0 };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	bool ok;
	int rc;

	if (n < 0)
		return -errno;
	if (n == 0 && msg.msg_controllen == 0)
		return -EPIPE;
	ok = collect_fds(&msg, &got);
	rc = wire_decode(out, buf, (size_t)n);
	out->n_fds = got.n_fds;
	memcpy(out->fds, got.fds, sizeof(out->fds));
	if (ok && rc == 0 && fds_are_right(out))
		return 0;
	wire_close_fds(out);
	return -EBADMSG;
}

void
wire_close_fds(struct wire_msg *m)
{
	for (unsigned i = 0; i < m->n_fds; i++)
		base_close(m->fds[i]);
	m->n_fds = 0;
}

int
wire_reply_ok(int fd, uint32_t id)
{
	struct wire_msg m = { .type = WIRE_OK, .id = id };

	return wire_send(fd, &m);
}

int
wire_reply_fail(int fd, uint32_t id, int no, const char *fmt, ...)
{
	struct wire_msg m = { .type = WIRE_FAIL, .id = id };
	va_list ap;

	m.u.fail.no = (uint32_t)-no;
	va_start(ap, fmt);
	vsnprintf(m.u.fail.text, sizeof(m.u.fail.text), fmt, ap);
	va_end(ap);
	return wire_send(fd, &m);
}
