/* SPDX-License-Identifier: Apache-2.0 */
/* dp_rig: see dp_rig.h. */
#include "tests/unit/dp_rig.h"

#include "lib/loop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { WAIT_MS = 10000, PCAP_HEADER = 24, PCAP_RECORD = 16 };

uint64_t
dp_now_ms(void)
{
	return loop_now_ms();
}

/* --- the process -------------------------------------------------------------- */

static void
path_of(const struct dp_rig *r, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", r->dir, name);
}

static void
exec_it(const struct dp_rig *r)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char bin[512], conf[128], sock[128], ports[128];

	snprintf(bin, sizeof(bin), "%s/europa-dataplane", build ? build : ".");
	path_of(r, "conf", conf, sizeof(conf));
	path_of(r, "sock", sock, sizeof(sock));
	path_of(r, "ports", ports, sizeof(ports));
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing */
	execl(bin, bin, "--config", conf, "--socket", sock, "--ports", ports,
	    "--user", "", "--no-huge", (char *)NULL);
	perror(bin);
	_exit(127);
}

static void
start(struct dp_rig *r)
{
	struct wire_msg m = { .type = WIRE_HELLO }, a;
	uint64_t end = dp_now_ms() + WAIT_MS;
	char sock[128];

	path_of(r, "sock", sock, sizeof(sock));
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		exec_it(r);
	while ((r->fd = wire_connect(sock)) < 0) {
		assert_int_equal(waitpid(r->pid, NULL, WNOHANG), 0);
		assert_true(dp_now_ms() < end);
		usleep(2000);
	}
	m.u.hello.major = WIRE_MAJOR;
	assert_int_equal(dp_ask(r, &m, &a), 0);
	assert_int_equal(a.type, WIRE_HELLO);
	assert_int_equal(a.u.hello.pid, r->pid);
}

static void
write_file(const struct dp_rig *r, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	path_of(r, name, path, sizeof(path));
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void
dp_open(struct dp_rig *r, const char *ports)
{
	*r = (struct dp_rig){ .fd = -1 };
	snprintf(r->dir, sizeof(r->dir), "/tmp/edp-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	write_file(r, "ports", ports);
	write_file(
	    r, "conf", "[dataplane]\nmem_mib = 64\nlog_level = err\n" DP_CONF);
	start(r);
}

void
dp_crash(struct dp_rig *r)
{
	char sock[128];

	path_of(r, "sock", sock, sizeof(sock));
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	close(r->fd);
	unlink(sock);
	start(r);
}

void
dp_close(struct dp_rig *r)
{
	char command[128];
	int status;

	kill(r->pid, SIGTERM);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	assert_int_equal(status, 0);
	close(r->fd);
	snprintf(command, sizeof(command), "rm -r %s", r->dir);
	assert_int_equal(system(command), 0);
}

/* --- messages ------------------------------------------------------------------ */

static void
receive(struct dp_rig *r, struct wire_msg *m)
{
	for (;;) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(wire_recv(r->fd, m), 0);
		if (m->type != WIRE_EVENT)
			return;
		r->n_events[m->u.event.kind & 15]++;
	}
}

void
dp_hear(struct dp_rig *r)
{
	struct wire_msg m;

	while (wire_recv(r->fd, &m) == 0) {
		assert_int_equal(m.type, WIRE_EVENT);
		r->n_events[m.u.event.kind & 15]++;
	}
}

int
dp_ask(struct dp_rig *r, struct wire_msg *m, struct wire_msg *answer)
{
	struct wire_msg own;
	struct wire_msg *a = answer ? answer : &own;

	m->id = ++r->next_id;
	assert_int_equal(wire_send(r->fd, m), 0);
	receive(r, a);
	assert_int_equal(a->id, m->id);
	if (a->type != WIRE_FAIL)
		return 0;
	assert_true(strlen(a->u.fail.text) > 10); /* a sentence */
	return (int)a->u.fail.no;
}

int
dp_list(struct dp_rig *r, enum wire_type type,
    void (*fn)(void *arg, struct wire_msg *m), void *arg)
{
	struct wire_msg m = { .type = type, .id = ++r->next_id };

	assert_int_equal(wire_send(r->fd, &m), 0);
	for (;;) {
		struct wire_msg a;

		receive(r, &a);
		assert_int_equal(a.id, m.id);
		if (a.type == WIRE_OK)
			return 0;
		if (a.type == WIRE_FAIL)
			return (int)a.u.fail.no;
		fn(arg, &a);
	}
}

void
dp_port(struct dp_rig *r, const char *name, const char *devargs)
{
	struct wire_msg m = { .type = WIRE_PORT_ADD };

	snprintf(m.u.port.name, sizeof(m.u.port.name), "%s", name);
	snprintf(m.u.port.devargs, sizeof(m.u.port.devargs), "%s", devargs);
	m.u.port.mtu = 1500;
	assert_int_equal(dp_ask(r, &m, NULL), 0);
}

static void
keep_port(void *arg, struct wire_msg *m)
{
	struct wire_msg *wanted = arg;

	if (strcmp(m->u.port_info.name, wanted->u.port_info.name) == 0)
		*wanted = *m;
}

struct wire_msg
dp_port_info(struct dp_rig *r, const char *name)
{
	struct wire_msg m = { 0 };

	snprintf(m.u.port_info.name, sizeof(m.u.port_info.name), "%s", name);
	assert_int_equal(dp_list(r, WIRE_PORT_LIST, keep_port, &m), 0);
	assert_int_equal(m.type, WIRE_PORT_INFO);
	return m;
}

/* --- frames -------------------------------------------------------------------- */

static void
put32(FILE *f, uint32_t v)
{
	assert_int_equal(fwrite(&v, sizeof(v), 1, f), 1);
}

void
dp_write_pcap(
    const struct dp_rig *r, const char *name, const struct dp_frames *f)
{
	static const uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		1 };
	char path[128];
	FILE *out;

	path_of(r, name, path, sizeof(path));
	out = fopen(path, "we");
	assert_non_null(out);
	for (size_t i = 0; i < ARRAY_SIZE(header); i++)
		put32(out, header[i]);
	for (unsigned i = 0; i < f->n; i++) {
		put32(out, i);
		put32(out, 0);
		put32(out, f->f[i].len);
		put32(out, f->f[i].len);
		fwrite(f->f[i].bytes, 1, f->f[i].len, out);
	}
	assert_int_equal(fclose(out), 0);
}

void
dp_read_pcap(const struct dp_rig *r, const char *name, struct dp_frames *f)
{
	uint8_t head[PCAP_HEADER];
	char path[128];
	FILE *in;

	f->n = 0;
	path_of(r, name, path, sizeof(path));
	in = fopen(path, "re");
	if (!in || fread(head, sizeof(head), 1, in) != 1) {
		if (in)
			fclose(in);
		return;
	}
	while (f->n < DP_MAX_FRAMES && fread(head, PCAP_RECORD, 1, in) == 1) {
		uint32_t len;

		memcpy(&len, head + 8, sizeof(len));
		assert_true(len <= DP_MAX_BYTES);
		if (fread(f->f[f->n].bytes, 1, len, in) != len)
			break;
		f->f[f->n++].len = len;
	}
	fclose(in);
}

void
dp_pcap_port(struct dp_rig *r, const char *name, const struct dp_frames *in)
{
	char devargs[256], file[64];

	snprintf(file, sizeof(file), "%s.in", name);
	dp_write_pcap(r, file, in);
	snprintf(devargs, sizeof(devargs),
	    "net_pcap,rx_pcap=%s/%s.in,tx_pcap=%s/%s.out", r->dir, name, r->dir,
	    name);
	dp_port(r, name, devargs);
}

unsigned
dp_n_out(const struct dp_rig *r, const char *name)
{
	static struct dp_frames out;
	char file[64];

	snprintf(file, sizeof(file), "%s.out", name);
	dp_read_pcap(r, file, &out);
	return out.n;
}

void
dp_mac(uint8_t *mac, uint8_t id, unsigned index)
{
	const uint8_t m[6] = { 2, 0, 0, 0, id, (uint8_t)index };

	memcpy(mac, m, sizeof(m));
}

uint8_t *
dp_frame(struct dp_frames *f, const uint8_t *dst, const uint8_t *src,
    unsigned tci, unsigned len)
{
	uint8_t *p = f->f[f->n].bytes, *type = p + 12;

	assert_true(f->n < DP_MAX_FRAMES && len <= DP_MAX_BYTES);
	for (unsigned i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + f->n * 13 + len);
	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	if (tci) {
		store_be16(type, 0x8100);
		store_be16(type + 2, (uint16_t)tci);
		type += 4;
	}
	if (len >= (size_t)(type - p) + 2)
		store_be16(type, 0x88b5); /* local experiments */
	f->f[f->n++].len = len;
	return type;
}

/* --- routers ------------------------------------------------------------------- */

void
dp_router_add(struct dp_rig *r, struct dp_router *t)
{
	struct wire_msg m = { .type = WIRE_SET_ADD };

	memset(m.u.set.uid, t->id, WIRE_UID_BYTES);
	memset(m.u.set.set, t->set, WIRE_UID_BYTES);
	snprintf(m.u.set.name, sizeof(m.u.set.name), "r%u", t->id);
	m.u.set.g = t->g;
	m.u.set.slots = t->g.max_slots;
	m.n_fds = 3 + t->g.n_queues;
	m.fds[0] = t->fds.host;
	m.fds[1] = t->fds.router;
	m.fds[2] = t->fds.pool;
	for (unsigned q = 0; q < t->g.n_queues; q++)
		m.fds[3 + q] = t->fds.bell[q];
	assert_int_equal(dp_ask(r, &m, NULL), 0);
}

struct dp_router *
dp_router_new(struct dp_rig *r, uint8_t id, unsigned n_data)
{
	return dp_router_wide(r, id, n_data, 4);
}

struct dp_router *
dp_router_wide(struct dp_rig *r, uint8_t id, unsigned n_data, unsigned n_vnics)
{
	struct dp_router *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->id = id;
	t->set = id;
	vnic_geometry_for(&t->g, n_data, n_vnics, 1024, 1500);
	vnic_fds_init(&t->fds);
	assert_int_equal(vnic_create(&t->g, &t->fds), 0);
	dp_router_add(r, t);
	assert_int_equal(vnic_attach(&t->fds, &t->v), 0);
	t->n_queues = t->g.n_queues;
	for (unsigned q = 0; q < t->n_queues; q++)
		assert_int_equal(vnic_queue_open(t->v, q, &t->q[q]), 0);
	return t;
}

void
dp_router_free(struct dp_router *t)
{
	for (unsigned q = 0; q < t->n_queues; q++)
		vnic_queue_close(t->q[q]);
	vnic_detach(t->v);
	vnic_fds_close(&t->fds);
	free(t);
}

static void
record(struct dp_router *t, unsigned q, const struct vnic_frame *f)
{
	struct dp_frames *got = &t->got[q];

	assert_true(got->n < DP_MAX_FRAMES && f->len <= DP_MAX_BYTES);
	memcpy(got->f[got->n].bytes, f->data, f->len);
	got->f[got->n].len = f->len;
	t->got_vnic[q][got->n++] = f->vnic;
}

static void
swap_macs(uint8_t *p)
{
	uint8_t dst[6];

	memcpy(dst, p, 6);
	memcpy(p, p + 6, 6);
	memcpy(p + 6, dst, 6);
}

void
dp_router_turn(struct dp_router *t)
{
	for (unsigned q = 0; q < t->n_queues; q++) {
		enum vnic_status status = vnic_poll(t->q[q]);

		t->n_fresh += status == VNIC_FRESH;
		t->runs[q] = status == VNIC_RUN;
		if (status != VNIC_RUN && status != VNIC_FRESH)
			continue;
		for (unsigned v = 0; v < t->g.max_vnics; v++) {
			struct vnic_frame f[32];
			unsigned n = vnic_rx(t->q[q], v, f, 32);

			for (unsigned i = 0; i < n; i++) {
				record(t, q, &f[i]);
				if (t->echo)
					swap_macs(f[i].data);
			}
			if (t->echo)
				vnic_tx(t->q[q], v, f, n);
			else
				vnic_done(t->q[q], f, n, VNIC_DONE_DELIVERED);
		}
		vnic_flush(t->q[q]);
	}
}

static bool
all_run(const struct dp_router *t)
{
	for (unsigned q = 0; q < t->n_queues; q++)
		if (!t->runs[q])
			return false;
	return true;
}

void
dp_router_run(struct dp_router *t, unsigned n)
{
	DP_UNTIL(t->n_fresh >= n && all_run(t), t);
}

void
dp_router_send(
    struct dp_router *t, unsigned q, unsigned v, const struct dp_frames *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct vnic_frame g;

		DP_UNTIL(vnic_grant(t->q[q], &g, 1) == 1, t);
		assert_true(f->f[i].len <= g.len);
		memcpy(g.data, f->f[i].bytes, f->f[i].len);
		g.len = (uint16_t)f->f[i].len;
		vnic_tx(t->q[q], v, &g, 1);
		vnic_flush(t->q[q]);
	}
}

unsigned
dp_router_got(const struct dp_router *t)
{
	unsigned n = 0;

	for (unsigned q = 0; q < t->n_queues; q++)
		n += t->got[q].n;
	return n;
}

struct wire_msg
dp_vnic(const struct dp_router *t, unsigned index, const char *port)
{
	struct wire_msg m = { .type = WIRE_VNIC_SET };
	struct wire_vnic *v = &m.u.vnic;

	memset(v->uid, t->id, WIRE_UID_BYTES);
	v->index = index;
	snprintf(v->name, sizeof(v->name), "eth%u", index);
	dp_mac(v->mac, t->id, index);
	v->mtu = 1500;
	if (port) {
		v->attach = WIRE_ATTACH_PORT;
		snprintf(v->port, sizeof(v->port), "%s", port);
	}
	return m;
}

/* Through a mapping of its own, as a stranger would read them. */
uint64_t
dp_count(const struct dp_router *t, unsigned v, size_t offset)
{
	const struct vnic_layout *l = vnic_layout(t->v);
	uint64_t sum = 0;

	for (unsigned q = 0; q < t->g.n_queues; q++) {
		uint64_t value;
		off_t at = (off_t)(l->host_queue_off + q * l->host_queue_size +
				   l->counters_off +
				   v * sizeof(struct vnic_counters) + offset);

		assert_int_equal(pread(t->fds.host, &value, sizeof(value), at),
		    sizeof(value));
		sum += value;
	}
	return sum;
}
