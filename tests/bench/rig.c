/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig: plays europad for one run of the forwarding benchmark. It starts the
 * real europa-dataplane and a real data plane of a router, gives both one set
 * of memory, opens the ports, and reads the host's counters.
 *
 *	p0 source --> europa-dataplane --> p1 net_null
 *	                 | shared memory, eth0, eth1
 *	              europa-router, or io (io.c)
 *
 * There is no container: nothing but its creation would differ. The next hops
 * are resolved as by any router: p1 begins as a file that holds the answers to
 * its ARP requests, and becomes the sink when the first packets are through.
 *
 *	rig DIR BUILD [KEY=VALUE]...
 *
 * DIR holds the frames (frames.c). The keys are those of read_option(). Prints
 * one JSON object; every process that it started ends with it.
 */
#include "lib/loop.h"
#include "lib/region.h"
#include "tests/bench/say.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
	PATIENCE_MS = 10000,
	SLOTS = 1024, /* the default of pool_slots */
	N_VNICS = 2,
	ASKED_MS = 100, /* the router has asked for its next hop by then */
	ARP_TRIES = 20,
};

struct rig {
	const char *dir;
	const char *build;
	const char *host_core;
	unsigned router_core;
	unsigned warm_ms;
	unsigned window_ms;
	const char *huge;   /* as in europa.conf */
	const char *burst;  /* of io; NULL = its own choice */
	const char *conf;   /* of the router; NULL = BENCH_CONF */
	const char *mpps;   /* of the source; NULL = net_pcap */
	const char *rx_max; /* frames in a burst of that source */
	bool io;
	struct wire_impair impair; /* of what leaves by eth1 */
	pid_t plane;
	pid_t router;
	int fd; /* to the data plane */
	uint32_t next_id;
	unsigned n_running; /* queues that serve */
	bool hugepages;
	struct vnic_layout l;
	struct vnic_fds fds;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("rig: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- messages ------------------------------------------------------------------ */

static void
hear(struct rig *r, struct wire_msg *m)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) != 1 || wire_recv(r->fd, m) < 0)
		die("the data plane says nothing");
	if (m->type == WIRE_EVENT && m->u.event.kind == WIRE_EVENT_RUNNING)
		r->n_running++;
}

static void
ask(struct rig *r, struct wire_msg *m)
{
	m->id = ++r->next_id;
	if (wire_send(r->fd, m) < 0)
		die("the data plane does not listen");
	do
		hear(r, m);
	while (m->type == WIRE_EVENT);
	if (m->type == WIRE_FAIL)
		die("the data plane refuses: %s", m->u.fail.text);
}

static void
add_port(struct rig *r, const char *name, const char *devargs)
{
	struct wire_msg m = say_port(name, devargs);

	ask(r, &m);
}

static void
del_port(struct rig *r, const char *name)
{
	struct wire_msg m = { .type = WIRE_PORT_DEL };

	snprintf(m.u.name.name, sizeof(m.u.name.name), "%s", name);
	ask(r, &m);
}

static void
add_set(struct rig *r)
{
	struct vnic_geometry g;
	struct wire_msg m;

	vnic_geometry_for(&g, 1, N_VNICS, SLOTS, 1500);
	if (vnic_layout_make(&r->l, &g) < 0 || vnic_create(&g, &r->fds) < 0)
		die("no memory for a router");
	m = say_set(&g, &r->fds);
	ask(r, &m);
}

static void
add_vnic(struct rig *r, unsigned i)
{
	struct wire_msg m = say_vnic(i);

	/* io sends with the MAC that the frame came to, the host checks it */
	if (r->io)
		bench_mac(BENCH_ETH0, m.u.vnic.mac);
	ask(r, &m);
}

/* As a link does: from now on, and only what the router sends. */
static void
impair(struct rig *r)
{
	struct wire_msg m = { .type = WIRE_VNIC_LINK };
	struct wire_impair none = { 0 };

	if (memcmp(&r->impair, &none, sizeof(none)) == 0)
		return;
	memset(m.u.link.uid, 1, WIRE_UID_BYTES);
	m.u.link.index = 1;
	m.u.link.impair[WIRE_TX] = r->impair;
	ask(r, &m);
}

/* --- processes ------------------------------------------------------------------ */

static pid_t
start(void (*run)(const struct rig *r), const struct rig *r)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(r);
	perror("rig: exec");
	_exit(127);
}

/* See source.c. */
static void
load_source(const struct rig *r)
{
	const char *before = getenv("BENCH_PRELOAD"); /* latency.so, busy.so */
	char path[1024];

	snprintf(path, sizeof(path), "%s%s%s/tests/bench/source.so",
	    before ? before : "", before ? ":" : "", r->build);
	setenv("LD_PRELOAD", path, 1);
	snprintf(path, sizeof(path), "%s/dst.bin", r->dir);
	setenv("BENCH_SOURCE_DST", path, 1);
	setenv("BENCH_SOURCE_PORT", "net_null0", 1);
	setenv("BENCH_SOURCE_MPPS", r->mpps, 1);
	if (r->rx_max)
		setenv("BENCH_SOURCE_BURST", r->rx_max, 1);
}

static void
exec_plane(const struct rig *r)
{
	char bin[512], conf[512], sock[512], ports[512];

	snprintf(bin, sizeof(bin), "%s/europa-dataplane", r->build);
	snprintf(conf, sizeof(conf), "%s/europa.conf", r->dir);
	snprintf(sock, sizeof(sock), "%s/control.sock", r->dir);
	snprintf(ports, sizeof(ports), "%s/ports.conf", r->dir);
	if (r->mpps)
		load_source(r);
	execl(bin, bin, "--config", conf, "--socket", sock, "--ports", ports,
	    "--user", "", "--worker-cores", r->host_core, (char *)NULL);
}

/* Hands over what an init would, on one core. */
static void
exec_router(const struct rig *r)
{
	char bin[512], conf[512], fds[64];
	int host = region_reopen_ro(r->fds.host);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->router_core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return;
	fcntl(host, F_SETFD, 0);
	fcntl(r->fds.router, F_SETFD, 0);
	fcntl(r->fds.pool, F_SETFD, 0);
	fcntl(r->fds.bell[0], F_SETFD, 0);
	fcntl(r->fds.bell[1], F_SETFD, 0);
	snprintf(fds, sizeof(fds), "%d,%d,%d,%d,%d", host, r->fds.router,
	    r->fds.pool, r->fds.bell[0], r->fds.bell[1]);
	snprintf(conf, sizeof(conf), "%s/%s", r->dir,
	    r->conf ? r->conf : "small.conf");
	snprintf(bin, sizeof(bin), "%s/%s", r->build,
	    r->io ? "tests/bench/io" : "europa-router");
	setenv("EUROPA_VNIC_FDS", fds, 1);
	setenv("EUROPA_CONF", conf, 1);
	if (getenv("BENCH_ROUTER_PRELOAD")) /* busy.so */
		setenv("LD_PRELOAD", getenv("BENCH_ROUTER_PRELOAD"), 1);
	execl(bin, bin, r->io ? r->burst : NULL, (char *)NULL);
}

static void
write_file(const struct rig *r, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die("%s: %s", path, strerror(errno));
}

static void
start_plane(struct rig *r)
{
	struct wire_msg m = { .type = WIRE_HELLO };
	uint64_t end = loop_now_ms() + PATIENCE_MS;
	char sock[512], conf[128];

	snprintf(conf, sizeof(conf),
	    "[dataplane]\nmem_mib = 128\nlog_level = warn\nhugepages = %s\n",
	    r->huge);
	write_file(r, "europa.conf", conf);
	write_file(r, "ports.conf", "");
	snprintf(sock, sizeof(sock), "%s/control.sock", r->dir);
	unlink(sock);
	r->plane = start(exec_plane, r);
	while ((r->fd = wire_connect(sock)) < 0) {
		if (loop_now_ms() > end || waitpid(r->plane, NULL, WNOHANG))
			die("the data plane does not start");
		bench_sleep_ms(2);
	}
	m.u.hello.major = WIRE_MAJOR;
	ask(r, &m);
	r->hugepages = m.u.hello.hugepages;
}

static void
start_router(struct rig *r)
{
	struct wire_msg m;

	write_file(r, "small.conf", BENCH_CONF);
	/* lib/stage.h has its marks in the loop in C */
	write_file(r, "stages.conf", "pipeline c\n" BENCH_CONF);
	r->router = start(exec_router, r);
	while (r->n_running < r->l.g.n_queues)
		hear(r, &m);
}

static void
end(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* --- packets --------------------------------------------------------------------- */

/* A counter of vNIC v, over all queues, by its offset. */
static uint64_t
count_of(const struct rig *r, unsigned v, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned q = 0; q < r->l.g.n_queues; q++) {
		uint64_t value;
		off_t at =
		    (off_t)(r->l.host_queue_off + q * r->l.host_queue_size +
			    r->l.counters_off +
			    v * sizeof(struct vnic_counters) + offset);

		if (pread(r->fds.host, &value, sizeof(value), at) !=
		    sizeof(value))
			die("the counters cannot be read");
		sum += value;
	}
	return sum;
}
#define COUNT_OF(r, v, field) \
	count_of((r), (v), offsetof(struct vnic_counters, field))

/* Brings the answers to the router's questions until packets leave by eth1. */
static void
resolve(struct rig *r)
{
	enum { ENOUGH = 1000 }; /* no ARP, no exceptions: forwarded */
	unsigned n_good = 0;
	char answer[600];

	snprintf(
	    answer, sizeof(answer), "net_pcap1,rx_pcap=%s/answer.pcap", r->dir);
	/* once more when it works: all next hops have been asked for then */
	for (unsigned i = 0; n_good < 2; i++) {
		if (i == ARP_TRIES)
			die("the router does not resolve its next hop");
		bench_sleep_ms(ASKED_MS);
		add_port(r, "p1", answer);
		bench_sleep_ms(ASKED_MS);
		n_good += COUNT_OF(r, 1, sent) >= ENOUGH;
		del_port(r, "p1");
	}
}

static void
open_ports(struct rig *r)
{
	char source[600];

	if (r->mpps)
		snprintf(source, sizeof(source), "net_null0,size=%d",
		    BENCH_FRAME_BYTES);
	else
		snprintf(source, sizeof(source),
		    "net_pcap0,rx_pcap=%s/source.pcap,infinite_rx=1", r->dir);
	add_port(r, "p0", source);
	if (!r->io)
		resolve(r);
	add_port(r, "p1", "net_null1,no-rx=1");
	impair(r);
}

struct sample {
	uint64_t ns;
	uint64_t offered;
	uint64_t no_slot;
	uint64_t sent, sent_bytes;
	uint64_t queue_full;          /* of a link that impairs */
	uint64_t plane_ns, router_ns; /* of a processor */
};

static uint64_t
cpu_ns_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) < 0)
		die("a process has ended");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct sample
take_sample(const struct rig *r)
{
	return (struct sample){
		.ns = bench_now_ns(),
		.offered = COUNT_OF(r, 0, offered),
		.no_slot = COUNT_OF(r, 0, rx_drop[VNIC_DROP_NO_SLOT]),
		.sent = COUNT_OF(r, 1, sent),
		.sent_bytes = COUNT_OF(r, 1, sent_bytes),
		.queue_full = COUNT_OF(r, 1, tx_drop[VNIC_DROP_IMPAIR_QUEUE]),
		.plane_ns = cpu_ns_of(r->plane),
		.router_ns = cpu_ns_of(r->router),
	};
}

static void
measure(const struct rig *r)
{
	struct sample a, b;
	double us, n, plane_ns, router_ns;

	bench_sleep_ms(r->warm_ms);
	a = take_sample(r);
	bench_sleep_ms(r->window_ms);
	b = take_sample(r);
	us = (double)(b.ns - a.ns) / 1000;
	n = (double)(b.sent - a.sent);
	plane_ns = (double)(b.plane_ns - a.plane_ns);
	router_ns = (double)(b.router_ns - a.router_ns);
	if (n <= 0)
		die("nothing was forwarded");
	printf("{\"mpps\": %.3f, \"cpu_ns\": %.2f, \"offered_mpps\": %.3f, "
	       "\"no_slot_mpps\": %.3f, \"plane_percent\": %.2f, "
	       "\"router_percent\": %.2f, \"sent_mbps\": %.3f, "
	       "\"queue_full_mpps\": %.3f, \"hugepages\": %s}\n",
	    n / us, (plane_ns + router_ns) / n,
	    (double)(b.offered - a.offered) / us,
	    (double)(b.no_slot - a.no_slot) / us, plane_ns / us / 10,
	    router_ns / us / 10, (double)(b.sent_bytes - a.sent_bytes) * 8 / us,
	    (double)(b.queue_full - a.queue_full) / us,
	    r->hugepages ? "true" : "false");
}

/* --- what is wanted ---------------------------------------------------------------- */

/* What the link behind eth1 does, by the names of wire.h. */
static bool
read_impair(struct wire_impair *im, const char *key, const char *value)
{
	uint64_t n = strtoull(value, NULL, 10);

	if (strcmp(key, "rate_bps") == 0)
		im->rate_bps = n;
	else if (strcmp(key, "delay_us") == 0)
		im->delay_us = (uint32_t)n;
	else if (strcmp(key, "loss_ppm") == 0)
		im->loss_ppm = (uint32_t)n;
	else if (strcmp(key, "queue_packets") == 0)
		im->queue_packets = (uint32_t)n;
	else
		return false;
	return true;
}

static void
read_option(struct rig *r, char *arg)
{
	char *value = strchr(arg, '=');

	if (!value)
		die("%s: want KEY=VALUE", arg);
	*value++ = '\0';
	if (strcmp(arg, "router") == 0) /* forward or io */
		r->io = strcmp(value, "io") == 0;
	else if (strcmp(arg, "burst") == 0)
		r->burst = value;
	else if (strcmp(arg, "conf") == 0) /* in DIR */
		r->conf = value;
	else if (strcmp(arg, "mpps") == 0)
		r->mpps = value;
	else if (strcmp(arg, "rx_max") == 0)
		r->rx_max = value;
	else if (strcmp(arg, "host_core") == 0)
		r->host_core = value;
	else if (strcmp(arg, "router_core") == 0)
		r->router_core = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "warm_ms") == 0)
		r->warm_ms = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "window_ms") == 0)
		r->window_ms = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "huge") == 0) /* yes, no or auto */
		r->huge = value;
	else if (!read_impair(&r->impair, arg, value))
		die("no such key: %s", arg);
}

int
main(int argc, char **argv)
{
	struct rig r = {
		.fd = -1,
		.host_core = "0",
		.router_core = 1,
		.warm_ms = 1000,
		.window_ms = 2000,
		.huge = "auto",
	};

	if (argc < 3) {
		fputs("usage: rig DIR BUILD [KEY=VALUE]...\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	r.dir = argv[1];
	r.build = argv[2];
	for (int i = 3; i < argc; i++)
		read_option(&r, argv[i]);
	vnic_fds_init(&r.fds);
	start_plane(&r);
	add_set(&r);
	for (unsigned i = 0; i < N_VNICS; i++)
		add_vnic(&r, i);
	start_router(&r);
	open_ports(&r);
	measure(&r);
	end(r.router);
	end(r.plane);
	vnic_fds_close(&r.fds);
	return 0;
}
