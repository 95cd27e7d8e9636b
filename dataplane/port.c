/* SPDX-License-Identifier: Apache-2.0 */
/* port: opening and closing DPDK devices, see port.h. */
#include "dataplane/port.h"

#include "dataplane/lines.h"
#include "lib/log.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

static const unsigned ANY_SOCKET = (unsigned)SOCKET_ID_ANY;

enum {
	VDEV_MBUFS = 2047, /* a virtual port keeps a burst or two */
	VDEV_DESCS = 512,
	XDP_MBUFS = 8191, /* its driver gives 2048 to the kernel at once */
	XDP_DESCS = 2048,
	NIC_MBUFS = 8191,
	NIC_DESCS = 1024,
	MBUF_CACHE = 512,
	SPARE_MBUFS = 255, /* of a worker that has no queue of the port */
	SPARE_CACHE = 64,
	MIN_ROOM = 2048,
	TAG_ROOM = 8, /* two VLAN tags */
};

bool
port_is_pci(const struct port_spec *spec)
{
	char name[PORT_NAME_BYTES];
	struct rte_pci_addr addr;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(spec->devargs, ","),
	    spec->devargs);
	return strncmp(name, "pci:", 4) == 0 ||
	       rte_pci_addr_parse(name, &addr) == 0;
}

static bool
is_xdp(const struct port_spec *spec)
{
	return strncmp(spec->devargs, "net_af_xdp", 10) == 0;
}

bool
port_needs_start(const struct port_spec *spec)
{
	return port_is_pci(spec) || is_xdp(spec);
}

struct port *
port_new(const struct port_spec *spec, unsigned n_workers)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->share = lines_alloc(n_workers, sizeof(*p->share));
	if (!p->share) {
		free(p);
		return NULL;
	}
	p->n_workers = n_workers;
	p->spec = *spec;
	p->state = WIRE_PORT_DOWN;
	return p;
}

/* Two ports "net_tap,iface=..." must differ in DPDK's eyes: number them. */
static void
name_device(struct port *p)
{
	static unsigned serial;
	size_t n = strcspn(p->spec.devargs, ",");

	if (n > 0 && isdigit((unsigned char)p->spec.devargs[n - 1]))
		snprintf(p->device, sizeof(p->device), "%.*s", (int)n,
		    p->spec.devargs);
	else
		snprintf(p->device, sizeof(p->device), "%.*s_%u", (int)n,
		    p->spec.devargs, serial++);
}

static int
make_device(struct port *p)
{
	const char *args = strchr(p->spec.devargs, ',');
	int rc;

	if (port_is_pci(&p->spec)) {
		const char *name = p->spec.devargs;

		if (strncmp(name, "pci:", 4) == 0)
			name += 4;
		snprintf(p->device, sizeof(p->device), "%.*s",
		    (int)strcspn(name, ","), name);
	} else {
		name_device(p);
		/* another port's: it would end with this one */
		if (rte_eth_dev_get_port_by_name(p->device, &p->id) == 0) {
			p->device[0] = '\0';
			return -EBUSY;
		}
		rc = rte_eal_hotplug_add(
		    "vdev", p->device, args ? args + 1 : "");
		if (rc < 0) /* no driver knows it: EFAULT, of all things */
			return rc == -EFAULT ? -ENODEV : rc;
		p->hotplugged = true;
	}
	rc = rte_eth_dev_get_port_by_name(p->device, &p->id);
	return rc < 0 ? rc : 0;
}

/* --- queues and who serves them ------------------------------------------------ */

/* Its queues are made by its arguments, and each of them gets frames. */
static bool
has_given_queues(const struct rte_eth_dev_info *info)
{
	static const char *const drivers[] = { "net_af_packet", "net_af_xdp",
		"net_pcap" };

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(info->driver_name, drivers[i]) == 0)
			return true;
	return false;
}

/* net_tap says it knows RSS, but the kernel moves flows between its queues. */
static bool
has_rss(const struct port *p, const struct rte_eth_dev_info *info)
{
	return info->flow_type_rss_offloads != 0 &&
	       strcmp(info->driver_name, "net_tap") != 0 &&
	       info->max_rx_queues >= p->n_workers;
}

static void
choose_queues(struct port *p, const struct rte_eth_dev_info *info)
{
	p->n_rx = p->n_tx = 1;
	if (has_given_queues(info))
		p->n_rx = MIN((unsigned)info->max_rx_queues,
		    (unsigned)SPREAD_MAX_WORKERS);
	else if (has_rss(p, info))
		p->n_rx = p->n_workers;
	if (info->max_tx_queues >= p->n_workers &&
	    strcmp(info->driver_name, "net_tap") != 0)
		p->n_tx = p->n_workers;
}

static void
choose_home(struct port *p, const struct port_workers *w)
{
	int node = rte_eth_dev_socket_id(p->id);
	unsigned best_cost = UINT32_MAX;

	for (unsigned i = 0; i < w->n; i++) {
		bool is_far =
		    node >= 0 && w->node[i] >= 0 && w->node[i] != node;
		unsigned cost = w->load[i] + (is_far ? UINT16_MAX : 0);

		if (cost >= best_cost)
			continue;
		best_cost = cost;
		p->home = i;
	}
}

static bool
has_queue(const struct port *p, unsigned w)
{
	if (p->n_tx > 1 || w == p->home)
		return true;
	for (unsigned q = 0; q < p->n_rx; q++)
		if (port_rx_worker(p, q) == w)
			return true;
	return false;
}

/* The mbufs of worker w; near its core, if there is memory. */
static int
make_pool(struct port *p, unsigned w, unsigned n, int node)
{
	uint16_t room = (uint16_t)(p->room + RTE_PKTMBUF_HEADROOM);
	unsigned cache = MBUF_CACHE;
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool = NULL;

	if (!has_queue(p, w)) {
		n = SPARE_MBUFS;
		cache = SPARE_CACHE;
	}
	snprintf(name, sizeof(name), "port%u_%u", p->id, w);
	if (node >= 0)
		pool = rte_pktmbuf_pool_create(name, n, cache, 0, room, node);
	if (!pool)
		pool = rte_pktmbuf_pool_create(
		    name, n, cache, 0, room, SOCKET_ID_ANY);
	p->share[w].pool = pool;
	return pool ? 0 : -rte_errno;
}

struct sizes {
	uint16_t descs; /* of each ring */
	uint16_t mbufs;
};

static struct sizes
sizes_of(const struct port_spec *spec)
{
	if (port_is_pci(spec))
		return (struct sizes){ NIC_DESCS, NIC_MBUFS };
	if (is_xdp(spec))
		return (struct sizes){ XDP_DESCS, XDP_MBUFS };
	return (struct sizes){ VDEV_DESCS, VDEV_MBUFS };
}

static int
make_shares(struct port *p, const struct port_workers *w)
{
	unsigned n = sizes_of(&p->spec).mbufs;
	uint32_t frame = RTE_ETHER_HDR_LEN + TAG_ROOM + (uint32_t)p->spec.mtu;
	int rc = 0;

	p->max_frame = frame;
	for (p->room = MIN_ROOM; p->room < frame;)
		p->room *= 2;
	for (unsigned i = 0; rc == 0 && i < p->n_workers; i++) {
		p->share[i].tx_queue = p->n_tx > 1 ? (uint16_t)i : 0;
		rc = make_pool(p, i, n, w->n > 1 ? w->node[i] : -1);
		if (rc == 0 && p->n_tx == 1 && i != p->home)
			rc = handover_new(&p->share[i].home);
	}
	return rc;
}

/* The MTU is asked for in both ways that drivers know; not all know one. */
static int
configure(struct port *p, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = { .rxmode.mtu = p->spec.mtu };
	uint16_t n_rx = (uint16_t)p->n_rx, n_tx = (uint16_t)p->n_tx;
	int rc;

	if (n_rx > 1 && has_rss(p, info)) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
		    (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) &
		    info->flow_type_rss_offloads;
	}
	rc = rte_eth_dev_configure(p->id, n_rx, n_tx, &conf);
	if (rc < 0) {
		conf.rxmode.mtu = 0;
		rc = rte_eth_dev_configure(p->id, n_rx, n_tx, &conf);
	}
	return rc;
}

static int
set_up_queues(struct port *p)
{
	uint16_t n_rx = sizes_of(&p->spec).descs, n_tx = n_rx;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &n_rx, &n_tx);

	for (uint16_t q = 0; rc == 0 && q < p->n_rx; q++)
		rc = rte_eth_rx_queue_setup(p->id, q, n_rx, ANY_SOCKET, NULL,
		    p->share[port_rx_worker(p, q)].pool);
	for (uint16_t q = 0; rc == 0 && q < p->n_tx; q++)
		rc = rte_eth_tx_queue_setup(p->id, q, n_tx, ANY_SOCKET, NULL);
	return rc;
}

static void
set_mtu(struct port *p)
{
	uint16_t mtu;
	int rc;

	if (rte_eth_dev_get_mtu(p->id, &mtu) == 0 && mtu == p->spec.mtu)
		return;
	rc = rte_eth_dev_set_mtu(p->id, p->spec.mtu);
	if (rc < 0 && rc != -ENOTSUP)
		log_warn("the driver keeps its own MTU: %s port=%s mtu=%u",
		    strerror(-rc), p->spec.name, p->spec.mtu);
}

static int
start(struct port *p, const struct port_workers *w)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(p->id, &info);

	if (rc < 0)
		return rc;
	snprintf(p->driver, sizeof(p->driver), "%s", info.driver_name);
	choose_queues(p, &info);
	choose_home(p, w);
	rc = configure(p, &info);
	if (rc < 0 && (p->n_rx > 1 || p->n_tx > 1)) {
		p->n_rx = p->n_tx = 1;
		rc = configure(p, &info);
	}
	if (rc == 0)
		rc = make_shares(p, w);
	if (rc == 0)
		rc = set_up_queues(p);
	if (rc == 0)
		set_mtu(p);
	if (rc == 0)
		rc = rte_eth_dev_start(p->id);
	return rc;
}

/* vNICs have MACs of their own: the port must hear all of them. */
static void
hear_everything(struct port *p)
{
	int rc = rte_eth_promiscuous_enable(p->id);

	if (rc < 0 && rc != -ENOTSUP)
		log_warn("frames to the MACs of vNICs may be missed: "
			 "promiscuous mode: %s port=%s",
		    strerror(-rc), p->spec.name);
}

int
port_open(struct port *p, const struct port_workers *w)
{
	struct fd_list before = { 0 };
	struct rte_ether_addr mac;
	char name[IFNAMSIZ];
	int rc = fd_list_read(&before);

	if (rc == 0)
		rc = make_device(p);
	if (rc == 0)
		rc = start(p, w);
	if (rc < 0) {
		log_err("port stays down: %s: %s port=%s", p->spec.devargs,
		    strerror(-rc), p->spec.name);
		fd_list_free(&before);
		p->state = WIRE_PORT_UP; /* whatever is there is closed */
		port_close(p);
		return rc;
	}
	hear_everything(p);
	if (rte_eth_macaddr_get(p->id, &mac) == 0)
		memcpy(p->mac, mac.addr_bytes, sizeof(p->mac));
	p->n_fds = port_find_fds(&before, p->fds, PORT_MAX_FDS);
	fd_list_free(&before);
	p->state = WIRE_PORT_UP;
	p->ifindex = port_interface(&p->spec, name, sizeof(name))
			 ? if_nametoindex(name)
			 : 0;
	p->no_line = false;
	log_info("port is up: %s, %s port=%s mtu=%u rx_queues=%u tx_queues=%u "
		 "worker=%u",
	    p->driver,
	    p->n_fds ? "wakes its worker" : "is polled each ms when idle",
	    p->spec.name, p->spec.mtu, p->n_rx, p->n_tx, p->home);
	return 0;
}

static void
free_shares(struct port *p)
{
	for (unsigned i = 0; i < p->n_workers; i++) {
		rte_mempool_free(p->share[i].pool);
		handover_free(p->share[i].home);
		p->share[i].pool = NULL;
		p->share[i].home = NULL;
	}
}

void
port_close(struct port *p)
{
	uint16_t id;

	if (p->state != WIRE_PORT_UP)
		return;
	p->state = WIRE_PORT_DOWN;
	p->n_fds = 0;
	if (p->device[0] && rte_eth_dev_get_port_by_name(p->device, &id) == 0) {
		rte_eth_dev_stop(id);
		if (!p->hotplugged)
			rte_eth_dev_close(id);
	}
	if (p->hotplugged)
		rte_eal_hotplug_remove("vdev", p->device);
	p->hotplugged = false;
	free_shares(p);
}

void
port_free(struct port *p)
{
	if (!p)
		return;
	port_close(p);
	free(p->share);
	free(p);
}

static uint64_t
sum(const struct port *p, int counter)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < p->n_workers; i++)
		n += atomic_load_explicit(
		    &p->share[i].count[counter], memory_order_relaxed);
	return n;
}

void
port_describe(const struct port *p, struct wire_msg *m)
{
	struct rte_eth_stats s;

	snprintf(m->u.port_info.name, sizeof(m->u.port_info.name), "%s",
	    p->spec.name);
	snprintf(m->u.port_info.driver, sizeof(m->u.port_info.driver), "%s",
	    p->driver);
	m->u.port_info.state =
	    (uint8_t)(p->state == WIRE_PORT_UP && p->no_line ? WIRE_PORT_NO_LINE
							     : p->state);
	m->u.port_info.mtu = p->spec.mtu;
	memcpy(m->u.port_info.mac, p->mac, sizeof(p->mac));
	for (int i = 0; i < WIRE_N_PORT_COUNTERS; i++)
		m->u.port_info.count[i] = sum(p, i);
	if (p->state == WIRE_PORT_UP && rte_eth_stats_get(p->id, &s) == 0)
		m->u.port_info.count[WIRE_PORT_RX_MISSED] = s.imissed;
}
