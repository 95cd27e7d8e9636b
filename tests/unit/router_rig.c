/* SPDX-License-Identifier: Apache-2.0 */
/* router_rig: see router_rig.h. */
#include "tests/unit/router_rig.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "lib/region.h"
#include "lib/vnic_ring.h"
#include "lib/wire.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

enum { SLOTS = 128, PATIENCE_MS = 10000 };

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
set_entry(struct router_rig *r, unsigned i, unsigned mtu)
{
	struct vnic_entry *e = vnic_entry(&r->maps.l, r->maps.host, i);

	e->mtu = mtu;
	e->mac[0] = 0x0a;
	e->mac[5] = (uint8_t)(i + 1);
	snprintf(e->name, sizeof(e->name), "eth%u", i);
}

void
router_rig_vnic(struct router_rig *r, unsigned i, bool up)
{
	vnic_table_store(&vnic_entry(&r->maps.l, r->maps.host, i)->state,
	    up ? VNIC_ENTRY_UP : VNIC_ENTRY_DOWN);
	r->config++;
	for (unsigned q = 0; q < RIG_QUEUES; q++) {
		struct vnic_host_line *line =
		    vnic_host_line(&r->maps.l, r->maps.host, q);

		vnic_table_store(&line->config, r->config);
	}
}

static void
new_ledgers(struct router_rig *r)
{
	for (unsigned q = 0; q < RIG_QUEUES; q++) {
		assert_int_equal(ledger_new(&r->maps, q, SLOTS, &r->l[q]), 0);
		ledger_reset(r->l[q], now_ns());
	}
}

int
router_rig_open(struct router_rig *r, unsigned mtu1)
{
	struct vnic_geometry g;

	*r = (struct router_rig){
		.control = -1,
		.program = "europa-router",
	};
	r->out = calloc(RIG_KEEP, sizeof(*r->out));
	assert_non_null(r->out);
	vnic_geometry_for(&g, RIG_QUEUES - 1, RIG_VNICS, SLOTS, 1500);
	assert_int_equal(vnic_layout_make(&r->maps.l, &g), 0);
	assert_int_equal(vnic_create(&g, &r->fds), 0);
	assert_int_equal(region_map(r->fds.host, r->maps.l.host_bytes,
			     REGION_RW, &r->maps.host),
	    0);
	assert_int_equal(region_map(r->fds.router, r->maps.l.router_bytes,
			     REGION_RO, &r->maps.router),
	    0);
	assert_int_equal(region_map(r->fds.pool, r->maps.l.pool_bytes,
			     REGION_RW, &r->maps.pool),
	    0);
	set_entry(r, 0, 1500);
	set_entry(r, 1, mtu1);
	router_rig_vnic(r, 0, true);
	router_rig_vnic(r, 1, true);
	new_ledgers(r);
	strcpy(r->dir, "/tmp/europa-router-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->conf, sizeof(r->conf), "%s/router.conf", r->dir);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
router_rig_close(struct router_rig *r)
{
	if (r->pid > 0) {
		kill(r->pid, SIGTERM);
		assert_int_equal(router_rig_wait(r), 0);
	}
	for (unsigned q = 0; q < RIG_QUEUES; q++)
		ledger_free(r->l[q]);
	region_unmap(r->maps.host, r->maps.l.host_bytes);
	region_unmap(r->maps.router, r->maps.l.router_bytes);
	region_unmap(r->maps.pool, r->maps.l.pool_bytes);
	vnic_fds_close(&r->fds);
	nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(r->out);
}

void
router_rig_configure(struct router_rig *r, const char *text)
{
	char tmp[128];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", r->conf);
	f = fopen(tmp, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(tmp, r->conf), 0);
}

/* In the child: hands over what init would. */
static void
exec_router(struct router_rig *r, int control)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char path[512], fds[128], n[16];
	int host = region_reopen_ro(r->fds.host);

	/* a test that fails takes it along */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(host, F_SETFD, 0);
	fcntl(r->fds.router, F_SETFD, 0);
	fcntl(r->fds.pool, F_SETFD, 0);
	fcntl(r->fds.bell[0], F_SETFD, 0);
	fcntl(r->fds.bell[1], F_SETFD, 0);
	fcntl(control, F_SETFD, 0);
	snprintf(fds, sizeof(fds), "%d,%d,%d,%d,%d", host, r->fds.router,
	    r->fds.pool, r->fds.bell[0], r->fds.bell[1]);
	snprintf(n, sizeof(n), "%d", control);
	snprintf(path, sizeof(path), "%s/%s", build ? build : ".", r->program);
	setenv("EUROPA_VNIC_FDS", fds, 1);
	setenv("EUROPA_CONTROL_FD", n, 1);
	setenv("EUROPA_CONF", r->conf, 1);
	execl(path, path, (char *)NULL);
	_exit(127);
}

static void
until_running(struct router_rig *r)
{
	uint64_t end = loop_now_ms() + PATIENCE_MS;

	while (ledger_phase(r->l[0]) != LEDGER_RUN ||
	       ledger_phase(r->l[1]) != LEDGER_RUN) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	router_rig_turn(r);
}

void
router_rig_start(struct router_rig *r, uint64_t generation)
{
	uint64_t end = loop_now_ms() + PATIENCE_MS;
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		exec_router(r, pair[1]);
	close(pair[1]);
	r->control = pair[0];
	until_running(r);
	while (generation && router_rig_stat(r, NULL) != generation)
		assert_true(loop_now_ms() < end);
}

int
router_rig_wait(struct router_rig *r)
{
	uint64_t end = loop_now_ms() + PATIENCE_MS;
	int status;

	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	r->pid = 0;
	close(r->control);
	r->control = -1;
	for (unsigned q = 0; q < RIG_QUEUES; q++)
		if (ledger_phase(r->l[q]) == LEDGER_RUN) {
			ledger_ask_stop(r->l[q]); /* the node reports it */
			assert_false(ledger_turn(r->l[q]));
		}
	return status;
}

void
router_rig_kill(struct router_rig *r)
{
	if (r->pid <= 0)
		return;
	kill(r->pid, SIGKILL);
	router_rig_wait(r);
}

void
router_rig_host_restart(struct router_rig *r)
{
	for (unsigned q = 0; q < RIG_QUEUES; q++)
		ledger_free(r->l[q]);
	new_ledgers(r);
	until_running(r);
}

static void
take_all(struct router_rig *r, unsigned q, unsigned v)
{
	struct ledger_frame f[VNIC_BURST];
	struct vnic_counters *c = ledger_counters(r->l[q], v);
	unsigned n_taken;
	unsigned n = ledger_take(r->l[q], v, f, VNIC_BURST, &n_taken);

	for (unsigned i = 0; i < n; i++) {
		struct rig_out *o = &r->out[r->n_out++];

		assert_true(r->n_out < RIG_KEEP);
		o->queue = q;
		o->vnic = v;
		o->frame.len = f[i].len;
		assert_true(f[i].len <= sizeof(o->frame.b));
		memcpy(o->frame.b, f[i].bytes, f[i].len);
	}
	vnic_count_add(&c->sent, n);
	ledger_release(r->l[q], f, n);
}

void
router_rig_turn(struct router_rig *r)
{
	const struct timespec gap = { .tv_nsec = 50000 };

	/* as the worker does: the control queue first */
	for (unsigned q = RIG_QUEUES; q-- > 0;) {
		struct ledger *l = r->l[q];

		if (ledger_phase(l) == LEDGER_STOPPED)
			ledger_reset(l, now_ns());
		if (ledger_phase(l) == LEDGER_WAITING)
			ledger_try_run(l, now_ns());
		if (ledger_phase(l) != LEDGER_RUN || !ledger_turn(l))
			continue;
		for (unsigned v = 0; v < RIG_VNICS; v++)
			take_all(r, q, v);
		ledger_grant(l);
		ledger_ring(l, 0);
	}
	nanosleep(&gap, NULL);
}

void
router_rig_send(
    struct router_rig *r, unsigned q, unsigned i, const struct frame *f)
{
	struct ledger *l = r->l[q];
	uint16_t len = (uint16_t)f->len;
	uint64_t end = loop_now_ms() + PATIENCE_MS;
	uint32_t slot;

	while (ledger_phase(l) != LEDGER_RUN || ledger_room(l) == 0) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	assert_true(f->len <= ledger_buffer_bytes(l));
	vnic_count_add(&ledger_counters(l, i)->offered, 1);
	ledger_claim(l, i, &slot, 1);
	memcpy(ledger_buffer(l, slot), f->b, f->len);
	ledger_publish(l, i, &slot, &len, 1);
	ledger_ring(l, 0);
}

static bool
take_out(
    struct router_rig *r, unsigned i, unsigned ethertype, struct rig_out *out)
{
	for (unsigned k = 0; k < r->n_out; k++) {
		struct rig_out *o = &r->out[k];

		if (o->vnic != i || load_be16(o->frame.b + 12) != ethertype)
			continue;
		*out = *o;
		memmove(o, o + 1, (--r->n_out - k) * sizeof(*o));
		return true;
	}
	return false;
}

bool
router_rig_receive(struct router_rig *r, unsigned i, unsigned ethertype,
    unsigned timeout_ms, struct rig_out *out)
{
	uint64_t end = loop_now_ms() + timeout_ms;

	while (!take_out(r, i, ethertype, out)) {
		if (loop_now_ms() >= end)
			return false;
		router_rig_turn(r);
	}
	return true;
}

bool
router_rig_is_silent(struct router_rig *r, unsigned ms)
{
	uint64_t end = loop_now_ms() + ms;

	while (loop_now_ms() < end)
		router_rig_turn(r);
	return r->n_out == 0;
}

uint64_t
router_rig_stat(struct router_rig *r, const char *name)
{
	struct wire_msg m = { .type = WIRE_STATS_GET, .id = 7 };

	assert_int_equal(wire_send(r->control, &m), 0);
	assert_int_equal(wire_recv(r->control, &m), 0);
	assert_int_equal(m.type, WIRE_STATS);
	assert_int_equal(m.id, 7);
	if (!name)
		return m.u.stats.generation;
	for (unsigned k = 0; k < m.u.stats.n; k++)
		if (strcmp(m.u.stats.counter[k].name, name) == 0)
			return m.u.stats.counter[k].value;
	fail_msg("no counter %s", name);
	return 0;
}

uint64_t
router_rig_await(struct router_rig *r, const char *name, uint64_t v)
{
	uint64_t end = loop_now_ms() + PATIENCE_MS;
	uint64_t now;

	while ((now = router_rig_stat(r, name)) < v && loop_now_ms() < end)
		router_rig_turn(r);
	return now;
}

uint64_t
router_rig_cpu_ms(const struct router_rig *r)
{
	struct timespec t;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(r->pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
router_rig_check(struct router_rig *r)
{
	uint64_t end = loop_now_ms() + PATIENCE_MS;

	for (unsigned q = 0; q < RIG_QUEUES; q++) {
		while (ledger_filled(r->l[q]) > 0) {
			assert_true(loop_now_ms() < end);
			router_rig_turn(r);
		}
		for (unsigned v = 0; v < RIG_VNICS; v++) {
			struct vnic_counters *c = ledger_counters(r->l[q], v);

			for (unsigned k = 0; k < VNIC_N_FAULT; k++)
				assert_int_equal(vnic_count(&c->fault[k]), 0);
			assert_int_equal(vnic_count(&c->filled),
			    vnic_count(&c->back) + vnic_count(&c->in_doubt));
		}
	}
}
