/* SPDX-License-Identifier: Apache-2.0 */
/*
 * initlink: the socket between europad and the init of one container.
 *
 * europad listens in a folder that only this container sees; init connects and
 * says which memory it holds. The peer is the tenant: who it is the kernel says
 * (SO_PEERCRED, its uid range is nobody else's), what it says is decoded
 * strictly, and it can make europad do nothing but send what is its own.
 */
#ifndef AGENT_INITLINK_H
#define AGENT_INITLINK_H

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/wire.h"

#include <stdbool.h>
#include <sys/types.h>

struct initlink;

struct initlink_hooks {
	/* init is there and holds the set of that id (zeros: none) */
	void (*on_hello)(void *arg, const uint8_t set[WIRE_UID_BYTES]);
	void (*on_state)(void *arg, const struct wire_msg *m);
	void (*on_stats)(void *arg, const struct wire_msg *m);
	void (*on_gone)(void *arg);
	void *arg;
};

/* Listens at dir/agent.sock. uids: first and count of those who may connect. */
int initlink_new(struct loop *l, const char *dir, uid_t first, uid_t count,
    const struct initlink_hooks *hooks, struct initlink **out, struct err *e);
void initlink_free(struct initlink *k);

/* A new init is about to come: what the one before has said does not count. */
void initlink_expect(struct initlink *k);

/* true after a hello */
bool initlink_is_up(const struct initlink *k);

/* Each returns 0, -ENOTCONN, or negative errno; the connection is then over. */
int initlink_send_set(struct initlink *k, const uint8_t set[WIRE_UID_BYTES],
    const struct vnic_fds *fds);
int initlink_send_config(
    struct initlink *k, uint64_t generation, const char *text);
int initlink_send_restart(struct initlink *k);
int initlink_ask_stats(struct initlink *k);
int initlink_send_pipeline(struct initlink *k, const char *text, size_t n);

/*
 * A stream that init is asked to join with the router's own socket; who speaks
 * there is the tenant. Read and closed by the functions below: what comes beside
 * the bytes may take as long to close as the tenant likes.
 */
int initlink_open_control(struct initlink *k, int *out);
/* The same for a session, of a kind of wire.h, that speaks pieces. */
int initlink_open_session(struct initlink *k, uint8_t kind, uint16_t rows,
    uint16_t columns, int *out);
/* The same, where init writes its log. */
int initlink_open_log(struct initlink *k, int *out);
/* Bytes, 0 at its end, -EAGAIN, -EBADMSG, or another negative errno. */
ssize_t initlink_read(struct initlink *k, int fd, void *buf, size_t n);
void initlink_close(struct initlink *k, int fd);

#endif
