/* SPDX-License-Identifier: Apache-2.0 */
/* port: opening and closing DPDK devices, see port.h. */
#include "dataplane/port.h"

#include "lib/base.h"
#include "lib/log.h"

#include <ctype.h>
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
	MBUF_CACHE = 256,
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
port_new(const struct port_spec *spec)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
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
		rc = rte_eal_hotplug_add(
		    "vdev", p->device, args ? args + 1 : "");
		if (rc < 0) /* no driver knows it: EFAULT, of all things */
			return rc == -EFAULT ? -ENODEV : rc;
		p->hotplugged = true;
	}
	rc = rte_eth_dev_get_port_by_name(p->device, &p->id);
	return rc < 0 ? rc : 0;
}

static int
make_pool(struct port *p, unsigned n)
{
	uint32_t frame = RTE_ETHER_HDR_LEN + TAG_ROOM + (uint32_t)p->spec.mtu;
	uint32_t room = MIN_ROOM;
	char name[RTE_MEMPOOL_NAMESIZE];

	while (room < frame)
		room *= 2;
	snprintf(name, sizeof(name), "port%u", p->id);
	p->pool = rte_pktmbuf_pool_create(name, n, MBUF_CACHE, 0,
	    (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	if (!p->pool)
		return -rte_errno;
	p->max_frame = frame;
	return 0;
}

/* The MTU is asked for in both ways that drivers know; not all know one. */
static int
configure(struct port *p)
{
	struct rte_eth_conf conf = { .rxmode.mtu = p->spec.mtu };
	int rc = rte_eth_dev_configure(p->id, 1, 1, &conf);

	if (rc < 0) {
		conf.rxmode.mtu = 0;
		rc = rte_eth_dev_configure(p->id, 1, 1, &conf);
	}
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
start(struct port *p)
{
	struct sizes size = sizes_of(&p->spec);
	uint16_t n_rx = size.descs, n_tx = size.descs;
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(p->id, &info);

	if (rc < 0)
		return rc;
	snprintf(p->driver, sizeof(p->driver), "%s", info.driver_name);
	rc = make_pool(p, size.mbufs);
	if (rc == 0)
		rc = configure(p);
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &n_rx, &n_tx);
	if (rc == 0)
		rc = rte_eth_rx_queue_setup(
		    p->id, 0, n_rx, ANY_SOCKET, NULL, p->pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(p->id, 0, n_tx, ANY_SOCKET, NULL);
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
port_open(struct port *p)
{
	struct fd_list before = { 0 };
	struct rte_ether_addr mac;
	int rc = fd_list_read(&before);

	if (rc == 0)
		rc = make_device(p);
	if (rc == 0)
		rc = start(p);
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
	log_info("port is up: %s, %s port=%s mtu=%u", p->driver,
	    p->n_fds ? "wakes the worker" : "is polled each ms when idle",
	    p->spec.name, p->spec.mtu);
	return 0;
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
	rte_mempool_free(p->pool);
	p->pool = NULL;
}

void
port_free(struct port *p)
{
	if (!p)
		return;
	port_close(p);
	free(p);
}

void
port_describe(const struct port *p, struct wire_msg *m)
{
	struct rte_eth_stats s;

	snprintf(m->u.port_info.name, sizeof(m->u.port_info.name), "%s",
	    p->spec.name);
	snprintf(m->u.port_info.driver, sizeof(m->u.port_info.driver), "%s",
	    p->driver);
	m->u.port_info.state = (uint8_t)p->state;
	m->u.port_info.mtu = p->spec.mtu;
	memcpy(m->u.port_info.mac, p->mac, sizeof(p->mac));
	for (int i = 0; i < WIRE_N_PORT_COUNTERS; i++)
		m->u.port_info.count[i] =
		    atomic_load_explicit(&p->count[i], memory_order_relaxed);
	if (p->state == WIRE_PORT_UP && rte_eth_stats_get(p->id, &s) == 0)
		m->u.port_info.count[WIRE_PORT_RX_MISSED] = s.imissed;
}
