/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_abi: the bytes that a host and a virtual router share. This header is
 * the whole contract: from it a stranger can write either side in any language.
 * The moves on these bytes (who stores what, in which order) are vnic_ring.h.
 *
 *	 region "host"            region "router"         region "pool"
 *	+------------------+     +------------------+    +------------------+
 *	| vnic_hdr         |     | queue 0:         |    | queue 0:         |
 *	| vnic_entry[]     |     |   control line   |    |   slot 0         |
 *	| queue 0:         |     |   beat line      |    |   slot 1         |
 *	|   control line   |     |   tx ring, vNIC 0|    |   ...            |
 *	|   beat line      |     |   tx ring, vNIC 1|    | queue 1:         |
 *	|   counters[]     |     |   ...            |    |   slot 0         |
 *	|   rx ring, vNIC 0|     | queue 1: ...     |    |   ...            |
 *	|   ...            |     +------------------+    +------------------+
 *	|   grant ring     |
 *	| queue 1: ...     |
 *	+------------------+
 *
 *	region  written by             host maps   router maps
 *	host    host                   read-write  read-only (its fd is O_RDONLY)
 *	router  router                 read-only   read-write
 *	pool    both, slot by slot     read-write  read-write
 *
 * The three are memfds of mode 0600, sealed against SHRINK, GROW and further
 * seals. A new region is all zeros, and zeros mean "nothing" everywhere.
 * Numbers are little-endian. Slot s of queue q begins at byte
 * (q * max_slots + s) * stride of the pool; rings have 1 << ring_log2 entries.
 *
 * Marks: (h) written by the host, (r) by the router, (c) by the control plane
 * before anybody attaches. "P1" to "P4" name the pairs of memory orders:
 *
 *	pair        release side            acquire side     promise
 *	P1 publish  producer stores a       consumer loads   the bytes are visible
 *	            descriptor              it               before the descriptor;
 *	                                                     a returned slot is no
 *	                                                     longer touched
 *	P2 sleep    producer: head of burst, then peer's asleep; sleeper: asleep,
 *	            then heads; all seq_cst                  one sees the other
 *	P3 epoch    h = WAIT; r = e         load h; load r   rings are blank, the
 *	                                                     old epoch's accesses
 *	                                                     are over
 *	P4 table    entry state, config     load of them     entry is complete
 *
 * Life of a queue, word h = epoch << 2 | state, one writer (h):
 *
 *	NONE -> WAIT(1)         host starts
 *	WAIT(e) -> RUN(e)       host has seen r == e
 *	RUN(e) -> WAIT(e+1)     router left or misbehaved, or the host restarted
 *	WAIT(e) -> WAIT(e+1)    the host restarted
 *	any -> GONE             this set is over, ask for a new one
 *	PROHIBITED: RUN(e) -> RUN(e'): slots of two epochs would mix
 *	PROHIBITED: an epoch that grows by anything but 1
 *	PROHIBITED: r = e stored by a process that has not seen WAIT(e) itself
 *	PROHIBITED: a ring store by the router before its r = e, by the host
 *	            outside RUN, or by anybody after GONE
 *
 * Ownership: a slot is owned by whoever may next put its index into a ring;
 * the host's private ledger is the only truth about it. Invariant, always:
 * empty + filled + granted = slots, and filled = back + in_doubt + held.
 */
#ifndef VNIC_ABI_H
#define VNIC_ABI_H

#ifdef VNIC_FFI /* text for LuaJIT: $(CPP) -P -DVNIC_FFI */
#define VNIC_ATOMIC(type) type
#else
#include <stdint.h>
#define VNIC_ATOMIC(type) _Atomic(type)
#endif

enum vnic_version {
	VNIC_MAJOR = 1, /* other major: refuse to attach */
	VNIC_MINOR = 2, /* other minor: ignore what you do not know */
};

enum vnic_limits {
	VNIC_LINE = 64,           /* bytes of a cache line */
	VNIC_MAX_QUEUES = 16,     /* the control queue is the last one */
	VNIC_MAX_VNICS = 32,      /* of one router */
	VNIC_MAX_SLOTS = 1 << 20, /* per queue: 20 bits in a descriptor */
	VNIC_MIN_RING_LOG2 = 3,   /* a ring fills a cache line at least */
	VNIC_MAX_RING_LOG2 = 20,
	VNIC_MAX_SLOT_BYTES = 1 << 14, /* a jumbo frame and its headroom */
	VNIC_MAX_HEADROOM = 4095,      /* 12 bits in a descriptor */
	VNIC_MIN_FRAME = 14,           /* an Ethernet header */
	VNIC_BURST = 64,               /* descriptors per ring and turn, host */
	VNIC_NAME_BYTES = 16,          /* with its final zero */
};

/* --- descriptor: one naturally aligned 64-bit atomic --------------------- */

enum vnic_desc_bits {
	VNIC_DESC_SLOT_SHIFT = 0,  /* 20 bits: slot, < max_slots */
	VNIC_DESC_OFF_SHIFT = 20,  /* 12 bits: first byte of the frame */
	VNIC_DESC_LEN_SHIFT = 32,  /* 16 bits: PACKET: 14..slot_bytes - off */
	VNIC_DESC_KIND_SHIFT = 48, /* 4 bits: enum vnic_kind */
	VNIC_DESC_ARG_SHIFT = 52,  /* 8 bits: DONE: enum vnic_done; else 0 */
	VNIC_DESC_ZERO_SHIFT = 60, /* 2 bits: 0 */
	VNIC_DESC_TURN_SHIFT = 62, /* 2 bits: 1 + 2 * lap; 0 = blank */
};

enum vnic_kind {
	VNIC_KIND_PACKET = 1,
	VNIC_KIND_DONE = 2,  /* in tx rings only: the slot, without a packet */
	VNIC_KIND_GRANT = 3, /* in the grant ring only: an empty slot */
};

/* Why a router hands a slot back without a packet; above OTHER = OTHER. */
enum vnic_done {
	VNIC_DONE_UNUSED = 0,    /* a grant that was not needed */
	VNIC_DONE_DELIVERED = 1, /* consumed in the router: not a drop */
	VNIC_DONE_TTL = 2,
	VNIC_DONE_NO_ROUTE = 3,
	VNIC_DONE_BAD_HEADER = 4,
	VNIC_DONE_FILTERED = 5,
	VNIC_DONE_NO_SLOT = 6,
	VNIC_DONE_OTHER = 7,
	VNIC_N_DONE = 8,
};

/* Violations of this contract by the router, counted by the host. */
enum vnic_fault {
	VNIC_FAULT_BAD_SLOT = 0, /* slot >= max_slots */
	VNIC_FAULT_NOT_HELD = 1, /* a slot that the router does not hold */
	VNIC_FAULT_BAD_LEN = 2,  /* len or off outside the slot */
	VNIC_FAULT_BAD_KIND = 3, /* kind, arg or zero bits */
	VNIC_N_FAULT = 4,
};

/* Why the host dropped a packet of this vNIC. */
enum vnic_drop {
	VNIC_DROP_NO_SLOT = 0,       /* capacity: the router holds all slots */
	VNIC_DROP_ROUTER_DOWN = 1,   /* error: no epoch runs */
	VNIC_DROP_NOT_RUNNING = 2,   /* error: the router is stopped */
	VNIC_DROP_PAUSED = 3,        /* policy */
	VNIC_DROP_VNIC_DOWN = 4,     /* error: removed in this epoch */
	VNIC_DROP_OVERSIZE = 5,      /* error: longer than the MTU allows */
	VNIC_DROP_RUNT = 6,          /* error: shorter than a header */
	VNIC_DROP_SPOOFED = 7,       /* policy: foreign source MAC */
	VNIC_DROP_PORT_TX_FULL = 8,  /* capacity */
	VNIC_DROP_LINK_DOWN = 9,     /* error: attached to nothing that works */
	VNIC_DROP_QUARANTINED = 10,  /* error */
	VNIC_DROP_QUOTA_PPS = 11,    /* quota */
	VNIC_DROP_QUOTA_BPS = 12,    /* quota */
	VNIC_DROP_BROADCAST = 13,    /* capacity: broadcast_budget */
	VNIC_DROP_ACL_DENY = 14,     /* policy */
	VNIC_DROP_WORKER_FULL = 15,  /* capacity: from a worker to another */
	VNIC_DROP_IMPAIR_LOSS = 16,  /* policy: its link loses packets */
	VNIC_DROP_IMPAIR_QUEUE = 17, /* capacity: its link has no more room */
	VNIC_DROP_NO_MATCH = 18,     /* error: for nobody on the segment */
	VNIC_N_DROP = 24,            /* room for more within this major */
};

/* --- control lines: the peer loads them each burst, so nothing that is
 * stored while busy may lie in them ---------------------------------------- */

enum vnic_state {
	VNIC_STATE_NONE = 0,
	VNIC_STATE_WAIT = 1,
	VNIC_STATE_RUN = 2,
	VNIC_STATE_GONE = 3,
};

struct vnic_host_line {
	VNIC_ATOMIC(uint32_t) h;      /* (h) P3: epoch << 2 | vnic_state */
	VNIC_ATOMIC(uint32_t) wake;   /* (h) futex; changes when woken */
	VNIC_ATOMIC(uint32_t) asleep; /* (h) P2: odd = asleep, else awake */
	VNIC_ATOMIC(uint32_t) config; /* (h) P4: grows with each vNIC change */
	uint32_t zero[12];
};

struct vnic_router_line {
	VNIC_ATOMIC(uint32_t) r;      /* (r) P3: epoch served, 0 = none */
	VNIC_ATOMIC(uint32_t) asleep; /* (r) P2: odd = asleep, else awake */
	uint32_t zero[14];
};

/* A sign of life, stored at most once per ms; judged by change alone. */
struct vnic_beat_line {
	VNIC_ATOMIC(uint32_t) beat; /* (h) or (r), by region */
	uint32_t zero;
	VNIC_ATOMIC(uint64_t) resets;      /* (h) epochs ended */
	VNIC_ATOMIC(uint64_t) quarantines; /* (h) epochs ended by faults */
	uint64_t spare[5];
};

/*
 * What became of the packets of one vNIC in one queue. One writer (h), relaxed,
 * kept over restarts of the data plane and of the router. At rest
 *	offered = filled + sum(rx_drop)
 *	filled = back + in_doubt + held by the router
 * and over all vNICs of a queue
 *	back + originated + duplicated = sent + sum(done) +
 *	                    sum(fault[len, kind]) + sum(tx_drop) +
 *	                    in doubt in a dead data plane
 * where a link that delays, of which one queue counts, is over all queues.
 */
struct vnic_counters {
	VNIC_ATOMIC(uint64_t) offered; /* packets for the router */
	VNIC_ATOMIC(uint64_t) filled;  /* into slots; before descriptors */
	VNIC_ATOMIC(uint64_t) filled_bytes;
	VNIC_ATOMIC(uint64_t) back;     /* slots back; before hand-over */
	VNIC_ATOMIC(uint64_t) in_doubt; /* slots whose fate is unknown */
	VNIC_ATOMIC(uint64_t) sent;     /* packets given to the link */
	VNIC_ATOMIC(uint64_t) sent_bytes;
	VNIC_ATOMIC(uint64_t) originated;        /* packets in granted slots */
	VNIC_ATOMIC(uint64_t) done[VNIC_N_DONE]; /* the router's claims */
	VNIC_ATOMIC(uint64_t) fault[VNIC_N_FAULT];
	VNIC_ATOMIC(uint64_t) rx_drop[VNIC_N_DROP]; /* host to router */
	VNIC_ATOMIC(uint64_t) tx_drop[VNIC_N_DROP]; /* router to host */
	VNIC_ATOMIC(uint64_t) duplicated; /* copies that its link has made */
	uint64_t spare[3];
};

/* --- table of vNICs, in the host region ----------------------------------- */

enum vnic_entry_state {
	VNIC_ENTRY_NONE = 0,
	VNIC_ENTRY_UP = 1,   /* the other fields do not change while UP */
	VNIC_ENTRY_DOWN = 2, /* no more packets; index not reused this epoch */
};

struct vnic_entry {
	VNIC_ATOMIC(uint32_t) state; /* (h) P4: vnic_entry_state */
	uint32_t mtu;                /* (h) bytes of layer 3, 68..9000 */
	uint8_t mac[6];              /* (h) */
	uint8_t zero[2];
	char name[VNIC_NAME_BYTES]; /* (h) zero-terminated */
	uint8_t spare[32];
};

/* --- header, at byte 0 of the host region --------------------------------- */

struct vnic_hdr {
	uint64_t magic;      /* (c) VNIC_MAGIC */
	uint32_t major;      /* (c) VNIC_MAJOR */
	uint32_t minor;      /* (c) VNIC_MINOR or later */
	uint64_t features;   /* (c) none in 1.0: 0 */
	uint32_t n_queues;   /* (c) 2..VNIC_MAX_QUEUES */
	uint32_t max_vnics;  /* (c) 1..VNIC_MAX_VNICS */
	uint32_t max_slots;  /* (c) per queue, 2..1 << ring_log2 */
	uint32_t ring_log2;  /* (c) entries of each ring, log2 */
	uint32_t stride;     /* (c) bytes, an odd number of lines */
	uint32_t slot_bytes; /* (c) usable bytes, <= stride */
	uint32_t headroom;   /* (c) bytes before a frame that host fills */
	uint32_t zero;
	uint64_t entries_off;     /* (c) vnic_entry[max_vnics], host region */
	uint64_t host_queue_off;  /* (c) queue 0 in the host region */
	uint64_t host_queue_size; /* (c) bytes from queue q to q + 1 */
	uint64_t counters_off;    /* (c) within a host queue */
	uint64_t rx_off;          /* (c) within a host queue; grant ring last */
	uint64_t router_queue_size; /* (c) queue 0 is at byte 0 */
	uint64_t tx_off;            /* (c) within a router queue */
	uint64_t host_bytes;        /* (c) sizes of the three regions */
	uint64_t router_bytes;
	uint64_t pool_bytes;
};

/*
 * Within a host queue the control line is at byte 0 and the beat line at byte
 * VNIC_LINE; the same in a router queue. Ring k of a queue (vNIC k; in the host
 * region k = max_vnics is the grant ring) is at rx_off or tx_off plus
 * k << (ring_log2 + 3).
 */

#ifndef VNIC_FFI
#include <assert.h>
#include <stddef.h>

#define VNIC_MAGIC UINT64_C(0x315f41504f525545) /* "EUROPA_1" in memory */

static_assert(sizeof(struct vnic_host_line) == VNIC_LINE, "one line");
static_assert(sizeof(struct vnic_router_line) == VNIC_LINE, "one line");
static_assert(sizeof(struct vnic_beat_line) == VNIC_LINE, "one line");
static_assert(sizeof(struct vnic_counters) == 9 * VNIC_LINE, "nine lines");
static_assert(sizeof(struct vnic_entry) == VNIC_LINE, "one line");
static_assert(sizeof(struct vnic_hdr) == 136, "no padding");
static_assert(offsetof(struct vnic_hdr, entries_off) == 56, "no padding");
static_assert(offsetof(struct vnic_counters, done) == 64, "no padding");
static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0),
    "a descriptor is loaded and stored as a whole");
#endif

#endif
