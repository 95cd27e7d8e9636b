/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: every sentence that Europa's processes may say to each other.
 *
 *	europad <-> europa-dataplane	SOCK_SEQPACKET, europad connects
 *	europad <-> init of a router	SOCK_SEQPACKET, init connects
 *	init <-> the router process	SOCK_SEQPACKET pair, EUROPA_CONTROL_FD
 *
 * One message is one packet, little-endian:
 *
 *	 0        2        4                8                12
 *	+--------+--------+----------------+----------------+---------
 *	| magic  | type   | id of request  | bytes of body  | body ...
 *	+--------+--------+----------------+----------------+---------
 *
 * Strings are a 16-bit length and bytes without zeros. File descriptors go
 * beside the message (SCM_RIGHTS). Decoding is strict: an unknown type, a
 * length that does not fit, a string too long, bytes left over, or a number of
 * descriptors that the type does not have is -EBADMSG, and every descriptor
 * received is closed. A request is answered by OK, FAIL or the named type with
 * its id; messages of id 0 want no answer.
 *
 * Both sides of a HELLO need the same major version. An unknown type ends the
 * connection: it is not sent to a peer of an older minor one. What an older one
 * ignores by itself is sent to all: since 2.3 PORT_INFO with id 0, port states
 * that it knows nothing of, a process status that it takes for that of wait(2).
 */
#ifndef EUROPA_WIRE_H
#define EUROPA_WIRE_H

#include "lib/vnic.h"

#include <stdint.h>

enum wire_limits {
	WIRE_MAGIC = 0x5745,
	WIRE_MAJOR = 2,
	WIRE_MINOR = 4,
	WIRE_MAX_BYTES = 32768,
	WIRE_MAX_FDS = 3 + VNIC_MAX_QUEUES,
	WIRE_UID_BYTES = 16,
	WIRE_MAX_ADDRESSES = 16,
	WIRE_MAX_MACS = 8, /* of a vNIC, beside its own */
	WIRE_MAX_COUNTERS = 240,
	WIRE_MAX_DEVARGS = 512,
	WIRE_MAX_IMPAIR_PACKETS = 16384,
	WIRE_MAX_IMPAIR_US = 10000000,
	WIRE_PPM = 1000000,
	WIRE_EXEC_SHIFT = 16, /* see u.process.status */
};

enum wire_type {
	WIRE_NONE = 0,
	WIRE_OK,    /* answer: done */
	WIRE_FAIL,  /* answer: u.fail */
	WIRE_HELLO, /* both ways, first: u.hello */

	/* europad to the data plane */
	WIRE_SET_ADD,   /* u.set + 3 + n_queues fds: host rw, router, pool */
	WIRE_SET_DEL,   /* u.router */
	WIRE_SET_LIST,  /* answered by SET_INFO ... OK */
	WIRE_VNIC_SET,  /* u.vnic: add or replace */
	WIRE_VNIC_DEL,  /* u.vnic_ref */
	WIRE_GATE,      /* u.gate: may packets pass */
	WIRE_DIED,      /* u.router: its process died, end the epochs */
	WIRE_PORT_ADD,  /* u.port */
	WIRE_PORT_DEL,  /* u.name */
	WIRE_PORT_LIST, /* answered by PORT_INFO ... OK */

	/* the data plane to europad */
	WIRE_SET_INFO,  /* as SET_ADD, with fds */
	WIRE_PORT_INFO, /* u.port_info; since 2.3, id 0: it has changed */
	WIRE_EVENT,     /* u.event, id 0 */

	/* init to europad */
	WIRE_INIT_HELLO, /* u.init: the set it holds */
	WIRE_INIT_STATE, /* u.process: the data plane process */

	/* europad to init */
	WIRE_INIT_SET,     /* u.init + fds: host ro, router, pool, bells */
	WIRE_INIT_CONFIG,  /* u.config + 1 fd: sealed text, see router.conf */
	WIRE_INIT_RESTART, /* the data plane process, now */

	/* europad to the router process and back, through init */
	WIRE_STATS_GET, /* answered by STATS */
	WIRE_STATS,     /* u.stats */

	/* europad to init, since 2.1: an older one hangs up and comes back */
	WIRE_INIT_PIPELINE, /* 1 fd: sealed text, before the first process */
	WIRE_INIT_CONTROL,  /* 1 fd: a stream, to be joined with router.sock */

	/* europad to init, since 2.2 */
	WIRE_INIT_SESSION, /* u.session + 1 fd: a stream of pieces, piece.h */
	WIRE_INIT_LOG,     /* 1 fd: a stream, for all that is logged */
	/* europad to the data plane, since 2.2: an older one hangs up */
	WIRE_VNIC_LINK, /* u.link: how the link of a vNIC behaves */
	/* the same, since 2.4; an older one lets a vNIC use its own MAC alone */
	WIRE_VNIC_MACS, /* u.macs: MACs of others that a vNIC may use */
	WIRE_N_TYPES,
};

enum wire_attach {
	WIRE_ATTACH_NONE = 0,
	WIRE_ATTACH_PORT = 1,
	WIRE_ATTACH_VNIC = 2, /* a link to another router's vNIC */
	/* with all others of the same segment, which is peer_uid; since 2.2 */
	WIRE_ATTACH_SEGMENT = 3,
};

enum wire_gate {
	WIRE_GATE_OPEN = 0,
	WIRE_GATE_PAUSED = 1,
	WIRE_GATE_STOPPED = 2,
};

enum wire_event {
	WIRE_EVENT_RUNNING = 1,     /* began an epoch, or moves again */
	WIRE_EVENT_QUARANTINED = 2, /* 64 faults in an epoch */
	WIRE_EVENT_STALLED = 3,     /* holds packets, no beat for 1 s */
	WIRE_EVENT_NO_ACK = 4,      /* waits for the router for 1 s */
	WIRE_EVENT_SIGBUS = 5,      /* its memory had a hole that bit */
};

/* What init runs, and on what. */
enum wire_session {
	WIRE_SESSION_EXEC = 1,    /* a program, on pipes */
	WIRE_SESSION_CONSOLE = 2, /* a program, on a terminal */
	WIRE_SESSION_FILE = 3,    /* init's own hand: get PATH, put PATH ... */
};

enum wire_port_state {
	WIRE_PORT_UP = 1,
	WIRE_PORT_DOWN = 2,
	WIRE_PORT_PENDING_RESTART = 3,
	/* since 2.3; an older europad shows both as down */
	WIRE_PORT_GONE = 4,    /* its device has gone while it was open */
	WIRE_PORT_NO_LINE = 5, /* open, but the device has no line */
};

/* What the host counts per port, and in this order. */
enum wire_port_counter {
	WIRE_PORT_RX,
	WIRE_PORT_RX_BYTES,
	WIRE_PORT_TX,
	WIRE_PORT_TX_BYTES,
	WIRE_PORT_NO_MATCH, /* unicast for nobody, or a foreign VLAN */
	WIRE_PORT_RUNT,
	WIRE_PORT_RX_MISSED,    /* by the driver: port_rx_missed */
	WIRE_PORT_RX_DELIVERED, /* packets given to at least one vNIC */
	WIRE_N_PORT_COUNTERS,
};

struct wire_address {
	uint8_t family;    /* 4 or 6 */
	uint8_t bytes[16]; /* network order, the first 4 for family 4 */
};

/* Limits of a vNIC or a router, per second; 0 = none. rx is host to router. */
struct wire_rates {
	uint64_t rx_pps, tx_pps; /* packets */
	uint64_t rx_bps, tx_bps; /* bits of frames */
	uint32_t burst_ms;       /* of each, at once; 1..1000 if there is any */
};

/*
 * What a link does to the packets of one direction; all zeros: nothing. Which
 * packets that are follows from the seed and their number alone.
 */
struct wire_impair {
	uint64_t seed;
	uint64_t rate_bps; /* of frames; 0 = any */
	uint32_t delay_us;
	uint32_t jitter_us; /* more or less than delay_us, at most all of it */
	uint32_t loss_ppm;
	/* Gilbert and Elliott: a bad time begins, ends, and what it loses */
	uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm;
	uint32_t duplicate_ppm;
	uint32_t reorder_ppm; /* are not delayed, so they overtake */
	uint32_t
	    queue_packets; /* that wait at most; 1..WIRE_MAX_IMPAIR_PACKETS */
};

enum wire_way { WIRE_RX, WIRE_TX, WIRE_N_WAYS }; /* rx: to the router */

enum wire_match_field {
	WIRE_MATCH_MAC = 1,
	WIRE_MATCH_SRC = 2,
	WIRE_MATCH_DST = 4,
	WIRE_MATCH_PROTOCOL = 8,
	WIRE_MATCH_SRC_PORT = 16,
	WIRE_MATCH_DST_PORT = 32,
	WIRE_MATCH_VNI = 64,
	WIRE_MATCH_GRE_KEY = 128,
	WIRE_MATCH_END = 256,
};

/*
 * Unicast frames of a port that are for no vNIC's MAC and have all of this are
 * for the vNIC, too; no fields: none are. The VLAN is that of the vNIC.
 */
struct wire_match {
	uint32_t fields; /* enum wire_match_field */
	uint8_t mac[6];  /* destination */
	uint8_t family;  /* of both prefixes: 4 or 6 */
	uint8_t src_bits, dst_bits;
	uint8_t src[16], dst[16];
	uint8_t protocol;
	uint16_t src_port, dst_port;
	uint32_t tunnel_key; /* VNI, or key of GRE */
};

struct wire_link {
	uint8_t uid[WIRE_UID_BYTES];
	uint32_t index;
	struct wire_match match;
	struct wire_impair impair[WIRE_N_WAYS];
};

struct wire_set {
	uint8_t uid[WIRE_UID_BYTES]; /* of the router */
	uint8_t set[WIRE_UID_BYTES]; /* of this memory */
	char name[64];
	struct vnic_geometry g;
	uint32_t slots; /* per data queue, 2..max_slots: the quota in force */
	uint8_t gate;   /* enum wire_gate */
	struct wire_rates rates; /* of all its vNICs together */
};

struct wire_vnic {
	uint8_t uid[WIRE_UID_BYTES];
	uint32_t index; /* < max_vnics */
	char name[VNIC_NAME_BYTES];
	uint8_t mac[6];
	uint16_t mtu;
	uint8_t attach; /* enum wire_attach */
	char port[64];
	uint16_t vlan; /* 1..4094, 0 = untagged */
	uint8_t trunk; /* 1: tags pass unchanged */
	uint8_t peer_uid[WIRE_UID_BYTES];
	uint32_t peer_index;
	uint32_t n_addresses; /* its own: they go to the control queue */
	struct wire_address address[WIRE_MAX_ADDRESSES];
	struct wire_rates rates;
};

/*
 * A vNIC sends as these, too, and gets what is sent to them; n = 0: as its own
 * alone. One that somebody else on its wire has as its own, or that is a
 * port's, is left out for as long as that is so.
 */
struct wire_macs {
	uint8_t uid[WIRE_UID_BYTES];
	uint32_t index;
	uint32_t n;
	uint8_t mac[WIRE_MAX_MACS][6];
};

struct wire_msg {
	enum wire_type type;
	uint32_t id;
	unsigned n_fds;
	int fds[WIRE_MAX_FDS]; /* sent: borrowed; received: the caller's */
	union {
		struct {
			uint16_t major;
			uint16_t minor;
			uint32_t pid;
			uint32_t n_workers;
			uint8_t hugepages; /* 1: the data plane uses them */
		} hello;
		struct {
			uint32_t no; /* positive errno */
			char text[256];
		} fail;
		struct wire_set set;
		struct wire_vnic vnic;
		struct wire_link link;
		struct wire_macs macs;
		struct {
			uint8_t uid[WIRE_UID_BYTES];
		} router;
		struct {
			uint8_t uid[WIRE_UID_BYTES];
			uint32_t index;
		} vnic_ref;
		struct {
			uint8_t uid[WIRE_UID_BYTES];
			uint8_t gate;
		} gate;
		struct {
			char name[64];
			char devargs[WIRE_MAX_DEVARGS];
			uint16_t mtu;
		} port;
		struct {
			char name[64];
		} name;
		struct {
			char name[64];
			char driver[32];
			uint8_t state; /* enum wire_port_state */
			uint8_t mac[6];
			uint16_t mtu;
			uint64_t count[WIRE_N_PORT_COUNTERS];
		} port_info;
		struct {
			uint8_t uid[WIRE_UID_BYTES];
			uint8_t kind; /* enum wire_event */
			uint32_t queue;
		} event;
		struct {
			uint8_t set[WIRE_UID_BYTES]; /* zeros: holds none */
		} init;
		struct {
			uint8_t running;
			uint32_t pid; /* in the container */
			uint32_t starts;
			/* of wait(2), of the last end; since 2.3, if there was
			 * no such program to run, why: an errno,
			 * WIRE_EXEC_SHIFT up */
			uint32_t status;
		} process;
		struct {
			uint64_t generation;
		} config;
		struct {
			uint8_t kind;  /* enum wire_session */
			uint16_t rows; /* of a console */
			uint16_t columns;
		} session;
		struct {
			uint64_t generation; /* of the configuration in force */
			uint32_t n;
			struct {
				char name[32];
				uint64_t value;
			} counter[WIRE_MAX_COUNTERS];
		} stats;
	} u;
};

/*
 * Sends one message on a connected SOCK_SEQPACKET socket. Returns 0, -EAGAIN if
 * the socket is non-blocking and full, or another negative errno; nothing is
 * sent in part. Context: any thread; the socket is the caller's.
 */
int wire_send(int fd, const struct wire_msg *m);

/*
 * Receives one message. Returns 0; -EPIPE if the peer has closed; -EAGAIN;
 * -EBADMSG (the message is gone, close the socket); or another negative errno.
 */
int wire_recv(int fd, struct wire_msg *out);

/* Closes the descriptors that came with m. */
void wire_close_fds(struct wire_msg *m);

/* Shorthand for answers: OK, or FAIL with -no and a sentence. */
int wire_reply_ok(int fd, uint32_t id);
int wire_reply_fail(int fd, uint32_t id, int no, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The codec alone, for tests: bytes written, or negative errno. */
int wire_encode(const struct wire_msg *m, uint8_t *buf, size_t size);
int wire_decode(struct wire_msg *out, const uint8_t *buf, size_t len);

/*
 * A SOCK_SEQPACKET unix socket: listens at path (an old socket file is
 * replaced), or connects to it. Returns a non-blocking fd or negative errno.
 */
int wire_listen(const char *path, unsigned mode);
int wire_connect(const char *path);

/*
 * No descriptors by this unix socket, nor by those it accepts: who sends one is
 * told EPERM. For who hears strangers: whoever receives a descriptor has to
 * close it, and a close can take as long as the sender likes (SO_LINGER).
 * Returns -ENOPROTOOPT before Linux 6.16, or another negative errno.
 */
int wire_refuse_fds(int fd);

#endif
