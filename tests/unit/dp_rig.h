/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dp_rig: a running europa-dataplane on 4 KiB pages, and a test that plays
 * europad and the routers. Packets come from pcap files and go to pcap files,
 * so every byte can be compared. No root, no huge pages, no NIC.
 */
#ifndef TESTS_DP_RIG_H
#define TESTS_DP_RIG_H

#include "lib/base.h"
#include "lib/vnic.h"
#include "lib/vnic_ring.h"
#include "lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

enum { DP_MAX_FRAMES = 512, DP_MAX_BYTES = 2048 };

/* More lines of its configuration; the same cases run with two workers, too. */
#ifndef DP_CONF
#define DP_CONF ""
#endif

struct dp_frames {
	unsigned n;
	struct {
		unsigned len;
		uint8_t bytes[DP_MAX_BYTES];
	} f[DP_MAX_FRAMES];
};

struct dp_rig {
	char dir[64];
	pid_t pid;
	int fd; /* to the data plane, as europad */
	uint32_t next_id;
	unsigned n_events[16]; /* by enum wire_event */
};

/* Starts it with the lines of a ports file ("" = none) and says HELLO. */
void dp_open(struct dp_rig *r, const char *ports);
/* Ends the process as SIGKILL does, and starts another. */
void dp_crash(struct dp_rig *r);
/* Ends it properly, checks that it was content, removes its folder. */
void dp_close(struct dp_rig *r);

/* Sends m, waits for the answer: 0, or the errno that FAIL names. */
int dp_ask(struct dp_rig *r, struct wire_msg *m, struct wire_msg *answer);
/* The same for lists: fn is called for each message before OK. */
int dp_list(struct dp_rig *r, enum wire_type type,
    void (*fn)(void *arg, struct wire_msg *m), void *arg);
/* Takes events that have come. */
void dp_hear(struct dp_rig *r);

void dp_port(struct dp_rig *r, const char *name, const char *devargs);
struct wire_msg dp_port_info(struct dp_rig *r, const char *name);

/* A pcap file in the rig's folder. */
void dp_write_pcap(
    const struct dp_rig *r, const char *name, const struct dp_frames *f);
void dp_read_pcap(
    const struct dp_rig *r, const char *name, struct dp_frames *f);
/* A port whose rx is in, by name.in, and whose tx is the file name.out. */
void dp_pcap_port(
    struct dp_rig *r, const char *name, const struct dp_frames *in);
/* Frames in name.out. */
unsigned dp_n_out(const struct dp_rig *r, const char *name);
/* An Ethernet frame of len bytes, with a VLAN tag if tci is not 0. */
uint8_t *dp_frame(struct dp_frames *f, const uint8_t *dst, const uint8_t *src,
    unsigned tci, unsigned len);

/* One router: memory, and its side of it. */
struct dp_router {
	uint8_t id; /* uid is 16 of it */
	uint8_t set;
	struct vnic_geometry g;
	struct vnic_fds fds;
	struct vnic *v;
	unsigned n_queues;
	struct vnic_queue *q[VNIC_MAX_QUEUES];
	bool echo;        /* sends what it gets back, MACs swapped, same vNIC */
	unsigned n_fresh; /* epochs begun, in all queues */
	bool runs[VNIC_MAX_QUEUES];
	struct dp_frames got[VNIC_MAX_QUEUES];
	unsigned got_vnic[VNIC_MAX_QUEUES][DP_MAX_FRAMES];
};

/* Makes memory, adds the set and attaches. */
struct dp_router *dp_router_new(struct dp_rig *r, uint8_t id, unsigned n_data);
/* The same with room for n_vnics, not 4. */
struct dp_router *dp_router_wide(
    struct dp_rig *r, uint8_t id, unsigned n_data, unsigned n_vnics);
void dp_router_add(struct dp_rig *r, struct dp_router *t);
void dp_router_free(struct dp_router *t);
/* One turn on all queues: takes, records, answers. */
void dp_router_turn(struct dp_router *t);
/* Turns until n epochs have begun and all queues run. */
void dp_router_run(struct dp_router *t, unsigned n);
/* Sends f through vNIC v of queue q, from granted slots. */
void dp_router_send(
    struct dp_router *t, unsigned q, unsigned v, const struct dp_frames *f);
/* Packets that came by all queues. */
unsigned dp_router_got(const struct dp_router *t);

/* A message that describes vNIC index of t: MAC 02:00:00:00:id:index. */
struct wire_msg dp_vnic(
    const struct dp_router *t, unsigned index, const char *port);
void dp_mac(uint8_t *mac, uint8_t id, unsigned index);

/* The sum over queues of a counter of vNIC v, by its offset. */
uint64_t dp_count(const struct dp_router *t, unsigned v, size_t offset);
#define DP_COUNT(t, v, field) \
	dp_count((t), (v), offsetof(struct vnic_counters, field))

/* Turns the routers until cond; fails the test after 5 s. */
#define DP_UNTIL(cond, ...)                                                 \
	do {                                                                \
		struct dp_router *dp_turned[] = { __VA_ARGS__ };            \
		uint64_t dp_end = dp_now_ms() + 5000;                       \
		while (!(cond)) {                                           \
			for (size_t dp_i = 0; dp_i < ARRAY_SIZE(dp_turned); \
			     dp_i++)                                        \
				dp_router_turn(dp_turned[dp_i]);            \
			if (dp_now_ms() > dp_end)                           \
				fail_msg("timed out: %s", #cond);           \
			usleep(200);                                        \
		}                                                           \
	} while (0)
uint64_t dp_now_ms(void);

#endif
