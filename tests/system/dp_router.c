/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dp_router: plays europad and one router for a data plane under test.
 *
 *	dp_router SOCKET PORT VLAN MTU ADDRESS	answers ARP and ping for ADDRESS
 *	dp_router SOCKET PORT VLAN MTU io	sends back all, MACs swapped
 *
 * Its vNIC has the MAC 02:00:00:00:00:01. It prints "runs" when the data queue
 * does, and at SIGTERM, once the host has all slots back, the counters of its
 * vNIC; it waits for that for 5 s at most.
 */
#include "lib/base.h"
#include "lib/vnic.h"
#include "lib/vnic_ring.h"
#include "lib/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { BURST = 32, SLOTS = 1024, ARP = 0x0806, IP4 = 0x0800 };

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
static volatile sig_atomic_t ended;

static void
on_term(int signo)
{
	(void)signo;
	ended = 1;
}

static void
die(const char *what, int rc)
{
	fprintf(stderr, "dp_router: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void
ask(int fd, struct wire_msg *m)
{
	static uint32_t id;
	struct wire_msg a;
	int rc;

	m->id = ++id;
	rc = wire_send(fd, m);
	if (rc < 0)
		die("send", rc);
	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, 5000) <= 0)
			die("answer", -ETIMEDOUT);
		rc = wire_recv(fd, &a);
		if (rc < 0)
			die("receive", rc);
	} while (a.id != m->id);
	if (a.type == WIRE_FAIL) {
		fprintf(stderr, "dp_router: %s\n", a.u.fail.text);
		exit(1);
	}
}

static void
describe(int fd, const struct vnic_geometry *g, const struct vnic_fds *fds,
    char **argv)
{
	struct wire_msg m = { .type = WIRE_HELLO };

	m.u.hello.major = WIRE_MAJOR;
	ask(fd, &m);
	m = (struct wire_msg){ .type = WIRE_SET_ADD, .n_fds = 5 };
	m.u.set.uid[0] = 1;
	m.u.set.set[0] = (uint8_t)getpid();
	strcpy(m.u.set.name, "r1");
	m.u.set.g = *g;
	m.u.set.slots = SLOTS;
	memcpy(m.fds,
	    (int[]){
		fds->host, fds->router, fds->pool, fds->bell[0], fds->bell[1] },
	    5 * sizeof(int));
	ask(fd, &m);
	m = (struct wire_msg){ .type = WIRE_VNIC_SET };
	m.u.vnic.uid[0] = 1;
	strcpy(m.u.vnic.name, "eth0");
	memcpy(m.u.vnic.mac, mac, sizeof(mac));
	m.u.vnic.mtu = (uint16_t)atoi(argv[4]);
	m.u.vnic.attach = WIRE_ATTACH_PORT;
	snprintf(m.u.vnic.port, sizeof(m.u.vnic.port), "%s", argv[2]);
	m.u.vnic.vlan = (uint16_t)atoi(argv[3]);
	if (inet_pton(AF_INET, argv[5], m.u.vnic.address[0].bytes) == 1) {
		m.u.vnic.address[0].family = 4;
		m.u.vnic.n_addresses = 1;
	}
	ask(fd, &m);
}

static void
back_to_sender(uint8_t *p)
{
	memcpy(p, p + 6, 6);
	memcpy(p + 6, mac, 6);
}

static bool
answer_arp(uint8_t *p, const uint8_t *own)
{
	uint8_t *arp = p + 14;

	if (load_be16(arp + 6) != 1 || memcmp(arp + 24, own, 4) != 0)
		return false;
	store_be16(arp + 6, 2);
	memcpy(arp + 18, arp + 8, 10); /* the asker is the target */
	memcpy(arp + 8, mac, 6);
	memcpy(arp + 14, own, 4);
	back_to_sender(p);
	return true;
}

static bool
answer_ping(uint8_t *p, const uint8_t *own)
{
	uint8_t *ip = p + 14, *icmp = ip + 20;

	if (ip[0] != 0x45 || ip[9] != 1 || icmp[0] != 8 ||
	    memcmp(ip + 16, own, 4) != 0)
		return false;
	memcpy(ip + 16, ip + 12, 4);
	memcpy(ip + 12, own, 4);
	icmp[0] = 0; /* 8 less in the first word: 8 more in the checksum */
	store_be16(icmp + 2, (uint16_t)(load_be16(icmp + 2) + 0x800 +
					(load_be16(icmp + 2) >= 0xf800)));
	back_to_sender(p);
	return true;
}

static bool
answer(struct vnic_frame *f, const uint8_t *own)
{
	if (f->len < 42)
		return false;
	switch (load_be16(f->data + 12)) {
	case ARP:
		return answer_arp(f->data, own);
	case IP4:
		return answer_ping(f->data, own);
	default:
		return false;
	}
}

/* own = NULL: everything goes back */
static unsigned
serve(struct vnic_queue *q, const uint8_t *own)
{
	struct vnic_frame f[BURST], out[BURST], rest[BURST];
	unsigned n_out = 0, n_rest = 0;
	unsigned n = vnic_rx(q, 0, f, BURST);

	for (unsigned i = 0; i < n; i++) {
		if (!own)
			back_to_sender(f[i].data);
		if (!own || answer(&f[i], own))
			out[n_out++] = f[i];
		else
			rest[n_rest++] = f[i];
	}
	vnic_tx(q, 0, out, n_out);
	vnic_done(q, rest, n_rest, VNIC_DONE_DELIVERED);
	vnic_flush(q);
	return n;
}

/* The host's counters of all queues, in their order in shared memory. */
static const char *const names[] = { "offered", "filled", "filled_bytes",
	"back", "in_doubt", "sent", "sent_bytes" };
enum { FILLED = 1, BACK = 3 };

static uint64_t
counter(const struct vnic_layout *l, int host, size_t i)
{
	uint64_t sum = 0;

	for (unsigned q = 0; q < l->g.n_queues; q++) {
		uint64_t v = 0;
		size_t at = l->host_queue_off + q * l->host_queue_size +
			    l->counters_off + i * sizeof(v);

		if (pread(host, &v, sizeof(v), (off_t)at) == sizeof(v))
			sum += v;
	}
	return sum;
}

/* Told to end, and nothing under way: or it has waited for that for too long. */
static bool
over(const struct vnic_layout *l, int host)
{
	static struct timespec first;
	struct timespec now;

	if (!ended)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (first.tv_sec == 0)
		first = now;
	return now.tv_sec > first.tv_sec + 5 ||
	       counter(l, host, BACK) == counter(l, host, FILLED);
}

static void
run(struct vnic_queue **q, const uint8_t *own, const struct vnic_layout *l,
    int host)
{
	bool said = false;

	for (unsigned idle = 0; !over(l, host); idle++) {
		for (unsigned i = 0; i < 2; i++) {
			enum vnic_status status = vnic_poll(q[i]);

			if (status == VNIC_GONE)
				return;
			if (status != VNIC_RUN)
				continue;
			if (i == 0 && !said) {
				said = true;
				puts("runs");
				fflush(stdout);
			}
			if (serve(q[i], own) > 0)
				idle = 0;
		}
		if (idle > 1000)
			vnic_wait(q, 2, 100);
	}
}

static void
report(const struct vnic_layout *l, int host)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		printf("%s=%llu\n", names[i],
		    (unsigned long long)counter(l, host, i));
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct vnic_geometry g;
	struct vnic_queue *q[2];
	struct vnic_fds fds;
	struct vnic *v;
	uint8_t own[4];
	int fd, rc;

	if (argc != 6)
		die("SOCKET PORT VLAN MTU ADDRESS|io", -EINVAL);
	sigaction(SIGTERM, &sa, NULL);
	vnic_geometry_for(&g, 1, 1, SLOTS, (unsigned)atoi(argv[4]));
	vnic_fds_init(&fds);
	rc = vnic_create(&g, &fds);
	fd = wire_connect(argv[1]);
	if (rc < 0 || fd < 0)
		die(argv[1], rc < 0 ? rc : fd);
	describe(fd, &g, &fds, argv);
	rc = vnic_attach(&fds, &v);
	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = vnic_queue_open(v, i, &q[i]);
	if (rc < 0)
		die("attach", rc);
	run(q, inet_pton(AF_INET, argv[5], own) == 1 ? own : NULL,
	    vnic_layout(v), fds.host);
	report(vnic_layout(v), fds.host);
	return 0;
}
