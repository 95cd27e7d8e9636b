/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_rig: the whole europa-router process under test. The test is its host:
 * it makes the shared memory, plays the data plane with the real ledger, starts
 * the program with the descriptors it expects, and asks for its statistics.
 */
#ifndef TESTS_ROUTER_RIG_H
#define TESTS_ROUTER_RIG_H

#include "dataplane/ledger.h"
#include "lib/vnic.h"
#include "tests/unit/frame_maker.h"

#include <sys/types.h>

enum {
	RIG_VNICS = 4,
	RIG_QUEUES = 2, /* a data queue and the control queue */
	RIG_DATA = 0,
	RIG_CONTROL = 1,
	RIG_KEEP = 512,
};

struct rig_out {
	unsigned queue;
	unsigned vnic;
	struct frame frame;
};

struct router_rig {
	struct vnic_fds fds;
	struct ledger_maps maps;
	struct ledger *l[RIG_QUEUES];
	uint32_t config;
	const char *program; /* in the build folder */
	char dir[64];
	char conf[96];
	int control; /* our end */
	pid_t pid;
	unsigned n_out; /* frames that the router sent and no test has taken */
	struct rig_out *out;
};

/*
 * Makes a set with two vNICs up: eth0 0a:..:01 and eth1 0a:..:02, of mtu 1500
 * and mtu1. The router is not started. Returns 0 (for cmocka).
 */
int router_rig_open(struct router_rig *r, unsigned mtu1);
/* Ends the program, if it runs, and asserts that it ends well. */
void router_rig_close(struct router_rig *r);

/* Writes the configuration, complete, by rename. */
void router_rig_configure(struct router_rig *r, const char *text);

/*
 * Starts the program and waits until its queues run and generation is told;
 * generation 0: it cannot be asked.
 */
void router_rig_start(struct router_rig *r, uint64_t generation);
/* Kills it. */
void router_rig_kill(struct router_rig *r);
/* Waits for its end; returns the status of waitpid(). */
int router_rig_wait(struct router_rig *r);

/* The host starts over: new epochs. */
void router_rig_host_restart(struct router_rig *r);

/* A turn of the host. */
void router_rig_turn(struct router_rig *r);

void router_rig_vnic(struct router_rig *r, unsigned i, bool up);

/* Gives f to queue q as if it came in through vNIC i. */
void router_rig_send(
    struct router_rig *r, unsigned q, unsigned i, const struct frame *f);

/*
 * The next frame out of vNIC i with this ethertype, within timeout_ms. Returns
 * false if there is none. Frames of other kinds stay.
 */
bool router_rig_receive(struct router_rig *r, unsigned i, unsigned ethertype,
    unsigned timeout_ms, struct rig_out *out);

/* True if nothing at all comes out within ms. */
bool router_rig_is_silent(struct router_rig *r, unsigned ms);

/* Asks the router. name NULL: its generation. */
uint64_t router_rig_stat(struct router_rig *r, const char *name);

/* Waits until the statistic is at least v, not for ever; returns it. */
uint64_t router_rig_await(struct router_rig *r, const char *name, uint64_t v);

/* The CPU time that the program has used, also if it has just ended. */
uint64_t router_rig_cpu_ms(const struct router_rig *r);

/* No faults, every slot back, and the balance of each queue. */
void router_rig_check(struct router_rig *r);

#endif
